//! The backend on rustls: TLS 1.2 and 1.3 and nothing older.

mod any_server;
mod chains;
mod client;
mod failure;
mod handshake;
mod lists;
mod server;
mod signing;
mod stream;
mod tickets;
mod trust;
mod verify;

pub(crate) use failure::name_mismatch;

use std::{collections::BTreeSet, fmt, sync::Arc};

use bindery_core::{CipherSuite, Timestamp, TlsInfo, TlsVersion};
use rustls::{
    CommonState, HandshakeKind, InconsistentKeys, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::CryptoProvider,
    sign::CertifiedKey,
    time_provider::{DefaultTimeProvider, TimeProvider},
};
use rustls_pki_types::UnixTime;

use crate::{
    Acceptor, Backend, Capabilities, ClientConfig, Connector, Group, Identity, Plan, Policy,
    Provider, Role, ServerConfig, Setting, TlsError, TlsErrorKind, pem::configuration, registry,
};

/// rustls behind a policy.
#[derive(Clone)]
pub struct RustlsBackend {
    provider: Provider,
    time: Arc<dyn TimeProvider>,
}

impl RustlsBackend {
    /// A backend with this cryptography, which judges certificates by the system's clock.
    pub fn new(provider: Provider) -> Self {
        Self { provider, time: Arc::new(DefaultTimeProvider) }
    }

    /// The same backend with another clock. It says when certificates are judged; it must not
    /// block.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.time = Arc::new(Clock(clock));
        self
    }

    /// The provider, with exactly what the plan names. Everything that is built for a listener or
    /// a client is built from this one: suites that are set elsewhere do nothing
    /// (rustls/rustls#1851).
    fn restricted(&self, plan: &Plan) -> Arc<CryptoProvider> {
        let full = self.provider.crypto();
        let suite = |id: u16| full.cipher_suites.iter().find(|s| suite_id(**s) == id).copied();
        let group = |id: u16| full.kx_groups.iter().find(|g| u16::from(g.name()) == id).copied();
        Arc::new(CryptoProvider {
            cipher_suites: plan.suites.iter().filter_map(|s| suite(s.id)).collect(),
            kx_groups: plan.groups.iter().filter_map(|g| group(g.id)).collect(),
            ..CryptoProvider::clone(full)
        })
    }

    /// The key of an identity, which signs with the plan's schemes only.
    fn certified_key(
        &self,
        identity: &Identity,
        role: Role,
        plan: &Plan,
    ) -> Result<CertifiedKey, TlsError> {
        let chain = identity.chain();
        let (chain_origin, key_origin) = (identity.chain_origin(), identity.key_origin());
        let leaf = identity.certificate().and_then(|leaf| leaf.check_role(role, chain_origin));
        leaf.map_err(|error| error.about(Setting::Certificate))?;
        let key = self.provider.crypto().key_provider.load_private_key(identity.key().clone_key());
        let key = key.map_err(|error| {
            let message = format!("{key_origin}: the private key cannot be used: {error}");
            configuration(message, "use an RSA (2048 bits or more), ECDSA P-256 or P-384 key")
                .with_source(error)
                .about(Setting::Key)
        })?;
        let key = signing::limited(key, &plan.signatures, key_origin)
            .map_err(|error| error.about(Setting::Key))?;
        let certified = CertifiedKey::new(chain.to_vec(), key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(certified)
            }
            Err(rustls::Error::InconsistentKeys(_)) => {
                let message = format!("{key_origin} does not belong to {chain_origin}");
                let hint = "the leaf must stand first in the chain, and the key must be the one \
                            that the leaf was issued for";
                Err(configuration(message, hint).about(Setting::Key))
            }
            Err(error) => {
                let message = format!("{chain_origin}: the certificate cannot be used: {error}");
                let error = configuration(message, "issue the certificate anew").with_source(error);
                Err(error.about(Setting::Certificate))
            }
        }
    }
}

