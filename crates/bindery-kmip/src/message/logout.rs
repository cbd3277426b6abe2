//! Logout: operation 0x2E (KMIP 2.1, section 6.1.31).

use bindery_ttlv::{RawItem, Ttlv};

use super::Ticket;

/// A ticket that is not needed any more.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct LogoutRequest {
    /// The ticket.
    pub ticket: Ticket,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl LogoutRequest {
    /// A request with the fields that it must have.
    pub const fn new(ticket: Ticket) -> Self {
        Self { ticket, unknown: Vec::new() }
    }
}

/// It is worth nothing now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct LogoutResponse {
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
