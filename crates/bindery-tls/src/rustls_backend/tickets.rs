//! Session tickets: keys that change, sessions that end, and tickets that stay small.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bindery_core::Timestamp;
use rustls::{server::ProducesTickets, time_provider::TimeProvider};
use zeroize::{Zeroize as _, Zeroizing};

use super::handshake;
use crate::{Provider, Resumption};

/// The longest session state that is sealed into a ticket, in octets: it holds the client's whole
/// chain, and a ticket of tens of thousands of octets makes clients fail.
const TICKET_LIMIT: usize = 16 * 1024;

/// The longest that one key of rustls' ticketers seals, in seconds: they change it by themselves.
const RUSTLS_ROTATION: u64 = 6 * 60 * 60;

/// The octets in front of a sealed state: when the session's full handshake was, in seconds.
const STAMP: usize = 8;

/// Seals tickets with a key that changes; the key before it still opens what it sealed.
///
/// A resumed session is not looked up anywhere again, so it has an end: two changes of keys after its
/// full handshake, or when a revocation list that it was looked up in goes out of date. From then on
/// its tickets open nothing, and the client makes a full handshake.
pub(super) struct RotatingTickets {
    provider: Provider,
    time: Arc<dyn TimeProvider>,
    seconds: u32,
    /// The last second at which what full handshakes check against is in date.
    until: u64,
    keys: Mutex<Keys>,
}

type Key = Arc<dyn ProducesTickets>;

struct Keys {
    current: Key,
    before: Option<Key>,
    /// When the current key was made, in seconds.
    since: u64,
}

impl RotatingTickets {
    pub(super) fn new(
        provider: &Provider,
        time: &Arc<dyn TimeProvider>,
        resumption: Resumption,
    ) -> Result<Self, rustls::Error> {
        let rotation = resumption.rotation.as_secs().clamp(1, RUSTLS_ROTATION);
        let seconds = u32::try_from(rotation).unwrap_or(u32::MAX);
        let since = time.current_time().map_or(0, |now| now.as_secs());
        let keys = Keys { current: provider.new_ticketer()?, before: None, since };
        let (provider, time) = (provider.clone(), Arc::clone(time));
        Ok(Self { provider, time, seconds, until: u64::MAX, keys: Mutex::new(keys) })
    }

    /// The same; nothing is resumed after this moment.
    pub(super) fn until(mut self, last: Option<Timestamp>) -> Self {
        if let Some(last) = last {
            self.until = u64::try_from(last.unix_seconds()).unwrap_or(0);
        }
        self
    }

    /// Whether a session that began then may go on.
    fn goes_on(&self, begun: u64) -> bool {
        let now = self.time.current_time().map(|now| now.as_secs());
        let (longest, until) = (2 * u64::from(self.seconds), self.until);
        now.is_some_and(|now| {
            now <= until && now.checked_sub(begun).is_some_and(|age| age < longest)
        })
    }

    /// The keys of now: the one that seals and the one before it.
    fn keys(&self) -> Option<(Key, Option<Key>)> {
        let now = self.time.current_time()?.as_secs();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes the key no younger: it changes as if its time were over.
        let age = now.checked_sub(keys.since);
        if age.is_none_or(|age| age >= u64::from(self.seconds)) {
            // Without a new key no ticket is given or taken: sessions are not resumed, that is all.
            let next = self.provider.new_ticketer().ok()?;
            let over = age.is_none_or(|age| age >= 2 * u64::from(self.seconds));
            let before = std::mem::replace(&mut keys.current, next);
            keys.before = (!over).then_some(before);
            keys.since = now;
        }
        Some((Arc::clone(&keys.current), keys.before.clone()))
    }
}

impl ProducesTickets for RotatingTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.seconds
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > TICKET_LIMIT {
            return None;
        }
        let resumed = handshake::begun();
        let begun = resumed.or_else(|| Some(self.time.current_time()?.as_secs()))?;
        let stamped = Zeroizing::new([&begun.to_be_bytes()[..], plain].concat());
        self.keys()?.0.encrypt(&stamped)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (current, before) = self.keys()?;
        let mut stamped = current.decrypt(cipher).or_else(|| before?.decrypt(cipher))?;
        let begun = u64::from_be_bytes(*stamped.first_chunk::<STAMP>()?);
        if !self.goes_on(begun) {
            stamped.zeroize();
            return None;
        }
        handshake::note_begun(begun);
        stamped.drain(..STAMP);
        Some(stamped)
    }
}

impl fmt::Debug for RotatingTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingTickets").field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests;
