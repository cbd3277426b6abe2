//! Section 5: HTTP requests.

use bindery_taxii::{Client, Service};
use bindery_taxii_xml::{Body, Dialect, ExtendedHeader};
use bindery_tests::{
    feeds::{FeedSite, GUID, draft, ids},
    pki::Pki,
    script::{Recorded, Script},
};
use bindery_xml::Inside;

use super::{ask, error_message, good, line, message, say, sent};

fn is_get(request: &Recorded, kind: &str) {
    let (method, _, pairs) = line(request);
    assert_eq!(method, "GET");
    assert_eq!(request.body, b"", "no body");
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["message_type", "message_id"]);
    assert_eq!(pairs[0].1, kind);
    assert!(!pairs[1].1.is_empty());
}

fn is_post(request: &Recorded) -> Body {
    let (method, _, pairs) = line(request);
    assert_eq!((method.as_str(), pairs.len()), ("POST", 0), "{}", request.line);
    assert_eq!(request.field("x-taxii-content-type"), Some("TAXII_1.0/TAXII_XML_1.0"));
    message(&request.body).body
}

/// proves: TAXII-REQ-1
#[tokio::test]
async fn a_discovery_request_is_a_get() {
    let [discovery, ..] = sent().await;
    is_get(&discovery, "discovery_request");
    let site = FeedSite::start().await;
    for kind in ["discovery_request", "DISCOVERY_REQUEST", "Discovery_Request"] {
        let query = format!("message_type={kind}&message_id={GUID}&anything=else");
        let answer = ask(&site, draft::get(Service::Discovery, &query)).await;
        assert_eq!(answer.status, 200, "{kind}: {answer:?}");
        let answered = message(&answer.body);
        assert!(matches!(answered.body, Body::DiscoveryResponse(_)));
        assert_eq!(answered.in_response_to.as_deref(), Some(GUID));
    }
    // Capitals of the id are kept.
    let id = "00112233445566778899AABBccddeeff";
    let query = format!("message_type=discovery_request&message_id={id}");
    let answer = ask(&site, draft::get(Service::Discovery, &query)).await;
    assert_eq!(message(&answer.body).in_response_to.as_deref(), Some(id));
    // Any string is an id.
    let query = "message_type=discovery_request&message_id=3";
    assert_eq!(ask(&site, draft::get(Service::Discovery, query)).await.status, 200);
}

/// proves: TAXII-REQ-2
#[tokio::test]
async fn a_feed_information_request_is_a_get() {
    let [_, information, ..] = sent().await;
    is_get(&information, "feed_information_request");
    let site = FeedSite::start().await;
    for kind in ["feed_information_request", "FEED_INFORMATION_REQUEST"] {
        let query = format!("message_type={kind}&message_id={GUID}&a=b");
        let answer = ask(&site, draft::get(Service::CollectionManagement, &query)).await;
        assert_eq!(answer.status, 200, "{kind}");
        let answered = message(&answer.body);
        assert!(matches!(answered.body, Body::CollectionInformationResponse(_)));
        assert_eq!(answered.in_response_to.as_deref(), Some(GUID));
    }
    // The slip of the draft's example is not followed: this asks for no feed information.
    let get = draft::get(Service::CollectionManagement, &draft::discovery());
    let answer = ask(&site, get).await;
    assert!(!matches!(message(&answer.body).body, Body::CollectionInformationResponse(_)));
}

/// proves: TAXII-REQ-3
#[tokio::test]
async fn a_subscription_request_is_a_post() {
    let [_, _, subscription, ..] = sent().await;
    assert!(matches!(is_post(&subscription), Body::SubscriptionRequest(_)));
}

/// proves: TAXII-REQ-4
#[tokio::test]
async fn a_poll_request_is_a_post() {
    let [_, _, _, poll, _] = sent().await;
    let Body::PollRequest(asked) = is_post(&poll) else { panic!("a poll") };
    assert_eq!(asked.collection, "open");
}

/// proves: TAXII-REQ-5
#[tokio::test]
async fn a_stix_message_is_a_post() {
    let [.., stix] = sent().await;
    let Body::Inbox(_) = is_post(&stix) else { panic!("a STIX Message") };
    assert_eq!(message(&stix.body).blocks.len(), 1);
}

/// proves: TAXII-REQ-6, TAXII-REQ-7
#[tokio::test]
async fn message_type_and_message_id_are_reserved_and_parameters_percent_encoded() {
    // A client sends extended headers as parameters, percent-encoded, and never the reserved names.
    let pki = Pki::new();
    let script = Script::start(pki.acceptor_taxii(), |_, _| say(&error_message())).await;
    let url: http::Uri = script.url().parse().unwrap();
    let header = |name: &str, value: &str| ExtendedHeader {
        name: name.to_owned(),
        value: Inside::text(value).unwrap(),
    };
    let with = |one| {
        let transport = bindery_transport::Client::builder();
        let transport = transport.connector(pki.connector_taxii(None)).build();
        Client::builder(ids()).dialect(Dialect::Draft).extended_header(one).build(transport)
    };
    with(header("a b&c", "1=2%ä+")).discovery(&url).await.unwrap_err();
    for reserved in ["message_type", "message_id"] {
        let error = with(header(reserved, "x")).discovery(&url).await.unwrap_err();
        assert!(error.is_unsent(), "{reserved}: {error}");
    }
    let [request] = <[Recorded; 1]>::try_from(script.requests()).unwrap();
    let (_, _, pairs) = line(&request);
    assert_eq!(pairs[2], ("a%20b%26c".to_owned(), "1%3D2%25%C3%A4%2B".to_owned()));
    // A server reads both encoded; twice they are two types or ids.
    let site = FeedSite::start().await;
    let status = async |query: &str| ask(&site, draft::get(Service::Discovery, query)).await.status;
    assert_eq!(status(&format!("message%5Ftype=discovery%5frequest&message_id={GUID}")).await, 200);
    assert_eq!(
        status(&format!("{}&message_type=discovery_request", draft::discovery())).await,
        400
    );
    assert_eq!(status(&format!("{}&message_id=4", draft::discovery())).await, 400);
    assert_eq!(status(&format!("{}&x=%zz", draft::discovery())).await, 400);
    assert_eq!(status(&format!("{}&x=%C3%A4&y", draft::discovery())).await, 200);
}

/// proves: TAXII-REQ-H1, TAXII-REQ-H2, TAXII-REQ-H3
#[tokio::test]
async fn request_fields() {
    let all = sent().await;
    for request in &all {
        assert!(request.field("accept").is_some() && request.field("x-taxii-accept").is_some());
        assert!(request.field("x-taxii-protocol").is_some(), "in every request");
        let typed = request.field("content-type").is_some();
        assert_eq!(typed, !request.body.is_empty(), "{}", request.line);
        assert_eq!(request.field("x-taxii-content-type").is_some(), typed, "{}", request.line);
    }
    // A server takes requests with and without those that may, or should, be there.
    let site = FeedSite::start().await;
    for (what, request) in good() {
        for absent in ["Accept", "X-TAXII-Accept", "Content-Type", "X-TAXII-Content-Type"] {
            let answer = ask(&site, request.clone().without(absent)).await;
            assert_eq!(answer.status, 200, "{what} without {absent}: {answer:?}");
        }
    }
}
