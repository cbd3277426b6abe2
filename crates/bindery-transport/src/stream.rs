//! The byte stream under a connection, watched: what phase the connection is in, how long the
//! peer has taken nothing, how much went over it.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bindery_tls::BoxIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::{Counters, Limits};

/// What a server's connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first octet of the first request.
    Fresh,
    /// The rest of a request's header section.
    Header,
    /// The endpoint, the body or the response.
    Busy,
    /// The next request.
    Idle,
}

/// The state that a connection's stream, its service and its watchdog share. All three run in one
/// task; the atomics only make that sound.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    phase: AtomicU8,
    /// Microseconds from `start` to the last change of phase.
    since: AtomicU64,
    /// Written octets wait for the peer.
    blocked: AtomicBool,
    /// The peer has ended its side.
    ended: AtomicBool,
    /// Something that the peer sends will not be read.
    unread: AtomicBool,
    /// How many requests have come to the endpoint.
    requests: AtomicU64,
    /// The peer would not be taken any more: what of it is not here yet does not count.
    withdrawn: AtomicBool,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self::of_a_connection_since(Instant::now())
    }

    /// The state of a connection that is older than its HTTP.
    pub(crate) fn of_a_connection_since(start: Instant) -> Self {
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        Self {
            start,
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: AtomicU64::new(micros),
            blocked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            withdrawn: AtomicBool::new(false),
        }
    }

    pub(crate) fn withdraw(&self) {
        self.withdrawn.store(true, Relaxed);
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Relaxed)
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Header,
            2 => Phase::Busy,
            _ => Phase::Idle,
        }
    }

    pub(crate) fn since(&self) -> Instant {
        self.start + Duration::from_micros(self.since.load(Relaxed))
    }

    pub(crate) const fn start(&self) -> Instant {
        self.start
    }

    pub(crate) fn enter(&self, phase: Phase) {
        if phase == Phase::Busy {
            self.requests.fetch_add(1, Relaxed);
        }
        self.phase.store(phase as u8, Relaxed);
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.since.store(micros, Relaxed);
    }

    /// Whether nothing of a request has come and nothing of an answer is left to write.
    pub(crate) fn at_rest(&self) -> bool {
        matches!(self.phase(), Phase::Fresh | Phase::Idle) && !self.blocked.load(Relaxed)
    }

    /// Whether no head of a request has come whole that is not answered, and no answer is left to
    /// write. The body of a request whose head has come may still be on its way.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.phase() == Phase::Header || self.at_rest()
    }

    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Whether closing now would throw away what the peer sent, and with it our answer.
    pub(crate) fn needs_linger(&self) -> bool {
        self.unread.load(Relaxed) && !self.ended.load(Relaxed)
    }

    fn read(&self, octets: usize) {
        if octets == 0 {
            self.ended.store(true, Relaxed);
        } else if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            self.enter(Phase::Header);
        }
    }

    fn wrote(&self) {
        if self.blocked.swap(false, Relaxed) && self.phase() == Phase::Idle {
            // What was still written belongs to the last answer: only now the peer is idle.
            self.enter(Phase::Idle);
        }
    }
}

/// A server's connection under its HTTP engine.
pub(crate) struct Watched {
    io: BoxIo,
    pulse: Arc<Pulse>,
    counters: Arc<Counters>,
    patience: WritePatience,
    /// How long the answer to the request of this number has waited for the peer, in sum.
    waited: (u64, Duration),
    /// Runs while a write waits for the peer.
    waiting: Option<Waiting>,
}

/// What waiting for a peer to take an answer may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WritePatience {
    /// Without a single octet taken.
    stall: Duration,
    /// For one answer, in sum.
    total: Duration,
}

impl From<&Limits> for WritePatience {
    fn from(limits: &Limits) -> Self {
        Self { stall: limits.write_stall, total: limits.write }
    }
}

struct Waiting {
    since: Instant,
    limit: &'static str,
    alarm: Pin<Box<Sleep>>,
}

impl Watched {
    pub(crate) fn new(
        io: BoxIo,
        pulse: Arc<Pulse>,
        counters: Arc<Counters>,
        patience: WritePatience,
    ) -> Self {
        Self { io, pulse, counters, patience, waited: (0, Duration::ZERO), waiting: None }
    }

    pub(crate) fn into_inner(self) -> BoxIo {
        self.io
    }

    /// Passes a write's outcome on; one that waits gets a time limit.
    fn guard<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if let Some(waiting) = self.waiting.take() {
                self.waited.1 = self.waited.1.saturating_add(waiting.since.elapsed());
            }
            self.pulse.wrote();
            return outcome;
        }
        self.pulse.blocked.store(true, Relaxed);
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            none => none.insert(Self::wait(&self.pulse, self.patience, &mut self.waited)),
        };
        ready!(waiting.alarm.as_mut().poll(cx));
        self.counters.timeout(waiting.limit);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes no octets")))
    }

    /// Begins to wait, for as long as the limits allow for this answer.
    fn wait(pulse: &Pulse, patience: WritePatience, waited: &mut (u64, Duration)) -> Waiting {
        let request = pulse.requests.load(Relaxed);
        if waited.0 != request {
            *waited = (request, Duration::ZERO);
        }
        let left = patience.total.saturating_sub(waited.1);
        let (span, limit) =
            if left < patience.stall { (left, "write") } else { (patience.stall, "write-stall") };
        Waiting { since: Instant::now(), limit, alarm: Box::pin(sleep(span)) }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let octets = buf.filled().len() - before;
        self.pulse.read(octets);
        self.counters.read(octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, octets);
        if let Poll::Ready(Ok(written)) = outcome {
            self.counters.wrote(written);
        }
        self.guard(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(written)) = outcome {
            self.counters.wrote(written);
        }
        self.guard(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.guard(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(cx);
        self.guard(cx, outcome)
    }
}
