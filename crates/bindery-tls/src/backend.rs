//! What a TLS library has to give: the seam between policies and libraries.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bindery_core::{CipherSuite, TlsInfo, TlsVersion};
use bytes::Bytes;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use crate::{
    ClientRules, Crls, Group, Identity, Policy, Proof, Psk, PskIdentities, Roots, SignatureScheme,
    TlsError,
};

/// A byte stream that a handshake runs over: a TCP connection, a tunnel, an in-memory pipe.
///
/// Implemented for everything that fits.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any byte stream.
pub type BoxIo = Box<dyn Io>;

/// The future of a handshake. Dropping it ends the handshake; no time limit is applied here.
pub type TlsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, TlsError>> + Send + 'a>>;

/// A connection after its handshake.
///
/// Reading `io` after the peer closed without a closure alert gives
/// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) (RFC 2818, section 2.2), never a clean end;
/// shutting it down sends our own alert. Failures of TLS come out of `io` as IO errors that carry
/// a [`TlsError`]: see [`TlsError::in_io`].
#[non_exhaustive]
pub struct Secured {
    /// The protected stream.
    pub io: BoxIo,
    /// What the handshake settled.
    pub info: Arc<TlsInfo>,
    /// The verified chain that the peer showed, leaf first; empty without one. A resumed session
    /// has the chain of the session that it resumes.
    pub peer_certificates: Arc<[CertificateDer<'static>]>,
    /// The PSK identity of which the peer proved to hold the key; on a client's side it is the
    /// client's own, which the server knows too.
    pub psk_identity: Option<Bytes>,
    /// On a client's side the hint that the server gave for choosing a pre-shared key (RFC 4279,
    /// section 5.2), if it gave one. It came in clear before the server proved anything.
    pub psk_hint: Option<Bytes>,
    /// On a client's side that takes any server: what a check would have said of the name. A client says it in its log
    /// (RFC 2818, section 3.1).
    pub unchecked: Option<Unchecked>,
    /// On a client's side whether the server asked for a certificate, in this handshake or the one that
    /// it resumes; `None` where the backend cannot tell.
    pub certificate_asked: Option<bool>,
    psk: Option<Psk>,
}

/// A server that was taken without a check ([`ClientConfig::dangerous_any_server`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unchecked {
    /// Which name was asked for and which ones the certificate offers, where they do not fit.
    pub mismatch: Option<String>,
}

impl Unchecked {
    /// What the check of the name would have said of the certificate that a server showed.
    pub fn new(name: &ServerName<'_>, shown: &[CertificateDer<'_>]) -> Self {
        Self { mismatch: crate::rustls_backend::name_mismatch(name, shown.first()) }
    }
}

impl Secured {
    /// A connection from its parts; for backends.
    pub fn new(
        io: BoxIo,
        info: Arc<TlsInfo>,
        peer_certificates: Arc<[CertificateDer<'static>]>,
    ) -> Self {
        Self {
            io,
            info,
            peer_certificates,
            psk_identity: None,
            psk_hint: None,
            unchecked: None,
            certificate_asked: None,
            psk: None,
        }
    }

    /// The same connection with the PSK identity that the peer proved.
    #[must_use]
    pub fn with_psk_identity(mut self, identity: Option<Bytes>) -> Self {
        self.psk_identity = identity;
        self
    }

    /// The same connection with the hint that the server gave.
    #[must_use]
    pub fn with_psk_hint(mut self, hint: Option<Bytes>) -> Self {
        self.psk_hint = hint;
        self
    }

    /// The same connection with the pre-shared key that the peer proved, so that a server can ask
    /// later whether it still holds.
    #[must_use]
    pub fn with_psk(mut self, psk: Psk) -> Self {
        self.psk_identity = Some(Bytes::copy_from_slice(psk.identity()));
        self.psk = Some(psk);
        self
    }

    /// By what the peer proved who it is, for [`Acceptor::recheck`].
    pub fn proof(&self) -> Proof {
        Proof::new(Arc::clone(&self.peer_certificates), self.psk.clone())
    }

    /// The same connection, with whether the server asked for a certificate.
    #[must_use]
    pub const fn with_certificate_asked(mut self, asked: Option<bool>) -> Self {
        self.certificate_asked = asked;
        self
    }

    /// The same connection, with a server that was taken without a check.
    #[must_use]
    pub fn with_unchecked(mut self, unchecked: Option<Unchecked>) -> Self {
        self.unchecked = unchecked;
        self
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured")
            .field("info", &self.info)
            .field("peer_certificates", &self.peer_certificates.len())
            .field("psk_identity", &self.psk_identity)
            .field("unchecked", &self.unchecked)
            .finish_non_exhaustive()
    }
}

/// The server's side of handshakes, ready for connections.
pub trait Acceptor: fmt::Debug + Send + Sync {
    /// Runs the server's side of a handshake.
    ///
    /// # Errors
    /// The handshake failed; where TLS has an alert for it, the peer was told.
    fn accept(&self, io: BoxIo) -> TlsFuture<'_, Secured>;

