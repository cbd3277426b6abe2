//! Messages, connections, and the way to the endpoint.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering::SeqCst},
    task::Poll,
};

use bindery_core::{
    Body, BodyError, Context, Endpoint, EndpointFuture, IdentityError, IdentityMap, Peer,
    Principal, Profile, Refusal, RefusalForm,
};
use bindery_transport::{ErrorKind, Limits, Listener, MountError, Router, Server};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body as HttpBody, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::support::{Echo, OCTETS, PATIENCE, Raw, Running, Service, Stopped2026, request, soon};

#[tokio::test]
async fn the_context() {
    let server = Running::start(Limits::default()).await;
    let answer = server.connect().await.ask("abc").await;
    assert_eq!((answer.version.as_str(), answer.status), ("HTTP/1.1", 200));
    assert_eq!(answer.field("x-now"), Some("1795000000"));
    assert_eq!(answer.field("x-principal"), Some("nobody"));
    assert_eq!(answer.field("x-tls"), Some("none"));
    assert_eq!(answer.field("content-length"), Some("3"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert!(answer.field("date").is_some());
}

#[tokio::test]
async fn a_request_in_single_octets() {
    let server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    for octet in request("abc") {
        raw.send([octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.answer().await.body, b"abc");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    let many: Vec<u8> = (0..50).flat_map(|n| request(format!("number {n}"))).collect();
    raw.send(many).await;
    for n in 0..50 {
        assert_eq!(raw.answer().await.body, format!("number {n}").as_bytes());
    }
    assert!(raw.is_alive().await);
}

/// A body that is cut short is never taken for a whole one, nor for an empty one.
#[tokio::test]
async fn truncated_bodies_reach_no_handler() {
    let server = Running::start(Limits::default()).await;
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\n");
    for rest in [
        "Content-Length: 3\r\n\r\n",
        "Content-Length: 3\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3",
        "Transfer-Encoding: chunked\r\n\r\n3\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let mut raw = server.connect().await;
        raw.send(format!("{head}{rest}")).await;
        raw.stream.shutdown().await.unwrap();
        let answer = raw.maybe_answer().await;
        assert!(answer.is_none_or(|answer| answer.status == 400), "{rest:?}");
    }
    assert_eq!(server.service.handled.load(SeqCst), 0);
    assert!(server.connect().await.is_alive().await);
}

#[tokio::test]
async fn a_panic_closes_a_kept_connection_of_http_1_0() {
    let server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    let head = format!("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Type: {OCTETS}");
    raw.send(format!("{head}\r\nContent-Length: 5\r\n\r\npanic")).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (500, Some("close")));
    assert!(raw.is_ended().await);
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = Running::start(Limits::default()).await;
    let mut other = server.connect().await;
    assert!(other.is_alive().await);
    let mut raw = server.connect().await;
    let answer = raw.ask("panic").await;
    assert_eq!((answer.status, answer.field("connection")), (500, Some("close")));
    assert!(!String::from_utf8_lossy(&answer.body).contains("told to"), "nothing leaks");
    assert!(raw.is_ended().await);
    assert!(other.is_alive().await);
    assert_eq!(server.counters.snapshot().panics, 1);
}

#[tokio::test]
async fn a_peer_that_leaves_cancels_its_request() {
    let server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    raw.post("stuck").await;
    server.service.arrived.notified().await;
    drop(raw);
    timeout(PATIENCE, server.service.arrived.notified()).await.expect("cancelled");
    assert_eq!(server.service.cancelled.load(SeqCst), 1);
    let counters = &server.counters;
    soon("it is counted", || counters.snapshot().requests_cancelled == 1).await;
}

#[tokio::test]
async fn counters() {
    let server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    raw.ask("abc").await;
    raw.ask("abc").await;
    raw.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.answer().await;
    drop(raw);
    let mut raw = server.connect().await;
    raw.send("nonsense\r\n\r\n").await;
    raw.answer().await;
    drop(raw);
    let counters = &server.counters;
    soon("both are closed", || counters.snapshot().connections_open == 0).await;
    let now = counters.snapshot();
    assert_eq!((now.connections, now.malformed, now.panics), (2, 1, 0));
    assert_eq!(now.requests.into_iter().collect::<Vec<_>>(), [(200, 2), (404, 1)]);
    assert_eq!(now.refusals.into_values().collect::<Vec<_>>(), [1]);
    assert!(now.octets_in > 2 * request("abc").len() as u64);
    assert!(now.octets_out > 200);
}

/// Answers in pieces, and tells what it was asked.
#[derive(Debug)]
struct Streams(Profile);

struct Pieces(u8);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0 += 1;
        Poll::Ready(match self.0 {
            1..=3 => Some(Ok(Frame::data(Bytes::from_static(b"piece")))),
            4 => None,
            _ => Some(Err(BodyError::Timeout("told to"))),
        })
    }
}

impl Endpoint for Streams {
    fn profile(&self) -> &Profile {
        &self.0
    }

    fn call<'a>(&'a self, _: &'a Context, request: Request<Body>) -> EndpointFuture<'a> {
        let broken = request.uri().query() == Some("broken");
        let told = format!("{} {:?}", request.uri(), request.headers().get("host"));
        let mut response = Response::new(Body::stream(Pieces(if broken { 200 } else { 0 })));
        response.headers_mut().insert("x-told", told.parse().unwrap());
        Box::pin(poll_fn(move |_| Poll::Ready(std::mem::take(&mut response))))
    }

    fn refuse(
        &self,
        _: &Context,
        _: Option<&http::request::Parts>,
        refusal: &Refusal,
    ) -> Response<Body> {
        self.0.refusal_response(refusal)
    }
}

async fn streaming() -> Running {
    let endpoint: Arc<dyn Endpoint> = Arc::new(Streams(Echo::profile()));
    let router = Router::new().mount("/", Arc::clone(&endpoint)).unwrap();
    let server = Server::builder()
        .listen(Listener::clear("127.0.0.1:0".parse().unwrap()))
        .router(router.mount("*", endpoint).unwrap())
        .bind()
        .await
        .unwrap();
    Running::spawn(server, Arc::default())
}

async fn all_of(server: &Running, request: &str) -> String {
    let mut raw = server.connect().await;
    raw.send(request).await;
    let mut all = Vec::new();
    let reading = raw.stream.read_to_end(&mut all);
    timeout(PATIENCE, reading).await.expect("it closes").expect("in order");
    String::from_utf8(all).unwrap().to_lowercase()
}

/// proves: KMIP-S-4
#[tokio::test]
async fn http_1_0_gets_no_chunks() {
    let server = streaming().await;
    let new = all_of(&server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(new.contains("transfer-encoding: chunked") && new.ends_with("0\r\n\r\n"), "{new}");
    let old = all_of(&server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    assert!(old.ends_with("\r\n\r\npiecepiecepiece"), "{old}");
    assert!(!old.contains("transfer-encoding"), "{old}");
}

#[tokio::test]
async fn an_answer_that_fails_half_way_is_cut_off() {
    let server = streaming().await;
    let mut raw = server.connect().await;
    raw.send("GET /?broken HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut all = Vec::new();
    let ended = timeout(PATIENCE, raw.stream.read_to_end(&mut all)).await.expect("it ends");
    let all = String::from_utf8_lossy(&all);
    assert!(ended.is_err() || !all.ends_with("0\r\n\r\n"), "{all}");
}

#[tokio::test]
async fn the_endpoint_sees_origin_form_and_the_targets_authority() {
    let server = streaming().await;
    let close = "Connection: close\r\n\r\n";
    let told = |request: &str| {
        let request = format!("{request} HTTP/1.1\r\nHost: a\r\n{close}");
        let server = &server;
        async move { all_of(server, &request).await }
    };
    assert!(told("GET /?q").await.contains("x-told: /?q some(\"a\")"));
    assert!(told("GET http://b:1/?q").await.contains("x-told: /?q some(\"b:1\")"));
    assert!(told("GET http://b").await.contains("x-told: / some(\"b\")"));
    assert!(told("OPTIONS *").await.contains("x-told: * some(\"a\")"));
}

#[derive(Debug)]
struct Nobody;

impl IdentityMap for Nobody {
    fn principal(&self, _: &Peer) -> Result<Option<Principal>, IdentityError> {
        Err(IdentityError::new("it is nobody's", "become somebody"))
    }
}

#[derive(Debug)]
struct Port;

impl IdentityMap for Port {
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
        Ok(peer.address.map(|address| Principal::new(address.ip().to_string())))
    }
}

async fn identified(map: impl IdentityMap + 'static) -> Running {
    let service = Arc::new(Service::default());
    let server = Server::builder()
        .listen(Listener::clear("127.0.0.1:0".parse().unwrap()))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(map))
        .clock(Arc::new(Stopped2026))
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

#[tokio::test]
async fn a_peer_becomes_a_principal() {
    let server = identified(Port).await;
    let answer = server.connect().await.ask("abc").await;
    assert_eq!(answer.field("x-principal"), Some("127.0.0.1"));
}

#[tokio::test]
async fn an_identity_that_maps_to_nothing_is_refused() {
    let server = identified(Nobody).await;
    let answer = server.connect().await.ask("abc").await;
    assert_eq!(answer.status, 403);
    assert!(String::from_utf8_lossy(&answer.body).contains("nobody's"));
    assert_eq!(server.service.handled.load(SeqCst), 0);
}

#[tokio::test]
async fn an_address_in_use() {
    let server = Running::start(Limits::default()).await;
    let error = Server::builder().listen(Listener::clear(server.address)).bind().await.unwrap_err();
    assert_eq!((error.kind(), error.address()), (ErrorKind::Bind, Some(server.address)));
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
    assert!(error.hint().contains("another address"), "{}", error.hint());
    let error = Server::builder().bind().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bind);
}

#[tokio::test]
async fn an_inherited_socket() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let service = Arc::new(Service::default());
    let server = Server::builder()
        .listen(Listener::from_std(socket, None))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .bind()
        .await
        .unwrap();
    assert_eq!(server.local_addrs(), [address]);
    let server = Running::spawn(server, service);
    assert!(server.connect().await.is_alive().await);
    assert_eq!(server.stopped().await.aborted, 0);
}

#[test]
fn routes() {
    let endpoint = Echo::endpoint(&Arc::default());
    let mount = |path: &str| Router::new().mount(path, Arc::clone(&endpoint));
    for path in ["/", "/a", "/a/b%20c", "*"] {
        assert!(mount(path).unwrap().at(path).is_some());
    }
    for path in ["", "a", "/a b", "/a?b", "/a#b", "/ä", "**"] {
        assert_eq!(mount(path).unwrap_err(), MountError::Path { path: path.to_owned() });
    }
    let twice = mount("/a").unwrap().mount("/a", endpoint);
    assert_eq!(twice.unwrap_err(), MountError::Taken { path: "/a".to_owned() });
    assert_eq!(Echo::profile().methods, [Method::POST]);
}

#[tokio::test]
async fn an_unknown_target_is_told_in_the_form_that_all_cards_have() {
    let mut silent = Echo::profile();
    silent.refusal_form = RefusalForm::Field;
    for (profile, told) in [(Echo::profile(), true), (silent, false)] {
        let server = Running::with_profile(Limits::default(), profile).await;
        let mut raw = server.connect().await;
        raw.send("POST /else HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await;
        let answer = raw.answer().await;
        assert_eq!((answer.status, !answer.body.is_empty()), (404, told));
        let said = "nothing stands at this target";
        match answer.field("bindery-refusal") {
            Some(field) => assert!(!told && field.contains(said), "{answer:?}"),
            None => assert!(told && String::from_utf8_lossy(&answer.body).contains(said)),
        }
    }
}

#[tokio::test]
async fn a_listener_has_the_server_s_routes_or_its_own() {
    let service = Arc::new(Service::default());
    let listener = || Listener::clear("127.0.0.1:0".parse().unwrap());
    let own = Router::new().mount("/own", Echo::endpoint(&service)).unwrap();
    let server = Server::builder()
        .listen(listener())
        .listen(listener().router(own))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .bind()
        .await
        .unwrap();
    let addresses = server.local_addrs();
    let server = Running::spawn(server, service);
    for (address, path, status) in [
        (addresses[0], "/echo", 200),
        (addresses[0], "/own", 404),
        (addresses[1], "/echo", 404),
        (addresses[1], "/own", 200),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.send(String::from_utf8(request("abc")).unwrap().replace("/echo", path)).await;
        assert_eq!(raw.answer().await.status, status, "{address} {path}");
    }
    assert_eq!(server.stopped().await.aborted, 0);
}
