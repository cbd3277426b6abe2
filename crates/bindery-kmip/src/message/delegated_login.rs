//! Delegated Login: operation 0x2F (KMIP 2.1, section 6.1.12).

use bindery_ttlv::{RawItem, RawValue, Ttlv};

use super::{Rights, Ticket, UsageLimits};

/// A ticket for somebody else, with less than the client may do.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct DelegatedLoginRequest {
    /// For how long, or until when: an Interval or a Date-Time.
    #[ttlv(tag = LEASE_TIME)]
    pub lease_time: Option<RawValue>,
    /// For how many requests.
    #[ttlv(tag = REQUEST_COUNT)]
    pub request_count: Option<i32>,
    /// For how many uses.
    pub usage_limits: Option<Box<UsageLimits>>,
    /// What its holder may do.
    pub rights: Rights,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DelegatedLoginRequest {
    /// A request with the fields that it must have.
    pub const fn new(rights: Rights) -> Self {
        Self {
            rights,
            lease_time: None,
            request_count: None,
            usage_limits: None,
            unknown: Vec::new(),
        }
    }
}

/// The ticket.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct DelegatedLoginResponse {
    /// The ticket.
    pub ticket: Ticket,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl DelegatedLoginResponse {
    /// A response with the fields that it must have.
    pub const fn new(ticket: Ticket) -> Self {
        Self { ticket, unknown: Vec::new() }
    }
}
