//! The server that is probed: one connection at a time, each with an end.

use std::{sync::Arc, time::Duration};

use bindery_core::{TlsInfo, TlsVersion};
use bindery_tls::{
    Backend, ClientConfig, Identity, Policy, PskIdentities, Secured, TlsError, TlsErrorKind,
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    args::{ProbeArgs, StartTls},
    error::{Exit, Failure, Layer, Result},
    tls::{backend_of, failure},
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
    host: String,
    port: u16,
    pub(super) name: ServerName<'static>,
    pub(super) identity: Option<Identity>,
    pub(super) backend: Box<dyn Backend>,
    psk: PskIdentities,
    starttls: Option<StartTls>,
    patience: Duration,
}

/// What a handshake came to. The connection is closed.
pub(super) struct Meeting {
    pub(super) info: Arc<TlsInfo>,
    pub(super) certificates: Arc<[CertificateDer<'static>]>,
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

impl Target {
    pub(super) fn new(args: &ProbeArgs) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::usage(format!("\"{}\" {why}", args.server))
                .hint("write HOST:PORT, such as kmip.example.com:5696 or [::1]:5696")
        };
        let (host, port) = args.server.rsplit_once(':').ok_or_else(|| wrong("has no port"))?;
        let port = port.parse().map_err(|_| wrong("has no port that is a number"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong("has no host"))?;
        let identity = match (&args.cert, &args.key) {
            (Some(cert), Some(key)) => {
                Some(Identity::from_pem_files(cert, key).map_err(|error| failure(&error))?)
            }
            (None, None) => None,
            _ => return Err(Failure::usage("--cert and --key belong together").hint("give both")),
        };
        let backend = backend_of(args.tls_backend).map_err(|error| failure(&error))?;
        let psk = args.psk_file.as_ref().map(PskIdentities::from_file).transpose();
        let psk = psk.map_err(|error| failure(&error))?.unwrap_or_default();
        let (starttls, patience) = (args.starttls, args.timeout.duration());
        Ok(Self { host, port, name, identity, backend, psk, starttls, patience })
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
            let mut socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
            if self.starttls == Some(StartTls::Http) {
                upgrade(&mut socket, &self.host, self.port).await?;
            }
            let begin = Instant::now();
            let connected = connector.connect(self.name.clone(), Box::new(socket)).await;
            Ok::<_, std::io::Error>(connected.map(|secured| (secured, begin.elapsed())))
        };
        let (secured, took) = match timeout(self.patience, work).await {
            Ok(Ok(Ok(secured))) => secured,
            Ok(Ok(Err(error))) => return Ok(Err(error)),
            Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
            Err(_) => return Err(self.unreachable("no answer in time")),
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

    fn unreachable(&self, why: &str) -> Failure {
        let message = format!("{}:{}: {why}", self.host, self.port);
        Failure::new(Exit::Connection, Layer::Tcp, message)
            .hint("check host, port and firewall; --timeout says how long is waited")
    }
}

impl Meeting {
    /// Waits so long for a refusal, then closes the connection and waits for its end.
    async fn close(secured: Secured, wait: Option<Duration>) -> Self {
        let Secured { mut io, info, peer_certificates, psk_identity, psk_hint, .. } = secured;
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
        Self { info, certificates, by_psk, psk_hint, refusal }
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

/// Asks for the upgrade (RFC 2817, 3.1), and reads the answer up to its empty line: what follows is
/// TLS.
async fn upgrade(socket: &mut TcpStream, host: &str, port: u16) -> std::io::Result<()> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let request = format!(
        "OPTIONS * HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: TLS/1.3, TLS/1.2, TLS/1.0\r\n\
         Connection: Upgrade\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        head.push(socket.read_u8().await?);
    }
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    if line.starts_with(b"HTTP/1.1 101 ") {
        return Ok(());
    }
    let message = format!("it does not upgrade to TLS, but answers {}", line.escape_ascii());
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, message))
}
