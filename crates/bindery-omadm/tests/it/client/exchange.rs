//! A session over HTTP, in virtual time: what is sent again, and when.

use std::time::{Duration, Instant};

use bindery_core::{Body, Delivery, Exchange};
use bindery_omadm::{
    DmHttp, DmProfile, Outgoing,
    client::{Client, Session, SessionError},
};
use bindery_syncml::{Form, Status, StatusCode};
use bytes::Bytes;
use http::{Request, Response, header};

use super::{Server, begin, client};

fn binding() -> DmHttp {
    let mut profile = DmProfile::default();
    profile.dangerous_clear = true;
    DmHttp::new(&profile)
}

fn octets(request: Request<Body>) -> Bytes {
    assert_eq!(request.method(), http::Method::POST);
    request.into_body().into_bytes().unwrap()
}

fn response(status: u16, body: Bytes) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/vnd.syncml.dm+wbxml")
        .header(header::CACHE_CONTROL, "no-store, private")
        .body(Body::from(body))
        .unwrap()
}

/// The answer that ends the session.
fn end(server: &mut Server, message: &Bytes) -> Response<Body> {
    let read = server.read(&Outgoing::new(message.clone(), Form::Wbxml));
    let answer = server.answer(&read, StatusCode::OK, Vec::new());
    response(200, server.write(&answer).octets)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn run(client: &mut Client, test: impl FnOnce(&mut Session<'_>, Instant)) {
    let binding = binding();
    let mut session = Session::new(&binding, client.begin(begin()));
    test(&mut session, Instant::now_for_tests());
}

/// Virtual time has to begin somewhere.
trait Start {
    fn now_for_tests() -> Self;
}

impl Start for Instant {
    #[expect(clippy::disallowed_methods, reason = "where virtual time begins")]
    fn now_for_tests() -> Self {
        Self::now()
    }
}

/// proves: DM-CONN-5
#[test]
fn a_message_without_an_answer_in_time_is_sent_again_as_it_was() {
    let mut client = client();
    run(&mut client, |session, start| {
        let first = octets(session.poll_transmit(start).unwrap());
        assert_eq!(session.poll_timeout(), Some(start + seconds(60)));
        session.handle_timeout(start + seconds(59));
        assert!(session.poll_transmit(start + seconds(59)).is_none());
        let late = start + seconds(60);
        session.handle_timeout(late);
        let again = octets(session.poll_transmit(late).unwrap());
        assert_eq!(again, first);
        let answer = end(&mut Server::new(Form::Wbxml), &first);
        session.handle_response(late, answer);
        let summary = session.poll_outcome().unwrap().unwrap();
        assert_eq!((summary.messages, summary.resent), (1, 1));
        assert!(session.poll_transmit(late).is_none());
    });
}

/// proves: DM-CONN-5
#[test]
fn a_message_that_a_gateway_lost_is_sent_again_after_a_pause() {
    for status in [408, 504] {
        let mut client = client();
        run(&mut client, |session, start| {
            let first = octets(session.poll_transmit(start).unwrap());
            session.handle_response(start, response(status, Bytes::new()));
            assert!(session.poll_outcome().is_none() && session.poll_transmit(start).is_none());
            let due = session.poll_timeout().unwrap();
            assert_eq!(due, start + seconds(1));
            session.handle_timeout(due);
            assert_eq!(octets(session.poll_transmit(due).unwrap()), first);
        });
    }
}

/// proves: DM-CONN-1, DM-CONN-5
#[test]
fn a_connection_that_breaks_is_made_again_and_again_with_longer_pauses() {
    let mut client = client();
    run(&mut client, |session, start| {
        let first = octets(session.poll_transmit(start).unwrap());
        let mut now = start;
        for pause in [1, 2, 4] {
            session.handle_failure(now, Delivery::Unknown);
            assert!(session.poll_outcome().is_none() && session.poll_transmit(now).is_none());
            let due = session.poll_timeout().unwrap();
            assert_eq!(due, now + seconds(pause));
            session.handle_timeout(due);
            assert_eq!(octets(session.poll_transmit(due).unwrap()), first);
            now = due;
        }
        session.handle_failure(now, Delivery::Unknown);
        let outcome = session.poll_outcome();
        assert!(matches!(outcome, Some(Err(SessionError::NoAnswer(4)))), "{outcome:?}");
        assert!(session.poll_transmit(now).is_none());
    });
}

/// proves: DM-CONN-5
#[test]
fn commands_that_have_a_status_are_not_sent_again() {
    let mut client = client();
    run(&mut client, |session, start| {
        let mut server = Server::new(Form::Wbxml);
        let first = octets(session.poll_transmit(start).unwrap());
        let read = server.read(&Outgoing::new(first, Form::Wbxml));
        let display = bindery_syncml::Alert::new(0_u32, bindery_syncml::AlertCode::DISPLAY);
        let answer = server.answer(&read, StatusCode::OK, vec![display.into()]);
        session.handle_response(start, response(200, server.write(&answer).octets));
        let second = octets(session.poll_transmit(start).unwrap());
        session.handle_timeout(start + seconds(60));
        let again = octets(session.poll_transmit(start + seconds(60)).unwrap());
        assert_eq!(again, second);
        // Package 1 had its statuses.
        let read = server.read(&Outgoing::new(again, Form::Wbxml));
        assert!(
            read.body.commands.iter().all(|it| matches!(it, bindery_syncml::Command::Status(_)))
        );
    });
}

#[test]
fn an_answer_of_http_alone_ends_the_session() {
    let mut client = client();
    run(&mut client, |session, start| {
        octets(session.poll_transmit(start).unwrap());
        session.handle_response(start, response(500, Bytes::new()));
        assert!(matches!(session.poll_outcome(), Some(Err(SessionError::Answer(_)))));
    });
}

#[test]
fn no_answer_makes_the_client_panic() {
    let mut server = Server::new(Form::Wbxml);
    let mut scratch = client();
    let first = server.read(&scratch.begin(begin()).message().unwrap());
    let mut answer = server.answer(&first, StatusCode::OK, vec![super::next_message()]);
    answer.body.commands.push(Status::default().into());
    let good = server.write(&answer).octets;
    for at in 0..good.len() {
        for change in [0x00, 0x01, 0x7f, 0xc3, 0xff] {
            let mut bad = good.to_vec();
            bad[at] ^= change;
            bad.truncate(good.len() - usize::from(change == 0) * at % 7);
            let mut client = client();
            run(&mut client, |session, start| {
                octets(session.poll_transmit(start).unwrap());
                session.handle_response(start, response(200, bad.into()));
                session.poll_transmit(start);
            });
        }
    }
}
