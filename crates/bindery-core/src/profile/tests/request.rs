//! What the server checks of a request.

use http::{HeaderName, Method, Request, StatusCode, Version, header, request};

use super::{card, context, headers, identified, tls};
use crate::{
    CertificateRule, Channel, Fault, MediaType, Note, Peer, Profile, Refusal, Scheme,
    profile::ContentCoding,
};

/// A request that fits [`card`]; each test spoils it.
fn good() -> request::Parts {
    parts(&[
        ("content-type", "application/a"),
        ("content-length", "10"),
        ("x-must", "1"),
        ("user-agent", "test"),
    ])
}

fn parts(fields: &[(&str, &str)]) -> request::Parts {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.headers_mut() = headers(fields);
    request.into_parts().0
}

/// A good request with one field replaced by these values.
fn with(name: &'static str, values: &[&str]) -> request::Parts {
    let mut parts = good();
    parts.headers.remove(name);
    for value in values {
        parts.headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    parts
}

fn check(card: &Profile, parts: &request::Parts) -> Result<Vec<Note>, Refusal> {
    card.check_request(&context(tls(), identified()), parts)
}

#[test]
fn a_good_request_has_no_notes() {
    assert_eq!(check(&card(), &good()), Ok(vec![]));
}

/// Each request breaks a rule and every rule after it; the first one is named, so that a peer on
/// the wrong channel or without identity learns nothing about the protocol.
#[test]
fn checks_come_in_the_promised_order() {
    let mut bad = parts(&[
        ("x-never", "1"),
        ("content-length", "x"),
        ("content-type", "text/html"),
        ("content-encoding", "br"),
    ]);
    bad.method = Method::GET;
    bad.version = Version::HTTP_2;
    let card = card();
    let fault = |channel, peer, parts: &request::Parts| {
        card.check_request(&context(channel, peer), parts).unwrap_err().fault()
    };
    let known = |parts: &request::Parts| fault(tls(), identified(), parts);
    assert_eq!(fault(Channel::Clear, Peer::default(), &bad), Fault::ClearChannel);
    assert_eq!(fault(tls(), Peer::default(), &bad), Fault::Unidentified);
    assert_eq!(known(&bad), Fault::Version);
    bad.version = Version::HTTP_11;
    assert_eq!(known(&bad), Fault::Method);
    bad.method = Method::POST;
    assert_eq!(known(&bad), Fault::MissingHeader);
    bad.headers.insert("x-must", "1".parse().unwrap());
    assert_eq!(known(&bad), Fault::ForbiddenHeader);
    bad.headers.remove("x-never");
    assert_eq!(known(&bad), Fault::MalformedHeader);
    bad.headers.insert(header::CONTENT_LENGTH, "1001".parse().unwrap());
    assert_eq!(known(&bad), Fault::BodyTooLarge);
    bad.headers.insert(header::CONTENT_LENGTH, "1000".parse().unwrap());
    assert_eq!(known(&bad), Fault::MediaType);
    bad.headers.insert(header::CONTENT_TYPE, "application/b".parse().unwrap());
    assert_eq!(known(&bad), Fault::ContentCoding);
    bad.headers.remove(header::CONTENT_ENCODING);
    assert_eq!(check(&card, &bad), Ok(vec![Note::MissingHeader(header::USER_AGENT)]));
}

#[test]
fn the_clear_channel_is_taken_only_where_the_card_names_http() {
    let clear = context(Channel::Clear, identified());
    let mut card = card();
    assert_eq!(card.check_request(&clear, &good()), Err(Refusal::ClearChannel));
    card.schemes.push(Scheme::Http);
    assert_eq!(card.check_request(&clear, &good()), Ok(vec![]));
}

#[test]
fn a_certificate_is_asked_for_only_where_the_card_requires_it() {
    let nobody = context(tls(), Peer::default());
    let mut card = card();
    let refusal = card.check_request(&nobody, &good()).unwrap_err();
    assert!(matches!(&refusal, Refusal::Unidentified { reason } if reason.contains("certificate")));
    for rule in [CertificateRule::Optional, CertificateRule::None] {
        card.certificate = rule;
        assert_eq!(card.check_request(&nobody, &good()), Ok(vec![]));
        assert_eq!(check(&card, &good()), Ok(vec![]));
    }
}

#[test]
fn a_required_certificate_has_to_map_to_an_account() {
    let nobody = context(tls(), identified()).with_principal(None);
    let mut card = card();
    let refusal = card.check_request(&nobody, &good()).unwrap_err();
    assert!(matches!(&refusal, Refusal::Unidentified { reason } if reason.contains("account")));
    assert_eq!(card.status(&refusal), StatusCode::FORBIDDEN);
    card.certificate = CertificateRule::Optional;
    assert_eq!(card.check_request(&nobody, &good()), Ok(vec![]));
}

/// A PSK identity is no certificate.
#[test]
fn a_required_certificate_is_not_replaced_by_another_identity() {
    let peer = Peer { psk_identity: Some("someone".into()), ..Peer::default() };
    let refusal = card().check_request(&context(tls(), peer), &good()).unwrap_err();
    assert_eq!(refusal.fault(), Fault::Unidentified);
}

#[test]
fn only_the_cards_versions_are_taken() {
    let mut card = card();
    let mut request = good();
    for version in [Version::HTTP_09, Version::HTTP_2, Version::HTTP_3] {
        request.version = version;
        assert_eq!(check(&card, &request), Err(Refusal::Version { found: version }));
    }
    request.version = Version::HTTP_10;
    assert_eq!(check(&card, &request), Ok(vec![]));
    card.versions = vec![Version::HTTP_11];
    assert_eq!(check(&card, &request), Err(Refusal::Version { found: Version::HTTP_10 }));
}

#[test]
fn a_known_method_gets_405_with_allow_and_an_unknown_one_501() {
    let mut card = card();
    card.methods = vec![Method::POST, Method::GET];
    let mut request = good();
    let mut answer = |method: &str| {
        request.method = method.parse().unwrap();
        let refusal = check(&card, &request).unwrap_err();
        let response = card.refusal_response(&refusal);
        (response.status(), response.headers()[header::ALLOW].to_str().unwrap().to_owned())
    };
    for known in ["HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] {
        let expected = (StatusCode::METHOD_NOT_ALLOWED, "POST, GET".to_owned());
        assert_eq!(answer(known), expected, "{known}");
    }
    // Methods are case-sensitive (RFC 9110, section 9.1).
    for unknown in ["BREW", "post", "P"] {
        let expected = (StatusCode::NOT_IMPLEMENTED, "POST, GET".to_owned());
        assert_eq!(answer(unknown), expected, "{unknown}");
    }
}

#[test]
fn field_rules_refuse_or_report() {
    let card = card();
    let missing = Refusal::MissingHeader { name: HeaderName::from_static("x-must") };
    assert_eq!(check(&card, &with("x-must", &[])), Err(missing));
    let forbidden = Refusal::ForbiddenHeader { name: HeaderName::from_static("x-never") };
    assert_eq!(check(&card, &with("x-never", &["1"])), Err(forbidden.clone()));
    assert_eq!(check(&card, &with("x-never", &[""])), Err(forbidden));

    let mut request = with("user-agent", &[]);
    request.headers.insert(header::AUTHORIZATION, "Basic c2VjcmV0".parse().unwrap());
    let notes = check(&card, &request).unwrap();
    let missing = Note::MissingHeader(header::USER_AGENT);
    let ignored = Note::ForbiddenHeader(header::AUTHORIZATION);
    assert_eq!(notes, [missing, ignored]);
    let shown: Vec<_> = notes.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("user-agent") && shown[1].contains("authorization"), "{shown:?}");
    assert!(!shown[1].contains("c2Vj"), "a note shows no credentials: {shown:?}");
}

