//! The plan of the feed services.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bindery_core::{AuthScheme, Principal};
use bindery_taxii::{
    Dialects, HttpProfile, Service,
    service::{
        Collection, FeedServerConfig, Grant, Grantee, Later, PageLimits, PushHost, PushRules,
        Queries, Retention, Rights,
    },
};
use bindery_taxii_xml::{CollectionType, ContentBinding};
use bindery_tls::Connector;

use super::{Planner, SMALLEST_REQUEST, is_path};
use crate::{
    config::{
        ClientSettings, ServiceName,
        taxii::{CollectionKind, DialectName, TaxiiCollection, TaxiiService},
    },
    settings::Settings,
    tls,
};

/// The feed services.
#[derive(Debug)]
pub(crate) struct TaxiiPlan {
    /// The card of each address.
    pub(crate) profiles: Vec<HttpProfile>,
    pub(crate) engine: FeedServerConfig,
    /// The collections as they are to be.
    pub(crate) collections: Vec<Collection>,
    pub(crate) auth: AuthPlan,
    pub(crate) push: PushPlan,
}

/// How content is pushed, and work done that comes later.
#[derive(Debug, Default)]
pub(crate) struct PushPlan {
    /// How many deliveries are worked on at a time; none where there are none.
    pub(crate) workers: usize,
    pub(crate) clear: bool,
    /// TLS to inboxes; none: in clear only.
    pub(crate) connector: Option<Arc<dyn Connector>>,
}

/// How clients of a service prove who they are over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthPlan {
    pub(crate) realm: String,
    /// None: by certificate, or not at all.
    pub(crate) schemes: Vec<AuthScheme>,
    /// Whether one who says nothing comes through as nobody.
    pub(crate) anonymous: bool,
}

/// Everybody who has an account.
const ACCOUNTS: &str = "@accounts";
/// Everybody.
const ANYONE: &str = "@anyone";

/// Seconds of a day.
const DAY: u64 = 86_400;

impl Planner<'_> {
    pub(super) fn taxii(&mut self) -> Option<TaxiiPlan> {
        let service = self.loaded.value.service.taxii.as_ref()?;
        let mut taken: Vec<&str> = Vec::new();
        for (key, _, path) in service.paths() {
            let key = format!("service.taxii.{key}");
            if !is_path(path) {
                self.problem(&key, format!("{path:?} is no path"), "write it like /taxii/poll");
            }
            if taken.contains(&path) {
                self.problem(&key, format!("{path} is another service's path"), "give it its own");
            }
            taken.push(path);
        }
        if service.request_limit < SMALLEST_REQUEST {
            let reason = format!("{} octets are too few for any request", service.request_limit);
            let remedy = format!("give at least {SMALLEST_REQUEST}; the default is 67108864");
            self.problem("service.taxii.request_limit", reason, remedy);
        }
        if service.dialects.is_empty() {
            let remedy = "leave the key out, or name \"released\" or \"draft\"";
            self.problem("service.taxii.dialects", "no dialect is spoken", remedy);
        }
        let auth = self.auth("service.taxii.http_auth", &service.http_auth, service.anonymous);
        let collections = self.collections(service);
        for name in &service.default_destinations {
            if !service.collection.contains_key(name) {
                self.problem(
                    "service.taxii.default_destinations",
                    format!("there is no collection {name:?}"),
                    format!("add the table [service.taxii.collection.{name:?}]"),
                );
            }
        }
        for host in &service.push.hosts {
            if let Err(error) = host.parse::<PushHost>() {
                let remedy =
                    "write inbox.example, inbox.example:8443, or inbox.example:* for any port";
                self.problem("service.taxii.push.hosts", error.to_string(), remedy);
            }
        }
        let (profiles, engine) = (profiles(service), engine(service));
        let push = self.push(service);
        Some(TaxiiPlan { profiles, engine, collections, auth, push })
    }

    fn push(&mut self, service: &TaxiiService) -> PushPlan {
        let push = &service.push;
        if push.hosts.is_empty() && service.later_above.is_none() {
            return PushPlan::default();
        }
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| self.loaded.path(path));
        let settings = ClientSettings {
            taxii_url: Some("https://inbox.invalid/".to_owned()),
            cacert: path(&push.cacert),
            cert: path(&push.cert),
            key: path(&push.key),
            ..ClientSettings::default()
        };
        let mut connector = None;
        if push.cacert.is_some() {
            let made = Settings::of(settings, ServiceName::Taxii);
            match made.and_then(|settings| tls::connector(&settings)) {
                Ok(made) => connector = Some(made),
                Err(failure) => self.problem(
                    "service.taxii.push.cacert",
                    failure.message,
                    "name files with certificates and a key in PEM",
                ),
            }
        } else if !push.hosts.is_empty() && !push.clear {
            self.problem(
                "service.taxii.push.cacert",
                "nothing says which authorities vouch for inboxes",
                "name the file with their certificates",
            );
        }
        if push.clear {
            self.warnings.push(
                "service.taxii.push.clear: what is pushed in clear can be read by whoever is between"
                    .to_owned(),
            );
        }
        PushPlan { workers: push.workers.get(), clear: push.clear, connector }
    }

    fn collections(&mut self, service: &TaxiiService) -> Vec<Collection> {
        let mut collections = Vec::new();
        for (name, one) in &service.collection {
            let key = format!("service.taxii.collection.{name}");
            if name.is_empty() || name.chars().any(char::is_control) {
                self.problem(&key, format!("{name:?} is no name"), "write a word or a URI");
            }
            if one.read.iter().any(|who| who == ANYONE) && !service.anonymous {
                self.warnings.push(format!(
                    "{key}.read = [\"{ANYONE}\"]: only who has an account comes there, because \
                     service.taxii.anonymous is false"
                ));
            }
            for (member, names) in [("read", &one.read), ("write", &one.write)] {
                let wrong = names.iter().find(|who| {
                    who.is_empty() || (who.starts_with('@') && *who != ACCOUNTS && *who != ANYONE)
                });
                if let Some(wrong) = wrong {
                    self.problem(
                        &format!("{key}.{member}"),
                        format!("{wrong:?} is nobody"),
                        format!("name an account, \"{ACCOUNTS}\" or \"{ANYONE}\""),
                    );
                }
            }
            collections.push(collection(name, one));
        }
        collections
    }
}

