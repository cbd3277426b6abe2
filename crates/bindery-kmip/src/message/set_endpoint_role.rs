//! Set Endpoint Role: operation 0x32 (KMIP 2.1, section 6.2.5).

use bindery_ttlv::{RawItem, Ttlv, registry::EndpointRole};

/// Who is the client and who the server from now on.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct SetEndpointRoleRequest {
    /// What the sender becomes.
    pub endpoint_role: EndpointRole,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SetEndpointRoleRequest {
    /// A request with the fields that it must have.
    pub const fn new(endpoint_role: EndpointRole) -> Self {
        Self { endpoint_role, unknown: Vec::new() }
    }
}

/// Agreed.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct SetEndpointRoleResponse {
    /// What the sender of the request is now.
    pub endpoint_role: EndpointRole,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SetEndpointRoleResponse {
    /// A response with the fields that it must have.
    pub const fn new(endpoint_role: EndpointRole) -> Self {
        Self { endpoint_role, unknown: Vec::new() }
    }
}
