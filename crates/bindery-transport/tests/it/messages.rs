//! Messages on the bare stream, alone and beside HTTP on one listener.

use std::{sync::Arc, time::Duration};

use bindery_core::{
    Context, Fault, Handler, IdentityError, IdentityMap, Peer, Place, Principal, Refusal,
    StreamEndpoint, StreamFuture,
};
use bindery_transport::{Limits, Listener, Router, Server};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::support::{Echo, PATIENCE, Raw, Running, SHORT, Service, soon};

/// Messages of a length (2 octets, at most 1000) and as many octets, echoed.
#[derive(Debug)]
pub(crate) struct Lengths(pub(crate) Arc<Service>);

impl StreamEndpoint for Lengths {
    fn name(&self) -> &str {
        "lengths"
    }

    fn opening(&self) -> &[u8] {
        b"\0"
    }

    fn head_length(&self) -> usize {
        2
    }

    fn message_length(&self, head: &[u8]) -> Result<usize, Refusal> {
        let length = usize::from(head[0]) << 8 | usize::from(head[1]);
        if length > 4095 {
            let place = Place::new("lengths", Some(0), "no such length");
            return Err(Refusal::MalformedBody { place });
        }
        if length > 1000 { Err(Refusal::BodyTooLarge { limit: 1000 }) } else { Ok(2 + length) }
    }

    fn call<'a>(&'a self, cx: &'a Context, message: Bytes) -> StreamFuture<'a> {
        Box::pin(async move { framed(&self.0.handle(cx, message.slice(2..)).await) })
    }

    fn refuse(&self, _: &Context, octets: &Bytes, refusal: &Refusal) -> Option<Bytes> {
        let words = format!("{:?} after {}", refusal.fault(), octets.len());
        (octets.first() < Some(&b' ')).then(|| framed(words.as_bytes()))
    }
}

pub(crate) fn framed(octets: &[u8]) -> Bytes {
    let length = u16::try_from(octets.len()).unwrap();
    [&length.to_be_bytes(), octets].concat().into()
}

#[derive(Clone, Copy)]
enum Door {
    Messages,
    Either,
}

async fn start(door: Door, limits: Limits) -> Running {
    let service = Arc::new(Service::default());
    let endpoint = Arc::new(Lengths(Arc::clone(&service)));
    let listener = Listener::clear("127.0.0.1:0".parse().unwrap());
    let listener = match door {
        Door::Messages => listener.messages(endpoint),
        Door::Either => listener.messages_or_http(endpoint),
    };
    let router = Router::new().mount("/echo", Echo::endpoint(&service)).unwrap();
    let server = Server::builder().listen(listener).router(router).limits(limits);
    Running::spawn(server.bind().await.unwrap(), service)
}

/// A client of these messages.
struct Peering(TcpStream);

impl Peering {
    async fn to(server: &Running) -> Self {
        Self(TcpStream::connect(server.address).await.unwrap())
    }

    async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.0.write_all(octets.as_ref()).await.unwrap();
    }

    /// The next message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let reading = async {
            let length = self.0.read_u16().await.ok()?;
            let mut message = vec![0; usize::from(length)];
            self.0.read_exact(&mut message).await.unwrap();
            Some(message)
        };
        timeout(PATIENCE, reading).await.expect("an answer or the end")
    }

    async fn ask(&mut self, message: &str) -> String {
        self.send(framed(message.as_bytes())).await;
        String::from_utf8(self.next().await.expect("an answer")).unwrap()
    }
}

fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

