//! What a supervisor such as systemd gives and wants to hear: sockets that it opened, and when the
//! server is ready, reloads and stops.

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::error::{Exit, Failure, Layer, Result};

/// Sockets that were opened for this process (`LISTEN_FDS`).
#[derive(Debug, Default)]
pub(crate) struct Inherited(Vec<(SocketAddr, TcpListener)>);

impl Inherited {
    /// Takes them over; none where no supervisor gives any.
    ///
    /// # Errors
    /// One of them is no listening TCP socket.
    pub(crate) fn take() -> Result<Self> {
        let mut given = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..given.len() {
            let socket = given.take_tcp_listener(index).and_then(|socket| {
                let Some(socket) = socket else { return Ok(None) };
                Ok(Some((socket.local_addr()?, socket)))
            });
            let socket = socket.map_err(|error| {
                let message = format!("socket {index} of LISTEN_FDS cannot be used: {error}");
                Failure::new(Exit::Start, Layer::Tcp, message)
                    .hint("give TCP sockets that listen: ListenStream=ADDRESS:PORT")
            })?;
            sockets.extend(socket);
        }
        Ok(Self(sockets))
    }

    /// The socket of an address of the configuration, if it was given.
    pub(super) fn of(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.0.iter().position(|(given, _)| *given == address)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Fails where sockets are left that no listener has: nobody would answer on them.
    pub(super) fn all_taken(&self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let left: Vec<String> = self.0.iter().map(|(address, _)| address.to_string()).collect();
        let message = format!(
            "sockets were given (LISTEN_FDS) for addresses that no listener has: {}",
            left.join(", ")
        );
        Err(Failure::new(Exit::Start, Layer::Config, message)
            .hint("name the same addresses in the configuration and in the socket unit"))
    }
}

/// Tells the supervisor, where there is one that listens (`NOTIFY_SOCKET`).
pub(crate) fn tell(state: State) {
    let states: &[NotifyState<'_>] = match state {
        State::Ready => &[NotifyState::Ready],
        State::Stopping => &[NotifyState::Stopping],
    };
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the supervisor cannot be told (NOTIFY_SOCKET)");
    }
}

/// What the supervisor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Requests are answered from now on.
    Ready,
    /// Requests under way are finished, and no others are begun.
    Stopping,
}
