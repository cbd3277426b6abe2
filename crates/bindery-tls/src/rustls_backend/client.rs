//! The client's side of handshakes on rustls.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{
    SignatureScheme,
    client::{ResolvesClientCert, Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::{
    RustlsBackend,
    any_server::AnyServer,
    failure::{Seen, Side, failure},
    info, protocol_versions, refused, root_store,
    stream::{Protected, Watched},
    verify::{ServerCheck, readable, schemes},
};
use crate::{
    BoxIo, ClientConfig, Connector, Plan, Policy, Role, Secured, TlsError, TlsFuture,
    pem::configuration,
};

/// How many servers' sessions are kept for resumption.
const SESSIONS: usize = 256;

tokio::task_local! {
    /// Whether the handshake that runs in this task showed our certificate.
    static SHOWN: Arc<AtomicBool>;
}

pub(super) struct RustlsConnector {
    connector: TlsConnector,
    chain: Arc<[CertificateDer<'static>]>,
    /// The servers that asked for our certificate: a resumed session goes on with what its first
    /// handshake showed. Bounded by [`SESSIONS`], as the sessions are.
    asked: Mutex<BTreeSet<String>>,
}

impl RustlsConnector {
    pub(super) fn new(
        backend: &RustlsBackend,
        policy: &Policy,
        plan: &Plan,
        config: ClientConfig,
    ) -> Result<Self, TlsError> {
        let config = config.with_trust_of(policy)?;
        let crypto = backend.restricted(plan);
        config.psk.refuse(backend.provider.name())?;
        let verifier = verifier(&config, plan, &crypto)?;
        let builder = rustls::ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&protocol_versions(plan))
            .map_err(|error| refused(policy, error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut chain = Arc::from([]);
        let mut tls = match &config.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = Arc::new(backend.certified_key(identity, Role::Client, plan)?);
                chain = Arc::clone(identity.chain());
                builder.with_client_cert_resolver(Arc::new(OneCertificate(key)))
            }
        };
        tls.resumption = match plan.resumption.tickets {
            true => Resumption::in_memory_sessions(SESSIONS),
            false => Resumption::disabled(),
        };
        tls.alpn_protocols = plan.permitted_alpn(&config.alpn)?;
        // 0-RTT data can be replayed: none is sent.
        tls.enable_early_data = false;
        tls.time_provider = Arc::clone(&backend.time);
        let connector = TlsConnector::from(Arc::new(tls));
        Ok(Self { connector, chain, asked: Mutex::new(BTreeSet::new()) })
    }

    async fn handshake(&self, name: ServerName<'static>, io: BoxIo) -> Result<Secured, TlsError> {
        let shown = Arc::new(AtomicBool::new(false));
        let server = name.to_str().into_owned();
        let connect = self.connector.connect(name, Watched::new(io)).into_fallible();
        let stream = SHOWN.scope(Arc::clone(&shown), connect).await.map_err(|(error, io)| {
            let seen = Seen { first: io.first(), offer: None };
            failure(error, Side::Client, Some(seen))
        })?;
        let (_, connection) = stream.get_ref();
        let mut info = info(connection)?;
        if self.has_shown(server, shown.load(Ordering::Relaxed), info.resumed) {
            info.local_certificates = Arc::clone(&self.chain);
        }
        let peer: Arc<[_]> = connection.peer_certificates().unwrap_or_default().into();
        let io = Box::new(Protected::new(stream, Side::Client));
        Ok(Secured::new(io, Arc::new(info), peer))
    }

    /// Whether the server has our certificate, from this handshake or the one that it resumes.
    fn has_shown(&self, server: String, shown: bool, resumed: bool) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if resumed {
            return asked.contains(&server);
        }
        if !shown {
            asked.remove(&server);
        } else if asked.len() < SESSIONS || asked.contains(&server) {
            asked.insert(server);
        } else {
            asked.pop_first();
            asked.insert(server);
        }
        shown
    }
}

/// What checks servers' certificates: the trusted authorities, unless anybody is to be taken.
fn verifier(
    config: &ClientConfig,
    plan: &Plan,
    crypto: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let inner: Arc<dyn ServerCertVerifier> = if config.takes_any_server() {
        Arc::new(AnyServer::new(crypto))
    } else {
        trusting(config, crypto)?
    };
    Ok(Arc::new(ServerCheck { inner, schemes: schemes(plan) }))
}

fn trusting(
    config: &ClientConfig,
    crypto: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let roots = &config.roots;
    readable(&config.crls)?;
    let mut builder =
        WebPkiServerVerifier::builder_with_provider(root_store(roots)?, Arc::clone(crypto))
            .with_crls(config.crls.lists().map(|(der, _)| der.clone()));
    if config.crls.leaf_only {
        builder = builder.only_check_end_entity_revocation();
    }
    if config.crls.unknown_taken {
        builder = builder.allow_unknown_revocation_status();
    }
    if !config.crls.expired_taken {
        builder = builder.enforce_revocation_expiration();
    }
    builder.build().map_err(|error| {
        let message = format!("{}: {error}", roots.origin());
        configuration(message, "name the file with the trusted authorities").with_source(error)
    })
}

impl Connector for RustlsConnector {
    fn connect(&self, name: ServerName<'static>, io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(self.handshake(name, io))
    }
}

impl fmt::Debug for RustlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsConnector")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// Shows one certificate to every server that asks, and notes that it did.
struct OneCertificate(Arc<CertifiedKey>);

impl ResolvesClientCert for OneCertificate {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes)?;
        // Outside a handshake of ours nobody asks to know.
        let _ = SHOWN.try_with(|shown| shown.store(true, Ordering::Relaxed));
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for OneCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneCertificate")
    }
}
