//! Join Split Key: operation 0x29 (KMIP 1.4, section 4.39; 2.1, section 6.1.27).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{ObjectType, SecretDataType},
};

use super::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute, UniqueIdentifier};

/// Parts that are to make a key again.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct JoinSplitKeyRequest {
    /// What they make.
    pub object_type: ObjectType,
    /// The parts.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// The type of Secret Data.
    pub secret_data_type: Option<SecretDataType>,
    /// The attributes of the new object.
    #[ttlv(choice)]
    pub attributes: Option<ObjectAttributes>,
    /// How it may be stored (2.0).
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl JoinSplitKeyRequest {
    /// A request with the fields that it must have.
    pub const fn new(object_type: ObjectType) -> Self {
        Self {
            object_type,
            unique_identifiers: Vec::new(),
            secret_data_type: None,
            attributes: None,
            protection_storage_masks: None,
            unknown: Vec::new(),
        }
    }
}

/// The key.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct JoinSplitKeyResponse {
    /// What the new object is called.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Attributes that the server set without being asked (1.x).
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl JoinSplitKeyResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            template_attribute: None,
            unknown: Vec::new(),
        }
    }
}
