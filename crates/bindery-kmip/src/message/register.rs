//! Register: operation 0x03 (KMIP 1.4, section 4.3).

use bindery_ttlv::{RawItem, Ttlv, registry::ObjectType};

use super::{
    ManagedObject, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute, UniqueIdentifier,
};

/// An object that the client has and the server is to manage.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct RegisterRequest {
    /// The object's type. It may disagree with the object: the server is to check.
    pub object_type: ObjectType,
    /// The object's attributes.
    #[ttlv(choice)]
    pub attributes: ObjectAttributes,
    /// The object. Absent it may be (since 1.2 only its Key Value may): the server is to check.
    #[ttlv(choice)]
    pub object: Option<ManagedObject>,
    /// How it may be stored (2.0).
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RegisterRequest {
    /// A request of KMIP 1.x from the object and its attributes. For 2.x put
    /// [`Attributes`](super::Attributes) into the field `attributes`.
    pub const fn new(object: ManagedObject, template_attribute: TemplateAttribute) -> Self {
        Self {
            object_type: object.object_type(),
            attributes: ObjectAttributes::TemplateAttribute(template_attribute),
            object: Some(object),
            protection_storage_masks: None,
            unknown: Vec::new(),
        }
    }
}

/// The object that the server took.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct RegisterResponse {
    /// What it is called from now on.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Attributes that the server set without being asked.
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RegisterResponse {
    /// A response from the object's Unique Identifier.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        let unique_identifier = unique_identifier.into();
        Self { unique_identifier, template_attribute: None, unknown: Vec::new() }
    }
}
