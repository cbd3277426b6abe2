//! Complying with the HTTP version that is claimed, on both sides.

use bindery_kmip::Client;
use bindery_tests::{
    pki::Pki,
    raw::Post,
    script::{Say, Script},
    site::Site,
    wire,
};
use bindery_transport::ClientBuilder;
use bindery_ttlv::registry::QueryFunction;

const TYPE: &str = "Content-Type: application/octet-stream\r\nCache-Control: no-cache\r\n";

async fn ask(client: &mut Client) {
    let answer = client.query([QueryFunction::QUERY_OPERATIONS]).await.unwrap();
    assert_eq!(answer.operations.len(), wire::OPERATIONS.len());
}

/// A KMIP client with these transport settings, for a script.
fn client(pki: &Pki, script: &Script, settings: fn(ClientBuilder) -> ClientBuilder) -> Client {
    let connector = pki.connector(Some(&pki.client("alice")));
    let transport = settings(bindery_transport::Client::builder().connector(connector)).build();
    Client::builder(script.url().parse().unwrap()).build(&transport)
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let (first, second) = body.split_at(100);
    let mut octets = format!("{:x};ext=\"1\"\r\n", first.len()).into_bytes();
    octets.extend(first);
    octets.extend(format!("\r\n{:X}\r\n", second.len()).bytes());
    octets.extend(second);
    octets.extend(b"\r\n0\r\nTrailer-Field: 1\r\n\r\n");
    octets
}

/// proves: KMIP-C-4
#[tokio::test]
async fn in_http_1_1_the_client_sends_one_host_and_keeps_the_connection() {
    let pki = Pki::new();
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let mut client = client(&pki, &script, |settings| settings);
    for _ in 0..3 {
        ask(&mut client).await;
    }
    for request in script.requests() {
        assert_eq!((request.connection, request.line.as_str()), (0, "POST /kmip HTTP/1.1"));
        // field() asserts that there is one only.
        assert_eq!(request.field("host"), Some(script.address.to_string().as_str()));
    }
    assert_eq!(script.requests().len(), 3);
}

/// proves: KMIP-C-4, KMIP-OPT-3
#[tokio::test]
async fn in_http_1_1_the_client_reads_bodies_however_they_are_delimited() {
    let pki = Pki::new();
    let answers = |_: &_, place| {
        let body = wire::query_response();
        let chunks = format!("HTTP/1.1 200 OK\r\n{TYPE}Transfer-Encoding: chunked\r\n\r\n");
        let none = format!("HTTP/1.1 200 OK\r\n{TYPE}\r\n");
        match place {
            0 | 2 => Say::message(&chunks, &chunked(&body)),
            1 => Say::ok(&body),
            _ => Say::message(&none, &body).and_close(),
        }
    };
    let script = Script::start(pki.acceptor(), answers).await;
    let mut client = client(&pki, &script, |settings| settings);
    for _ in 0..5 {
        ask(&mut client).await;
    }
    let connections: Vec<_> = script.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 0, 0, 1], "kept behind chunks, opened anew behind a close");
}

/// proves: KMIP-C-4, KMIP-OPT-2
#[tokio::test]
async fn in_http_1_1_the_client_heeds_and_sends_connection_close() {
    let pki = Pki::new();
    let answers = |_: &_, _| Say::with("Connection: close\r\n", &wire::query_response());
    let closing = Script::start(pki.acceptor(), answers).await;
    let mut heeding = client(&pki, &closing, |settings| settings);
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let mut sending = client(&pki, &script, |settings| settings.keep_alive(false));
    for connection in 0..2 {
        ask(&mut heeding).await;
        assert!(!heeding.connection_mut().is_open());
        ask(&mut sending).await;
        assert!(!sending.connection_mut().is_open());
        assert_eq!(closing.requests()[connection].connection, connection);
        let request = &script.requests()[connection];
        assert_eq!((request.connection, request.field("connection")), (connection, Some("close")));
    }
}

/// proves: KMIP-C-4, KMIP-OPT-2
#[tokio::test]
async fn in_http_1_0_the_client_sends_a_length_and_keeps_only_what_was_agreed() {
    let pki = Pki::new();
    let answers = |request: &bindery_tests::script::Recorded, place| {
        let body = wire::query_response();
        let length = body.len();
        let keep =
            if place == 0 && request.connection == 0 { "Connection: Keep-Alive\r\n" } else { "" };
        let head = format!("HTTP/1.0 200 OK\r\n{TYPE}{keep}Content-Length: {length}\r\n\r\n");
        Say::message(&head, &body)
    };
    let script = Script::start(pki.acceptor(), answers).await;
    let mut client = client(&pki, &script, ClientBuilder::http_1_0);
    for _ in 0..4 {
        ask(&mut client).await;
    }
    let requests = script.requests();
    let connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 1, 2], "kept where that was agreed, and then not");
    for request in requests {
        assert_eq!(request.line, "POST /kmip HTTP/1.0");
        assert_eq!(request.field("content-length"), Some(request.body.len().to_string().as_str()));
        assert_eq!(request.field("transfer-encoding"), None);
        assert_eq!(request.field("connection"), Some("keep-alive"), "it is asked for");
        assert_eq!(request.kmip().at(&[0x0f, 0x5c]).number(), 0x18);
    }
}

