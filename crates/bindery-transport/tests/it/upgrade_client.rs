//! Upgrade to TLS within HTTP/1.1 (RFC 2817): the client's side.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use bindery_auth::Login;
use bindery_core::Body;
use bindery_tls::{
    Acceptor, BoxIo, TlsErrorKind,
    pki::{Authority, Validity},
};
use bindery_transport::{
    Client, Connection, ErrorKind, Limits, TransportError, Upgrade, UpgradeMode,
};
use bytes::Bytes;
use http::{Request, Response};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    support::{OCTETS, Running},
    tls::{authority, message},
    upgrade::{acceptor, connector, start},
};

fn client(authority: &Authority, mode: UpgradeMode) -> Client {
    Client::builder().connector(connector(authority)).upgrade(mode).build()
}

fn connect(address: SocketAddr, authority: &Authority, mode: UpgradeMode) -> Connection {
    client(authority, mode).connection(format!("http://{address}/echo").parse().unwrap())
}

/// The server's side for clients that ask for 127.0.0.1.
fn here(authority: &Authority) -> Arc<dyn Acceptor> {
    acceptor(authority, &["127.0.0.1"])
}

async fn serve(authority: &Authority, make: impl FnOnce(Upgrade) -> Upgrade) -> Running {
    start(make(Upgrade::new(here(authority))), Limits::default()).await
}

async fn ask(connection: &mut Connection, body: &'static str) -> Response<Body> {
    let response = connection.send(message(body)).await.unwrap();
    assert_eq!(response.body().as_bytes().unwrap(), body);
    response
}

fn tls_of(response: &Response<Body>) -> &str {
    response.headers()["x-tls"].to_str().unwrap()
}

/// A body that comes in pieces, and once.
fn streamed(pieces: &[&'static str]) -> Body {
    struct Pieces(Vec<Bytes>);
    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = bindery_core::BodyError;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Ready(self.0.pop().map(|piece| Ok(http_body::Frame::data(piece))))
        }
    }
    Body::stream(Pieces(
        pieces.iter().rev().map(|piece| Bytes::from_static(piece.as_bytes())).collect(),
    ))
}

/// proves: UPG-C-1, UPG-C-3
#[tokio::test]
async fn an_offer_that_is_taken_leads_to_the_answer_within_tls() {
    let authority = authority();
    let server = serve(&authority, |upgrade| upgrade).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    for body in ["first", "second", "third"] {
        let response = ask(&mut connection, body).await;
        assert_eq!(tls_of(&response), "TLS 1.3");
        assert_eq!(response.headers()["x-principal"], "alice", "and each knows the other");
        assert!(connection.channel().unwrap().is_tls());
        assert!(connection.peer().unwrap().certificate().is_some());
    }
    let counted = server.counters.snapshot();
    assert_eq!((counted.connections, counted.upgrades, counted.requests[&200]), (1, 1, 3));
    // A body that can be sent once only, and a request without one.
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    let request = Request::post("/").header("content-type", OCTETS);
    let request = request.body(streamed(&["in ", "pieces"])).unwrap();
    let response = connection.send(request).await.unwrap();
    assert_eq!(
        (tls_of(&response), response.body().as_bytes().unwrap().as_ref()),
        ("TLS 1.3", &b"in pieces"[..])
    );
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    let head = Request::head("/").body(Body::empty()).unwrap();
    assert_eq!(connection.send(head).await.unwrap().status(), 405);
    assert!(connection.channel().unwrap().is_tls());
    assert_eq!(tls_of(&ask(&mut connection, "after HEAD").await), "TLS 1.3");
}

/// proves: UPG-C-1
#[tokio::test]
async fn an_offer_that_is_not_taken_leads_to_the_answer_in_clear() {
    let server = Running::start(Limits::default()).await;
    let mut connection = connect(server.address, &authority(), UpgradeMode::Optional);
    for body in ["first", "second"] {
        assert_eq!(tls_of(&ask(&mut connection, body).await), "none");
    }
    assert_eq!(server.counters.snapshot().connections, 1);
    // It was offered, with the request itself, to a server that does not know of it.
    let server = Scripted::start(vec![vec![Act::Say(DONE)]]).await;
    let mut connection = connect(server.address, &authority(), UpgradeMode::Optional);
    let response = connection.send(message("in clear")).await.unwrap();
    assert_eq!(response.body().as_bytes().unwrap(), "done", "its answer is the answer");
    assert!(!connection.channel().unwrap().is_tls());
    let heard = server.heard().await;
    assert!(heard[0].starts_with("POST /echo HTTP/1.1\r\n"), "{heard:?}");
    let fields = fields(&heard[0]);
    for field in [("connection", "Upgrade"), ("upgrade", "TLS/1.3, TLS/1.2")] {
        assert!(fields.contains(&(field.0.into(), field.1.into())), "{field:?}: {fields:?}");
    }
}

