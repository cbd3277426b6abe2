//! A session over HTTP, as an exchange.

use std::time::{Duration, Instant};

use bindery_core::{Body, ClientBinding, Delivery, Exchange, Unexpected};
use http::{Request, Response, StatusCode};

use super::session::{Conversation, SessionError, Summary};
use crate::{DmHttp, Outgoing, binding::Expect};

/// A session over HTTP.
///
/// A message that is not answered in time, or by 408 or 504, is sent again over a new connection:
/// of the current package everything that has no status, which is that message (section 5.1.5). It
/// goes as it was, so that a server that has answered it already answers the same again and does
/// nothing twice.
#[derive(Debug)]
pub struct Session<'c> {
    binding: &'c DmHttp,
    conversation: Conversation<'c>,
    /// The message under way.
    message: Option<Outgoing>,
    expect: Option<Expect>,
    /// How often it was sent.
    attempts: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A message may be sent.
    Ready,
    /// One was sent; it is given up at this instant.
    Waiting(Instant),
    /// It is sent again at this instant.
    Pausing(Instant),
}

impl<'c> Session<'c> {
    /// A session over a binding.
    pub const fn new(binding: &'c DmHttp, conversation: Conversation<'c>) -> Self {
        Self {
            binding,
            conversation,
            message: None,
            expect: None,
            attempts: 0,
            state: State::Ready,
        }
    }

    /// Sends the message again, at once or after a pause, unless that was done too often.
    fn again(&mut self, now: Instant, at_once: bool) {
        let config = &self.conversation.client().config;
        let (attempts, first) = (config.attempts, config.pause);
        if self.attempts >= attempts || self.message.is_none() {
            self.message = None;
            self.state = State::Ready;
            self.conversation.fail(SessionError::NoAnswer(self.attempts));
            return;
        }
        self.conversation.resent();
        if at_once {
            self.state = State::Ready;
            return;
        }
        let doubled = 1_u32.checked_shl(self.attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = first.checked_mul(doubled).unwrap_or(Duration::from_secs(3600));
        self.state = State::Pausing(now + pause);
    }

    fn send(&mut self, now: Instant) -> Option<Request<Body>> {
        let message = self.message.clone()?;
        let target = self.conversation.target().clone();
        match self.binding.encode_request(&target, message) {
            Ok((request, expect)) => {
                self.attempts += 1;
                self.expect = Some(expect);
                self.state = State::Waiting(now + self.conversation.client().config.timeout);
                Some(request)
            }
            Err(error) => {
                self.conversation.fail(SessionError::Encode(error.to_string()));
                None
            }
        }
    }
}

impl Exchange for Session<'_> {
    type Outcome = Result<Summary, SessionError>;

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        if self.state != State::Ready {
            return None;
        }
        if self.message.is_none() {
            self.message = Some(self.conversation.message()?);
            self.attempts = 0;
        }
        self.send(now)
    }

    fn handle_response(&mut self, now: Instant, response: Response<Body>) {
        let Some(expect) = self.expect.take() else { return };
        let status = response.status();
        if matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT) {
            self.again(now, false);
            return;
        }
        self.state = State::Ready;
        match self.binding.decode_response(expect, response) {
            Ok(incoming) => {
                self.message = None;
                self.conversation.receive(&incoming);
            }
            Err(Unexpected::Body(_)) => self.again(now, false),
            Err(error) => {
                self.message = None;
                self.conversation.fail(error.into());
            }
        }
    }

    fn handle_failure(&mut self, now: Instant, delivery: Delivery) {
        // Whether the server has seen it makes no difference: it knows the message again.
        let _ = delivery;
        self.again(now, false);
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            // The waiting was the pause.
            State::Waiting(due) if now >= due => self.again(now, true),
            State::Pausing(due) if now >= due => self.state = State::Ready,
            _ => {}
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Ready => None,
            State::Waiting(due) | State::Pausing(due) => Some(due),
        }
    }

    fn poll_outcome(&mut self) -> Option<Self::Outcome> {
        self.conversation.outcome()
    }
}
