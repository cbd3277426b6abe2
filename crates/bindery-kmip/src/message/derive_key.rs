//! Derive Key: operation 0x05 (KMIP 1.4, section 4.6; 2.1, section 6.1.14).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{DerivationMethod, ObjectType},
};

use super::{DerivationParameters, ObjectAttributes, TemplateAttribute, UniqueIdentifier};

/// A key or secret that is to be derived from others.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct DeriveKeyRequest {
    /// Symmetric Key or Secret Data.
    pub object_type: ObjectType,
    /// What it is derived from; the ID Placeholder when there is none.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// How.
    pub derivation_method: DerivationMethod,
    /// What the method needs.
    pub derivation_parameters: Box<DerivationParameters>,
    /// The attributes of the new object.
    #[ttlv(choice)]
    pub attributes: Option<ObjectAttributes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DeriveKeyRequest {
    /// A request with the fields that it must have.
    pub fn new(
        object_type: ObjectType,
        derivation_method: DerivationMethod,
        derivation_parameters: DerivationParameters,
    ) -> Self {
        Self {
            object_type,
            derivation_method,
            derivation_parameters: Box::new(derivation_parameters),
            unique_identifiers: Vec::new(),
            attributes: None,
            unknown: Vec::new(),
        }
    }
}

/// What was derived.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct DeriveKeyResponse {
    /// What the new object is called.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Attributes that the server set without being asked (1.x).
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DeriveKeyResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            template_attribute: None,
            unknown: Vec::new(),
        }
    }
}
