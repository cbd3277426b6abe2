//! The backend: what the OpenSSL that is linked can do, and the two sides that it makes.

#[cfg(feature = "vendored")]
use std::sync::OnceLock;
use std::{fmt, sync::Arc};

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend, Capabilities, ClientConfig, Connector, Plan, Policy, ServerConfig, TlsError,
    TlsErrorKind,
    registry::{self, SuiteRow},
};
#[cfg(feature = "vendored")]
use openssl::provider::Provider;
use openssl::{
    error::ErrorStack,
    ssl::{SslContext, SslContextBuilder, SslMethod, SslOptions},
};

use crate::{client::OpensslConnector, names, server::OpensslAcceptor};

/// OpenSSL behind a policy.
///
/// What it can do is asked of the library that is linked, once, when it is made.
#[derive(Clone)]
pub struct LegacyBackend {
    capabilities: Arc<Capabilities>,
}

/// RC4 and other broken ciphers stand in a provider of their own. OpenSSL has one list of providers
/// for the whole process, and connections outlive the backend that made them: what is loaded stays.
#[cfg(feature = "vendored")]
static PROVIDERS: OnceLock<[Provider; 2]> = OnceLock::new();

#[cfg(feature = "vendored")]
fn load_providers() -> Result<(), ErrorStack> {
    if PROVIDERS.get().is_none() {
        // The default one, too: it is there by itself only as long as no other is named.
        let loaded = [Provider::load(None, "default")?, Provider::load(None, "legacy")?];
        // Whoever was first is as good.
        let _ = PROVIDERS.set(loaded);
    }
    Ok(())
}

impl LegacyBackend {
    /// A backend on the OpenSSL that this program is linked with.
    ///
    /// With the feature `vendored` this loads OpenSSL's legacy provider, for the whole process:
    /// OpenSSL has no other place for it.
    ///
    /// # Errors
    /// The library cannot be set up.
    pub fn new() -> Result<Self, TlsError> {
        #[cfg(feature = "vendored")]
        load_providers().map_err(unusable)?;
        let capabilities = capabilities().map_err(unusable)?;
        Ok(Self { capabilities: Arc::new(capabilities) })
    }

    /// The library's own words for its version, such as `OpenSSL 3.0.19 27 Jan 2026`.
    pub fn library(&self) -> &'static str {
        openssl::version::version()
    }
}

impl Backend for LegacyBackend {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::clone(&self.capabilities)
    }

    fn acceptor(
        &self,
        policy: &Policy,
        config: ServerConfig,
    ) -> Result<Arc<dyn Acceptor>, TlsError> {
        let plan = policy.resolve(&self.capabilities)?;
        Risk::warn_of(policy, &plan);
        Ok(Arc::new(OpensslAcceptor::new(policy, plan, config)?))
    }

    fn connector(
        &self,
        policy: &Policy,
        config: ClientConfig,
    ) -> Result<Arc<dyn Connector>, TlsError> {
        let plan = policy.resolve(&self.capabilities)?;
        Ok(Arc::new(OpensslConnector::new(policy, plan, config)?))
    }
}

impl fmt::Debug for LegacyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyBackend").field("library", &self.library()).finish_non_exhaustive()
    }
}

/// What a plan has that is broken or weak, and what that costs: said at start, and for documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Risk {
    /// The version or suite.
    pub what: String,
    /// What it costs in safety, and since when that is known.
    pub why: &'static str,
}

impl Risk {
    /// The risks of a plan, worst first.
    pub fn of(plan: &Plan) -> Vec<Self> {
        let mut risks = Vec::new();
        for version in plan.versions.iter().rev() {
            let why = match *version {
                TlsVersion::SSL_3_0 => {
                    "a man in the middle reads what is sent (POODLE, 2014); forbidden by RFC 7568"
                }
                TlsVersion::TLS_1_0 | TlsVersion::TLS_1_1 => {
                    "handshakes are held together by MD5 and SHA-1; forbidden by RFC 8996"
                }
                _ => continue,
            };
            risks.push(Self { what: version.to_string(), why });
        }
        for suite in &plan.suites {
            let Some(row) = registry::suite(suite.id) else { continue };
            let why = if row.encryption.starts_with("RC4") {
                "RC4's output is biased, and texts that are sent often can be read; RFC 7465"
            } else if row.bits < 128 {
                "the cipher's blocks are short: a long connection gives texts away (Sweet32)"
            } else if row.key_exchange == "RSA" {
                "whoever gets the server's key later reads everything recorded; padding oracles \
                 (ROBOT, Marvin)"
            } else if row.needs_psk() && !row.has_forward_secrecy() {
                "whoever gets the shared key later reads everything recorded"
            } else {
                continue;
            };
            risks.push(Self { what: suite.name.to_owned(), why });
        }
        risks
    }

    fn warn_of(policy: &Policy, plan: &Plan) {
        for risk in Self::of(plan) {
            tracing::warn!(
                policy = %policy.name,
                what = %risk.what,
                "TLS that is not safe any more is served: {}",
                risk.why
            );
        }
    }
}

fn unusable(error: ErrorStack) -> TlsError {
    let message = format!("OpenSSL cannot be set up: {error}");
    let hint = "check the OpenSSL that this program is linked with, and its configuration file \
                (OPENSSL_CONF)";
    TlsError::new(TlsErrorKind::Configuration, message, hint).by_environment().with_source(error)
}

/// A context that no configuration file has a part in what it takes: all of it is set here.
pub(crate) fn context() -> Result<SslContextBuilder, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls())?;
    let configured = context.options();
    context.clear_options(configured);
    // Without it some networks drop TLS 1.3.
    context.set_options(SslOptions::ENABLE_MIDDLEBOX_COMPAT);
    Ok(context)
}

fn capabilities() -> Result<Capabilities, ErrorStack> {
    let versions: Vec<TlsVersion> =
        names::VERSIONS.iter().map(|(version, _)| *version).filter(|v| has_version(*v)).collect();
    // One context for all questions: a setting that fails leaves the one before.
    let mut context = context()?;
    let mut suites = Vec::new();
    for row in registry::suites::ALL {
        // SRP takes passwords in a form that nothing here has; without authentication, or without encryption, nothing is
        // protected, and nobody could tell from what a connection says of itself.
        let used = versions.iter().any(|version| row.is_of(*version))
            && row.key_exchange != "SRP"
            && row.authentication != "none"
            && row.bits > 0;
        if used && has_suite(&mut context, row) {
            suites.push(row.suite);
        }
    }
    let groups = registry::groups::ALL.iter().copied();
    let groups = groups.filter(|g| context.set_groups_list(names::group(g.name)).is_ok()).collect();
    let signatures = registry::signatures::ALL.iter().copied();
    let signatures = signatures.filter(|scheme| {
        names::signature(scheme.name).is_some_and(|name| context.set_sigalgs_list(name).is_ok())
    });
    let signatures = signatures.collect();
    Ok(Capabilities::new("openssl", versions, suites, groups, signatures))
}

fn has_version(version: TlsVersion) -> bool {
    // Debian's library knows SSL 3.0 by name and has no code for it: no setting fails, and every
    // handshake does. Only our own build is known to have it.
    version != TlsVersion::SSL_3_0 || cfg!(feature = "vendored")
}

fn has_suite(context: &mut SslContextBuilder, row: &SuiteRow) -> bool {
    let Some(name) = names::suite(row.suite.name) else { return false };
    if row.first >= TlsVersion::TLS_1_3 {
        context.set_ciphersuites(name).is_ok()
    } else {
        context.set_cipher_list(&format!("{name}:@SECLEVEL=0")).is_ok()
    }
}
