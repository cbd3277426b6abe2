//! What the feed services keep, and the promises that a store gives them.
//!
//! A collection is a sequence of blocks. Each block that comes in gets a timestamp label that is later than every label
//! of its collection before it, in the transaction that makes it durable: whoever has read up to a label has read
//! everything up to there, and misses nothing when asking for what is later. A store knows nothing of TAXII beyond this
//! file: content is octets to it.

use std::{collections::BTreeSet, fmt, future::Future, pin::Pin};

use bindery_core::{Principal, Timestamp};
use bytes::Bytes;
use thiserror::Error;

/// The future that a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A timestamp label: microseconds since 1970-01-01T00:00:00Z. An index more than a time.
pub type Label = i64;

/// A block that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewBlock {
    /// The content binding's id.
    pub binding: String,
    /// Its subtype, if it has one.
    pub subtype: Option<String>,
    /// The block, as the engine encodes it.
    pub content: Bytes,
}

impl NewBlock {
    /// A block of a binding.
    pub fn new(binding: impl Into<String>, subtype: Option<String>, content: Bytes) -> Self {
        Self { binding: binding.into(), subtype, content }
    }
}

/// A block that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredBlock {
    /// Its label.
    pub label: Label,
    /// The block.
    pub block: NewBlock,
}

impl StoredBlock {
    /// A block with its label.
    pub const fn new(label: Label, block: NewBlock) -> Self {
        Self { label, block }
    }
}

/// Blocks of a collection that are meant: a range of labels and bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The collection.
    pub collection: String,
    /// Later than this; nothing: from the first.
    pub after: Option<Label>,
    /// Up to this one, inclusive.
    pub until: Label,
    /// Of these bindings; empty: of all.
    pub bindings: Vec<BindingFilter>,
}

impl Selection {
    /// All blocks of a collection up to a label.
    pub fn new(collection: impl Into<String>, until: Label) -> Self {
        Self { collection: collection.into(), after: None, until, bindings: Vec::new() }
    }
}

/// A content binding that is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingFilter {
    /// Its id.
    pub id: String,
    /// Its subtypes; empty: with any subtype and with none.
    pub subtypes: BTreeSet<String>,
}

impl BindingFilter {
    /// Whether a block is meant.
    pub fn takes(&self, block: &NewBlock) -> bool {
        self.id == block.binding
            && (self.subtypes.is_empty()
                || block.subtype.as_ref().is_some_and(|one| self.subtypes.contains(one)))
    }
}

/// The most of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Blocks.
    pub blocks: u64,
    /// Octets of content; a block that is longer alone is given all the same.
    pub octets: u64,
}

/// A stretch of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stretch {
    /// How many blocks are in it.
    pub blocks: u64,
    /// The label of its last block; nothing where it has none.
    pub last: Option<Label>,
    /// Whether the selection has blocks behind it.
    pub more: bool,
}

impl Stretch {
    /// A stretch from its parts.
    pub const fn new(blocks: u64, last: Option<Label>, more: bool) -> Self {
        Self { blocks, last, more }
    }
}

/// A subscription as it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSubscription {
    /// Its id, chosen by the engine.
    pub id: String,
    /// The collection.
    pub collection: String,
    /// Whose it is; nothing for one of a peer that is nobody.
    pub owner: Option<Principal>,
    /// When it was made: the order in which they are listed.
    pub created: Timestamp,
    /// Its state and terms, as the engine encodes them.
    pub terms: Bytes,
    /// Where its content is pushed, if it is.
    pub delivery: Option<Delivery>,
}

impl StoredSubscription {
    /// A subscription without terms.
    pub fn new(
        id: impl Into<String>,
        collection: impl Into<String>,
        owner: Option<Principal>,
        created: Timestamp,
    ) -> Self {
        let (id, collection) = (id.into(), collection.into());
        Self { id, collection, owner, created, terms: Bytes::new(), delivery: None }
    }
}

/// How far a subscription's content was pushed, and when it is tried next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Everything up to this label was delivered or was there before.
    pub delivered: Label,
    /// Failed tries since the last success.
    pub failures: u32,
    /// Not before this.
    pub due: Timestamp,
}

/// A subscription with the version that a change of it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned {
    /// The subscription.
    pub subscription: StoredSubscription,
    /// 1 when made, one more with every change.
    pub version: u64,
}

impl Versioned {
    /// A subscription and its version.
    pub const fn new(subscription: StoredSubscription, version: u64) -> Self {
        Self { subscription, version }
    }
}

