//! The client: one persistent connection to one server.

mod connection;
mod drive;
mod failure;
mod login;
mod open;
mod proxy;
mod request;
mod streamed;
mod target;
mod tunnel;
mod upgrade;

use std::sync::Arc;

use bindery_core::ContentCoding;
use bindery_tls::Connector;
use http::Version;

use crate::{ClientLimits, Dialer, Reach, SystemDialer};
pub use connection::Connection;
pub use proxy::{NoProxy, Proxies, Proxy};
pub(crate) use request::Untouched;
pub use target::Target;
pub(crate) use tunnel::{Hop, Way, dial};
pub use upgrade::UpgradeMode;

/// In a request's extensions: it may be sent a second time, because carrying it out twice does
/// the same as once.
///
/// Requests with a method that HTTP itself calls idempotent (GET, HEAD, OPTIONS, TRACE, PUT,
/// DELETE; RFC 9110, section 9.2.2) need no mark. What it is used for: see [`Connection::send`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is a mark and holds nothing")]
pub struct Repeatable;

/// The configuration that connections are made with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Config>,
}

#[derive(Clone, Debug)]
struct Config {
    connector: Option<Arc<dyn Connector>>,
    limits: ClientLimits,
    version: Version,
    keep_alive: bool,
    codings: Vec<ContentCoding>,
    content_digest: bool,
    upgrade: UpgradeMode,
    proxies: Proxies,
    dialer: Arc<dyn Dialer>,
    reach: Reach,
}

impl Client {
    /// A client for HTTP/1.1 with persistent connections and without TLS.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            config: Config {
                connector: None,
                limits: ClientLimits::default(),
                version: Version::HTTP_11,
                keep_alive: true,
                codings: Vec::new(),
                content_digest: false,
                upgrade: UpgradeMode::Never,
                proxies: Proxies::default(),
                dialer: Arc::new(SystemDialer),
                reach: Reach::everywhere(),
            },
        }
    }

    /// A connection to a target. It is opened by the first request, or by [`Connection::open`].
    pub fn connection(&self, target: Target) -> Connection {
        Connection::new(Arc::clone(&self.config), target)
    }
}

/// The settings of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    config: Config,
}

impl ClientBuilder {
    /// Sets what secures connections to https targets; needed for them.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.config.connector = Some(connector);
        self
    }

    /// Sets the limits.
    pub const fn limits(mut self, limits: ClientLimits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Speaks HTTP/1.0: `Content-Length` and no `Transfer-Encoding`, and a new connection for each
    /// request unless Keep-Alive was agreed.
    pub const fn http_1_0(mut self) -> Self {
        self.config.version = Version::HTTP_10;
        self
    }

    /// Whether the connection is kept for further requests; true. With HTTP/1.0 that is asked for
    /// by `Connection: keep-alive`, with HTTP/1.1 it is refused by `Connection: close`.
    pub const fn keep_alive(mut self, keep: bool) -> Self {
        self.config.keep_alive = keep;
        self
    }

    /// Sets the content codings that are named in `Accept-Encoding` where a request has no such
    /// field of its own; none by default. A coding that a request names is undone in its answer,
    /// any other is an error.
    pub fn codings(mut self, codings: impl Into<Vec<ContentCoding>>) -> Self {
        self.config.codings = codings.into();
        self
    }

    /// Says what the content of requests is, and asks for the same of answers
    /// (`Content-Digest` with SHA-256, RFC 9530); false. An answer that says it is verified
    /// in any case: one whose content is another is an error.
    pub const fn content_digest(mut self, digest: bool) -> Self {
        self.config.content_digest = digest;
        self
    }

    /// Whether connections to http targets become TLS (RFC 2817); [`UpgradeMode::Never`]. Needs a connector.
    pub const fn upgrade(mut self, mode: UpgradeMode) -> Self {
        self.config.upgrade = mode;
        self
    }

    /// Sets the proxies on the way; none by default. An https target, and one that is upgraded, is reached by a tunnel
    /// (CONNECT); an http target by requests in absolute form to the last proxy.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.config.proxies = proxies;
        self
    }

    /// Sets how connections are opened; [`SystemDialer`] by default.
    pub fn dialer(mut self, dialer: Arc<dyn Dialer>) -> Self {
        self.config.dialer = dialer;
        self
    }

    /// Sets at which addresses servers may be, for targets that somebody else chose; [`Reach::everywhere`] by default. A
    /// proxy may be anywhere. What a name means at the end of a tunnel is the last proxy's to look at; a target that is an
    /// address is looked at here.
    pub fn reach(mut self, reach: Reach) -> Self {
        self.config.reach = reach;
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        Client { config: Arc::new(self.config) }
    }
}