fn profiles(service: &TaxiiService) -> Vec<HttpProfile> {
    let spoken = |name| service.dialects.contains(&name);
    let dialects = match (spoken(DialectName::Draft), spoken(DialectName::Released)) {
        (true, true) => Dialects::ALL,
        (true, false) => Dialects::DRAFT,
        (false, _) => Dialects::RELEASED,
    };
    let profiles = service.paths().map(|(_, kind, path)| {
        let mut profile = HttpProfile::new(kind);
        profile.path = path.to_owned().into();
        profile.dialects = dialects;
        // A listener in clear is asked for in so many words.
        profile.clear = true;
        profile.request_body_limit = service.request_limit.into();
        profile
    });
    profiles.into()
}

fn engine(service: &TaxiiService) -> FeedServerConfig {
    let mut engine = FeedServerConfig::default();
    let paths = service.paths();
    engine.places.paths =
        paths.into_iter().map(|(_, kind, path): (_, Service, _)| (kind, path.to_owned())).collect();
    engine.places.public.clone_from(&service.public_url);
    engine.part = PageLimits::new(service.part_blocks.get(), engine.part.octets);
    engine.results = service.results.duration();
    // cabby asks for it.
    engine.part_behind_last = true;
    engine.default_destinations.clone_from(&service.default_destinations);
    engine.queries = service.queries.then(Queries::stix);
    engine.later = service.later_above.map(Later::above);
    if !service.push.hosts.is_empty() {
        // Those that are none were told of.
        let hosts = service.push.hosts.iter().filter_map(|host| host.parse().ok());
        let mut rules = PushRules::to(hosts);
        rules.clear = service.push.clear;
        engine.push = Some(rules);
    }
    engine
}

fn collection(name: &str, one: &TaxiiCollection) -> Collection {
    let mut made = Collection::new(name, one.description.clone());
    made.kind = match one.kind {
        CollectionKind::Feed => CollectionType::DataFeed,
        CollectionKind::Set => CollectionType::DataSet,
    };
    made.volume = one.volume;
    made.content_bindings = one.bindings.iter().map(ContentBinding::new).collect();
    let mut retention = Retention::default();
    retention.age = one.keep_days.map(|days| Duration::from_secs(u64::from(days) * DAY));
    retention.blocks = one.keep_blocks;
    made.retention = retention;
    let grants = |names: &[String], rights| {
        let to = |who: &String| match who.as_str() {
            ANYONE => Grantee::Anyone,
            ACCOUNTS => Grantee::Authenticated,
            name => Grantee::Principal(Principal::new(name)),
        };
        names.iter().map(|who| Grant::new(to(who), rights)).collect::<Vec<_>>()
    };
    made.grants = grants(&one.read, Rights::READ);
    made.grants.extend(grants(&one.write, Rights::WRITE));
    made
}
