//! A tunnelling proxy (RFC 2817, section 5; RFC 9110, section 9.3.6).

mod forward;
mod splice;

use std::{sync::Arc, time::Duration};

use bindery_auth::Authenticator;
use bindery_core::{Body, Context, Refusal};
use bindery_tls::BoxIo;
use http::{Method, Response, header, request, uri::Authority};
use tokio::time::timeout;

use super::preflight;
use crate::{
    ClientLimits, Cut, Dialer, ErrorKind, Limits, Proxy, Reach, SystemDialer, Target,
    TransportError,
    client::{Hop, Way, dial},
    host,
};
pub(super) use splice::{Ends, splice};

/// What a listener leads to that is a proxy: what [`Listener::tunnels`](crate::Listener::tunnels) takes.
///
/// `CONNECT host:port` is answered with 200 once there is a connection to that server, and from then on octets go to and
/// fro, unread. When either side ends, what it has sent is delivered to the other, which is then ended as well.
///
/// Whoever may use it reaches every public address ([`Reach::public`]) at the ports that are allowed, and what else is
/// allowed in so many words ([`Tunnels::reach`]): ask who it is ([`Tunnels::authenticator`]).
#[derive(Clone, Debug)]
pub struct Tunnels {
    ports: Vec<u16>,
    next: Vec<Proxy>,
    authenticator: Option<Arc<Authenticator>>,
    forwards: bool,
    limits: TunnelLimits,
    dialer: Arc<dyn Dialer>,
    reach: Reach,
}

/// What a tunnel may take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TunnelLimits {
    /// Resolving a name and connecting, over all of its addresses, or over the proxies on the way; 10 s.
    pub connect: Duration,
    /// Without an octet in either direction; 10 min.
    pub idle: Duration,
    /// A tunnel's age; 24 h.
    pub age: Duration,
}

impl Default for TunnelLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(10 * 60),
            age: Duration::from_secs(24 * 3600),
        }
    }
}

impl Tunnels {
    /// The ports that tunnels lead to unless told otherwise: 80, the one that upgrades need (RFC 2817, section 8.2), 443,
    /// and those of KMIP over HTTPS.
    pub const PORTS: [u16; 4] = [80, 443, 5696, 5697];

    /// Tunnels to [`Tunnels::PORTS`], for everybody.
    pub fn new() -> Self {
        Self {
            ports: Self::PORTS.to_vec(),
            next: Vec::new(),
            authenticator: None,
            forwards: false,
            limits: TunnelLimits::default(),
            dialer: Arc::new(SystemDialer),
            reach: Reach::public(),
        }
    }

    /// Leads to these ports only.
    #[must_use]
    pub fn ports(mut self, ports: impl Into<Vec<u16>>) -> Self {
        self.ports = ports.into();
        self
    }

    /// Reaches servers through these proxies, the nearest first.
    #[must_use]
    pub fn next(mut self, proxies: impl Into<Vec<Proxy>>) -> Self {
        self.next = proxies.into();
        self
    }

