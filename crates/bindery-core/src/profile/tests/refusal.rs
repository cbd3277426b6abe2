//! From a refusal to a response.

use std::collections::BTreeSet;

use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Version, header};

use super::card;
use crate::{Body, BodyError, Fault, MediaType, Place, Refusal, RefusalForm};

/// One refusal of each kind, with the status that the default table gives it.
fn table() -> Vec<(Refusal, u16)> {
    let name = HeaderName::from_static("x-field");
    vec![
        (Refusal::Method { allowed: vec![Method::POST] }, 405),
        (Refusal::UnknownMethod, 501),
        (Refusal::Target, 404),
        (Refusal::Version { found: Version::HTTP_2 }, 505),
        (Refusal::ClearChannel, 403),
        (Refusal::Unidentified { reason: "no certificate".to_owned() }, 403),
        (Refusal::Unauthorized { challenges: vec![], reason: "no credentials".into() }, 401),
        (Refusal::TooManyRequests { retry_after: 7 }, 429),
        (Refusal::Forbidden, 403),
        (Refusal::MissingHeader { name: name.clone() }, 400),
        (Refusal::ForbiddenHeader { name: name.clone() }, 400),
        (Refusal::MalformedHeader { name, reason: "odd".into() }, 400),
        (Refusal::HeaderTooLarge, 431),
        (Refusal::TargetTooLong, 414),
        (Refusal::MediaType { expected: vec![], found: None }, 415),
        (Refusal::ContentCoding { expected: vec![] }, 415),
        (Refusal::TransferCoding, 501),
        (Refusal::NotAcceptable, 406),
        (Refusal::Expectation, 417),
        (Refusal::LengthRequired, 411),
        (Refusal::BodyTooLarge { limit: 1 }, 413),
        (Refusal::Timeout, 408),
        (Refusal::BodyIncomplete, 400),
        (Refusal::MalformedBody { place: Place::new("TTLV", Some(8), "bad length") }, 400),
        (Refusal::UpgradeRequired { protocols: HeaderValue::from_static("TLS/1.3") }, 426),
        (Refusal::ProxyUnauthorized { challenges: vec![], reason: "no credentials".into() }, 407),
        (Refusal::TunnelForbidden { reason: "port 25".into() }, 403),
        (Refusal::Unreachable { reason: "refused".to_owned() }, 502),
        (Refusal::UnreachableInTime, 504),
        (Refusal::Overloaded, 503),
        (Refusal::Internal, 500),
    ]
}

fn hostile(text: &str) -> Refusal {
    Refusal::MalformedBody { place: Place::new("XML", None, text) }
}

fn text(response: &Response<Body>) -> &str {
    std::str::from_utf8(response.body().as_bytes().unwrap()).unwrap()
}

#[test]
fn every_fault_has_a_status_a_text_and_a_hint() {
    let table = table();
    let faults: BTreeSet<Fault> = table.iter().map(|(refusal, _)| refusal.fault()).collect();
    // The last one and all before it: the table leaves no fault out and names none twice.
    assert_eq!(faults.len(), Fault::Internal as usize + 1);
    assert_eq!(faults.len(), table.len());
    for (refusal, status) in table {
        assert_eq!(card().status(&refusal).as_u16(), status, "{refusal:?}");
        assert!(refusal.to_string().len() > 10, "{refusal:?}");
        assert!(refusal.hint().len() > 7, "{refusal:?}");
    }
}

#[test]
fn a_challenge_and_a_wait_have_their_fields() {
    let challenges = ["Digest realm=\"a\"", "Basic realm=\"a\""].map(HeaderValue::from_static);
    let refusal =
        Refusal::Unauthorized { challenges: challenges.to_vec(), reason: "no credentials".into() };
    let response = card().refusal_response(&refusal);
    let offered: Vec<_> = response.headers().get_all(header::WWW_AUTHENTICATE).iter().collect();
    assert_eq!(offered, challenges.iter().collect::<Vec<_>>(), "each in a field of its own");
    let response = card().refusal_response(&Refusal::TooManyRequests { retry_after: 7 });
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
}