#[tokio::test]
async fn messages_are_answered_one_after_the_other() {
    let server = start(Door::Messages, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    for message in ["one", "", "three"] {
        assert_eq!(peer.ask(message).await, message);
    }
    let counted = server.counters.snapshot();
    assert_eq!((counted.messages, counted.requests.len()), (3, 0));
}

#[tokio::test]
async fn a_message_may_come_in_pieces_and_several_in_one() {
    let server = start(Door::Messages, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    for octet in framed(b"in pieces") {
        peer.send([octet]).await;
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(peer.next().await.unwrap(), b"in pieces");
    let several = [framed(b"a"), framed(b"b"), framed(b"c")].concat();
    // The last one is still missing an octet.
    peer.send(&several[..several.len() - 1]).await;
    assert_eq!(peer.next().await.unwrap(), b"a");
    assert_eq!(peer.next().await.unwrap(), b"b");
    peer.send("c").await;
    assert_eq!(peer.next().await.unwrap(), b"c");
}

#[tokio::test]
async fn what_is_no_message_is_told_so_and_ends_the_stream() {
    let server = start(Door::Messages, Limits::default()).await;
    for (octets, words) in [
        (&[0x03, 0xe9][..], Some("BodyTooLarge after 2")),
        (&[0x1f, 0xff, 0, 0], Some("MalformedBody after 4")),
        (b"GET / HTTP/1.1\r\n\r\n", None),
    ] {
        let mut peer = Peering::to(&server).await;
        peer.send(octets).await;
        if let Some(words) = words {
            assert_eq!(peer.next().await.as_deref(), Some(words.as_bytes()));
        }
        assert_eq!(peer.next().await, None);
    }
    assert_eq!(server.counters.snapshot().malformed, 3);
    assert_eq!(server.service.handled.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_refusal_of_a_long_message_reaches_a_peer_that_is_still_sending() {
    let server = start(Door::Messages, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    let mut message = vec![b'x'; 500_000];
    message[..2].copy_from_slice(&1001_u16.to_be_bytes());
    peer.send(message).await;
    assert_eq!(peer.next().await.as_deref().map(|words| &words[..12]), Some(&b"BodyTooLarge"[..]));
    assert_eq!(peer.next().await, None);
}

#[tokio::test]
async fn a_peer_that_leaves_inside_a_message_leaves_nothing_done() {
    let server = start(Door::Messages, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    let whole = framed(b"never whole");
    peer.send(&whole[..whole.len() - 1]).await;
    peer.0.shutdown().await.unwrap();
    assert_eq!(peer.next().await, None);
    assert_eq!(server.service.handled.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(Peering::to(&server).await.ask("next").await, "next");
}

#[tokio::test]
async fn every_wait_has_its_limit() {
    for (limit, limits, octets, words) in [
        ("header", limits(|l| l.header = SHORT), Vec::new(), None),
        ("header", limits(|l| l.header = SHORT), vec![0], None),
        ("body", limits(|l| l.body = SHORT), vec![0, 2, b'x'], Some("Timeout after 3")),
        ("idle", limits(|l| l.idle = SHORT), framed(b"a").to_vec(), Some("a")),
        (
            "request",
            limits(|l| l.request = SHORT),
            framed(b"stuck").to_vec(),
            Some("Overloaded after 7"),
        ),
    ] {
        let server = start(Door::Messages, limits).await;
        let mut peer = Peering::to(&server).await;
        let begin = Instant::now();
        peer.send(octets).await;
        if let Some(words) = words {
            assert_eq!(peer.next().await.as_deref(), Some(words.as_bytes()), "{limit}");
        }
        assert_eq!(peer.next().await, None, "{limit}");
        assert!(begin.elapsed() >= SHORT / 2, "{limit}: not before its time");
        let timeouts = server.counters.snapshot().timeouts;
        assert_eq!(timeouts.get(limit), Some(&1), "{limit}: {timeouts:?}");
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let server = start(Door::Messages, limits(|l| l.write_stall = SHORT)).await;
    let mut peer = Peering::to(&server).await;
    let message = framed(b"big 65000");
    let flood = async {
        while peer.0.write_all(&message).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let counters = &server.counters;
    tokio::select! {
        () = flood => {}
        () = soon("it is given up", || counters.snapshot().timeouts.contains_key("write-stall")) => {}
    }
    soon("the connection is closed", || counters.snapshot().connections_open == 0).await;
}

#[tokio::test]
async fn an_old_connection_takes_no_further_message() {
    let server = start(Door::Messages, limits(|l| l.age = SHORT)).await;
    let mut peer = Peering::to(&server).await;
    assert_eq!(peer.ask("young").await, "young");
    assert_eq!(peer.next().await, None);
}

#[tokio::test]
async fn a_panic_costs_its_own_connection() {
    let server = start(Door::Messages, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    assert_eq!(peer.ask("panic").await, "Internal after 7");
    assert_eq!(peer.next().await, None);
    assert_eq!(server.counters.snapshot().panics, 1);
    assert_eq!(Peering::to(&server).await.ask("next").await, "next");
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_finishes_busy_ones() {
    let mut server = start(Door::Messages, Limits::default()).await;
    let (mut idle, mut busy) = (Peering::to(&server).await, Peering::to(&server).await);
    assert_eq!(idle.ask("a").await, "a");
    busy.send(framed(b"hold")).await;
    server.service.arrived.notified().await;
    server.signal();
    assert_eq!(idle.next().await, None);
    server.service.release.notify_one();
    assert_eq!(busy.next().await.unwrap(), b"hold");
    assert_eq!(busy.next().await, None);
    let stopped = server.stopped().await;
    assert_eq!((stopped.drained, stopped.aborted), (2, 0));
}

#[tokio::test]
async fn one_listener_tells_http_from_messages() {
    let server = start(Door::Either, Limits::default()).await;
    let mut peer = Peering::to(&server).await;
    let mut http = Raw::connect(server.address).await;
    for _ in 0..2 {
        assert_eq!(peer.ask("message").await, "message");
        assert!(http.is_alive().await);
    }
    let silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.counters.snapshot().messages, 2);
    assert_eq!(server.counters.snapshot().requests.get(&200), Some(&2));
    drop(silent);
}

#[tokio::test]
async fn a_connection_that_says_nothing_of_itself_is_closed() {
    let server = start(Door::Either, limits(|l| l.header = SHORT)).await;
    let mut peer = Peering::to(&server).await;
    assert_eq!(peer.next().await, None);
    assert_eq!(server.counters.snapshot().timeouts.get("header"), Some(&1));
}

/// Knows nobody.
#[derive(Debug)]
struct Nobody;

impl IdentityMap for Nobody {
    fn principal(&self, _: &Peer) -> Result<Option<Principal>, IdentityError> {
        Err(IdentityError::new("it has no name", "give it one"))
    }
}

#[tokio::test]
async fn a_peer_whose_identity_is_refused_is_told_so_each_time() {
    let service = Arc::new(Service::default());
    let endpoint = Arc::new(Lengths(Arc::clone(&service)));
    let listener = Listener::clear("127.0.0.1:0".parse().unwrap()).messages(endpoint);
    let server = Server::builder().listen(listener).identities(Arc::new(Nobody));
    let server = Running::spawn(server.bind().await.unwrap(), service);
    let mut peer = Peering::to(&server).await;
    assert_eq!(peer.ask("one").await, "Unidentified after 5");
    assert_eq!(peer.ask("two").await, "Unidentified after 5");
    assert_eq!(server.counters.snapshot().refusals.get(&Fault::Unidentified), Some(&2));
    assert_eq!(server.service.handled.load(std::sync::atomic::Ordering::SeqCst), 0);
}
