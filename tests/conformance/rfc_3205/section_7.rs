//! Section 7: what a protocol says of its use of HTTP, and of proxies above all.

use bindery_core::{Profile, Scheme, Severity};
use bindery_tests::raw::Post;

use super::{
    cards,
    echo::{Echoes, good, in_clear},
    row,
};

/// What has to be said, as the card prints it.
const SAID: [&str; 19] = [
    "references",
    "schemes",
    "ports",
    "default path",
    "HTTP versions",
    "methods",
    "request content",
    "response content",
    "statuses with a message",
    "response fields",
    "client certificate",
    "largest request body",
    "TLS policy",
    "refusals",
    "faults of bodies",
    "proxies",
    "connections",
    "told apart by",
    "HTTP authentication",
];

/// proves: SUB-1
#[tokio::test]
async fn every_card_says_how_it_uses_http_and_the_server_keeps_to_each_word() {
    for card in cards() {
        for name in SAID {
            let said = row(&card, name);
            let nothing = name == "HTTP authentication" && card.auth_schemes.is_empty();
            assert_eq!(said == "none", nothing, "{}: {name}: {said}", card.name);
        }
        let proxies = row(&card, "proxies");
        assert!(proxies.contains("CONNECT"), "{proxies}");
        assert_eq!(proxies.contains("absolute form"), card.schemes.contains(&Scheme::Http));
        keeps_to(&in_clear(&card)).await;
        // The channel itself.
        let echoes = Echoes::start(std::slice::from_ref(&card)).await;
        let expected = if card.schemes.contains(&Scheme::Http) { 200 } else { 403 };
        assert_eq!(echoes.ask(good(&card, "abc")).await.status, expected, "{}", card.name);
    }
}

async fn keeps_to(card: &Profile) {
    let echoes = Echoes::start(std::slice::from_ref(card)).await;
    let name = &card.name;
    let post = || good(card, "abc");
    let bent = |line: String| post().line(&line);
    let method = if card.methods.contains(&http::Method::POST) { "POST" } else { "GET" };
    let path = &card.default_path;
    let answer = echoes.ask(post()).await;
    assert_eq!(answer.status, 200, "{name}");
    for (field, value) in &card.response_headers {
        assert_eq!(answer.field(field.as_str()), value.to_str().ok(), "{name}");
    }
    let allow = card.methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let answer = echoes.ask(bent(format!("DELETE {path} HTTP/1.1"))).await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some(&*allow)), "{name}");
    assert_eq!(echoes.ask(bent(format!("{method} {path}x HTTP/1.1"))).await.status, 404, "{name}");
    // A request that a proxy passes on: in absolute form, with the fields that it adds.
    let passed = bent(format!("{method} http://localhost{path} HTTP/1.1"));
    let passed = passed.with("Via", "1.1 proxy").with("X-Forwarded-For", "192.0.2.1");
    assert_eq!(echoes.ask(passed).await.status, 200, "{name}");
    // Kept connections, and HTTP/1.0.
    let old = post().line(&format!("{method} {path} HTTP/1.0")).without("Host");
    let answer = echoes.ask(old.with("Connection", "keep-alive")).await;
    assert_eq!((answer.status, answer.field("connection")), (200, Some("keep-alive")), "{name}");
    if method == "POST" {
        content(card, &echoes, post).await;
    }
}

/// What a card says of content.
async fn content(card: &Profile, echoes: &Echoes, post: impl Fn() -> Post) {
    let name = &card.name;
    assert_eq!(echoes.ask(post().set("Content-Type", "text/html")).await.status, 415, "{name}");
    let untyped = if card.untyped_content == Severity::Report { 200 } else { 415 };
    assert_eq!(echoes.ask(post().without("Content-Type")).await.status, untyped, "{name}");
    for of_type in &card.request_media_types {
        let typed = post().set("Content-Type", &of_type.to_string());
        assert_eq!(echoes.ask(typed).await.status, 200, "{name}: {of_type}");
    }
    let answer = echoes.ask(post().with("Content-Encoding", "br")).await;
    assert_eq!(answer.status, 415, "{name}");
    let codings: Vec<_> = card.request_codings.iter().map(|coding| coding.name()).collect();
    let taken = if codings.is_empty() { "identity".to_owned() } else { codings.join(", ") };
    assert_eq!(answer.field("accept-encoding"), Some(&*taken), "{name}");
    let over = (card.request_body_limit + 1).to_string();
    let answer = echoes.ask(post().set("Content-Length", &over)).await;
    assert_eq!(answer.status, 413, "{name}");
    let long = "x".repeat(2000);
    let answer = echoes.ask(good(card, &long).with("Accept-Encoding", "gzip, deflate")).await;
    let coded = answer.field("content-encoding").map(ToOwned::to_owned);
    let first = card.response_codings.first().map(|coding| coding.name().to_owned());
    assert_eq!(coded, first, "{name}");
}
