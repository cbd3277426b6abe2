//! Behind a balancer that speaks the PROXY protocol.

use std::{num::NonZero, sync::Arc, sync::atomic::Ordering::SeqCst};

use bindery_core::{IdentityError, IdentityMap, Peer, Principal};
use bindery_transport::{Limits, Listener, Network, Router, Server};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::{
    support::{Echo, PATIENCE, Raw, Running, SHORT, Service, request},
    tls::{authority, backend},
};

#[derive(Debug)]
struct ByAddress;

impl IdentityMap for ByAddress {
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
        Ok(peer.address.map(|address| Principal::new(address.to_string())))
    }
}

async fn behind(balancers: &str, limits: Limits) -> Running {
    let service = Arc::new(Service::default());
    let balancers: Vec<Network> = balancers.split(' ').map(|one| one.parse().unwrap()).collect();
    let listener = Listener::clear("127.0.0.1:0".parse().unwrap()).proxy_protocol(balancers);
    let server = Server::builder()
        .listen(listener)
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(ByAddress))
        .limits(limits)
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

const HEAD: &str = "PROXY TCP4 192.0.2.7 127.0.0.1 4660 80\r\n";

async fn send(server: &Running, head: &str) -> Raw {
    let mut raw = server.connect().await;
    raw.send([head.as_bytes(), &request("abc")].concat()).await;
    raw
}

/// Whether the connection ends without an octet: by a reset, too, where something of it was not read.
async fn gone(mut raw: Raw) -> bool {
    let read = timeout(PATIENCE, raw.stream.read(&mut [0; 64])).await.expect("an end");
    !matches!(read, Ok(1..))
}

#[tokio::test]
async fn the_peer_is_whom_the_balancer_names() {
    let server = behind("127.0.0.0/8", Limits::default()).await;
    let mut raw = send(&server, HEAD).await;
    let answer = raw.answer().await;
    assert_eq!(answer.field("x-principal"), Some("192.0.2.7:4660"));
    // Once a connection: the next request is one.
    assert_eq!(raw.ask("more").await.field("x-principal"), Some("192.0.2.7:4660"));
    // The balancer's own check.
    let mut raw = send(&server, "PROXY UNKNOWN\r\n").await;
    let answer = raw.answer().await;
    assert!(answer.field("x-principal").unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn octet_by_octet() {
    let server = behind("127.0.0.1", Limits::default()).await;
    let mut raw = server.connect().await;
    for octet in [HEAD.as_bytes(), &request("abc")].concat() {
        raw.send([octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.answer().await.field("x-principal"), Some("192.0.2.7:4660"));
}

#[tokio::test]
async fn others_and_connections_without_a_head_are_closed() {
    let strangers = behind("192.0.2.1 2001:db8::/32", Limits::default()).await;
    assert!(gone(send(&strangers, HEAD).await).await);
    let mut limits = Limits::default();
    limits.handshake = SHORT;
    let server = behind("127.0.0.1", limits).await;
    assert!(gone(send(&server, "").await).await);
    assert!(gone(send(&server, "PROXY TCP4 x y 1 2\r\n").await).await);
    // Half a head, and no more.
    let mut raw = server.connect().await;
    raw.send("PROXY TCP4 192.0").await;
    assert!(raw.is_ended().await);
    for server in [&strangers, &server] {
        assert_eq!(server.service.handled.load(SeqCst), 0);
    }
    // The default: a head is no HTTP.
    let plain = Running::start(Limits::default()).await;
    let mut raw = plain.connect().await;
    raw.send([HEAD.as_bytes(), &request("abc")].concat()).await;
    assert_eq!(raw.answer().await.status, 400);
}

#[tokio::test]
async fn the_cap_of_an_address_is_the_clients() {
    let mut limits = Limits::default();
    limits.connections_per_address = NonZero::new(1);
    let server = behind("127.0.0.1", limits).await;
    let mut first = send(&server, HEAD).await;
    assert_eq!(first.answer().await.status, 200);
    assert!(gone(send(&server, HEAD).await).await, "the second of one client");
    let other = "PROXY TCP4 192.0.2.8 127.0.0.1 4660 80\r\n";
    assert_eq!(send(&server, other).await.answer().await.status, 200);
    drop(first);
    crate::support::soon("its place is free", || server.counters.snapshot().connections_open == 0)
        .await;
}

/// The head stands before the handshake.
#[tokio::test]
async fn tls_begins_behind_the_head() {
    use bindery_tls::{Backend as _, ClientConfig, Policy, ServerConfig, pki::Leaf};
    use tokio::io::AsyncWriteExt as _;

    let authority = authority();
    let identity = authority.issue(&Leaf::server("localhost")).unwrap().identity().unwrap();
    let config = ServerConfig::new(identity).with_client_roots(authority.roots().unwrap());
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    let service = Arc::new(Service::default());
    let listener = Listener::tls("127.0.0.1:0".parse().unwrap(), acceptor);
    let server = Server::builder()
        .listen(listener.proxy_protocol(vec!["127.0.0.1".parse::<Network>().unwrap()]))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(ByAddress))
        .bind()
        .await
        .unwrap();
    let server = Running::spawn(server, service);
    let identity = authority.issue(&Leaf::client("alice")).unwrap().identity().unwrap();
    let config = ClientConfig::new(authority.roots().unwrap()).with_identity(identity);
    let connector = backend().connector(&Policy::kmip(), config).unwrap();
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut secured = connector.connect(name, Box::new(stream)).await.unwrap();
    secured.io.write_all(&request("abc")).await.unwrap();
    secured.io.flush().await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nabc") {
        assert!(secured.io.read_buf(&mut read).await.unwrap() > 0);
    }
    let read = String::from_utf8(read).unwrap();
    assert!(read.contains("x-principal: 192.0.2.7:4660\r\n"), "{read}");
}
