//! Get Constraints: operation 0x38 (KMIP 2.1, section 6.1.22).

use bindery_ttlv::{RawItem, Ttlv};

use super::Constraints;

/// The rules in force that the client wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct GetConstraintsRequest {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct GetConstraintsResponse {
    /// The rules.
    pub constraints: Constraints,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetConstraintsResponse {
    /// A response with the fields that it must have.
    pub const fn new(constraints: Constraints) -> Self {
        Self { constraints, unknown: Vec::new() }
    }
}
