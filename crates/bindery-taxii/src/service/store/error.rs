//! How a store fails.

use std::fmt;

use thiserror::Error;

/// What an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The collection of this name.
    Collection(String),
    /// The subscription of this id.
    Subscription(String),
    /// The result set of this id.
    ResultSet(String),
    /// A part of the result set of this id.
    ResultPart(String),
    /// A content block, by collection and label as the store has them.
    Block(String),
    /// The blocks of one message on their way in.
    Insertion,
    /// The delivery of this id.
    Delivery(u64),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection(name) => write!(f, "the collection {name}"),
            Self::Subscription(id) => write!(f, "the subscription {id}"),
            Self::ResultSet(id) => write!(f, "the result set {id}"),
            Self::ResultPart(id) => write!(f, "a part of the result set {id}"),
            Self::Block(place) => write!(f, "the content block {place}"),
            Self::Insertion => f.write_str("the message that is being taken"),
            Self::Delivery(id) => write!(f, "the delivery {id}"),
        }
    }
}

/// Why a commit was not made. Nothing of it was, except as [`CommitError::Unknown`] says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// What the decision rests on is no longer so: another version, a name that is taken, or something that is gone.
    /// Load again and decide again.
    #[error("{0} was changed, made or removed by somebody else")]
    Conflict(Subject),
    /// There are as many as there may be.
    #[error("there are {limit} {what} already, and no more may be made")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The caller asked for something that cannot be: a fault of the program, not of a peer.
    #[error("the store cannot do that: {0}")]
    Misuse(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] FeedStoreError),
    /// The store or the way to it failed while the commit was being made: all of it may be there, or nothing.
    #[error("whether the commit was made is not known: {0}")]
    Unknown(#[source] FeedStoreError),
}

/// A failure of the store itself. The peer is told no details; the operator is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeedStoreError {
    /// It may work later: busy, locked, out of connections. TAXII's RETRY fits.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Something is not what was stored.
    #[error("{subject} is damaged: {reason}")]
    Damaged {
        /// What.
        subject: Subject,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else: disk full, read-only, a broken file.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
