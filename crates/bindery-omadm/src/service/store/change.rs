//! What a commit consists of.

use std::num::NonZeroU32;

use bytes::Bytes;

use super::{Device, NewCommand, Progress, ResultEntry, Session};

/// One change of a commit. The changes of a commit see what earlier ones of it did; an entry with
/// a version is changed at most once in a commit.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Registers a device; there must be none with its identifier.
    InsertDevice(Device),
    /// A device in the place of an earlier version of itself.
    ReplaceDevice {
        /// The device as it should be.
        device: Device,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// Takes a device away, with its sessions, commands and results.
    DeleteDevice {
        /// Its identifier.
        id: String,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// Begins a session or puts it into another state. The device must be registered.
    PutSession {
        /// The session as it should be.
        session: Session,
        /// The version that the decision rests on; `None` where there must be no such session.
        expected: Option<u64>,
    },
    /// Ends a session and forgets it, its large object too.
    DeleteSession {
        /// Whose it is.
        device: String,
        /// Its `SessionID`.
        session_id: String,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// Forgets all but the sessions of a device that were used last, those with and those without
    /// proof of the device apart: so nobody can push out a session by beginning others in its
    /// device's name.
    KeepSessions {
        /// Whose.
        device: String,
        /// Whether this speaks of the sessions in which the device has proved itself.
        authenticated: bool,
        /// How many stay.
        newest: u32,
    },
    /// Adds octets to the large object that a session is receiving.
    AppendObject {
        /// Whose.
        device: String,
        /// The session, which must be there.
        session_id: String,
        /// What to add.
        octets: Bytes,
        /// How long the object may be with them.
        at_most: u64,
    },
    /// Forgets the large object that a session was receiving, if there is one.
    ClearObject {
        /// Whose.
        device: String,
        /// The session.
        session_id: String,
    },
    /// Puts a command at the end of its device's queue.
    Enqueue {
        /// The command; its device must be registered, its identifier never used.
        command: NewCommand,
        /// How many open commands the device may have with it.
        at_most: u32,
    },
    /// Says how far a command has come. Open again may only become what is open: a finished
    /// command stays finished.
    Progress {
        /// The command's identifier.
        id: String,
        /// The version that the decision rests on.
        expected: u64,
        /// How far it has come.
        progress: Progress,
    },
    /// Adds to a device's history; the oldest beyond a number go.
    Record {
        /// What came back; its position is given by the store.
        result: ResultEntry,
        /// How many results of the device stay.
        keep: NonZeroU32,
    },
}
