//! HTTP authentication over real connections.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use bindery_auth::{Accounts, Algorithm, Authenticator, Guarded, Login, Qop, hash, secret};
use bindery_core::{Account, AuthScheme, Body, Bound, DigestAlgorithm, Principal, Timestamp};
use bindery_transport::{
    Client, Clock, Connection, ErrorKind, Limits, Listener, OnRuntime, Router, Server,
};
use http::{Request, Response, StatusCode, header};

use crate::support::{Echo, OCTETS, Running, Service, Stopped2026};

fn authenticator() -> Authenticator {
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash("correct horse", &[3; 16]).unwrap());
    let mut device = Account::new(Principal::new("device-17"));
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        device.digests.push(secret(algorithm, "device", "echo", "correct horse"));
    }
    let accounts = Accounts::new().with("alice", alice).with("device", device);
    Authenticator::new("echo", Arc::new(accounts), [7; 32])
        .unwrap()
        .with_algorithms(Algorithm::ALL)
        .with_blocking(Arc::new(OnRuntime::new()))
}

async fn serve(authenticator: Authenticator) -> Running {
    serve_by(authenticator, Arc::new(Stopped2026)).await
}

async fn serve_by(authenticator: Authenticator, clock: Arc<dyn Clock>) -> Running {
    let service = Arc::new(Service::default());
    let endpoint = Bound::new(Echo::new(Echo::profile()), Arc::clone(&service));
    let guarded = Arc::new(Guarded::new(endpoint, Arc::new(authenticator)));
    let server = Server::builder()
        .listen(Listener::clear("127.0.0.1:0".parse().unwrap()))
        .router(Router::new().mount("/echo", guarded).unwrap())
        .limits(Limits::default())
        .clock(clock)
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

fn connection(running: &Running, login: Option<Login>) -> Connection {
    let target = running.url().parse().unwrap();
    let mut connection = Client::builder().build().connection(target);
    if let Some(login) = login {
        connection.set_login(login);
    }
    connection
}

async fn post(connection: &mut Connection, body: &str) -> Response<Body> {
    let request = Request::post("/").header(header::CONTENT_TYPE, OCTETS);
    connection.send(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

/// How many requests the server has answered.
fn requests(running: &Running) -> u64 {
    running.counters.snapshot().requests.values().sum()
}

fn principal(response: &Response<Body>) -> &str {
    response.headers()["x-principal"].to_str().unwrap()
}

/// The first request is sent twice, the others carry proof at once, on the same connection.
///
/// proves: DM-AUTH-1, DM-AUTH-4, DSDM-HTTP-C-023-O, DSDM-HTTP-S-023-O, DSDM-HTTP-C-041-O
/// proves: DSDM-HTTP-S-041-O, DSDM-HTTP-C-048-O, DSDM-HTTP-S-048-O
#[tokio::test]
async fn a_challenge_is_answered_and_not_asked_for_again() {
    for (algorithm, qop) in [
        (Algorithm::MD5, Qop::Auth),
        (Algorithm::SHA_256, Qop::Auth),
        (Algorithm::SHA_256_SESS, Qop::AuthInt),
    ] {
        let server = authenticator().with_algorithms([algorithm]).with_qops([qop]);
        let running = serve(server).await;
        let mut client = connection(&running, Some(Login::new("device", "correct horse")));
        for round in 0..3 {
            let response = post(&mut client, "hello").await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(principal(&response), "device-17");
            assert!(response.headers().contains_key("authentication-info"));
            let handled = running.service.handled.load(SeqCst);
            assert_eq!(handled, round + 1, "a refused request does not reach the service");
        }
        assert_eq!(requests(&running), 4, "one challenge and three answers");
        running.abort().await;
    }
}

/// proves: DM-AUTH-9
#[tokio::test]
async fn without_or_with_a_wrong_login_the_401_is_the_answer() {
    let running = serve(authenticator()).await;
    for login in [None, Some(Login::new("device", "wrong")), Some(Login::new("nobody", "x"))] {
        let response = post(&mut connection(&running, login), "hello").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let offered = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
        assert!(offered.count() >= 4, "Digest in each algorithm, in clear no Basic");
    }
    running.abort().await;
}

/// proves: DM-AUTH-1, SUB-SEC-1
#[tokio::test]
async fn basic_goes_in_clear_only_when_both_sides_say_so() {
    let basic = || authenticator().with_schemes([AuthScheme::Basic]);
    let login = || Login::new("alice", "correct horse");
    // The server does not offer it.
    let running = serve(basic()).await;
    let response = post(&mut connection(&running, Some(login())), "hello").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    running.abort().await;
    // The server offers it, and the client does not send it.
    let running = serve(basic().dangerous_basic_in_clear()).await;
    let mut client = connection(&running, Some(login()));
    let request = Request::post("/").header(header::CONTENT_TYPE, OCTETS);
    let error = client.send(request.body(Body::from(b"x".to_vec())).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains("clear channel"), "{error}");
    // Both do.
    let mut client = connection(&running, Some(login().dangerous_basic_in_clear()));
    assert_eq!(principal(&post(&mut client, "hello").await), "alice");
    running.abort().await;
}

/// A clock that goes on when it is told to.
#[derive(Debug, Default)]
struct Moving(AtomicI64);

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(SeqCst))
    }
}

/// The nonce of a kept session ends: the client goes on with the next one, without an error.
#[tokio::test]
async fn a_stale_nonce_costs_one_more_request() {
    let clock = Arc::new(Moving::default());
    let running = serve_by(authenticator(), Arc::clone(&clock) as Arc<dyn Clock>).await;
    let mut client = connection(&running, Some(Login::new("device", "correct horse")));
    for expected in [2, 3] {
        assert_eq!(post(&mut client, "x").await.status(), StatusCode::OK);
        assert_eq!(requests(&running), expected);
    }
    clock.0.fetch_add(3600, SeqCst);
    assert_eq!(post(&mut client, "x").await.status(), StatusCode::OK);
    assert_eq!(requests(&running), 5, "refused as stale, and sent once more");
    // In the second half of its life a nonce is replaced in passing.
    clock.0.fetch_add(200, SeqCst);
    assert_eq!(post(&mut client, "x").await.status(), StatusCode::OK);
    clock.0.fetch_add(200, SeqCst);
    assert_eq!(post(&mut client, "x").await.status(), StatusCode::OK);
    assert_eq!(requests(&running), 7);
    running.abort().await;
}

/// An `Authorization` of the caller's own is left alone.
#[tokio::test]
async fn the_callers_own_field_is_sent_as_it_is() {
    let running = serve(authenticator()).await;
    let mut client = connection(&running, Some(Login::new("device", "correct horse")));
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, OCTETS)
        .header(header::AUTHORIZATION, "Bearer x");
    let response = client.send(request.body(Body::from(b"x".to_vec())).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    running.abort().await;
}
