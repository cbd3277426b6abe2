//! The draft of November 2012.

use bindery_taxii::{Dialects, Service};
use bindery_taxii_xml::{Body, Dialect, StatusType};

use crate::support::{Ask, GUID, Said, clear, endpoint, tls};

fn poll() -> String {
    format!(
        r#"<p:TAXII_PollRequest xmlns:p="http://taxii.mitre.org/messages/xml/1" message-id="{GUID}"><p:feed-name>f</p:feed-name><p:content-binding>c</p:content-binding></p:TAXII_PollRequest>"#
    )
}

fn discovery() -> String {
    format!(
        r#"<d:TAXII_DiscoveryRequest xmlns:d="http://taxii.mitre.org/messages/xml/1" message-id="{GUID}"/>"#
    )
}

const GOOD: &str = "message_type=discovery_request&message_id=00112233445566778899aabbccddeeff";

#[tokio::test]
async fn requests_in_the_url() {
    let (endpoint, told) = endpoint(Service::Discovery, Dialects::ALL);
    let query = "message_type=Discovery_REQUEST&message_id=Ab%2f3&x%20y=1%26+2&z";
    let said = Said::of(&endpoint, &clear(), &Ask::url(query)).await;
    assert_eq!(said.status, 200, "{said:?}");
    let request = told.requests.lock().unwrap().pop().unwrap();
    assert_eq!((request.dialect, request.message.id.as_str()), (Dialect::Draft, "Ab/3"));
    assert!(matches!(request.message.body, Body::DiscoveryRequest));
    let headers: Vec<(&str, String)> = request
        .message
        .extended_headers
        .iter()
        .map(|one| (one.name.as_str(), one.value.as_text().unwrap().into_owned()))
        .collect();
    assert_eq!(headers, [("x y", "1& 2".to_owned()), ("z", String::new())]);
    let ask = Ask::url(&format!("message_id={GUID}&message_type=feed_information_request"));
    assert_eq!(Said::of(&endpoint, &clear(), &ask).await.status, 200);
    let request = told.requests.lock().unwrap().pop().unwrap();
    assert!(matches!(request.message.body, Body::CollectionInformationRequest));
    assert_eq!(request.authority.as_deref(), Some("taxii.example"));
}

#[tokio::test]
async fn answers_have_the_fields_of_the_draft() {
    for (cx, protocol) in [(clear(), "TAXII_HTTP_BINDING_1.0"), (tls(), "TAXII_HTTPS_BINDING_1.0")]
    {
        let (endpoint, _) = endpoint(Service::Poll, Dialects::ALL);
        let ask = Ask::draft(&poll()).set("x-taxii-protocol", protocol);
        let said = Said::of(&endpoint, &cx, &ask).await;
        assert_eq!(said.status, 200);
        assert_eq!(said.field("x-taxii-protocol"), Some(protocol));
        assert_eq!(said.field("x-taxii-content-type"), Some("TAXII_1.0/TAXII_XML_1.0"));
        assert_eq!(said.field("content-type"), Some("application/xml"));
        for absent in ["accept", "x-taxii-accept", "x-taxii-services"] {
            assert_eq!(said.field(absent), None);
        }
        assert_eq!(said.message().0, Dialect::Draft);
        assert_eq!(said.status_message().status_type, StatusType::NotFound);
    }
}

