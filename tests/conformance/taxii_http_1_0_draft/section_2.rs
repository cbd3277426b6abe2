//! Section 2.1: compliance with HTTP/1.1.

use bindery_taxii::Service;
use bindery_tests::{
    feeds::{FeedSetup, FeedSite, draft},
    raw::Post,
};

use super::{ask, ask_tls};

fn poll() -> Post {
    draft::post(Service::Poll, &draft::poll("open"))
}

/// proves: TAXII-HTTP-1
#[tokio::test]
async fn http_1_1_holds_under_the_profile() {
    let site = FeedSite::start().await;
    for (what, request, status) in [
        ("good", poll(), 200),
        ("in chunks", poll().chunked(7), 200),
        ("in HTTP/1.0", poll().line("POST /taxii/poll HTTP/1.0").without("Host"), 200),
        ("no host", poll().without("Host"), 400),
        ("two hosts", poll().with("Host", "localhost"), 400),
        ("a broken host", poll().set("Host", "a b"), 400),
        ("two lengths", poll().with("Content-Length", "1"), 400),
        ("no number", poll().set("Content-Length", "+1"), 400),
        (
            "another transfer coding",
            poll().without("Content-Length").with("Transfer-Encoding", "gzip, chunked"),
            501,
        ),
        ("another expectation", poll().with("Expect", "a=b"), 417),
        ("another coding", poll().with("Content-Encoding", "br"), 415),
        ("no coding is good", poll().with("Accept-Encoding", "identity;q=0, gzip;q=0"), 406),
        ("a method that nobody knows", poll().line("SEND /taxii/poll HTTP/1.1"), 501),
        ("a long target", poll().line(&format!("POST /{} HTTP/1.1", "a".repeat(9_000))), 414),
        ("a long head", poll().with("X-Long", &"a".repeat(40_000)), 431),
        ("absolute form", poll().line("POST http://localhost/taxii/poll HTTP/1.1"), 200),
    ] {
        let answer = ask(&site, request).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
    // 405 names the methods that there are.
    for method in ["GET", "PUT", "HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE"] {
        let mut raw = site.raw().await;
        raw.send(poll().line(&format!("{method} /taxii/poll HTTP/1.1")).octets()).await;
        let (rest, _) = raw.rest_until_head().await;
        let head = String::from_utf8(rest).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 405"), "{method}: {head}");
        assert!(head.contains("\r\nallow: post\r\n"), "{method}: {head}");
    }
    // A body is asked for by 100 (Continue), and a connection carries many requests.
    let mut raw = site.raw().await;
    let waiting = poll().with("Expect", "100-continue");
    raw.send(waiting.head()).await;
    assert_eq!(raw.answer().await.status, 100);
    raw.send(draft::poll("open")).await;
    assert_eq!(raw.answer().await.status, 200);
    for _ in 0..3 {
        raw.send(poll().octets()).await;
        assert_eq!(raw.answer().await.status, 200);
    }
}

/// proves: TAXII-HTTP-1
#[tokio::test]
async fn a_401_names_how_to_authenticate() {
    let site = FeedSite::with(FeedSetup { guarded: true, ..FeedSetup::default() }).await;
    let answer = ask_tls(&site, None, poll()).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.field("www-authenticate").unwrap();
    assert!(challenge.starts_with("Basic realm=\"feeds\""), "{challenge}");
}
