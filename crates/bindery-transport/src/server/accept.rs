//! The accept loop: it never waits for a peer, only for the next connection or a free slot.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bindery_core::neighbourhood;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Door, Shared, Stopped, connection};

/// The first and the longest pause after an error of accepting.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long aborted tasks may take to come to their next await.
const ABORT: Duration = Duration::from_secs(1);

/// Accepts until the server stops, then sees the connections out.
pub(super) async fn run(
    listener: TcpListener,
    door: Door,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
) -> Stopped {
    let mut tasks = JoinSet::new();
    let mut stop = stopping.clone();
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {}
        () = accept(&listener, &door, &shared, &stopping, &mut tasks) => {}
    }
    drop(listener);
    drain(tasks, shared.limits.drain).await
}

async fn accept(
    listener: &TcpListener,
    door: &Door,
    shared: &Arc<Shared>,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<bool>,
) {
    let mut pause = PAUSE;
    loop {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, address)) => {
                pause = PAUSE;
                // At the cap one connection of each listener waits here and the others in the
                // kernel's backlog. A listener that waits for its next connection holds no slot:
                // the others may need it.
                let Ok(permit) = Arc::clone(&shared.slots).acquire_owned().await else { return };
                // A balancer's connections are its clients'.
                let counted = door.balancers.is_none().then(|| neighbourhood(address.ip()));
                let Some(slot) = Slot::take(shared, counted, permit) else {
                    shared.counters.connection_refused();
                    tracing::info!(peer = %address, "closed: its address has too many connections");
                    continue;
                };
                let (door, stopping) = (door.clone(), stopping.clone());
                tasks.spawn(serve(stream, slot, door, stopping));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: accepting again at once would spin.
                shared.counters.accept_error();
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept");
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }
}

/// Serves a connection; tells whether it was open when the server was told to stop.
async fn serve(stream: TcpStream, slot: Slot, door: Door, stopping: watch::Receiver<bool>) -> bool {
    connection::run(stream, Arc::clone(&slot.shared), door, stopping.clone()).await;
    *stopping.borrow()
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn drain(mut tasks: JoinSet<bool>, limit: Duration) -> Stopped {
    let mut drained = 0;
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            drained += usize::from(ended.unwrap_or(false));
        }
    };
    if timeout(limit, all).await.is_ok() {
        return Stopped { drained, aborted: 0 };
    }
    let aborted = tasks.len();
    tasks.abort_all();
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(ABORT, all).await.is_err() {
        tracing::error!("a handler blocks its thread and cannot be aborted");
    }
    Stopped { drained, aborted }
}

/// How many connections each address has.
#[derive(Debug)]
pub(super) struct Addresses {
    limit: Option<NonZeroUsize>,
    open: Mutex<BTreeMap<IpAddr, usize>>,
}

impl Addresses {
    pub(super) const fn new(limit: Option<NonZeroUsize>) -> Self {
        Self { limit, open: Mutex::new(BTreeMap::new()) }
    }

    fn enter(&self, address: IpAddr) -> bool {
        let Some(limit) = self.limit else { return true };
        let address = neighbourhood(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= limit.get() {
            return false;
        }
        *count += 1;
        true
    }

    fn leave(&self, address: IpAddr) {
        if self.limit.is_none() {
            return;
        }
        let address = neighbourhood(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

/// A place under the cap of an address; given back when it is dropped.
pub(super) struct Seat<'a>(&'a Shared, IpAddr);

impl<'a> Seat<'a> {
    pub(super) fn take(shared: &'a Shared, address: IpAddr) -> Option<Self> {
        shared.addresses.enter(address).then_some(Self(shared, address))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.addresses.leave(self.1);
    }
}

/// A connection's place under the caps; given back when it is dropped.
pub(super) struct Slot {
    shared: Arc<Shared>,
    /// `None` for a peer that has none: then only the cap on all connections holds.
    address: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    pub(super) fn take(
        shared: &Arc<Shared>,
        address: Option<IpAddr>,
        permit: OwnedSemaphorePermit,
    ) -> Option<Self> {
        if address.is_some_and(|address| !shared.addresses.enter(address)) {
            return None;
        }
        shared.counters.connection_opened();
        Some(Self { shared: Arc::clone(shared), address, _permit: permit })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            self.shared.addresses.leave(address);
        }
        self.shared.counters.connection_closed();
    }
}
