//! `[service.taxii]`.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use bindery_taxii::{HttpProfile, Service, service::FeedServerConfig};
use serde::{Deserialize, Serialize};

use crate::args::Span;

/// The TAXII feed services.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TaxiiService {
    /// The path of discovery.
    pub(crate) discovery_path: String,
    /// The path of collection (feed) information and subscriptions.
    pub(crate) collection_path: String,
    /// The path of polls.
    pub(crate) poll_path: String,
    /// The path of the inbox.
    pub(crate) inbox_path: String,
    /// The dialects that are spoken.
    pub(crate) dialects: Vec<DialectName>,
    /// How clients may prove a password; none: they do not.
    pub(crate) http_auth: Vec<HttpAuth>,
    /// Whether a client that has said nothing of who it is comes through, as nobody.
    pub(crate) anonymous: bool,
    /// What stands before the paths where clients are told addresses.
    pub(crate) public_url: Option<String>,
    /// The longest request, in octets.
    pub(crate) request_limit: u32,
    /// The most blocks of one result part.
    pub(crate) part_blocks: NonZeroUsize,
    /// How long the parts of a result can be asked for.
    pub(crate) results: Span,
    /// Where content goes whose sender names no collection.
    pub(crate) default_destinations: Vec<String>,
    /// Whether polls and subscriptions may have queries.
    pub(crate) queries: bool,
    /// Above how many blocks a poll that allows it is answered later; none: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) later_above: Option<u64>,
    /// Where subscribers may have content pushed.
    pub(crate) push: TaxiiPush,
    /// The collections by name.
    pub(crate) collection: BTreeMap<String, TaxiiCollection>,
}

impl Default for TaxiiService {
    fn default() -> Self {
        let path = |service| HttpProfile::new(service).path.into_owned();
        let engine = FeedServerConfig::default();
        let profile = HttpProfile::new(Service::Inbox);
        Self {
            discovery_path: path(Service::Discovery),
            collection_path: path(Service::CollectionManagement),
            poll_path: path(Service::Poll),
            inbox_path: path(Service::Inbox),
            dialects: vec![DialectName::Draft, DialectName::Released],
            http_auth: Vec::new(),
            anonymous: false,
            public_url: None,
            request_limit: u32::try_from(profile.request_body_limit).unwrap_or(u32::MAX),
            part_blocks: NonZeroUsize::new(engine.part.blocks).unwrap_or(NonZeroUsize::MIN),
            results: Span::new(engine.results),
            default_destinations: Vec::new(),
            queries: false,
            later_above: None,
            push: TaxiiPush::default(),
            collection: BTreeMap::new(),
        }
    }
}

impl TaxiiService {
    /// The path of each service, with its key.
    pub(crate) fn paths(&self) -> [(&'static str, Service, &str); 4] {
        [
            ("discovery_path", Service::Discovery, &self.discovery_path),
            ("collection_path", Service::CollectionManagement, &self.collection_path),
            ("poll_path", Service::Poll, &self.poll_path),
            ("inbox_path", Service::Inbox, &self.inbox_path),
        ]
    }
}

/// Pushes to subscribers' inboxes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TaxiiPush {
    /// The hosts that are pushed to, and at which ports; none: nothing is pushed.
    pub(crate) hosts: Vec<String>,
    /// Whether inboxes in clear are taken.
    pub(crate) clear: bool,
    /// How many deliveries are worked on at a time.
    pub(crate) workers: NonZeroUsize,
    /// The certificates of the authorities that vouch for inboxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cacert: Option<PathBuf>,
    /// The certificate that is shown to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert: Option<PathBuf>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
}

impl Default for TaxiiPush {
    fn default() -> Self {
        let workers = const { NonZeroUsize::new(16).unwrap() };
        let (hosts, clear, cacert, cert, key) = (Vec::new(), false, None, None, None);
        Self { hosts, clear, workers, cacert, cert, key }
    }
}

/// A rule book of TAXII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DialectName {
    /// The draft of November 2012.
    Draft,
    /// 1.0 and 1.1, what other software speaks.
    Released,
}

/// A way to prove a password over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HttpAuth {
    /// Basic; over TLS only.
    Basic,
    /// Digest.
    Digest,
}

/// A collection; before TAXII 1.1, a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TaxiiCollection {
    /// Feed or set.
    #[serde(rename = "type")]
    pub(crate) kind: CollectionKind,
    /// For people.
    pub(crate) description: String,
    /// The content bindings that it takes; none: everything.
    pub(crate) bindings: Vec<String>,
    /// About how many blocks come in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<u64>,
    /// Who may see, poll and subscribe: accounts, or "@accounts" for all of them, or "@anyone".
    pub(crate) read: Vec<String>,
    /// Who may send to it.
    pub(crate) write: Vec<String>,
    /// How many days blocks are kept; none: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_days: Option<u32>,
    /// How many blocks are kept; none: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_blocks: Option<u64>,
}

/// What a collection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CollectionKind {
    /// Ordered, and never changed.
    #[default]
    Feed,
    /// Not ordered; TAXII 1.1 only.
    Set,
}
