//! What the key server keeps, and the promises that a store gives it.
//!
//! The engine works in three steps: load records, decide without IO, commit the changes together
//! with the versions that the decision rests on. A conflict repeats the decision. A store knows
//! nothing of KMIP beyond this file: attributes and key material are octets to it.

use std::{fmt, future::Future, pin::Pin};

use bindery_core::{Principal, Timestamp};
use bytes::Bytes;
use thiserror::Error;

use crate::Secret;

/// The future that a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A managed object as it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The object's Unique Identifier; chosen by the engine, time-ordered, never used again.
    pub uid: String,
    /// The account that the object belongs to.
    pub owner: Principal,
    /// When the object was made: the order in which [`KeyStore::find`] lists.
    pub created: Timestamp,
    /// The attributes, as the engine encodes them. Not secret.
    pub attributes: Bytes,
    /// What the object can be found by.
    pub index: Vec<IndexEntry>,
    /// The managed object itself, as the engine encodes it: secret, encrypted at rest with the
    /// Unique Identifier as associated data; `None` once it is destroyed.
    pub material: Option<Secret>,
}

impl Record {
    /// A record without attributes, index or material.
    pub fn new(uid: impl Into<String>, owner: Principal, created: Timestamp) -> Self {
        Self {
            uid: uid.into(),
            owner,
            created,
            attributes: Bytes::new(),
            index: Vec::new(),
            material: None,
        }
    }
}

/// A record as it was loaded: with the version that a change of it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned {
    /// The record.
    pub record: Record,
    /// Its version: 1 when made, one more with every change.
    pub version: u64,
}

impl Versioned {
    /// A record and its version.
    pub const fn new(record: Record, version: u64) -> Self {
        Self { record, version }
    }
}

/// A name and a value that a record can be found by. Both are the engine's; a record may have
/// several values under one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The name: an attribute's name in the specification.
    pub name: String,
    /// The value, in the engine's canonical form.
    pub value: Bytes,
}

impl IndexEntry {
    /// An entry from its name and value.
    pub fn new(name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// What to find: records of an owner that have all the given entries, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Whose records; `None` for everybody's.
    pub owner: Option<Principal>,
    /// Entries that a record must have, all of them.
    pub entries: Vec<IndexEntry>,
    /// Only records that stand after this Unique Identifier in the order of the listing.
    pub after: Option<String>,
    /// The largest number of records to return; a store may return fewer only at the end.
    pub limit: usize,
}

impl Filter {
    /// Everything that belongs to an owner, at most `limit` records.
    pub const fn owned_by(owner: Principal, limit: usize) -> Self {
        Self { owner: Some(owner), entries: Vec::new(), after: None, limit }
    }
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A new record; its Unique Identifier must never have been used.
    Insert(Record),
    /// A record in the place of an earlier version of itself.
    Replace {
        /// The record as it should be.
        record: Record,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// A record taken away for good.
    Delete {
        /// Its Unique Identifier.
        uid: String,
        /// The version that the decision rests on.
        expected: u64,
    },
}

impl Change {
    /// The Unique Identifier of the record that changes.
    pub fn uid(&self) -> &str {
        match self {
            Self::Insert(record) | Self::Replace { record, .. } => &record.uid,
            Self::Delete { uid, .. } => uid,
        }
    }
}

/// Where the key server keeps its objects.
///
/// Promises: a commit is atomic, and durable when its future is ready; what one future has
/// returned, every later call sees; `find` and `load` see whole commits only. A future that is
/// dropped half-way leaves either the whole commit or nothing of it.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// Loads records with their material; `None` stands for an identifier that no record has. The
    /// answer has the order of `uids`.
    fn load<'a>(
        &'a self,
        uids: &'a [String],
    ) -> StoreFuture<'a, Result<Vec<Option<Versioned>>, StoreError>>;

    /// Finds records, *without* their material, in the order of their Unique Identifiers.
    fn find<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> StoreFuture<'a, Result<Vec<Versioned>, StoreError>>;

    /// Makes all changes, or none.
    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>>;
}

/// Why a commit was not made. Nothing of it was, except as [`CommitError::Unknown`] says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A record is no longer at the expected version, or an identifier is already taken: load
    /// again and decide again.
    #[error("the object {uid} was changed by somebody else")]
    Conflict {
        /// The record's Unique Identifier.
        uid: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store or the way to it failed while the commit was being made: all of it may be there,
    /// or nothing. Committing the same again then gives a conflict, or makes it.
    #[error("whether the commit was made is not known: {0}")]
    Unknown(#[source] StoreError),
}

/// A failure of the store itself. The peer is told no details; the operator is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It may work later: busy, locked, out of connections.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A record cannot be decrypted or is not what was stored.
    #[error("the object {uid} is damaged: {reason}")]
    Damaged {
        /// The record's Unique Identifier.
        uid: String,
        /// What is wrong.
        reason: String,
    },
    /// Anything else: disk full, read-only, a broken file.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
