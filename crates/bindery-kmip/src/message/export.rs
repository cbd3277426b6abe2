//! Export: operation 0x2B (KMIP 1.4, section 4.40; 2.1, section 6.1.18).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType},
};

use super::{Attribute, Attributes, KeyWrappingSpecification, ManagedObject, UniqueIdentifier};

/// An object that another server is to get, with its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ExportRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The form of the key.
    pub key_format_type: Option<KeyFormatType>,
    /// Whether a wrapped key is to come as it was registered.
    pub key_wrap_type: Option<KeyWrapType>,
    /// The form of an elliptic curve's public key.
    pub key_compression_type: Option<KeyCompressionType>,
    /// How the key is to be wrapped.
    pub key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ExportRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The object.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ExportResponse {
    /// Its type.
    pub object_type: ObjectType,
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The attributes (1.x).
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// The attributes (2.x).
    pub attributes_2: Option<Attributes>,
    /// The object; absent for one that is destroyed.
    #[ttlv(choice)]
    pub object: Option<ManagedObject>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ExportResponse {
    /// A response with the fields that it must have.
    pub fn new(object_type: ObjectType, unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            object_type,
            unique_identifier: unique_identifier.into(),
            attributes: Vec::new(),
            attributes_2: None,
            object: None,
            unknown: Vec::new(),
        }
    }
}
