//! The client, against servers that do as they are told and against our own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bindery_core::{Body, ContentCoding};
use bindery_transport::{
    Client, ClientLimits, Connection, ErrorKind, Layer, Limits, Repeatable, Target, TransportError,
};
use http::{Method, Request, Response, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    coding::{gzip, zlib},
    support::{OCTETS, Running, SHORT, soon},
};

/// A server that does for each connection, in their order, what it is told.
pub(crate) struct Script {
    pub(crate) url: String,
    /// The requests that have come, heads and bodies.
    requests: Arc<std::sync::Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// What to do with a request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Answer with these octets.
    Say(Vec<u8>),
    /// Answer nothing, and go on to the next act.
    Nothing,
}

pub(crate) fn say(octets: impl AsRef<[u8]>) -> Act {
    Act::Say(octets.as_ref().to_vec())
}

fn ok(body: &str) -> Act {
    say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

impl Script {
    /// One list of acts for each connection; after its last act a connection is closed.
    pub(crate) async fn start(connections: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        let script = Self { url, requests: Arc::default(), connections: Arc::default() };
        let (requests, count) = (Arc::clone(&script.requests), Arc::clone(&script.connections));
        tokio::spawn(async move {
            for acts in connections {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, SeqCst);
                play(stream, acts, &requests).await;
            }
        });
        script
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(crate) fn connection(&self, client: &Client) -> Connection {
        client.connection(self.url.parse().unwrap())
    }
}

async fn play(mut stream: TcpStream, acts: Vec<Act>, requests: &std::sync::Mutex<Vec<String>>) {
    for act in acts {
        let mut read = Vec::new();
        while !is_whole(&read) {
            match stream.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        requests.lock().unwrap().push(String::from_utf8(read).unwrap());
        if let Act::Say(octets) = act
            && stream.write_all(&octets).await.is_err()
        {
            return;
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn post(body: &str) -> Request<Body> {
    let request = Request::post("/").header("content-type", OCTETS);
    request.body(Body::from(body.to_owned())).unwrap()
}

/// A POST whose URI is the connection's.
pub(crate) fn message(body: &str) -> Request<Body> {
    let mut request = post(body);
    *request.uri_mut() = http::Uri::default();
    request
}

fn repeatable(body: &str) -> Request<Body> {
    let mut request = message(body);
    request.extensions_mut().insert(Repeatable);
    request
}

fn body(response: Response<Body>) -> Vec<u8> {
    response.into_body().into_bytes().unwrap().to_vec()
}

pub(crate) fn client() -> Client {
    Client::builder().build()
}

fn limited(set: impl FnOnce(&mut ClientLimits)) -> Client {
    let mut limits = ClientLimits::default();
    set(&mut limits);
    Client::builder().limits(limits).build()
}

async fn fails(client: Client, acts: Vec<Act>) -> TransportError {
    let server = Script::start(vec![acts]).await;
    let mut connection = server.connection(&client);
    let error = connection.send(message("abc")).await.unwrap_err();
    assert!(!connection.is_open());
    assert!(error.address().is_some(), "{error}");
    error
}

/// proves: KMIP-C-4, KMIP-OPT-2
#[tokio::test]
async fn http_1_1() {
    let server = Script::start(vec![vec![ok("one"), ok("two")]]).await;
    let mut connection = server.connection(&client());
    assert_eq!(body(connection.send(message("abc")).await.unwrap()), b"one");
    assert!(connection.is_open());
    assert_eq!(body(connection.send(message("")).await.unwrap()), b"two");
    let requests = server.requests();
    let authority = connection.target().uri().authority().unwrap().as_str();
    let head = |length| {
        format!(
            "POST /path HTTP/1.1\r\ncontent-type: {OCTETS}\r\nhost: {authority}\r\n\
                 content-length: {length}\r\n\r\n"
        )
    };
    assert_eq!(requests, [head(3) + "abc", head(0)], "the same connection, one Host");
    assert_eq!(server.connections(), 1);
    assert_eq!(connection.peer().unwrap().address.unwrap().to_string(), authority);
    assert!(!connection.channel().unwrap().is_tls());
}

/// proves: KMIP-C-4, KMIP-OPT-2
#[tokio::test]
async fn http_1_0() {
    let old = |fields: &str| say(format!("HTTP/1.0 200 OK\r\n{fields}Content-Length: 1\r\n\r\n1"));
    let kept = "Connection: keep-alive\r\n";
    let acts = vec![vec![old(kept), old("")], vec![ok("2"), ok("never")], vec![old("")]];
    let server = Script::start(acts).await;
    let mut connection = server.connection(&Client::builder().http_1_0().build());
    connection.send(message("a")).await.unwrap();
    assert!(connection.is_open(), "agreed");
    connection.send(message("b")).await.unwrap();
    assert!(!connection.is_open(), "not agreed");
    connection.send(message("c")).await.unwrap();
    assert!(!connection.is_open(), "an answer in HTTP/1.1 does not agree by silence");
    for request in server.requests() {
        assert!(request.starts_with("POST /path HTTP/1.0\r\n"), "{request}");
        assert!(request.contains("content-length: 1\r\n"), "{request}");
        assert!(request.contains("connection: keep-alive\r\n"), "{request}");
        assert!(!request.to_lowercase().contains("transfer-encoding"), "{request}");
    }
    let mut connection = server.connection(&Client::builder().http_1_0().keep_alive(false).build());
    connection.send(message("d")).await.unwrap();
    assert!(!server.requests()[3].contains("connection"));
}

#[tokio::test]
async fn opening_what_is_open_changes_nothing() {
    let server = Script::start(vec![vec![ok("one"), ok("two")]]).await;
    let mut connection = server.connection(&client());
    connection.open().await.unwrap();
    connection.open().await.unwrap();
    assert!(connection.is_open());
    connection.send(message("a")).await.unwrap();
    connection.open().await.unwrap();
    assert!(connection.is_open());
    connection.send(message("b")).await.unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn connections_that_are_not_kept() {
    let close = say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1");
    let server = Script::start(vec![vec![close, ok("x")], vec![ok("2"), ok("x")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    assert!(!connection.is_open());
    let mut connection = server.connection(&Client::builder().keep_alive(false).build());
    connection.send(message("b")).await.unwrap();
    assert!(!connection.is_open());
    assert!(server.requests()[1].contains("connection: close\r\n"));
}

/// proves: KMIP-C-4
#[tokio::test]
async fn answers_are_delimited_every_way() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: u\r\n\r\n";
    for answer in [
        format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        format!("HTTP/1.1 200 OK\r\n{chunked}"),
        "HTTP/1.1 200 OK\r\n\r\nabc".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\nabc".to_owned(),
    ] {
        let server = Script::start(vec![vec![say(&answer)]]).await;
        let response = server.connection(&client()).send(message("")).await.unwrap();
        assert_eq!(body(response), b"abc", "{answer:?}");
    }
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\n\r\n";
    let gone = "HTTP/1.1 204 No Content\r\n\r\n";
    let server = Script::start(vec![vec![say(moved), say(gone), ok("end")]]).await;
    let mut connection = server.connection(&client());
    let response = connection.send(message("a")).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], "http://localhost:1/", "not followed");
    assert_eq!(connection.send(message("b")).await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(body(connection.send(message("c")).await.unwrap()), b"end");
    assert_eq!(server.connections(), 1);
}

/// proves: SUB-PERSIST-1
#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_opened_anew() {
    let server = Script::start(vec![vec![ok("one")], vec![ok("two")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    soon("the end is seen", || !connection.is_open()).await;
    // Known to be closed beforehand: no request is repeated, so none needs a mark.
    assert_eq!(body(connection.send(message("b")).await.unwrap()), b"two");
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
}

/// The server takes the second request and closes without a word: it may have acted on it.
///
/// proves: SUB-PERSIST-1
#[tokio::test]
async fn a_request_is_not_sent_twice() {
    let server = Script::start(vec![vec![ok("one"), Act::Nothing], vec![ok("two")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    let error = connection.send(message("b")).await.unwrap_err();
    assert!(error.is_closed() && !error.is_unsent(), "{error:?}");
    assert!(error.hint().contains("not known"), "{}", error.hint());
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

/// proves: SUB-PERSIST-1
#[tokio::test]
async fn a_repeatable_request_is_sent_twice_and_no_more() {
    let silent = || vec![ok("one"), Act::Nothing];
    let server = Script::start(vec![silent(), vec![ok("two")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    assert_eq!(body(connection.send(repeatable("b")).await.unwrap()), b"two");
    assert_eq!((server.requests().len(), server.connections()), (3, 2));

    let server = Script::start(vec![silent(), vec![Act::Nothing], vec![ok("three")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    assert!(connection.send(repeatable("b")).await.unwrap_err().is_closed());
    assert_eq!((server.requests().len(), server.connections()), (3, 2));

    let server = Script::start(vec![vec![Act::Nothing], vec![ok("two")]]).await;
    let mut connection = server.connection(&client());
    assert!(connection.send(repeatable("b")).await.unwrap_err().is_closed());
    assert_eq!(server.connections(), 1, "a connection that never worked is not tried again");
}

/// proves: SUB-PERSIST-1
#[tokio::test]
async fn an_idempotent_method_needs_no_mark() {
    let server = Script::start(vec![vec![ok("one"), Act::Nothing], vec![ok("two")]]).await;
    let mut connection = server.connection(&client());
    connection.send(message("a")).await.unwrap();
    let mut request = message("");
    *request.method_mut() = Method::GET;
    assert_eq!(body(connection.send(request).await.unwrap()), b"two");
}

#[tokio::test]
async fn half_an_answer_is_not_repeated() {
    for half in ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"] {
        let server = Script::start(vec![vec![ok("one"), say(half)], vec![ok("two")]]).await;
        let mut connection = server.connection(&client());
        connection.send(message("a")).await.unwrap();
        assert!(connection.send(repeatable("b")).await.unwrap_err().is_closed(), "{half}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn an_old_connection_is_not_used() {
    let server = Script::start(vec![vec![ok("one")], vec![ok("two")]]).await;
    let mut connection = server.connection(&limited(|l| l.idle = Duration::ZERO));
    connection.send(message("a")).await.unwrap();
    connection.send(message("b")).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn answers_that_are_cut_short() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
    ] {
        let error = fails(client(), vec![say(answer)]).await;
        assert_eq!((error.kind(), error.layer()), (ErrorKind::Closed, Layer::Http), "{answer:?}");
        assert!(!error.is_unsent(), "{answer:?}");
    }
}

#[tokio::test]
async fn answers_that_are_not_http() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "\x15\x03\x01\x00\x02\x02\x46",
    ] {
        let error = fails(client(), vec![say(answer)]).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn answers_that_are_too_large() {
    let small = |l: &mut ClientLimits| (l.response_body, l.header_octets) = (10, 8192);
    let long = "a".repeat(11);
    let field = "a".repeat(9000);
    let fields = "A: b\r\n".repeat(101);
    for answer in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{long}\r\n0\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\nA: {field}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{fields}\r\n"),
    ] {
        let error = fails(limited(small), vec![say(&answer), Act::Nothing]).await;
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{answer:.80}: {error:?}");
    }
    let server = Script::start(vec![vec![ok("0123456789")]]).await;
    assert!(server.connection(&limited(small)).send(message("")).await.is_ok());
}

#[tokio::test]
async fn no_answer_in_time() {
    let start = tokio::time::Instant::now();
    let error = fails(limited(|l| l.response = SHORT), vec![Act::Nothing, Act::Nothing]).await;
    assert!(error.is_timeout() && error.layer() == Layer::Http, "{error:?}");
    assert!(start.elapsed() >= SHORT / 2);
    let half = say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na");
    let error = fails(limited(|l| l.total = SHORT), vec![half, Act::Nothing]).await;
    assert!(error.is_timeout() && !error.is_unsent(), "{error:?}");
}

#[tokio::test]
async fn a_late_answer_is_not_taken_for_the_next_one() {
    let slow = Script::start(vec![vec![Act::Nothing, ok("late")], vec![ok("right")]]).await;
    let mut connection = slow.connection(&limited(|l| l.response = SHORT));
    assert!(connection.send(message("a")).await.unwrap_err().is_timeout());
    assert_eq!(body(connection.send(message("b")).await.unwrap()), b"right");
    let slow = Script::start(vec![vec![Act::Nothing, ok("late")], vec![ok("right")]]).await;
    let mut connection = slow.connection(&client());
    tokio::select! {
        _ = connection.send(message("a")) => panic!("there is no answer"),
        () = sleep(SHORT) => {}
    }
    assert_eq!(body(connection.send(message("b")).await.unwrap()), b"right", "given up");
}

#[tokio::test]
async fn no_server() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let target: Target = format!("http://{free}/").parse().unwrap();
    let error = client().connection(target).send(message("")).await.unwrap_err();
    assert_eq!((error.kind(), error.layer()), (ErrorKind::Connect, Layer::Tcp));
    assert!(error.is_connect() && error.is_unsent());
    assert_eq!(error.address(), Some(free));
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    let target: Target = "http://host.invalid/".parse().unwrap();
    let error = client().connection(target).open().await.unwrap_err();
    assert!(error.is_connect() && error.is_unsent(), "{error:?}");
}

#[test]
fn targets() {
    let target: Target = "https://Host.example/a?b".parse().unwrap();
    assert_eq!((target.host(), target.port(), target.path()), ("Host.example", 443, "/a?b"));
    assert!(target.is_tls());
    let target: Target = "http://[::1]:8080".parse().unwrap();
    assert_eq!((target.host(), target.port(), target.path()), ("::1", 8080, "/"));
    for bad in
        ["", "/a", "host", "ftp://a/", "https://", "https://a@b/", "https://a:b/", "http://a b/"]
    {
        assert!(bad.parse::<Target>().unwrap_err().is_request(), "{bad}");
    }
}

#[tokio::test]
async fn requests_that_cannot_be_sent() {
    let server = Script::start(vec![vec![ok("one")]]).await;
    let mut connection = server.connection(&client());
    let mut elsewhere = message("");
    *elsewhere.uri_mut() = "http://localhost:1/path".parse().unwrap();
    let mut tunnel = message("");
    *tunnel.method_mut() = Method::CONNECT;
    let mut requests = vec![elsewhere, tunnel];
    for field in ["connection", "transfer-encoding", "expect", "upgrade"] {
        let mut request = message("");
        request.headers_mut().insert(field, "x".parse().unwrap());
        requests.push(request);
    }
    for request in requests {
        assert!(connection.send(request).await.unwrap_err().is_request());
    }
    let secure: Target = server.url.replace("http", "https").parse().unwrap();
    let error = client().connection(secure).send(message("")).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("TLS"), "{error}");
    assert_eq!(server.connections(), 0);
    let mut whole = message("a");
    *whole.uri_mut() = server.url.replace("/path", "/other?q").parse().unwrap();
    whole.headers_mut().insert("host", "elsewhere".parse().unwrap());
    whole.headers_mut().insert("content-length", "99".parse().unwrap());
    connection.send(whole).await.unwrap();
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /other?q HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("elsewhere") && !request.contains("content-length: 99"), "{request}");
}

/// proves: KMIP-OPT-1
#[tokio::test]
async fn codings() {
    let plain = b"a message ".repeat(50);
    let coded = |name: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        say([head.as_bytes(), body].concat())
    };
    let both = || Client::builder().codings([ContentCoding::Gzip, ContentCoding::Deflate]).build();
    let acts = vec![
        coded("gzip", &gzip(&plain)),
        coded("deflate", &zlib(&plain)),
        coded("x-gzip", &gzip(&plain)),
        say([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", &*plain].concat()),
        coded("gzip", b""),
    ];
    let server = Script::start(vec![acts]).await;
    let mut connection = server.connection(&both());
    for _ in 0..4 {
        let response = connection.send(message("")).await.unwrap();
        assert!(!response.headers().contains_key("content-encoding"));
        assert_eq!(body(response), plain);
    }
    assert_eq!(body(connection.send(message("")).await.unwrap()), b"", "nothing is nothing");
    for request in server.requests() {
        assert!(request.contains("accept-encoding: gzip, deflate\r\n"), "{request}");
    }

    let error = fails(client(), vec![coded("gzip", &gzip(&plain))]).await;
    assert_eq!(error.kind(), ErrorKind::Coding, "not asked for");
    let error = fails(both(), vec![coded("br", &plain)]).await;
    assert_eq!(error.kind(), ErrorKind::Coding, "not known");
    let whole = gzip(&plain);
    let error = fails(both(), vec![coded("gzip", &whole[..whole.len() - 1])]).await;
    assert_eq!(error.kind(), ErrorKind::Coding, "cut short");
    let error = fails(both(), vec![coded("gzip", &gzip(&vec![0; 2 << 20]))]).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge, "a bomb");
}

#[tokio::test]
async fn a_request_names_its_own_codings() {
    let whole = gzip(b"abc");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        whole.len()
    );
    let answer = say([head.as_bytes(), &whole].concat());
    let server = Script::start(vec![vec![answer.clone(), answer]]).await;
    let mut connection = server.connection(&client());
    let asking = |value: &str| {
        let mut request = message("");
        request.headers_mut().insert("accept-encoding", value.parse().unwrap());
        request
    };
    assert_eq!(body(connection.send(asking("gzip;q=0.5")).await.unwrap()), b"abc");
    let refused = connection.send(asking("gzip;q=0")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Coding);
}

#[tokio::test]
async fn against_our_own_server() {
    let server = Running::start(Limits::default()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    for size in [0, 1, 1000, 65536] {
        let text = "a".repeat(size);
        let response = connection.send(message(&text)).await.unwrap();
        assert_eq!(body(response), text.as_bytes());
    }
    let response = connection.send(message(&"a".repeat(65537))).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let response = connection.send(message("again")).await.unwrap();
    assert_eq!((response.status(), body(response)), (StatusCode::OK, b"again".to_vec()));
    assert_eq!(server.counters.snapshot().connections, 2);
}
