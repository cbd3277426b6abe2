//! Re-key Key Pair: operation 0x1D (KMIP 1.4, section 4.5; 2.1, section 6.1.47).

use bindery_ttlv::{Interval, RawItem, Ttlv};

use super::{
    CommonAttributes, PrivateKeyAttributes, ProtectionStorageMasks, PublicKeyAttributes,
    TemplateAttribute, UniqueIdentifier,
};

/// A key pair to take the place of another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ReKeyKeyPairRequest {
    /// The private key; the ID Placeholder when absent.
    #[ttlv(tag = PRIVATE_KEY_UNIQUE_IDENTIFIER)]
    pub private_key_unique_identifier: Option<UniqueIdentifier>,
    /// How long after its making the new object becomes active.
    #[ttlv(tag = OFFSET)]
    pub offset: Option<Interval>,
    /// What both keys are to have.
    #[ttlv(choice)]
    pub common_attributes: Option<CommonAttributes>,
    /// What the private key is to have.
    #[ttlv(choice)]
    pub private_key_attributes: Option<PrivateKeyAttributes>,
    /// What the public key is to have.
    #[ttlv(choice)]
    pub public_key_attributes: Option<PublicKeyAttributes>,
    /// How both may be stored (2.0).
    #[ttlv(tag = COMMON_PROTECTION_STORAGE_MASKS)]
    pub common_protection_storage_masks: Option<ProtectionStorageMasks>,
    /// How the private key may be stored (2.0).
    #[ttlv(tag = PRIVATE_PROTECTION_STORAGE_MASKS)]
    pub private_protection_storage_masks: Option<ProtectionStorageMasks>,
    /// How the public key may be stored (2.0).
    #[ttlv(tag = PUBLIC_PROTECTION_STORAGE_MASKS)]
    pub public_protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// The new pair.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ReKeyKeyPairResponse {
    /// What the private key is called.
    #[ttlv(tag = PRIVATE_KEY_UNIQUE_IDENTIFIER)]
    pub private_key_unique_identifier: UniqueIdentifier,
    /// What the public key is called.
    #[ttlv(tag = PUBLIC_KEY_UNIQUE_IDENTIFIER)]
    pub public_key_unique_identifier: UniqueIdentifier,
    /// Attributes of the private key that the server set (1.x).
    #[ttlv(tag = PRIVATE_KEY_TEMPLATE_ATTRIBUTE)]
    pub private_key_template_attribute: Option<TemplateAttribute>,
    /// Attributes of the public key that the server set (1.x).
    #[ttlv(tag = PUBLIC_KEY_TEMPLATE_ATTRIBUTE)]
    pub public_key_template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ReKeyKeyPairResponse {
    /// A response with the fields that it must have.
    pub fn new(
        private_key_unique_identifier: impl Into<UniqueIdentifier>,
        public_key_unique_identifier: impl Into<UniqueIdentifier>,
    ) -> Self {
        Self {
            private_key_unique_identifier: private_key_unique_identifier.into(),
            public_key_unique_identifier: public_key_unique_identifier.into(),
            private_key_template_attribute: None,
            public_key_template_attribute: None,
            unknown: Vec::new(),
        }
    }
}
