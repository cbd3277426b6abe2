//! Basic, both sides.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bindery_auth::{Attempts, AuthError, Authenticator, Blocking, Job, Login, Session, Turn};
use bindery_core::{AuthScheme, RateLimit as _, Refusal};
use http::HeaderValue;

use crate::support::{ask, asking, at, authenticator, challenged, challenges, head, session};

fn server() -> Authenticator {
    authenticator().with_schemes([AuthScheme::Basic])
}

/// RFC 7617, section 2: Aladdin's own token.
///
/// proves: DM-AUTH-4
#[tokio::test]
async fn credentials_are_taken_without_a_challenge() {
    let mut client = Session::new(Login::new("Aladdin", "open sesame").with_preemptive_basic());
    let value = client.authorize(&asking(b"")).unwrap().unwrap();
    assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let mut client = Session::new(Login::new("alice", "correct horse").with_preemptive_basic());
    let proof = ask(&server(), &mut client, &at(1), b"").await.unwrap();
    assert_eq!(proof.principal.as_str(), "alice");
}

/// A client that begins with Basic goes on by Digest where the server takes nothing else.
#[tokio::test]
async fn what_is_sent_unasked_is_not_the_last_word() {
    let server = authenticator().with_schemes([AuthScheme::Digest]);
    for (password, taken) in [("correct horse", true), ("wrong", false)] {
        let login = Login::new("device", password).with_preemptive_basic();
        let mut client = Session::new(login);
        let refusal = ask(&server, &mut client, &at(1), b"").await.unwrap_err();
        client.challenged(&challenges(&refusal), true).unwrap();
        match ask(&server, &mut client, &at(2), b"").await {
            Ok(proof) => {
                assert!(taken);
                assert_eq!(proof.principal.as_str(), "device-17");
            }
            Err(refusal) => {
                assert!(!taken);
                let error = client.challenged(&challenges(&refusal), true).unwrap_err();
                assert!(matches!(error, AuthError::Refused { .. }), "{error}");
            }
        }
    }
    // Basic that was refused is not sent again.
    let server = self::server();
    let mut client = Session::new(Login::new("alice", "wrong").with_preemptive_basic());
    let refusal = ask(&server, &mut client, &at(3), b"").await.unwrap_err();
    let error = client.challenged(&challenges(&refusal), true).unwrap_err();
    assert_eq!(error, AuthError::Refused { realm: "devices".to_owned() });
}

#[tokio::test]
async fn a_challenge_is_answered() {
    let server = server();
    let mut client = session("alice", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    ask(&server, &mut client, &at(2), b"").await.unwrap();
    // An account with Digest's secrets proves itself by these.
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(3)).await;
    assert_eq!(
        ask(&server, &mut client, &at(4), b"").await.unwrap().principal.as_str(),
        "device-17"
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_hear_the_same() {
    let server = server();
    let mut heard = Vec::new();
    for (user, password) in [("alice", "wrong"), ("mallory", "wrong"), ("device", "wrong")] {
        let mut client = session(user, password);
        challenged(&server, &mut client, &at(1)).await;
        let refusal = ask(&server, &mut client, &at(2), b"").await.unwrap_err();
        let error = client.challenged(&challenges(&refusal), true).unwrap_err();
        assert_eq!(error, AuthError::Refused { realm: "devices".to_owned() });
        heard.push(refusal);
    }
    assert!(heard.windows(2).all(|two| two[0] == two[1]));
}

#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Blocking for Counting {
    fn turn(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>> {
        Box::pin(std::future::ready(Turn::free()))
    }

    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(job()))
    }
}

