//! Session tickets: keys that change, and tickets that stay small.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::server::ProducesTickets;

use super::sessions::Ages;
use crate::Provider;

/// The longest session state that is sealed into a ticket, in octets: it holds the client's whole
/// chain, and a ticket of tens of thousands of octets makes clients fail.
const TICKET_LIMIT: usize = 16 * 1024;

/// Seals tickets with a key that changes; the key before it still opens what it sealed.
pub(super) struct RotatingTickets {
    provider: Provider,
    ages: Ages,
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
    pub(super) fn new(provider: &Provider, ages: Ages) -> Result<Self, rustls::Error> {
        let since = ages.now().unwrap_or(0);
        let keys = Keys { current: provider.new_ticketer()?, before: None, since };
        Ok(Self { provider: provider.clone(), ages, keys: Mutex::new(keys) })
    }

    /// The keys of now: the one that seals and the one before it.
    fn keys(&self) -> Option<(Key, Option<Key>)> {
        let now = self.ages.now()?;
        let rotation = u64::from(self.ages.rotation);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes the key no younger: it changes as if its time were over.
        let age = now.checked_sub(keys.since);
        if age.is_none_or(|age| age >= rotation) {
            // Without a new key no ticket is given or taken: sessions are not resumed, that is all.
            let next = self.provider.new_ticketer().ok()?;
            let over = age.is_none_or(|age| age >= 2 * rotation);
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
        self.ages.rotation
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > TICKET_LIMIT {
            return None;
        }
        let stamped = self.ages.stamped(plain)?;
        self.keys()?.0.encrypt(&stamped)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (current, before) = self.keys()?;
        let stamped = current.decrypt(cipher).or_else(|| before?.decrypt(cipher))?;
        self.ages.opened(&stamped)
    }
}

impl fmt::Debug for RotatingTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingTickets").field("ages", &self.ages).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests;
