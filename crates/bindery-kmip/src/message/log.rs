//! Log: operation 0x2C (KMIP 2.1, section 6.1.29).

use bindery_ttlv::{RawItem, Text, Ttlv};

/// A text for the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct LogRequest {
    /// The text.
    #[ttlv(tag = LOG_MESSAGE)]
    pub log_message: Text,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl LogRequest {
    /// A request with the fields that it must have.
    pub fn new(log_message: impl Into<Text>) -> Self {
        Self { log_message: log_message.into(), unknown: Vec::new() }
    }
}

/// It is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct LogResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
