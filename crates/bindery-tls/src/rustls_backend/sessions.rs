//! How long a session is resumed: from its full handshake on, and not from its last ticket.

use std::{cell::Cell, fmt, sync::Arc};

use rustls::{
    server::{ServerSessionMemoryCache, StoresServerSessions},
    time_provider::TimeProvider,
};

use crate::Resumption;

/// How many sessions of clients that take no tickets are kept (TLS 1.2).
const SESSIONS: usize = 256;

/// Octets of a stamp: the seconds of the full handshake, big endian.
const STAMP: usize = 8;

tokio::task_local! {
    /// When the session that this task's handshake resumes had its full handshake, in seconds.
    pub(super) static BEGUN: Cell<Option<u64>>;
}

/// When sessions are too old.
///
/// Every resumed handshake gives new tickets. Without an end that is counted from the full
/// handshake, a client that comes often enough would never have its certificate looked at again
/// (RFC 8446, 4.6.1).
#[derive(Clone)]
pub(super) struct Ages {
    time: Arc<dyn TimeProvider>,
    /// How long a ticket key makes new tickets, in seconds.
    pub(super) rotation: u32,
    /// The second from which on nothing is resumed: what clients are looked up in runs out.
    until: Option<u64>,
}

impl Ages {
    pub(super) fn new(
        time: &Arc<dyn TimeProvider>,
        resumption: Resumption,
        until: Option<u64>,
    ) -> Self {
        let rotation = resumption.rotation.min(Resumption::LONGEST_ROTATION).as_secs().max(1);
        let rotation = u32::try_from(rotation).unwrap_or(u32::MAX);
        Self { time: Arc::clone(time), rotation, until }
    }

    pub(super) fn now(&self) -> Option<u64> {
        Some(self.time.current_time()?.as_secs())
    }

    /// The state of a session that begins now, or of one that goes on, with when it began; none
    /// where it is too old to go on.
    pub(super) fn stamped(&self, state: &[u8]) -> Option<Vec<u8>> {
        let now = self.now()?;
        let begun = BEGUN.try_with(Cell::get).ok().flatten().unwrap_or(now);
        self.is_young(begun, now).then(|| [begun.to_be_bytes().as_slice(), state].concat())
    }

    /// The state of a session that is young enough to be resumed. What this task does goes on with
    /// its age; a handshake that is full after all gives tickets of that age too, which errs on the
    /// safe side.
    pub(super) fn opened(&self, stamped: &[u8]) -> Option<Vec<u8>> {
        let (stamp, state) = stamped.split_first_chunk::<STAMP>()?;
        let begun = u64::from_be_bytes(*stamp);
        if !self.is_young(begun, self.now()?) {
            return None;
        }
        let older = |known: Option<u64>| Some(known.map_or(begun, |known| known.min(begun)));
        // Outside a handshake of ours nobody asks to know.
        let _ = BEGUN.try_with(|one| one.set(older(one.get())));
        Some(state.to_vec())
    }

    /// A clock that was set back makes no session younger: it ends.
    fn is_young(&self, begun: u64, now: u64) -> bool {
        let age = now.checked_sub(begun);
        let young = age.is_some_and(|age| age < 2 * u64::from(self.rotation));
        young && self.until.is_none_or(|until| now <= until)
    }
}

impl fmt::Debug for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ages")
            .field("rotation", &self.rotation)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The sessions of clients that take no tickets, which end as tickets do.
#[derive(Debug)]
pub(super) struct AgingSessions {
    kept: Arc<ServerSessionMemoryCache>,
    ages: Ages,
}

impl AgingSessions {
    pub(super) fn new(ages: Ages) -> Self {
        Self { kept: ServerSessionMemoryCache::new(SESSIONS), ages }
    }
}

impl StoresServerSessions for AgingSessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.ages.stamped(&value).is_some_and(|stamped| self.kept.put(key, stamped))
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.ages.opened(&self.kept.get(key)?)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.ages.opened(&self.kept.take(key)?)
    }

    fn can_cache(&self) -> bool {
        true
    }
}
