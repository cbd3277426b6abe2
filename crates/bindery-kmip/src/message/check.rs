//! Check: operation 0x09 (KMIP 1.4, section 4.10; 2.1, section 6.1.7).

use bindery_ttlv::{Interval, RawItem, Ttlv, registry::CryptographicUsageMask};

use super::UniqueIdentifier;

/// What the client wants to do with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CheckRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How much of it.
    #[ttlv(tag = USAGE_LIMITS_COUNT)]
    pub usage_limits_count: Option<i64>,
    /// For which uses.
    pub cryptographic_usage_mask: Option<CryptographicUsageMask>,
    /// For how long.
    #[ttlv(tag = LEASE_TIME)]
    pub lease_time: Option<Interval>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CheckRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// What of that the policy does not allow; nothing but the identifier when it allows all.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct CheckResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// How much is left.
    #[ttlv(tag = USAGE_LIMITS_COUNT)]
    pub usage_limits_count: Option<i64>,
    /// The uses that are not allowed.
    pub cryptographic_usage_mask: Option<CryptographicUsageMask>,
    /// The longest lease.
    #[ttlv(tag = LEASE_TIME)]
    pub lease_time: Option<Interval>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CheckResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            usage_limits_count: None,
            cryptographic_usage_mask: None,
            lease_time: None,
            unknown: Vec::new(),
        }
    }
}