#[test]
fn what_a_connection_can_become_and_what_a_proxy_asks_have_their_fields() {
    let refusal =
        Refusal::UpgradeRequired { protocols: HeaderValue::from_static("TLS/1.3, TLS/1.2") };
    let response = card().refusal_response(&refusal);
    assert_eq!(response.headers()[header::UPGRADE], "TLS/1.3, TLS/1.2");
    assert_eq!(response.headers()[header::CONNECTION], "Upgrade");
    assert!(text(&response).contains("TLS/1.3, TLS/1.2") && text(&response).contains("OPTIONS *"));
    let challenges = vec![HeaderValue::from_static("Basic realm=\"a\"")];
    let refusal =
        Refusal::ProxyUnauthorized { challenges: challenges.clone(), reason: "none".into() };
    let response = card().refusal_response(&refusal);
    assert_eq!(response.headers()[header::PROXY_AUTHENTICATE], challenges[0]);
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
}

#[test]
fn an_override_wins_for_its_own_fault_only() {
    for (refusal, default) in table() {
        let mut card = card();
        card.status_overrides.push((refusal.fault(), StatusCode::IM_A_TEAPOT));
        card.status_overrides.push((refusal.fault(), StatusCode::BAD_GATEWAY));
        assert_eq!(card.status(&refusal), StatusCode::IM_A_TEAPOT, "the first row counts");
        assert_eq!(card.refusal_response(&refusal).status(), StatusCode::IM_A_TEAPOT);
        for (other, status) in table().iter().filter(|(other, _)| other.fault() != refusal.fault())
        {
            assert_eq!(card.status(other).as_u16(), *status, "{refusal:?} changed {other:?}");
        }
        assert_ne!(default, 418);
    }
}

#[test]
fn as_text_the_body_explains_and_hints() {
    for (refusal, status) in table() {
        let response = card().refusal_response(&refusal);
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(!response.headers().contains_key("bindery-refusal"));
        assert_eq!(text(&response), format!("{refusal}; {}\n", refusal.hint()));
    }
}

#[test]
fn as_a_field_the_body_is_empty() {
    let mut card = card();
    card.refusal_form = RefusalForm::Field;
    for (refusal, status) in table() {
        let response = card.refusal_response(&refusal);
        assert_eq!(response.status().as_u16(), status);
        assert!(response.body().as_bytes().unwrap().is_empty());
        assert!(!response.headers().contains_key(header::CONTENT_TYPE));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let said = response.headers()["bindery-refusal"].to_str().unwrap();
        assert_eq!(said, format!("{refusal}; {}", refusal.hint()));
    }
}

