//! The one driver of all exchanges.

use bindery_core::{Body, Delivery, Exchange};
use http::Request;
use tokio::time::{Instant, sleep_until};

use super::Connection;
use crate::{ErrorKind, Layer, TransportError};

pub(super) async fn run<E: Exchange>(
    connection: &mut Connection,
    mut exchange: E,
) -> Result<E::Outcome, TransportError> {
    let mut next = None;
    loop {
        if let Some(outcome) = exchange.poll_outcome() {
            return Ok(outcome);
        }
        let now = Instant::now().into_std();
        if let Some(request) = next.take().or_else(|| exchange.poll_transmit(now)) {
            match send(connection, &mut exchange, request).await? {
                Step::Outcome(outcome) => return Ok(outcome),
                Step::Next(request) => next = request.map(|request| *request),
            }
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

/// What a sent request led to.
enum Step<O> {
    /// The exchange goes on, with this request if there is one.
    Next(Option<Box<Request<Body>>>),
    Outcome(O),
}

/// Sends one request and hands in what came of it. After a time-out or a failure the exchange may
/// give another request in its place.
async fn send<E: Exchange>(
    connection: &mut Connection,
    exchange: &mut E,
    request: Request<Body>,
) -> Result<Step<E::Outcome>, TransportError> {
    let mut sending = std::pin::pin!(connection.send(request));
    // An instant that a call of `handle_timeout` leaves in place is not told again.
    let mut told = None;
    loop {
        let due = exchange.poll_timeout().filter(|due| Some(*due) != told);
        let sent = tokio::select! {
            biased;
            sent = &mut sending => sent,
            () = wait(due) => {
                told = due;
                let now = Instant::now().into_std();
                exchange.handle_timeout(now);
                if let Some(outcome) = exchange.poll_outcome() {
                    return Ok(Step::Outcome(outcome));
                }
                // Returning drops what is under way, and its connection with it.
                match exchange.poll_transmit(now) {
                    Some(instead) => return Ok(Step::Next(Some(Box::new(instead)))),
                    None => continue,
                }
            }
        };
        let now = Instant::now().into_std();
        let error = match sent {
            Ok(response) => {
                exchange.handle_response(now, response);
                return Ok(Step::Next(None));
            }
            Err(error) => error,
        };
        let delivery = if error.is_unsent() { Delivery::Not } else { Delivery::Unknown };
        exchange.handle_failure(now, delivery);
        if let Some(outcome) = exchange.poll_outcome() {
            return Ok(Step::Outcome(outcome));
        }
        return match exchange.poll_transmit(now) {
            Some(instead) => Ok(Step::Next(Some(Box::new(instead)))),
            // It wants to wait first.
            None if exchange.poll_timeout().is_some() => Ok(Step::Next(None)),
            None => Err(error),
        };
    }
}

async fn wait(due: Option<std::time::Instant>) {
    match due {
        Some(due) => sleep_until(Instant::from_std(due)).await,
        None => std::future::pending().await,
    }
}
