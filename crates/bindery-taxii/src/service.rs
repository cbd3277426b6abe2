//! The feed services, without IO, clock or runtime.
//!
//! [`FeedServer`] answers a [`TaxiiRequest`](crate::TaxiiRequest) of any dialect over a [`FeedStore`]. Time comes with the
//! [`Context`](bindery_core::Context), randomness with [`Ids`](crate::Ids).
//!
//! # Choices
//!
//! Where the specifications leave a choice, or ask for what is not there yet:
//!
//! - **Labels** differ for all blocks of a collection, also for those of one message. A response says that it ends at the
//!   last label that was given, or earlier where the client asked so: what comes later has a later label.
//! - **Parts.** A poll of 1.1 is answered in parts by number and octets of blocks; one of 1.0 or the draft at once, as a
//!   stream, because these have no parts. All parts are cut when the poll is answered, without looking at content, so any
//!   of them costs what the first one does. A feed of more parts than there may be is answered up to the last of them,
//!   and says that it ends there.
//! - **Result sets** are so many of an account, of which the oldest makes room for the next, and so many in all (RETRY).
//! - **The part behind the last** is INVALID_RESPONSE_PART, or an empty one where `FeedServerConfig::part_behind_last`
//!   says so: cabby asks for it.
//! - **Answers come at once**, but where the client allows another time, [`Later`] says so and the answer is long or takes a
//!   query: then the answer is PENDING, a [`Pusher`] cuts the result, and the client fetches it, or gets it pushed where it
//!   asked for that and may.
//! - **Queries** are Default Query 1.0 over STIX 1.x, where [`FeedServerConfig::queries`] says so; the module `query` says
//!   how they are understood. A poll with a query looks through so much and no more.
//! - **Sets** are not there for 1.0 and the draft, which do not know them.
//! - **An Inbox message is kept whole or not at all**: one block that a destination does not take refuses all.
//! - **The draft's blocks are one element `STIX`**: what is none is left out of its answers. Its subscription terms that ask for
//!   protection are refused.
//! - **Pushes** begin with what comes after the subscription was made, and go to hosts and ports that the operator has named
//!   only, which is looked at again whenever something is sent. A subscription is polled or pushed. What is pushed again is
//!   what was pushed, under the message id that it had, also where more has come meanwhile.

mod config;
mod cut;
mod engine;
mod fault;
mod gate;
mod inbox;
mod information;
mod poll;
mod push;
#[doc(hidden)]
pub mod query;
mod store;
mod subscription;
mod threads;

pub use config::{FeedServerConfig, Later, Observer, Places, ServiceAccess};
pub use cut::CutLimits;
pub use engine::FeedServer;
pub use gate::Gate;
pub use push::{
    Hosts, ParseHostError, PushFailed, PushHost, PushPorts, PushRules, Pusher, PusherConfig,
    SendPush, Sending, Stepped,
};
pub use query::Queries;
pub use store::{
    Block, Change, Collection, CollectionState, CommitError, ContentFilter, Delivery, FeedStore,
    FeedStoreError, Grant, Grantee, Inbox, Insertion, Lease, Loaded, Maintained, Offers, Outcome,
    Outgoing, Page, PageLimits, Part, PushTo, QueryText, Receipt, Received, RepeatKey,
    ResultLimits, ResultPart, ResultSet, ResultState, Retention, Rights, StoreFuture, StoredBlock,
    Subject, Subscription, SubscriptionFilter, Undelivered, Versioned, Window,
};
pub use threads::{InPlace, Threads, Work};
