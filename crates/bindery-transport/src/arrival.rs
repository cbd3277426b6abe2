//! A request's body on its way in: how long it may be waited for, and what became of it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bindery_core::BodyError;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::{Limits, stream::Pulse};

/// What became of a body; shared by the body and who answers the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    whole: AtomicBool,
    received: AtomicU64,
}

impl Fate {
    /// Whether it was read to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.whole.load(Relaxed)
    }

    /// How many octets of it were read.
    pub(crate) fn received(&self) -> u64 {
        self.0.received.load(Relaxed)
    }

    pub(crate) fn whole(&self) {
        self.0.whole.store(true, Relaxed);
    }
}

/// What waiting for a body may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    total: Duration,
    grace: Duration,
    rate: u64,
}

impl From<&Limits> for Patience {
    fn from(limits: &Limits) -> Self {
        Self { total: limits.body, grace: limits.body_grace, rate: limits.body_rate }
    }
}

impl Patience {
    /// How long may have been waited in sum when so much has come, and which limit says so.
    pub(crate) fn allows(&self, received: u64) -> (Duration, &'static str) {
        let by_rate = received
            .saturating_mul(1000)
            .checked_div(self.rate)
            .map(|millis| self.grace.saturating_add(Duration::from_millis(millis)));
        match by_rate {
            Some(by_rate) if by_rate < self.total => {
                (by_rate, "it came more slowly than the server's lowest rate")
            }
            _ => (self.total, "the server's limit for a whole body passed"),
        }
    }
}

/// A body with time limits. Only time spent waiting for the peer counts, not the time in which
/// nobody asked for more.
pub(crate) struct Arrival<B = Incoming> {
    body: B,
    fate: Fate,
    pulse: Arc<Pulse>,
    patience: Patience,
    received: u64,
    waited: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    limit: &'static str,
    alarm: Pin<Box<Sleep>>,
}

impl<B> Arrival<B> {
    pub(crate) const fn new(body: B, fate: Fate, patience: Patience, pulse: Arc<Pulse>) -> Self {
        Self { body, fate, pulse, patience, received: 0, waited: Duration::ZERO, waiting: None }
    }

    fn came(&mut self, octets: usize) {
        self.received = self.received.saturating_add(octets as u64);
        self.fate.0.received.store(self.received, Relaxed);
        if let Some(waiting) = self.waiting.take() {
            self.waited = self.waited.saturating_add(waiting.since.elapsed());
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let (allowed, limit) = self.patience.allows(self.received);
        let left = allowed.saturating_sub(self.waited);
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            since: Instant::now(),
            limit,
            alarm: Box::pin(sleep(left)),
        });
        waiting.alarm.as_mut().poll(cx).map(|()| BodyError::Timeout(waiting.limit))
    }
}

impl<B> HttpBody for Arrival<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.pulse.is_withdrawn() {
            // What was whole before is under way; this is not, and nothing is done with it.
            let reason = "its sender would not be taken any more";
            return Poll::Ready(Some(Err(BodyError::Incomplete(reason.into()))));
        }
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending => this.wait(cx).map(|error| Some(Err(error))),
            Poll::Ready(None) => {
                this.came(0);
                this.fate.whole();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                this.came(frame.data_ref().map_or(0, Bytes::len));
                if this.body.is_end_stream() {
                    this.fate.whole();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(BodyError::Incomplete(Box::new(error)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience() {
        let second = Duration::from_secs(1);
        let patience = Patience { total: second * 10, grace: second, rate: 100 };
        assert_eq!(patience.allows(0).0, second);
        assert_eq!(patience.allows(50).0, second * 3 / 2);
        assert_eq!(patience.allows(899).0, Duration::from_millis(9990));
        assert_eq!(patience.allows(900).0, second * 10);
        assert_eq!(patience.allows(u64::MAX).0, second * 10);
        let without = Patience { rate: 0, ..patience };
        assert_eq!(without.allows(0).0, second * 10);
    }
}
