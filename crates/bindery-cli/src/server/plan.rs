//! From a configuration to a plan that can be started: everything is read and checked, nothing is
//! opened, bound or changed.

mod listener;
pub(crate) mod omadm;
pub(crate) mod taxii;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use bindery_core::{IdentityMap, Timestamp};
use bindery_kmip::{HttpsProfile, KmipHttps, service::KeyServerConfig};
use bindery_store::{Kek, SqliteOptions, Synchronous};
use bindery_tls::{Acceptor, CertificateIdentity, Expiry, TlsError};
use bindery_transport::{Limits, Network, Upgrade};
use bindery_ttlv::{Options, Tolerance};

use crate::{
    config::{
        self, Config, CrlCheck, Loaded, Problem, Problems, Protocol, ServiceName,
        accounts::AccountFile,
    },
    files,
    server::accounts::LiveAccounts,
};

/// What a server is started from.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The store.
    pub(crate) store: SqliteOptions,
    /// Everything else.
    pub(crate) serving: Serving,
    /// What is allowed and should be known.
    pub(crate) warnings: Vec<String>,
}

/// What a server serves, and where.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) listeners: Vec<ListenerPlan>,
    pub(crate) identities: Arc<dyn IdentityMap>,
    pub(crate) accounts: LiveAccounts,
    pub(crate) limits: Limits,
    pub(crate) kmip: Option<KmipPlan>,
    pub(crate) omadm: Option<omadm::OmadmPlan>,
    pub(crate) taxii: Option<taxii::TaxiiPlan>,
    pub(crate) admin: Option<AdminPlan>,
}

/// A listener.
#[derive(Debug)]
pub(crate) struct ListenerPlan {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// TLS; none in clear.
    pub(crate) acceptor: Option<Arc<dyn Acceptor>>,
    /// The services that may be reached through it; empty: all.
    pub(crate) services: Vec<ServiceName>,
    /// When what it shows and trusts runs out.
    pub(crate) expiries: Vec<Expiry>,
    /// Whether its revocation lists count only until they run out.
    pub(crate) lists_run_out: bool,
    pub(crate) protocol: Protocol,
    /// From whom a PROXY head is taken; empty: from nobody.
    pub(crate) balancers: Vec<Network>,
    /// How it becomes TLS, where it begins in clear; by the acceptor above.
    pub(crate) upgrade: Option<UpgradePlan>,
}

/// An upgrade to TLS on a listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpgradePlan {
    pub(crate) by_any_request: bool,
    pub(crate) optional: bool,
    pub(crate) beside_tls: bool,
}

impl UpgradePlan {
    /// The same in the words of the transport.
    pub(crate) fn by(self, acceptor: Arc<dyn Acceptor>) -> Upgrade {
        let mut upgrade = Upgrade::new(acceptor);
        if !self.by_any_request {
            upgrade = upgrade.options_only();
        }
        if !self.optional {
            upgrade = upgrade.required();
        }
        if self.beside_tls {
            upgrade = upgrade.dangerous_beside_implicit_tls();
        }
        upgrade
    }
}

/// The KMIP service.
#[derive(Debug)]
pub(crate) struct KmipPlan {
    pub(crate) binding: KmipHttps,
    pub(crate) engine: KeyServerConfig,
}

/// The admin listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdminPlan {
    pub(crate) address: SocketAddr,
    /// Whether another port may be taken when this one is held by somebody else.
    pub(crate) any_port: bool,
}

/// The shortest request limit that leaves room for any request at all.
const SMALLEST_REQUEST: u32 = 1024;

impl Plan {
    /// Makes a plan of a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn new(loaded: &Loaded<Config>, now: Timestamp) -> Result<Self, Problems> {
        let mut planner = Planner { loaded, now, problems: Vec::new(), warnings: Vec::new() };
        planner.policies();
        let listeners = planner.listeners();
        let kmip = planner.kmip();
        let omadm = planner.omadm();
        let taxii = planner.taxii();
        if kmip.is_none() && omadm.is_none() && taxii.is_none() {
            let remedy = "add the table [service.kmip], [service.omadm] or [service.taxii]";
            planner.problem("service", "no service is switched on", remedy);
        }
        let accounts = planner.accounts();
        let store = planner.store();
        let admin = planner.admin();
        planner.log();
        planner.client();
        let Planner { problems, warnings, .. } = planner;
        match store {
            Some(store) if problems.is_empty() => Ok(Self {
                store,
                serving: Serving {
                    listeners,
                    identities: identities(&loaded.value.identity),
                    accounts,
                    limits: loaded.value.limits.to_transport(),
                    kmip,
                    omadm,
                    taxii,
                    admin,
                },
                warnings,
            }),
            _ => Err(Problems { file: loaded.file.clone(), problems }),
        }
    }
}