    /// Works for those only who prove who they are to it, in `Proxy-Authorization`, or by a certificate that maps to an
    /// account where the listener has TLS.
    #[must_use]
    pub fn authenticator(mut self, authenticator: Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator.for_proxy()));
        self
    }

    /// Forwards requests for `http` URLs too, which come in absolute form: reads and writes them, without what is for one
    /// hop only. An offer to upgrade is such a thing, so what a server says of TLS does not come through; a tunnel does.
    #[must_use]
    pub const fn forwarding(mut self) -> Self {
        self.forwards = true;
        self
    }

    /// Leads to these addresses only, for what is forwarded too; [`Reach::public`] by default. What is looked at is the
    /// address that a connection is then opened to, whatever name led there. Behind a proxy ([`Tunnels::next`]) a name's
    /// addresses are that proxy's to look at.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Sets how connections are opened; [`SystemDialer`] by default.
    #[must_use]
    pub fn dialer(mut self, dialer: Arc<dyn Dialer>) -> Self {
        self.dialer = dialer;
        self
    }

    /// Sets the limits of tunnels.
    #[must_use]
    pub fn limits(mut self, limits: TunnelLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(super) const fn tunnel_limits(&self) -> &TunnelLimits {
        &self.limits
    }

    /// What becomes of a request.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) async fn lead(
        &self,
        cx: &mut Context,
        parts: request::Parts,
        body: Body,
        limits: &Limits,
    ) -> Result<Led, Refusal> {
        preflight::check_form(&parts, limits)?;
        preflight::check_expectation(&parts)?;
        let has_credentials = parts.headers.contains_key(header::PROXY_AUTHORIZATION);
        if let Some(authenticator) = &self.authenticator
            && (cx.principal.is_none() || has_credentials)
        {
            cx.principal = Some(authenticator.authenticate(cx, &parts, b"").await?.principal);
        }
        if parts.method == Method::CONNECT {
            let goal = self.goal(&parts)?;
            if !body.as_bytes().is_some_and(bytes::Bytes::is_empty) {
                let reason = "a request for a tunnel has no content".into();
                return Err(Refusal::MalformedHeader { name: header::CONTENT_LENGTH, reason });
            }
            return self.connect(&goal).await.map(Led::Tunnel);
        }
        if self.forwards {
            return self.forward(parts, body).await.map(Led::Answer);
        }
        let reason = "it opens tunnels (CONNECT) and forwards nothing".into();
        Err(Refusal::TunnelForbidden { reason })
    }

    /// Where a tunnel is asked to.
    fn goal(&self, parts: &request::Parts) -> Result<Target, Refusal> {
        let authority = parts.uri.authority().ok_or(Refusal::Target)?;
        let sound = host::fault(authority.as_str().as_bytes()).is_none();
        match authority.port_u16() {
            Some(port) if sound => self.target(authority, port),
            _ => Err(Refusal::Target),
        }
    }

    /// A server at a port that is allowed.
    fn target(&self, authority: &Authority, port: u16) -> Result<Target, Refusal> {
        if !self.ports.contains(&port) {
            let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
            let reason = format!("port {port} is not one of {}", ports.join(", "));
            return Err(Refusal::TunnelForbidden { reason: reason.into() });
        }
        // The field Host of what is forwarded is the target's own (RFC 9112, section 3.2.2).
        let own = authority.port_u16().map_or_else(String::new, |port| format!(":{port}"));
        format!("http://{}{own}/", authority.host()).parse().map_err(|_| Refusal::Target)
    }

    /// A connection to a server. There is no other way to say yes than to have one.
    async fn connect(&self, goal: &Target) -> Result<BoxIo, Refusal> {
        let mut limits = ClientLimits::default();
        limits.connect = self.limits.connect;
        let mut hops: Vec<Hop> = self.next.iter().cloned().map(Hop::new).collect();
        let cut = Cut::default();
        let way = Way { limits: &limits, dialer: &*self.dialer, reach: &self.reach, cut: &cut };
        match timeout(self.limits.connect, dial(&way, &mut hops, goal)).await {
            Ok(Ok((io, address))) => {
                tracing::debug!(%address, "a tunnel stands");
                Ok(io)
            }
            Ok(Err(error)) => Err(unreachable(&error)),
            Err(_) => Err(Refusal::UnreachableInTime),
        }
    }
}

impl Default for Tunnels {
    fn default() -> Self {
        Self::new()
    }
}

/// What came of a request.
pub(super) enum Led {
    /// The other end of a tunnel.
    Tunnel(BoxIo),
    Answer(Response<Body>),
}

/// What the client is told. Which addresses were tried, and what they said, is for this side's log: a proxy that told it
/// would show its network to whoever asks.
fn unreachable(error: &TransportError) -> Refusal {
    tracing::info!(%error, "the server is not reached");
    let reason = match error.kind() {
        ErrorKind::Timeout => return Refusal::UnreachableInTime,
        ErrorKind::OutOfReach => {
            let reason = "it leads to public addresses, and others that its operator allows";
            return Refusal::TunnelForbidden { reason: reason.into() };
        }
        ErrorKind::Resolve => "its name has no address",
        ErrorKind::Connect => "no connection to it",
        ErrorKind::Proxy => "the next proxy does not lead to it",
        _ => "what it answers cannot be passed on",
    };
    Refusal::Unreachable { reason: reason.to_owned() }
}
