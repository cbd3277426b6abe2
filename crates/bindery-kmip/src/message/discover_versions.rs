//! Discover Versions: operation 0x1E, since KMIP 1.1 (KMIP 1.4, section 4.26).

use bindery_ttlv::{ProtocolVersion, RawItem, Ttlv};

/// The versions that the client speaks, the one it likes best first; none to ask for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct DiscoverVersionsRequest {
    /// The versions.
    #[ttlv(tag = PROTOCOL_VERSION)]
    pub protocol_versions: Vec<ProtocolVersion>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DiscoverVersionsRequest {
    /// A request that names these versions.
    pub fn new(protocol_versions: impl Into<Vec<ProtocolVersion>>) -> Self {
        Self { protocol_versions: protocol_versions.into(), unknown: Vec::new() }
    }
}

/// The versions that both speak, the one that the server likes best first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct DiscoverVersionsResponse {
    /// The versions.
    #[ttlv(tag = PROTOCOL_VERSION)]
    pub protocol_versions: Vec<ProtocolVersion>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DiscoverVersionsResponse {
    /// A response that names these versions.
    pub fn new(protocol_versions: impl Into<Vec<ProtocolVersion>>) -> Self {
        Self { protocol_versions: protocol_versions.into(), unknown: Vec::new() }
    }
}
