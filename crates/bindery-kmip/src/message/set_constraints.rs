//! Set Constraints: operation 0x37 (KMIP 2.1, section 6.1.52).

use bindery_ttlv::{RawItem, Ttlv};

use super::Constraints;

/// Rules that objects are to keep.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct SetConstraintsRequest {
    /// The rules.
    pub constraints: Constraints,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SetConstraintsRequest {
    /// A request with the fields that it must have.
    pub const fn new(constraints: Constraints) -> Self {
        Self { constraints, unknown: Vec::new() }
    }
}

/// They are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct SetConstraintsResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