    /// Whether a peer would be taken now by what it proved in an earlier handshake, maybe one of
    /// another acceptor of the same listener: whether its certificate is still of a trusted
    /// authority, in date and not revoked, its pre-shared key still the same. Versions and suites
    /// are not asked about.
    ///
    /// # Errors
    /// It would not, and why.
    fn recheck(&self, peer: &Proof) -> Result<(), TlsError>;

    /// A value that changes whenever [`Acceptor::recheck`] may have come to say something else;
    /// `None` where that does not happen, but by the passing of time.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// What this side shows and takes at this moment; `None` where it does not say. Whoever asks in
    /// order to keep two listeners apart has to take that for "the same".
    fn shown(&self) -> Option<Shown> {
        None
    }
}

/// What a server's side shows and takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// The server's own certificate.
    pub certificate: CertificateDer<'static>,
    /// The versions that it takes.
    pub versions: Vec<TlsVersion>,
}

impl Shown {
    /// Both, for backends.
    pub const fn new(certificate: CertificateDer<'static>, versions: Vec<TlsVersion>) -> Self {
        Self { certificate, versions }
    }
}

/// The client's side of handshakes, ready for connections.
pub trait Connector: fmt::Debug + Send + Sync {
    /// Runs the client's side of a handshake with the server called `name`, and checks that the
    /// server's certificate is for that name.
    ///
    /// In TLS 1.3 a server refuses a client's certificate after the client's side has finished:
    /// such a refusal comes out of the first read.
    ///
    /// # Errors
    /// The handshake failed; where TLS has an alert for it, the peer was told.
    fn connect(&self, name: ServerName<'static>, io: BoxIo) -> TlsFuture<'_, Secured>;
}

/// A TLS library behind a policy.
pub trait Backend: fmt::Debug + Send + Sync {
    /// The library's name, for messages and logs.
    fn name(&self) -> &'static str;

    /// What the library can do; a policy is resolved against it ([`Policy::resolve`]).
    fn capabilities(&self) -> Capabilities;

    /// Makes a server's side that does what the policy says and nothing else.
    ///
    /// # Errors
    /// The policy cannot be met, or the configuration is at fault.
    fn acceptor(
        &self,
        policy: &Policy,
        config: ServerConfig,
    ) -> Result<Arc<dyn Acceptor>, TlsError>;

    /// Makes a client's side that does what the policy says and nothing else.
    ///
    /// # Errors
    /// The policy cannot be met, or the configuration is at fault.
    fn connector(
        &self,
        policy: &Policy,
        config: ClientConfig,
    ) -> Result<Arc<dyn Connector>, TlsError>;
}

/// What a backend can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The backend's name, for messages.
    pub backend: &'static str,
    /// Protocol versions.
    pub versions: Vec<TlsVersion>,
    /// Cipher suites.
    pub suites: Vec<CipherSuite>,
    /// Key exchange groups.
    pub groups: Vec<Group>,
    /// Signature schemes of handshakes.
    pub signatures: Vec<SignatureScheme>,
}

impl Capabilities {
    /// Capabilities from their lists.
    pub const fn new(
        backend: &'static str,
        versions: Vec<TlsVersion>,
        suites: Vec<CipherSuite>,
        groups: Vec<Group>,
        signatures: Vec<SignatureScheme>,
    ) -> Self {
        Self { backend, versions, suites, groups, signatures }
    }
}

