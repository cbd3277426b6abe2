//! Every limit: what it cuts off, and what it leaves alone.

use std::{
    num::NonZeroUsize,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use bindery_core::Fault;
use bindery_transport::{Limits, Listener, Server};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};

use crate::support::{PATIENCE, Raw, Running, SHORT, request, soon};

fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

/// A server of which one limit is short, and what that limit has cut off.
async fn cut_off_by(limit: &'static str, limits: Limits, octets: &[u8]) {
    let server = Running::start(limits).await;
    let mut raw = server.connect().await;
    let start = Instant::now();
    raw.send(octets).await;
    assert!(raw.is_ended().await);
    assert!(start.elapsed() >= SHORT / 2, "not before its time");
    assert_eq!(server.counters.snapshot().timeouts.get(limit), Some(&1), "{limit}");
}

#[tokio::test]
async fn silence() {
    cut_off_by("header", limits(|l| l.header = SHORT), b"").await;
}

#[tokio::test]
async fn half_a_header_section() {
    cut_off_by("header", limits(|l| l.header = SHORT), b"POST /echo HTTP/1.1\r\nHost:").await;
}

#[tokio::test]
async fn age_without_a_request() {
    cut_off_by("age", limits(|l| (l.age, l.request) = (SHORT / 2, SHORT)), b"POST /").await;
}

#[tokio::test]
async fn a_header_section_that_dribbles() {
    let server = Running::start(limits(|l| l.header = SHORT)).await;
    let mut raw = server.connect().await;
    let dribble = async {
        for octet in request("").iter().cycle().take(1000) {
            if raw.stream.write_all(&[*octet]).await.is_err() {
                return;
            }
            sleep(SHORT / 10).await;
        }
    };
    let counters = &server.counters;
    tokio::select! {
        () = dribble => {}
        () = soon("it is cut off", || counters.snapshot().timeouts.contains_key("header")) => {}
    }
    assert_eq!(server.service.handled.load(SeqCst), 0);
}

#[tokio::test]
async fn idling() {
    let server = Running::start(limits(|l| l.idle = SHORT)).await;
    let mut raw = server.connect().await;
    assert_eq!(raw.ask("a").await.status, 200);
    let start = Instant::now();
    assert!(raw.is_ended().await);
    assert!(start.elapsed() >= SHORT / 2);
    assert_eq!(server.counters.snapshot().timeouts.get("idle"), Some(&1));
}

#[tokio::test]
async fn idling_is_no_slow_header_section() {
    let server = Running::start(limits(|l| l.header = SHORT)).await;
    let mut raw = server.connect().await;
    assert_eq!(raw.ask("a").await.status, 200);
    sleep(SHORT * 2).await;
    assert!(raw.is_alive().await);
    raw.send("POST").await;
    assert!(raw.is_ended().await);
    assert_eq!(server.counters.snapshot().timeouts.get("header"), Some(&1));
}

#[tokio::test]
async fn half_a_body() {
    let server = Running::start(limits(|l| l.body = SHORT)).await;
    let mut raw = server.connect().await;
    let whole = request("abc");
    raw.send(&whole[..whole.len() - 1]).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
    assert!(raw.is_ended().await);
    assert_eq!(server.service.handled.load(SeqCst), 0);
    assert_eq!(server.counters.snapshot().refusals.get(&Fault::Timeout), Some(&1));
}

#[tokio::test]
async fn a_body_below_the_rate() {
    let short = |l: &mut Limits| (l.body_grace, l.body_rate) = (SHORT, 1 << 20);
    let server = Running::start(limits(short)).await;
    let mut raw = server.connect().await;
    let whole = request([b'a'; 10_000]);
    let mut octets = whole.iter();
    let answer = loop {
        if let Some(octet) = octets.next()
            && raw.stream.write_all(&[*octet]).await.is_err()
        {
            break raw.answer().await;
        }
        // The header section comes quickly, the body dribbles.
        if octets.len() < 10_000 {
            tokio::select! {
                answer = raw.answer() => break answer,
                () = sleep(SHORT / 20) => {}
            }
        }
    };
    assert_eq!(answer.status, 408);
    assert_eq!(server.service.handled.load(SeqCst), 0);
}

#[tokio::test]
async fn a_slow_body_above_the_rate() {
    let short = |l: &mut Limits| (l.body_grace, l.body_rate) = (PATIENCE, 1);
    let server = Running::start(limits(short)).await;
    let mut raw = server.connect().await;
    for octet in request("0123456789") {
        raw.send([octet]).await;
        sleep(SHORT / 100).await;
    }
    assert_eq!(raw.answer().await.body, b"0123456789");
}

