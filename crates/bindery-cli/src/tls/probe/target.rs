//! The server that is probed: one connection at a time, each with an end.

use std::{fmt, sync::Arc, time::Duration};

use bindery_core::{TlsInfo, TlsVersion};
use bindery_tls::{
    Backend, BoxIo, ClientConfig, Identity, Policy, PskIdentities, Secured, TlsError, TlsErrorKind,
};
use bindery_transport::{
    Client, ClientLimits, Layer as TransportLayer, Target as Way, TransportError,
};
use http::StatusCode;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

use super::asked::Asked;
use crate::{
    args::{ProbeArgs, StartTls},
    error::{Exit, Failure, Layer, Result},
    settings::proxies,
    tls::{backend_of, failure, identity},
};

/// How long is waited for a server's refusal after a handshake, besides as long as the handshake
/// took.
const SECOND_THOUGHTS: Duration = Duration::from_millis(250);
/// How long a server may take to close a connection that we have closed.
const CLOSING: Duration = Duration::from_secs(2);
/// How many octets are read, and thrown away, of a server that speaks first.
const GREETING: usize = 64 * 1024;
/// The longest head of an answer to the upgrade, in octets.
const HEAD_LIMIT: usize = 16 * 1024;

/// A server to probe.
pub(super) struct Target {
    /// Host and port.
    place: String,
    way: Way,
    pub(super) name: ServerName<'static>,
    pub(super) identity: Option<Identity>,
    pub(super) backend: Box<dyn Backend>,
    psk: PskIdentities,
    client: Client,
    starttls: Option<StartTls>,
    patience: Duration,
}

/// What a handshake came to. The connection is closed.
pub(super) struct Meeting {
    pub(super) info: Arc<TlsInfo>,
    pub(super) certificates: Arc<[CertificateDer<'static>]>,
    /// Whether the server asked for a certificate; `None` where the TLS library cannot tell.
    pub(super) asked: Option<bool>,
    /// Whether a pre-shared key proved who we are.
    pub(super) by_psk: bool,
    /// What the server said for choosing the key, as text.
    pub(super) psk_hint: Option<String>,
    /// What the server said against us after the handshake, as it does in TLS 1.3.
    pub(super) refusal: Option<TlsError>,
}

/// Whether to wait for what a server says after the handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Awaited,
    NotNeeded,
}

/// A handshake that succeeded, or what TLS says against it.
pub(super) type Attempt = std::result::Result<Meeting, TlsError>;

/// Whether the server asked for a certificate, as far as that is known. One that refuses ours, or that
/// there is none, has asked: with no check of the server, a certificate's fault is ours.
pub(super) fn asked(attempt: &Attempt) -> Option<bool> {
    match attempt {
        Ok(meeting) => meeting.asked,
        Err(error) => error.is_certificate().then_some(true),
    }
}

impl Target {
    pub(super) fn new(args: &ProbeArgs, asked: &Asked) -> Result<Self> {
        let (host, port) = (asked.host.clone(), asked.port);
        let name = ServerName::try_from(host.clone()).map_err(|_| {
            Failure::usage(format!("\"{host}\" is no host's name and no address"))
                .hint("write HOST:PORT, such as kmip.example.com:5696 or [::1]:5696")
        })?;
        // The URL is for finding the way: through a proxy or not.
        let place =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let way = format!("https://{place}/")
            .parse()
            .map_err(|error| Failure::usage(format!("{place}: {error}")).hint("write HOST:PORT"))?;
        let files = (asked.cert.as_deref(), asked.key.as_deref());
        let identity = identity(files, args.key_passphrase_file.as_deref())?;
        let backend = backend_of(args.tls_backend).map_err(|error| failure(&error))?;
        let psk = args.psk_file.as_ref().map(PskIdentities::from_file).transpose();
        let psk = psk.map_err(|error| failure(&error))?.unwrap_or_default();
        let mut limits = ClientLimits::default();
        limits.connect = asked.patience;
        let proxies = proxies(&args.proxy_login, &asked.proxies)?;
        let client = Client::builder().limits(limits).proxies(proxies).build();
        let (starttls, patience) = (asked.starttls, asked.patience);
        Ok(Self { place, way, name, identity, backend, psk, client, starttls, patience })
    }

    /// One handshake with everything that a policy offers, whoever the server is. The connection is
    /// closed before this returns: many a server (`openssl s_server` is one) serves one at a time,
    /// and the next would wait for the end of this one.
    ///
    /// # Errors
    /// Nobody answers in time.
    pub(super) async fn attempt(&self, policy: &Policy, verdict: Verdict) -> Result<Attempt> {
        let config = ClientConfig::dangerous_any_server().with_alpn(Vec::new());
        let mut config = config.with_psk(self.psk.clone());
        if let Some(identity) = &self.identity {
            config = config.with_identity(identity.clone());
        }
        let connector = self.backend.connector(policy, config).map_err(|error| failure(&error))?;
        let work = async {
            let dialled = self.client.dial(&self.way).await;
            let mut io = dialled.map_err(|error| self.undialled(&error))?;
            if self.starttls == Some(StartTls::Http) {
                self.upgrade(&mut io).await?;
            }
            let begin = Instant::now();
            let connected = connector.connect(self.name.clone(), io).await;
            Ok::<_, Failure>(connected.map(|secured| (secured, begin.elapsed())))
        };
        let (secured, took) = match timeout(self.patience, work).await {
            Ok(Ok(Ok(secured))) => secured,
            Ok(Ok(Err(error))) => return Ok(Err(error)),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => return Err(self.unreachable("no answer in time", HINT)),
        };
        let wait = match verdict {
            // Before TLS 1.3 a server's last word is within the handshake.
            Verdict::Awaited if secured.info.version >= TlsVersion::TLS_1_3 => {
                Some((took + SECOND_THOUGHTS).min(self.patience))
            }
            _ => None,
        };
        Ok(Ok(Meeting::close(secured, wait).await))
    }

