//! Locate: operation 0x08 (KMIP 1.4, section 4.9).

use bindery_ttlv::{
    RawItem, Ttlv,
    registry::{ObjectGroupMember, StorageStatusMask},
};

use super::{Attribute, AttributeValue, Attributes, UniqueIdentifier};

/// What objects are looked for: those that have all the attributes; all of them without any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct LocateRequest {
    /// How many identifiers to return at most.
    #[ttlv(tag = MAXIMUM_ITEMS)]
    pub maximum_items: Option<i32>,
    /// How many to skip (1.3).
    #[ttlv(tag = OFFSET_ITEMS)]
    pub offset_items: Option<i32>,
    /// On-line or archived objects or both; on-line ones when absent.
    pub storage_status_mask: Option<StorageStatusMask>,
    /// The fresh or the default object of a group (1.1).
    pub object_group_member: Option<ObjectGroupMember>,
    /// What the objects must have. A structure may leave out fields; it is then an
    /// [`AttributeValue::Other`].
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// The same in the form of 2.x.
    pub attributes_2: Option<Attributes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl LocateRequest {
    /// A request for the objects that have all these attributes.
    pub fn new(attributes: impl IntoIterator<Item = AttributeValue>) -> Self {
        let attributes = attributes.into_iter().map(Attribute::new).collect();
        Self { attributes, ..Self::default() }
    }
}

/// The objects that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct LocateResponse {
    /// How many there are, Offset Items and Maximum Items aside (1.3).
    #[ttlv(tag = LOCATED_ITEMS)]
    pub located_items: Option<i32>,
    /// Their Unique Identifiers.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl LocateResponse {
    /// A response with these identifiers.
    pub const fn new(unique_identifiers: Vec<UniqueIdentifier>) -> Self {
        Self { located_items: None, unique_identifiers, unknown: Vec::new() }
    }
}
