//! Section 7: status codes and Error Messages.

use bindery_taxii::Service;
use bindery_tests::{
    feeds::{FeedSetup, FeedSite, PASSWORD, alices, draft},
    raw::{Answer, Post},
};

use super::{ask, ask_tls, error_type, good, message, refused};

fn poll() -> Post {
    draft::post(Service::Poll, &draft::poll("open"))
}

/// proves: TAXII-ST-200
#[tokio::test]
async fn a_message_that_was_processed_gets_200_and_a_message() {
    let site = FeedSite::start().await;
    for (what, request) in good() {
        let answer = ask(&site, request).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        message(&answer.body);
    }
}

/// proves: TAXII-ST-400, TAXII-ST-406, TAXII-ST-415
#[tokio::test]
async fn a_request_that_cannot_be_read_or_answered_gets_4xx() {
    let site = FeedSite::start().await;
    for (what, request, status) in refused() {
        assert_eq!(ask(&site, request).await.status, status, "{what}");
    }
}

/// proves: TAXII-ST-401
#[tokio::test]
async fn only_who_should_authenticate_by_authorization_gets_401() {
    let mut setup = FeedSetup { guarded: true, ..FeedSetup::default() };
    setup.config.access = alices(Service::Poll, false);
    let site = FeedSite::with(setup).await;
    let basic = |password: &str| {
        let pair = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("alice:{password}"),
        );
        poll().with("Authorization", &format!("Basic {pair}"))
    };
    for (what, request) in [("nothing", poll()), ("a wrong password", basic("wrong"))] {
        let answer = ask_tls(&site, None, request).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert!(answer.field("www-authenticate").unwrap().starts_with("Basic "), "{what}");
    }
    assert_eq!(ask_tls(&site, None, basic(PASSWORD)).await.status, 200);
    // A certificate that does not suffice: Authorization would not help.
    let answer = ask_tls(&site, Some("bob"), poll()).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.field("www-authenticate"), None);
    assert_eq!(ask_tls(&site, Some("alice"), poll()).await.status, 200);
}

/// proves: TAXII-ST-403
#[tokio::test]
async fn a_service_without_permission_is_forbidden() {
    let mut setup = FeedSetup::default();
    setup.config.access = alices(Service::Poll, false);
    let site = FeedSite::with(setup).await;
    let answer = ask_tls(&site, Some("bob"), poll()).await;
    assert_eq!((answer.status, answer.body.len()), (403, 0), "{answer:?}");
    assert_eq!(ask(&site, poll()).await.status, 403);
    assert_eq!(ask_tls(&site, Some("alice"), poll()).await.status, 200);
    // Every other service is as it was.
    let discovery = draft::get(Service::Discovery, &draft::discovery());
    assert_eq!(ask_tls(&site, Some("bob"), discovery).await.status, 200);
}

/// An answer without what changes with time.
fn lasting(mut answer: Answer) -> Answer {
    answer.fields.retain(|(name, _)| name != "date");
    answer
}

/// proves: TAXII-ST-404
#[tokio::test]
async fn a_concealed_service_looks_like_an_unknown_path() {
    let mut setup = FeedSetup::default();
    setup.config.access = alices(Service::Poll, true);
    let site = FeedSite::with(setup).await;
    let nowhere = poll().line("POST /taxii/nowhere HTTP/1.1");
    let nothing = lasting(ask_tls(&site, Some("bob"), nowhere.clone()).await);
    assert_eq!(nothing.status, 404);
    assert_eq!(lasting(ask_tls(&site, Some("bob"), poll()).await), nothing);
    assert_eq!(lasting(ask(&site, poll()).await), lasting(ask(&site, nowhere).await));
    assert_eq!(ask_tls(&site, Some("alice"), poll()).await.status, 200);
    // Discovery does not tell of it either.
    let discovery = || draft::get(Service::Discovery, &draft::discovery());
    let text = |answer: Answer| String::from_utf8(answer.body).unwrap();
    assert!(!text(ask_tls(&site, Some("bob"), discovery()).await).contains("/taxii/poll"));
    assert!(text(ask_tls(&site, Some("alice"), discovery()).await).contains("/taxii/poll"));
}

/// proves: TAXII-ST-405
#[tokio::test]
async fn methods_are_those_of_the_messages() {
    let site = FeedSite::start().await;
    let posted = |name: &str| draft::message(name, "");
    let allowed = |answer: &Answer| answer.field("allow").unwrap_or_default().to_owned();
    // POST for what is a GET.
    for (service, body) in [
        (Service::Discovery, posted("TAXII_DiscoveryRequest")),
        (Service::CollectionManagement, posted("TAXII_FeedInformationRequest")),
    ] {
        let answer = ask(&site, draft::post(service, &body)).await;
        assert_eq!((answer.status, allowed(&answer).as_str()), (405, "GET"), "{service:?}");
    }
    // GET for what is a POST.
    for service in [Service::Poll, Service::Inbox] {
        let answer = ask(&site, draft::get(service, &draft::discovery())).await;
        assert_eq!((answer.status, allowed(&answer).as_str()), (405, "POST"), "{service:?}");
    }
    for kind in ["poll_request", "stix_message", "manage_feed_subscription_request"] {
        let query = format!("message_type={kind}&message_id=3");
        let answer = ask(&site, draft::get(Service::CollectionManagement, &query)).await;
        assert_eq!((answer.status, allowed(&answer).as_str()), (405, "POST"), "{kind}");
    }
    // Anything else for all.
    for service in Service::ALL {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            let path = bindery_tests::feeds::path(service);
            let request = poll().line(&format!("{method} {path} HTTP/1.1"));
            let answer = ask(&site, request).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(allowed(&answer).contains("POST"), "{method} {path}");
        }
    }
}

/// proves: TAXII-ERR-1
#[tokio::test]
async fn what_processing_shows_is_an_error_message_with_200() {
    let site = FeedSite::start().await;
    for (what, request, expected) in [
        ("no such feed", draft::post(Service::Poll, &draft::poll("nowhere")), "NOT-FOUND"),
        (
            "a subscription to no feed",
            draft::post(Service::CollectionManagement, &draft::subscribe("nowhere")),
            "NOT-FOUND",
        ),
        (
            "a message of another service",
            draft::post(Service::Poll, &draft::stix()),
            "UNSUPPORTED-SERVICE",
        ),
    ] {
        let answer = ask(&site, request).await;
        assert_eq!(error_type(&answer), expected, "{what}");
    }
    // What fields, parsing or validation show is a status: nothing of it is processed.
    for (what, request, status) in refused() {
        let answer = ask(&site, request).await;
        assert_eq!((answer.status, answer.body.is_empty()), (status, true), "{what}");
    }
}
