//! What a server must do.

use bindery_tests::{
    logs,
    raw::{Answer, Post, Raw},
    site::Site,
    wire::{self, enumeration, integer, structure, text, version},
};

/// Result Status and Result Reason.
type Result = (i64, Option<i64>);

/// Requests that are answered in KMIP, and with what.
fn answered_in_kmip() -> Vec<(&'static str, Vec<u8>, Result)> {
    let get = wire::request(0x0a, &[text(0x94, "nowhere")]);
    let small = [integer(0x50, 64)];
    let query = [enumeration(0x74, 1)];
    let header = structure(0x77, &[version(1, 4), integer(0x0d, 1)]);
    let broken = structure(0x78, &[header, structure(0x0f, &[integer(0x5c, 1)])]);
    let header = structure(0x77, &[version(1, 4), integer(0x0d, 2)]);
    let item = [enumeration(0x5c, 0x18), structure(0x79, &query)];
    let counted = structure(0x78, &[header, structure(0x0f, &item)]);
    vec![
        ("a success", wire::query(), (0, None)),
        ("a create", wire::create("a"), (0, None)),
        ("no such object", get, (1, Some(0x01))),
        (
            "an answer above the limit",
            wire::request_in(version(1, 4), &small, 0x18, &query),
            (1, Some(0x02)),
        ),
        (
            "a version of the future",
            wire::request_in(version(9, 9), &[], 0x18, &query),
            (1, Some(0x04)),
        ),
        ("an item that is none", broken, (1, Some(0x04))),
        ("a count that lies", counted, (1, Some(0x04))),
        ("an operation that is not there", wire::request(0x17, &[]), (1, Some(0x05))),
        ("an operation that nobody knows", wire::request(0x7777, &[]), (1, Some(0x05))),
        ("a payload without its fields", wire::request(0x01, &[]), (1, Some(0x04))),
    ]
}

/// Requests that are refused before KMIP: with what status.
fn refused() -> Vec<(&'static str, Vec<u8>, u16)> {
    let good = || Post::new(wire::query());
    let mut short = wire::query();
    short.truncate(100);
    let long = |octets| "a".repeat(octets);
    vec![
        ("GET", good().line("GET /kmip HTTP/1.1").octets(), 405),
        ("PUT", good().line("PUT /kmip HTTP/1.1").octets(), 405),
        ("an unknown method", good().line("SEND /kmip HTTP/1.1").octets(), 501),
        ("another path", good().line("POST /kmip/ HTTP/1.1").octets(), 404),
        ("another type", good().set("Content-Type", "text/xml").octets(), 415),
        ("no type", good().without("Content-Type").octets(), 415),
        ("two types", good().with("Content-Type", "application/octet-stream").octets(), 400),
        ("a coding", good().with("Content-Encoding", "gzip").octets(), 415),
        ("an expectation", good().with("Expect", "coffee").octets(), 417),
        ("no coding is good", good().with("Accept-Encoding", "identity;q=0").octets(), 406),
        ("no host", good().without("Host").octets(), 400),
        ("HTTP/1.0 without a length", good().http_1_0().without("Content-Length").octets(), 400),
        ("an empty body", Post::new("").octets(), 400),
        ("text", Post::new("<RequestMessage/>").octets(), 400),
        ("half a message", Post::new(short).octets(), 400),
        ("two messages", Post::new([wire::query(), wire::query()].concat()).octets(), 400),
        ("a message and more", Post::new([wire::query(), vec![0; 8]].concat()).octets(), 400),
        ("a response", Post::new(wire::query_response()).octets(), 400),
        ("a long target", good().line(&format!("POST /{} HTTP/1.1", long(9000))).octets(), 414),
        ("a long head", good().with("X-Long", &long(40_000)).octets(), 431),
        ("a body over the limit", good().set("Content-Length", "1048577").octets(), 413),
    ]
}