impl Backend for RustlsBackend {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn capabilities(&self) -> Capabilities {
        let crypto = self.provider.crypto();
        let mut versions = BTreeSet::new();
        let mut suites = Vec::new();
        for suite in &crypto.cipher_suites {
            if let Some(row) = registry::suite(suite_id(*suite)) {
                versions.insert(row.last);
                suites.push(row.suite);
            }
        }
        let groups = crypto.kx_groups.iter().filter_map(|g| registry::group(g.name().into()));
        let groups: Vec<Group> = groups.collect();
        let versions = versions.into_iter().rev().collect();
        let schemes = crypto.signature_verification_algorithms.supported_schemes();
        let signatures = schemes.into_iter().filter_map(|s| registry::signature(s.into()));
        Capabilities::new(self.name(), versions, suites, groups, signatures.collect())
    }

    fn acceptor(
        &self,
        policy: &Policy,
        config: ServerConfig,
    ) -> Result<Arc<dyn Acceptor>, TlsError> {
        let plan = policy.resolve(&self.capabilities())?;
        Ok(Arc::new(server::RustlsAcceptor::new(self, policy, &plan, config)?))
    }

    fn connector(
        &self,
        policy: &Policy,
        config: ClientConfig,
    ) -> Result<Arc<dyn Connector>, TlsError> {
        let plan = policy.resolve(&self.capabilities())?;
        Ok(Arc::new(client::RustlsConnector::new(self, policy, &plan, config)?))
    }
}

impl fmt::Debug for RustlsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsBackend").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A function as rustls' clock.
struct Clock<F>(F);

impl<F: Fn() -> Timestamp + Send + Sync> TimeProvider for Clock<F> {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from((self.0)().unix_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

impl<F> fmt::Debug for Clock<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time of a clock.
///
/// # Errors
/// It has none.
fn now_of(time: &dyn TimeProvider) -> Result<Timestamp, TlsError> {
    let now = time.current_time();
    let now = now.ok_or_else(|| configuration("this machine has no time", "set its clock"))?;
    Ok(Timestamp::from_unix_seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX)))
}

fn suite_id(suite: SupportedCipherSuite) -> u16 {
    suite.suite().into()
}

/// rustls' values of a plan's versions.
fn protocol_versions(plan: &Plan) -> Vec<&'static SupportedProtocolVersion> {
    let known = [&rustls::version::TLS13, &rustls::version::TLS12];
    let in_plan =
        |v: &&&SupportedProtocolVersion| plan.versions.contains(&TlsVersion(u16::from(v.version)));
    known.iter().filter(in_plan).copied().collect()
}

/// What a finished handshake settled.
fn info(state: &CommonState) -> Result<TlsInfo, TlsError> {
    let (Some(version), Some(suite)) = (state.protocol_version(), state.negotiated_cipher_suite())
    else {
        let message = "the handshake ended without a version and a suite";
        return Err(TlsError::new(TlsErrorKind::Protocol, message, "report this as a defect"));
    };
    let id = suite_id(suite);
    let suite =
        registry::suite(id).map_or_else(|| CipherSuite::new(id, "unknown"), |row| row.suite);
    let mut info = TlsInfo::new(TlsVersion(version.into()), suite);
    let group = state.negotiated_key_exchange_group();
    info.group = group.and_then(|g| registry::group(g.name().into())).map(|g| g.name);
    info.resumed = state.handshake_kind() == Some(HandshakeKind::Resumed);
    Ok(info)
}

/// rustls refuses what the plan asked for: the policy cannot be met on this backend.
fn refused(policy: &Policy, error: rustls::Error) -> TlsError {
    let message = format!("rustls cannot be set up for the policy {}: {error}", policy.name);
    let hint = "choose another policy, or restrict it less";
    TlsError::new(TlsErrorKind::PolicyNotMet, message, hint).with_source(error)
}
