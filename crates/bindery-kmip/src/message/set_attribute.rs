//! Set Attribute: operation 0x31 (KMIP 2.1, section 6.1.51).

use bindery_ttlv::{RawItem, Ttlv};

use super::{Attributes, UniqueIdentifier};

/// An attribute that an object is to have, whether it has one already or not.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct SetAttributeRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The attribute, the only one in the list.
    #[ttlv(tag = NEW_ATTRIBUTE)]
    pub new_attribute: Attributes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SetAttributeRequest {
    /// A request with the fields that it must have.
    pub const fn new(new_attribute: Attributes) -> Self {
        Self { new_attribute, unique_identifier: None, unknown: Vec::new() }
    }
}

/// It has.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct SetAttributeResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SetAttributeResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), unknown: Vec::new() }
    }
}
