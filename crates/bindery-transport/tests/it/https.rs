//! HTTP over TLS (RFC 2818), watched record by record from between the two sides. Most of it in TLS 1.2, where the
//! outer type of a record is its real one, so that an alert can be told from data without keys.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
};

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend as _, BoxIo, ClientConfig, Connector, Policy, Restriction, ServerConfig,
    TlsErrorKind,
    pki::{Authority, Leaf},
};
use bindery_transport::{
    Client, Connection, ErrorKind, Limits, Listener, Router, Server, TransportError,
};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::timeout,
};

use crate::{
    support::{Echo, PATIENCE, Running, SHORT, Service, request, soon},
    tls::{authority, backend, message},
};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

fn policy(version: TlsVersion) -> Policy {
    Policy::kmip().restricted(Restriction::new().with_versions([version]))
}

/// The server's side, for a name.
fn acceptor(authority: &Authority, name: &str, version: TlsVersion) -> Arc<dyn Acceptor> {
    let identity = authority.issue(&Leaf::server(name)).unwrap().identity().unwrap();
    let config = ServerConfig::new(identity).with_client_roots(authority.roots().unwrap());
    backend().acceptor(&policy(version), config).unwrap()
}

fn connector(authority: &Authority, version: TlsVersion) -> Arc<dyn Connector> {
    let identity = authority.issue(&Leaf::client("alice")).unwrap().identity().unwrap();
    let config = ClientConfig::new(authority.roots().unwrap()).with_identity(identity);
    backend().connector(&policy(version), config).unwrap()
}

async fn echo(authority: &Authority, version: TlsVersion, limits: Limits) -> Running {
    let service = Arc::new(Service::default());
    let acceptor = acceptor(authority, "127.0.0.1", version);
    let server = Server::builder()
        .listen(Listener::tls("127.0.0.1:0".parse().unwrap(), acceptor))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .limits(limits)
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

fn connect(address: SocketAddr, connector: Arc<dyn Connector>) -> Connection {
    let client = Client::builder().connector(connector).build();
    client.connection(format!("https://{address}/echo").parse().unwrap())
}

async fn ask(connection: &mut Connection) -> Result<Bytes, TransportError> {
    let response = connection.send(message("abc")).await?;
    Ok(response.into_body().into_bytes().unwrap())
}

/// Who sent a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Client,
    Server,
}

/// A record: who sent it, its outer type, what is in it.
type Record = (By, u8, Vec<u8>);

/// Stands between the two sides for one connection and writes down its records, each before it is passed on; so a
/// record stands behind all that its sender had seen.
struct Watched {
    address: SocketAddr,
    task: JoinHandle<Vec<Record>>,
}

impl Watched {
    /// `tail` is put behind what each side sends, when that side has ended.
    async fn start(server: SocketAddr, tail: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(server).await.unwrap();
            let log = Arc::default();
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::join!(
                pass(By::Client, from_client, to_server, &log, &tail),
                pass(By::Server, from_server, to_client, &log, &tail),
            );
            std::mem::take(&mut *log.lock().unwrap())
        });
        Self { address, task }
    }

    /// All records, when both sides have ended.
    async fn records(self) -> Vec<Record> {
        timeout(PATIENCE, self.task).await.expect("both sides end").unwrap()
    }
}

async fn pass(
    by: By,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    log: &Mutex<Vec<Record>>,
    tail: &[u8],
) {
    let mut read = Vec::new();
    loop {
        let at = read.len();
        // A side that has left resets what still comes.
        if from.read_buf(&mut read).await.unwrap_or(0) == 0 {
            break;
        }
        let piece = read[at..].to_vec();
        while read.len() >= 5 {
            let end = 5 + usize::from(u16::from_be_bytes([read[3], read[4]]));
            if read.len() < end {
                break;
            }
            let rest = read.split_off(end);
            let record = std::mem::replace(&mut read, rest);
            assert_eq!(record[1], 3, "a TLS record");
            log.lock().unwrap().push((by, record[0], record[5..].to_vec()));
        }
        drop(to.write_all(&piece).await);
    }
    assert_eq!(read, b"", "half a record, or none");
    drop(to.write_all(tail).await);
    drop(to.shutdown().await);
}

fn types(records: &[Record], by: By) -> Vec<u8> {
    records.iter().filter(|(of, ..)| *of == by).map(|(_, of_type, _)| *of_type).collect()
}

