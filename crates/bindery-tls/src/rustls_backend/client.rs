//! The client's side of handshakes on rustls.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering},
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
    chains::{Chains, LookedUp},
    failure::{Seen, Side, failure},
    info,
    lists::{Lists, readable},
    now_of, protocol_versions, refused,
    stream::{Protected, Watched},
    trust::Trusted,
    verify::{ServerCheck, schemes},
};
use crate::{
    BoxIo, ClientConfig, Connector, Plan, Policy, Role, Secured, TlsError, TlsErrorKind, TlsFuture,
    Unchecked, certificate::valid_until, pem::configuration, registry,
};

/// How many servers' sessions are kept for resumption.
const SESSIONS: usize = 256;

tokio::task_local! {
    /// What the handshake that runs in this task came to with our certificate.
    static ASKED: Arc<Asked>;
}

/// Whether a server asked for our certificate, and whether it was shown; and what was agreed on before.
#[derive(Default)]
struct Asked {
    asked: AtomicBool,
    shown: AtomicBool,
    /// The group of a TLS 1.2 key exchange; 0 where none was told.
    group: AtomicU16,
}

/// Notes the group of the parameters that a TLS 1.2 server signed: two random values of 32 octets, and
/// `ServerECDHParams`, a named curve (RFC 8422, section 5.4). A handshake that fails later tells of it.
pub(super) fn note_parameters(signed: &[u8]) {
    if let Some([3, high, low, ..]) = signed.get(64..) {
        let group = u16::from_be_bytes([*high, *low]);
        let _ = ASKED.try_with(|it| it.group.store(group, Ordering::Relaxed));
    }
}

impl Asked {
    fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Before TLS 1.3 one alert stands for a missing certificate and for no suite in common (RFC
    /// 5246, 7.4.6); but who asks for a certificate has agreed on a suite.
    fn explain(&self, failed: TlsError) -> TlsError {
        let group = registry::group(self.group.load(Ordering::Relaxed));
        self.explain_alert(failed).with_group(group)
    }

    fn explain_alert(&self, failed: TlsError) -> TlsError {
        let missing = self.asked() && !self.shown.load(Ordering::Relaxed);
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
    asked: bool,
    /// Whether it was shown.
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
        config.check(now_of(&*backend.time)?)?;
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
        let known = self.learn(server, &certificate, info.resumed, &peer);
        if known.is_some_and(|known| known.shown) {
            info.local_certificates = Arc::clone(&self.chain);
        }
        let io = Box::new(Protected::new(stream, Side::Client));
        let unchecked = asked.map(|name| Unchecked::new(&name, &peer));
        let secured = Secured::new(io, Arc::new(info), peer).with_unchecked(unchecked);
        Ok(secured.with_certificate_asked(known.map(|known| known.asked)))
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

    /// What the server asked for and has of us, from this handshake or the one that it resumes.
    fn learn(
        &self,
        server: String,
        certificate: &Asked,
        resumed: bool,
        peer: &[CertificateDer<'_>],
    ) -> Option<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if resumed {
            return known.get(&server).copied();
        }
        if known.len() >= SESSIONS && !known.contains_key(&server) {
            known.pop_first();
        }
        let until = peer.first().and_then(valid_until).into_iter().chain(self.lists_until).min();
        let until = until.filter(|_| !self.any_server);
        let shown = certificate.shown.load(Ordering::Relaxed);
        let fresh = Known { asked: certificate.asked(), shown, until };
        known.insert(server, fresh);
        Some(fresh)
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
        let algorithms = crypto.signature_verification_algorithms;
        let lists = Lists::new(&config.crls, &config.roots, algorithms)?.map(Arc::new);
        Trusted::new(&config.roots, |store| trusting(config, store, crypto, lists.as_ref()))?
    };
    Ok(Arc::new(ServerCheck { trusted, schemes: schemes(plan) }))
}

fn trusting(
    config: &ClientConfig,
    store: Arc<RootCertStore>,
    crypto: &Arc<CryptoProvider>,
    lists: Option<&Arc<Lists>>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&store), Arc::clone(crypto));
    let inner = builder.build().map_err(|error| {
        let message = format!("{}: {error}", config.roots.origin());
        configuration(message, "name the file with the trusted authorities").with_source(error)
    })?;
    let Some(lists) = lists else { return Ok(inner) };
    let algorithms = crypto.signature_verification_algorithms;
    let chains = Chains { roots: store, algorithms, lists: Some(Arc::clone(lists)) };
    Ok(Arc::new(LookedUp { inner, chains }))
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
        // Outside a handshake of ours nobody asks to know.
        let _ = ASKED.try_with(|it| it.asked.store(true, Ordering::Relaxed));
        self.0.key.choose_scheme(schemes)?;
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
