//! Set Defaults: operation 0x36 (KMIP 2.1, section 6.1.53).

use bindery_ttlv::{RawItem, Ttlv};

use super::DefaultsInformation;

/// Attributes that new objects are to have where the client says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct SetDefaultsRequest {
    /// The defaults; none any more when absent.
    pub defaults_information: Option<DefaultsInformation>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// They will.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct SetDefaultsResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
