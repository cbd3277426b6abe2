//! The outbox: what is to be sent to others, kept until it was sent or given up.
//!
//! Several processes may share one. A delivery is leased: while the lease lasts nobody else gets it, and when it is over
//! (its process may be gone) the next one does. So a peer may see the same blocks twice, and never misses one.

use bindery_core::Timestamp;

/// A delivery that was leased.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The lease, which [`FeedStore::settle`](super::FeedStore::settle) takes.
    pub lease: Lease,
    /// What is to be done.
    pub outgoing: Outgoing,
    /// How often it was tried without success since the last progress.
    pub attempts: u32,
    /// When it came into the outbox, or made progress last: what an engine that gives up after a time counts from.
    pub since: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl Delivery {
    /// A delivery that has not been tried.
    pub const fn new(lease: Lease, outgoing: Outgoing, since: Timestamp) -> Self {
        Self { lease, outgoing, attempts: 0, since, last_error: None }
    }
}

/// The right to work on a delivery for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The delivery's id.
    pub id: u64,
    /// Counts the leases of this delivery: an earlier one is void when there is a later one.
    pub number: u64,
}

impl Lease {
    /// A lease from its parts.
    pub const fn new(id: u64, number: u64) -> Self {
        Self { id, number }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outgoing {
    /// Push the collection's blocks to a subscriber: those behind what was delivered, and no further than said here.
    Push {
        /// The subscription's id.
        subscription: String,
        /// Up to this label everything was delivered.
        delivered: Timestamp,
        /// The collection's mark when this was leased first since the last progress, or where the portion ended that was
        /// tried since ([`Outcome::Retry`]). What comes meanwhile is for the next time: so that what is sent again is what
        /// was sent.
        up_to: Timestamp,
    },
    /// Push the parts of a result set.
    Result {
        /// The result set's id.
        result: String,
        /// Up to this part everything was delivered; 0: nothing yet.
        delivered: u64,
    },
    /// Work on an asynchronous poll.
    Poll {
        /// The result set's id.
        result: String,
    },
}

/// How a delivery went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Of a [push](Outgoing::Push): everything up to this label was delivered. The delivery leaves the outbox, or is due
    /// at once where there is more already.
    Delivered {
        /// The label.
        up_to: Timestamp,
    },
    /// Of a [result](Outgoing::Result): everything up to this part was delivered, and there is more, due at once.
    Part {
        /// The part's number.
        number: u64,
    },
    /// Of a [result](Outgoing::Result) or a [poll](Outgoing::Poll): done, nothing more to do.
    Finished,
    /// It did not work, and is to be tried again.
    Retry {
        /// When.
        due: Timestamp,
        /// What went wrong; for people.
        error: String,
        /// Of a [push](Outgoing::Push): where the portion ended that was tried. The next try goes no further.
        up_to: Option<Timestamp>,
    },
    /// It will not be tried again. A record stays, for 30 days; of a push, what is up to the collection's mark counts as
    /// not delivered and is passed over.
    GiveUp {
        /// What went wrong; for people.
        error: String,
    },
    /// It takes longer: the lease lasts until then.
    Extend {
        /// When it ends.
        until: Timestamp,
    },
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// The delivery's id.
    pub id: u64,
    /// What was to be done.
    pub outgoing: Outgoing,
    /// Of a push: the label up to which blocks were not delivered.
    pub up_to: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
    /// When it was given up.
    pub given_up: Timestamp,
}

impl Undelivered {
    /// A record from its parts.
    pub const fn new(
        id: u64,
        outgoing: Outgoing,
        up_to: Option<Timestamp>,
        attempts: u32,
        error: String,
        given_up: Timestamp,
    ) -> Self {
        Self { id, outgoing, up_to, attempts, error, given_up }
    }
}
