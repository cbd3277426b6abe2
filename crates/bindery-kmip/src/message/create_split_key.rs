//! Create Split Key: operation 0x28 (KMIP 1.4, section 4.38; 2.1, section 6.1.10).

use bindery_ttlv::{
    BigInteger, RawItem, Ttlv,
    registry::{ObjectType, SplitKeyMethod},
};

use super::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute, UniqueIdentifier};

/// A key that is to be generated or split.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CreateSplitKeyRequest {
    /// Symmetric Key, Private Key or Secret Data.
    pub object_type: ObjectType,
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How many parts.
    #[ttlv(tag = SPLIT_KEY_PARTS)]
    pub split_key_parts: i32,
    /// How many parts make the key.
    #[ttlv(tag = SPLIT_KEY_THRESHOLD)]
    pub split_key_threshold: i32,
    /// How it is split.
    pub split_key_method: SplitKeyMethod,
    /// The prime of Polynomial Sharing Prime Field.
    #[ttlv(tag = PRIME_FIELD_SIZE)]
    pub prime_field_size: Option<BigInteger>,
    /// The attributes of the new object.
    #[ttlv(choice)]
    pub attributes: Option<ObjectAttributes>,
    /// How it may be stored (2.0).
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CreateSplitKeyRequest {
    /// A request with the fields that it must have.
    pub const fn new(
        object_type: ObjectType,
        split_key_parts: i32,
        split_key_threshold: i32,
        split_key_method: SplitKeyMethod,
    ) -> Self {
        Self {
            object_type,
            split_key_parts,
            split_key_threshold,
            split_key_method,
            unique_identifier: None,
            prime_field_size: None,
            attributes: None,
            protection_storage_masks: None,
            unknown: Vec::new(),
        }
    }
}

/// The parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct CreateSplitKeyResponse {
    /// What they are called.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// Attributes that the server set without being asked (1.x).
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