#[tokio::test]
async fn a_handler_that_takes_too_long() {
    let server = Running::start(limits(|l| l.request = SHORT)).await;
    let mut raw = server.connect().await;
    let answer = raw.ask("stuck").await;
    assert_eq!((answer.status, answer.field("connection")), (503, Some("close")));
    assert!(raw.is_ended().await);
    assert_eq!(server.service.cancelled.load(SeqCst), 1);
    assert!(server.connect().await.is_alive().await);
}

#[tokio::test]
async fn a_peer_that_takes_no_octets() {
    let server = Running::start(limits(|l| l.write_stall = SHORT)).await;
    let mut raw = server.connect().await;
    raw.post("big 60000000").await;
    let counters = &server.counters;
    soon("the write is given up", || counters.snapshot().timeouts.contains_key("write-stall"))
        .await;
    soon("the connection is closed", || counters.snapshot().connections_open == 0).await;
}

#[tokio::test]
async fn a_peer_that_takes_its_octets_one_by_one() {
    let slow = |l: &mut Limits| (l.write_stall, l.write) = (PATIENCE, SHORT);
    let server = Running::start(limits(slow)).await;
    let mut raw = server.connect().await;
    raw.post("big 60000000").await;
    let mut piece = vec![0; 100_000];
    let dribble = async {
        loop {
            raw.read_exactly(&mut piece).await;
            sleep(SHORT / 20).await;
        }
    };
    let counters = &server.counters;
    tokio::select! {
        () = dribble => {}
        () = soon("it is given up", || counters.snapshot().timeouts.contains_key("write")) => {}
    }
    assert_eq!(counters.snapshot().timeouts.get("write-stall"), None);
    soon("the connection is closed", || counters.snapshot().connections_open == 0).await;
}

#[tokio::test]
async fn each_answer_has_its_own_time_to_be_taken() {
    let slow = |l: &mut Limits| l.write = SHORT * 8;
    let server = Running::start(limits(slow)).await;
    let mut raw = server.connect().await;
    for _ in 0..4 {
        raw.post("big 20000000").await;
        sleep(SHORT * 3).await;
        assert_eq!(raw.answer().await.body.len(), 20_000_000);
    }
}

#[tokio::test]
async fn a_slow_reader_is_not_idle() {
    let idle = SHORT * 3;
    let pieces = 24;
    let server = Running::start(limits(|l| l.idle = idle)).await;
    let mut raw = server.connect().await;
    raw.post(format!("big {}", pieces << 20)).await;
    let head = raw.head().await;
    assert_eq!(head, pieces << 20);
    let mut piece = vec![0; 1 << 20];
    let start = Instant::now();
    for n in 0..pieces {
        raw.read_exactly(&mut piece).await;
        // Slowly at first; what the kernel's buffers hold in the end is read at once.
        if n < pieces / 2 {
            sleep(idle / 10).await;
        }
    }
    assert!(start.elapsed() > idle, "slow enough");
    // Idling begins only now.
    assert!(raw.is_alive().await);
}

#[tokio::test]
async fn age_during_a_request() {
    let server = Running::start(limits(|l| l.age = SHORT)).await;
    let mut raw = server.connect().await;
    raw.post("hold").await;
    server.service.arrived.notified().await;
    sleep(SHORT * 2).await;
    server.service.release.notify_one();
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
    assert!(raw.is_ended().await);
}

#[tokio::test]
async fn age_at_rest() {
    let server = Running::start(limits(|l| l.age = SHORT)).await;
    let mut raw = server.connect().await;
    assert_eq!(raw.ask("a").await.field("connection"), None);
    assert!(raw.is_ended().await);
}

#[tokio::test]
async fn the_cap_on_connections() {
    let one = NonZeroUsize::MIN;
    let server = Running::start(limits(|l| l.connections = one)).await;
    let mut first = server.connect().await;
    assert!(first.is_alive().await);
    let mut second = server.connect().await;
    second.post("b").await;
    sleep(SHORT).await;
    assert_eq!(server.counters.snapshot().connections, 1, "the second one waits");
    assert!(first.is_alive().await);
    drop(first);
    assert_eq!(second.answer().await.body, b"b");
}