/// proves: HTTPS-1
#[tokio::test]
async fn data_travels_in_records_and_none_before_the_handshake_is_complete() {
    let authority = authority();
    let server = echo(&authority, TlsVersion::TLS_1_2, Limits::default()).await;
    let watched = Watched::start(server.address, Vec::new()).await;
    let mut connection = connect(watched.address, connector(&authority, TlsVersion::TLS_1_2));
    assert_eq!(ask(&mut connection).await.unwrap(), "abc");
    connection.close();
    let records = watched.records().await;
    let first = records.iter().position(|(_, of_type, _)| *of_type == DATA).unwrap();
    let (handshake, data) = records.split_at(first);
    // Each side has changed its cipher and sent its Finished before the first octet of HTTP.
    for by in [By::Client, By::Server] {
        let types = types(handshake, by);
        assert_eq!(types[types.len() - 2..], [CHANGE_CIPHER_SPEC, HANDSHAKE], "{by:?}");
        assert!(types.iter().all(|of_type| [CHANGE_CIPHER_SPEC, HANDSHAKE].contains(of_type)));
    }
    assert!(data.iter().all(|(_, of_type, _)| [DATA, ALERT].contains(of_type)));
    for (by, _, octets) in &records {
        let has = |text: &str| octets.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!has("/echo") && !has("HTTP/1.1"), "{by:?} in clear");
    }
}

/// proves: HTTPS-2
#[tokio::test]
async fn each_side_tells_the_end_before_it_closes() {
    let authority = authority();
    let mut limits = Limits::default();
    for idle in [PATIENCE, SHORT] {
        limits.idle = idle;
        let server = echo(&authority, TlsVersion::TLS_1_2, limits.clone()).await;
        let watched = Watched::start(server.address, Vec::new()).await;
        let mut connection = connect(watched.address, connector(&authority, TlsVersion::TLS_1_2));
        assert_eq!(ask(&mut connection).await.unwrap(), "abc");
        if idle == PATIENCE {
            connection.close();
        }
        // The other time the server closes: the connection is idle too long.
        let records = watched.records().await;
        for by in [By::Client, By::Server] {
            let types = types(&records, by);
            assert_eq!(types.last(), Some(&ALERT), "{by:?}: {types:?}");
            assert_eq!(types.iter().filter(|t| **t == ALERT).count(), 1, "{by:?}: {types:?}");
        }
    }
}

/// What comes behind the alert: a record that was forged, and a request and an answer in clear.
fn tail() -> Vec<u8> {
    let mut tail = vec![DATA, 3, 3, 0, 3, b'x', b'y', b'z'];
    tail.extend(request("after the end"));
    tail.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz");
    tail
}

/// proves: HTTPS-2
#[tokio::test]
async fn nothing_after_the_alert_is_data() {
    let authority = authority();
    let server = echo(&authority, TlsVersion::TLS_1_2, Limits::default()).await;
    let watched = Watched::start(server.address, tail()).await;
    let mut connection = connect(watched.address, connector(&authority, TlsVersion::TLS_1_2));
    assert_eq!(ask(&mut connection).await.unwrap(), "abc");
    connection.close();
    watched.records().await;
    assert_eq!(server.service.handled.load(SeqCst), 1);

    // An answer that only the alert ends.
    let answer = "HTTP/1.1 200 OK\r\n\r\nabc";
    let scripted = scripted(&authority, answer, Ending::Alert).await;
    let watched = Watched::start(scripted, tail()).await;
    let mut connection = connect(watched.address, connector(&authority, TlsVersion::TLS_1_2));
    assert_eq!(ask(&mut connection).await.unwrap(), "abc");
}

/// How a scripted server ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// With a closure alert.
    Alert,
    /// Without a word.
    Cut,
}

/// A server over TLS that answers every connection's first request with these octets, and ends.
async fn scripted(authority: &Authority, answer: &'static str, ending: Ending) -> SocketAddr {
    let acceptor = acceptor(authority, "127.0.0.1", TlsVersion::TLS_1_2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut io: BoxIo = acceptor.accept(Box::new(stream)).await.unwrap().io;
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\nabc") {
                io.read_buf(&mut read).await.unwrap();
            }
            io.write_all(answer.as_bytes()).await.unwrap();
            io.flush().await.unwrap();
            if let Ending::Alert = ending {
                io.shutdown().await.unwrap();
            }
        }
    });
    address
}

async fn answered(answer: &'static str, ending: Ending) -> Result<Bytes, TransportError> {
    let authority = authority();
    let address = scripted(&authority, answer, ending).await;
    ask(&mut connect(address, connector(&authority, TlsVersion::TLS_1_2))).await
}

/// proves: HTTPS-3
#[tokio::test]
async fn an_answer_that_no_alert_and_no_length_ends_may_be_truncated() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let error = answered(answer, Ending::Cut).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{answer:?}: {error:?}");
        assert!(!error.is_unsent(), "{answer:?}");
        let told = format!("{error} {}", error.hint());
        assert!(told.contains("cut") || told.contains("before"), "{answer:?}: {told}");
    }
    let whole = answered("HTTP/1.1 200 OK\r\n\r\nabc", Ending::Alert).await;
    assert_eq!(whole.unwrap(), "abc", "the alert ends it");
}

