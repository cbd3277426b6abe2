//! What the configuration says of TLS beyond a listener's files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far and how strictly revocation lists are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CrlCheck {
    /// The whole chain; each certificate must stand in a list's reach, and the list be in date.
    #[default]
    Chain,
    /// The client's own certificate only, as strictly.
    Leaf,
    /// The whole chain; what no list speaks of is taken, and a list counts when out of date.
    ChainWhereKnown,
}

/// What Extended Key Usage of client certificates must say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientUsage {
    /// clientAuth, where the extension is there.
    #[default]
    WherePresent,
    /// clientAuth, and the extension must be there.
    Stated,
    /// serverAuth does as well.
    DangerousServersToo,
}

/// Whether client certificates must have a subjectAltName.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientNames {
    /// They need not.
    #[default]
    Optional,
    /// They must.
    Required,
}

/// The library that does TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TlsBackend {
    /// rustls: TLS 1.2 and 1.3.
    #[default]
    Rustls,
    /// OpenSSL, for old devices: TLS 1.0 and 1.1, RSA key exchange, pre-shared keys. Only in a
    /// program that was built with it.
    DangerousLegacyOpenssl,
}

/// What holds for the TLS of all listeners.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// How many days before something runs out it is warned of.
    pub(crate) expiry_warning_days: u32,
    /// Policies of the operator's own, by name.
    pub(crate) policy: BTreeMap<String, toml::Table>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { expiry_warning_days: 30, policy: BTreeMap::new() }
    }
}
