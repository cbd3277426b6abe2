//! Shaped like OMA DM: a session of several messages. The client's side is an [`Exchange`] with
//! time-out and retry under virtual time; the server's side is stored state and a pure step.

mod client;
mod server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bindery_core::{Bound, Endpoint, Exchange, Timestamp, Unexpected};

use self::{
    client::{ATTEMPTS, Failure, Session, TIMEOUT},
    server::{LIFETIME, Sessions, State},
};
use crate::support::{block_on, collected, context, origin, page, text};

/// One message of either side, in text: `SESSION NUMBER VERB ARGUMENT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    session: u32,
    number: u32,
    verb: Verb,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Client: here I am.
    Alert,
    /// Client: the value that was asked for.
    Result(String),
    /// Server: tell the value of this node.
    Get(String),
    /// Server: that was all.
    Done,
    /// Server: this message does not belong here.
    Unknown,
}

impl Message {
    fn write(&self) -> String {
        let (verb, argument) = match &self.verb {
            Verb::Alert => ("alert", ""),
            Verb::Result(value) => ("result", value.as_str()),
            Verb::Get(node) => ("get", node.as_str()),
            Verb::Done => ("done", ""),
            Verb::Unknown => ("unknown", ""),
        };
        format!("{} {} {verb} {argument}", self.session, self.number)
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let session = words.next()?.parse().ok()?;
        let number = words.next()?.parse().ok()?;
        let (verb, argument) = (words.next()?, words.next()?);
        let verb = match verb {
            "alert" => Verb::Alert,
            "result" => Verb::Result(argument.to_owned()),
            "get" => Verb::Get(argument.to_owned()),
            "done" => Verb::Done,
            "unknown" => Verb::Unknown,
            _ => return None,
        };
        Some(Self { session, number, verb })
    }
}

/// What happens to a request on its way and to its answer on the way back.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
    /// Someone between the two answers, and the server never sees the request.
    Intermediary(u16),
}

/// A driver with virtual time and a network that does what the test says.
struct Network<'a> {
    server: &'a dyn Endpoint,
    fates: Vec<Fate>,
    start: Instant,
    now: Instant,
    /// When each request was sent, and its body.
    sent: Vec<(Duration, String)>,
}

const LATENCY: Duration = Duration::from_millis(20);

impl<'a> Network<'a> {
    /// A network that answers once `fates` are used up.
    fn new(server: &'a dyn Endpoint, fates: &[Fate]) -> Self {
        let start = origin();
        let fates = fates.iter().rev().copied().collect();
        Self { server, fates, start, now: start, sent: Vec::new() }
    }

    fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    fn wall_clock(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000).saturating_add(self.elapsed())
    }

    /// One turn: sends what is due, or else lets time pass.
    fn turn<E: Exchange>(&mut self, exchange: &mut E) {
        let Some(request) = exchange.poll_transmit(self.now) else {
            let next = exchange.poll_timeout().expect("it waits, so it says how long");
            self.now = self.now.max(next);
            return exchange.handle_timeout(self.now);
        };
        self.sent.push((self.elapsed(), text(request.body()).to_owned()));
        assert!(exchange.poll_transmit(self.now).is_none(), "one at a time");
        let fate = self.fates.pop().unwrap_or(Fate::Answered);
        let response = match fate {
            Fate::RequestLost => return,
            Fate::Intermediary(status) => page(status, "text/html", "<html>proxy</html>"),
            Fate::Answered | Fate::AnswerLost => {
                let cx = context(self.wall_clock());
                block_on(self.server.call(&cx, request))
            }
        };
        if !matches!(fate, Fate::AnswerLost) {
            self.now += LATENCY;
            exchange.handle_response(self.now, collected(response));
        }
    }

    fn run<E: Exchange>(&mut self, exchange: &mut E) -> E::Outcome {
        for _ in 0..1_000 {
            if let Some(outcome) = exchange.poll_outcome() {
                assert!(exchange.poll_transmit(self.now).is_none(), "nothing is sent after it");
                assert!(exchange.poll_timeout().is_none(), "nor waited for");
                assert!(exchange.poll_outcome().is_none(), "it is given once");
                return outcome;
            }
            self.turn(exchange);
        }
        panic!("the conversation never ends")
    }

    fn bodies(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, body)| body.as_str()).collect()
    }
}

