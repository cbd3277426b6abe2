//! Over TLS, with certificates on both sides.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use bindery_core::{Body, TlsVersion};
use bindery_tls::{
    Acceptor, Backend, CertificateIdentity, ClientConfig, Connector, Policy, Provider,
    RustlsBackend, ServerConfig, TlsErrorKind,
    pki::{Authority, Leaf, Validity},
};
use bindery_transport::{
    Client, ClientLimits, Connection, Layer, Limits, Listener, Router, Server, TransportError,
};
use http::{Method, Request};
use tokio::{net::TcpListener, time::sleep};

use crate::support::{Echo, OCTETS, Raw, Running, SHORT, Service, soon};

pub(crate) fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

pub(crate) fn authority() -> Authority {
    Authority::new("test authority", Validity::default()).unwrap()
}

fn acceptor(authority: &Authority) -> Arc<dyn Acceptor> {
    let leaf = authority.issue(&Leaf::server("localhost").with_name("127.0.0.1")).unwrap();
    let config =
        ServerConfig::new(leaf.identity().unwrap()).with_client_roots(authority.roots().unwrap());
    backend().acceptor(&Policy::named("kmip").unwrap(), config).unwrap()
}

/// A client of an authority, that trusts another or the same one.
fn connector(trusted: &Authority, own: Option<&Authority>) -> Arc<dyn Connector> {
    let mut config = ClientConfig::new(trusted.roots().unwrap());
    if let Some(own) = own {
        config =
            config.with_identity(own.issue(&Leaf::client("alice")).unwrap().identity().unwrap());
    }
    backend().connector(&Policy::named("modern").unwrap(), config).unwrap()
}

async fn start(authority: &Authority, limits: Limits) -> Running {
    let service = Arc::new(Service::default());
    let server = Server::builder()
        .listen(Listener::tls("127.0.0.1:0".parse().unwrap(), acceptor(authority)))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(CertificateIdentity::common_name()))
        .limits(limits)
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

fn connect(server: &Running, connector: Arc<dyn Connector>) -> Connection {
    let client = Client::builder().connector(connector).build();
    client.connection(format!("https://{}/echo", server.address).parse().unwrap())
}

pub(crate) fn message(body: &'static str) -> Request<Body> {
    let mut request = Request::new(Body::from(body.to_owned()));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert("content-type", OCTETS.parse().unwrap());
    request
}

async fn works(connection: &mut Connection) -> http::Response<Body> {
    let response = connection.send(message("abc")).await.unwrap();
    assert_eq!(response.body().as_bytes().unwrap(), "abc");
    response
}

#[tokio::test]
async fn both_sides_know_each_other() {
    let authority = authority();
    let server = start(&authority, Limits::default()).await;
    let connector = connector(&authority, Some(&authority));
    let mut connection = connect(&server, Arc::clone(&connector));
    connection.open().await.unwrap();
    assert!(connection.is_open() && server.service.handled.load(SeqCst) == 0);
    for _ in 0..3 {
        let response = works(&mut connection).await;
        assert_eq!(response.headers()["x-principal"], "alice");
        assert_eq!(response.headers()["x-tls"], "TLS 1.3");
    }
    let tls = connection.channel().unwrap().tls().unwrap();
    assert_eq!((tls.version, tls.resumed), (TlsVersion::TLS_1_3, false));
    assert!(connection.peer().unwrap().certificate().is_some());
    assert_eq!(server.counters.snapshot().handshakes, 1);
    // Who it is outlives the connection.
    connection.close();
    let response = works(&mut connection).await;
    assert!(connection.channel().unwrap().tls().unwrap().resumed);
    assert_eq!(response.headers()["x-principal"], "alice");
}

async fn refused(server: &Running, connector: Arc<dyn Connector>) -> TransportError {
    let error = connect(server, connector).send(message("abc")).await.unwrap_err();
    assert!(error.is_tls() && error.layer() == Layer::Tls, "{error:?}");
    assert_eq!(error.address(), Some(server.address));
    assert_eq!(server.service.handled.load(SeqCst), 0);
    error
}

