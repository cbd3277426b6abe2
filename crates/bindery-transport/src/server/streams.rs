//! Connections that come by other ways than a TCP listener.

use std::{fmt, net::IpAddr, sync::Arc};

use bindery_core::Peer;
use bindery_tls::{Acceptor, BoxIo};
use tokio::sync::watch;

use super::{Door, Shared, Speaks, Tunnels, Upgrade, accept::Slot, connection, upgrade::Gate};
use crate::Cut;

/// The routes and limits of a server for connections that the caller brings: a Unix socket, a pipe
/// in memory, a tunnel. Made by [`ServerBuilder::streams`](super::ServerBuilder::streams); cheap to
/// clone.
///
/// Everything holds that holds for a listener's connections, the caps on their number too: those
/// of one address for peers that have one.
#[derive(Clone)]
pub struct Streams {
    shared: Arc<Shared>,
    acceptor: Option<Arc<dyn Acceptor>>,
    gate: Option<Arc<Gate>>,
    speaks: Speaks,
    stop: Arc<watch::Sender<bool>>,
}

impl Streams {
    pub(super) fn new(shared: Arc<Shared>, acceptor: Option<Arc<dyn Acceptor>>) -> Self {
        let stop = Arc::new(watch::channel(false).0);
        Self { shared, acceptor, gate: None, speaks: Speaks::Http, stop }
    }

    /// The same as a proxy, in place of everything else, as [`Listener::tunnels`](crate::Listener::tunnels) has it.
    #[must_use]
    pub fn tunnels(mut self, tunnels: Tunnels) -> Self {
        self.speaks = Speaks::Tunnels(Arc::new(tunnels));
        self
    }

    /// The same with connections that can become TLS (RFC 2817); nothing changes where they are TLS from the start, or a
    /// proxy's. Whether the upgrade may be beside implicit TLS is the caller's to ask: [`Upgrade::check_beside`].
    #[must_use]
    pub fn upgrade(mut self, upgrade: &Upgrade) -> Self {
        self.gate = Some(Arc::new(Gate::new(upgrade)));
        self
    }

    /// Serves a connection, within TLS where there is an acceptor, to its end. At the cap on
    /// connections it waits for a place; a peer whose address has too many is closed at once.
    pub async fn serve(&self, io: BoxIo, peer: Peer) {
        let shared = &self.shared;
        let Ok(permit) = Arc::clone(&shared.slots).acquire_owned().await else { return };
        let address: Option<IpAddr> = peer.address.map(|address| address.ip());
        let Some(_slot) = Slot::take(shared, address, permit) else {
            shared.counters.connection_refused();
            tracing::info!(peer = ?peer.address, "closed: its address has too many connections");
            return;
        };
        let in_clear = self.acceptor.is_none() && matches!(self.speaks, Speaks::Http);
        let gate = self.gate.clone().filter(|_| in_clear);
        let door = Door {
            balancers: None,
            acceptor: self.acceptor.clone(),
            gate,
            speaks: self.speaks.clone(),
            routes: Arc::clone(&shared.routes),
        };
        let (cut, stop) = (Cut::default(), self.stop.subscribe());
        connection::over(io, cut, peer, Arc::clone(shared), door, stop).await;
    }

    /// Tells all connections to end: idle ones at once, busy ones after their request.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("tls", &self.acceptor.is_some()).finish_non_exhaustive()
    }
}