/// What a configuration says of the store alone, and what should be known of it.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn store(loaded: &Loaded<Config>) -> Result<(SqliteOptions, Vec<String>), Problems> {
    let now = crate::serve::now();
    let mut planner = Planner { loaded, now, problems: Vec::new(), warnings: Vec::new() };
    let store = planner.store();
    let Planner { problems, warnings, .. } = planner;
    match store {
        Some(store) if problems.is_empty() => Ok((store, warnings)),
        _ => Err(Problems { file: loaded.file.clone(), problems }),
    }
}

/// Whether a text can be a request's path.
fn is_path(path: &str) -> bool {
    let visible = |octet: u8| octet.is_ascii_graphic() && octet != b'?' && octet != b'#';
    path.starts_with('/') && path.bytes().all(visible)
}

fn identities(identity: &config::Identity) -> Arc<dyn IdentityMap> {
    let map = CertificateIdentity::by(identity.rules());
    Arc::new(if identity.issuer { map.with_issuer() } else { map })
}

/// Goes through a configuration and collects what is wrong.
struct Planner<'a> {
    loaded: &'a Loaded<Config>,
    now: Timestamp,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Planner<'_> {
    fn problem(&mut self, key: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        let place = Some(key.to_owned());
        self.problems.push(Problem { place, reason: reason.into(), remedy: remedy.into() });
    }

    /// Keeps what TLS gives, or notes why it gives nothing.
    fn take<T>(&mut self, key: &str, result: Result<T, TlsError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, error.to_string(), error.hint());
                None
            }
        }
    }

    fn listeners(&mut self) -> Vec<ListenerPlan> {
        let loaded = self.loaded;
        if loaded.value.listener.is_empty() {
            self.problem("listener", "there is no listener", "add a table [listener.main]");
        }
        let mut taken = BTreeMap::new();
        let mut listeners = Vec::new();
        for (name, listener) in &loaded.value.listener {
            let key = format!("listener.{name}");
            // Port 0 is another one each time.
            if listener.address.port() != 0
                && let Some(other) = taken.insert(listener.address, name)
            {
                let reason = format!("{} is the address of listener.{other} too", listener.address);
                self.problem(&format!("{key}.address"), reason, "give each its own address");
            }
            self.spoken(&key, listener);
            let balancers = self.balancers(&key, listener);
            let secured = match listener.protocol {
                Protocol::DangerousClearHttp => self.clear(&key, listener),
                _ => self.acceptor(&key, listener).map(|(one, expiries)| (Some(one), expiries)),
            };
            if let Some((acceptor, expiries)) = secured {
                listeners.push(ListenerPlan {
                    name: name.clone(),
                    address: listener.address,
                    acceptor,
                    services: listener.services.clone(),
                    expiries,
                    lists_run_out: listener.crl_check != CrlCheck::ChainWhereKnown,
                    protocol: listener.protocol,
                    upgrade: self.upgrade(&key, listener),
                    balancers,
                });
            }
        }
        self.apart(&listeners);
        listeners
    }

    /// The accounts that prove passwords.
    fn accounts(&mut self) -> LiveAccounts {
        let settings = &self.loaded.value.accounts;
        let Some(file) = &settings.file else { return LiveAccounts::default() };
        let file = self.loaded.path(file);
        if settings.realm.is_empty() || settings.realm.chars().any(char::is_control) {
            let reason = format!("{:?} is no realm", settings.realm);
            self.problem("accounts.realm", reason, "write a name that clients can show");
        }
        self.warnings.extend(files::exposure("file of accounts", &file));
        let loaded = match AccountFile::load(&file) {
            Ok(loaded) => loaded,
            Err(problems) => {
                for Problem { place, reason, remedy } in problems.problems {
                    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
                    let reason = format!("{}: {place}{reason}", file.display());
                    self.problem("accounts.file", reason, remedy);
                }
                return LiveAccounts::default();
            }
        };
        match loaded.accounts(&settings.realm) {
            Ok(accounts) => LiveAccounts::new(accounts),
            Err(faults) => {
                for (key, reason, remedy) in faults {
                    let reason = format!("{}: {key}: {reason}", file.display());
                    self.problem("accounts.file", reason, remedy);
                }
                LiveAccounts::default()
            }
        }
    }

    fn kmip(&mut self) -> Option<KmipPlan> {
        let service = self.loaded.value.service.kmip.as_ref()?;
        if service.request_limit < SMALLEST_REQUEST {
            let reason = format!("{} octets are too few for any request", service.request_limit);
            let remedy = format!("give at least {SMALLEST_REQUEST}; the default is 1048576");
            self.problem("service.kmip.request_limit", reason, remedy);
        }
        let mut profile = HttpsProfile::default();
        profile.path = service.path.clone().into();
        profile.request_body_limit = service.request_limit.into();
        profile.text_encodings = service.text_encodings;
        let mut engine = KeyServerConfig::default();
        engine.batch_items = service.batch_items.get();
        engine.located = service.locate_results.get();
        engine.scanned = engine.scanned.max(engine.located);
        let mut tolerance = Tolerance::STRICT;
        for name in &service.tolerances {
            match tolerance.with_named(name) {
                Some(wider) => tolerance = wider,
                None => {
                    let reason = format!("there is no tolerance {name:?}");
                    let remedy = format!("they are {}", Tolerance::NAMES.join(", "));
                    self.problem("service.kmip.tolerances", reason, remedy);
                }
            }
        }
        let options = Options::STRICT.with_tolerance(tolerance);
        let binding = KmipHttps::with_options(profile, options);
        if !is_path(&service.path) {
            let reason = format!("{:?} is no path", service.path);
            self.problem("service.kmip.path", reason, "write it like /kmip");
        }
        Some(KmipPlan { binding, engine })
    }

    fn store(&mut self) -> Option<SqliteOptions> {
        let store = &self.loaded.value.store;
        let file = self.loaded.path(&store.file);
        if file.is_dir() {
            let reason = format!("{} is a directory", file.display());
            self.problem("store.file", reason, "name a file in it, such as bindery.db");
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        if !folder.is_dir() {
            let reason = format!("the directory {} does not exist", folder.display());
            self.problem("store.file", reason, "make it, writable for the server's user only");
        }
        let kek = self.kek()?;
        let synchronous = match store.synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        };
        if store.synchronous == config::Synchronous::Normal {
            let warning = "store.synchronous = \"normal\": a power failure may take the last \
                           acknowledged objects";
            self.warnings.push(warning.to_owned());
        }
        Some(SqliteOptions::file(file, kek).synchronous(synchronous))
    }

    fn kek(&mut self) -> Option<Kek> {
        let store = &self.loaded.value.store;
        let (key, kek) = match (&store.kek_file, &store.kek_env) {
            (Some(file), None) => ("store.kek_file", Kek::from_file(self.loaded.path(file))),
            (None, Some(name)) => ("store.kek_env", Kek::from_env(name).map(|kek| (kek, None))),
            (None, None) => {
                let remedy = "give store.kek_file; `openssl rand -hex 32` makes such a key";
                self.problem("store.kek_file", "there is no key-encryption key", remedy);
                return None;
            }
            (Some(_), Some(_)) => {
                let reason = "the key-encryption key is given twice";
                self.problem("store.kek_env", reason, "leave out kek_file or kek_env");
                return None;
            }
        };
        match kek {
            Ok((kek, warning)) => {
                self.warnings.extend(warning.map(|warning| warning.to_string()));
                Some(kek)
            }
            Err(error) => {
                let reason = match std::error::Error::source(&error) {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                };
                self.problem(key, reason, "without the key nothing stored can be read");
                None
            }
        }
    }

    fn admin(&mut self) -> Option<AdminPlan> {
        let admin = self.loaded.value.admin.as_ref()?;
        let listeners = &self.loaded.value.listener;
        let same = listeners
            .iter()
            .find(|(_, listener)| listener.address == admin.address && admin.address.port() != 0);
        if let Some((name, _)) = same {
            let reason = format!("{} is the address of listener.{name} too", admin.address);
            self.problem("admin.address", reason, "give it another port");
        }
        if !admin.address.ip().is_loopback() {
            self.warnings.push(format!(
                "admin.address = \"{}\" can be reached from other machines, in clear",
                admin.address
            ));
        }
        Some(AdminPlan { address: admin.address, any_port: false })
    }

    fn log(&mut self) {
        let level = &self.loaded.value.log.level;
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(level) {
            let remedy = "write error, warn, info, debug or trace, or TARGET=LEVEL,..";
            self.problem("log.level", format!("\"{level}\": {error}"), remedy);
        }
    }

    fn client(&mut self) {
        let client = &self.loaded.value.client;
        if let Some(url) = &client.url
            && let Err(failure) = crate::settings::parse_url(url)
        {
            self.problem("client.url", failure.message, failure.hint.unwrap_or_default());
        }
        if let Some(name) = &client.tls_policy {
            self.policy_named("client.tls_policy", name);
        }
    }
}
