//! Import: operation 0x2A (KMIP 1.4, section 4.41; 2.1, section 6.1.25).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{KeyWrapType, ObjectType},
};

use super::{Attribute, Attributes, ManagedObject, UniqueIdentifier};

/// An object of another server, with its identifier and attributes.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ImportRequest {
    /// What it is called.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Its type; required in 2.x, and not there in 1.4.
    pub object_type: Option<ObjectType>,
    /// Whether an object of that name gives way to it.
    #[ttlv(tag = REPLACE_EXISTING)]
    pub replace_existing: Option<bool>,
    /// Whether a wrapped key is to be unwrapped.
    pub key_wrap_type: Option<KeyWrapType>,
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

impl ImportRequest {
    /// A request with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>, object_type: ObjectType) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            object_type: Some(object_type),
            replace_existing: None,
            key_wrap_type: None,
            attributes: Vec::new(),
            attributes_2: None,
            object: None,
            unknown: Vec::new(),
        }
    }
}

/// The server has it.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ImportResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ImportResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), unknown: Vec::new() }
    }
}
