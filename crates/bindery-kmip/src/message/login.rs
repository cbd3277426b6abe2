//! Login: operation 0x2D (KMIP 2.1, section 6.1.30).

use bindery_ttlv::{RawItem, RawValue, Ttlv};

use super::{Ticket, UsageLimits};

/// A ticket that is to stand for the client's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct LoginRequest {
    /// For how long, or until when: an Interval or a Date-Time.
    #[ttlv(tag = LEASE_TIME)]
    pub lease_time: Option<RawValue>,
    /// For how many requests.
    #[ttlv(tag = REQUEST_COUNT)]
    pub request_count: Option<i32>,
    /// For how many uses.
    pub usage_limits: Option<Box<UsageLimits>>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// The ticket.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct LoginResponse {
    /// The ticket.
    pub ticket: Ticket,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl LoginResponse {
    /// A response with the fields that it must have.
    pub const fn new(ticket: Ticket) -> Self {
        Self { ticket, unknown: Vec::new() }
    }
}
