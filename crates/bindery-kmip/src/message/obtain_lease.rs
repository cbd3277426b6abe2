//! Obtain Lease: operation 0x10 (KMIP 1.4, section 4.17; 2.1, section 6.1.35).

use bindery_ttlv::{DateTime, Interval, RawItem, Ttlv};

use super::UniqueIdentifier;

/// An object that the client wants to go on using.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ObtainLeaseRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ObtainLeaseRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// For how long it may.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ObtainLeaseResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// For how long.
    #[ttlv(tag = LEASE_TIME)]
    pub lease_time: Interval,
    /// When the object was changed last.
    #[ttlv(tag = LAST_CHANGE_DATE)]
    pub last_change_date: DateTime,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ObtainLeaseResponse {
    /// A response with the fields that it must have.
    pub fn new(
        unique_identifier: impl Into<UniqueIdentifier>,
        lease_time: Interval,
        last_change_date: DateTime,
    ) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            lease_time,
            last_change_date,
            unknown: Vec::new(),
        }
    }
}
