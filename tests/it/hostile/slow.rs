//! Clients that take their time.

use std::time::Duration;

use bindery_tests::{
    raw::{Post, Raw},
    site::{Setup, soon},
    wire,
};
use bindery_transport::Limits;

use super::{Fort, explanation};

/// Short enough to wait for, long enough for a good request on a busy machine.
const SHORT: Duration = Duration::from_millis(1500);

async fn fort(set: fn(&mut Limits)) -> Fort {
    let mut limits = Limits::default();
    set(&mut limits);
    Fort::with(Setup { limits, ..Setup::default() }).await
}

fn timeouts(fort: &Fort, limit: &str) -> u64 {
    fort.site.counters.snapshot().timeouts.get(limit).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_handshake_that_never_comes() {
    let fort = fort(|limits| limits.handshake = SHORT).await;
    let mut silent = Raw::clear(fort.site.address).await;
    let mut half = Raw::clear(fort.site.address).await;
    // A record that promises more than comes.
    half.send(b"\x16\x03\x01\x02\x00\x01\x00").await;
    assert!(silent.is_ended().await && half.is_ended().await);
    let failed = fort.site.counters.snapshot().handshakes_failed;
    assert_eq!(failed.get("timeout"), Some(&2), "{failed:?}");
    fort.holds().await;
}

#[tokio::test]
async fn a_head_that_comes_octet_by_octet() {
    let fort = fort(|limits| limits.header = SHORT).await;
    let mut raw = fort.raw().await;
    for octet in Post::new(wire::query()).with("X", &"a".repeat(10_000)).head() {
        if timeouts(&fort, "header") > 0 || !raw.try_send([octet]).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    soon("the limit passes", || timeouts(&fort, "header") > 0).await;
    assert!(raw.maybe_answer().await.is_none_or(|answer| answer.status == 408));
    fort.holds().await;
}

#[tokio::test]
async fn a_body_that_comes_octet_by_octet() {
    let fort = fort(|limits| (limits.body_grace, limits.body_rate) = (SHORT, 1000)).await;
    let mut raw = fort.raw().await;
    let post = Post::new(wire::create("never there"));
    raw.send(post.head()).await;
    let body = wire::create("never there");
    for octet in &body[..body.len() - 1] {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if !raw.try_send([*octet]).await {
            break;
        }
    }
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")), "{answer:?}");
    assert!(explanation(&answer).contains("faster"), "{answer:?}");
    fort.holds().await;
}

#[tokio::test]
async fn a_body_that_stops() {
    let fort = fort(|limits| limits.body = SHORT).await;
    let mut raw = fort.raw().await;
    let whole = Post::new(wire::create("never there")).octets();
    raw.send(&whole[..whole.len() - 1]).await;
    assert_eq!(raw.answer().await.status, 408);
    fort.holds().await;
}

#[tokio::test]
async fn nothing_more_after_an_answer() {
    let fort = fort(|limits| limits.idle = SHORT).await;
    let mut raw = fort.raw().await;
    assert_eq!(raw.post(wire::query()).await.result(), (0, None));
    assert!(raw.is_ended().await);
    fort.holds().await;
}

/// Many of them at once take no place from the good.
#[tokio::test]
async fn a_hundred_slow_clients_hinder_nobody() {
    let fort = fort(|limits| limits.handshake = Duration::from_secs(60)).await;
    let mut slow = Vec::new();
    for octets in [&b""[..], b"\x16\x03\x01\x02\x00", b"\x16"].iter().cycle().take(100) {
        let mut raw = Raw::clear(fort.site.address).await;
        raw.send(octets).await;
        slow.push(raw);
    }
    let mut half = fort.raw().await;
    half.send("POST /kmip HTTP/1.1\r\nHost:").await;
    fort.holds().await;
    assert!(fort.site.counters.snapshot().connections_open >= 101);
}