/// proves: KMIP-C-4, KMIP-OPT-2
#[tokio::test]
async fn in_http_1_0_without_keep_alive_every_request_has_its_connection() {
    let pki = Pki::new();
    let answers = |_: &_, _| {
        // The length is the connection's end.
        Say::message(&format!("HTTP/1.0 200 OK\r\n{TYPE}\r\n"), &wire::query_response()).and_close()
    };
    let script = Script::start(pki.acceptor(), answers).await;
    let mut client = client(&pki, &script, |settings| settings.http_1_0().keep_alive(false));
    ask(&mut client).await;
    ask(&mut client).await;
    for (connection, request) in script.requests().iter().enumerate() {
        assert_eq!((request.connection, request.field("connection")), (connection, None));
    }
}

/// proves: KMIP-S-4
#[tokio::test]
async fn a_request_in_http_1_0_gets_neither_chunks_nor_100_and_then_a_close() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    // In HTTP/1.0 the expectation means nothing: head and body are there, one answer follows.
    raw.send(Post::new(wire::query()).http_1_0().with("Expect", "100-continue").octets()).await;
    let answer = raw.answer().await;
    assert_eq!(answer.result(), (0, None));
    assert_eq!(answer.field("transfer-encoding"), None);
    assert_ne!(answer.field("connection"), Some("keep-alive"));
    let (rest, in_order) = raw.rest().await;
    assert_eq!((rest.len(), in_order), (0, true), "closed, with a closure alert");
}

/// proves: KMIP-S-4
#[tokio::test]
async fn a_request_in_http_1_0_that_asks_for_keep_alive_is_kept() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    for spelling in ["keep-alive", "Keep-Alive", "KEEP-ALIVE"] {
        raw.send(Post::new(wire::query()).http_1_0().with("Connection", spelling).octets()).await;
        let answer = raw.answer().await;
        assert_eq!(answer.result(), (0, None));
        assert_eq!(answer.words("connection"), ["keep-alive"], "agreed in so many words");
        let length = answer.body.len().to_string();
        assert_eq!(answer.field("content-length"), Some(length.as_str()));
    }
    raw.send(Post::new(wire::query()).http_1_0().octets()).await;
    assert_eq!(raw.answer().await.result(), (0, None));
    assert!(raw.is_ended().await, "not asked for any more");
}

/// proves: KMIP-S-4
#[tokio::test]
async fn a_request_in_http_1_1_without_exactly_one_host_gets_400() {
    let site = Site::start().await;
    let good = Post::new(wire::query());
    for bent in [
        good.clone().without("Host"),
        good.clone().with("Host", "localhost"),
        good.clone().with("Host", "elsewhere"),
        good.clone().set("Host", "two hosts"),
    ] {
        let mut raw = site.raw("alice").await;
        raw.send(bent.octets()).await;
        let answer = raw.answer().await;
        assert_eq!((answer.status, answer.body.len()), (400, 0), "{bent:?}: {answer:?}");
    }
    site.goes_on().await;
}

/// proves: KMIP-S-4, KMIP-OPT-3
#[tokio::test]
async fn a_request_in_http_1_1_may_be_chunked_and_keeps_its_connection() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    for size in [1, 7, 64, 1000] {
        raw.send(Post::new(wire::query()).body(wire::query()).chunked(size).octets()).await;
        let answer = raw.answer().await;
        assert_eq!((answer.version.as_str(), answer.result()), ("HTTP/1.1", (0, None)));
        assert_eq!(answer.field("connection"), None);
    }
    // The end of one request is the beginning of the next, however they are delimited.
    let both = [
        Post::new(wire::query()).chunked(33).octets(),
        Post::new(wire::query()).with("Connection", "close").octets(),
    ];
    raw.send(both.concat()).await;
    assert_eq!(raw.answer().await.result(), (0, None));
    let last = raw.answer().await;
    assert_eq!((last.result(), last.field("connection")), ((0, None), Some("close")));
    assert!(raw.is_ended().await);
}

/// proves: KMIP-S-4
#[tokio::test]
async fn a_client_of_http_1_1_that_waits_for_100_gets_it() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    let post = Post::new(wire::query()).with("Expect", "100-continue");
    raw.send(post.head()).await;
    let interim = raw.answer().await;
    assert_eq!((interim.status, interim.version.as_str()), (100, "HTTP/1.1"));
    raw.send(wire::query()).await;
    assert_eq!(raw.answer().await.result(), (0, None));
}