/// What a server shows and whom it trusts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The server's certificate chain and key.
    pub identity: Identity,
    /// The authorities whose client certificates are accepted. Needed when the policy asks for
    /// client certificates; unused otherwise.
    pub client_roots: Option<Roots>,
    /// Application protocols (ALPN), best first; `http/1.1` and `http/1.0` unless set. A client
    /// that offers others only is refused, one that offers none is not. Empty: ALPN is not used.
    /// Those that the policy does not permit ([`Policy::alpn`]) are taken out.
    pub alpn: Vec<Vec<u8>>,
    /// Revocation lists that client certificates are looked up in.
    pub crls: Crls,
    /// How strict the server is with what client certificates say of themselves.
    pub client_rules: ClientRules,
    /// Pre-shared keys, for backends that have PSK suites; others refuse them.
    pub psk: PskIdentities,
}

impl ServerConfig {
    /// A server that asks for no client certificates.
    pub fn new(identity: Identity) -> Self {
        // A client that speaks HTTP/1.0 may offer that alone (curl --http1.0 does).
        let alpn = [http_1_1(), vec![b"http/1.0".to_vec()]].concat();
        Self {
            identity,
            client_roots: None,
            alpn,
            crls: Crls::default(),
            client_rules: ClientRules::default(),
            psk: PskIdentities::default(),
        }
    }

    /// The same server, accepting client certificates of these authorities.
    #[must_use]
    pub fn with_client_roots(mut self, roots: Roots) -> Self {
        self.client_roots = Some(roots);
        self
    }

    /// The same server, looking client certificates up in revocation lists.
    #[must_use]
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }

    /// The same server with other rules for what client certificates say of themselves.
    #[must_use]
    pub const fn with_client_rules(mut self, rules: ClientRules) -> Self {
        self.client_rules = rules;
        self
    }

    /// The same server with pre-shared keys, for backends that have PSK suites.
    #[must_use]
    pub fn with_psk(mut self, keys: PskIdentities) -> Self {
        self.psk = keys;
        self
    }

    /// The same server with other application protocols.
    #[must_use]
    pub fn with_alpn(mut self, protocols: Vec<Vec<u8>>) -> Self {
        self.alpn = protocols;
        self
    }
}

/// Whom a client trusts and what it shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The authorities whose server certificates are accepted.
    pub roots: Roots,
    /// The client's certificate chain and key, shown to a server that asks.
    pub identity: Option<Identity>,
    /// Application protocols (ALPN), best first; `http/1.1` unless set. Empty: ALPN is not used.
    /// Those that the policy does not permit ([`Policy::alpn`]) are taken out.
    pub alpn: Vec<Vec<u8>>,
    /// Revocation lists that the server's certificate is looked up in.
    pub crls: Crls,
    /// Pre-shared keys, for backends that have PSK suites; others refuse them.
    pub psk: PskIdentities,
    /// Whether any certificate of a server is taken, whoever signed it and whatever name it is
    /// for; see [`ClientConfig::dangerous_any_server`].
    any_server: bool,
}

impl ClientConfig {
    /// A client without a certificate of its own.
    pub fn new(roots: Roots) -> Self {
        Self {
            roots,
            identity: None,
            alpn: http_1_1(),
            crls: Crls::default(),
            psk: PskIdentities::default(),
            any_server: false,
        }
    }

    /// A client that takes any server for the one it asked for. The connection is encrypted and
    /// anybody can be at its other end: for looking at a server whose certificate is broken, and
    /// never for sending it a secret.
    pub fn dangerous_any_server() -> Self {
        Self { any_server: true, ..Self::new(Roots::none()) }
    }

    /// Whether this is [`ClientConfig::dangerous_any_server`]; for backends.
    pub const fn takes_any_server(&self) -> bool {
        self.any_server
    }

    /// The same client with a certificate of its own.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The same client, looking the server's certificate up in revocation lists.
    #[must_use]
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }

    /// The same client with a pre-shared key, for backends that have PSK suites; the first is used.
    #[must_use]
    pub fn with_psk(mut self, keys: PskIdentities) -> Self {
        self.psk = keys;
        self
    }

    /// The same client with other application protocols.
    #[must_use]
    pub fn with_alpn(mut self, protocols: Vec<Vec<u8>>) -> Self {
        self.alpn = protocols;
        self
    }
}

fn http_1_1() -> Vec<Vec<u8>> {
    vec![b"http/1.1".to_vec()]
}