    fn unreachable(&self, why: &str, hint: &str) -> Failure {
        let message = format!("{self}: {why}");
        Failure::new(Exit::Connection, Layer::Tcp, message).hint(hint)
    }

    fn undialled(&self, error: &TransportError) -> Failure {
        match error.layer() {
            TransportLayer::Proxy => {
                let refused =
                    error.proxy_status() == Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
                let exit = if refused { Exit::NotAuthorised } else { Exit::Connection };
                Failure::new(exit, Layer::Proxy, error.to_string()).hint(error.hint())
            }
            _ => self.unreachable(&error.to_string(), HINT),
        }
    }

    /// Asks for the upgrade (RFC 2817, 3.1), and reads the answer up to its empty line: what follows is
    /// TLS.
    async fn upgrade(&self, io: &mut BoxIo) -> Result<()> {
        let request = format!(
            "OPTIONS * HTTP/1.1\r\nHost: {self}\r\nUpgrade: TLS/1.3, TLS/1.2, TLS/1.0\r\n\
             Connection: Upgrade\r\n\r\n"
        );
        let mut head = Vec::new();
        let read = async {
            io.write_all(request.as_bytes()).await?;
            while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT && !is_tls(&head) {
                head.push(io.read_u8().await?);
            }
            Ok::<_, std::io::Error>(())
        };
        let read = read.await;
        if is_tls(&head) {
            let why = "it speaks TLS from the start and does not upgrade to it";
            return Err(self.unreachable(why, "leave --starttls out"));
        }
        if let Err(error) = read {
            let why = format!("it does not answer the request for an upgrade: {error}");
            return Err(self.unreachable(&why, "if that is a TLS port, leave --starttls out"));
        }
        let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
        if line.starts_with(b"HTTP/1.1 101 ") {
            return Ok(());
        }
        let why = format!("it does not upgrade to TLS, but answers {}", line.escape_ascii());
        Err(self.unreachable(&why, "name a port whose server upgrades to TLS (RFC 2817)"))
    }
}

/// Whether an answer begins as a record of TLS does: an alert or a handshake message.
fn is_tls(head: &[u8]) -> bool {
    matches!(head, [21 | 22, 3, ..])
}

const HINT: &str = "check host, port and firewall; --timeout says how long is waited";

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl Meeting {
    /// Waits so long for a refusal, then closes the connection and waits for its end.
    async fn close(secured: Secured, wait: Option<Duration>) -> Self {
        let Secured { mut io, info, peer_certificates, psk_identity, psk_hint, .. } = secured;
        let asked = secured.certificate_asked;
        let mut greeting = io.as_mut().take(GREETING as u64);
        let mut refusal = None;
        if let Some(wait) = wait {
            let mut scrap = tokio::io::sink();
            let copied = timeout(wait, tokio::io::copy(&mut greeting, &mut scrap)).await;
            refusal = copied.ok().and_then(refused);
        }
        let closing = async {
            io.shutdown().await.ok()?;
            let mut rest = io.as_mut().take(GREETING as u64);
            let copied = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
            // Whoever has said goodbye need not be told goodbye: only alerts count now.
            copied.err().and_then(|error| alert(&error))
        };
        let told = timeout(CLOSING, closing).await.ok().flatten();
        if wait.is_some() && refusal.is_none() {
            refusal = told;
        }
        let psk_hint = psk_hint.map(|hint| hint.escape_ascii().to_string());
        let (certificates, by_psk) = (peer_certificates, psk_identity.is_some());
        Self { info, certificates, asked, by_psk, psk_hint, refusal }
    }
}

/// What a server says against us that ends a connection, or speaks first on it, before we have said
/// a word: a connection that ends is refused, in whatever words.
fn refused(copied: std::io::Result<u64>) -> Option<TlsError> {
    let silent = |what: &str| {
        let message = format!("the server {what} right after the handshake and did not say why");
        let hint = "it may refuse our certificate, or that there is none (--cert, --key): its log \
                    says why";
        TlsError::new(TlsErrorKind::Refused, message, hint).by_peer()
    };
    match copied {
        // It greets at length: it takes us.
        Ok(octets) if octets > 0 => None,
        Ok(_) => Some(silent("closed the connection")),
        Err(error) => alert(&error).or_else(|| Some(silent("broke the connection off"))),
    }
}

/// The alert inside an IO error, in our own words.
fn alert(error: &std::io::Error) -> Option<TlsError> {
    let told = TlsError::in_io(error).filter(|told| told.kind() != TlsErrorKind::Io)?;
    Some(TlsError::new(told.kind(), told.message(), told.hint().to_owned()).by_peer())
}