#[test]
fn an_http_1_0_request_declares_its_length() {
    let mut card = card();
    let mut request = with("content-length", &[]);
    assert_eq!(check(&card, &request), Ok(vec![]), "HTTP/1.1 can be chunked");
    request.version = Version::HTTP_10;
    assert_eq!(check(&card, &request), Err(Refusal::LengthRequired));
    assert_eq!(card.status(&Refusal::LengthRequired), StatusCode::LENGTH_REQUIRED);
    // 411 is newer than HTTP/1.0: a card may ask for the status that version has.
    card.status_overrides.push((Fault::LengthRequired, StatusCode::BAD_REQUEST));
    assert_eq!(card.refusal_response(&Refusal::LengthRequired).status(), StatusCode::BAD_REQUEST);
    // A method without content needs none.
    card.methods.push(Method::GET);
    request.method = Method::GET;
    assert_eq!(check(&card, &request), Ok(vec![]));
}

#[test]
fn a_declared_length_is_a_number_within_the_limit_and_stands_there_once() {
    let card = card();
    for good in ["0", "1000", " 10", "10\t", "0000000000000000000000010"] {
        assert_eq!(check(&card, &with("content-length", &[good])), Ok(vec![]), "{good:?}");
    }
    // The last one does not fit 64 bits: it is too long all the same, and not malformed.
    for long in ["1001", "18446744073709551615", "99999999999999999999999999"] {
        let refusal = check(&card, &with("content-length", &[long])).unwrap_err();
        assert_eq!(refusal, Refusal::BodyTooLarge { limit: 1000 }, "{long}");
    }
    for bad in ["", " ", "+10", "-1", "1e3", "0x10", "10, 10", "10;", "1 0", "ten", "1_0"] {
        let refusal = check(&card, &with("content-length", &[bad])).unwrap_err();
        assert_eq!(refusal.fault(), Fault::MalformedHeader, "{bad:?}");
    }
    let mut request = good();
    let value = http::HeaderValue::from_bytes(b"1\xff").unwrap();
    request.headers.insert(header::CONTENT_LENGTH, value);
    assert_eq!(check(&card, &request).unwrap_err().fault(), Fault::MalformedHeader);
    for twice in [["10", "10"], ["10", "20"]] {
        let refusal = check(&card, &with("content-length", &twice)).unwrap_err();
        assert_eq!(refusal.fault(), Fault::MalformedHeader, "{twice:?}");
    }
}