/// proves: UPG-C-2, UPG-C-3
#[tokio::test]
async fn who_insists_asks_first_and_says_everything_within_tls() {
    let authority = authority();
    for make in [Upgrade::required, |upgrade: Upgrade| upgrade.options_only().required()] {
        let server = serve(&authority, make).await;
        let mut connection = connect(server.address, &authority, UpgradeMode::Required);
        connection.open().await.unwrap();
        assert!(connection.channel().unwrap().is_tls());
        for body in ["secret", "more"] {
            assert_eq!(tls_of(&ask(&mut connection, body).await), "TLS 1.3");
        }
        // A new connection is no less.
        connection.close();
        assert_eq!(tls_of(&ask(&mut connection, "again").await), "TLS 1.3");
        let counted = server.counters.snapshot();
        assert_eq!((counted.connections, counted.upgrades), (2, 2));
        assert_eq!(connection.secured_uri(), format!("https://{}/echo", server.address).as_str());
    }
}

/// A server of one's own making: for each connection what it read, and what it does.
struct Scripted {
    address: SocketAddr,
    read: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// What a scripted server does after it has read a head.
#[derive(Clone)]
enum Act {
    Say(&'static str),
    /// Handshake, and then answers so to whatever was asked in clear.
    Tls(Arc<dyn Acceptor>, &'static str),
    /// Reads on to the end, so that what else comes is known.
    Listen,
}

impl Scripted {
    async fn start(connections: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let read = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&read);
        let task = tokio::spawn(async move {
            for acts in connections {
                let (stream, _) = listener.accept().await.unwrap();
                play(Box::new(stream), acts, &heard).await;
            }
        });
        Self { address, read, task }
    }

    async fn heard(self) -> Vec<String> {
        self.task.abort();
        let _ = self.task.await;
        std::mem::take(&mut self.read.lock().unwrap())
    }
}

async fn head_of(io: &mut BoxIo) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn play(mut io: BoxIo, acts: Vec<Act>, heard: &Mutex<Vec<String>>) {
    let mut next = true;
    for act in acts {
        if std::mem::replace(&mut next, true) && !matches!(act, Act::Listen) {
            let head = head_of(&mut io).await;
            heard.lock().unwrap().push(head);
        }
        match act {
            Act::Say(text) => {
                let _ = io.write_all(text.as_bytes()).await;
                // A 101 is no answer to the request: what follows it does not wait for another one.
                next = !text.starts_with("HTTP/1.1 101");
            }
            Act::Tls(acceptor, answer) => {
                let Ok(secured) = acceptor.accept(io).await else { return };
                io = secured.io;
                io.write_all(answer.as_bytes()).await.unwrap();
            }
            Act::Listen => {
                let mut rest = Vec::new();
                let _ = io.read_to_end(&mut rest).await;
                heard.lock().unwrap().push(String::from_utf8_lossy(&rest).into_owned());
            }
        }
    }
}

const NO: &str = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";
const YES: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n\r\n";
const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";

fn fields(head: &str) -> Vec<(String, String)> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

/// proves: UPG-C-2, UPG-B-1
#[tokio::test]
async fn nothing_but_the_question_goes_out_where_the_server_does_not_agree() {
    let authority = authority();
    let refusals = [
        NO,
        EMPTY,
        "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
    ];
    for refusal in refusals {
        let server = Scripted::start(vec![vec![Act::Say(refusal), Act::Listen]]).await;
        let mut connection = connect(server.address, &authority, UpgradeMode::Required);
        connection.set_login(Login::new("alice", "hunter2").with_preemptive_basic());
        let error = connection.send(message("a secret")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Upgrade, "{error:?}");
        assert!(error.is_unsent() && error.to_string().contains("does not become TLS"), "{error}");
        drop(connection);
        tokio::time::sleep(crate::support::SHORT).await;
        let host = server.address.to_string();
        let heard = server.heard().await;
        assert_eq!(heard.len(), 2, "one head and the end: {heard:?}");
        assert!(heard[0].starts_with("OPTIONS * HTTP/1.1\r\n"), "{heard:?}");
        let mut sent = fields(&heard[0]);
        sent.sort();
        let offer = [("connection", "Upgrade"), ("host", &host), ("upgrade", "TLS/1.3, TLS/1.2")];
        assert_eq!(sent, offer.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(heard[1], "", "and nothing behind it");
    }
}

/// proves: UPG-C-3, UPG-S-4
#[tokio::test]
async fn after_the_101_only_the_right_server_within_tls_is_heard() {
    let (ours, other) = (authority(), Authority::new("another", Validity::default()).unwrap());
    let somebody = acceptor(&ours, &["elsewhere.test"]);
    let refused = |act: Act| async {
        let server = Scripted::start(vec![vec![Act::Say(YES), act, Act::Listen]]).await;
        let mut connection = connect(server.address, &ours, UpgradeMode::Optional);
        let error = connection.send(message("")).await.unwrap_err();
        assert!(!connection.is_open() && !error.is_unsent(), "{error:?}");
        error
    };
    let kind = |error: TransportError| error.tls_kind().expect("a failure of TLS");
    assert_eq!(kind(refused(Act::Tls(somebody, DONE)).await), TlsErrorKind::NameMismatch);
    assert_eq!(kind(refused(Act::Tls(here(&other), DONE)).await), TlsErrorKind::UnknownAuthority);
    // An answer in clear: together with the 101, or in place of the handshake.
    let early: &'static str = Box::leak(format!("{YES}{DONE}").into_boxed_str());
    let server = Scripted::start(vec![vec![Act::Say(early), Act::Listen]]).await;
    let mut connection = connect(server.address, &ours, UpgradeMode::Optional);
    let error = connection.send(message("")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Tls), "{error:?}");
    refused(Act::Say(DONE)).await;
}

/// proves: UPG-C-4
#[tokio::test]
async fn a_426_leads_through_the_upgrade_and_the_request_is_sent_again() {
    let authority = authority();
    // A server that takes no offer but that of OPTIONS says 426 to a message that offers.
    let server = serve(&authority, |upgrade| upgrade.options_only().required()).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    for body in ["with a body", "and another"] {
        assert_eq!(tls_of(&ask(&mut connection, body).await), "TLS 1.3");
    }
    let counted = server.counters.snapshot();
    assert_eq!((counted.requests[&426], counted.upgrades, counted.requests[&200]), (1, 1, 3));
    assert_eq!(server.service.handled.load(SeqCst), 2, "each message once");
    // One that can be sent once only is not sent again; the next goes within TLS.
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    let request = Request::post("/").header("content-type", OCTETS);
    let response = connection.send(request.body(streamed(&["once"])).unwrap()).await.unwrap();
    assert_eq!(response.status(), 426);
    assert_eq!(tls_of(&ask(&mut connection, "next").await), "TLS 1.3");
}

/// proves: UPG-C-5, UPG-C-4
#[tokio::test]
async fn no_handshake_begins_before_a_101() {
    let authority = authority();
    let required = "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\
                    Content-Length: 0\r\n\r\n";
    let first = vec![Act::Say(required), Act::Listen];
    let second = vec![Act::Say(YES), Act::Tls(here(&authority), EMPTY), Act::Say(DONE)];
    let server = Scripted::start(vec![first, second]).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    let response =
        connection.send(Request::get("/echo").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.body().as_bytes().unwrap(), "done");
    let heard = server.heard().await;
    assert!(heard[0].starts_with("GET /echo HTTP/1.1\r\n"), "{heard:?}");
    assert_eq!(heard[1], "", "nothing follows the 426 on its connection");
    assert!(heard[2].starts_with("OPTIONS * HTTP/1.1\r\n"), "{heard:?}");
    assert!(
        heard[3].starts_with("GET /echo HTTP/1.1\r\n") && !heard[3].contains("pgrade"),
        "{heard:?}"
    );
}

/// proves: UPG-C-4
#[tokio::test]
async fn a_426_that_does_not_say_to_what_is_an_error() {
    let bare = "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n";
    let server = Scripted::start(vec![vec![Act::Say(bare)]]).await;
    let mut connection = connect(server.address, &authority(), UpgradeMode::Optional);
    let error = connection.send(message("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Upgrade, "{error:?}");
    assert!(error.hint().contains("proxy"), "{}", error.hint());
    // To something else, it is an answer like any other; and so is any to who wants no upgrade.
    let other = "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: HTTP/3.0\r\nContent-Length: 0\r\n\r\n";
    for (answer, mode) in [(other, UpgradeMode::Optional), (bare, UpgradeMode::Never)] {
        let server = Scripted::start(vec![vec![Act::Say(answer)]]).await;
        let mut connection = connect(server.address, &authority(), mode);
        assert_eq!(connection.send(message("a")).await.unwrap().status(), 426);
        let heard = server.heard().await;
        assert_eq!(heard[0].contains("pgrade"), mode == UpgradeMode::Optional, "{heard:?}");
    }
}

/// proves: UPG-C-6
#[tokio::test]
async fn what_a_server_said_of_tls_is_remembered_and_insisted_on() {
    let authority = authority();
    let server = serve(&authority, Upgrade::options_only).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    assert_eq!(tls_of(&ask(&mut connection, "clear").await), "none");
    for body in ["within", "it"] {
        assert_eq!(tls_of(&ask(&mut connection, body).await), "TLS 1.3");
    }
    // Of the server, not of a resource; and somebody who takes it out later is noticed.
    let advertises = "HTTP/1.1 404 Not Found\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\n\r\n";
    let server =
        Scripted::start(vec![vec![Act::Say(advertises)], vec![Act::Say(NO), Act::Listen]]).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    assert_eq!(connection.send(message("public")).await.unwrap().status(), 404);
    let error = connection.send(message("secret")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Upgrade, "{error:?}");
    assert!(error.is_unsent());
}

/// What cupsd 2.4 sends: Connection does not list upgrade, and there is a length.
#[tokio::test]
async fn a_101_as_cups_writes_it_is_taken() {
    let authority = authority();
    let cups = "HTTP/1.1 101 Switching Protocols\r\nConnection: Keep-Alive\r\nContent-Language: en\r\n\
                Content-Length: 0\r\nKeep-Alive: timeout=10\r\nUpgrade: TLS/1.2,TLS/1.1,TLS/1.0\r\n\
                Server: CUPS/2.4 IPP/2.1\r\n\r\n";
    for (mode, answer) in [(UpgradeMode::Required, EMPTY), (UpgradeMode::Optional, DONE)] {
        let acts = vec![Act::Say(cups), Act::Tls(here(&authority), answer), Act::Say(DONE)];
        let server = Scripted::start(vec![acts]).await;
        let mut connection = connect(server.address, &authority, mode);
        let response = connection.send(message("")).await.unwrap();
        assert_eq!(response.body().as_bytes().unwrap(), "done", "{mode:?}");
    }
}

#[tokio::test]
async fn a_101_to_no_offer_or_to_something_else_is_an_error() {
    let authority = authority();
    let other =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (answer, mode) in
        [(YES, UpgradeMode::Never), (other, UpgradeMode::Optional), (other, UpgradeMode::Required)]
    {
        let server = Scripted::start(vec![vec![Act::Say(answer), Act::Listen]]).await;
        let mut connection = connect(server.address, &authority, mode);
        let error = connection.send(message("a")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    }
}

#[tokio::test]
async fn a_password_goes_out_only_where_tls_is_sure() {
    let authority = authority();
    let login = || Login::new("alice", "hunter2").with_preemptive_basic();
    let server = serve(&authority, |upgrade| upgrade).await;
    let mut connection = connect(server.address, &authority, UpgradeMode::Optional);
    connection.set_login(login());
    let error = connection.send(message("a")).await.unwrap_err();
    assert!(error.is_unsent() && error.to_string().contains("clear channel"), "{error}");
    let mut connection = connect(server.address, &authority, UpgradeMode::Required);
    connection.set_login(login());
    assert_eq!(connection.send(message("a")).await.unwrap().status(), 200);
    // And there is no upgrade without TLS to upgrade to.
    let bare = Client::builder().upgrade(UpgradeMode::Required).build();
    let mut connection =
        bare.connection(format!("http://{}/echo", server.address).parse().unwrap());
    let error = connection.send(message("a")).await.unwrap_err();
    assert!(error.is_request() && error.is_unsent(), "{error:?}");
}

/// How the client's side of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    InOrder,
    Reset,
}

/// A relay to a server, which tells how its client's first connection ended.
async fn relay(server: SocketAddr) -> (SocketAddr, JoinHandle<End>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let relaying = tokio::spawn(async move {
        let (near, _) = listener.accept().await.unwrap();
        let (mut near, mut back) = near.into_split();
        let (mut answers, mut far) = TcpStream::connect(server).await.unwrap().into_split();
        let answering = tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
        let mut piece = [0; 4096];
        let end = loop {
            match near.read(&mut piece).await {
                Ok(0) => break End::InOrder,
                Ok(octets) => far.write_all(&piece[..octets]).await.unwrap(),
                Err(_) => break End::Reset,
            }
        };
        answering.abort();
        end
    });
    (address, relaying)
}

/// The TCP connection below is the same before and after: who breaks off within TLS resets it, and who is done does not.
///
/// proves: DM-CONN-4
#[tokio::test]
async fn an_upgraded_connection_is_reset_where_the_client_breaks_off() {
    let authority = authority();
    for mode in [UpgradeMode::Required, UpgradeMode::Optional] {
        let server = serve(&authority, |upgrade| upgrade).await;
        for (body, expected) in [("abc", End::InOrder), ("stuck", End::Reset)] {
            let (address, end) = relay(server.address).await;
            let mut connection = connect(address, &authority, mode);
            connection.resets_where_it_breaks_off(true);
            let patience = Duration::from_millis(if body == "stuck" { 500 } else { 20_000 });
            let sent = timeout(patience, connection.send(message(body))).await;
            assert_eq!(sent.is_ok(), expected == End::InOrder, "{mode:?}");
            drop(sent);
            drop(connection);
            let end = timeout(Duration::from_secs(20), end).await.unwrap().unwrap();
            assert_eq!(end, expected, "{mode:?}");
        }
    }
}
