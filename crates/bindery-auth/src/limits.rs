//! How often somebody may fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bindery_core::{AccountFuture, RateLimit, Timestamp};

/// Failures in this process, by user name and by address: after a few, each further one doubles
/// the time to wait.
#[derive(Debug)]
pub struct Attempts {
    free: u32,
    first: Duration,
    longest: Duration,
    keys: usize,
    counted: Mutex<Counted>,
}

#[derive(Debug)]
struct Counted {
    failures: BTreeMap<String, Failures>,
    /// The same keys by their last failure, so that the oldest is found at once.
    order: BTreeSet<(Timestamp, String)>,
}

impl Counted {
    fn forget(&mut self, key: &str) -> Option<Failures> {
        let failures = self.failures.remove(key)?;
        self.order.remove(&(failures.last, key.to_owned()));
        Some(failures)
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Attempts {
    /// So many failures cost nothing; the next one costs `first`, each further one twice as much,
    /// up to `longest`, after which the failures are forgotten as well. At most `keys` are counted;
    /// when they are that many, the one that failed longest ago is forgotten.
    pub const fn new(free: u32, first: Duration, longest: Duration, keys: usize) -> Self {
        let counted = Counted { failures: BTreeMap::new(), order: BTreeSet::new() };
        Self { free, first, longest, keys, counted: Mutex::new(counted) }
    }

    fn pause(&self, failures: Failures) -> Duration {
        let Some(beyond) = failures.count.checked_sub(self.free + 1) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(beyond.min(31)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }

    fn wait_of(&self, key: &str, now: Timestamp) -> Option<Duration> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = *counted.failures.get(key)?;
        let end = failures.last.saturating_add(self.pause(failures));
        let left = u64::try_from(end.unix_micros().saturating_sub(now.unix_micros())).ok()?;
        (left > 0).then(|| Duration::from_micros(left))
    }

    fn note(&self, key: &str, now: Timestamp) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = counted.forget(key).filter(|f| f.last.saturating_add(self.longest) >= now);
        let count = before.map_or(0, |failures| failures.count).saturating_add(1);
        if counted.failures.len() >= self.keys
            && let Some((_, oldest)) = counted.order.pop_first()
        {
            counted.failures.remove(&oldest);
        }
        counted.failures.insert(key.to_owned(), Failures { count, last: now });
        counted.order.insert((now, key.to_owned()));
    }
}

impl Default for Attempts {
    /// Five failures are free, then one second, doubled up to 15 minutes; 10,000 keys.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(1), Duration::from_secs(15 * 60), 10_000)
    }
}

impl RateLimit for Attempts {
    fn wait<'a>(&'a self, key: &'a str, now: Timestamp) -> AccountFuture<'a, Option<Duration>> {
        Box::pin(ready(Ok(self.wait_of(key, now))))
    }

    fn failed<'a>(&'a self, key: &'a str, now: Timestamp) -> AccountFuture<'a, ()> {
        self.note(key, now);
        Box::pin(ready(Ok(())))
    }

    fn succeeded<'a>(&'a self, key: &'a str) -> AccountFuture<'a, ()> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).forget(key);
        Box::pin(ready(Ok(())))
    }
}
