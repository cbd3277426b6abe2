//! Cancel: operation 0x19 (KMIP 1.4, section 4.27; 2.1, section 6.1.5).

use bindery_ttlv::{RawItem, Ttlv, registry::CancellationResult};
use bytes::Bytes;

/// An operation under way that is to be given up.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CancelRequest {
    /// What the server called the operation.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Bytes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CancelRequest {
    /// A request with the fields that it must have.
    pub fn new(asynchronous_correlation_value: impl Into<Bytes>) -> Self {
        Self {
            asynchronous_correlation_value: asynchronous_correlation_value.into(),
            unknown: Vec::new(),
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct CancelResponse {
    /// What the server called the operation.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Bytes,
    /// Whether it was given up.
    pub cancellation_result: CancellationResult,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CancelResponse {
    /// A response with the fields that it must have.
    pub fn new(
        asynchronous_correlation_value: impl Into<Bytes>,
        cancellation_result: CancellationResult,
    ) -> Self {
        Self {
            asynchronous_correlation_value: asynchronous_correlation_value.into(),
            cancellation_result,
            unknown: Vec::new(),
        }
    }
}
