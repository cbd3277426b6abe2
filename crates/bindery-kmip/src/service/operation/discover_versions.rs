//! Discover Versions (KMIP 1.4, section 4.26).

use bindery_ttlv::ProtocolVersion;

use crate::message::{DiscoverVersionsRequest, DiscoverVersionsResponse};

/// The versions that this server speaks, the newest first.
pub(in crate::service) const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::V1_4,
    ProtocolVersion::V1_3,
    ProtocolVersion::V1_2,
    ProtocolVersion::V1_1,
    ProtocolVersion::V1_0,
];

/// What both speak, in the server's order; all that the server speaks when the client names none.
pub(in crate::service) fn decide(request: &DiscoverVersionsRequest) -> DiscoverVersionsResponse {
    let named = |version: &ProtocolVersion| {
        request.protocol_versions.is_empty() || request.protocol_versions.contains(version)
    };
    let mut response = DiscoverVersionsResponse::default();
    response.protocol_versions = VERSIONS.into_iter().filter(named).collect();
    response
}
