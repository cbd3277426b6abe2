//! TAXII 1.0 and 1.1.

use bindery_taxii::{Dialects, Service};
use bindery_taxii_xml::{Dialect, StatusType};

use crate::support::{Ask, Said, clear, endpoint, tls};

fn discovery(version: &str) -> String {
    let namespace = if version == "1.0" { "-1" } else { "-1.1" };
    format!(
        r#"<t:Discovery_Request xmlns:t="http://taxii.mitre.org/messages/taxii_xml_binding{namespace}" message_id="42"/>"#
    )
}

fn post(version: &str) -> Ask {
    Ask::released(version, &discovery(version))
}

#[tokio::test]
async fn a_request_is_answered_in_its_own_version() {
    for (version, dialect) in [("1.0", Dialect::V1_0), ("1.1", Dialect::V1_1)] {
        for (cx, scheme) in [(clear(), "http"), (tls(), "https")] {
            let (endpoint, _) = endpoint(Service::Inbox, Dialects::ALL);
            let protocol = format!("urn:taxii.mitre.org:protocol:{scheme}:1.0");
            let ask = post(version).set("x-taxii-protocol", &protocol);
            let said = Said::of(&endpoint, &cx, &ask).await;
            assert_eq!(said.status, 200, "{said:?}");
            assert_eq!(said.field("x-taxii-protocol"), Some(protocol.as_str()));
            let message = format!("urn:taxii.mitre.org:message:xml:{version}");
            assert_eq!(said.field("x-taxii-content-type"), Some(message.as_str()));
            let services = format!("urn:taxii.mitre.org:services:{version}");
            assert_eq!(said.field("x-taxii-services"), Some(services.as_str()));
            assert_eq!(said.field("content-type"), Some("application/xml"));
            assert_eq!(said.field("x-taxii-accept"), None);
            let (found, message) = said.message();
            assert_eq!((found, message.in_response_to.as_deref()), (dialect, Some("42")));
        }
    }
}

