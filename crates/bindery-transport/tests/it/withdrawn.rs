//! Clients that were taken and, after a reload, would not be any more: their connections end.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use bindery_tls::{
    Acceptor, Backend as _, BoxIo, ClientConfig, Crls, Policy, Reloadable, ServerConfig,
    pki::{Authority, Issued, Leaf, Validity},
};
use bindery_transport::{Limits, Listener, Router, Server, Tunnels};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    messages::{Lengths, framed},
    support::{Echo, PATIENCE, Running, Service, request, soon},
    tls::{authority, backend},
};

/// A server whose TLS can be replaced, and two clients of its authority.
struct World {
    authority: Authority,
    server: Issued,
    alice: Issued,
    bob: Issued,
    tls: Arc<Reloadable>,
}

impl World {
    fn new() -> Self {
        let authority = authority();
        let issue = |leaf: &Leaf| authority.issue(leaf).unwrap();
        let server = issue(&Leaf::server("localhost").with_name("127.0.0.1"));
        let (alice, bob) = (issue(&Leaf::client("alice")), issue(&Leaf::client("bob")));
        let tls = Arc::new(Reloadable::new(acceptor(&authority, &server, &[])));
        Self { authority, server, alice, bob, tls }
    }

    async fn serve(&self, messages: bool) -> Running {
        let service = Arc::new(Service::default());
        let tls = Arc::clone(&self.tls) as Arc<dyn Acceptor>;
        let mut listener = Listener::tls("127.0.0.1:0".parse().unwrap(), tls);
        if messages {
            listener = listener.messages(Arc::new(Lengths(Arc::clone(&service))));
        }
        let router = Router::new().mount("/echo", Echo::endpoint(&service)).unwrap();
        let server = Server::builder().listen(listener).router(router).limits(Limits::default());
        Running::spawn(server.bind().await.unwrap(), service)
    }

    /// Takes Alice's certificate back.
    fn revoke_alice(&self) {
        self.tls.replace(acceptor(&self.authority, &self.server, &[&self.alice]));
    }

    async fn connect(&self, server: &Running, client: &Issued) -> Client {
        let config = ClientConfig::new(self.authority.roots().unwrap());
        let config = config.with_identity(client.identity().unwrap());
        let connector = backend().connector(&Policy::modern(), config).unwrap();
        let socket = TcpStream::connect(server.address).await.unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        let handshakes = server.counters.snapshot().handshakes;
        let secured = connector.connect(name, Box::new(socket)).await.unwrap();
        let counters = &server.counters;
        soon("the server's side is done", || counters.snapshot().handshakes > handshakes).await;
        Client(secured.io)
    }
}

fn acceptor(authority: &Authority, server: &Issued, revoked: &[&Issued]) -> Arc<dyn Acceptor> {
    let list = authority.revocation_list(revoked, Validity::default()).unwrap();
    let config = ServerConfig::new(server.identity().unwrap())
        .with_client_roots(authority.roots().unwrap())
        .with_crls(Crls::from_octets(list.as_bytes()).unwrap());
    backend().acceptor(&Policy::named("kmip").unwrap(), config).unwrap()
}

struct Client(BoxIo);