/// What is refused by HTTP: for each request the status, by which nothing reaches the service.
#[tokio::test]
async fn refusals_are_statuses_without_a_body() {
    let post = || Ask::draft(&poll());
    let cases = [
        ("no protocol", post().without("x-taxii-protocol"), 400),
        ("an unknown protocol", post().set("x-taxii-protocol", "TAXII_FTP_1.0"), 400),
        ("another channel", post().set("x-taxii-protocol", "TAXII_HTTPS_BINDING_1.0"), 400),
        ("two protocols", post().with("x-taxii-protocol", "TAXII_HTTP_BINDING_1.0"), 400),
        ("not XML", post().body("feed"), 400),
        ("another namespace", post().body(&poll().replace("xml/1", "xml/2")), 400),
        ("no feed", post().body(&poll().replace("<p:feed-name>f</p:feed-name>", "")), 400),
        ("half a message", post().body(&poll()[..100]), 400),
        ("text", post().set("content-type", "text/xml"), 415),
        ("JSON", post().set("content-type", "application/json"), 415),
        ("no media type", post().set("x-taxii-content-type", "TAXII_XML_1.0"), 415),
        ("another binding", post().set("x-taxii-content-type", "TAXII_1.0/TAXII_JSON_1.0"), 415),
        ("HTML only", post().set("accept", "text/html"), 406),
        ("nothing", post().set("accept", "application/xml;q=0"), 406),
        ("another answer", post().set("x-taxii-accept", "TAXII_2.0/TAXII_XML_1.0"), 406),
        (
            "an answer of no weight",
            post().set("x-taxii-accept", "TAXII_1.0/TAXII_XML_1.0;q=0"),
            406,
        ),
        ("no type of answer", post().set("x-taxii-accept", "TAXII_XML_1.0"), 400),
        ("parameters", post().target("/?message_type=poll_request"), 400),
        ("GET of a poll", Ask::url("message_type=poll_request&message_id=3"), 405),
        ("PUT", post().method("PUT"), 405),
        ("POST of a discovery request", post().body(&discovery()), 405),
        ("no type", Ask::url("message_id=3"), 400),
        ("an unknown type", Ask::url("message_type=nonsense&message_id=3"), 400),
        ("no id", Ask::url("message_type=discovery_request"), 400),
        ("two ids", Ask::url(&format!("{GOOD}&message_id=4")), 400),
        ("two types", Ask::url(&format!("{GOOD}&message_type=discovery_request")), 400),
        ("broken encoding", Ask::url(&format!("{GOOD}&a=%zz")), 400),
        ("no text", Ask::url(&format!("{GOOD}&a=%ff")), 400),
        ("what XML cannot carry", Ask::url(&format!("{GOOD}&a=%01")), 400),
        ("many parameters", Ask::url(&format!("{GOOD}{}", "&a=1".repeat(64))), 400),
        ("a GET with a body", Ask::url(GOOD).body("x"), 400),
    ];
    for (what, ask, status) in cases {
        let (endpoint, told) = endpoint(Service::CollectionManagement, Dialects::ALL);
        let said = Said::of(&endpoint, &clear(), &ask).await;
        assert_eq!(said.status, status, "{what}: {said:?}");
        assert_eq!(said.text, "", "{what}: only messages");
        assert_eq!(said.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
        for absent in ["accept", "x-taxii-accept", "content-type", "x-taxii-content-type"] {
            assert_eq!(said.field(absent), None, "{what}: {absent}");
        }
        assert!(said.field("bindery-refusal").is_some(), "{what}");
        assert!(told.requests.lock().unwrap().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn what_peers_may_do_otherwise() {
    let post = || Ask::draft(&poll());
    let cases = [
        ("no types", post().without("content-type").without("x-taxii-content-type")),
        ("no accepts", post().without("accept").without("x-taxii-accept")),
        ("the other spelling", post().set("x-taxii-protocol", "TAXII_HTTP_1.0")),
        (
            "the XML draft's id",
            post().set("x-taxii-content-type", "TAXII_1.0/TAXII_XML_BINDING_1.0"),
        ),
        ("a parameter", post().set("x-taxii-content-type", "TAXII_1.0/TAXII_XML_1.0; a=b")),
        ("a character set", post().set("content-type", "application/xml; charset=utf-8")),
        ("weights", post().set("x-taxii-accept", "A/B;q=0.1, TAXII_1.0/TAXII_XML_1.0;q=0.5")),
        ("only what XML is", post().set("accept", "application/*")),
    ];
    for (what, ask) in cases {
        let (endpoint, told) = endpoint(Service::Poll, Dialects::ALL);
        let said = Said::of(&endpoint, &clear(), &ask).await;
        assert_eq!(said.status, 200, "{what}: {said:?}");
        assert_eq!(told.requests.lock().unwrap().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn methods_are_those_of_the_address() {
    for (service, dialects, allowed) in [
        (Service::Discovery, Dialects::DRAFT, "GET"),
        (Service::Discovery, Dialects::ALL, "GET, POST"),
        (Service::Discovery, Dialects::RELEASED, "POST"),
        (Service::CollectionManagement, Dialects::DRAFT, "GET, POST"),
        (Service::Poll, Dialects::ALL, "POST"),
        (Service::Inbox, Dialects::DRAFT, "POST"),
    ] {
        let (endpoint, _) = endpoint(service, dialects);
        let said = Said::of(&endpoint, &clear(), &Ask::draft(&poll()).method("DELETE")).await;
        assert_eq!((said.status, said.field("allow")), (405, Some(allowed)), "{service:?}");
    }
}

#[tokio::test]
async fn an_address_speaks_only_its_dialects() {
    let (endpoint, told) = endpoint(Service::Poll, Dialects::RELEASED);
    let said = Said::of(&endpoint, &clear(), &Ask::draft(&poll())).await;
    assert_eq!((said.status, said.text.as_str()), (400, ""));
    assert!(told.requests.lock().unwrap().is_empty());
}
