//! A client's conversation of one or more messages, as a state machine without IO.

use std::time::Instant;

use http::{Request, Response};

use crate::{Body, ClientBinding, EncodeError, Unexpected};

/// A conversation: the driver sends what [`poll_transmit`](Exchange::poll_transmit) gives, hands
/// back what was answered, and ends when [`poll_outcome`](Exchange::poll_outcome) has something.
///
/// `now` is a monotonic instant that the driver passes in, so that a whole conversation can be
/// tested with virtual time. Connections, proxies, upgrade to TLS and HTTP challenges are the
/// driver's: an exchange sees only its own protocol.
///
/// A request that is given while an earlier one is still under way (after a time-out) takes its
/// place: the driver gives the earlier one up, and its answer, should it still come, is not
/// handed in. The same holds for whatever is under way when the outcome is there.
pub trait Exchange {
    /// What the conversation comes to, its failures included.
    type Outcome;

    /// The next request to send, if one is due. At most one is under way at a time: a new one
    /// replaces it.
    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>>;

    /// Takes the answer to the last request.
    fn handle_response(&mut self, now: Instant, response: Response<Body>);

    /// Tells that the last request got no answer, because the connection failed. The exchange may
    /// give another request, which goes over a new connection, at once or at the instant of
    /// [`poll_timeout`](Exchange::poll_timeout), or an outcome; with none of them, the driver ends
    /// the conversation with its own error.
    fn handle_failure(&mut self, now: Instant, delivery: Delivery) {
        let _ = (now, delivery);
    }

    /// Tells that the instant given by [`poll_timeout`](Exchange::poll_timeout) has passed.
    fn handle_timeout(&mut self, now: Instant);

    /// When to call [`handle_timeout`](Exchange::handle_timeout), if ever.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The outcome, once; nothing is sent after it.
    fn poll_outcome(&mut self) -> Option<Self::Outcome>;
}

/// Whether a request that got no answer can have been acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// The peer has not seen all of it: sending it again does nothing twice.
    Not,
    /// Nobody can tell.
    Unknown,
}

/// The shortest conversation: one request and its answer through a [`ClientBinding`].
#[derive(Debug)]
pub struct Call<'a, B: ClientBinding> {
    binding: &'a B,
    state: State<B>,
}

#[derive(Debug)]
enum State<B: ClientBinding> {
    Ready(Request<Body>, B::Expect),
    Waiting(B::Expect),
    Done(Result<B::Response, Unexpected>),
    Over,
}

impl<'a, B: ClientBinding> Call<'a, B> {
    /// Prepares the call of `request` at `target`.
    ///
    /// # Errors
    /// The binding cannot encode the message.
    pub fn new(
        binding: &'a B,
        target: &http::Uri,
        request: B::Request,
    ) -> Result<Self, EncodeError> {
        let (request, expect) = binding.encode_request(target, request)?;
        Ok(Self { binding, state: State::Ready(request, expect) })
    }
}

impl<B: ClientBinding> Exchange for Call<'_, B> {
    type Outcome = Result<B::Response, Unexpected>;

    fn poll_transmit(&mut self, _now: Instant) -> Option<Request<Body>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ready(request, expect) => {
                self.state = State::Waiting(expect);
                Some(request)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    fn handle_response(&mut self, _now: Instant, response: Response<Body>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Waiting(expect) => {
                self.state = State::Done(self.binding.decode_response(expect, response));
            }
            other => self.state = other,
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn poll_outcome(&mut self) -> Option<Self::Outcome> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Done(outcome) => Some(outcome),
            other => {
                self.state = other;
                None
            }
        }
    }
}
