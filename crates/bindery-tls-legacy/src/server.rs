//! The server's side of handshakes on OpenSSL.

use std::{fmt, pin::Pin, sync::Arc};

use bindery_core::{CipherSuite, TlsVersion};
use bindery_tls::{
    Acceptor, BoxIo, ClientAuth, Plan, Policy, Proof, Psk, PskIdentities, Role, Secured,
    ServerConfig, Shown, ShownCertificate, TlsError, TlsErrorKind, TlsFuture,
    registry::{self, SuiteRow},
};
use bytes::Bytes;
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{
        AlpnError, ClientHelloResponse, NameType, Ssl, SslContext, SslContextBuilder, SslRef,
        SslVerifyMode,
    },
    x509::X509,
};
use rustls_pki_types::CertificateDer;
use tokio_openssl::SslStream;

use crate::{
    failure::{Side, of_handshake},
    names, psk, revocation, setup,
    stream::{Protected, Watched},
    verdict::{self, Check, Recheck, Verdict},
};

pub(crate) struct OpensslAcceptor {
    context: SslContext,
    plan: Arc<Plan>,
    chain: Arc<[CertificateDer<'static>]>,
    place: Index<Ssl, Verdict>,
    recheck: Option<Recheck>,
    psk: PskIdentities,
    /// What this side takes, for messages.
    takes: String,
}

impl OpensslAcceptor {
    pub(crate) fn new(policy: &Policy, plan: Plan, config: ServerConfig) -> Result<Self, TlsError> {
        let config = config.with_trust_of(policy)?;
        let plan = Arc::new(plan);
        let mut context = setup::prepare(&plan)?;
        setup::show(&mut context, &config.identity, Role::Server)?;
        setup::finite_field(&mut context).map_err(failed)?;
        config.check(policy, &plan, revocation::now().map_err(failed)?)?;
        if config.psk.hint.is_some() {
            let message = "a PSK identity hint is configured, and the binding to OpenSSL has no call \
                           that sends one (SSL_CTX_use_psk_identity_hint)";
            let hint = "leave the hint out: clients that have one key need none";
            return Err(TlsError::new(TlsErrorKind::Configuration, message, hint));
        }
        let check = Arc::new(Check::new("client", config.client_rules, &config.crls)?);
        let place = check.place();
        let recheck = ask_clients(&mut context, policy, &plan, &config, check)?;
        psk::serve(&mut context, config.psk.clone(), place);
        select_protocol(&mut context, plan.permitted_alpn(&config.alpn)?);
        let hello = Arc::clone(&plan);
        let has_keys = !config.psk.keys.is_empty();
        context.set_client_hello_callback(move |ssl, _| {
            narrow(ssl, &hello, has_keys)?;
            Ok(ClientHelloResponse::SUCCESS)
        });
        let names = |list: Vec<&str>| list.join(", ");
        let takes = format!(
            "this side takes {} with {}",
            names(plan.versions.iter().filter_map(|v| v.name()).collect()),
            names(plan.suites.iter().map(|s| s.name).collect())
        );
        let chain = Arc::clone(config.identity.chain());
        let context = context.build();
        Ok(Self { context, plan, chain, place, recheck, psk: config.psk, takes })
    }

    async fn handshake(&self, io: BoxIo) -> Result<Secured, TlsError> {
        let verdict = Verdict::default();
        let mut ssl = Ssl::new(&self.context).map_err(failed)?;
        ssl.set_ex_data(self.place, verdict.clone());
        let stream = SslStream::new(ssl, Watched::new(io)).map_err(failed)?;
        let mut stream = Box::pin(stream);
        if let Err(error) = stream.as_mut().accept().await {
            let began = stream.get_ref().began;
            let connection = (stream.ssl(), &verdict);
            return Err(of_handshake(error, Side::Server, connection, began, &self.takes));
        }
        self.secured(stream)
    }

    fn secured(&self, stream: Pin<Box<SslStream<Watched>>>) -> Result<Secured, TlsError> {
        let ssl = stream.ssl();
        let mut info = setup::settled(ssl, &self.plan)?;
        info.server_name = ssl.servername(NameType::HOST_NAME).map(Arc::from);
        let certificates = verdict::chain(ssl)?;
        if registry::suite(info.suite.id).is_none_or(SuiteRow::is_signed) {
            info.local_certificates = Arc::clone(&self.chain);
        }
        let identity = ssl.psk_identity().map(Bytes::copy_from_slice);
        let psk = identity.as_deref().and_then(|identity| self.key_of(identity)).cloned();
        if self.plan.client_auth == ClientAuth::Required
            && certificates.is_empty()
            && identity.is_none()
        {
            let message = "the client showed no certificate, and the policy requires one";
            let hint = "give the client a certificate of an authority that this server trusts";
            return Err(TlsError::new(TlsErrorKind::NoClientCertificate, message, hint).by_peer());
        }
        let io = Box::new(Protected::new(stream, Side::Server));
        let secured = Secured::new(io, Arc::new(info), certificates).with_psk_identity(identity);
        Ok(match psk {
            Some(psk) => secured.with_psk(psk),
            None => secured,
        })
    }

