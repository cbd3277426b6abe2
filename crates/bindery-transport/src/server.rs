//! The server: listeners, limits, and the way from a connection to an endpoint.

mod accept;
mod connection;
mod exchange;
mod forwarded;
mod guard;
mod identity;
mod leave;
mod messages;
mod mounted;
mod preflight;
mod router;
mod streams;
mod tunnels;
mod upgrade;

use std::{future::Future, net::SocketAddr, sync::Arc};

use bindery_core::{IdentityMap, Profile, RefusalForm, StreamEndpoint};
use bindery_tls::Acceptor;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{Clock, Counters, ErrorKind, Layer, Limits, SystemClock, TransportError};
use accept::Addresses;
pub use forwarded::{Network, ParseNetworkError};
pub use mounted::{Mounted, MountedBody};
pub use router::{MountError, Router};
pub use streams::Streams;
pub use tunnels::{TunnelLimits, Tunnels};
use upgrade::Gate;
pub use upgrade::Upgrade;

/// An HTTP/1.0 and 1.1 server, bound and not serving yet.
///
/// A request's future is dropped when its connection ends before the answer, when
/// [`Limits::request`] passes and when the server is aborted: a handler must be safe to cancel at
/// every await, and commit what it changes in one step. A handler that panics costs its own
/// request (status 500) and connection, nothing else; that needs `panic = "unwind"`.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listening>,
    shared: Arc<Shared>,
}

/// A listener that is bound.
#[derive(Debug)]
struct Listening {
    socket: TcpListener,
    balancers: Option<Arc<[Network]>>,
    address: SocketAddr,
    acceptor: Option<Arc<dyn Acceptor>>,
    upgrade: Option<Upgrade>,
    speaks: Speaks,
    routes: Option<Arc<Routes>>,
}

/// What is spoken on a listener.
#[derive(Clone, Debug)]
enum Speaks {
    Http,
    Messages(Arc<dyn StreamEndpoint>),
    /// The first octets of a connection tell.
    Either(Arc<dyn StreamEndpoint>),
    /// HTTP, with a proxy.
    Tunnels(Arc<Tunnels>),
}

/// What the connections of a listener share.
#[derive(Clone, Debug)]
struct Door {
    /// Where each connection begins with a PROXY head: from whom it is taken.
    balancers: Option<Arc<[Network]>>,
    acceptor: Option<Arc<dyn Acceptor>>,
    gate: Option<Arc<Gate>>,
    speaks: Speaks,
    routes: Arc<Routes>,
}

/// What stands where, and what answers where nothing does.
#[derive(Debug)]
struct Routes {
    router: Router,
    /// Whether an endpoint's card says that connections are reset where this side breaks off.
    resets: bool,
    /// Writes refusals where no endpoint stands.
    neutral: Profile,
}

impl Routes {
    fn new(router: Router) -> Arc<Self> {
        let neutral = neutral(&router);
        let resets = router.routes().any(|(_, endpoint)| endpoint.profile().resets);
        Arc::new(Self { router, resets, neutral })
    }
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    /// Those of listeners that have none of their own.
    routes: Arc<Routes>,
    limits: Limits,
    identities: Option<Arc<dyn IdentityMap>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    slots: Arc<Semaphore>,
    addresses: Addresses,
}

/// An address to listen on, and whether in clear or with TLS.
#[derive(Debug)]
pub struct Listener {
    source: Source,
    balancers: Option<Arc<[Network]>>,
    acceptor: Option<Arc<dyn Acceptor>>,
    upgrade: Option<Upgrade>,
    speaks: Speaks,
    routes: Option<Arc<Routes>>,
}

#[derive(Debug)]
enum Source {
    Address(SocketAddr),
    Socket(std::net::TcpListener),
}

impl Listener {
    /// A listener in clear. Port 0 takes a free one; see [`Server::local_addrs`].
    pub const fn clear(address: SocketAddr) -> Self {
        Self::new(Source::Address(address), None)
    }

    /// A listener with TLS. Port 0 takes a free one; see [`Server::local_addrs`].
    pub const fn tls(address: SocketAddr, acceptor: Arc<dyn Acceptor>) -> Self {
        Self::new(Source::Address(address), Some(acceptor))
    }

    /// A listener on a socket that was bound elsewhere, such as one inherited from a supervisor;
    /// in clear without an acceptor. The socket is made non-blocking.
    pub const fn from_std(
        socket: std::net::TcpListener,
        acceptor: Option<Arc<dyn Acceptor>>,
    ) -> Self {
        Self::new(Source::Socket(socket), acceptor)
    }

    const fn new(source: Source, acceptor: Option<Arc<dyn Acceptor>>) -> Self {
        Self {
            source,
            balancers: None,
            acceptor,
            upgrade: None,
            speaks: Speaks::Http,
            routes: None,
        }
    }