/// A result that is given in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredResult {
    /// Its id, chosen by the engine.
    pub id: String,
    /// Whose it is; nothing for one of a peer that is nobody.
    pub owner: Option<Principal>,
    /// It may be forgotten then.
    pub expires: Timestamp,
    /// What it consists of, as the engine encodes it.
    pub terms: Bytes,
    /// Where each part that is known ends, the first one first.
    pub ends: Vec<Label>,
}

impl StoredResult {
    /// A result of which no part is known.
    pub fn new(id: impl Into<String>, owner: Option<Principal>, expires: Timestamp) -> Self {
        Self { id: id.into(), owner, expires, terms: Bytes::new(), ends: Vec::new() }
    }
}

/// Where the feed services keep collections, subscriptions and results.
///
/// What a method has answered is durable. Each call is one transaction. A future that is dropped
/// may have been done or not, and never by halves.
pub trait FeedStore: fmt::Debug + Send + Sync {
    /// Makes sure that collections are there; those that are stay as they are. A new one begins
    /// at `now`: its first label is later.
    fn open<'a>(&'a self, collections: &'a [String], now: Timestamp) -> StoreFuture<'a, ()>;

    /// The last label that was given in a collection; where it began, if none was. The next one is
    /// later. Nothing for a collection that is not there.
    fn last_label<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Option<Label>>;

    /// Keeps blocks in each of the collections, in their order: all of them or none. Each gets a
    /// label of its own, not earlier than `now` and later than all before it.
    ///
    /// # Errors
    /// [`StoreError::NoCollection`] for one that is not there.
    fn insert<'a>(
        &'a self,
        collections: &'a [String],
        blocks: Vec<NewBlock>,
        now: Timestamp,
    ) -> StoreFuture<'a, ()>;

    /// How many blocks a selection has.
    fn count<'a>(&'a self, selection: &'a Selection) -> StoreFuture<'a, u64>;

    /// The beginning of a selection, as far as the limit lets it go: what one part of a result
    /// has. Reads no content.
    fn stretch<'a>(
        &'a self,
        selection: &'a Selection,
        limit: PageLimit,
    ) -> StoreFuture<'a, Stretch>;

    /// The blocks at the beginning of a selection, by label, at most as many as the limit says;
    /// none at the end. No transaction lasts behind it: the next page begins after the last label.
    fn page<'a>(
        &'a self,
        selection: &'a Selection,
        limit: PageLimit,
    ) -> StoreFuture<'a, Vec<StoredBlock>>;

    /// Forgets blocks of a collection that are not later than a label, at most `limit` of them;
    /// says how many.
    fn forget<'a>(&'a self, collection: &'a str, until: Label, limit: u64) -> StoreFuture<'a, u64>;

    /// A subscription by collection and id.
    fn subscription<'a>(
        &'a self,
        collection: &'a str,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Versioned>>;

    /// The subscriptions of an account in a collection, oldest first, at most so many.
    fn subscriptions<'a>(
        &'a self,
        collection: &'a str,
        owner: Option<&'a Principal>,
        limit: u64,
    ) -> StoreFuture<'a, Vec<Versioned>>;

    /// Keeps a subscription in the place of an earlier version of itself; 0 for a new one. Says
    /// whether it did: not where somebody else was first.
    fn put_subscription<'a>(
        &'a self,
        subscription: StoredSubscription,
        expected: u64,
    ) -> StoreFuture<'a, bool>;

    /// Takes a subscription that has something to deliver and is due, and puts its next try to
    /// `until`, so that nobody else takes it meanwhile: the outbox of pushes.
    fn lease<'a>(&'a self, now: Timestamp, until: Timestamp) -> StoreFuture<'a, Option<Versioned>>;

    /// A result by its id.
    fn result<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<StoredResult>>;

    /// Keeps a result, in the place of an earlier one of its id. Forgets those that are over at
    /// `now`.
    fn put_result<'a>(&'a self, result: StoredResult, now: Timestamp) -> StoreFuture<'a, ()>;
}

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such collection.
    #[error("there is no collection {0:?}")]
    NoCollection(String),
    /// It may work later.
    #[error("the store cannot be used at the moment: {0}")]
    Unavailable(String),
    /// What is kept cannot be read.
    #[error("what is kept is damaged: {0}")]
    Damaged(String),
    /// It does not work.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whether it was done is not known.
    #[error("the store failed, and it may have been done")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}
