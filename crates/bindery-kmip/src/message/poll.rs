//! Poll: operation 0x1A (KMIP 1.4, section 4.28; 2.1, section 6.1.38).

use bindery_ttlv::{RawItem, Ttlv};
use bytes::Bytes;

/// An operation under way whose outcome the client wants.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct PollRequest {
    /// What the server called the operation.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Bytes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl PollRequest {
    /// A request with the fields that it must have.
    pub fn new(asynchronous_correlation_value: impl Into<Bytes>) -> Self {
        Self {
            asynchronous_correlation_value: asynchronous_correlation_value.into(),
            unknown: Vec::new(),
        }
    }
}

/// What a server answers that has nothing to say yet; a finished operation is answered as itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct PollResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
