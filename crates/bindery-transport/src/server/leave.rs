//! When a connection has to end although nothing went wrong on it: the server stops, or its peer
//! would not be taken any more.

use std::sync::Arc;

use bindery_tls::{Acceptor, Proof, ShownCertificate, TlsError};
use tokio::sync::watch;

use crate::Counters;

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The server stops.
    Stop,
    /// Its peer's certificate or key does not hold any more.
    Withdrawn,
}

/// Tells a connection when it has to end.
pub(super) struct Leave {
    stopping: watch::Receiver<bool>,
    standing: Option<Standing>,
    withdrawn: bool,
}

/// What a peer's standing rests on.
pub(super) struct Standing {
    acceptor: Arc<dyn Acceptor>,
    changes: watch::Receiver<u64>,
    proof: Proof,
    counters: Arc<Counters>,
}

impl Standing {
    /// Begins to look for changes: before the handshake, so that none is missed. `None` where nothing
    /// changes.
    pub(super) fn watch(acceptor: &Arc<dyn Acceptor>, counters: &Arc<Counters>) -> Option<Self> {
        let changes = acceptor.changes()?;
        let (acceptor, counters) = (Arc::clone(acceptor), Arc::clone(counters));
        Some(Self { acceptor, changes, proof: Proof::default(), counters })
    }

    /// The same for a peer that has proved who it is.
    pub(super) fn of(mut self, proof: Proof) -> Self {
        self.proof = proof;
        self
    }

    /// Whether the peer would still be taken.
    fn holds(&self) -> bool {
        let Err(error) = self.acceptor.recheck(&self.proof) else { return true };
        self.counters.withdrawn(error.kind().as_str());
        tell(&error, "closed: the client would not be taken any more");
        false
    }
}

impl Leave {
    pub(super) const fn new(stopping: watch::Receiver<bool>, standing: Option<Standing>) -> Self {
        Self { stopping, standing, withdrawn: false }
    }

    /// Completes when the connection has to end.
    pub(super) async fn told(&mut self) -> Why {
        loop {
            if self.is_withdrawn() {
                return Why::Withdrawn;
            }
            let changed = async {
                let Some(standing) = &mut self.standing else {
                    return std::future::pending().await;
                };
                if standing.changes.changed().await.is_err() {
                    return std::future::pending().await;
                }
                // It is looked at above, and has to be seen there.
                standing.changes.mark_changed();
            };
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stop| *stop) => return Why::Stop,
                () = changed => {}
            }
        }
    }

    /// Whether the peer would not be taken any more, as of now.
    pub(super) fn is_withdrawn(&mut self) -> bool {
        let changed = |standing: &Standing| standing.changes.has_changed().unwrap_or(false);
        if let Some(standing) = self.standing.as_mut().filter(|one| changed(one)) {
            standing.changes.mark_unchanged();
            self.withdrawn |= !standing.holds();
        }
        self.withdrawn
    }
}

/// Writes a peer that was refused to the log, by the certificate that it showed, if any.
pub(super) fn tell(error: &TlsError, what: &'static str) {
    let shown = error.certificate();
    let of = |part: fn(&ShownCertificate) -> &str| shown.map(part);
    // The texts are a stranger's: written as strings, so that the log escapes them.
    tracing::info!(
        reason = %error.kind(),
        %error,
        hint = error.hint(),
        subject = of(|shown| &shown.subject),
        issuer = of(|shown| &shown.issuer),
        serial = of(|shown| &shown.serial),
        fingerprint = of(|shown| &shown.fingerprint),
        "{what}"
    );
}
