//! The server's side of device management, without IO, clock or runtime.
//!
//! [`DmServer`] answers messages: it loads from a [`DeviceStore`] what a message speaks of, decides
//! as a pure function, and commits what follows together with the answer. [`Order`] is what a
//! device can be asked to do. Time comes with the [`Context`](bindery_core::Context), randomness
//! through [`Random`], and an application decides and is told through [`Management`].
//!
//! [`DeviceStore`] is what lasts: the devices, their sessions, their queues of commands and the
//! history of what came back. [`MemoryStore`] is one in memory, for tests and for embedding.
//!
//! # Choices
//!
//! Where OMA DM 1.2 leaves a choice, or clients differ from it:
//!
//! - **Who speaks.** A device proves itself by the channel (its principal is the device's
//!   identifier, or, where the device has no credentials of its own, the account that manages it),
//!   by `syncml:auth-basic` over TLS, by `syncml:auth-md5`, or by `x-syncml-hmac`. A nonce counts
//!   once. Only digests are kept, so the server proves itself to the device by MD5 or MAC and never
//!   by Basic. An unknown device hears what a known one with wrong credentials hears.
//! - **Credentials for a session** (212) hold for whoever goes on at the address in `RespURI`, which
//!   has 128 random bits. A device that does not follow it proves itself in each message (200).
//! - **Numbers.** Each message gets one answer, with the message's own MsgID. The last message
//!   again gets the last answer again, octet by octet. SessionID is text: `0` is one.
//! - **A device** may send Replace of `./DevInfo`, Results, Alert and Status; other commands get 405,
//!   those of data synchronization 406, unless there are [`Datastores`] to refresh. Results are answered with a Status only where they come in
//!   pieces.
//! - **A package** of the server is one message with Final, but for large objects and for statuses
//!   that one message cannot hold. While the device's package goes on it is asked for the next
//!   message (1222).
//! - **A command** is sent again, alone, when a package of the device ends without a status for it,
//!   when the session breaks off, and when the device's message cannot be read; after some attempts
//!   it is given up. Statuses of the commands in an Atomic or a Sequence count for the whole.
//! - **A new session** of a device takes over what an older one left without an answer.
//! - **Large objects**: Size counts octets as they are transferred. For objects from the device in
//!   Base64 it may also count what the text stands for.

mod access;
mod config;
mod datastore;
mod engine;
mod memory;
mod order;
mod state;
mod store;
mod turn;

/// The status that a device gives; part of what is stored.
pub use bindery_syncml::StatusCode;
pub use config::{DmServerConfig, Happened, Management, Moment, Random, RandomError, Scheme};
pub use datastore::{Datastore, Datastores, MemoryDatastores, SyncItem, SyncKind, Whose};
pub use engine::DmServer;
pub use memory::MemoryStore;
pub use order::{Order, OrderError, Value};
pub use store::{
    AppAuth, Ask, Change, Command, CommandFilter, CommandState, CommitError, Device, DeviceFilter,
    DeviceStore, Loaded, NewCommand, Progress, ResultEntry, ResultFilter, ResultKind, Sent,
    Session, StoreError, StoreFuture, Swept, Versioned,
};
