//! What a peer may take: times, sizes and counts.

use std::{num::NonZeroUsize, time::Duration};

/// The limits of a [`Server`](crate::Server). The defaults suit a service on an open network.
///
/// The limit of a request's body is not here: it is the profile's
/// ([`Profile::request_body_limit`](bindery_core::Profile)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once, over all listeners; 1024. At the cap no further connection is served:
    /// it waits, in the kernel's backlog but for one of each listener, until another one ends,
    /// which each does within the limits below.
    pub connections: NonZeroUsize,
    /// Connections at once from one address; 256, so that one address cannot take all of
    /// [`Limits::connections`] with connections that say nothing. A connection above it is closed
    /// at once. Raise it, or set it to `None`, where many clients share an address: behind a
    /// balancer or NAT.
    pub connections_per_address: Option<NonZeroUsize>,
    /// From accepting a connection to the end of its TLS handshake; 10 s.
    pub handshake: Duration,
    /// From a request's first octet to the end of its header section; for the first request from
    /// the moment the connection is ready; 15 s.
    pub header: Duration,
    /// Without an octet between two requests; 60 s. Answering takes no part in it.
    pub idle: Duration,
    /// Waiting for one request's body, in sum; 60 s.
    pub body: Duration,
    /// The slowest body that is waited for, in octets a second, once [`Limits::body_grace`] is
    /// over; 512. 0 leaves only [`Limits::body`].
    pub body_rate: u64,
    /// How long a body may be waited for before its rate counts; 5 s.
    pub body_grace: Duration,
    /// From the end of a request's header section to the head of its response, body and handler
    /// included; 120 s. What takes longer is cancelled and answered with the status of
    /// [`Refusal::Overloaded`](bindery_core::Refusal::Overloaded). That answer does not mean "not
    /// done": the handler may have acted, and have been dropped before it could say so. A client
    /// looks before it sends the request again.
    pub request: Duration,
    /// Without the peer taking a single octet of a response; 30 s.
    pub write_stall: Duration,
    /// Waiting for the peer to take one response, in sum; 5 min. It ends a peer that takes an
    /// octet now and then only to keep the response in memory and its connection open. Raise it
    /// where responses are long and links slow: 64 MiB in 5 min are 1.8 Mbit/s.
    pub write: Duration,
    /// A connection's age at which it takes no further request; 1 h. A request under way may end,
    /// for [`Limits::request`] at most.
    pub age: Duration,
    /// A request's target, in octets; 8 KiB. Above 65,534 octets the HTTP engine refuses by
    /// itself.
    pub target: usize,
    /// A request's header fields, names and values and 4 octets each, in octets; 32 KiB.
    pub header_octets: usize,
    /// The number of a request's header fields; 100.
    pub header_count: usize,
    /// How long, and for how many octets, a closed connection is still read so that the peer gets
    /// the answer rather than a reset; 2 s.
    pub linger: Duration,
    /// See [`Limits::linger`]; 1 MiB.
    pub linger_octets: u64,
    /// After the signal to stop: how long requests under way may take before they are aborted;
    /// 30 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::MIN.saturating_add(1023),
            connections_per_address: Some(NonZeroUsize::MIN.saturating_add(255)),
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            body: Duration::from_secs(60),
            body_rate: 512,
            body_grace: Duration::from_secs(5),
            request: Duration::from_secs(120),
            write_stall: Duration::from_secs(30),
            write: Duration::from_secs(300),
            age: Duration::from_secs(3600),
            target: 8 << 10,
            header_octets: 32 << 10,
            header_count: 100,
            linger: Duration::from_secs(2),
            linger_octets: 1 << 20,
            drain: Duration::from_secs(30),
        }
    }
}

/// The limits of a [`Client`](crate::Client).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientLimits {
    /// Resolving the name and connecting, over all of its addresses; 10 s.
    pub connect: Duration,
    /// The TLS handshake; 10 s.
    pub handshake: Duration,
    /// From having the connection to the head of the response; 60 s.
    pub response: Duration,
    /// The whole of one exchange: connecting, handshake, request, response with its body; 120 s.
    pub total: Duration,
    /// A kept connection that was idle for longer is not used again but opened anew; 30 s. Keep
    /// it under the server's own limit.
    pub idle: Duration,
    /// A response's header section, in octets; 32 KiB.
    pub header_octets: usize,
    /// The number of a response's header fields; 100.
    pub header_count: usize,
    /// A response's body, in octets, after its content coding was undone; 1 MiB. Set it from
    /// [`Profile::response_body_limit`](bindery_core::Profile).
    pub response_body: u64,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            response: Duration::from_secs(60),
            total: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            header_octets: 32 << 10,
            header_count: 100,
            response_body: 1 << 20,
        }
    }
}