/// What is refused: HTTP status, and the type of the Status Message in it.
#[tokio::test]
async fn refusals_are_status_messages() {
    use StatusType::{BadMessage, Failure, UnsupportedMessage};
    let other = discovery("1.0");
    let cases = [
        ("no content type", post("1.1").without("content-type"), 200, BadMessage),
        ("text", post("1.1").set("content-type", "text/xml"), 200, UnsupportedMessage),
        ("no message binding", post("1.1").without("x-taxii-content-type"), 200, BadMessage),
        (
            "an unknown one",
            post("1.1").set("x-taxii-content-type", "urn:x"),
            200,
            UnsupportedMessage,
        ),
        ("no services", post("1.1").without("x-taxii-services"), 200, BadMessage),
        (
            "services of another version",
            post("1.1").set("x-taxii-services", "urn:taxii.mitre.org:services:1.0"),
            200,
            BadMessage,
        ),
        ("no protocol", post("1.1").without("x-taxii-protocol"), 200, BadMessage),
        ("an unknown protocol", post("1.1").set("x-taxii-protocol", "urn:x"), 200, BadMessage),
        (
            "HTTPS over HTTP",
            post("1.1").set("x-taxii-protocol", "urn:taxii.mitre.org:protocol:https:1.0"),
            200,
            BadMessage,
        ),
        ("not XML", post("1.1").body("x"), 200, BadMessage),
        ("the other version's namespace", post("1.1").body(&other), 200, BadMessage),
        (
            "no id",
            post("1.1").body(&discovery("1.1").replace("message_id=\"42\"", "")),
            200,
            BadMessage,
        ),
        ("GET", post("1.1").method("GET"), 405, Failure),
        ("PUT", post("1.1").method("PUT"), 405, Failure),
        ("HTML only", post("1.1").set("accept", "text/html"), 406, UnsupportedMessage),
        (
            "another version only",
            post("1.1").set("x-taxii-accept", "urn:taxii.mitre.org:message:xml:1.0"),
            406,
            UnsupportedMessage,
        ),
    ];
    for (what, ask, status, status_type) in cases {
        let (endpoint, told) = endpoint(Service::CollectionManagement, Dialects::ALL);
        let said = Said::of(&endpoint, &clear(), &ask).await;
        assert_eq!(said.status, status, "{what}: {said:?}");
        assert_eq!(said.status_message().status_type, status_type, "{what}");
        let (_, message) = said.message();
        assert_eq!(message.in_response_to.as_deref(), Some("0"), "{what}: it was not read");
        assert_eq!(said.field("accept"), None, "{what}");
        assert!(told.requests.lock().unwrap().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn an_unsupported_message_binding_is_answered_with_those_that_are() {
    let (endpoint, _) = endpoint(Service::Poll, Dialects::ALL);
    let ask = post("1.1").set("x-taxii-content-type", "urn:oasis:cti:taxii:xml:1.1.1");
    let said = Said::of(&endpoint, &clear(), &ask).await;
    let status = said.status_message();
    let found: Vec<String> =
        status.details.iter().map(|one| one.value.as_text().unwrap().into_owned()).collect();
    assert!(status.details.iter().all(|one| one.name == "SUPPORTED_BINDING"));
    let all = ["urn:taxii.mitre.org:message:xml:1.1", "urn:taxii.mitre.org:message:xml:1.0"];
    assert_eq!(found, all);
}

#[tokio::test]
async fn what_peers_may_do_otherwise() {
    let both = "urn:x urn:taxii.mitre.org:message:xml:1.0 urn:taxii.mitre.org:message:xml:1.1";
    let cases = [
        ("no accepts", post("1.1").without("accept").without("x-taxii-accept")),
        ("two accepted versions", post("1.1").set("x-taxii-accept", both)),
        ("more accepted types", post("1.1").set("accept", "text/html, application/xml;q=0.9, */*")),
        ("a character set", post("1.1").set("content-type", "application/xml; charset=utf-8")),
        ("parameters", post("1.1").target("/?a=b")),
    ];
    for (what, ask) in cases {
        let (endpoint, _) = endpoint(Service::Discovery, Dialects::ALL);
        let said = Said::of(&endpoint, &clear(), &ask).await;
        assert_eq!(said.status, 200, "{what}: {said:?}");
        assert!(said.text.contains("Discovery_Response"), "{what}: {said:?}");
    }
}

/// Without any of TAXII's fields it is no TAXII message, and none is answered.
#[tokio::test]
async fn what_is_not_taxii_gets_no_taxii_message() {
    let (endpoint, _) = endpoint(Service::Discovery, Dialects::ALL);
    let bare = ["x-taxii-protocol", "x-taxii-services", "x-taxii-content-type", "x-taxii-accept"]
        .into_iter()
        .fold(post("1.1"), Ask::without);
    let said = Said::of(&endpoint, &clear(), &bare).await;
    assert_eq!((said.status, said.text.as_str()), (400, ""));
    assert_eq!(said.field("x-taxii-content-type"), None);
}

#[tokio::test]
async fn a_proxy_may_end_tls_in_front() {
    use bindery_taxii::{HttpProfile, Ids, TaxiiHttp};
    let mut profile = HttpProfile::new(Service::Discovery);
    profile.clear = true;
    profile.tls_in_front = true;
    let binding = TaxiiHttp::new(&profile, std::sync::Arc::new(Ids::new(1)));
    let told = std::sync::Arc::new(crate::support::Told::default());
    let endpoint = bindery_core::Bound::new(binding, std::sync::Arc::clone(&told));
    let protocol = "urn:taxii.mitre.org:protocol:https:1.0";
    let ask = post("1.1").set("x-taxii-protocol", protocol);
    let said = Said::of(&endpoint, &clear(), &ask).await;
    assert_eq!((said.status, said.field("x-taxii-protocol")), (200, Some(protocol)), "{said:?}");
    assert!(said.text.contains("Discovery_Response"));
    let request = told.requests.lock().unwrap().pop().unwrap();
    assert_eq!(request.carrier, bindery_taxii::Carrier::Https);
}
