//! Collections: what they are, what they take and give, and who may do what.

use std::time::Duration;

use bindery_core::{Principal, Timestamp};
use bindery_taxii_xml::{CollectionType, ContentBinding};

use super::ContentFilter;

/// A collection (before 1.1: a data feed) as an operator sets it up. Addresses of services are not here: which service
/// instances there are is known to who runs them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collection {
    /// Its name, an URI; unique (draft, section 1.2.1).
    pub name: String,
    /// A data feed, ordered by labels and immutable, or a data set.
    pub kind: CollectionType,
    /// For people.
    pub description: String,
    /// Whether it is in use. One that is not is listed as not available, and neither gives nor takes content.
    pub enabled: bool,
    /// About how many blocks come in a day, where the operator says so.
    pub volume: Option<u64>,
    /// What its blocks may be; none: everything.
    pub content_bindings: Vec<ContentBinding>,
    /// Which services it has.
    pub offers: Offers,
    /// How long blocks are kept.
    pub retention: Retention,
    /// Who may do what. Rights add up; without a grant there are none.
    pub grants: Vec<Grant>,
}

impl Collection {
    /// An enabled data feed for everything, with all services, that nobody may use yet.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: CollectionType::DataFeed,
            description: description.into(),
            enabled: true,
            volume: None,
            content_bindings: Vec::new(),
            offers: Offers::ALL,
            retention: Retention::default(),
            grants: Vec::new(),
        }
    }

    /// What somebody may do; `None` is a peer without an account.
    pub fn rights(&self, principal: Option<&Principal>) -> Rights {
        let granted = self.grants.iter().filter(|grant| grant.to.includes(principal));
        granted.fold(Rights::NONE, |sum, grant| sum.and(grant.rights))
    }

    /// Whether a block of this binding and subtype belongs here.
    pub fn takes(&self, binding: &str, subtype: Option<&str>) -> bool {
        ContentFilter::of(&self.content_bindings).matches(binding, subtype)
    }
}

/// The services of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offers {
    /// It can be polled.
    pub poll: bool,
    /// It can be subscribed to.
    pub subscription: bool,
    /// Its content is pushed to subscribers who ask for that.
    pub push: bool,
    /// Inbox Messages for it are taken.
    pub inbox: bool,
}

impl Offers {
    /// All services.
    pub const ALL: Self = Self { poll: true, subscription: true, push: true, inbox: true };
    /// None.
    pub const NONE: Self = Self { poll: false, subscription: false, push: false, inbox: false };
}

/// How long blocks are kept; what is over any of the limits may be removed, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Since they were received. Nothing: without end. Whole microseconds count.
    pub age: Option<Duration>,
    /// How many. Nothing: without limit.
    pub blocks: Option<u64>,
}

/// Who has a right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grantee {
    /// Everybody, peers without an account too.
    Anyone,
    /// Everybody who has an account.
    Authenticated,
    /// One account.
    Principal(Principal),
}

impl Grantee {
    /// Whether somebody is meant; `None` is a peer without an account.
    pub fn includes(&self, principal: Option<&Principal>) -> bool {
        match self {
            Self::Anyone => true,
            Self::Authenticated => principal.is_some(),
            Self::Principal(name) => principal == Some(name),
        }
    }
}

/// A right given to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// To whom.
    pub to: Grantee,
    /// What.
    pub rights: Rights,
}

impl Grant {
    /// A grant.
    pub const fn new(to: Grantee, rights: Rights) -> Self {
        Self { to, rights }
    }
}

/// What somebody may do with a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rights {
    /// See that it is there, in Collection Information. To whom this is not given it does not exist: NOT_FOUND.
    pub list: bool,
    /// Poll it.
    pub poll: bool,
    /// Subscribe to it, and manage subscriptions of one's own.
    pub subscribe: bool,
    /// Send Inbox Messages to it.
    pub inbox: bool,
}

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self { list: false, poll: false, subscribe: false, inbox: false };
    /// See, poll and subscribe.
    pub const READ: Self = Self { list: true, poll: true, subscribe: true, inbox: false };
    /// See and send.
    pub const WRITE: Self = Self { list: true, poll: false, subscribe: false, inbox: true };
    /// Everything.
    pub const ALL: Self = Self::READ.and(Self::WRITE);

    /// What either of the two allows.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            list: self.list || other.list,
            poll: self.poll || other.poll,
            subscribe: self.subscribe || other.subscribe,
            inbox: self.inbox || other.inbox,
        }
    }
}

/// A collection as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionState {
    /// How it is set up.
    pub collection: Collection,
    /// The version of that: 1 when made, one more with every change of the setting. Blocks do not change it.
    pub version: u64,
    /// Every label that was given is at or before this one, and every label to be given is after it: up to here the
    /// collection is complete. The time of making where no label was given.
    pub mark: Timestamp,
    /// How many blocks it has.
    pub blocks: u64,
}

impl CollectionState {
    /// A state from its parts.
    pub const fn new(collection: Collection, version: u64, mark: Timestamp, blocks: u64) -> Self {
        Self { collection, version, mark, blocks }
    }
}
