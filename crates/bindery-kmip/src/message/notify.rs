//! Notify: operation 0x1B (KMIP 1.4, section 5.1; 2.1, section 6.2.2).

use bindery_ttlv::{RawItem, Ttlv};

use super::{Attribute, AttributeReference, Attributes, UniqueIdentifier};

/// Attributes of an object that have changed; the server tells the client.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct NotifyRequest {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The attributes; a deleted one has no value (1.x).
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// The attributes (2.x).
    pub attributes_2: Option<Attributes>,
    /// The attributes that were deleted (2.x).
    #[ttlv(tag = ATTRIBUTE_REFERENCE)]
    pub attribute_references: Vec<AttributeReference>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl NotifyRequest {
    /// A request with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            attributes: Vec::new(),
            attributes_2: None,
            attribute_references: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

/// The client has heard. It answers without a payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct NotifyResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