/// proves: HTTPS-10
#[tokio::test]
async fn an_answer_that_is_complete_by_its_length_counts_however_the_connection_ends() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        for ending in [Ending::Alert, Ending::Cut] {
            assert_eq!(answered(answer, ending).await.unwrap(), "abc", "{answer:?} {ending:?}");
        }
    }
}

/// proves: HTTPS-4
#[tokio::test]
async fn a_client_that_does_not_wait_for_the_alert_may_resume() {
    let authority = authority();
    let server = echo(&authority, TlsVersion::TLS_1_3, Limits::default()).await;
    let connector = connector(&authority, TlsVersion::TLS_1_3);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let mut secured = connector.connect(name, Box::new(stream)).await.unwrap();
    assert!(!secured.info.resumed);
    secured.io.write_all(&request("abc")).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nabc") {
        assert!(secured.io.read_buf(&mut read).await.unwrap() > 0);
    }
    // Its own alert, and gone.
    secured.io.shutdown().await.unwrap();
    drop(secured);
    let mut connection = connect(server.address, connector);
    assert_eq!(ask(&mut connection).await.unwrap(), "abc");
    assert!(connection.channel().unwrap().tls().unwrap().resumed);
    assert_eq!(server.service.handled.load(SeqCst), 2);
}

/// proves: HTTPS-13
#[tokio::test]
async fn a_mismatch_ends_in_bad_certificate_before_any_octet_of_http() {
    let authority = authority();
    let acceptor = acceptor(&authority, "other.example", TlsVersion::TLS_1_2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let watched = Watched::start(listener.local_addr().unwrap(), Vec::new()).await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(Box::new(stream)).await.map(drop)
    });
    let mut connection = connect(watched.address, connector(&authority, TlsVersion::TLS_1_2));
    let error = ask(&mut connection).await.unwrap_err();
    assert_eq!(error.tls_kind(), Some(TlsErrorKind::NameMismatch), "{error:?}");
    assert!(error.is_unsent());
    assert!(server.await.unwrap().is_err());
    // All that the client ever sent: its ClientHello, and a fatal alert (2) bad_certificate (42).
    let records = watched.records().await;
    assert_eq!(types(&records, By::Client), [HANDSHAKE, ALERT]);
    let alert = records.iter().find(|(by, of_type, _)| (*by, *of_type) == (By::Client, ALERT));
    assert_eq!(alert.unwrap().2, [2, 42]);
}

/// proves: HTTPS-8
#[tokio::test]
async fn the_client_begins_with_its_hello_on_443_and_keeps_the_connection() {
    let authority = authority();
    let connector = || connector(&authority, TlsVersion::TLS_1_2);
    // A server that says nothing: what comes first is a ClientHello (handshake message 1).
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = connect(silent.local_addr().unwrap(), connector());
    let asking = tokio::spawn(async move { ask(&mut connection).await });
    let (mut stream, _) = silent.accept().await.unwrap();
    let mut head = [0; 6];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("unasked").unwrap();
    assert_eq!((head[0], head[1], head[5]), (HANDSHAKE, 3, 1));
    drop(stream);
    asking.await.unwrap().unwrap_err();
    // Where the URL has no port; nothing listens there, and the error says where that is.
    let client = Client::builder().connector(connector()).build();
    let mut connection = client.connection("https://127.83.17.5/echo".parse().unwrap());
    let error = ask(&mut connection).await.unwrap_err();
    assert!(error.to_string().contains("127.83.17.5 port 443"), "{error}");
    // Kept as in plain HTTP.
    let server = echo(&authority, TlsVersion::TLS_1_2, Limits::default()).await;
    let mut connection = connect(server.address, connector());
    for _ in 0..3 {
        assert_eq!(ask(&mut connection).await.unwrap(), "abc");
    }
    let counted = server.counters.snapshot();
    assert_eq!((counted.connections, server.service.handled.load(SeqCst)), (1, 3));
}

/// The server closes an idle connection: it knows that it has all there is, says so, and is gone, although the client
/// never answers with an alert of its own.
///
/// proves: HTTPS-9
#[tokio::test]
async fn the_server_does_not_wait_for_the_clients_alert() {
    let authority = authority();
    let mut limits = Limits::default();
    limits.idle = SHORT;
    let server = echo(&authority, TlsVersion::TLS_1_2, limits).await;
    let watched = Watched::start(server.address, Vec::new()).await;
    let stream = TcpStream::connect(watched.address).await.unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let connector = connector(&authority, TlsVersion::TLS_1_2);
    let mut secured = connector.connect(name, Box::new(stream)).await.unwrap();
    secured.io.write_all(&request("abc")).await.unwrap();
    secured.io.flush().await.unwrap();
    soon("the server has closed", || server.counters.snapshot().connections_open == 0).await;
    assert_eq!(server.service.handled.load(SeqCst), 1);
    drop(secured);
    let records = watched.records().await;
    assert_eq!(types(&records, By::Server).last(), Some(&ALERT));
    assert!(!types(&records, By::Client).contains(&ALERT));
}