#[tokio::test]
async fn an_idle_listener_takes_no_slot_from_another() {
    let loopback = || Listener::clear("127.0.0.1:0".parse().unwrap());
    let limits = limits(|l| l.connections = NonZeroUsize::MIN);
    let builder = Server::builder().listen(loopback()).listen(loopback()).limits(limits);
    let server = builder.bind().await.unwrap();
    let addresses = server.local_addrs();
    let server = Running::spawn(server, Arc::default());
    for _ in 0..3 {
        for address in &addresses {
            let mut raw = Raw::connect(*address).await;
            assert_eq!(raw.ask("a").await.status, 404);
        }
    }
    assert_eq!(server.counters.snapshot().connections, 6);
}

#[tokio::test]
async fn the_cap_on_connections_of_one_address() {
    let one = NonZeroUsize::MIN;
    let server = Running::start(limits(|l| l.connections_per_address = Some(one))).await;
    let mut first = server.connect().await;
    assert!(first.is_alive().await);
    assert!(server.connect().await.is_ended().await);
    assert_eq!(server.counters.snapshot().connections_refused, 1);
    drop(first);
    let counters = &server.counters;
    soon("the first one is gone", || counters.snapshot().connections_open == 0).await;
    assert!(server.connect().await.is_alive().await);
}

#[test]
fn one_address_cannot_take_all_connections_by_default() {
    let limits = Limits::default();
    let each = limits.connections_per_address.expect("a limit");
    assert!(each.get() <= limits.connections.get() / 4, "{each} of {}", limits.connections);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_cost_the_answer() {
    let server = Running::start(Limits::default()).await;
    for _ in 0..20 {
        let mut raw = server.connect().await;
        raw.send(request(vec![b'a'; 500_000])).await;
        let answer = raw.answer().await;
        assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
        assert!(raw.is_ended().await);
    }
}

#[tokio::test]
async fn what_comes_after_the_answer_resets_nothing() {
    let server = Running::start(limits(|l| l.linger = PATIENCE)).await;
    let mut raw = server.connect().await;
    let request = request(vec![b'a'; 70_000]);
    let mut pieces = request.chunks(10_000);
    raw.send(pieces.next().unwrap()).await;
    assert_eq!(raw.answer().await.status, 413);
    for piece in pieces {
        sleep(SHORT / 25).await;
        raw.send(piece).await;
    }
    assert!(raw.is_ended().await, "in order, without a reset");
}

#[tokio::test]
async fn lingering_ends() {
    let server = Running::start(limits(|l| l.linger = SHORT)).await;
    let mut raw = server.connect().await;
    raw.send(&request(vec![b'a'; 70_000])[..1000]).await;
    assert_eq!(raw.answer().await.status, 413);
    assert!(raw.is_ended().await);
    let counters = &server.counters;
    soon("the slot is free again", || counters.snapshot().connections_open == 0).await;
}

#[tokio::test]
async fn sizes_of_the_head() {
    let small = |l: &mut Limits| (l.target, l.header_octets, l.header_count) = (20, 200, 5);
    let server = Running::start(limits(small)).await;
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
    };
    for (request, status) in [
        (get("/echo?aaaaaaaaaaaaaa", ""), 405),
        (get("/echo?aaaaaaaaaaaaaaa", ""), 414),
        (get("/echo", &"A: b\r\n".repeat(4)), 405),
        (get("/echo", &"A: b\r\n".repeat(5)), 431),
        (get("/echo", &format!("A: {}\r\n", "b".repeat(170))), 405),
        (get("/echo", &format!("A: {}\r\n", "b".repeat(190))), 431),
        (get("/echo", &format!("A: {}\r\n", "b".repeat(50_000))), 431),
    ] {
        let mut raw = server.connect().await;
        raw.send(&request).await;
        assert_eq!(raw.answer().await.status, status, "{request:.80}");
    }
}

#[tokio::test]
async fn endless_durations_are_no_limits() {
    let endless = |l: &mut Limits| {
        for limit in [&mut l.handshake, &mut l.header, &mut l.idle, &mut l.body, &mut l.request] {
            *limit = Duration::MAX;
        }
        for limit in [&mut l.write_stall, &mut l.write, &mut l.age, &mut l.linger, &mut l.drain] {
            *limit = Duration::MAX;
        }
        (l.body_grace, l.body_rate) = (Duration::MAX, 0);
    };
    let server = Running::start(limits(endless)).await;
    let mut raw = server.connect().await;
    assert!(raw.is_alive().await);
    let whole = request("abc");
    raw.send(&whole[..whole.len() - 1]).await;
    sleep(SHORT / 10).await;
    raw.send("c").await;
    assert_eq!(raw.answer().await.body, b"abc");
    assert_eq!(server.stopped().await.drained, 1);
}
