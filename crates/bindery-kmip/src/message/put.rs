//! Put: operation 0x1C (KMIP 1.4, section 5.2; 2.1, section 6.2.3).

use bindery_ttlv::{RawItem, Ttlv, registry::PutFunction};

use super::{Attribute, Attributes, ManagedObject, UniqueIdentifier};

/// An object that the server gives to the client.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct PutRequest {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Whether it is new or takes the place of another one.
    pub put_function: PutFunction,
    /// The object whose place it takes.
    #[ttlv(tag = REPLACED_UNIQUE_IDENTIFIER)]
    pub replaced_unique_identifier: Option<UniqueIdentifier>,
    /// The object itself.
    #[ttlv(choice)]
    pub object: ManagedObject,
    /// The attributes (1.x).
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// The attributes (2.x).
    pub attributes_2: Option<Attributes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl PutRequest {
    /// A request with the fields that it must have.
    pub fn new(
        unique_identifier: impl Into<UniqueIdentifier>,
        put_function: PutFunction,
        object: ManagedObject,
    ) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            put_function,
            object,
            replaced_unique_identifier: None,
            attributes: Vec::new(),
            attributes_2: None,
            unknown: Vec::new(),
        }
    }
}

/// The client has it. It answers without a payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct PutResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
