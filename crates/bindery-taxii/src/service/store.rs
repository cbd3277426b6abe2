//! What the feed services keep, and the promises that a store gives them.
//!
//! Words are TAXII's: a collection (1.0: data feed) holds content blocks; a block has a timestamp label, by which it is
//! polled. A label is an index and not a time (Services 1.1, section 2.2): the store gives it, in the transaction that
//! makes the block visible, and it is later than every label that the collection has given before. So whoever has polled
//! up to a label has everything up to it, and will never miss a block that was on its way meanwhile.
//!
//! Small things (collections, subscriptions, result sets) are loaded with a version, decided on without IO, and
//! committed with the version that the decision rests on; a conflict repeats the decision. Blocks are many and large:
//! they come in one by one through an [`Insertion`], a transaction for each Inbox Message, and go out in pages by key.

mod block;
mod collection;
mod error;
mod outbox;
mod result;
mod subscription;
#[cfg(test)]
mod tests;
mod window;

use std::{fmt, future::Future, pin::Pin};

use bindery_core::Timestamp;

pub use self::{
    block::{Block, Part, StoredBlock},
    collection::{Collection, CollectionState, Grant, Grantee, Offers, Retention, Rights},
    error::{CommitError, FeedStoreError, Subject},
    outbox::{Delivery, Lease, Outcome, Outgoing, Undelivered},
    result::{ResultLimits, ResultPart, ResultSet, ResultState},
    subscription::{PushTo, QueryText, Subscription, SubscriptionFilter},
    window::{ContentFilter, Inbox, Page, PageLimits, Receipt, Received, RepeatKey, Window},
};

/// The future that a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a store gives where it only reads.
pub type Loaded<T> = Result<T, FeedStoreError>;

/// Something as it was loaded: with the version that a change of it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// What was loaded.
    pub record: T,
    /// Its version: 1 when made, one more with every change.
    pub version: u64,
}

impl<T> Versioned<T> {
    /// A record and its version.
    pub const fn new(record: T, version: u64) -> Self {
        Self { record, version }
    }
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A new collection; its name must not be taken.
    InsertCollection(Collection),
    /// A collection in the place of an earlier version of itself.
    ReplaceCollection {
        /// The collection as it should be.
        collection: Collection,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// A collection taken away, with its subscriptions, result sets and blocks. The blocks are no longer seen at once;
    /// their room is given back by [`FeedStore::maintain`].
    RemoveCollection {
        /// Its name.
        name: String,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// Every label that the collection gives from now on is later than this one. What is below the mark already stays
    /// as it is; no conflict.
    RaiseMark {
        /// The collection's name.
        collection: String,
        /// The label. In 1.1 an answer must end at or after its begin and before the next label to be given: an answer
        /// to a poll that begins after the last label needs this.
        to: Timestamp,
    },
    /// Blocks of a data set or a data feed taken away; labels that no block has are passed over.
    RemoveBlocks {
        /// The collection's name.
        collection: String,
        /// The blocks' labels.
        labels: Vec<Timestamp>,
    },
    /// A new subscription; its id must not be taken, and its owner must have no other one that has not ended with the
    /// same [terms](Subscription::terms).
    InsertSubscription {
        /// The subscription.
        subscription: Subscription,
        /// The most that its owner may have to its collection and that have not ended;
        /// [`CommitError::Limit`] where there are as many. Of those that have ended as many are remembered,
        /// the last ones.
        most: usize,
    },
    /// A subscription in the place of an earlier version of itself.
    ReplaceSubscription {
        /// The subscription as it should be.
        subscription: Subscription,
        /// The version that the decision rests on.
        expected: u64,
        /// Where pushing goes on: behind this label. Nothing: behind what was delivered last.
        restart: Option<Timestamp>,
    },
    /// A result set, which must not be there.
    InsertResult {
        /// The result set.
        result: ResultSet,
        /// Its parts, numbered from 1 on; none where it is not ready.
        parts: Vec<ResultPart>,
        /// How many result sets there may be.
        limits: ResultLimits,
    },
    /// A result set in the place of an earlier version of itself.
    ReplaceResult {
        /// The result set as it should be.
        result: ResultSet,
        /// Its parts, in the place of those that it had.
        parts: Vec<ResultPart>,
        /// The version that the decision rests on.
        expected: u64,
    },
    /// A result set taken away with its parts; nothing where it is gone already.
    RemoveResult {
        /// Its id.
        id: String,
    },
    /// A record of what could not be delivered, taken away; nothing where it is gone already.
    ForgetUndelivered {
        /// The delivery's id.
        id: u64,
    },
}

/// Where the feed services keep collections, content, subscriptions, result sets and what is to be pushed.
///
/// Promises:
/// - A commit and an insertion are atomic, and durable when their future is ready; what one future has returned, every
///   later call sees; readers see whole commits only. A future that is dropped half-way leaves the whole of it or
///   nothing.
/// - Labels of a collection increase strictly in the order in which blocks become visible.
/// - Nothing is held between two calls: a reader that pauses between pages keeps no transaction, lock or memory.
/// - Subscribers of a collection who are active and pushed to have a delivery in the outbox from the moment when there
///   is a block that they were not given.
pub trait FeedStore: fmt::Debug + Send + Sync {
    /// Loads collections; `None` for a name that none has. The answer has the order of `names`.
    fn load_collections<'a>(
        &'a self,
        names: &'a [String],
    ) -> StoreFuture<'a, Loaded<Vec<Option<CollectionState>>>>;

    /// Lists collections in the order of their names (octets), after a name, at most `limit`.
    fn list_collections<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<CollectionState>>>;

    /// Reads the next page of a window: what lies behind the label `after`, or behind the window's begin.
    ///
    /// A page may have fewer blocks than the limits allow, even none, while [`Page::next`] says that there is more: the
    /// time for a page is limited, however few blocks the filter lets through. A collection that is not there has none.
    fn page<'a>(
        &'a self,
        window: &'a Window,
        after: Option<Timestamp>,
        limits: PageLimits,
    ) -> StoreFuture<'a, Loaded<Page>>;

