//! Interop: operation 0x34 (KMIP 2.1, section 6.1.26).

use bindery_ttlv::{RawItem, Text, Ttlv, registry::InteropFunction};

/// Where a test begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct InteropRequest {
    /// Whether it begins or ends, or the server is to begin anew.
    pub interop_function: InteropFunction,
    /// The test's name.
    #[ttlv(tag = INTEROP_IDENTIFIER)]
    pub interop_identifier: Option<Text>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl InteropRequest {
    /// A request with the fields that it must have.
    pub const fn new(interop_function: InteropFunction) -> Self {
        Self { interop_function, interop_identifier: None, unknown: Vec::new() }
    }
}

/// The server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct InteropResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