async fn ask(site: &Site, request: &[u8]) -> Answer {
    let mut raw = site.raw("alice").await;
    raw.send(request).await;
    raw.answer().await
}

/// proves: KMIP-S-1, KMIP-S-2, KMIP-S-3, KMIP-S-5
#[tokio::test]
async fn a_kmip_response_comes_with_200_whatever_it_says() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    for (what, request, result) in answered_in_kmip() {
        let answer = raw.post(&request).await;
        assert_eq!((answer.version.as_str(), answer.status), ("HTTP/1.1", 200), "{what}");
        assert_eq!(answer.field("content-type"), Some("application/octet-stream"), "{what}");
        // result() has read the body as exactly one response message, to its last octet.
        assert_eq!(answer.result(), result, "{what}: {answer:?}");
        let length = answer.body.len().to_string();
        assert_eq!(answer.field("content-length"), Some(length.as_str()), "{what}");
        let cache = answer.words("cache-control");
        assert!(cache.contains(&"no-cache".to_owned()), "{what}: {cache:?}");
        assert!(cache.contains(&"no-store".to_owned()), "{what}: {cache:?}");
    }
    // A refusal does not make the next answer another one.
    for (_, request, _) in refused() {
        ask(&site, &request).await;
    }
    site.goes_on().await;
}

/// proves: KMIP-S-1, KMIP-S-2
#[tokio::test]
async fn any_other_status_comes_without_a_kmip_message() {
    let site = Site::start().await;
    for (what, request, status) in refused() {
        let answer = ask(&site, &request).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.body.escape_ascii().to_string(), "", "{what}");
        assert_eq!(answer.field("content-type"), None, "{what}: no content, so no type");
    }
    site.goes_on().await;
}

/// The time stamp is the only part of an answer that may differ from that to the same question.
fn without_time(answer: &Answer) -> (Vec<(String, String)>, Vec<u8>) {
    let mut body = answer.body.clone();
    let at = answer.kmip().at(&[0x7a, 0x92]).offset;
    body[at..at + 16].fill(0);
    let fields = answer.fields.iter().filter(|(name, _)| name != "date").cloned().collect();
    (fields, body)
}

/// proves: KMIP-C-5S
#[tokio::test]
async fn authorization_changes_nothing_and_is_reported_in_the_log() {
    logs::record();
    let site = Site::start().await;
    let told = |raw: &Raw| {
        let peer = format!("peer={}", raw.local());
        let lines =
            logs::lines_with(&peer).into_iter().filter(|line| line.contains("authorization"));
        lines.collect::<Vec<_>>()
    };
    let get = wire::request(0x0a, &[text(0x94, "nowhere")]);
    for request in [wire::query(), get] {
        let mut plain = site.raw("alice").await;
        let without = plain.post(&request).await;
        assert!(told(&plain).is_empty());
        for value in ["Basic bWFsbG9yeTpodXNo", "Bearer hush-hush", ""] {
            let mut raw = site.raw("alice").await;
            raw.send(Post::new(&request).with("Authorization", value).octets()).await;
            let answer = raw.answer().await;
            assert_eq!(without_time(&answer), without_time(&without));
            let told = told(&raw);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("ignored") && told[0].contains("INFO"), "{told:?}");
        }
    }
    // What the field held is nobody's business, the log's least of all.
    for held in ["bWFsbG9yeTpodXNo", "hush-hush"] {
        assert!(logs::lines_with(held).is_empty());
    }

    // It makes nobody another one either: what alice has, mallory does not get by it.
    assert_eq!(site.raw("alice").await.post(wire::create("hers")).await.result(), (0, None));
    let mut raw = site.raw("mallory").await;
    let locate = Post::new(wire::request(0x08, &[])).with("Authorization", "Basic YWxpY2U6");
    raw.send(locate.octets()).await;
    assert_eq!(raw.answer().await.kmip().get(&[0x0f, 0x7c, 0x94]), None);
}
