//! The server's side of handshakes on rustls.

use std::{fmt, sync::Arc};

use bindery_core::TlsVersion;
use rustls::{
    crypto::CryptoProvider,
    server::{self, NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::SingleCertAndKey,
    time_provider::TimeProvider,
};
use rustls_pki_types::CertificateDer;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{
    RustlsBackend,
    chains::Chains,
    failure::{Seen, Side, failure},
    handshake, info,
    lists::{Lists, readable},
    now_of, protocol_versions, refused,
    stream::{Protected, Watched},
    tickets::RotatingTickets,
    trust::Trusted,
    verify::{ByAuthority, ClientCheck, schemes},
};
use crate::{
    Acceptor, BoxIo, Certificate, ClientAuth, Plan, Policy, Proof, Role, Secured, ServerConfig,
    Setting, Shown, ShownCertificate, TlsError, TlsErrorKind, TlsFuture, Usage,
    certificate::is_valid_at, pem::configuration, registry,
};

/// How many of a client's offered suites a message lists.
const LISTED: usize = 24;

pub(super) struct RustlsAcceptor {
    config: Arc<rustls::ServerConfig>,
    chain: Arc<[CertificateDer<'static>]>,
    clients: Option<Arc<ClientCheck>>,
    versions: Vec<TlsVersion>,
    time: Arc<dyn TimeProvider>,
    /// What this side takes, for messages.
    takes: String,
}

impl RustlsAcceptor {
    pub(super) fn new(
        backend: &RustlsBackend,
        policy: &Policy,
        plan: &Plan,
        config: ServerConfig,
    ) -> Result<Self, TlsError> {
        let config = config.with_trust_of(policy)?;
        let crypto = backend.restricted(plan);
        config.psk.refuse(backend.provider.name())?;
        let key = backend.certified_key(&config.identity, Role::Server, plan)?;
        readable(&config.crls).map_err(|error| error.about(Setting::RevocationLists))?;
        config.check(policy, plan, now_of(&*backend.time)?)?;
        let clients = client_check(policy, plan, &config, &crypto)?;
        let verifier = match &clients {
            Some(clients) => Arc::clone(clients) as Arc<dyn ClientCertVerifier>,
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let mut tls = rustls::ServerConfig::builder_with_provider(crypto)
            .with_protocol_versions(&protocol_versions(plan))
            .map_err(|error| refused(policy, error))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        if plan.resumption.tickets {
            let tickets = RotatingTickets::new(&backend.provider, &backend.time, plan.resumption);
            let tickets = tickets.map_err(|error| refused(policy, error))?;
            tls.ticketer = Arc::new(tickets.until(config.crls.in_date_until()));
        } else {
            tls.send_tls13_tickets = 0;
        }
        // Sessions of TLS 1.2 that are kept here by their id (for clients without tickets) would
        // know no end: only tickets resume.
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        // "Best first" in a policy means the policy's order, not the client's.
        tls.ignore_client_order = true;
        tls.alpn_protocols = plan.permitted_alpn(&config.alpn)?;
        // 0-RTT data can be replayed: none is taken.
        tls.max_early_data_size = 0;
        tls.time_provider = Arc::clone(&backend.time);
        let names = |list: Vec<&str>| list.join(", ");
        let takes = format!(
            "this side takes {} with {}",
            names(plan.versions.iter().filter_map(|v| v.name()).collect()),
            names(plan.suites.iter().map(|s| s.name).collect())
        );
        let chain = Arc::clone(config.identity.chain());
        let (versions, time) = (plan.versions.clone(), Arc::clone(&backend.time));
        Ok(Self { config: Arc::new(tls), chain, clients, versions, time, takes })
    }

    async fn handshake(&self, io: BoxIo) -> Result<Secured, TlsError> {
        let mut hello = LazyConfigAcceptor::new(server::Acceptor::default(), Watched::new(io));
        let start = match (&mut hello).await {
            Ok(start) => start,
            Err(error) => {
                let io = hello.take_io();
                let first = io.as_ref().map(Watched::first).unwrap_or_default();
                return Err(failure(error, Side::Server, Some(Seen { first, offer: None })));
            }
        };
        let suites = start.client_hello().cipher_suites().to_vec();
        // The ticket is opened where the ClientHello is taken in: before the first await.
        let accept = async {
            let stream = start.into_stream(Arc::clone(&self.config)).into_fallible().await;
            stream.map_err(|(error, io)| {
                let offer = format!("it offers {}; {}", offered(&suites), self.takes);
                let seen = Seen { first: io.first(), offer: Some(&offer) };
                let failed = failure(error, Side::Server, Some(seen));
                match handshake::refused() {
                    Some(shown) => failed.with_certificate(ShownCertificate::of(&shown)),
                    None => failed,
                }
            })
        };
        let stream = handshake::run(accept).await?;
        self.secured(stream).await
    }

    async fn secured(&self, mut stream: TlsStream<Watched>) -> Result<Secured, TlsError> {
        let (_, connection) = stream.get_ref();
        let mut info = info(connection)?;
        info.server_name = connection.server_name().map(Arc::from);
        info.local_certificates = Arc::clone(&self.chain);
        let peer: Arc<[_]> = connection.peer_certificates().unwrap_or_default().into();
        if info.resumed {
            // A ticket outlives the certificate that it stands for unless somebody looks.
            if let Err(error) = self.check_dates(&peer) {
                // The peer learns of it as far as it still listens; the verdict stands anyway.
                let _ = stream.shutdown().await;
                let error = error.by_peer();
                return Err(match peer.first() {
                    Some(leaf) => error.with_certificate(ShownCertificate::of(leaf)),
                    None => error,
                });
            }
        }
        let io = Box::new(Protected::new(stream, Side::Server));
        Ok(Secured::new(io, Arc::new(info), peer))
    }

    fn check_dates(&self, chain: &[CertificateDer<'_>]) -> Result<(), TlsError> {
        let now = now_of(&*self.time)?;
        chain.first().filter(|leaf| !is_valid_at(leaf, now)).map_or(Ok(()), |leaf| {
            Certificate::from_der(leaf)?
                .check_dates(now, "the resumed session's client certificate")
        })
    }
}

impl Acceptor for RustlsAcceptor {
    fn accept(&self, io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(self.handshake(io))
    }

    fn recheck(&self, peer: &Proof) -> Result<(), TlsError> {
        let hint = "it has to connect anew";
        let refused = |kind, what: &str| TlsError::new(kind, what, hint).by_peer();
        if peer.psk.is_some() {
            let what = "the client proved a pre-shared key, and none is taken any more";
            return Err(refused(TlsErrorKind::Refused, what));
        }
        match (&self.clients, peer.certificates.split_first()) {
            (None, None) => Ok(()),
            (Some(clients), None) if !clients.client_auth_mandatory() => Ok(()),
            (Some(_), None) => {
                let what = "the client showed no certificate, and one is required now";
                Err(refused(TlsErrorKind::NoClientCertificate, what))
            }
            (None, Some(_)) => {
                let what = "the client showed a certificate, and nobody vouches for it any more";
                Err(refused(TlsErrorKind::UnknownAuthority, what))
            }
            (Some(clients), Some((leaf, rest))) => {
                let now = self.time.current_time();
                let now =
                    now.ok_or_else(|| configuration("this machine has no time", "set its clock"))?;
                clients.check(leaf, rest, now).map(|_| ()).map_err(|error| {
                    let error = std::io::Error::other(error);
                    failure(error, Side::Server, None).with_certificate(ShownCertificate::of(leaf))
                })
            }
        }
    }

    fn shown(&self) -> Option<Shown> {
        Some(Shown::new(self.chain.first()?.clone(), self.versions.clone()))
    }
}

impl fmt::Debug for RustlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsAcceptor").field("takes", &self.takes).finish_non_exhaustive()
    }
}

/// The check of clients; none where they are not asked for a certificate.
fn client_check(
    policy: &Policy,
    plan: &Plan,
    config: &ServerConfig,
    crypto: &Arc<CryptoProvider>,
) -> Result<Option<Arc<ClientCheck>>, TlsError> {
    if plan.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let Some(roots) = &config.client_roots else {
        let message = format!(
            "the policy {} asks for client certificates, and no client authority is configured",
            policy.name
        );
        let hint = "name the file with the client authorities, or trust_anchors in the policy";
        return Err(configuration(message, hint).about(Setting::Authorities));
    };
    let (rules, algorithms) = (config.client_rules, crypto.signature_verification_algorithms);
    let lists = Lists::new(&config.crls, roots, algorithms);
    let lists = lists.map_err(|error| error.about(Setting::RevocationLists))?.map(Arc::new);
    let trusted = Trusted::new(roots, |store| {
        let chains = Chains { roots: Arc::clone(&store), algorithms, lists: lists.clone() };
        let inner = WebPkiClientVerifier::builder_with_provider(store, Arc::clone(crypto));
        let inner = inner.build().map_err(|source| {
            let message = format!("{}: {source}", roots.origin());
            let error = configuration(message, "name the file with the client authorities");
            error.with_source(source).about(Setting::Authorities)
        })?;
        let servers_too = rules.usage == Usage::DangerousServersToo;
        Ok(ByAuthority { inner, chains, servers_too })
    })?;
    let mandatory = plan.client_auth == ClientAuth::Required;
    Ok(Some(Arc::new(ClientCheck::new(trusted, schemes(plan), rules, mandatory))))
}

/// The suites that a client offers, by name where one is known, at most [`LISTED`] of them.
fn offered(suites: &[rustls::CipherSuite]) -> String {
    let mut names: Vec<String> = suites
        .iter()
        .take(LISTED)
        .map(|suite| {
            let id = u16::from(*suite);
            registry::suite(id)
                .map_or_else(|| format!("{id:#06x}"), |row| row.suite.name.to_owned())
        })
        .collect();
    if suites.len() > LISTED {
        names.push(format!("and {} more", suites.len() - LISTED));
    }
    names.join(", ")
}
