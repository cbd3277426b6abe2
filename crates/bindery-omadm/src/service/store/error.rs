//! Why a store did not do what it was asked for.

use thiserror::Error;

/// Why a commit was not made. Nothing of it was, except as [`CommitError::Unknown`] says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Something is no longer at the expected version, is there already, or is not there: load
    /// again and decide again.
    #[error("{entry} was changed by somebody else, or is not what the change takes it for")]
    Conflict {
        /// What it is, in words: `the device ID`, `the session ID of the device ID`, `the command
        /// ID`.
        entry: String,
    },
    /// An open command of the device has the same key.
    #[error("the command {id} means the same and is still open")]
    Duplicate {
        /// That command's identifier.
        id: String,
    },
    /// A limit that the change names was reached.
    #[error("{what} of the device {device} would be more than {limit}")]
    Full {
        /// The device's identifier.
        device: String,
        /// What there would be too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store or the way to it failed while the commit was being made: all of it may be there,
    /// or nothing. Load again to see.
    #[error("whether the commit was made is not known: {0}")]
    Unknown(#[source] StoreError),
}

/// A failure of the store itself. The device is told no details; the operator is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It may work later: busy, locked, out of connections.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// An entry cannot be decrypted or is not what was stored.
    #[error("{entry} is damaged: {reason}")]
    Damaged {
        /// What it is, in words.
        entry: String,
        /// What is wrong.
        reason: String,
    },
    /// Anything else: disk full, read-only, a broken file.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