#[test]
fn a_declared_length_is_checked_whatever_the_method() {
    let mut card = card();
    card.methods = vec![Method::GET, Method::DELETE];
    for method in card.methods.clone() {
        let mut request = with("content-length", &["1001"]);
        request.method = method;
        assert_eq!(check(&card, &request), Err(Refusal::BodyTooLarge { limit: 1000 }));
    }
}

#[test]
fn content_of_a_type_that_the_card_does_not_name_is_refused() {
    let card = card();
    let others = [
        "text/html",
        "multipart/mixed; boundary=x",
        "message/http",
        "application/*",
        "*/*",
        "application/a, text/html",
        "application/aa",
        "application",
        "",
    ];
    for other in others {
        let refusal = check(&card, &with("content-type", &[other])).unwrap_err();
        let response = card.refusal_response(&refusal);
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{other}");
        assert_eq!(response.headers()[header::ACCEPT], "application/a, application/b");
        let Refusal::MediaType { expected, found } = refusal else { panic!("{refusal}") };
        assert_eq!(expected, card.request_media_types);
        assert_eq!(found, other.parse::<MediaType>().ok(), "{other}");
    }
    let refusal = check(&card, &with("content-type", &[])).unwrap_err();
    assert!(matches!(refusal, Refusal::MediaType { found: None, .. }), "{refusal:?}");
    let mut request = good();
    let obscure = http::HeaderValue::from_bytes(b"application/a;x=\"\xff\"").unwrap();
    request.headers.insert(header::CONTENT_TYPE, obscure);
    let refusal = check(&card, &request).unwrap_err();
    assert!(matches!(refusal, Refusal::MediaType { found: None, .. }), "{refusal:?}");
}

