//! Get: operation 0x0A (KMIP 1.4, section 4.11).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType},
};

use super::{KeyWrappingSpecification, ManagedObject, UniqueIdentifier};

/// Which object, and in which form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct GetRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The form of the key.
    pub key_format_type: Option<KeyFormatType>,
    /// Whether a wrapped key is to come as it was registered (1.4).
    pub key_wrap_type: Option<KeyWrapType>,
    /// The form of an elliptic curve's public key.
    pub key_compression_type: Option<KeyCompressionType>,
    /// How the key is to be wrapped.
    pub key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetRequest {
    /// A request for an object in the form that the server has it in.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The object.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct GetResponse {
    /// Its type.
    pub object_type: ObjectType,
    /// Its name.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The object itself.
    #[ttlv(choice)]
    pub object: ManagedObject,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetResponse {
    /// A response from the Unique Identifier and the object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>, object: ManagedObject) -> Self {
        Self {
            object_type: object.object_type(),
            unique_identifier: unique_identifier.into(),
            object,
            unknown: Vec::new(),
        }
    }
}