/// Argon2 runs for the first request, for a wrong password, and for nobody's; not for each request.
#[tokio::test]
async fn a_password_that_was_right_is_not_hashed_again_for_a_while() {
    let counted = Arc::new(Counting::default());
    let server = server().with_blocking(Arc::clone(&counted) as Arc<dyn Blocking>);
    let value = |user: &str, password: &str| {
        let login = Login::new(user, password).with_preemptive_basic();
        Session::new(login).authorize(&asking(b"")).unwrap().unwrap()
    };
    let right = value("alice", "correct horse");
    for second in 0..5 {
        server.authenticate(&at(second), &head(Some(&right)), b"").await.unwrap();
    }
    assert_eq!(counted.0.load(Ordering::Relaxed), 1);
    for wrong in [value("alice", "wrong"), value("nobody", "wrong"), value("nobody", "nobody")] {
        server.authenticate(&at(6), &head(Some(&wrong)), b"").await.unwrap_err();
    }
    assert_eq!(counted.0.load(Ordering::Relaxed), 4);
    // Nor does it show who has secrets of Digest alone.
    let wrong = value("device", "wrong");
    server.authenticate(&at(6), &head(Some(&wrong)), b"").await.unwrap_err();
    assert_eq!(counted.0.load(Ordering::Relaxed), 5);
    server.authenticate(&at(1000), &head(Some(&right)), b"").await.unwrap();
    assert_eq!(counted.0.load(Ordering::Relaxed), 6);
}

#[test]
fn a_client_sends_no_password_in_clear_and_no_colon() {
    let mut clear = asking(b"");
    clear.tls = false;
    let login = Login::new("alice", "x").with_preemptive_basic();
    assert_eq!(Session::new(login.clone()).authorize(&clear), Err(AuthError::InClear));
    let login = login.dangerous_basic_in_clear();
    assert!(Session::new(login).authorize(&clear).unwrap().is_some());
    let login = Login::new("a:b", "x").with_preemptive_basic();
    assert_eq!(Session::new(login).authorize(&asking(b"")), Err(AuthError::UserName));
}

#[tokio::test]
async fn octets_that_are_no_utf_8_are_iso_8859_1() {
    // "alice:correct horse" with an é in the user name, in ISO 8859-1: nobody, and no error.
    let value = HeaderValue::from_static("Basic YWxpY+k6Y29ycmVjdA==");
    let refusal = server().authenticate(&at(1), &head(Some(&value)), b"").await.unwrap_err();
    challenges(&refusal);
}

/// While somebody waits here, others fail as often as it takes.
#[derive(Debug)]
struct Queue(Arc<Attempts>, Counting);

impl Blocking for Queue {
    fn turn(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>> {
        Box::pin(async {
            for _ in 0..6 {
                self.0.failed("user alice", at(1).now).await.unwrap();
            }
            Turn::free()
        })
    }

    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        self.1.run(job)
    }
}

/// As many connections as somebody opens are no more tries than one after another.
#[tokio::test]
async fn who_waited_for_a_turn_while_others_failed_does_not_try() {
    let attempts = Arc::new(Attempts::default());
    let queue = Arc::new(Queue(Arc::clone(&attempts), Counting::default()));
    let server = server()
        .with_rate_limit(Arc::clone(&attempts) as Arc<dyn bindery_core::RateLimit>)
        .with_blocking(Arc::clone(&queue) as Arc<dyn Blocking>);
    let login = Login::new("alice", "correct horse").with_preemptive_basic();
    let value = Session::new(login).authorize(&asking(b"")).unwrap().unwrap();
    let refusal = server.authenticate(&at(1), &head(Some(&value)), b"").await.unwrap_err();
    assert!(matches!(refusal, Refusal::TooManyRequests { .. }), "{refusal:?}");
    assert_eq!(queue.1.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_longer_than_any_account_has_is_refused() {
    let server = server();
    for (length, refused) in [(255, false), (256, true)] {
        let login = Login::new("a".repeat(length), "x").with_preemptive_basic();
        let value = Session::new(login).authorize(&asking(b"")).unwrap().unwrap();
        let refusal = server.authenticate(&at(1), &head(Some(&value)), b"").await.unwrap_err();
        assert_eq!(matches!(refusal, Refusal::MalformedHeader { .. }), refused, "{refusal:?}");
    }
}
