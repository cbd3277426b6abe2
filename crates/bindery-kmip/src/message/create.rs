//! Create: operation 0x01 (KMIP 1.4, section 4.1; 2.1, section 6.1.8).

use bindery_ttlv::{RawItem, Ttlv, registry::ObjectType};

use super::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute, UniqueIdentifier};

/// A symmetric key that the server is to generate.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CreateRequest {
    /// Symmetric Key; the operation generates nothing else.
    pub object_type: ObjectType,
    /// The key's attributes; Cryptographic Algorithm and Cryptographic Usage Mask at least.
    #[ttlv(choice)]
    pub attributes: ObjectAttributes,
    /// How it may be stored (2.0).
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CreateRequest {
    /// A request of KMIP 1.x from the object's type and attributes. For 2.x put
    /// [`Attributes`](super::Attributes) into the field `attributes`.
    pub const fn new(object_type: ObjectType, template_attribute: TemplateAttribute) -> Self {
        let attributes = ObjectAttributes::TemplateAttribute(template_attribute);
        Self { object_type, attributes, protection_storage_masks: None, unknown: Vec::new() }
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
    pub unique_identifier: UniqueIdentifier,
    /// Attributes that the server set without being asked.
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CreateResponse {
    /// A response from the object's type and Unique Identifier.
    pub fn new(object_type: ObjectType, unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        let unique_identifier = unique_identifier.into();
        Self { object_type, unique_identifier, template_attribute: None, unknown: Vec::new() }
    }
}
