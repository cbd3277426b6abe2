//! The server's side of device management, without IO, clock or runtime.
//!
//! [`DeviceStore`] is what lasts: the devices, their sessions, their queues of commands and the
//! history of what came back. [`MemoryStore`] is one in memory, for tests and for embedding.

mod memory;
mod store;

/// The status that a device gives; part of what is stored.
pub use bindery_syncml::StatusCode;
pub use memory::MemoryStore;
pub use store::{
    AppAuth, Ask, Change, Command, CommandFilter, CommandState, CommitError, Device, DeviceFilter,
    DeviceStore, Loaded, NewCommand, Progress, ResultEntry, ResultFilter, ResultKind, Sent,
    Session, StoreError, StoreFuture, Swept, Versioned,
};
