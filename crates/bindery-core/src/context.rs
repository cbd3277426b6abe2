//! What a message itself cannot say: channel, peer, account, time.

use crate::{Peer, Principal, Timestamp, TlsInfo};
use std::sync::Arc;

/// The channel that a message came or goes over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channel {
    /// No TLS.
    Clear,
    /// TLS, and what its handshake settled.
    Tls(Arc<TlsInfo>),
}

impl Channel {
    /// Whether the channel is protected by TLS.
    pub const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// What the handshake settled; `None` in clear.
    pub fn tls(&self) -> Option<&TlsInfo> {
        match self {
            Self::Tls(info) => Some(info),
            Self::Clear => None,
        }
    }
}

/// What stands beside a message: how it came, from whom, and when.
///
/// There is no default: a request whose peer is not known is refused by the server and is never
/// taken for an anonymous one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// Clear or TLS, and which.
    pub channel: Channel,
    /// Who is on the other end.
    pub peer: Peer,
    /// The account that the peer was mapped to; `None` for an unidentified peer.
    pub principal: Option<Principal>,
    /// The time at which the message is judged.
    pub now: Timestamp,
}

impl Context {
    /// A context for an unidentified peer; set [`Context::principal`] for an identified one.
    pub fn new(channel: Channel, peer: Peer, now: Timestamp) -> Self {
        Self { channel, peer, principal: None, now }
    }

    /// The same context with the account that the peer was mapped to.
    #[must_use]
    pub fn with_principal(mut self, principal: Option<Principal>) -> Self {
        self.principal = principal;
        self
    }
}
