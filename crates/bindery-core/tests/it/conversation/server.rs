//! The management server's side: what is stored, and the pure step.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bindery_core::{
    Body, Context, Decoded, Handler, MediaType, Place, Profile, Refusal, ServerBinding, Timestamp,
};
use http::{HeaderValue, Request, Response, header};

use super::{Message, Verb};
use crate::support::text;

/// How long a session is kept after its last message.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);
/// What the server asks each device for.
const NODES: [&str; 2] = ["./Man", "./Mod"];
const CONTENT: MediaType = MediaType::from_static("application/x-device");

pub(super) fn card() -> Profile {
    let mut card = Profile::new("device");
    card.request_media_types = vec![CONTENT];
    card.response_media_types = vec![CONTENT];
    card
}

#[derive(Debug)]
pub(super) struct DeviceServer(Profile);

impl DeviceServer {
    pub(super) fn new() -> Self {
        Self(card())
    }
}

impl ServerBinding for DeviceServer {
    type Request = Message;
    type Response = Message;
    type Reply = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(&self, _cx: &Context, request: Request<Body>) -> Decoded<Message, ()> {
        let message = Message::read(text(request.body())).ok_or_else(|| {
            Refusal::MalformedBody { place: Place::new("device", None, "not a message") }
        })?;
        Ok((message, ()))
    }

    fn encode_response(&self, _cx: &Context, (): (), response: Message) -> Response<Body> {
        let mut http = Response::new(response.write().into());
        let value = HeaderValue::from_static("application/x-device");
        http.headers_mut().insert(header::CONTENT_TYPE, value);
        http
    }
}

/// What is stored of a session between two messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The last reply, for a message that comes again because its answer was lost.
    last: Message,
    results: Vec<String>,
    expires: Timestamp,
}

impl State {
    pub(super) fn results(&self) -> &[String] {
        &self.results
    }

    /// The reply to a message and the state after it. Same in, same out: a conflict in the store
    /// repeats the decision.
    pub(super) fn step(before: Option<Self>, message: &Message, now: Timestamp) -> (Message, Self) {
        let reply = |verb| Message { verb, ..message.clone() };
        let expires = now.saturating_add(LIFETIME);
        let before = before.filter(|state| now <= state.expires);
        match (before, &message.verb) {
            (Some(state), _) if message.number == state.last.number => (state.last.clone(), state),
            (Some(mut state), Verb::Result(value))
                if Some(message.number) == state.last.number.checked_add(1) =>
            {
                state.results.push(value.clone());
                let next = NODES.get(state.results.len());
                state.last = reply(next.map_or(Verb::Done, |node| Verb::Get((*node).to_owned())));
                state.expires = expires;
                (state.last.clone(), state)
            }
            (Some(state), _) => (reply(Verb::Unknown), state),
            (None, Verb::Alert) if message.number == 1 => {
                let last = reply(Verb::Get(NODES[0].to_owned()));
                (last.clone(), Self { last, results: Vec::new(), expires })
            }
            (None, _) => {
                let last = reply(Verb::Unknown);
                (last.clone(), Self { last, results: Vec::new(), expires: now })
            }
        }
    }
}

/// A store with versions; it can be told to refuse commits as if someone had been faster.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Stored>);

#[derive(Debug, Default)]
struct Stored {
    states: BTreeMap<u32, (u64, State)>,
    conflicts: u32,
    refused: u32,
}

impl Sessions {
    pub(super) fn state(&self, session: u32) -> Option<State> {
        self.with(|stored| stored.states.get(&session).map(|(_, state)| state.clone()))
    }

    /// Refuses the next commits.
    pub(super) fn conflict(&self, times: u32) {
        self.with(|stored| stored.conflicts = times);
    }

    pub(super) fn commits_refused(&self) -> u32 {
        self.with(|stored| stored.refused)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Stored) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn load(&self, session: u32) -> Option<(u64, State)> {
        self.with(|stored| stored.states.get(&session).cloned())
    }

    /// Stores the state if the stored version is still the expected one.
    fn commit(&self, session: u32, expected: u64, state: State) -> bool {
        self.with(|stored| {
            let current = stored.states.get(&session).map_or(0, |(version, _)| *version);
            if stored.conflicts > 0 || current != expected {
                stored.conflicts = stored.conflicts.saturating_sub(1);
                stored.refused += 1;
                return false;
            }
            stored.states.insert(session, (expected + 1, state));
            true
        })
    }
}

impl Handler<Message> for Sessions {
    type Response = Message;

    async fn handle(&self, cx: &Context, message: Message) -> Message {
        loop {
            let (version, before) = self.load(message.session).unzip();
            let (reply, after) = State::step(before, &message, cx.now);
            if self.commit(message.session, version.unwrap_or(0), after) {
                return reply;
            }
        }
    }
}
