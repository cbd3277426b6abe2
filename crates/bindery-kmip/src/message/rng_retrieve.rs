//! RNG Retrieve: operation 0x25 (KMIP 1.4, section 4.35; 2.1, section 6.1.49).

use bindery_ttlv::{RawItem, Ttlv};

use crate::Secret;

/// Random octets that the client wants.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct RngRetrieveRequest {
    /// How many.
    #[ttlv(tag = DATA_LENGTH)]
    pub data_length: i32,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RngRetrieveRequest {
    /// A request with the fields that it must have.
    pub const fn new(data_length: i32) -> Self {
        Self { data_length, unknown: Vec::new() }
    }
}

/// The octets.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct RngRetrieveResponse {
    /// The octets.
    #[ttlv(tag = DATA)]
    pub data: Secret,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RngRetrieveResponse {
    /// A response with the fields that it must have.
    pub fn new(data: impl Into<Secret>) -> Self {
        Self { data: data.into(), unknown: Vec::new() }
    }
}
