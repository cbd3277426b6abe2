//! The server's configuration file: TOML, every key documented, no key unknown.

pub(crate) mod accounts;
mod identity;
mod listener;
mod load;
pub(crate) mod omadm;
pub(crate) mod taxii;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
};

use bindery_kmip::{HttpsProfile, service::KeyServerConfig};
use serde::{Deserialize, Serialize};

use crate::args::{Span, client::UpgradeName};
use accounts::AccountSettings;
pub(crate) use identity::Identity;
pub(crate) use listener::{ClientCertificates, Listener, Protocol, ServiceName, default_policy};
pub(crate) use load::{Loaded, Problem, Problems, place};
pub(crate) use tls::{ClientNames, ClientUsage, CrlCheck, Tls, TlsBackend};

/// What `bindery config init` prints: every key with its meaning and default. A test holds it
/// against the structures below.
pub(crate) const TEMPLATE: &str = include_str!("config/template.toml");

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Listeners by name.
    pub(crate) listener: BTreeMap<String, Listener>,
    /// The services.
    pub(crate) service: Services,
    /// TLS of all listeners.
    pub(crate) tls: Tls,
    /// How certificates become accounts.
    pub(crate) identity: Identity,
    /// Accounts that have passwords.
    pub(crate) accounts: AccountSettings,
    /// Where objects are kept.
    pub(crate) store: Store,
    /// Limits of every listener.
    pub(crate) limits: Limits,
    /// The admin listener; none without the table.
    pub(crate) admin: Option<Admin>,
    /// Logs.
    pub(crate) log: Log,
    /// What client commands take from this file.
    pub(crate) client: ClientSettings,
}

/// The services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Services {
    /// The KMIP key server.
    pub(crate) kmip: Option<KmipService>,
    /// The OMA device management service.
    pub(crate) omadm: Option<omadm::OmadmService>,
    /// The TAXII feed services.
    pub(crate) taxii: Option<taxii::TaxiiService>,
}

impl Services {
    /// Whether a service is switched on.
    pub(crate) const fn has(&self, service: ServiceName) -> bool {
        match service {
            ServiceName::Kmip => self.kmip.is_some(),
            ServiceName::Omadm => self.omadm.is_some(),
            ServiceName::Taxii => self.taxii.is_some(),
        }
    }
}

/// The KMIP key server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KmipService {
    /// The path of its resource.
    pub(crate) path: String,
    /// Whether requests may be in XML and JSON too.
    pub(crate) text_encodings: bool,
    /// Deviations of clients that are let pass, by the names of [`bindery_ttlv::Tolerance`].
    pub(crate) tolerances: Vec<String>,
    /// The longest request, in octets.
    pub(crate) request_limit: u32,
    /// The largest number of batch items in a request.
    pub(crate) batch_items: NonZeroUsize,
    /// The largest number of identifiers in an answer to Locate.
    pub(crate) locate_results: NonZeroUsize,
}

impl Default for KmipService {
    fn default() -> Self {
        let (profile, engine) = (HttpsProfile::default(), KeyServerConfig::default());
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            text_encodings: profile.text_encodings,
            tolerances: Vec::new(),
            path: profile.path.into_owned(),
            request_limit: u32::try_from(profile.request_body_limit).unwrap_or(u32::MAX),
            batch_items: number(engine.batch_items),
            locate_results: number(engine.located),
        }
    }
}

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// The database file (SQLite).
    pub(crate) file: PathBuf,
    /// How careful a commit is.
    pub(crate) synchronous: Synchronous,
    /// The file with the key-encryption key.
    pub(crate) kek_file: Option<PathBuf>,
    /// The environment variable with the key-encryption key.
    pub(crate) kek_env: Option<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            file: PathBuf::from("bindery.db"),
            synchronous: Synchronous::Full,
            kek_file: None,
            kek_env: None,
        }
    }
}

/// How careful a commit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Synchronous {
    /// What was answered survives a power failure.
    #[default]
    Full,
    /// A power failure may take the last commits with it.
    Normal,
}

/// Limits of every listener. The defaults are the transport's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections: NonZeroUsize,
    /// Connections at once from one address; as many as `connections` is no limit.
    pub(crate) connections_per_address: NonZeroUsize,
    /// TLS handshake.
    pub(crate) handshake: Span,
    /// A request's header section.
    pub(crate) header: Span,
    /// Between two requests.
    pub(crate) idle: Span,
    /// A request's body.
    pub(crate) body: Span,
    /// The slowest body, in octets a second.
    pub(crate) body_rate: u64,
    /// A request as a whole.
    pub(crate) request: Span,
    /// A peer that takes nothing of an answer.
    pub(crate) write_stall: Span,
    /// A peer that takes an answer, in sum.
    pub(crate) write: Span,
    /// The age of a connection.
    pub(crate) age: Span,
    /// Requests under way when the server is told to stop.
    pub(crate) drain: Span,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = bindery_transport::Limits::default();
        Self {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address.unwrap_or(limits.connections),
            handshake: Span::new(limits.handshake),
            header: Span::new(limits.header),
            idle: Span::new(limits.idle),
            body: Span::new(limits.body),
            body_rate: limits.body_rate,
            request: Span::new(limits.request),
            write_stall: Span::new(limits.write_stall),
            write: Span::new(limits.write),
            age: Span::new(limits.age),
            drain: Span::new(limits.drain),
        }
    }
}

impl Limits {
    /// The limits as the transport takes them.
    pub(crate) fn to_transport(&self) -> bindery_transport::Limits {
        let mut limits = bindery_transport::Limits::default();
        limits.connections = self.connections;
        limits.connections_per_address = Some(self.connections_per_address);
        limits.handshake = self.handshake.duration();
        limits.header = self.header.duration();
        limits.idle = self.idle.duration();
        limits.body = self.body.duration();
        limits.body_rate = self.body_rate;
        limits.request = self.request.duration();
        limits.write_stall = self.write_stall.duration();
        limits.write = self.write.duration();
        limits.age = self.age.duration();
        limits.drain = self.drain.duration();
        limits
    }
}

/// The admin listener: `/livez`, `/readyz`, `/metrics`, in clear.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Admin {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8444) }
    }
}

/// Logs, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// The form of a line.
    pub(crate) format: LogFormat,
    /// The level, or directives as RUST_LOG takes them.
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings of a client: in a context, and in the configuration file's `[client]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClientSettings {
    /// The KMIP server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The OMA DM server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) omadm_url: Option<String>,
    /// The discovery service of the TAXII server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taxii_url: Option<String>,
    /// The authorities of the server's certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cacert: Option<PathBuf>,
    /// Our certificate chain, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of our certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// The TLS policy's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_policy: Option<String>,
    /// Whether a connection to an http URL becomes TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upgrade: Option<UpgradeName>,
    /// The proxies on the way, the nearest first; `["none"]` for none. Without it: what the environment says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) proxy: Vec<String>,
    /// The longest time for one exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Span>,
}
