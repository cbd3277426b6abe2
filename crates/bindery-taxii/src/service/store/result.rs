//! Result sets: what a poll found that is fetched in parts, or later.

use bindery_core::{Principal, Timestamp};
use bindery_taxii_xml::ResponseType;

use super::{PushTo, QueryText, Window};

/// What a poll found: not the blocks, but the window that they are read from. Its end is fixed, so a data feed gives the
/// same blocks each time, but for those that were removed since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultSet {
    /// Its id, an URI; chosen by the engine, not to be guessed.
    pub id: String,
    /// The account that polled; nobody else may fetch it. `None`: a peer without an account.
    pub owner: Option<Principal>,
    /// What was asked for, with its end.
    pub window: Window,
    /// How many blocks it had when it was made; nothing while that is not known.
    pub blocks: Option<u64>,
    /// How many parts it has; 0 while that is not known.
    pub parts: u64,
    /// Blocks, or their number only.
    pub response_type: ResponseType,
    /// The query that blocks must meet.
    pub query: Option<QueryText>,
    /// The subscription that was polled by.
    pub subscription: Option<String>,
    /// How far it is.
    pub state: ResultState,
    /// Where an asynchronous result is pushed to.
    pub push: Option<PushTo>,
    /// When it was made.
    pub created: Timestamp,
    /// When it may be removed.
    pub expires: Timestamp,
}

impl ResultSet {
    /// A result set whose parts may be fetched.
    pub fn new(
        id: impl Into<String>,
        owner: Option<Principal>,
        window: Window,
        created: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            owner,
            window,
            blocks: None,
            parts: 0,
            response_type: ResponseType::Full,
            query: None,
            subscription: None,
            state: ResultState::Ready,
            push: None,
            created,
            expires,
        }
    }

    /// The same, ready, with these parts.
    #[must_use]
    pub fn in_parts(mut self, parts: &[ResultPart]) -> Self {
        self.blocks = Some(parts.iter().map(|part| part.blocks).sum());
        self.parts = parts.len() as u64;
        self.state = ResultState::Ready;
        self
    }
}

/// How far a result set is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultState {
    /// Its parts may be fetched. Where it has an inbox to be pushed to, a delivery of kind
    /// [`Outgoing::Result`](super::Outgoing::Result) comes into the outbox with this state.
    Ready,
    /// It is being worked on (PENDING): a delivery of kind [`Outgoing::Poll`](super::Outgoing::Poll) is in the
    /// outbox.
    Pending,
    /// It failed, and why (ASYNCHRONOUS_POLL_ERROR).
    Failed(String),
}

/// How many result sets there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultLimits {
    /// Of one owner, or of all peers without an account together: the oldest one makes room for a new one.
    pub of_owner: usize,
    /// In all: [`CommitError::Limit`](super::CommitError::Limit) where there are as many.
    pub in_all: usize,
}

impl ResultLimits {
    /// Limits by owner and in all; 0 counts as 1.
    pub const fn new(of_owner: usize, in_all: usize) -> Self {
        Self { of_owner, in_all }
    }
}

impl Default for ResultLimits {
    /// 100 of an owner, 10,000 in all.
    fn default() -> Self {
        Self::new(100, 10_000)
    }
}

/// A part of a result set: a contiguous range of labels (Services 1.1, section 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultPart {
    /// Its number, from 1.
    pub number: u64,
    /// Where it begins, exclusive; `None`: without bound.
    pub begin: Option<Timestamp>,
    /// Where it ends, inclusive.
    pub end: Timestamp,
    /// How many blocks it had when it was made.
    pub blocks: u64,
    /// Whether a part follows.
    pub more: bool,
}

impl ResultPart {
    /// A part from its parts.
    pub const fn new(
        number: u64,
        begin: Option<Timestamp>,
        end: Timestamp,
        blocks: u64,
        more: bool,
    ) -> Self {
        Self { number, begin, end, blocks, more }
    }
}
