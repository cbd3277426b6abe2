//! Query Asynchronous Requests: operation 0x39 (KMIP 2.1, section 6.1.41).

use bindery_ttlv::{RawItem, Ttlv};

use super::{AsynchronousCorrelationValues, AsynchronousRequest, Operations};

/// Operations under way that the client asks about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct QueryAsynchronousRequestsRequest {
    /// Which; all when absent.
    pub asynchronous_correlation_values: Option<AsynchronousCorrelationValues>,
    /// Only these operations; all when absent.
    pub operations: Option<Operations>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// What is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct QueryAsynchronousRequestsResponse {
    /// Each operation.
    #[ttlv(tag = ASYNCHRONOUS_REQUEST)]
    pub asynchronous_requests: Vec<AsynchronousRequest>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
