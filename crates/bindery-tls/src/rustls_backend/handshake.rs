//! What one handshake of a server keeps while it runs, for what rustls calls back.

use std::cell::{Cell, RefCell};

use rustls_pki_types::CertificateDer;

tokio::task_local! {
    /// The handshake that runs in this task.
    static RUNNING: Handshake;
}

#[derive(Default)]
struct Handshake {
    /// When the session that is resumed had its full handshake. The tickets that the handshake
    /// gives out are of the same session and say the same.
    begun: Cell<Option<u64>>,
    /// The client's certificate that was refused.
    refused: RefCell<Option<CertificateDer<'static>>>,
}

/// Runs a handshake whose tickets, the one taken and those given, are of one session.
pub(super) async fn run<F: Future>(handshake: F) -> F::Output {
    RUNNING.scope(Handshake::default(), handshake).await
}

/// When the session that is resumed began, in seconds.
pub(super) fn begun() -> Option<u64> {
    RUNNING.try_with(|running| running.begun.get()).ok().flatten()
}

/// Notes when the session that is resumed began. Outside a handshake of ours nobody asks.
pub(super) fn note_begun(begun: u64) {
    let _ = RUNNING.try_with(|running| running.begun.set(Some(begun)));
}

/// Notes a client's certificate that is refused.
pub(super) fn note_refused(certificate: &CertificateDer<'_>) {
    let _ = RUNNING.try_with(|running| {
        if let Ok(mut refused) = running.refused.try_borrow_mut() {
            *refused = Some(certificate.clone().into_owned());
        }
    });
}

/// The client's certificate that was refused, if one was.
pub(super) fn refused() -> Option<CertificateDer<'static>> {
    let taken = RUNNING.try_with(|running| running.refused.try_borrow_mut().ok()?.take());
    taken.ok().flatten()
}
