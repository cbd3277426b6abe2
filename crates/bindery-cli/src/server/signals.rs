//! Signals: when to stop, when to reload.

use super::secure::HangUp;
use crate::error::{Exit, Failure, Layer, Result};

/// Listens for signals from now on. What it gives completes when the process is told to stop
/// (SIGTERM, SIGINT); a second such signal ends the process at once. SIGHUP does what it is told
/// to.
///
/// # Errors
/// The system lets nobody listen: the server would not stop in order.
pub(crate) fn stop(hang_up: HangUp) -> Result<impl Future<Output = ()>> {
    let mut signals = Signals::new(hang_up).map_err(|error| {
        let message = format!("signals cannot be listened for: {error}");
        Failure::new(Exit::Start, Layer::Usage, message).hint("run it where signals are allowed")
    })?;
    Ok(async move {
        signals.stop().await;
        tracing::info!("told to stop: finishing requests under way; once more ends it at once");
        tokio::spawn(async move {
            signals.stop().await;
            tracing::warn!("told to stop again: ending at once");
            // What was answered is on disk: the store is made to be killed.
            std::process::exit(Exit::Protocol as i32);
        });
    })
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    action: HangUp,
}

#[cfg(unix)]
impl Signals {
    fn new(action: HangUp) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            action,
        })
    }

    async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => {
                    // Reading files may take its time, and handshakes go on meanwhile.
                    let action = self.action.clone();
                    let acted = tokio::task::spawn_blocking(move || action.act()).await;
                    if acted.is_err() {
                        tracing::error!("SIGHUP: reloading failed half-way; report this");
                    }
                }
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new(_: HangUp) -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn stop(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
