//! Changing what a listener shows and trusts while it serves.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::watch;

use crate::{Acceptor, BoxIo, Proof, Secured, Shown, TlsError, TlsFuture};

/// An acceptor that can be replaced while it is used: certificates, keys, authorities, revocation
/// lists and policies change without a connection being dropped.
///
/// Handshakes that have begun end with the acceptor that they began with, and connections go on.
/// Sessions of before are not resumed: what they were granted under may no longer hold. Whoever
/// serves a connection is told ([`Acceptor::changes`]) and can ask whether its peer would still be
/// taken ([`Acceptor::recheck`]); the server of bindery-transport does, and closes it otherwise.
pub struct Reloadable {
    current: RwLock<Arc<dyn Acceptor>>,
    changes: watch::Sender<u64>,
    good: AtomicU64,
    bad: AtomicU64,
}

/// How often a [`Reloadable`] was told to reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloads {
    /// How often a new acceptor took over.
    pub good: u64,
    /// How often there was a fault and the one before went on.
    pub bad: u64,
}

impl Reloadable {
    /// Begins with this acceptor.
    pub fn new(first: Arc<dyn Acceptor>) -> Self {
        let (changes, _) = watch::channel(0);
        let (current, good, bad) = (RwLock::new(first), AtomicU64::new(0), AtomicU64::new(0));
        Self { current, changes, good, bad }
    }

    /// The acceptor of handshakes that begin now.
    pub fn current(&self) -> Arc<dyn Acceptor> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets another acceptor do the handshakes that begin from now on.
    pub fn replace(&self, next: Arc<dyn Acceptor>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        self.good.fetch_add(1, Relaxed);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Makes a new acceptor, most often from files, and lets it take over. When it cannot be made
    /// (a file is half-written, a key belongs to another certificate), nothing changes.
    ///
    /// # Errors
    /// What `make` failed with.
    pub fn reload<E>(&self, make: impl FnOnce() -> Result<Arc<dyn Acceptor>, E>) -> Result<(), E> {
        let next = make().inspect_err(|_| self.failed())?;
        self.replace(next);
        Ok(())
    }

    /// Counts a reload that failed before it came to this acceptor: one of several that change
    /// together.
    pub fn failed(&self) {
        self.bad.fetch_add(1, Relaxed);
    }

    /// How often it was reloaded.
    pub fn reloads(&self) -> Reloads {
        Reloads { good: self.good.load(Relaxed), bad: self.bad.load(Relaxed) }
    }

    async fn handshake(&self, io: BoxIo) -> Result<Secured, TlsError> {
        self.current().accept(io).await
    }
}

impl Acceptor for Reloadable {
    fn accept(&self, io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(self.handshake(io))
    }

    fn recheck(&self, peer: &Proof) -> Result<(), TlsError> {
        self.current().recheck(peer)
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.changes.subscribe())
    }

    fn shown(&self) -> Option<Shown> {
        self.current().shown()
    }
}

impl fmt::Debug for Reloadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloadable")
            .field("current", &self.current())
            .field("reloads", &self.reloads())
            .finish()
    }
}
