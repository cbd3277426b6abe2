//! Get Usage Allocation: operation 0x11 (KMIP 1.4, section 4.18; 2.1, section 6.1.23).

use bindery_ttlv::{RawItem, Ttlv};

use super::UniqueIdentifier;

/// A share of an object's Usage Limits.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct GetUsageAllocationRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How much.
    #[ttlv(tag = USAGE_LIMITS_COUNT)]
    pub usage_limits_count: i64,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetUsageAllocationRequest {
    /// A request with the fields that it must have.
    pub const fn new(usage_limits_count: i64) -> Self {
        Self { usage_limits_count, unique_identifier: None, unknown: Vec::new() }
    }
}

/// The share is the client's.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct GetUsageAllocationResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetUsageAllocationResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), unknown: Vec::new() }
    }
}