#[tokio::test]
async fn handshakes_that_fail() {
    let (ours, other) = (authority(), Authority::new("another", Validity::default()).unwrap());
    let server = start(&ours, Limits::default()).await;
    let failed = |reason: &'static str| {
        let counters = Arc::clone(&server.counters);
        let counted = move || counters.snapshot().handshakes_failed.contains_key(reason);
        soon(reason, counted)
    };
    refused(&server, connector(&ours, None)).await;
    failed("no-client-certificate").await;
    refused(&server, connector(&ours, Some(&other))).await;
    failed("unknown-authority").await;
    let error = refused(&server, connector(&other, Some(&ours))).await;
    assert_eq!(error.tls_kind(), Some(TlsErrorKind::UnknownAuthority), "{error}");
    assert!(error.is_unsent() && !error.hint().is_empty());
    let mut plain = server.connect().await;
    plain.send("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
    failed("plain-http").await;
    works(&mut connect(&server, connector(&ours, Some(&ours)))).await;
    assert_eq!(server.counters.snapshot().handshakes, 1);
}

#[tokio::test]
async fn silent_handshakes_hold_nobody_up() {
    let authority = authority();
    let mut limits = Limits::default();
    limits.handshake = SHORT * 8;
    let server = start(&authority, limits).await;
    let mut silent = Vec::new();
    for n in 0..20 {
        let mut raw = server.connect().await;
        // Nothing at all, or the beginning of a ClientHello.
        raw.send(&[0x16, 3, 1, 2, 0, 1][..n % 7]).await;
        silent.push(raw);
    }
    let connector = connector(&authority, Some(&authority));
    works(&mut connect(&server, connector)).await;
    let counters = &server.counters;
    let failed = || counters.snapshot().handshakes_failed.get("timeout").copied();
    soon("all are closed", || failed() == Some(20)).await;
    for raw in &mut silent {
        assert!(raw.is_ended().await);
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_handshakes() {
    let authority = authority();
    let mut server = start(&authority, Limits::default()).await;
    let mut raw = server.connect().await;
    raw.send([0x16, 3, 1]).await;
    let mut connection = connect(&server, connector(&authority, Some(&authority)));
    works(&mut connection).await;
    server.signal();
    assert!(raw.is_ended().await);
    soon("the idle one is closed", || !connection.is_open()).await;
    let stopped = server.stopped().await;
    assert_eq!((stopped.drained, stopped.aborted), (2, 0));
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let authority = authority();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut limits = ClientLimits::default();
    limits.handshake = SHORT;
    let connector = connector(&authority, None);
    let client = Client::builder().connector(connector).limits(limits).build();
    let mut connection = client.connection(format!("https://{address}/").parse().unwrap());
    let error = connection.open().await.unwrap_err();
    assert!(error.is_timeout() && error.is_tls() && error.is_unsent(), "{error:?}");
    assert_eq!(error.address(), Some(address));
}

#[tokio::test]
async fn tls_to_a_clear_port() {
    let authority = authority();
    let server = Running::start(Limits::default()).await;
    let connector = connector(&authority, Some(&authority));
    refused(&server, connector).await;
    assert!(server.connect().await.is_alive().await);
}

/// The octets of a request stand in TLS, so a connection that is cut ends in no message.
#[tokio::test]
async fn a_cut_connection_is_no_end_of_a_body() {
    let authority = authority();
    let server = start(&authority, Limits::default()).await;
    let raw = Raw::connect(server.address).await.stream.into_std().unwrap();
    let cut = raw.try_clone().unwrap();
    let stream = tokio::net::TcpStream::from_std(raw).unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let connector = connector(&authority, Some(&authority));
    let mut secured = connector.connect(name, Box::new(stream)).await.unwrap();
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\n");
    let half = format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut secured.io, half.as_bytes()).await.unwrap();
    let counters = &server.counters;
    soon("it has come", || counters.snapshot().octets_in == half.len() as u64).await;
    sleep(SHORT / 5).await;
    cut.shutdown(std::net::Shutdown::Both).unwrap();
    soon("it is closed", || counters.snapshot().connections_open == 0).await;
    assert_eq!(server.service.handled.load(SeqCst), 0);
}
