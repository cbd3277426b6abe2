//! `[listener.NAME]`.

use std::{net::SocketAddr, path::PathBuf};

use bindery_tls::ClientAuth;
use serde::{Deserialize, Serialize};

use super::{ClientNames, ClientUsage, CrlCheck, TlsBackend};

/// A listener: TLS, unless it says in so many words that it is not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The server's certificate chain, PEM; none in clear.
    #[serde(default)]
    pub(crate) certificate: Option<PathBuf>,
    /// The key of the certificate, PEM; none in clear.
    #[serde(default)]
    pub(crate) key: Option<PathBuf>,
    /// Whether clients must show a certificate.
    #[serde(default)]
    pub(crate) client_certificates: ClientCertificates,
    /// The services on it. Empty: all that are switched on.
    #[serde(default)]
    pub(crate) services: Vec<ServiceName>,
    /// The authorities whose client certificates are accepted, PEM. Without it: those of the
    /// policy.
    #[serde(default)]
    pub(crate) client_authorities: Option<PathBuf>,
    /// The TLS policy's name.
    #[serde(default = "default_policy")]
    pub(crate) tls_policy: String,
    /// Cipher suites by IANA name: only these of the policy's. Empty: all of the policy's.
    #[serde(default)]
    pub(crate) tls_suites: Vec<String>,
    /// Protocol versions: only these of the policy's. Empty: all of the policy's.
    #[serde(default)]
    pub(crate) tls_versions: Vec<String>,
    /// Key exchange groups by IANA name: only these of the policy's. Empty: all of the policy's.
    #[serde(default)]
    pub(crate) tls_groups: Vec<String>,
    /// The library that does TLS.
    #[serde(default)]
    pub(crate) tls_backend: TlsBackend,
    /// Pre-shared keys, as psktool writes them.
    #[serde(default)]
    pub(crate) psk_file: Option<PathBuf>,
    /// The file whose first line is the passphrase of the key.
    #[serde(default)]
    pub(crate) key_passphrase_file: Option<PathBuf>,
    /// Revocation lists of the client authorities, PEM or DER.
    #[serde(default)]
    pub(crate) crls: Vec<PathBuf>,
    /// How far and how strictly they are looked up.
    #[serde(default)]
    pub(crate) crl_check: CrlCheck,
    /// What Extended Key Usage of client certificates must say.
    #[serde(default)]
    pub(crate) client_usage: ClientUsage,
    /// Whether client certificates must have a subjectAltName.
    #[serde(default)]
    pub(crate) client_names: ClientNames,
    /// What is spoken on it.
    #[serde(default)]
    pub(crate) protocol: Protocol,
    /// Whether any request may ask for an upgrade to TLS, and not only `OPTIONS *`.
    #[serde(default)]
    pub(crate) upgrade_by_any_request: bool,
    /// Whether who asks for no upgrade is answered in clear.
    #[serde(default)]
    pub(crate) dangerous_upgrade_optional: bool,
    /// Whether the upgrade may have its certificate in common with implicit TLS.
    #[serde(default)]
    pub(crate) dangerous_upgrade_beside_tls: bool,
    /// The networks of balancers that speak the PROXY protocol, which then every connection begins
    /// with. Empty: it is off.
    #[serde(default)]
    pub(crate) proxy_protocol: Vec<String>,
}

impl Listener {
    /// A listener with everything by default.
    pub(crate) fn new(address: SocketAddr, certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            address,
            certificate: Some(certificate),
            key: Some(key),
            client_certificates: ClientCertificates::default(),
            services: Vec::new(),
            client_authorities: None,
            tls_policy: default_policy(),
            tls_suites: Vec::new(),
            tls_versions: Vec::new(),
            tls_groups: Vec::new(),
            tls_backend: TlsBackend::default(),
            psk_file: None,
            key_passphrase_file: None,
            crls: Vec::new(),
            crl_check: CrlCheck::default(),
            client_usage: ClientUsage::default(),
            client_names: ClientNames::default(),
            protocol: Protocol::default(),
            upgrade_by_any_request: false,
            dangerous_upgrade_optional: false,
            dangerous_upgrade_beside_tls: false,
            proxy_protocol: Vec::new(),
        }
    }

    /// The settings of an upgrade that are there, which mean nothing without one.
    pub(crate) fn upgrade_settings(&self) -> Vec<&'static str> {
        let set = [
            ("upgrade_by_any_request", self.upgrade_by_any_request),
            ("dangerous_upgrade_optional", self.dangerous_upgrade_optional),
            ("dangerous_upgrade_beside_tls", self.dangerous_upgrade_beside_tls),
        ];
        set.into_iter().filter_map(|(key, set)| set.then_some(key)).collect()
    }

    /// Whether a service may be reached through it.
    pub(crate) fn has(&self, service: ServiceName) -> bool {
        self.services.is_empty() || self.services.contains(&service)
    }

    /// The settings of TLS that are there, which mean nothing in clear.
    pub(crate) fn tls_settings(&self) -> Vec<&'static str> {
        let by_default = Self::new(self.address, PathBuf::new(), PathBuf::new());
        [
            ("certificate", self.certificate.is_some()),
            ("key", self.key.is_some()),
            ("client_authorities", self.client_authorities.is_some()),
            ("tls_policy", self.tls_policy != by_default.tls_policy),
            ("tls_suites", !self.tls_suites.is_empty()),
            ("tls_versions", !self.tls_versions.is_empty()),
            ("tls_groups", !self.tls_groups.is_empty()),
            ("tls_backend", self.tls_backend != by_default.tls_backend),
            ("psk_file", self.psk_file.is_some()),
            ("key_passphrase_file", self.key_passphrase_file.is_some()),
            ("crls", !self.crls.is_empty()),
        ]
        .into_iter()
        .filter_map(|(key, set)| set.then_some(key))
        .collect()
    }
}

/// A service, where a listener chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceName {
    /// The KMIP key server.
    Kmip,
    /// The OMA device management service.
    Omadm,
    /// The TAXII feed services.
    Taxii,
}

impl ServiceName {
    /// The name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kmip => "kmip",
            Self::Omadm => "omadm",
            Self::Taxii => "taxii",
        }
    }
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientCertificates {
    /// They must.
    #[default]
    Required,
    /// They are asked for one.
    Optional,
    /// They are not asked, unless the policy asks.
    None,
}

impl ClientCertificates {
    /// The same in the words of TLS.
    pub(crate) const fn tls(self) -> ClientAuth {
        match self {
            Self::Required => ClientAuth::Required,
            Self::Optional => ClientAuth::Optional,
            Self::None => ClientAuth::None,
        }
    }
}

/// What is spoken on a listener, within TLS unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    /// HTTP.
    #[default]
    Https,
    /// KMIP messages without HTTP.
    KmipTls,
    /// Both: the first octets of a connection tell.
    Both,
    /// HTTP in clear whose connections become TLS (RFC 2817).
    HttpUpgrade,
    /// HTTP without TLS: whoever is between reads and changes everything.
    DangerousClearHttp,
}

pub(crate) fn default_policy() -> String {
    "kmip".to_owned()
}
