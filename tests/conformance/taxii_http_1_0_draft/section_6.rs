//! Section 6: HTTP responses.

use bindery_tests::feeds::{FeedSetup, FeedSite};

use super::{ask, ask_tls, good, message, refused};

/// proves: TAXII-RSP-H1, TAXII-RSP-H2, TAXII-RSP-H3, TAXII-RSP-1
#[tokio::test]
async fn response_fields_and_bodies() {
    let site = FeedSite::start().await;
    let asked = good().into_iter().map(|(what, request)| (what, request, 200)).chain(refused());
    for (what, request, status) in asked {
        let answer = ask(&site, request).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.field("accept"), None, "{what}");
        assert_eq!(answer.field("x-taxii-accept"), None, "{what}");
        assert_eq!(answer.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
        let typed = answer.field("content-type").is_some();
        assert_eq!(typed, !answer.body.is_empty(), "{what}: {answer:?}");
        assert_eq!(answer.field("x-taxii-content-type").is_some(), typed, "{what}: {answer:?}");
        if typed {
            assert_eq!(answer.field("content-type"), Some("application/xml"), "{what}");
            // Read strictly, by schema and rules.
            message(&answer.body);
        }
        // Only messages have bodies here: no HTML, no text.
        assert_eq!(answer.body.is_empty(), status != 200, "{what}: {answer:?}");
    }
}

/// proves: TAXII-RSP-H3, TAXII-RSP-1
#[tokio::test]
async fn also_where_authentication_is_asked_for() {
    let site = FeedSite::with(FeedSetup { guarded: true, ..FeedSetup::default() }).await;
    for (what, request) in good() {
        let answer = ask_tls(&site, None, request).await;
        assert_eq!((answer.status, answer.body.len()), (401, 0), "{what}: {answer:?}");
        assert_eq!(answer.field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"), "{what}");
        assert_eq!(answer.field("content-type"), None, "{what}");
    }
}
