//! Adjust Attribute: operation 0x30 (KMIP 2.1, section 6.1.3).

use bindery_ttlv::{RawItem, RawValue, Ttlv, registry::AdjustmentType};

use super::{AttributeReference, UniqueIdentifier};

/// An attribute's value that is to be counted up or down, or turned round.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct AdjustAttributeRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Which attribute.
    pub attribute_reference: AttributeReference,
    /// How.
    pub adjustment_type: AdjustmentType,
    /// By how much, in the attribute's type; 1 when absent.
    #[ttlv(tag = ADJUSTMENT_VALUE)]
    pub adjustment_value: Option<RawValue>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl AdjustAttributeRequest {
    /// A request with the fields that it must have.
    pub const fn new(
        attribute_reference: AttributeReference,
        adjustment_type: AdjustmentType,
    ) -> Self {
        Self {
            attribute_reference,
            adjustment_type,
            unique_identifier: None,
            adjustment_value: None,
            unknown: Vec::new(),
        }
    }
}

/// It was.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct AdjustAttributeResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl AdjustAttributeResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), unknown: Vec::new() }
    }
}
