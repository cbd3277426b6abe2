//! What can go wrong below a message.

use std::{borrow::Cow, error::Error, fmt, net::SocketAddr, sync::Arc};

use bindery_tls::{TlsError, TlsErrorKind};
use http::StatusCode;

/// Why a connection or an exchange over it failed.
///
/// Opaque but for its predicates; Display prints one level, [`Error::source`] the next. It says
/// which layer failed, who the peer was, and what to do.
#[derive(Clone)]
pub struct TransportError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    layer: Layer,
    message: String,
    hint: Cow<'static, str>,
    address: Option<SocketAddr>,
    tls: Option<TlsErrorKind>,
    proxy: Option<StatusCode>,
    unsent: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kind of a [`TransportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A listener could not be opened.
    Bind,
    /// The target or the request is one that cannot be sent: the caller's fault.
    Request,
    /// The host's name could not be resolved.
    Resolve,
    /// No connection could be made.
    Connect,
    /// The host has no address that is led to: see [`Reach`](crate::Reach).
    OutOfReach,
    /// The connection could not be made or used in time.
    Timeout,
    /// The TLS handshake failed.
    Tls,
    /// A proxy on the way did not lead to the server: it is not there, refuses, or cannot reach the server itself.
    Proxy,
    /// The server did not become TLS where that was insisted on (RFC 2817, section 3.2), or asks for an upgrade without
    /// saying to what.
    Upgrade,
    /// The connection ended before the whole answer was there.
    Closed,
    /// The answer is not HTTP.
    Protocol,
    /// The answer passed a limit.
    TooLarge,
    /// The answer's content coding is broken, or one that was not asked for.
    Coding,
    /// The exchange asked for nothing and came to nothing: a fault of its state machine.
    Exchange,
}

/// The layer that an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// Names, addresses, connections.
    Tcp,
    /// A proxy on the way to the server.
    Proxy,
    /// The handshake and what it checks.
    Tls,
    /// Messages.
    Http,
}

impl Layer {
    /// The name in messages and in JSON: `tcp`, `proxy`, `tls` or `http`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Http => "http",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TransportError {
    pub(crate) fn new(kind: ErrorKind, layer: Layer, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            layer,
            message: message.into(),
            hint: Cow::Borrowed(default_hint(kind, layer)),
            address: None,
            tls: None,
            proxy: None,
            unsent: false,
            source: None,
        }))
    }

    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, Layer::Http, message)
    }

    /// What a proxy did, and the status of its answer where it gave one.
    pub(crate) fn proxy(message: String, status: Option<StatusCode>) -> Self {
        let mut made = Self::new(ErrorKind::Proxy, Layer::Proxy, message);
        made.0.proxy = status;
        made
    }

    pub(crate) fn timeout(layer: Layer, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, layer, message)
    }

    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    pub(crate) fn with_address(mut self, address: Option<SocketAddr>) -> Self {
        self.0.address = self.0.address.or(address);
        self
    }

    /// The same error of a request of which nothing was sent.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.unsent = true;
        if matches!(self.0.kind, ErrorKind::Closed) {
            self.0.hint = Cow::Borrowed("nothing of the request was sent: send it again");
        }
        self
    }

    /// A failure of TLS: in the handshake, or after it, when in TLS 1.3 the server refuses the
    /// client's certificate.
    pub(crate) fn tls(message: String, error: &TlsError) -> Self {
        let mut made = Self::new(ErrorKind::Tls, Layer::Tls, message);
        made.0.hint = Cow::Owned(error.hint().to_owned());
        made.0.tls = Some(error.kind());
        made
    }

    /// What failed in TLS, where [`TransportError::kind`] is [`ErrorKind::Tls`].
    pub const fn tls_kind(&self) -> Option<TlsErrorKind> {
        self.0.tls
    }

    /// The status that a proxy answered with in its own name, where [`TransportError::kind`] is [`ErrorKind::Proxy`] and
    /// it answered.
    pub const fn proxy_status(&self) -> Option<StatusCode> {
        self.0.proxy
    }

    /// What failed.
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it failed.
    pub const fn layer(&self) -> Layer {
        self.0.layer
    }

    /// The peer's address, where a connection was tried.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// Whether a time limit passed.
    pub const fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout)
    }

    /// Whether no connection could be made: name, address, TCP, time included.
    pub const fn is_connect(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Resolve | ErrorKind::Connect)
            || (self.is_timeout() && matches!(self.0.layer, Layer::Tcp))
    }

    /// Whether the TLS handshake failed, time included.
    pub const fn is_tls(&self) -> bool {
        matches!(self.0.layer, Layer::Tls)
    }

    /// Whether the connection ended before the whole answer was there. Whether the server acted on
    /// the request is then not known.
    pub const fn is_closed(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Closed)
    }

    /// Whether it is known that nothing of the request was sent, so that sending it again cannot
    /// carry it out twice.
    pub const fn is_unsent(&self) -> bool {
        self.0.unsent || self.is_request()
    }

    /// Whether the caller asked for something that cannot be sent.
    pub const fn is_request(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Request)
    }
}

const fn default_hint(kind: ErrorKind, layer: Layer) -> &'static str {
    match (kind, layer) {
        (ErrorKind::Bind, _) => "choose another address, or end the program that holds this one",
        (ErrorKind::Request, _) => "change the request",
        (ErrorKind::Resolve, _) => "check the host's name and the name service",
        (ErrorKind::Connect, _) => "check host and port, and that the server is running",
        (ErrorKind::OutOfReach, _) => "allow the address in so many words, if it is meant",
        (ErrorKind::Timeout, Layer::Tcp | Layer::Proxy) => {
            "check host, port and firewall, or raise the limit"
        }
        (ErrorKind::Timeout, Layer::Tls) => "check that the port speaks TLS, or raise the limit",
        (ErrorKind::Timeout, Layer::Http) => "raise the limit, or look at the server's load",
        (ErrorKind::Tls, _) => {
            "check certificates, trusted roots and the TLS policies of both sides"
        }
        (ErrorKind::Proxy, _) => "check the proxy's host and port, and what it leads to",
        (ErrorKind::Upgrade, _) => {
            "use an https URL, or ask for no upgrade where everybody may read and change what is sent"
        }
        (ErrorKind::Closed, _) => {
            "whether the request was acted on is not known: look before sending it again"
        }
        (ErrorKind::Protocol, _) => "check that the port speaks HTTP/1",
        (ErrorKind::TooLarge, _) => "raise the limit, or ask for less",
        (ErrorKind::Coding, _) => "send no Accept-Encoding, or report it to the server's operator",
        (ErrorKind::Exchange, _) => "report it: the exchange's state machine is at fault",
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.address {
            Some(address) => write!(f, "{} ({address})", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.0.kind)
            .field("layer", &self.0.layer)
            .field("message", &self.0.message)
            .field("address", &self.0.address)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
