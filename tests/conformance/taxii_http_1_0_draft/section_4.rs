//! Sections 3 and 4: the TAXII media type and the five header fields.

use bindery_taxii::Service;
use bindery_tests::feeds::{FeedSite, draft};

use super::{ask, error_message, good, refused, sent};
use bindery_tests::{
    pki::Pki,
    script::{Say, Script},
};

/// Whether a subtype is one that IANA has: no `x-`, no wildcard; here it is the one of XML.
fn is_registered(media_type: &str) -> bool {
    media_type == "application/xml"
}

/// proves: TAXII-MT-1
#[tokio::test]
async fn the_taxii_media_type_is_services_version_and_message_binding() {
    let site = FeedSite::start().await;
    let poll = || draft::post(Service::Poll, &draft::poll("open"));
    for taken in [
        "TAXII_1.0/TAXII_XML_1.0",
        "TAXII_1.0/TAXII_XML_BINDING_1.0",
        "TAXII_1.0/TAXII_XML_1.0;a=b",
        "TAXII_1.0/TAXII_XML_1.0; charset=\"utf-8\"; z=1",
    ] {
        let answer = ask(&site, poll().set("X-TAXII-Content-Type", taken)).await;
        assert_eq!(answer.status, 200, "{taken}");
        assert_eq!(answer.field("x-taxii-content-type"), Some("TAXII_1.0/TAXII_XML_1.0"));
        let answer = ask(&site, poll().set("X-TAXII-Accept", taken)).await;
        assert_eq!(answer.status, 200, "{taken}");
    }
    for other in
        ["TAXII_1.0", "TAXII_XML_1.0", "TAXII_2.0/TAXII_XML_1.0", "application/xml", "/", ""]
    {
        let answer = ask(&site, poll().set("X-TAXII-Content-Type", other)).await;
        assert_eq!(answer.status, 415, "{other:?}");
    }
    for request in sent().await {
        assert_eq!(request.field("x-taxii-accept"), Some("TAXII_1.0/TAXII_XML_1.0"));
    }
}

/// proves: TAXII-ACC-1, TAXII-ACC-2, TAXII-XA-1
#[tokio::test]
async fn a_client_accepts_one_media_range_and_taxii_types_of_its_kind() {
    for request in sent().await {
        // One field with one range of one registered type: that of the binding which X-TAXII-Accept names.
        assert_eq!(request.field("accept"), Some("application/xml"), "{}", request.line);
        assert!(is_registered(request.field("accept").unwrap()));
        let types = request.field("x-taxii-accept").unwrap();
        assert_eq!(types, "TAXII_1.0/TAXII_XML_1.0", "{}", request.line);
    }
}

/// proves: TAXII-CT-1, TAXII-CT-2, TAXII-XCT-1
#[tokio::test]
async fn content_is_xml_by_both_fields_of_both_sides() {
    let site = FeedSite::start().await;
    for (what, request) in good() {
        let answer = ask(&site, request).await;
        assert_eq!(answer.field("content-type"), Some("application/xml"), "{what}");
        assert_eq!(answer.field("x-taxii-content-type"), Some("TAXII_1.0/TAXII_XML_1.0"), "{what}");
    }
    for request in &sent().await[2..] {
        assert!(is_registered(request.field("content-type").unwrap()));
        assert_eq!(request.field("x-taxii-content-type"), Some("TAXII_1.0/TAXII_XML_1.0"));
    }
    // A server takes nothing else, and a client neither.
    let poll = || draft::post(Service::Poll, &draft::poll("open"));
    for other in ["text/xml", "application/json", "application/x-xml", "xml", "application/*"] {
        assert_eq!(ask(&site, poll().set("Content-Type", other)).await.status, 415, "{other}");
    }
    let bent = |name: &str, value: &str| {
        let other = format!("{name}: {value}\r\n");
        let same = match name {
            "Content-Type" => "X-TAXII-Content-Type: TAXII_1.0/TAXII_XML_1.0\r\n",
            _ => "Content-Type: application/xml\r\n",
        };
        let body = error_message();
        let head = format!(
            "HTTP/1.1 200 OK\r\nX-TAXII-Protocol: TAXII_HTTPS_BINDING_1.0\r\n{other}{same}Content-Length: {}\r\n\r\n",
            body.len()
        );
        Say::message(&head, body.as_bytes())
    };
    for say in [
        bent("Content-Type", "text/xml"),
        bent("Content-Type", "application/json"),
        bent("X-TAXII-Content-Type", "TAXII_2.0/TAXII_XML_1.0"),
        bent("X-TAXII-Content-Type", "application/xml"),
    ] {
        let pki = Pki::new();
        let script = Script::start(pki.acceptor_taxii(), move |_, _| say.clone()).await;
        let error =
            super::client(&pki).discovery(&script.url().parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, bindery_taxii::ClientError::Unexpected(_)), "{error}");
    }
}