impl Client {
    async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.0.write_all(octets.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// What the server says until it ends the connection, or has said so much.
    async fn read(&mut self, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut all = Vec::new();
        let reading = async {
            while !enough(&all) {
                match self.0.read_buf(&mut all).await {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) => panic!("no end in order: {error}"),
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("an answer or the end");
        all
    }

    async fn rest(&mut self) -> String {
        String::from_utf8(self.read(|_| false).await).unwrap()
    }

    async fn is_alive(&mut self) -> bool {
        self.send(request("ping")).await;
        let answer = self.read(|all| all.ends_with(b"ping")).await;
        answer.starts_with(b"HTTP/1.1 200 ")
    }
}

#[tokio::test]
async fn a_revoked_client_s_connection_ends_at_the_reload_and_another_s_goes_on() {
    let world = World::new();
    let server = world.serve(false).await;
    let mut idle = world.connect(&server, &world.alice).await;
    let mut other = world.connect(&server, &world.bob).await;
    assert!(idle.is_alive().await && other.is_alive().await);
    // One that has not asked anything yet, and one whose request is not whole.
    let mut fresh = world.connect(&server, &world.alice).await;
    let mut half = world.connect(&server, &world.alice).await;
    half.send(&request("late")[..20]).await;
    let octets = 2 * request("ping").len() as u64 + 20;
    soon("half of it is there", || server.counters.snapshot().octets_in == octets).await;
    // A reload that takes nothing back changes nothing.
    world.tls.replace(acceptor(&world.authority, &world.server, &[]));
    assert!(idle.is_alive().await && other.is_alive().await);
    let handled = server.service.handled.load(SeqCst);

    world.revoke_alice();
    for client in [&mut idle, &mut fresh, &mut half] {
        assert_eq!(client.rest().await, "");
    }
    assert!(other.is_alive().await);
    assert_eq!(server.service.handled.load(SeqCst), handled + 1);
    let withdrawn = server.counters.snapshot().withdrawn;
    assert_eq!(withdrawn.into_iter().collect::<Vec<_>>(), [("certificate-revoked", 3)]);
    // The other's goes at the next reload, as the authority does.
    let elsewhere = Authority::new("another", Validity::default()).unwrap();
    world.tls.replace(acceptor(&elsewhere, &world.server, &[]));
    assert_eq!(other.rest().await, "");
}

#[tokio::test]
async fn what_is_under_way_is_answered_and_nothing_after_it() {
    let world = World::new();
    let server = world.serve(false).await;
    let mut busy = world.connect(&server, &world.alice).await;
    // The next request is there already.
    busy.send([request("hold"), request("next")].concat()).await;
    server.service.arrived.notified().await;
    world.revoke_alice();
    let counters = &server.counters;
    soon("it is noticed", || !counters.snapshot().withdrawn.is_empty()).await;
    server.service.release.notify_one();
    let answer = busy.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hold"), "{answer}");
    assert_eq!(server.service.handled.load(SeqCst), 1);
}

#[tokio::test]
async fn messages_without_http_end_as_well() {
    let world = World::new();
    let server = world.serve(true).await;
    let mut idle = world.connect(&server, &world.alice).await;
    let mut other = world.connect(&server, &world.bob).await;
    let mut half = world.connect(&server, &world.alice).await;
    for client in [&mut idle, &mut other, &mut half] {
        client.send(framed(b"one")).await;
        assert_eq!(client.read(|all| all.len() >= 5).await, framed(b"one"));
    }
    half.send(&framed(b"two")[..3]).await;
    soon("half of it is there", || server.counters.snapshot().octets_in == 3 * 5 + 3).await;
    world.revoke_alice();
    assert_eq!(idle.rest().await, "");
    // Whole only now: it is not answered.
    half.send(&framed(b"two")[3..]).await;
    assert_eq!(half.rest().await, "");
    other.send(framed(b"two")).await;
    assert_eq!(other.read(|all| all.len() >= 5).await, framed(b"two"));
    assert_eq!(server.service.handled.load(SeqCst), 4);
}

/// The head has come and the body has not: nothing is done with what is whole only afterwards.
#[tokio::test]
async fn a_body_that_comes_afterwards_is_not_taken() {
    let world = World::new();
    let server = world.serve(false).await;
    let mut late = world.connect(&server, &world.alice).await;
    assert!(late.is_alive().await);
    let whole = request("a message");
    let head = whole.len() - "message".len();
    late.send(&whole[..head]).await;
    let sent = (request("ping").len() + head) as u64;
    soon("the head is there", || server.counters.snapshot().octets_in == sent).await;
    let handled = server.service.handled.load(SeqCst);
    world.revoke_alice();
    soon("it is noticed", || !server.counters.snapshot().withdrawn.is_empty()).await;
    // The server may have ended it by now.
    let _ = late.0.write_all(&whole[head..]).await;
    let _ = late.0.flush().await;
    let answer = late.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(server.service.handled.load(SeqCst), handled);
}

/// A tunnel that stands ends as well, and one that is being opened does not come to stand.
#[tokio::test]
async fn tunnels_end_with_their_client_s_standing() {
    let world = World::new();
    let origin = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let goal = origin.local_addr().unwrap();
    let tls = Arc::clone(&world.tls) as Arc<dyn Acceptor>;
    let listener = Listener::tls("127.0.0.1:0".parse().unwrap(), tls);
    let listener =
        listener.tunnels(Tunnels::new().ports([goal.port()]).reach(crate::tunnel::here()));
    let server = Server::builder().listen(listener).bind().await.unwrap();
    let server = Running::spawn(server, Arc::new(Service::default()));
    let connect = format!("CONNECT {goal} HTTP/1.1\r\nHost: {goal}\r\n\r\n");
    let mut ends = Vec::new();
    for client in [&world.alice, &world.bob] {
        let mut client = world.connect(&server, client).await;
        client.send(&connect).await;
        let (far, _) = origin.accept().await.unwrap();
        let head = client.read(|all| all.ends_with(b"\r\n\r\n")).await;
        assert!(head.starts_with(b"HTTP/1.1 200 "));
        ends.push((client, far));
    }
    world.revoke_alice();
    let [(alice, alices), (bob, bobs)] = &mut ends[..] else { panic!("two tunnels") };
    assert_eq!(alice.rest().await, "");
    let end = timeout(PATIENCE, alices.read(&mut [0])).await.expect("the other side ends, too");
    assert_eq!(end.unwrap(), 0);
    bob.send("still there").await;
    let mut got = [0; 11];
    timeout(PATIENCE, bobs.read_exact(&mut got)).await.expect("octets").unwrap();
    assert_eq!(&got, b"still there");
    let counted = server.counters.snapshot();
    assert_eq!(counted.withdrawn.into_iter().collect::<Vec<_>>(), [("certificate-revoked", 1)]);
}