    /// The same listener with routes of its own in place of the server's: what is not among them is
    /// not there for whoever comes through it.
    #[must_use]
    pub fn router(mut self, router: Router) -> Self {
        self.routes = Some(Routes::new(router));
        self
    }

    /// The same listener with a protocol's messages on the bare stream in place of HTTP.
    #[must_use]
    pub fn messages(mut self, endpoint: Arc<dyn StreamEndpoint>) -> Self {
        self.speaks = Speaks::Messages(endpoint);
        self
    }

    /// The same listener with HTTP and a protocol's messages on the bare stream: the first octets
    /// of a connection tell which it is ([`StreamEndpoint::opening`]).
    #[must_use]
    pub fn messages_or_http(mut self, endpoint: Arc<dyn StreamEndpoint>) -> Self {
        self.speaks = Speaks::Either(endpoint);
        self
    }

    /// The same listener as a proxy, in place of everything else; in clear, or within TLS.
    #[must_use]
    pub fn tunnels(mut self, tunnels: Tunnels) -> Self {
        self.speaks = Speaks::Tunnels(Arc::new(tunnels));
        self
    }

    /// The same listener in clear, on which connections can become TLS (RFC 2817). Read of the risk at [`Upgrade`].
    #[must_use]
    pub fn upgrade(mut self, upgrade: Upgrade) -> Self {
        self.upgrade = Some(upgrade);
        self
    }

    /// The same listener behind balancers that speak the PROXY protocol (HAProxy, versions 1 and 2):
    /// each connection begins with a head that names the client, whose address then is the peer's
    /// and counts for its limits. Off by default, since whoever sends such a head is whom they
    /// like: connections from other addresses than these are closed, and so are those without a
    /// head.
    #[must_use]
    pub fn proxy_protocol(mut self, balancers: impl Into<Arc<[Network]>>) -> Self {
        self.balancers = Some(balancers.into());
        self
    }

    async fn bind(self) -> Result<Listening, TransportError> {
        let (socket, wanted) = match self.source {
            Source::Address(address) => (TcpListener::bind(address).await, Some(address)),
            Source::Socket(socket) => {
                let address = socket.local_addr().ok();
                let socket =
                    socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
                (socket, address)
            }
        };
        let fault = |error: std::io::Error| {
            let message = format!("cannot listen: {error}");
            let fault = TransportError::new(ErrorKind::Bind, Layer::Tcp, message);
            let fault = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    fault.with_hint("ports below 1024 need a privilege; choose a higher one")
                }
                std::io::ErrorKind::AddrNotAvailable => {
                    fault.with_hint("no interface of this machine has the address")
                }
                _ => fault,
            };
            fault.with_address(wanted).with_source(error)
        };
        let socket = socket.map_err(fault)?;
        let address = socket.local_addr().map_err(fault)?;
        let Self { balancers, acceptor, upgrade, speaks, routes, .. } = self;
        Ok(Listening { socket, balancers, address, acceptor, upgrade, speaks, routes })
    }
}

/// How a server stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Connections that were open at the signal and ended in order: idle ones at once, busy ones
    /// after their request.
    pub drained: usize,
    /// Connections that were still busy at the deadline and were cut off.
    pub aborted: usize,
}

impl Server {
    /// Starts a configuration without listeners and routes.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            listeners: Vec::new(),
            router: Router::new(),
            limits: Limits::default(),
            identities: None,
            clock: Arc::new(SystemClock),
            counters: Arc::new(Counters::new()),
        }
    }

    /// The addresses that are listened on, in the order in which the listeners were given, with
    /// the real port where port 0 was asked for. Connections are taken by the kernel from now on
    /// and answered once the server serves.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listening| listening.address).collect()
    }

    /// The server's counters.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// Serves until `shutdown` completes, then stops: listeners are closed first, then idle
    /// connections; requests under way are finished, their answers say `Connection: close`; what
    /// is left after [`Limits::drain`] is aborted. Returns when nothing is left.
    ///
    /// Dropping this future aborts everything at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Stopped {
        let (stop, stopping) = watch::channel(false);
        let mut loops = JoinSet::new();
        for listening in self.listeners {
            let Listening { socket, balancers, address, acceptor, upgrade, speaks, routes } =
                listening;
            tracing::info!(%address, tls = acceptor.is_some(), "listening");
            if upgrade.is_some() {
                tracing::warn!(
                    %address,
                    "connections here can become TLS (RFC 2817): no https client may trust this certificate (CVE-2025-49812)"
                );
            }
            let gate = upgrade.as_ref().map(|upgrade| Arc::new(Gate::new(upgrade)));
            let shared = Arc::clone(&self.shared);
            let routes = routes.unwrap_or_else(|| Arc::clone(&shared.routes));
            let door = Door { balancers, acceptor, gate, speaks, routes };
            loops.spawn(accept::run(socket, door, shared, stopping.clone()));
        }
        drop(stopping);
        shutdown.await;
        stop.send_replace(true);
        let mut stopped = Stopped::default();
        while let Some(ended) = loops.join_next().await {
            if let Ok(one) = ended {
                stopped.drained += one.drained;
                stopped.aborted += one.aborted;
            }
        }
        tracing::info!(drained = stopped.drained, aborted = stopped.aborted, "stopped");
        stopped
    }
}