fn bound(sessions: &Arc<Sessions>) -> Bound<server::DeviceServer, Arc<Sessions>> {
    Bound::new(server::DeviceServer::new(), Arc::clone(sessions))
}

fn session(binding: &client::DeviceClient) -> Session<'_> {
    Session::new(binding, 4, &[("./Man", "acme"), ("./Mod", "m1")])
}

const WHOLE: [&str; 3] = ["4 1 alert ", "4 2 result acme", "4 3 result m1"];

fn run(
    sessions: &Arc<Sessions>,
    fates: &[Fate],
) -> (Result<usize, Failure>, Vec<(Duration, String)>) {
    let (client, server) = (client::DeviceClient::new(), bound(sessions));
    let mut network = Network::new(&server, fates);
    let outcome = network.run(&mut session(&client));
    (outcome, network.sent)
}

fn results(sessions: &Sessions) -> Vec<String> {
    sessions.state(4).expect("the session is stored").results().to_vec()
}

#[test]
fn a_whole_conversation() {
    let sessions = Arc::new(Sessions::default());
    let (outcome, sent) = run(&sessions, &[]);
    assert_eq!(outcome, Ok(2));
    let (times, bodies): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    assert_eq!(bodies, WHOLE);
    assert_eq!(times, [Duration::ZERO, LATENCY, LATENCY * 2]);
    assert_eq!(results(&sessions), ["acme", "m1"]);
}

#[test]
fn a_lost_request_is_sent_again_after_the_time_out() {
    let sessions = Arc::new(Sessions::default());
    let (outcome, sent) = run(&sessions, &[Fate::Answered, Fate::RequestLost]);
    assert_eq!(outcome, Ok(2));
    assert_eq!(sent[2].1, sent[1].1, "the same message, octet by octet");
    assert_eq!(sent[2].0 - sent[1].0, TIMEOUT + Session::back_off(1));
    assert_eq!(results(&sessions), ["acme", "m1"]);
}

/// The server has done its step already: it answers from what it stored and does nothing twice.
#[test]
fn a_lost_answer_changes_nothing_twice() {
    let sessions = Arc::new(Sessions::default());
    let lost = [Fate::AnswerLost; 2];
    let fates = [lost, [Fate::Answered, Fate::AnswerLost], lost].concat();
    let (outcome, sent) = run(&sessions, &fates);
    assert_eq!(outcome, Ok(2));
    assert_eq!(sent.len(), 3 + 5);
    assert_eq!(results(&sessions), ["acme", "m1"]);
}

#[test]
fn it_gives_up_after_its_attempts() {
    let sessions = Arc::new(Sessions::default());
    let (client, server) = (client::DeviceClient::new(), bound(&sessions));
    let mut network = Network::new(&server, &[Fate::RequestLost; 10]);
    assert_eq!(network.run(&mut session(&client)), Err(Failure::TimedOut { message: 1 }));
    assert_eq!(network.bodies(), vec![WHOLE[0]; ATTEMPTS as usize]);
    let back_offs: Duration = (1..ATTEMPTS).map(Session::back_off).sum();
    assert_eq!(network.elapsed(), TIMEOUT * ATTEMPTS + back_offs);
    assert!(sessions.state(4).is_none(), "the server never heard of it");
}

#[test]
fn each_message_has_its_own_attempts() {
    let lost = [Fate::RequestLost; ATTEMPTS as usize - 1];
    let answered = [Fate::Answered];
    let fates = [&lost[..], &answered, &lost, &answered, &lost].concat();
    let (outcome, sent) = run(&Arc::new(Sessions::default()), &fates);
    assert_eq!(outcome, Ok(2));
    assert_eq!(sent.len(), 3 * ATTEMPTS as usize);
}

#[test]
fn a_busy_intermediary_is_tried_again_without_waiting_for_the_time_out() {
    for status in [408, 503, 504] {
        let fates = [Fate::Intermediary(status)];
        let (outcome, sent) = run(&Arc::new(Sessions::default()), &fates);
        assert_eq!(outcome, Ok(2), "{status}");
        assert_eq!(sent[1].0, LATENCY + Session::back_off(1), "{status}");
    }
}

#[test]
fn a_page_of_an_intermediary_ends_the_conversation() {
    for status in [200, 403, 502] {
        let fates = [Fate::Answered, Fate::Intermediary(status)];
        let (outcome, sent) = run(&Arc::new(Sessions::default()), &fates);
        let Err(Failure::Unexpected(error)) = outcome else { panic!("{status}: {outcome:?}") };
        assert_eq!(status == 200, matches!(error, Unexpected::MediaType { .. }), "{error:?}");
        assert!(error.to_string().contains("<html>proxy</html>"), "{error}");
        assert_eq!(sent.len(), 2, "{status}");
    }
}