    /// Counts the blocks of a window. Where counting means looking at each of them it ends with `most`, so that `most` stands
    /// for as many or more, and any other number is how many there are.
    fn count<'a>(&'a self, window: &'a Window, most: u64) -> StoreFuture<'a, Loaded<u64>>;

    /// Cuts a window into parts, each as long as the limits allow, at most `most` of them: the first one begins where
    /// the window does, each other one where the one before ends. Where `most` are not enough the last one has
    /// [`ResultPart::more`]; otherwise it ends where the window does. A window without blocks is one part.
    ///
    /// No content is read, and what it costs grows with the window's blocks only.
    fn divide<'a>(
        &'a self,
        window: &'a Window,
        limits: PageLimits,
        most: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>>;

    /// Begins to take the blocks of one message. Nothing of it can be seen until [`Insertion::commit`].
    fn insert(&self, inbox: Inbox) -> StoreFuture<'_, Result<Box<dyn Insertion>, CommitError>>;

    /// Loads a subscription.
    fn load_subscription<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<Subscription>>>>;

    /// Lists subscriptions in the order of their ids.
    fn list_subscriptions<'a>(
        &'a self,
        filter: &'a SubscriptionFilter,
    ) -> StoreFuture<'a, Loaded<Vec<Versioned<Subscription>>>>;

    /// Loads a result set. One whose time is over may still be there.
    fn load_result<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<ResultSet>>>>;

    /// Loads parts of a result set in their order, from a number on, at most `limit`.
    fn load_parts<'a>(
        &'a self,
        result: &'a str,
        from: u64,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>>;

    /// Makes all changes, or none.
    fn commit(
        &self,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>>;

    /// Takes deliveries that are due out of the outbox, until a time when others may have them, at most `limit`, those
    /// first that are due longest.
    fn lease(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Vec<Delivery>, CommitError>>;

    /// Says how a delivery went. [`CommitError::Conflict`] where the lease has been over and somebody else has it, or
    /// the subscription or result is gone: then nothing is noted.
    fn settle(
        &self,
        lease: Lease,
        outcome: Outcome,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>>;

    /// When the next delivery is due: at once where that is past; `None` where the outbox is empty. A lease counts as
    /// due when it ends.
    fn next_due(&self) -> StoreFuture<'_, Loaded<Option<Timestamp>>>;

    /// Lists what was given up, in the order of ids, after an id, at most `limit`.
    fn undelivered(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<'_, Loaded<Vec<Undelivered>>>;

    /// Does a piece of what has to be done from time to time, of at most about `limit` rows, so that others wait for it
    /// only shortly: retention, result sets and repeat keys whose time is over, subscriptions that ended more than a day
    /// ago, what was given up more than 30 days ago, insertions whose process is gone, content bindings that no block has
    /// any more, and what is left of collections that were removed. A result set stays while a delivery of it is in the
    /// outbox: it was promised. To be repeated while [`Maintained::more`].
    fn maintain(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Maintained, CommitError>>;
}

/// The blocks of one message on their way in. Dropped without a commit, nothing of them is ever seen.
pub trait Insertion: fmt::Debug + Send {
    /// Takes the next block, for some of the collections that the insertion was begun with, by their place in
    /// [`Inbox::collections`]; for none, it is passed over. When the future is ready the block's memory is free or
    /// counted in a small fixed buffer.
    fn add<'a>(
        &'a mut self,
        block: Block,
        to: &'a [usize],
    ) -> StoreFuture<'a, Result<(), CommitError>>;

    /// Gives the labels and makes all blocks visible at once.
    ///
    /// [`CommitError::Conflict`] names a collection that is gone, or the insertion itself where it took so long that its
    /// blocks were cleared away (see [`FeedStore::maintain`]): send it again.
    fn commit(
        self: Box<Self>,
        now: Timestamp,
    ) -> StoreFuture<'static, Result<Receipt, CommitError>>;
}

/// What a call of [`FeedStore::maintain`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintained {
    /// Blocks that were taken out of their collection.
    pub blocks: u64,
    /// Other rows that were removed.
    pub others: u64,
    /// Whether there is more to do now.
    pub more: bool,
}

impl Maintained {
    /// What was done.
    pub const fn new(blocks: u64, others: u64, more: bool) -> Self {
        Self { blocks, others, more }
    }
}