#[test]
fn a_content_type_is_matched_without_case_and_parameters() {
    for fits in
        ["application/b", "Application/A", "application/a; charset=\"utf-8\"", "application/a;"]
    {
        assert_eq!(check(&card(), &with("content-type", &[fits])), Ok(vec![]), "{fits}");
    }
}

#[test]
fn a_content_type_stands_there_once() {
    for twice in [["application/a", "application/a"], ["application/a", "text/html"]] {
        let refusal = check(&card(), &with("content-type", &twice)).unwrap_err();
        assert!(
            matches!(&refusal, Refusal::MalformedHeader { name, .. } if *name == header::CONTENT_TYPE),
            "{refusal:?}"
        );
    }
}

#[test]
fn a_method_without_content_needs_no_type() {
    let mut card = card();
    card.methods.push(Method::GET);
    let mut request = with("content-type", &[]);
    request.method = Method::GET;
    assert_eq!(check(&card, &request), Ok(vec![]));
    card.methods.push(Method::PUT);
    request.method = Method::PUT;
    assert_eq!(check(&card, &request).unwrap_err().fault(), Fault::MediaType);
}

#[test]
fn content_codings_are_the_cards_or_identity() {
    let mut card = card();
    for good in ["gzip", "GZIP", "x-gzip", "identity", "", "gzip, identity", " , gzip"] {
        assert_eq!(check(&card, &with("content-encoding", &[good])), Ok(vec![]), "{good:?}");
    }
    for bad in ["br", "deflate", "gzip, br", "gzip;q=1", "gzip identity"] {
        let refusal = check(&card, &with("content-encoding", &[bad])).unwrap_err();
        assert_eq!(refusal, Refusal::ContentCoding { expected: vec!["gzip"] }, "{bad}");
        let response = card.refusal_response(&refusal);
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(response.headers()[header::ACCEPT_ENCODING], "gzip");
        assert!(!response.headers().contains_key(header::ACCEPT));
    }
    let second = with("content-encoding", &["gzip", "br"]);
    assert_eq!(check(&card, &second).unwrap_err().fault(), Fault::ContentCoding);
    let mut obscure = good();
    let value = http::HeaderValue::from_bytes(b"gzip\xff").unwrap();
    obscure.headers.insert(header::CONTENT_ENCODING, value);
    assert_eq!(check(&card, &obscure).unwrap_err().fault(), Fault::ContentCoding);

    card.request_codings = vec![ContentCoding::Deflate];
    let refusal = check(&card, &with("content-encoding", &["gzip"])).unwrap_err();
    assert_eq!(refusal, Refusal::ContentCoding { expected: vec!["deflate"] });
    card.request_codings.clear();
    let refusal = check(&card, &with("content-encoding", &["gzip"])).unwrap_err();
    let response = card.refusal_response(&refusal);
    assert_eq!(response.headers()[header::ACCEPT_ENCODING], "identity");
}

#[test]
fn content_without_a_type_is_taken_where_the_card_says_so() {
    let untyped = with("content-type", &[]);
    let mut card = card();
    assert_eq!(check(&card, &untyped).map_err(|r| r.fault()), Err(Fault::MediaType));
    card.untyped_content = crate::Severity::Report;
    assert_eq!(check(&card, &untyped), Ok(vec![Note::MissingHeader(header::CONTENT_TYPE)]));
    let other = with("content-type", &["text/html"]);
    assert_eq!(check(&card, &other).map_err(|r| r.fault()), Err(Fault::MediaType));
    let unreadable = with("content-type", &["?"]);
    assert_eq!(check(&card, &unreadable).map_err(|r| r.fault()), Err(Fault::MediaType));
}
