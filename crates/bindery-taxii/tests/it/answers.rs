//! What the client takes an answer for.

use bindery_core::{Body, ClientBinding, Unexpected};
use bindery_taxii::{Call, Dialects, Expect, Origin, Service, of_alert, of_status};
use bindery_taxii_xml::{Body as MessageBody, Dialect, ExtendedHeader, Message, StatusType};
use bindery_xml::Inside;
use http::{Method, Request, Response, StatusCode, Uri};

use crate::support::{GUID, binding};

fn encode(dialect: Dialect, url: &str, message: Message<'static>) -> (Request<Body>, Expect) {
    let url: Uri = url.parse().unwrap();
    let binding = binding(Service::CollectionManagement, Dialects::ALL);
    binding.encode_request(&url, Call::new(dialect, message)).unwrap()
}

fn discovery(id: &str) -> Message<'static> {
    Message::new(id, None, MessageBody::DiscoveryRequest)
}

#[test]
fn requests_of_the_draft_go_into_the_url() {
    let mut message = discovery(GUID);
    message
        .extended_headers
        .push(ExtendedHeader { name: "x y".to_owned(), value: Inside::text("1&2=ä").unwrap() });
    let (request, _) = encode(Dialect::Draft, "https://a.example/d?old=1", message);
    assert_eq!(request.method(), Method::GET);
    let query = format!("message_type=discovery_request&message_id={GUID}&x%20y=1%262%3D%C3%A4");
    assert_eq!(request.uri().query(), Some(&*query));
    let field = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!(field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"));
    assert_eq!(field("accept"), Some("application/xml"));
    assert_eq!(field("x-taxii-accept"), Some("TAXII_1.0/TAXII_XML_1.0"));
    assert_eq!((field("content-type"), field("x-taxii-content-type")), (None, None));
    assert_eq!(request.body().as_bytes().map(|body| body.len()), Some(0));

    let body = MessageBody::CollectionInformationRequest;
    let (request, _) = encode(Dialect::Draft, "http://a.example/f", Message::new(GUID, None, body));
    let query = format!("message_type=feed_information_request&message_id={GUID}");
    assert_eq!(request.uri().query(), Some(&*query));
}

#[test]
fn requests_of_1_0_and_1_1_are_posts() {
    for (dialect, version) in [(Dialect::V1_0, "1.0"), (Dialect::V1_1, "1.1")] {
        for scheme in ["http", "https"] {
            let (request, _) = encode(dialect, &format!("{scheme}://a.example/d"), discovery("1"));
            assert_eq!((request.method(), request.uri().query()), (&Method::POST, None));
            let field = |name: &str| request.headers()[name].to_str().unwrap();
            let message = format!("urn:taxii.mitre.org:message:xml:{version}");
            assert_eq!(field("x-taxii-content-type"), message);
            assert_eq!(field("x-taxii-accept"), message);
            assert_eq!(
                field("x-taxii-services"),
                format!("urn:taxii.mitre.org:services:{version}")
            );
            let protocol = format!("urn:taxii.mitre.org:protocol:{scheme}:1.0");
            assert_eq!(field("x-taxii-protocol"), protocol);
            assert_eq!(
                (field("accept"), field("content-type")),
                ("application/xml", "application/xml")
            );
        }
    }
}

#[test]
fn what_cannot_be_sent() {
    let binding = binding(Service::Poll, Dialects::ALL);
    let url: Uri = "https://a.example/d".parse().unwrap();
    let mut named = discovery(GUID);
    named
        .extended_headers
        .push(ExtendedHeader { name: "message_id".to_owned(), value: Inside::text("1").unwrap() });
    assert!(binding.encode_request(&url, Call::new(Dialect::Draft, named)).is_err());
    // 1.0 knows digits only.
    assert!(binding.encode_request(&url, Call::new(Dialect::V1_0, discovery("x"))).is_err());
    let mut secure = bindery_taxii::HttpProfile::new(Service::Poll);
    secure.clear = false;
    let secure =
        bindery_taxii::TaxiiHttp::new(&secure, std::sync::Arc::new(bindery_taxii::Ids::new(1)));
    let clear: Uri = "http://a.example/d".parse().unwrap();
    assert!(secure.encode_request(&clear, Call::new(Dialect::V1_1, discovery("1"))).is_err());
}

/// An answer that a test bends.
fn answer(status: u16, fields: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        let name: http::HeaderName = name.parse().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

const FIELDS: [(&str, &str); 4] = [
    ("content-type", "application/xml"),
    ("x-taxii-content-type", "urn:taxii.mitre.org:message:xml:1.1"),
    ("x-taxii-services", "urn:taxii.mitre.org:services:1.1"),
    ("x-taxii-protocol", "urn:taxii.mitre.org:protocol:https:1.0"),
];

const DRAFT: [(&str, &str); 3] = [
    ("content-type", "application/xml"),
    ("x-taxii-content-type", "TAXII_1.0/TAXII_XML_1.0"),
    ("x-taxii-protocol", "TAXII_HTTPS_BINDING_1.0"),
];

fn response(version: &str, answers: &str) -> String {
    format!(
        r#"<t:Discovery_Response xmlns:t="http://taxii.mitre.org/messages/taxii_xml_binding-{version}" message_id="7" in_response_to="{answers}"/>"#
    )
}

fn draft() -> String {
    format!(
        r#"<t:TAXII_DiscoveryResponse xmlns:t="http://taxii.mitre.org/messages/xml/1" message-id="{GUID}"/>"#
    )
}

fn decode(dialect: Dialect, response: Response<Body>) -> Result<bindery_taxii::Answer, Unexpected> {
    let id = if dialect == Dialect::Draft { GUID } else { "42" };
    let (_, expect) = encode(dialect, "https://a.example/d", discovery(id));
    binding(Service::CollectionManagement, Dialects::ALL).decode_response(expect, response)
}

#[test]
fn a_taxii_message_is_one_by_its_fields() {
    let good = response("1.1", "42");
    let found = decode(Dialect::V1_1, answer(200, &FIELDS, &good)).unwrap();
    assert_eq!(found.origin, Origin::Service);
    assert!(matches!(found.message.body, MessageBody::DiscoveryResponse(_)));
    // Without any of the three it is none, whatever the body holds.
    for absent in 1..4 {
        let mut fields = FIELDS.to_vec();
        fields.remove(absent);
        let error = decode(Dialect::V1_1, answer(200, &fields, &good)).unwrap_err();
        assert!(matches!(error, Unexpected::Mismatch(_)), "{error}");
        let foreign = decode(Dialect::V1_1, answer(500, &fields, &good)).unwrap();
        assert_eq!(foreign.origin, Origin::Http);
    }
    let found = decode(Dialect::Draft, answer(200, &DRAFT, &draft())).unwrap();
    assert_eq!((found.dialect, found.origin), (Dialect::Draft, Origin::Service));
    // The draft only recommends the types.
    decode(Dialect::Draft, answer(200, &DRAFT[2..], &draft())).unwrap();
    assert!(decode(Dialect::Draft, answer(200, &DRAFT[..2], &draft())).is_err());
}

#[test]
fn answers_that_do_not_fit() {
    let bent = |at: usize, value: &'static str| {
        let mut fields = FIELDS;
        fields[at].1 = value;
        decode(Dialect::V1_1, answer(200, &fields, &response("1.1", "42")))
    };
    for (at, value) in [
        (0, "text/xml"),
        (1, "urn:taxii.mitre.org:message:xml:1.0"),
        (1, "urn:x"),
        (2, "urn:taxii.mitre.org:services:1.0"),
        (3, "urn:x"),
    ] {
        assert!(bent(at, value).is_err(), "{value}");
    }
    for (at, value) in [
        (0, "text/xml"),
        (1, "TAXII_2.0/TAXII_XML_1.0"),
        (2, "TAXII_HTTP_BINDING_1.0"),
        (2, "urn:taxii.mitre.org:protocol:https:1.0"),
    ] {
        let mut fields = DRAFT;
        fields[at].1 = value;
        assert!(decode(Dialect::Draft, answer(200, &fields, &draft())).is_err(), "{value}");
    }
    for body in [response("1.1", "43"), response("1", "42"), "x".to_owned(), String::new()] {
        assert!(decode(Dialect::V1_1, answer(200, &FIELDS, &body)).is_err(), "{body}");
    }
}

#[test]
fn what_is_not_taxii_counts_as_a_status() {
    use StatusType::{BadMessage, Failure, Unauthorized, UnsupportedMessage};
    for (status, expected) in [
        (400, BadMessage),
        (413, BadMessage),
        (401, Unauthorized),
        (403, Unauthorized),
        (407, Unauthorized),
        (406, UnsupportedMessage),
        (415, UnsupportedMessage),
        (404, Failure),
        (405, Failure),
        (500, Failure),
        (503, Failure),
        (302, Failure),
    ] {
        assert_eq!(of_status(StatusCode::from_u16(status).unwrap()), expected);
        for dialect in Dialect::ALL {
            let html = answer(status, &[("content-type", "text/html")], "<html/>");
            let found = decode(dialect, html).unwrap();
            assert_eq!(found.origin, Origin::Http);
            let MessageBody::Status(said) = found.message.body else { panic!() };
            assert_eq!(said.status_type, expected, "{status}");
            assert!(said.message.unwrap().contains(&status.to_string()));
        }
    }
    for alert in [40, 41, 42, 43, 48, 49] {
        assert_eq!(of_alert(alert), Unauthorized);
    }
    for alert in [0, 10, 20, 44, 45, 46, 47, 50, 70, 80, 116] {
        assert_eq!(of_alert(alert), Failure);
    }
    // A status may carry a message all the same.
    let text = r#"<t:Status_Message xmlns:t="http://taxii.mitre.org/messages/taxii_xml_binding-1.1" message_id="7" in_response_to="0" status_type="DENIED"/>"#;
    let found = decode(Dialect::V1_1, answer(403, &FIELDS, text)).unwrap();
    assert_eq!(found.origin, Origin::Service);
}
