//! The client's side of handshakes on rustls.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bindery_core::Timestamp;
use rustls::{
    RootCertStore, SignatureScheme,
    client::{
        ClientSessionMemoryCache, ClientSessionStore as _, ResolvesClientCert, Resumption,
        WebPkiServerVerifier, danger::ServerCertVerifier,
    },
    crypto::CryptoProvider,
    sign::CertifiedKey,
    time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::{
    RustlsBackend,
    any_server::AnyServer,
    failure::{Seen, Side, failure},
    info, protocol_versions, refused,
    stream::{Protected, Watched},
    trust::Trusted,
    verify::{ServerCheck, readable, schemes},
};
use crate::{
    BoxIo, ClientConfig, Connector, Plan, Policy, Role, Secured, TlsError, TlsErrorKind, TlsFuture,
    Unchecked, certificate::valid_until, pem::configuration,
};

/// How many servers' sessions are kept for resumption.
const SESSIONS: usize = 256;

tokio::task_local! {
    /// What the handshake that runs in this task came to with our certificate.
    static ASKED: Arc<Asked>;
}

/// Whether a server asked for our certificate, and whether it was shown.
#[derive(Default)]
struct Asked {
    asked: AtomicBool,
    shown: AtomicBool,
}

impl Asked {
    /// Before TLS 1.3 one alert stands for a missing certificate and for no suite in common (RFC
    /// 5246, 7.4.6); but who asks for a certificate has agreed on a suite.
    fn explain(&self, failed: TlsError) -> TlsError {
        let missing = self.asked.load(Ordering::Relaxed) && !self.shown.load(Ordering::Relaxed);
        if !missing || failed.kind() != TlsErrorKind::NoSharedSuite {
            return failed;
        }
        let message =
            "the server ended the handshake: it asked for a client certificate and got none";
        let hint = "configure a client certificate and its key (--cert, --key)";
        TlsError::new(TlsErrorKind::NoClientCertificate, message, hint).with_source(failed)
    }
}

pub(super) struct RustlsConnector {
    connector: TlsConnector,
    chain: Arc<[CertificateDer<'static>]>,
    sessions: Arc<ClientSessionMemoryCache>,
    /// What the last full handshake with each server came to. A session is resumed only where it is
    /// known here. Bounded by [`SESSIONS`], as the sessions are.
    known: Mutex<BTreeMap<String, Known>>,
    /// When the lists run out that servers are looked up in.
    lists_until: Option<Timestamp>,
    any_server: bool,
    time: Arc<dyn TimeProvider>,
}

/// What a full handshake came to, and its session goes on with.
#[derive(Clone, Copy)]
struct Known {
    /// Whether the server asked for our certificate.
    shown: bool,
    /// Until when the check of the server's certificate holds; `None` where nothing was checked.
    until: Option<Timestamp>,
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
        readable(&config.crls)?;
        config.check()?;
        let verifier = verifier(&config, plan, &crypto)?;
        let builder = rustls::ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&protocol_versions(plan))
            .map_err(|error| refused(policy, error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut chain = Arc::from([]);
        let mut tls = match &config.identity {
            None => builder.with_client_cert_resolver(Arc::new(NoCertificate)),
            Some(identity) => {
                let key = Arc::new(backend.certified_key(identity, Role::Client, plan)?);
                chain = Arc::clone(identity.chain());
                builder.with_client_cert_resolver(Arc::new(OneCertificate(key)))
            }
        };
        let sessions = Arc::new(ClientSessionMemoryCache::new(SESSIONS));
        tls.resumption = match plan.resumption.tickets {
            true => Resumption::store(Arc::clone(&sessions) as Arc<_>),
            false => Resumption::disabled(),
        };
        tls.alpn_protocols = plan.permitted_alpn(&config.alpn)?;
        // 0-RTT data can be replayed: none is sent.
        tls.enable_early_data = false;
        tls.time_provider = Arc::clone(&backend.time);
        let connector = TlsConnector::from(Arc::new(tls));
        Ok(Self {
            connector,
            chain,
            sessions,
            known: Mutex::new(BTreeMap::new()),
            lists_until: config.crls.in_date_until(),
            any_server: config.takes_any_server(),
            time: Arc::clone(&backend.time),
        })
    }

    async fn handshake(&self, name: ServerName<'static>, io: BoxIo) -> Result<Secured, TlsError> {
        let certificate = Arc::new(Asked::default());
        let server = name.to_str().into_owned();
        let asked = self.any_server.then(|| name.clone());
        self.forget_outdated(&name, &server);
        let connect = self.connector.connect(name, Watched::new(io)).into_fallible();
        let stream =
            ASKED.scope(Arc::clone(&certificate), connect).await.map_err(|(error, io)| {
                let seen = Seen { first: io.first(), offer: None };
                let failed = failure(error, Side::Client, Some(seen));
                certificate.explain(failed)
            })?;
        let (_, connection) = stream.get_ref();
        let mut info = info(connection)?;
        let peer: Arc<[_]> = connection.peer_certificates().unwrap_or_default().into();
        if self.has_shown(server, certificate.shown.load(Ordering::Relaxed), info.resumed, &peer) {
            info.local_certificates = Arc::clone(&self.chain);
        }
        let io = Box::new(Protected::new(stream, Side::Client));
        let unchecked = asked.map(|name| Unchecked::new(&name, &peer));
        Ok(Secured::new(io, Arc::new(info), peer).with_unchecked(unchecked))
    }

    /// Ends the sessions with a server whose certificate, or whose revocation lists, have run out
    /// since it was checked: the next handshake is a full one, and checks what the server shows now.
    fn forget_outdated(&self, name: &ServerName<'static>, server: &str) {
        let now = self.time.current_time().and_then(|now| i64::try_from(now.as_secs()).ok());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(server).copied();
        let holds = known.is_some_and(|known| {
            known.until.is_none_or(|until| now.is_some_and(|now| now <= until.unix_seconds()))
        });
        if !holds {
            self.sessions.remove_tls12_session(name);
            while self.sessions.take_tls13_ticket(name).is_some() {}
        }
    }

    /// Whether the server has our certificate, from this handshake or the one that it resumes.
    fn has_shown(
        &self,
        server: String,
        shown: bool,
        resumed: bool,
        peer: &[CertificateDer<'_>],
    ) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if resumed {
            return known.get(&server).is_some_and(|known| known.shown);
        }
        if known.len() >= SESSIONS && !known.contains_key(&server) {
            known.pop_first();
        }
        let certificate = peer.first().and_then(valid_until);
        let until = certificate.into_iter().chain(self.lists_until).min();
        known.insert(server, Known { shown, until: until.filter(|_| !self.any_server) });
        shown
    }
}

/// What checks servers' certificates: the trusted authorities, unless anybody is to be taken.
fn verifier(
    config: &ClientConfig,
    plan: &Plan,
    crypto: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let trusted = if config.takes_any_server() {
        Trusted::only(Arc::new(AnyServer::new(crypto)) as Arc<dyn ServerCertVerifier>)
    } else {
        Trusted::new(&config.roots, |store| {
            Ok(trusting(config, store, crypto)? as Arc<dyn ServerCertVerifier>)
        })?
    };
    Ok(Arc::new(ServerCheck { trusted, schemes: schemes(plan) }))
}

fn trusting(
    config: &ClientConfig,
    store: Arc<RootCertStore>,
    crypto: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let roots = &config.roots;
    let mut builder = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(crypto))
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
        let _ = ASKED.try_with(|it| it.shown.store(true, Ordering::Relaxed));
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Shows nothing, and notes who asks.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let _ = ASKED.try_with(|it| it.asked.store(true, Ordering::Relaxed));
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl fmt::Debug for OneCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneCertificate")
    }
}