/// proves: TAXII-XP-1
#[tokio::test]
async fn x_taxii_protocol_names_the_senders_binding() {
    let site = FeedSite::start().await;
    let poll = || draft::post(Service::Poll, &draft::poll("open"));
    for (what, request) in [
        ("missing", poll().without("X-TAXII-Protocol")),
        ("unknown", poll().set("X-TAXII-Protocol", "TAXII_HTTP_BINDING_1.1")),
        ("in small letters", poll().set("X-TAXII-Protocol", "taxii_http_binding_1.0")),
        ("empty", poll().set("X-TAXII-Protocol", "")),
        (
            "two values",
            poll().set("X-TAXII-Protocol", "TAXII_HTTP_BINDING_1.0, TAXII_HTTP_BINDING_1.0"),
        ),
        ("two fields", poll().with("X-TAXII-Protocol", "TAXII_HTTP_BINDING_1.0")),
        (
            "a GET without it",
            draft::get(Service::Discovery, &draft::discovery()).without("X-TAXII-Protocol"),
        ),
    ] {
        assert_eq!(ask(&site, request).await.status, 400, "{what}");
    }
    for (what, request, _) in refused() {
        let answer = ask(&site, request).await;
        assert_eq!(answer.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
    }
    for request in sent().await {
        assert_eq!(request.field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"));
    }
    // An answer that names another channel, or none, is no answer.
    for other in
        ["X-TAXII-Protocol: TAXII_HTTP_BINDING_1.0\r\n", "X-TAXII-Protocol: TAXII_2\r\n", ""]
    {
        let pki = Pki::new();
        let body = error_message();
        let head = format!(
            "HTTP/1.1 200 OK\r\n{other}Content-Type: application/xml\r\n\
             X-TAXII-Content-Type: TAXII_1.0/TAXII_XML_1.0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let say = Say::message(&head, body.as_bytes());
        let script = Script::start(pki.acceptor_taxii(), move |_, _| say.clone()).await;
        let error =
            super::client(&pki).discovery(&script.url().parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, bindery_taxii::ClientError::Unexpected(_)), "{other}: {error}");
    }
}

/// proves: TAXII-VER-2
#[tokio::test]
async fn the_slip_of_section_4_1_5_is_taken_and_never_sent() {
    let site = FeedSite::start().await;
    for (what, request) in good() {
        let answer = ask(&site, request.set("X-TAXII-Protocol", "TAXII_HTTP_1.0")).await;
        assert_eq!(answer.status, 200, "{what}");
        assert_eq!(answer.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
    }
    for request in sent().await {
        assert_eq!(request.field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"));
    }
    let pki = Pki::new();
    let body = error_message();
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-TAXII-Protocol: TAXII_HTTPS_1.0\r\nContent-Type: application/xml\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let say_so = Say::message(&head, body.as_bytes());
    let script = Script::start(pki.acceptor_taxii(), move |_, _| say_so.clone()).await;
    let error = super::client(&pki).discovery(&script.url().parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, bindery_taxii::ClientError::Status { .. }), "{error}");
}
