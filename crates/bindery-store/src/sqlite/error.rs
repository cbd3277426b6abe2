//! What can go wrong with the file, told with the file's name and the remedy.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::KekId;

/// A failure of a store on SQLite. Each names the file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The disk is full, or the limit of `max_bytes` is reached.
    #[error("{path}: no room: free disk space, or raise the store's size limit (max_bytes)")]
    DiskFull {
        /// The store's file.
        path: PathBuf,
    },
    /// The file, its directory or its file system allows no writing.
    #[error(
        "{path}: cannot be written: give the server's account write permission for the file and its directory"
    )]
    ReadOnly {
        /// The store's file.
        path: PathBuf,
    },
    /// Another process holds the file.
    #[error(
        "{path}: locked by another process for longer than the time limit: see which programs have it open, or try again"
    )]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is something else than a SQLite database.
    #[error("{path}: not a SQLite database; it was left as it is: check the path")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error("{path}: a SQLite database, but not bindery's; it was left as it is: check the path")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold together.
    #[error(
        "{path}: damaged ({detail}): stop the server, keep a copy of the file and its -wal, and restore a backup"
    )]
    Corrupted {
        /// The store's file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The key is not the one that the store was made with.
    #[error(
        "{path}: made with the key {stored}, but the key given is {given}; nothing was changed: give the right key-encryption key"
    )]
    WrongKek {
        /// The store's file.
        path: PathBuf,
        /// The key that the store was made with.
        stored: KekId,
        /// The key that was given.
        given: KekId,
    },
    /// A newer version of bindery wrote the file.
    #[error(
        "{path}: written by a newer bindery ({part} schema {found}, this one knows {known}); nothing was changed: update bindery, or restore the backup from before its update"
    )]
    NewerSchema {
        /// The store's file.
        path: PathBuf,
        /// The part of the schema: `base`, or a service.
        part: String,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file cannot be opened or made.
    #[error(
        "{path}: cannot be opened ({detail}): its directory must exist and be writable for the server's account"
    )]
    CannotOpen {
        /// The store's file.
        path: PathBuf,
        /// What the system or SQLite says.
        detail: String,
    },
    /// A new file cannot be made.
    #[error("{path}: cannot be made ({detail}); a file that exists is never replaced")]
    CannotCreate {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// Reading or writing failed below SQLite.
    #[error("{path}: input or output failed ({detail}): check the disk and the system's log")]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What the system or SQLite says.
        detail: String,
    },
    /// The store is closed, or its runtime has ended.
    #[error("{path}: the store is closed")]
    Closed {
        /// The store's file.
        path: PathBuf,
    },
    /// All read connections stayed busy.
    #[error("{path}: no read connection became free in time: allow more of them, or try again")]
    Busy {
        /// The store's file.
        path: PathBuf,
    },
    /// Anything else that SQLite or the cryptographic library reports.
    #[error("{path}: {detail}")]
    Other {
        /// The store's file.
        path: PathBuf,
        /// What was reported.
        detail: String,
    },
}

impl SqliteError {
    /// Whether the same call may work later, without anybody doing anything.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Busy { .. } | Self::Closed { .. })
    }

    /// The same error of another file: of the one that a copy was made from.
    pub(super) fn at(mut self, file: &Path) -> Self {
        match &mut self {
            Self::DiskFull { path }
            | Self::ReadOnly { path }
            | Self::Locked { path }
            | Self::NotADatabase { path }
            | Self::NotAStore { path }
            | Self::Corrupted { path, .. }
            | Self::WrongKek { path, .. }
            | Self::NewerSchema { path, .. }
            | Self::CannotOpen { path, .. }
            | Self::CannotCreate { path, .. }
            | Self::Io { path, .. }
            | Self::Closed { path }
            | Self::Busy { path }
            | Self::Other { path, .. } => file.clone_into(path),
        }
        self
    }

    /// Tells by SQLite's result code (<https://www.sqlite.org/rescode.html>) what went wrong.
    pub(super) fn from_sqlx(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        let database = match &error {
            sqlx::Error::Database(database) => database,
            sqlx::Error::PoolTimedOut => return Self::Busy { path },
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => return Self::Closed { path },
            sqlx::Error::Io(_) => return Self::CannotOpen { path, detail: error.to_string() },
            _ => return Self::Other { path, detail: error.to_string() },
        };
        let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
        let detail = format!("{}, SQLite code {code}", database.message());
        // The low octet is the primary result code.
        match code & 0xff {
            5 | 6 => Self::Locked { path },
            8 => Self::ReadOnly { path },
            10 => Self::Io { path, detail },
            11 => Self::Corrupted { path, detail },
            13 => Self::DiskFull { path },
            14 => Self::CannotOpen { path, detail },
            26 => Self::NotADatabase { path },
            _ => Self::Other { path, detail },
        }
    }
}