    fn key_of(&self, identity: &[u8]) -> Option<&Psk> {
        self.psk.keys.iter().find(|psk| psk.identity() == identity)
    }
}

/// Leaves the suites that the policy permits in the version that this client comes to.
///
/// OpenSSL has one list for all versions; RC4 in SSL 3.0 only, as OMA has it, takes one for each.
///
/// Where that comes to a pre-shared key, no certificate is asked for beside it: GnuTLS refuses to
/// be asked in RSA_PSK, which RFC 4279, section 4, has no place for. [`OpensslAcceptor::secured`]
/// looks once more at who proved what.
fn narrow(ssl: &mut SslRef, plan: &Plan, has_keys: bool) -> Result<(), ErrorStack> {
    let offered = ssl.client_hello_legacy_version().and_then(names::version_of);
    let Some(offered) = offered else { return Ok(()) };
    let older = plan.versions.iter().copied().filter(|v| *v < TlsVersion::TLS_1_3);
    let Some(version) = older.filter(|version| *version <= offered).max() else { return Ok(()) };
    let suites = plan.suites_of(version);
    if suites.is_empty() {
        return Ok(());
    }
    let client = ssl.client_hello_ciphers().unwrap_or_default();
    let (client, _) = client.as_chunks::<2>();
    let offered = |suite: &&CipherSuite| client.contains(&suite.id.to_be_bytes());
    let needs_psk =
        |suite: &CipherSuite| registry::suite(suite.id).is_some_and(SuiteRow::needs_psk);
    let usable = suites.iter().filter(|suite| has_keys || !needs_psk(suite));
    if usable.copied().find(|suite| offered(&suite)).is_some_and(|suite| needs_psk(&suite)) {
        ssl.set_verify(SslVerifyMode::NONE);
    }
    ssl.set_cipher_list(&setup::list(plan, &suites))
}

fn ask_clients(
    context: &mut SslContextBuilder,
    policy: &Policy,
    plan: &Plan,
    config: &ServerConfig,
    check: Arc<Check>,
) -> Result<Option<Recheck>, TlsError> {
    let mode = match plan.client_auth {
        ClientAuth::None => {
            context.set_verify(SslVerifyMode::NONE);
            return Ok(None);
        }
        ClientAuth::Optional => SslVerifyMode::PEER,
        _ => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    let Some(roots) = &config.client_roots else {
        if !config.psk.keys.is_empty() {
            // Clients prove a key; a certificate that one shows all the same is of nobody known.
            context.set_verify(mode);
            return Ok(None);
        }
        let message = format!(
            "the policy {} asks for client certificates, and no client authority is configured",
            policy.name
        );
        let hint = "name the file with the client authorities, or trust_anchors in the policy";
        return Err(TlsError::new(TlsErrorKind::Configuration, message, hint));
    };
    for root in roots.certificates() {
        let added = X509::from_der(root).and_then(|root| context.add_client_ca(&root));
        added.map_err(failed)?;
    }
    let recheck = Recheck::new(Arc::clone(&check), roots)?;
    check.ask(context, mode, roots)?;
    Ok(Some(recheck))
}

/// The first of our protocols that the client offers; no other is spoken.
fn select_protocol(context: &mut SslContextBuilder, ours: Vec<Vec<u8>>) {
    if ours.is_empty() {
        return;
    }
    context.set_alpn_select_callback(move |_, offered| {
        let theirs = Offered(offered);
        let shared = ours.iter().find_map(|one| theirs.clone().find(|their| their == one));
        shared.ok_or(AlpnError::ALERT_FATAL)
    });
}

/// A client's list of protocols (RFC 7301, section 3.1): each behind its length.
#[derive(Clone)]
struct Offered<'a>(&'a [u8]);

impl<'a> Iterator for Offered<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(name)
    }
}

pub(crate) fn failed(error: ErrorStack) -> TlsError {
    let message = format!("OpenSSL cannot be set up: {error}");
    TlsError::new(TlsErrorKind::Configuration, message, "report this as a defect")
        .with_source(error)
}

impl Acceptor for OpensslAcceptor {
    fn accept(&self, io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(self.handshake(io))
    }

    fn recheck(&self, peer: &Proof) -> Result<(), TlsError> {
        let refused =
            |kind, what: String| TlsError::new(kind, what, "it has to connect anew").by_peer();
        if let Some(proved) = &peer.psk {
            let identity = proved.identity().escape_ascii();
            return match self.key_of(proved.identity()) {
                Some(now) if now.is_same_key(proved) => Ok(()),
                Some(_) => {
                    let what = format!("the key of the PSK identity {identity} has changed");
                    Err(refused(TlsErrorKind::Refused, what))
                }
                None => {
                    let what = format!("the PSK identity {identity} has no key here any more");
                    Err(refused(TlsErrorKind::Refused, what))
                }
            };
        }
        match (&self.recheck, peer.certificates.first()) {
            (_, None) if self.plan.client_auth != ClientAuth::Required => Ok(()),
            (_, None) => {
                let what = "the client showed no certificate, and one is required now";
                Err(refused(TlsErrorKind::NoClientCertificate, what.to_owned()))
            }
            (Some(recheck), Some(_)) => recheck.check(&peer.certificates),
            (None, Some(leaf)) => {
                let what = "nobody vouches for the client's certificate any more";
                let refused = refused(TlsErrorKind::UnknownAuthority, what.to_owned());
                Err(refused.with_certificate(ShownCertificate::of(leaf)))
            }
        }
    }

    fn shown(&self) -> Option<Shown> {
        Some(Shown::new(self.chain.first()?.clone(), self.plan.versions.clone()))
    }
}

impl fmt::Debug for OpensslAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpensslAcceptor").field("takes", &self.takes).finish_non_exhaustive()
    }
}