/// The configuration of a [`Server`].
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    listeners: Vec<Listener>,
    router: Router,
    limits: Limits,
    identities: Option<Arc<dyn IdentityMap>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl ServerBuilder {
    /// Adds a listener. All listeners of a server share its limits and counters, and its router
    /// unless they have their own ([`Listener::router`]); what needs other limits (an admin port)
    /// is a second server.
    pub fn listen(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Sets the routes of all listeners that have none of their own.
    pub fn router(mut self, router: Router) -> Self {
        self.router = router;
        self
    }

    /// Sets the limits.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how peers become principals; asked once a connection. Without it every peer is an
    /// unidentified one. A peer whose identity cannot be mapped gets
    /// [`Refusal::Unidentified`](bindery_core::Refusal::Unidentified) for every request.
    pub fn identities(mut self, identities: Arc<dyn IdentityMap>) -> Self {
        self.identities = Some(identities);
        self
    }

    /// Sets the clock that requests are judged by; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the counters, to share them between servers.
    pub fn counters(mut self, counters: Arc<Counters>) -> Self {
        self.counters = counters;
        self
    }

    /// Binds the listeners. Needs a tokio runtime with IO and time.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`]: an address cannot be listened on, or there is none at all; the error
    /// names the address. Or a listener's [`Upgrade`] has its certificate, or a name in it, in
    /// common with a listener of implicit TLS.
    pub async fn bind(mut self) -> Result<Server, TransportError> {
        if self.listeners.is_empty() {
            let message = "the server has no listener";
            return Err(TransportError::new(ErrorKind::Bind, Layer::Tcp, message)
                .with_hint("configure an address to listen on"));
        }
        self.check_upgrades()?;
        let mut listeners = Vec::with_capacity(self.listeners.len());
        for listener in std::mem::take(&mut self.listeners) {
            listeners.push(listener.bind().await?);
        }
        Ok(Server { listeners, shared: self.shared() })
    }

    fn check_upgrades(&self) -> Result<(), TransportError> {
        let has_both = |one: &Listener| {
            // Messages without HTTP have no way to ask for TLS, and would be taken in clear.
            let speaks_http = matches!(one.speaks, Speaks::Http);
            one.upgrade.is_some() && (one.acceptor.is_some() || !speaks_http)
        };
        if self.listeners.iter().any(has_both) {
            let message = "an upgrade to TLS is on a listener that has TLS, or more than HTTP";
            return Err(TransportError::new(ErrorKind::Bind, Layer::Tls, message)
                .with_hint("an upgrade is for a listener in clear that speaks HTTP only"));
        }
        let implicit: Vec<_> =
            self.listeners.iter().filter_map(|one| one.acceptor.as_deref()).collect();
        let upgrades = self.listeners.iter().filter_map(|one| one.upgrade.as_ref());
        upgrade::check_apart(upgrades, &implicit)
    }

    /// The routes as a `tower::Service`, for a stack of another make: see [`Mounted`]. Listeners
    /// and the limits of connections are left out. Needs a tokio runtime with time.
    pub fn mounted(self) -> Mounted {
        Mounted::new(self.shared())
    }

    /// The server for connections that the caller brings, in clear without an acceptor: see
    /// [`Streams`]. Listeners are left out. Needs a tokio runtime with time.
    pub fn streams(self, acceptor: Option<Arc<dyn Acceptor>>) -> Streams {
        Streams::new(self.shared(), acceptor)
    }

    fn shared(self) -> Arc<Shared> {
        let slots = self.limits.connections.get().min(Semaphore::MAX_PERMITS);
        Arc::new(Shared {
            routes: Routes::new(self.router),
            slots: Arc::new(Semaphore::new(slots)),
            addresses: Addresses::new(self.limits.connections_per_address),
            limits: self.limits,
            identities: self.identities,
            clock: self.clock,
            counters: self.counters,
        })
    }
}

/// The card that refuses where no endpoint stands. On a server of protocols that all allow no
/// content but their own, it has none either.
fn neutral(router: &Router) -> Profile {
    let mut neutral = Profile::new("http");
    let mut forms = router.routes().map(|(_, endpoint)| endpoint.profile().refusal_form).peekable();
    if forms.peek().is_some() && forms.all(|form| form == RefusalForm::Field) {
        neutral.refusal_form = RefusalForm::Field;
    }
    neutral
}