#[test]
fn the_fields_that_http_asks_for_beside_a_status_are_there() {
    let field = |refusal: &Refusal, name: HeaderName| {
        let response = card().refusal_response(refusal);
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let allowed = Refusal::Method { allowed: vec![Method::GET, Method::PUT] };
    assert_eq!(field(&allowed, header::ALLOW).as_deref(), Some("GET, PUT"));
    assert_eq!(field(&Refusal::UnknownMethod, header::ALLOW).as_deref(), Some("POST"));
    let expected = vec!["a/b;c=\"d e\"".parse().unwrap(), MediaType::from_static("e/f")];
    let media = Refusal::MediaType { expected, found: None };
    assert_eq!(field(&media, header::ACCEPT).as_deref(), Some("a/b;c=\"d e\", e/f"));
    let coding = Refusal::ContentCoding { expected: vec!["gzip", "deflate"] };
    assert_eq!(field(&coding, header::ACCEPT_ENCODING).as_deref(), Some("gzip, deflate"));
    for name in [header::ALLOW, header::ACCEPT, header::ACCEPT_ENCODING] {
        assert_eq!(field(&Refusal::Forbidden, name), None);
    }
}

#[test]
fn a_name_that_stands_on_the_card_twice_goes_out_twice() {
    let mut card = card();
    card.response_headers = vec![
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let values = |response: &Response<Body>| -> Vec<String> {
        let values = response.headers().get_all(header::CACHE_CONTROL);
        values.iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&card.refusal_response(&Refusal::Target)), ["no-cache", "no-store"]);
    let mut response = Response::new(Body::empty());
    card.finish_response(Version::HTTP_11, &mut response);
    card.finish_response(Version::HTTP_11, &mut response);
    assert_eq!(values(&response), ["no-cache", "no-store"], "it adds nothing the second time");
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    card.finish_response(Version::HTTP_11, &mut response);
    assert_eq!(values(&response), ["private"], "the binding's own value stays");
}

/// What a decoder quotes of a peer's bytes ends up in refusals: it must not reach the head of the
/// answer as anything but harmless characters of the one field.
#[test]
fn hostile_text_cannot_inject_fields_or_lines() {
    let evil = "x\r\nSet-Cookie: a=b\r\n\r\n<html>\0\u{7f}\u{85}\u{1b}[31m\u{2028}é";
    let refusals = [
        hostile(evil),
        Refusal::Unidentified { reason: evil.to_owned() },
        Refusal::MalformedHeader { name: header::HOST, reason: evil.to_owned().into() },
    ];
    let mut card = card();
    for refusal in refusals {
        card.refusal_form = RefusalForm::Field;
        let response = card.refusal_response(&refusal);
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert_eq!(response.headers().len(), 2, "{:?}", response.headers());
        let said = response.headers()["bindery-refusal"].as_bytes();
        assert!(said.iter().all(|octet| (b' '..=b'~').contains(octet)), "{said:?}");

        card.refusal_form = RefusalForm::Text;
        let response = card.refusal_response(&refusal);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        let said = text(&response).strip_suffix('\n').unwrap();
        assert!(!said.contains(char::is_control), "{said:?}");
        assert!(said.contains("x\\r\\nSet-Cookie: a=b"), "{said:?}");
    }
}

#[test]
fn an_explanation_is_short_whatever_the_peer_sent() {
    let refusal = hostile(&"é\n".repeat(1_000_000));
    let mut card = card();
    for form in [RefusalForm::Text, RefusalForm::Field] {
        card.refusal_form = form;
        let response = card.refusal_response(&refusal);
        let fields: usize = response.headers().values().map(HeaderValue::len).sum();
        let body = response.body().as_bytes().unwrap().len();
        assert!(fields + body < 4096, "{form:?}: {fields} + {body}");
        let said = match form {
            RefusalForm::Text => text(&response).trim_end(),
            RefusalForm::Field => response.headers()["bindery-refusal"].to_str().unwrap(),
        };
        assert!(said.ends_with(refusal.hint()), "the hint is not cut off");
    }
}

#[test]
fn a_fault_of_this_side_shows_no_cause() {
    let response = card().refusal_response(&Refusal::Internal);
    assert!(text(&response).starts_with("the server failed; "));
}

#[test]
fn faults_of_the_body_become_refusals() {
    let fault = |error: BodyError| Refusal::from(&error);
    assert_eq!(fault(BodyError::TooLarge { limit: 7 }), Refusal::BodyTooLarge { limit: 7 });
    assert_eq!(fault(BodyError::Timeout("10 s")), Refusal::Timeout);
    assert_eq!(fault(BodyError::Incomplete("reset".into())), Refusal::BodyIncomplete);
    let coding = fault(BodyError::Coding("bad\ngzip".to_owned()));
    assert_eq!(coding.fault(), Fault::MalformedBody);
    assert_eq!(coding.to_string(), "the body is not well-formed: content coding: bad\\ngzip");
}

#[test]
fn a_place_names_format_offset_and_reason() {
    let place = Place::new("TTLV", Some(24), "found Integer, expected Structure");
    assert_eq!(place.to_string(), "TTLV at offset 24: found Integer, expected Structure");
    assert_eq!(Place::new("XML", None, "é\tü").to_string(), "XML: é\\tü");
    assert_eq!(Place::new("XML", None, "").to_string(), "XML: ");
    assert_eq!(Place::new("XML", None, "\n\n").to_string(), "XML: \\n\\n");
}
