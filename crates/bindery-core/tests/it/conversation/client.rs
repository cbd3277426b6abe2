//! The device's side.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bindery_core::{Body, ClientBinding, EncodeError, Exchange, Place, Profile, Unexpected};
use http::{Request, Response, StatusCode, Uri};

use super::{Message, Verb, server::card};
use crate::support::{target, text};

/// How long the client waits for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// How often it sends one message before it gives up.
pub(super) const ATTEMPTS: u32 = 4;

#[derive(Debug)]
pub(super) struct DeviceClient(Profile);

impl DeviceClient {
    pub(super) fn new() -> Self {
        Self(card())
    }
}

impl ClientBinding for DeviceClient {
    type Request = Message;
    type Response = Message;
    /// Session and number, which the answer repeats.
    type Expect = (u32, u32);

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn encode_request(
        &self,
        target: &Uri,
        request: Message,
    ) -> Result<(Request<Body>, (u32, u32)), EncodeError> {
        let expect = (request.session, request.number);
        Ok((self.0.prepare_request(target, request.write().into())?, expect))
    }

    fn decode_response(
        &self,
        expect: (u32, u32),
        response: Response<Body>,
    ) -> Result<Message, Unexpected> {
        let (parts, body) = response.into_parts();
        self.0.check_response(&parts, body.as_bytes().unwrap())?;
        let message = Message::read(text(&body))
            .ok_or_else(|| Unexpected::Malformed(Place::new("device", None, "not a message")))?;
        if (message.session, message.number) != expect {
            return Err(Unexpected::Mismatch("another session or message".to_owned()));
        }
        Ok(message)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    TimedOut { message: u32 },
    Unexpected(Unexpected),
    Refused,
}

#[derive(Debug)]
enum Phase {
    /// To be sent at this time.
    Due(Instant),
    /// Sent; the answer is waited for until this time.
    Waiting((u32, u32), Instant),
    /// Not yet sent for the first time.
    Fresh,
    Over(Option<Result<usize, Failure>>),
}

/// A session: tells each value that the server asks for.
#[derive(Debug)]
pub(super) struct Session<'a> {
    binding: &'a DeviceClient,
    device: BTreeMap<&'static str, &'static str>,
    message: Message,
    attempts: u32,
    phase: Phase,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        binding: &'a DeviceClient,
        session: u32,
        device: &[(&'static str, &'static str)],
    ) -> Self {
        let message = Message { session, number: 1, verb: Verb::Alert };
        let device = device.iter().copied().collect();
        Self { binding, device, message, attempts: 0, phase: Phase::Fresh }
    }

    /// How long it waits before it sends again, after so many attempts.
    pub(super) fn back_off(attempts: u32) -> Duration {
        Duration::from_secs(1) * 2_u32.pow(attempts)
    }

    fn end(&mut self, outcome: Result<usize, Failure>) {
        self.phase = Phase::Over(Some(outcome));
    }

    fn retry(&mut self, now: Instant) {
        if self.attempts == ATTEMPTS {
            return self.end(Err(Failure::TimedOut { message: self.message.number }));
        }
        self.phase = Phase::Due(now + Self::back_off(self.attempts));
    }

    fn answer(&mut self, now: Instant, asked: &str) {
        let Some(value) = self.device.get(asked) else { return self.end(Err(Failure::Refused)) };
        self.message.verb = Verb::Result((*value).to_owned());
        self.message.number += 1;
        self.attempts = 0;
        self.phase = Phase::Due(now);
    }
}

impl Exchange for Session<'_> {
    type Outcome = Result<usize, Failure>;

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        let due = match self.phase {
            Phase::Fresh => true,
            Phase::Due(at) => at <= now,
            Phase::Waiting(..) | Phase::Over(_) => false,
        };
        if !due {
            return None;
        }
        let (request, expect) =
            self.binding.encode_request(&target(), self.message.clone()).unwrap();
        self.attempts += 1;
        self.phase = Phase::Waiting(expect, now + TIMEOUT);
        Some(request)
    }

    fn handle_response(&mut self, now: Instant, response: Response<Body>) {
        let Phase::Waiting(expect, _) = self.phase else { return };
        match self.binding.decode_response(expect, response) {
            Ok(Message { verb: Verb::Get(node), .. }) => self.answer(now, &node),
            Ok(Message { verb: Verb::Done, number, .. }) => self.end(Ok(number as usize - 1)),
            Ok(_) => self.end(Err(Failure::Refused)),
            Err(Unexpected::Status {
                status:
                    StatusCode::REQUEST_TIMEOUT
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT,
                ..
            }) => self.retry(now),
            Err(error) => self.end(Err(Failure::Unexpected(error))),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Waiting(_, until) if until <= now) {
            self.retry(now);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(at) | Phase::Waiting(_, at) => Some(at),
            Phase::Fresh | Phase::Over(_) => None,
        }
    }

    fn poll_outcome(&mut self) -> Option<Self::Outcome> {
        match &mut self.phase {
            Phase::Over(outcome) => outcome.take(),
            Phase::Fresh | Phase::Due(_) | Phase::Waiting(..) => None,
        }
    }
}
