//! Process: operation 0x3A (KMIP 2.1, section 6.1.39).

use bindery_ttlv::{RawItem, Ttlv};
use bytes::Bytes;

/// An operation under way that the client now waits for.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ProcessRequest {
    /// What the server called the operation.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Bytes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ProcessRequest {
    /// A request with the fields that it must have.
    pub fn new(asynchronous_correlation_value: impl Into<Bytes>) -> Self {
        Self {
            asynchronous_correlation_value: asynchronous_correlation_value.into(),
            unknown: Vec::new(),
        }
    }
}

/// It will be done by the next Poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ProcessResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
