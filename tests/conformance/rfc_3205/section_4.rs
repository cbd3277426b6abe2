//! Section 4: the URL schemes.

use bindery_core::{Body, Scheme};
use bindery_transport::Target;

use super::{
    cards,
    echo::{Echoes, good, in_clear},
};

/// proves: SUB-SCHEME-0
#[tokio::test]
async fn the_schemes_are_http_and_https_and_no_other_is_sent_or_served() {
    for card in cards() {
        assert!(card.schemes.iter().all(|one| [Scheme::Http, Scheme::Https].contains(one)));
        for other in ["kmip", "syncml", "taxii", "ftp", "httpsx"] {
            let target: http::Uri =
                format!("{other}://127.0.0.1{}", card.default_path).parse().unwrap();
            let error = card.prepare_request(&target, Body::empty()).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains("use an http or https URL"), "{error}");
            // Below the card, too.
            let error = Target::try_from(target).unwrap_err().to_string();
            assert!(error.contains("http"), "{error}");
        }
        let echoes = Echoes::start(&[in_clear(&card)]).await;
        for (scheme, status) in [("http", 200), ("kmip", 404), ("taxii", 404)] {
            let post = good(&card, "abc");
            let method = if card.methods.contains(&http::Method::POST) { "POST" } else { "GET" };
            let line = format!("{method} {scheme}://localhost{} HTTP/1.1", card.default_path);
            assert_eq!(echoes.ask(post.line(&line)).await.status, status, "{scheme} {}", card.name);
        }
    }
}
