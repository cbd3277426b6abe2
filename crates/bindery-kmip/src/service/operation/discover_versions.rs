//! Discover Versions (KMIP 1.4, section 4.26).

use crate::{
    SERVER_VERSIONS,
    message::{DiscoverVersionsRequest, DiscoverVersionsResponse},
};

/// What both speak, in the server's order; all that the server speaks when the client names none.
pub(in crate::service) fn decide(request: &DiscoverVersionsRequest) -> DiscoverVersionsResponse {
    let named = |version: &bindery_ttlv::ProtocolVersion| {
        request.protocol_versions.is_empty() || request.protocol_versions.contains(version)
    };
    let protocol_versions = SERVER_VERSIONS.into_iter().filter(named).collect();
    DiscoverVersionsResponse { protocol_versions, ..DiscoverVersionsResponse::default() }
}
