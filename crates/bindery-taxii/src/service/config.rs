//! What the operator decides about the feed services. Collections and who may use them are the store's
//! ([`Collection`](super::Collection)).

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use bindery_core::{Principal, Refusal};

use super::{
    CutLimits, FeedStoreError, Grantee, InPlace, PageLimits, PushRules, Queries, ResultLimits,
    Threads,
};
use crate::{Carrier, Service, TaxiiRequest};

/// Where services stand, as clients are told.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Places {
    /// The path of each service that is there.
    pub paths: BTreeMap<Service, String>,
    /// What stands before the paths, such as `https://taxii.example.com`, where a proxy changes it. By default clients
    /// are told the scheme, host and port that they came by: what really listens.
    pub public: Option<String>,
}

impl Places {
    /// A service's address for whoever sent a request; nothing where it is not there.
    pub(super) fn address(&self, service: Service, request: &TaxiiRequest) -> Option<String> {
        let path = self.paths.get(&service)?;
        match (&self.public, &request.authority) {
            (Some(public), _) => Some(format!("{}{path}", public.trim_end_matches('/'))),
            (None, Some(authority)) => {
                Some(format!("{}://{authority}{path}", request.carrier.scheme()))
            }
            (None, None) => None,
        }
    }

    /// The channel that the address of [`Places::address`] has.
    pub(super) fn carrier(&self, request: &TaxiiRequest) -> Carrier {
        match &self.public {
            Some(public) if public.starts_with("http://") => Carrier::Http,
            Some(_) => Carrier::Https,
            None => request.carrier,
        }
    }
}

/// Who may use a service at all; what they may do with collections is said there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccess {
    /// To whom it is open; nobody else gets to it, and nobody at all where this is empty.
    pub to: Vec<Grantee>,
    /// Whether it is not there for everybody else (status 404), rather than forbidden (403). That it cannot be told from an
    /// unknown path takes a [`Gate`](super::Gate) in front.
    pub concealed: bool,
}

impl ServiceAccess {
    /// A service that is open to these, and forbidden to others.
    pub const fn open_to(to: Vec<Grantee>) -> Self {
        Self { to, concealed: false }
    }

    /// The same, hidden from others.
    #[must_use]
    pub const fn concealed(mut self) -> Self {
        self.concealed = true;
        self
    }

    /// What those are told to whom it is not open.
    pub(super) const fn refusal(&self) -> Refusal {
        if self.concealed { Refusal::Target } else { Refusal::Forbidden }
    }

    /// Whether somebody may use it; `None` is a peer without an account.
    pub fn permits(&self, principal: Option<&Principal>) -> bool {
        self.to.iter().any(|one| one.includes(principal))
    }
}

/// The feed services' settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FeedServerConfig {
    /// Where the services stand.
    pub places: Places,
    /// Who may use a service at all (draft, section 7: 403, or 404 to conceal it). One that is not named is open to
    /// everybody.
    pub access: BTreeMap<Service, ServiceAccess>,
    /// The queries that polls and subscriptions may have; nothing, the default: none (UNSUPPORTED_QUERY).
    pub queries: Option<Queries>,
    /// When a poll that allows it is answered later; nothing, the default: never. It takes a [`Pusher`](super::Pusher)
    /// to work on it.
    pub later: Option<Later>,
    /// Where subscribers may have content pushed; nothing, the default: nowhere. A [`Pusher`](super::Pusher) does it.
    pub push: Option<PushRules>,
    /// The collections that content goes to when its sender names none, as 1.0 and the draft never do.
    pub default_destinations: Vec<String>,
    /// The most of one result part, in 1.1. Default 1,000 blocks and 8 MiB.
    pub part: PageLimits,
    /// The most parts of one result: the answer to a poll of a feed that has more ends where they do, and the next poll
    /// goes on from there; a set that has more is refused. What a poll costs grows with it: each block's small row is
    /// looked at. Default 1,000.
    pub parts: usize,
    /// The most blocks that are counted where a number is asked for and no content: what is more is said to be at least so
    /// many. All of a collection takes no counting. Default 1,000,000.
    pub counted: u64,
    /// How many result sets there may be. Default 100 of an account, of which the oldest makes room for a new one, and
    /// 10,000 in all.
    pub result_sets: ResultLimits,
    /// What a streamed answer reads from the store at once. Default 100 blocks and 1 MiB.
    pub page: PageLimits,
    /// Whether the part right behind the last one is answered as an empty part, and not as INVALID_RESPONSE_PART:
    /// cabby 0.1.23 does not look at `more` after the first part and asks on until a part is empty, so that every poll of
    /// more than one part would end in an error. Off by default, on in the program.
    pub part_behind_last: bool,
    /// How long the parts of a result can be asked for. Default an hour.
    pub results: Duration,
    /// How long an Inbox message is known again when it is repeated. Default a day.
    pub repeats: Duration,
    /// The most subscriptions of an account to a collection. Default 100.
    pub subscriptions: usize,
    /// The most collections that one answer lists. Default 10,000.
    pub listed: usize,
    /// The most octets of one block. Default 64 MiB.
    pub block_octets: usize,
    /// Where queries are asked of many blocks. By default where the answer is made, which holds up a runtime's thread.
    pub threads: Arc<dyn Threads>,
    /// Who is told of failures that a peer must not see. By default nobody.
    pub observer: Arc<dyn Observer>,
}

impl FeedServerConfig {
    /// What results are cut by.
    pub fn cut_limits(&self) -> CutLimits {
        let examined = self.queries.as_ref().map_or(self.page, |queries| queries.examined);
        let work = self.queries.as_ref().map_or(u64::MAX, |queries| queries.work);
        CutLimits { part: self.part, parts: self.parts, page: self.page, examined, work }
    }
}

impl Default for FeedServerConfig {
    fn default() -> Self {
        Self {
            places: Places::default(),
            access: BTreeMap::new(),
            queries: None,
            later: None,
            push: None,
            default_destinations: Vec::new(),
            part: PageLimits::new(1_000, 8 << 20),
            parts: 1_000,
            counted: 1_000_000,
            result_sets: ResultLimits::default(),
            part_behind_last: false,
            page: PageLimits::default(),
            results: Duration::from_secs(3_600),
            repeats: Duration::from_secs(86_400),
            subscriptions: 100,
            listed: 10_000,
            block_octets: 64 << 20,
            threads: Arc::new(InPlace),
            observer: Arc::new(Silent),
        }
    }
}

/// When a poll that allows it is answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Later {
    /// Where more than so many blocks are to be looked through.
    pub above: u64,
    /// What clients are told to wait, at least a second.
    pub wait: Duration,
}

impl Later {
    /// Later where there is more than this to look through; clients are to ask again after ten seconds.
    pub const fn above(blocks: u64) -> Self {
        Self { above: blocks, wait: Duration::from_secs(10) }
    }
}

/// Is told what goes wrong behind the server's back, and what came in.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The store failed.
    fn store_failed(&self, error: &FeedStoreError) {
        let _ = error;
    }

    /// Blocks were kept in a collection; or were there already, where the message was a repetition.
    fn received(&self, collection: &str, blocks: u64, repeated: bool) {
        let _ = (collection, blocks, repeated);
    }
}

/// Tells nobody.
#[derive(Debug)]
struct Silent;

impl Observer for Silent {}
