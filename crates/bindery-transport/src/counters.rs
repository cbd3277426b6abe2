//! What has happened, in numbers.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bindery_core::Fault;
use http::StatusCode;

/// The counters of one or several servers. All but the current connections only ever grow.
///
/// Reading them takes no lock that serving a request waits for, but for the counts by reason.
#[derive(Debug)]
pub struct Counters {
    connections: AtomicU64,
    connections_open: AtomicU64,
    connections_refused: AtomicU64,
    handshakes: AtomicU64,
    handshakes_failed: Mutex<BTreeMap<&'static str, u64>>,
    withdrawn: Mutex<BTreeMap<&'static str, u64>>,
    upgrades: AtomicU64,
    tunnels: AtomicU64,
    tunnel_octets: AtomicU64,
    accept_errors: AtomicU64,
    requests: [AtomicU64; STATUSES],
    messages: AtomicU64,
    requests_cancelled: AtomicU64,
    request_micros: AtomicU64,
    refusals: Mutex<BTreeMap<Fault, u64>>,
    malformed: AtomicU64,
    panics: AtomicU64,
    timeouts: Mutex<BTreeMap<&'static str, u64>>,
    octets_in: AtomicU64,
    octets_out: AtomicU64,
}

/// Status codes from 100 to 599.
const STATUSES: usize = 500;

/// The values of [`Counters`] at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Connections accepted.
    pub connections: u64,
    /// Connections open now, handshakes included.
    pub connections_open: u64,
    /// Connections closed at once because their address had too many.
    pub connections_refused: u64,
    /// TLS handshakes that succeeded.
    pub handshakes: u64,
    /// TLS handshakes that failed, by reason.
    pub handshakes_failed: BTreeMap<&'static str, u64>,
    /// Connections closed because their client's certificate or key did not hold any more after a
    /// reload, by reason.
    pub withdrawn: BTreeMap<&'static str, u64>,
    /// Connections that went from clear to TLS: answers 101.
    pub upgrades: u64,
    /// Tunnels opened.
    pub tunnels: u64,
    /// Octets that went through tunnels, in both directions.
    pub tunnel_octets: u64,
    /// Errors of accepting a connection (out of descriptors and the like).
    pub accept_errors: u64,
    /// Requests answered, by status. Those whose head could not be read are in
    /// [`Snapshot::malformed`] instead.
    pub requests: BTreeMap<u16, u64>,
    /// Messages answered without HTTP. Refused ones are in [`Snapshot::refusals`] only.
    pub messages: u64,
    /// Requests given up because their connection ended before the answer.
    pub requests_cancelled: u64,
    /// The time spent on answered requests and messages, from head to head, in microseconds.
    pub request_micros: u64,
    /// Refusals, by fault.
    pub refusals: BTreeMap<Fault, u64>,
    /// Connections that ended because a request's head, or the framing of its body, was not HTTP.
    pub malformed: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Connections closed because a time limit passed, by limit.
    pub timeouts: BTreeMap<&'static str, u64>,
    /// Octets of HTTP read, within TLS.
    pub octets_in: u64,
    /// Octets of HTTP written, within TLS.
    pub octets_out: u64,
}

impl Counters {
    /// All at zero.
    pub fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            connections_open: AtomicU64::new(0),
            connections_refused: AtomicU64::new(0),
            handshakes: AtomicU64::new(0),
            handshakes_failed: Mutex::default(),
            withdrawn: Mutex::default(),
            upgrades: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
            tunnel_octets: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            requests: [const { AtomicU64::new(0) }; STATUSES],
            messages: AtomicU64::new(0),
            requests_cancelled: AtomicU64::new(0),
            request_micros: AtomicU64::new(0),
            refusals: Mutex::default(),
            malformed: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            timeouts: Mutex::default(),
            octets_in: AtomicU64::new(0),
            octets_out: AtomicU64::new(0),
        }
    }

    /// The values now. They are read one after another, not at one instant.
    pub fn snapshot(&self) -> Snapshot {
        let requests = (100..).zip(&self.requests).filter_map(|(status, count)| {
            let count = count.load(Relaxed);
            (count > 0).then_some((status, count))
        });
        Snapshot {
            connections: self.connections.load(Relaxed),
            connections_open: self.connections_open.load(Relaxed),
            connections_refused: self.connections_refused.load(Relaxed),
            handshakes: self.handshakes.load(Relaxed),
            handshakes_failed: copy(&self.handshakes_failed),
            withdrawn: copy(&self.withdrawn),
            upgrades: self.upgrades.load(Relaxed),
            tunnels: self.tunnels.load(Relaxed),
            tunnel_octets: self.tunnel_octets.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            requests: requests.collect(),
            messages: self.messages.load(Relaxed),
            requests_cancelled: self.requests_cancelled.load(Relaxed),
            request_micros: self.request_micros.load(Relaxed),
            refusals: copy(&self.refusals),
            malformed: self.malformed.load(Relaxed),
            panics: self.panics.load(Relaxed),
            timeouts: copy(&self.timeouts),
            octets_in: self.octets_in.load(Relaxed),
            octets_out: self.octets_out.load(Relaxed),
        }
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.fetch_add(1, Relaxed);
        self.connections_open.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections_open.fetch_sub(1, Relaxed);
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn handshake(&self) {
        self.handshakes.fetch_add(1, Relaxed);
    }

    pub(crate) fn handshake_failed(&self, reason: &'static str) {
        add(&self.handshakes_failed, reason);
    }

    pub(crate) fn withdrawn(&self, reason: &'static str) {
        add(&self.withdrawn, reason);
    }

    pub(crate) fn upgrade(&self) {
        self.upgrades.fetch_add(1, Relaxed);
    }

    pub(crate) fn tunnel(&self) {
        self.tunnels.fetch_add(1, Relaxed);
    }

    pub(crate) fn tunnelled(&self, octets: usize) {
        self.tunnel_octets.fetch_add(octets as u64, Relaxed);
    }

    pub(crate) fn accept_error(&self) {
        self.accept_errors.fetch_add(1, Relaxed);
    }

    pub(crate) fn request(&self, status: StatusCode, micros: u64) {
        let index = usize::from(status.as_u16().saturating_sub(100));
        if let Some(count) = self.requests.get(index) {
            count.fetch_add(1, Relaxed);
        }
        self.request_micros.fetch_add(micros, Relaxed);
    }

    pub(crate) fn message(&self, micros: u64) {
        self.messages.fetch_add(1, Relaxed);
        self.request_micros.fetch_add(micros, Relaxed);
    }

    pub(crate) fn request_cancelled(&self) {
        self.requests_cancelled.fetch_add(1, Relaxed);
    }

    pub(crate) fn refusal(&self, fault: Fault) {
        add(&self.refusals, fault);
    }

    pub(crate) fn malformed(&self) {
        self.malformed.fetch_add(1, Relaxed);
    }

    pub(crate) fn panic(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(crate) fn timeout(&self, limit: &'static str) {
        add(&self.timeouts, limit);
    }

    pub(crate) fn read(&self, octets: usize) {
        self.octets_in.fetch_add(octets as u64, Relaxed);
    }

    pub(crate) fn wrote(&self, octets: usize) {
        self.octets_out.fetch_add(octets as u64, Relaxed);
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

fn add<K: Ord>(counts: &Mutex<BTreeMap<K, u64>>, key: K) {
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
}

fn copy<K: Ord + Copy>(counts: &Mutex<BTreeMap<K, u64>>) -> BTreeMap<K, u64> {
    counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
