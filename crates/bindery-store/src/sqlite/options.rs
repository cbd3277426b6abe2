//! How a store on SQLite is opened.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::Kek;

/// Where the store is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    File(PathBuf),
    Temporary,
}

/// How much a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// A commit is answered when it is on disk: it outlives a power failure.
    #[default]
    Full,
    /// A commit is answered when the operating system has it: it outlives the program, but a power
    /// failure may take the last ones. The file stays sound. Faster; not for keys that are in use.
    Normal,
}

/// How a [`SqliteStore`](super::SqliteStore) is opened: where, under which key, and its limits.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {
    pub(super) place: Place,
    pub(super) kek: Kek,
    pub(super) synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
    pub(super) readers: u32,
    pub(super) queue: usize,
    pub(super) queue_bytes: usize,
    pub(super) group: usize,
    pub(super) max_bytes: Option<u64>,
}

impl SqliteOptions {
    /// A store in a file, made if it does not exist (its directory must). SQLite keeps two more
    /// files beside it, `-wal` and `-shm`; all three belong together.
    pub fn file(path: impl AsRef<Path>, kek: Kek) -> Self {
        Self::at(Place::File(path.as_ref().to_owned()), kek)
    }

    /// An empty store in a temporary file that goes with the store: for tests and demonstrations.
    /// It does not wait for the disk.
    pub fn temporary(kek: Kek) -> Self {
        Self::at(Place::Temporary, kek)
    }

    const fn at(place: Place, kek: Kek) -> Self {
        Self {
            place,
            kek,
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(10),
            readers: 4,
            queue: 1024,
            queue_bytes: 64 << 20,
            group: 256,
            max_bytes: None,
        }
    }

    /// The store's file; `None` where it is temporary.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Temporary => None,
        }
    }

    /// How much a commit waits for the disk. Default: [`Synchronous::Full`].
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long to wait for another process that writes, or for a free read connection, before
    /// the answer is "not available". Default: 10 s; at most 1 hour.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout.min(Duration::from_secs(3600));
        self
    }

    /// How many connections read at the same time; each has a thread. Default: 4; at least 1.
    pub fn readers(mut self, connections: u32) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// How many commits may wait for the writer before further ones wait for room. Default: 1024;
    /// at least 1.
    pub fn queue(mut self, commits: usize) -> Self {
        self.queue = commits.clamp(1, 1 << 20);
        self
    }

    /// How many octets may wait for the writer before further commits wait for room. A single
    /// larger commit is let through alone. Default: 64 MiB; at least 1 MiB, at most 1 GiB.
    pub fn queue_bytes(mut self, octets: usize) -> Self {
        self.queue_bytes = octets.clamp(1 << 20, 1 << 30);
        self
    }

    /// How many commits that wait at the same time share one transaction, and so one wait for the
    /// disk. Default: 256; 1 turns that off.
    pub fn group(mut self, commits: usize) -> Self {
        self.group = commits.max(1);
        self
    }

    /// How large the main file may grow, in octets, rounded up to whole pages of 4 KiB. The next
    /// commit fails as if the disk were full; a file that is larger already just cannot grow.
    /// Default: as the disk allows.
    pub const fn max_bytes(mut self, octets: u64) -> Self {
        self.max_bytes = Some(octets);
        self
    }
}
