//! Modify Attribute: operation 0x0E (KMIP 1.4, section 4.15; 2.1, section 6.1.34).

use bindery_ttlv::{RawItem, Ttlv};

use super::{Attribute, Attributes, UniqueIdentifier};

/// An attribute that is to have another value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ModifyAttributeRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The attribute with its index (1.x).
    pub attribute: Option<Attribute>,
    /// The attribute as it is, the only one in the list (2.x).
    #[ttlv(tag = CURRENT_ATTRIBUTE)]
    pub current_attribute: Option<Attributes>,
    /// The attribute as it is to be, the only one in the list (2.x).
    #[ttlv(tag = NEW_ATTRIBUTE)]
    pub new_attribute: Option<Attributes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ModifyAttributeRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The attribute as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ModifyAttributeResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The attribute (1.x).
    pub attribute: Option<Attribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ModifyAttributeResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), attribute: None, unknown: Vec::new() }
    }
}
