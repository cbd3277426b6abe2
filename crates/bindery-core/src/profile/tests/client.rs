//! What the client prepares and checks.

use http::{HeaderValue, Method, Response, StatusCode, Uri, Version, header, response};

use super::{card, headers};
use crate::{Body, MediaType, Scheme, Unexpected};

fn answer(status: u16, fields: &[(&str, &str)]) -> response::Parts {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = headers(fields);
    response.into_parts().0
}

fn uri(text: &'static str) -> Uri {
    Uri::from_static(text)
}

#[test]
fn a_prepared_request_follows_the_card() {
    let mut card = card();
    card.methods = vec![Method::PUT, Method::POST];
    card.request_headers = vec![
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    let target = uri("https://example.test:5696/a?b=c");
    let request = card.prepare_request(&target, Body::from("abc".to_owned())).unwrap();
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(request.uri(), &target);
    assert_eq!(request.version(), Version::HTTP_11);
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/a");
    assert_eq!(request.headers()[header::PRAGMA], "no-cache");
    let cache = request.headers().get_all(header::CACHE_CONTROL);
    assert_eq!(cache.iter().collect::<Vec<_>>(), ["no-cache", "no-store"]);
    assert_eq!(request.headers().len(), 4);
    assert_eq!(request.body().as_bytes().unwrap(), "abc");
}

#[test]
fn a_prepared_request_declares_no_type_where_the_card_names_none() {
    let mut card = card();
    card.request_media_types.clear();
    let request = card.prepare_request(&uri("https://example.test/"), Body::empty()).unwrap();
    assert!(!request.headers().contains_key(header::CONTENT_TYPE));
}

#[test]
fn a_target_without_a_path_gets_the_cards() {
    let mut card = card();
    let sent = |card: &crate::Profile, target| {
        card.prepare_request(&uri(target), Body::empty()).map(|request| request.uri().to_string())
    };
    card.default_path = "/service".into();
    for target in ["https://example.test:1", "https://example.test:1/"] {
        assert_eq!(sent(&card, target).unwrap(), "https://example.test:1/service");
    }
    for target in ["https://example.test/a", "https://example.test//", "https://example.test/?q"] {
        assert_eq!(sent(&card, target).unwrap(), target);
    }
    for none in ["", "service", "/a path"] {
        card.default_path = none.into();
        let error = sent(&card, "https://example.test").unwrap_err().to_string();
        assert!(error.contains("is no path"), "{none}: {error}");
        assert_eq!(sent(&card, "https://example.test/a").unwrap(), "https://example.test/a");
    }
}

#[test]
fn a_target_has_a_scheme_of_the_card() {
    let mut card = card();
    let try_it = |card: &crate::Profile, target| {
        card.prepare_request(&uri(target), Body::empty()).map(drop).map_err(|e| e.to_string())
    };
    let error = try_it(&card, "http://example.test/").unwrap_err();
    assert!(error.contains("test is not sent over http; use an https URL"), "{error}");
    card.schemes.push(Scheme::Http);
    assert_eq!(try_it(&card, "http://example.test/"), Ok(()));
    assert_eq!(try_it(&card, "https://example.test/"), Ok(()));
    // What stands before the @ may be a password: no error repeats it.
    for bad in ["ftp://me:hush@example.test/", "me:hush@example.test:443", "/path", "*"] {
        let error = try_it(&card, bad).unwrap_err();
        assert!(error.contains("http or https URL"), "{bad}: {error}");
        assert!(!error.contains("hush"), "{bad}: {error}");
    }
}

#[test]
fn a_client_sends_nothing_that_the_card_forbids() {
    let card = card();
    assert_eq!(card.check_own_headers(&headers(&[("x-other", "1"), ("x-must", "1")])), Ok(()));
    // Forbidden is forbidden to a client of ours, whether the server refuses or reports it.
    for forbidden in ["x-never", "authorization"] {
        let error = card.check_own_headers(&headers(&[(forbidden, "hush")])).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(forbidden) && error.contains("leave it out"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn an_answer_with_the_cards_status_and_type_is_the_protocols() {
    let mut card = card();
    card.message_statuses.push(StatusCode::BAD_REQUEST);
    for content_type in ["application/r", "Application/R; charset=utf-8"] {
        for status in [200, 400] {
            let parts = answer(status, &[("content-type", content_type)]);
            assert_eq!(card.check_response(&parts, b"anything"), Ok(()));
        }
    }
}

#[test]
fn an_answer_with_another_status_is_not_parsed_even_with_the_right_type() {
    for status in [201, 204, 302, 401, 404, 500, 502] {
        let parts = answer(status, &[("content-type", "application/r")]);
        let error = card().check_response(&parts, b"\x42\x00\"\n").unwrap_err();
        let Unexpected::Status { status: found, explanation, media_type, start } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(media_type.as_ref().map(MediaType::essence), Some("application/r"));
        assert_eq!(found.as_u16(), status);
        assert_eq!(explanation.as_deref(), found.canonical_reason());
        assert_eq!(start, b"\x42\x00\"\n");
        let shown = error.to_string();
        assert!(shown.contains(&status.to_string()), "{shown}");
        assert!(shown.contains("begins with \"B\\x00\\\"\\n\""), "{shown}");
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

#[test]
fn an_intermediarys_page_is_shown_by_its_beginning() {
    let page = format!("<html>\r\n<h1>Sign in</h1>\u{1b}[2J{}", "x".repeat(10_000));
    let parts = answer(200, &[("content-type", "text/html; charset=utf-8")]);
    let error = card().check_response(&parts, page.as_bytes()).unwrap_err();
    let Unexpected::MediaType { expected, found, start } = &error else { panic!("{error:?}") };
    assert_eq!(expected.essence(), "application/r");
    assert_eq!(found.as_ref().map(MediaType::essence), Some("text/html"));
    assert_eq!(start, &page.as_bytes()[..64]);
    let shown = error.to_string();
    assert!(shown.contains("text/html"), "{shown}");
    assert!(shown.contains("<html>\\r\\n<h1>Sign in</h1>\\x1b[2J"), "{shown}");
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(shown.len() < 400, "{}", shown.len());
}

#[test]
fn an_answer_without_one_readable_type_is_not_the_protocols() {
    let fields: [&[(&str, &str)]; 4] = [
        &[],
        &[("content-type", "nonsense")],
        &[("content-type", "application/r"), ("content-type", "application/r")],
        &[("content-type", "application/r, text/html")],
    ];
    for fields in fields {
        let error = card().check_response(&answer(200, fields), b"").unwrap_err();
        assert!(matches!(error, Unexpected::MediaType { found: None, .. }), "{error:?}");
        let shown = error.to_string();
        assert_eq!(shown, "the answer's content is of no readable type, expected application/r");
    }
}

/// The field comes from whoever answered: it is shown, but neither at any length nor with
/// characters that a terminal would obey.
#[test]
fn the_refusal_field_explains_within_bounds() {
    let explain = |value: &[u8]| {
        let mut parts = answer(400, &[]);
        parts.headers.insert("bindery-refusal", HeaderValue::from_bytes(value).unwrap());
        match card().check_response(&parts, b"").unwrap_err() {
            Unexpected::Status { explanation, .. } => explanation.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(explain(b"the field x is missing; send it"), "the field x is missing; send it");
    assert_eq!(explain(&[b'x'; 100_000]).len(), 1024);
    assert_eq!(explain(b"\xc2\x9b31m"), "Bad Request", "not ASCII: the status speaks");
}

/// What one side explains, the other one shows.
#[test]
fn a_refusal_in_a_field_arrives_whole() {
    let mut server = card();
    server.refusal_form = crate::RefusalForm::Field;
    let refusal = crate::Refusal::BodyTooLarge { limit: 1000 };
    let (parts, body) = server.refusal_response(&refusal).into_parts();
    let error = card().check_response(&parts, body.as_bytes().unwrap()).unwrap_err();
    let expected = format!("{refusal}; {}", refusal.hint());
    assert!(
        matches!(&error, Unexpected::Status { explanation: Some(said), .. } if *said == expected),
        "{error:?}"
    );
    assert!(error.to_string().contains("413 Payload Too Large"), "{error}");
}

#[test]
fn a_card_without_response_types_leaves_the_content_to_the_binding() {
    let mut card = card();
    card.response_media_types.clear();
    assert_eq!(card.check_response(&answer(200, &[]), b"x"), Ok(()));
    assert!(card.check_response(&answer(500, &[]), b"x").is_err());
}
