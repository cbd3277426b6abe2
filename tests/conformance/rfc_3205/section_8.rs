//! Section 8: status codes.

use bindery_core::{Place, Profile, Refusal};
use bindery_kmip::HttpsProfile;
use bindery_taxii::{HttpProfile, Service};
use bindery_tests::{
    feeds::{FeedSite, draft},
    raw::Post,
    site::Site,
    wire,
};

use super::{
    cards,
    echo::{Echoes, good, in_clear},
};

/// Every status code of the IANA registry, as of 2025 (RFC 9110, 4918, 5842, 6585, 7725, 8297, 8470; 418 is unused).
const REGISTERED: [u16; 61] = [
    100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304,
    305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415,
    416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506,
    507, 508, 510, 511,
];

/// A vector for each fault of request line and fields: what is sent to a card of TAXII's, and the status.
fn vectors(card: &Profile) -> Vec<(&'static str, Vec<u8>, u16)> {
    let path = &card.default_path;
    let post = || good(card, "abc");
    let line = |line: String| post().line(&line).octets();
    let fields = |count: usize| {
        (0..count).fold(post(), |post, n| post.with(&format!("X-Field-{n}"), "x")).octets()
    };
    vec![
        ("no Host", post().without("Host").octets(), 400),
        ("two lengths", post().with("Content-Length", "4").octets(), 400),
        ("another path", line(format!("POST {path}x HTTP/1.1")), 404),
        ("another method", line(format!("PUT {path} HTTP/1.1")), 405),
        (
            "no coding is good enough",
            post().with("Accept-Encoding", "identity;q=0, br").octets(),
            406,
        ),
        (
            "no length in HTTP/1.0",
            post().line(&format!("POST {path} HTTP/1.0")).without("Content-Length").octets(),
            411,
        ),
        ("too long a body", post().set("Content-Length", "99999999999").octets(), 413),
        ("too long a target", line(format!("POST {path}?{} HTTP/1.1", "x".repeat(20_000))), 414),
        ("another type", post().set("Content-Type", "text/html").octets(), 415),
        ("another expectation", post().with("Expect", "coffee").octets(), 417),
        ("too many fields", fields(200), 431),
        ("too long a field", post().with("X-Field", &"x".repeat(100_000)).octets(), 431),
        ("an unknown method", line(format!("BREW {path} HTTP/1.1")), 501),
        (
            "an unknown transfer coding",
            post().without("Content-Length").with("Transfer-Encoding", "gzip, chunked").octets(),
            501,
        ),
    ]
}

/// proves: SUB-STATUS-1, SUB-STATUS-3
#[tokio::test]
async fn faults_of_request_line_and_fields_get_the_codes_of_http() {
    let card = in_clear(&HttpProfile::new(Service::Poll).card());
    let echoes = Echoes::start(std::slice::from_ref(&card)).await;
    for (what, octets, status) in vectors(&card) {
        let answer = echoes.ask_octets(&octets).await;
        assert_eq!(answer.status, status, "{what}");
        assert!(REGISTERED.contains(&answer.status), "{what}");
    }
    assert_eq!(echoes.heard(), [Vec::<bytes::Bytes>::new()], "nothing reached the handler");
    assert_eq!(echoes.ask(good(&card, "abc")).await.status, 200);
    let mut newer = card.clone();
    newer.versions = vec![http::Version::HTTP_11];
    let echoes = Echoes::start(std::slice::from_ref(&newer)).await;
    let old = good(&newer, "abc").line(&format!("POST {} HTTP/1.0", newer.default_path));
    assert_eq!(echoes.ask(old).await.status, 505);
}

/// proves: SUB-STATUS-3
#[test]
fn no_card_has_a_status_code_of_its_own() {
    for card in cards() {
        let own = card.status_overrides.iter().map(|(_, status)| status);
        for status in own.chain(&card.message_statuses) {
            assert!(REGISTERED.contains(&status.as_u16()), "{}: {status}", card.name);
        }
    }
}

/// The status that a card gives a body that is no message.
fn malformed(card: &Profile) -> u16 {
    let place = Place::new("test", None, "no message");
    card.status(&Refusal::MalformedBody { place }).as_u16()
}

/// proves: SUB-STATUS-2
#[tokio::test]
async fn kmip_tells_errors_in_the_message_under_200_and_what_is_no_message_by_400() {
    let card = HttpsProfile::default().card();
    assert!(card.body_faults.contains("under 200") && card.body_faults.contains("400"));
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    for unreadable in [wire::request(0x0a, &[wire::text(0x94, "no such key")]), {
        // A request without what the operation asks for.
        wire::request(0x01, &[])
    }] {
        let answer = raw.post(unreadable).await;
        let (status, reason) = answer.result();
        assert!(status == 1 && reason.is_some(), "Operation Failed, and why: {answer:?}");
    }
    raw.send(Post::new("no message").octets()).await;
    assert_eq!(raw.answer().await.status, malformed(&card));
    assert_eq!(malformed(&card), 400);
}

/// proves: SUB-STATUS-2
#[tokio::test]
async fn taxii_tells_malformed_messages_by_400_in_the_draft_and_in_a_status_message_later() {
    let card = HttpProfile::new(Service::Poll).card();
    assert!(card.body_faults.contains("exception to RFC 3205"), "the card states it");
    assert_eq!(malformed(&card), 400);
    let site = FeedSite::start().await;
    let ask = async |post: Post| {
        let mut raw = site.raw().await;
        raw.send(post.octets()).await;
        raw.answer().await
    };
    let half = &draft::poll("open")[..100];
    assert_eq!(ask(draft::post(Service::Poll, half)).await.status, 400);
    // What is wrong in a message that can be read stands in an Error Message under 200.
    let answer = ask(draft::post(Service::Poll, &draft::poll("nowhere"))).await;
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8_lossy(&answer.body).contains("error-type=\"NOT-FOUND\""));
    let released = draft::post(Service::Poll, "<half")
        .set("X-TAXII-Protocol", "urn:taxii.mitre.org:protocol:http:1.0")
        .set("X-TAXII-Accept", "urn:taxii.mitre.org:message:xml:1.1")
        .set("X-TAXII-Content-Type", "urn:taxii.mitre.org:message:xml:1.1")
        .with("X-TAXII-Services", "urn:taxii.mitre.org:services:1.1");
    let answer = ask(released).await;
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8_lossy(&answer.body).contains("status_type=\"BAD_MESSAGE\""));
}
