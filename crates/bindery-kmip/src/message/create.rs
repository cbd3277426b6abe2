//! Create: operation 0x01 (KMIP 1.4, section 4.1).

use bindery_ttlv::{RawItem, Text, Ttlv, registry::ObjectType};

use super::TemplateAttribute;

/// A symmetric key that the server is to generate.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CreateRequest {
    /// Symmetric Key; the operation generates nothing else.
    pub object_type: ObjectType,
    /// The key's attributes; Cryptographic Algorithm and Cryptographic Usage Mask at least.
    pub template_attribute: TemplateAttribute,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CreateRequest {
    /// A request from the object's type and attributes.
    pub const fn new(object_type: ObjectType, template_attribute: TemplateAttribute) -> Self {
        Self { object_type, template_attribute, unknown: Vec::new() }
    }
}

/// The key that the server generated.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct CreateResponse {
    /// The object's type.
    pub object_type: ObjectType,
    /// What it is called from now on.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Text,
    /// Attributes that the server set without being asked.
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CreateResponse {
    /// A response from the object's type and Unique Identifier.
    pub fn new(object_type: ObjectType, unique_identifier: impl Into<Text>) -> Self {
        let unique_identifier = unique_identifier.into();
        Self { object_type, unique_identifier, template_attribute: None, unknown: Vec::new() }
    }
}
