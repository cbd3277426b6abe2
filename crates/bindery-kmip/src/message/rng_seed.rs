//! RNG Seed: operation 0x26 (KMIP 1.4, section 4.36; 2.1, section 6.1.50).

use bindery_ttlv::{RawItem, Ttlv};

use crate::Secret;

/// Octets for the server's random number generator.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct RngSeedRequest {
    /// The octets.
    #[ttlv(tag = DATA)]
    pub data: Secret,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RngSeedRequest {
    /// A request with the fields that it must have.
    pub fn new(data: impl Into<Secret>) -> Self {
        Self { data: data.into(), unknown: Vec::new() }
    }
}

/// How many of them it took.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct RngSeedResponse {
    /// How many.
    #[ttlv(tag = DATA_LENGTH)]
    pub data_length: i32,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RngSeedResponse {
    /// A response with the fields that it must have.
    pub const fn new(data_length: i32) -> Self {
        Self { data_length, unknown: Vec::new() }
    }
}