#[test]
fn a_time_out_that_is_told_too_early_changes_nothing() {
    let client = client::DeviceClient::new();
    let mut session = session(&client);
    let now = origin();
    assert!(session.poll_transmit(now).is_some());
    let deadline = session.poll_timeout().unwrap();
    assert_eq!(deadline, now + TIMEOUT);
    let early = deadline - Duration::from_nanos(1);
    session.handle_timeout(early);
    assert_eq!(session.poll_timeout(), Some(deadline));
    assert!(session.poll_transmit(early).is_none());
    session.handle_timeout(deadline);
    let again = deadline + Session::back_off(1);
    assert_eq!(session.poll_timeout(), Some(again));
    assert!(session.poll_transmit(again - Duration::from_nanos(1)).is_none());
    assert!(session.poll_transmit(again).is_some());
    assert_eq!(session.poll_timeout(), Some(again + TIMEOUT), "the time-out starts anew");
}

/// The server's state is what is stored: another process can take the next step.
#[test]
fn a_conversation_goes_on_with_another_server() {
    let sessions = Arc::new(Sessions::default());
    let (first, second) = (bound(&sessions), bound(&sessions));
    let client = client::DeviceClient::new();
    let mut session = session(&client);
    let mut network = Network::new(&first, &[]);
    network.turn(&mut session);
    network.server = &second;
    assert_eq!(network.run(&mut session), Ok(2));
    assert_eq!(network.bodies(), WHOLE);
}

#[test]
fn a_conflict_in_the_store_repeats_the_decision() {
    let sessions = Arc::new(Sessions::default());
    sessions.conflict(3);
    let (outcome, sent) = run(&sessions, &[]);
    assert_eq!(outcome, Ok(2));
    assert_eq!(sent.len(), 3);
    assert_eq!(sessions.commits_refused(), 3);
    assert_eq!(results(&sessions), ["acme", "m1"]);
}

fn client_says(number: u32, verb: Verb) -> Message {
    Message { session: 4, number, verb }
}

#[test]
fn the_step_is_pure() {
    let now = Timestamp::from_unix_seconds(100);
    let alert = client_says(1, Verb::Alert);
    let (reply, state) = State::step(None, &alert, now);
    assert_eq!(reply.verb, Verb::Get("./Man".to_owned()));
    assert_eq!(State::step(None, &alert, now), (reply.clone(), state.clone()), "same in, same out");
    let (repeated, unchanged) = State::step(Some(state.clone()), &alert, now);
    assert_eq!((repeated, unchanged), (reply, state.clone()));
    let result = client_says(2, Verb::Result("acme".to_owned()));
    let (reply, after) = State::step(Some(state), &result, now);
    assert_eq!(reply.verb, Verb::Get("./Mod".to_owned()));
    assert_eq!(after.results(), ["acme"]);
}

#[test]
fn a_message_out_of_turn_changes_nothing() {
    let now = Timestamp::from_unix_seconds(100);
    let (_, state) = State::step(None, &client_says(1, Verb::Alert), now);
    for wrong in [
        client_says(3, Verb::Result("x".to_owned())),
        client_says(0, Verb::Alert),
        client_says(u32::MAX, Verb::Alert),
        client_says(2, Verb::Done),
    ] {
        let (reply, after) = State::step(Some(state.clone()), &wrong, now);
        assert_eq!(reply.verb, Verb::Unknown, "{wrong:?}");
        assert_eq!(after, state, "{wrong:?}");
    }
}

#[test]
fn stored_state_expires_by_the_time_of_the_message() {
    let start = Timestamp::from_unix_seconds(100);
    let (_, state) = State::step(None, &client_says(1, Verb::Alert), start);
    let result = client_says(2, Verb::Result("acme".to_owned()));
    let last = start.saturating_add(LIFETIME);
    let (reply, _) = State::step(Some(state.clone()), &result, last);
    assert_eq!(reply.verb, Verb::Get("./Mod".to_owned()));
    let late = last.saturating_add(Duration::from_micros(1));
    let (reply, _) = State::step(Some(state), &result, late);
    assert_eq!(reply.verb, Verb::Unknown);
}
