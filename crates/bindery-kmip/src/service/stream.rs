//! Streams: operations whose data comes in several requests (KMIP 1.3, section 4.29 and others:
//! Init Indicator, Final Indicator, Correlation Value).
//!
//! What a stream holds is in the memory of this process and lost with it; a client then begins again.
//! A batch works on copies and puts them back when it is committed, so that a decision that has to
//! be made again does not feed anything twice.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use bindery_core::{Principal, Timestamp};
use bindery_ttlv::registry::Operation;
use bytes::Bytes;

use super::{
    Running,
    operation::cipher::{AeadStream, BlockStream},
};

/// How long a stream may wait for its next piece, in seconds.
const IDLE: i64 = 900;

/// A stream between two of its requests.
pub(super) struct Stream {
    pub(super) owner: Principal,
    pub(super) operation: Operation,
    pub(super) uid: String,
    pub(super) state: StreamState,
    pub(super) last: Timestamp,
}

/// What has come so far.
pub(super) enum StreamState {
    /// A hash or MAC, fed.
    Running(Box<dyn Running>),
    /// A block cipher, with what does not fill a block yet.
    Blocks(BlockStream),
    /// Authenticated encryption, which needs everything for its tag.
    Held(AeadStream),
}

impl Stream {
    pub(super) fn copied(&self) -> Self {
        let state = match &self.state {
            StreamState::Running(running) => StreamState::Running(running.copied()),
            StreamState::Blocks(blocks) => StreamState::Blocks(blocks.clone()),
            StreamState::Held(held) => StreamState::Held(held.clone()),
        };
        Self {
            owner: self.owner.clone(),
            operation: self.operation,
            uid: self.uid.clone(),
            state,
            last: self.last,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// What a batch has done to streams: `None` for one that has come to its end.
pub(super) type StreamChanges = BTreeMap<Bytes, Option<Stream>>;

/// The streams that are open.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Mutex<BTreeMap<Bytes, Stream>>,
}

impl Streams {
    /// A copy of an open stream of this client.
    pub(super) fn get(&self, value: &Bytes, owner: &Principal) -> Option<Stream> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(value).filter(|stream| stream.owner == *owner).map(Stream::copied)
    }

    /// Whether another stream may be opened now; those that nobody fed for long are closed first.
    pub(super) fn has_room(&self, most: usize, now: Timestamp) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= most {
            let now = now.unix_seconds();
            open.retain(|_, stream| now.saturating_sub(stream.last.unix_seconds()) < IDLE);
        }
        open.len() < most
    }

    /// Makes a batch's changes.
    pub(super) fn apply(&self, changes: StreamChanges) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (value, stream) in changes {
            match stream {
                Some(stream) => drop(open.insert(value, stream)),
                None => drop(open.remove(&value)),
            }
        }
    }
}
