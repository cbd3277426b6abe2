//! KMIP on TLS without HTTP: the same service on the same port, over real sockets.

use bindery_tests::{
    raw::Raw,
    site::{Setup, Site, soon},
    wire,
};

async fn site() -> Site {
    Site::with(Setup { messages: true, ..Setup::default() }).await
}

/// Result Status and Result Reason of a response's first item.
fn result(message: &[u8]) -> (i64, Option<i64>) {
    let message = wire::response_message(message);
    let item = message.at(&[0x0f]);
    (item.at(&[0x7f]).number(), item.get(&[0x7e]).map(wire::Item::number))
}

async fn ask(raw: &mut Raw, message: impl AsRef<[u8]>) -> Vec<u8> {
    raw.send(message).await;
    raw.message().await.unwrap()
}

#[tokio::test]
async fn what_is_made_without_http_is_found_with_it() {
    let site = site().await;
    let mut bare = site.raw("alice").await;
    let made = ask(&mut bare, wire::create("without-http")).await;
    assert_eq!(result(&made), (0, None));
    let uid = wire::response_message(&made).at(&[0x0f, 0x7c, 0x94]).text().to_owned();
    // The same account, the same object.
    let mut client = site.client("alice");
    assert_eq!(
        client
            .get(uid.clone())
            .await
            .unwrap()
            .key_block()
            .unwrap()
            .octets()
            .unwrap()
            .expose()
            .len(),
        32
    );
    let mut other = site.client("mallory");
    assert!(other.get(uid).await.is_err());
    assert_eq!(site.counters.snapshot().messages, 1);
}

#[tokio::test]
async fn both_are_told_apart_on_one_port_again_and_again() {
    let site = site().await;
    for _ in 0..3 {
        let mut bare = site.raw("alice").await;
        for _ in 0..3 {
            assert_eq!(result(&ask(&mut bare, wire::query()).await), (0, None));
        }
        assert_eq!(site.raw("alice").await.post(wire::query()).await.result(), (0, None));
    }
}

#[tokio::test]
async fn an_unknown_operation_is_answered_and_the_connection_goes_on() {
    let site = site().await;
    let mut bare = site.raw("alice").await;
    for operation in [0x17, 0x2d, 0x7fff_ffff] {
        let (status, reason) = result(&ask(&mut bare, wire::request(operation, &[])).await);
        assert_eq!(
            (status, reason),
            (1, Some(5)),
            "operation {operation:x}: Operation Not Supported"
        );
    }
    assert_eq!(result(&ask(&mut bare, wire::query()).await), (0, None));
}

#[tokio::test]
async fn every_truncation_leaves_nothing_behind() {
    let site = site().await;
    let whole = wire::create("never whole");
    for length in [1, 2, 3, 7, 8, 9, whole.len() / 2, whole.len() - 1] {
        let mut bare = site.raw("alice").await;
        bare.send(&whole[..length]).await;
        bare.finish().await;
        assert_eq!(bare.message().await, None, "{length} octets");
    }
    soon("all are closed", || site.counters.snapshot().connections_open == 0).await;
    assert!(site.client("alice").locate([]).await.unwrap().is_empty());
    assert_eq!(result(&ask(&mut site.raw("alice").await, wire::query()).await), (0, None));
}

#[tokio::test]
async fn a_message_over_the_limit_is_told_so() {
    let site = site().await;
    let mut bare = site.raw("alice").await;
    let mut head = vec![0x42, 0, 0x78, 1];
    head.extend((2_u32 << 20).to_be_bytes());
    let answer = ask(&mut bare, head).await;
    let message = wire::response_message(&answer);
    assert_eq!(result(&answer), (1, Some(4)), "Invalid Message");
    assert!(message.at(&[0x0f, 0x7d]).text().contains("1048576"), "the limit is named");
    assert_eq!(bare.message().await, None);
}
