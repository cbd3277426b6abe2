//! The attack on an upgrade beside implicit TLS (CVE-2025-49812), for good: somebody between a client and a server sends a
//! request of their own in clear, takes the 101, and lets the client's handshake through.

use std::{net::SocketAddr, sync::Arc};

use bindery_tls::{Connector, pki::Authority};
use bindery_transport::{Limits, Listener, Router, Server, Upgrade};
use tokio::{io::copy_bidirectional, net::TcpListener, task::JoinHandle};

use crate::{
    support::{Echo, Running, Service},
    tls::authority,
    upgrade::{OPTIONS, acceptor, connector, offer, post, start},
    wire::{Told, Wire},
};

/// The name that the victim asks for, in an https URL.
const NAME: &str = "service.test";

/// Sends a request to the server, and once it is to be answered within TLS hands the connection to the next client that
/// comes. Gives the answer in clear.
async fn relay(server: SocketAddr, request: String) -> (SocketAddr, JoinHandle<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut wire = Wire::connect(server).await;
        let told = wire.ask(request).await;
        if told.status() == 101 {
            let (mut victim, _) = listener.accept().await.unwrap();
            // Its end is the test's.
            let _ = copy_bidirectional(&mut victim, &mut wire.into_io()).await;
        }
        told
    });
    (address, task)
}

/// What a client of implicit TLS is told, that has verified the server's certificate.
async fn victim(address: SocketAddr, connector: &Arc<dyn Connector>) -> [Told; 2] {
    let (mut wire, _) = Wire::connect(address).await.tls(connector, NAME).await;
    let first = wire.ask(post("", "the first question")).await;
    [first, wire.ask(post("", "the second question")).await]
}

/// Both kinds of listener, with one certificate.
async fn beside(upgrade: Upgrade, authority: &Authority) -> Running {
    let service = Arc::new(Service::default());
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::builder()
        .listen(Listener::clear(any).upgrade(upgrade))
        .listen(Listener::tls(any, acceptor(authority, &[NAME])))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

/// By default nothing is upgraded, whatever is asked: there is no 101 that the attack could begin with.
#[tokio::test]
async fn by_default_there_is_no_101() {
    let server = Running::start(Limits::default()).await;
    for request in [
        offer("chosen by the attacker"),
        OPTIONS.to_owned(),
        post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: TLS/1.3, h2c, websocket\r\n", "a"),
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".to_owned(),
    ] {
        let (_, relay) = relay(server.address, request).await;
        let told = relay.await.unwrap();
        assert!(![101, 426].contains(&told.status()), "{told:?}");
        assert_eq!(told.field("upgrade"), "", "nothing is advertised");
    }
    assert_eq!(server.counters.snapshot().upgrades, 0);
}

/// And a server that would make the attack work does not start by accident.
#[tokio::test]
async fn beside_implicit_tls_with_the_same_name_a_server_does_not_start() {
    let authority = authority();
    let any = "127.0.0.1:0".parse().unwrap();
    let builder = Server::builder()
        .listen(Listener::clear(any).upgrade(Upgrade::new(acceptor(&authority, &[NAME]))))
        .listen(Listener::tls(any, acceptor(&authority, &[NAME])));
    assert!(builder.bind().await.unwrap_err().to_string().contains("CVE-2025-49812"));
}

/// Told to in so many words, it starts, and the attack works: this is what the words are about.
#[tokio::test]
async fn with_the_override_the_attack_works() {
    let authority = authority();
    let upgrade = Upgrade::new(acceptor(&authority, &[NAME])).dangerous_beside_implicit_tls();
    let server = beside(upgrade, &authority).await;
    let (address, relay) = relay(server.address, offer("chosen by the attacker")).await;
    let [first, second] = victim(address, &connector(&authority)).await;
    assert_eq!(first.body, "chosen by the attacker");
    assert_eq!(second.body, "the first question", "every answer is one too early");
    relay.abort();
}

/// Strictness takes the attacker's choice of content away and leaves the shift: the first answer is an empty 200.
#[tokio::test]
async fn strictness_leaves_the_shift() {
    let authority = authority();
    let strict = || {
        let upgrade = Upgrade::new(acceptor(&authority, &[NAME])).options_only();
        upgrade.dangerous_beside_implicit_tls()
    };
    let server = beside(strict(), &authority).await;
    let (_, relayed) = relay(server.address, offer("chosen by the attacker")).await;
    assert_eq!(relayed.await.unwrap().status(), 200, "in clear, to the attacker alone");
    let (address, relayed) = relay(server.address, OPTIONS.to_owned()).await;
    let [first, second] = victim(address, &connector(&authority)).await;
    assert_eq!((first.status(), first.body.as_str()), (200, ""), "nothing that the attacker chose");
    assert_eq!(second.body, "the first question", "but one too early all the same");
    relayed.abort();
}

/// What keeps clients safe is a certificate that no https client takes: then there is no handshake to let through.
#[tokio::test]
async fn a_name_of_its_own_keeps_https_clients_out() {
    let authority = authority();
    let server =
        start(Upgrade::new(acceptor(&authority, &["upgrade.test"])), Limits::default()).await;
    let (address, relay) = relay(server.address, offer("chosen by the attacker")).await;
    let name = rustls_pki_types::ServerName::try_from(NAME).unwrap();
    let io = Wire::connect(address).await.into_io();
    let refused = connector(&authority).connect(name, io).await.unwrap_err();
    assert_eq!(refused.kind(), bindery_tls::TlsErrorKind::NameMismatch, "{refused}");
    relay.abort();
}
