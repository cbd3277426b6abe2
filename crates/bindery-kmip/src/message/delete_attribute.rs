//! Delete Attribute: operation 0x0F (KMIP 1.4, section 4.16; 2.1, section 6.1.13).

use bindery_ttlv::{RawItem, Text, Ttlv};

use super::{Attribute, AttributeReference, Attributes, UniqueIdentifier};

/// An attribute that an object is not to have any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct DeleteAttributeRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Its name (1.x).
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_name: Option<Text>,
    /// Which instance; the first when absent (1.x).
    #[ttlv(tag = ATTRIBUTE_INDEX)]
    pub attribute_index: Option<i32>,
    /// The attribute as it is, the only one in the list (2.x).
    #[ttlv(tag = CURRENT_ATTRIBUTE)]
    pub current_attribute: Option<Attributes>,
    /// Which attribute, with all its instances (2.x).
    pub attribute_reference: Option<AttributeReference>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DeleteAttributeRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The attribute that was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct DeleteAttributeResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The attribute (1.x).
    pub attribute: Option<Attribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DeleteAttributeResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), attribute: None, unknown: Vec::new() }
    }
}
