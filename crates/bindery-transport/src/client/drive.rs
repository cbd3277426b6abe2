//! The one driver of all exchanges.

use bindery_core::Exchange;
use tokio::time::{Instant, sleep_until};

use super::Connection;
use crate::{ErrorKind, Layer, TransportError};

pub(super) async fn run<E: Exchange>(
    connection: &mut Connection,
    mut exchange: E,
) -> Result<E::Outcome, TransportError> {
    loop {
        if let Some(outcome) = exchange.poll_outcome() {
            return Ok(outcome);
        }
        let now = Instant::now();
        if let Some(request) = exchange.poll_transmit(now.into_std()) {
            let mut sending = std::pin::pin!(connection.send(request));
            // An instant that a call of `handle_timeout` leaves in place is not told again.
            let mut told = None;
            let response = loop {
                let due = exchange.poll_timeout().filter(|due| Some(*due) != told);
                tokio::select! {
                    biased;
                    response = &mut sending => break response?,
                    () = wait(due) => {
                        told = due;
                        exchange.handle_timeout(Instant::now().into_std());
                        if let Some(outcome) = exchange.poll_outcome() {
                            return Ok(outcome);
                        }
                    }
                }
            };
            exchange.handle_response(Instant::now().into_std(), response);
            continue;
        }
        if let Some(outcome) = exchange.poll_outcome() {
            return Ok(outcome);
        }
        let Some(due) = exchange.poll_timeout() else {
            let message = "the exchange has nothing to send, nothing to wait for and no outcome";
            return Err(TransportError::new(ErrorKind::Exchange, Layer::Http, message));
        };
        wait(Some(due)).await;
        exchange.handle_timeout(Instant::now().into_std());
    }
}

async fn wait(due: Option<std::time::Instant>) {
    match due {
        Some(due) => sleep_until(Instant::from_std(due)).await,
        None => std::future::pending().await,
    }
}
