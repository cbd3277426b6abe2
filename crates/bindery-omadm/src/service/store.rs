//! What the device management server keeps, and the promises that a store gives it.
//!
//! The engine works in three steps: [load](DeviceStore::load) what a message speaks of, decide
//! without IO, [commit](DeviceStore::commit) the changes together with the versions that the
//! decision rests on. A conflict repeats the decision. Because a session is stored state and not
//! somebody's memory, it survives a restart, and each of its messages may come to another process.
//!
//! A store knows nothing of SyncML: commands, replies and the state of a session are octets to it.

mod change;
mod error;
mod record;
mod shown;

use std::{fmt, future::Future, ops::Range, pin::Pin};

use bindery_core::{Principal, Timestamp};
use bytes::Bytes;

pub use change::Change;
pub use error::{CommitError, StoreError};
pub use record::{
    AppAuth, Command, CommandState, Device, NewCommand, Progress, ResultEntry, ResultKind, Sent,
    Session, Versioned,
};

/// The future that a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the device management server keeps its state.
///
/// Promises: a commit is atomic, and durable when its future is ready (as far as the store is
/// durable at all); what one future has returned, every later call sees; what one call returns is
/// one state, never half of a commit. A future that is dropped half-way leaves either the whole
/// commit or nothing of it. A version is never used twice for the same entry, not even after it
/// was deleted and made again.
pub trait DeviceStore: fmt::Debug + Send + Sync {
    /// Loads what a message of a device speaks of, all of it as of one moment.
    ///
    /// # Errors
    /// The store failed, or what it holds is damaged.
    fn load<'a>(&'a self, ask: &'a Ask) -> StoreFuture<'a, Result<Loaded, StoreError>>;

    /// Makes all changes, in their order, or none.
    ///
    /// # Errors
    /// See [`CommitError`].
    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>>;

    /// Lists devices in the order of their identifiers, with their credentials.
    ///
    /// # Errors
    /// The store failed, or what it holds is damaged.
    fn devices<'a>(
        &'a self,
        filter: &'a DeviceFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Device>>, StoreError>>;

    /// One command, whatever its state, by its identifier.
    ///
    /// # Errors
    /// The store failed, or what it holds is damaged.
    fn command<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Result<Option<Versioned<Command>>, StoreError>>;

    /// Lists the commands of a device in the order in which they were queued.
    ///
    /// # Errors
    /// The store failed, or what it holds is damaged.
    fn commands<'a>(
        &'a self,
        filter: &'a CommandFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Command>>, StoreError>>;

    /// A piece of a command's data: what of `range` there is. Costs time in proportion to the
    /// piece, not to the data, so that a large object can be sent in many messages.
    ///
    /// # Errors
    /// The store failed.
    fn read_data<'a>(
        &'a self,
        command: &'a str,
        range: Range<u64>,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>>;

    /// All that was received so far of the large object of a session.
    ///
    /// # Errors
    /// The store failed.
    fn read_object<'a>(
        &'a self,
        device: &'a str,
        session_id: &'a str,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>>;

    /// Lists what came back from a device, oldest first.
    ///
    /// # Errors
    /// The store failed, or what it holds is damaged.
    fn results<'a>(
        &'a self,
        filter: &'a ResultFilter,
    ) -> StoreFuture<'a, Result<Vec<ResultEntry>, StoreError>>;

    /// Takes away what is of no more use: sessions that ended before `now`, and commands that
    /// were finished (acknowledged or failed) before `finished_before`. At most about `limit`
    /// entries of each, so that a sweep never holds up others for long: call it again while it
    /// has something to do.
    ///
    /// # Errors
    /// See [`CommitError`]; it conflicts with nobody.
    fn sweep(
        &self,
        now: Timestamp,
        finished_before: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Swept, CommitError>>;
}

/// What to load for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// The device: `LocURI` of the message's Source.
    pub device: String,
    /// The message's `SessionID`; `None` where no session is wanted.
    pub session_id: Option<String>,
    /// The most open commands (queued or sent) to load, from the head of the queue.
    pub commands: usize,
}

impl Ask {
    /// A device and a session of it, with at most `commands` of its open commands.
    pub fn new(
        device: impl Into<String>,
        session_id: Option<impl Into<String>>,
        commands: usize,
    ) -> Self {
        Self { device: device.into(), session_id: session_id.map(Into::into), commands }
    }
}

/// What a store has of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// The device, if it is registered.
    pub device: Option<Versioned<Device>>,
    /// The session, if there is one of that number.
    pub session: Option<Versioned<Session>>,
    /// How many octets of a large object the session has received so far; 0 where none is under
    /// way.
    pub object_len: u64,
    /// The open commands in the order in which they were queued.
    pub commands: Vec<Versioned<Command>>,
}

/// Which devices to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceFilter {
    /// Only devices of this account.
    pub owner: Option<Principal>,
    /// Only devices whose identifier stands after this one.
    pub after: Option<String>,
    /// The largest number of devices to return; a store returns fewer only at the end.
    pub limit: usize,
}

impl DeviceFilter {
    /// All devices, at most `limit`.
    pub const fn all(limit: usize) -> Self {
        Self { owner: None, after: None, limit }
    }
}

/// Which commands to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandFilter {
    /// Whose.
    pub device: String,
    /// Only those in this state.
    pub state: Option<CommandState>,
    /// Only those after this [position](Command::position).
    pub after: u64,
    /// The largest number of commands to return; a store returns fewer only at the end.
    pub limit: usize,
}

impl CommandFilter {
    /// All commands of a device, at most `limit`.
    pub fn of(device: impl Into<String>, limit: usize) -> Self {
        Self { device: device.into(), state: None, after: 0, limit }
    }
}

/// Which results to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultFilter {
    /// Whose.
    pub device: String,
    /// Only what came back for this command.
    pub command: Option<String>,
    /// Only those after this [position](ResultEntry::position).
    pub after: u64,
    /// The largest number of results to return; a store returns fewer only at the end.
    pub limit: usize,
}

impl ResultFilter {
    /// All results of a device, at most `limit`.
    pub fn of(device: impl Into<String>, limit: usize) -> Self {
        Self { device: device.into(), command: None, after: 0, limit }
    }
}

/// What a [sweep](DeviceStore::sweep) took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Sessions whose time was over.
    pub sessions: u64,
    /// Commands that were finished long enough ago.
    pub commands: u64,
}

impl Swept {
    /// From its two numbers.
    pub const fn new(sessions: u64, commands: u64) -> Self {
        Self { sessions, commands }
    }

    /// Whether there was nothing to take away.
    pub const fn is_empty(self) -> bool {
        self.sessions == 0 && self.commands == 0
    }
}
