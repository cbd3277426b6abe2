//! Tests of the card.

mod client;
mod refusal;
mod request;

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use rustls_pki_types::CertificateDer;

use super::{
    AuthScheme, BodyMode, CertificateRule, ContentCoding, HeaderRule, Port, Profile, RefusalForm,
    Scheme, SecurityNeeds, Severity,
};
use crate::{
    Channel, CipherSuite, Context, Fault, MediaType, Peer, Principal, Timestamp, TlsInfo,
    TlsVersion,
};

/// A card that uses every kind of rule.
fn card() -> Profile {
    let mut card = Profile::new("test");
    card.request_media_types =
        vec![MediaType::from_static("application/a"), MediaType::from_static("application/b")];
    card.response_media_types = vec![MediaType::from_static("application/r")];
    card.certificate = CertificateRule::Required;
    card.request_body_limit = 1000;
    card.request_header_rules = vec![
        HeaderRule::required(HeaderName::from_static("x-must"), Severity::Refuse),
        HeaderRule::forbidden(HeaderName::from_static("x-never"), Severity::Refuse),
        HeaderRule::required(header::USER_AGENT, Severity::Report),
        HeaderRule::forbidden(header::AUTHORIZATION, Severity::Report),
    ];
    card.request_codings = vec![ContentCoding::Gzip];
    card
}

fn tls() -> Channel {
    let suite = CipherSuite::new(0x1302, "TLS_AES_256_GCM_SHA384");
    Channel::Tls(Arc::new(TlsInfo::new(TlsVersion::TLS_1_3, suite)))
}

fn identified() -> Peer {
    Peer::from_address(SocketAddr::from(([127, 0, 0, 1], 50_000)))
        .with_certificates([CertificateDer::from(vec![0x30, 0x00])])
}

fn context(channel: Channel, peer: Peer) -> Context {
    let principal = peer.certificate().map(|_| Principal::new("alice"));
    Context::new(channel, peer, Timestamp::UNIX_EPOCH).with_principal(principal)
}

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        })
        .fold(HeaderMap::new(), |mut all, (name, value)| {
            all.append(name, value);
            all
        })
}

/// A card in which every field has a value of its own, so that a row that shows another field, or
/// none, is noticed.
fn distinct() -> Profile {
    let mut card = Profile::new("distinct-name");
    card.title = "Distinct Title".into();
    card.references = vec!["RFC 1".into(), "RFC 2".into()];
    card.schemes = vec![Scheme::Http, Scheme::Https];
    card.ports = vec![Port::new(5696, "requests"), Port::shared(80, "pushes", "document 3")];
    card.default_path = "/distinct".into();
    card.versions = vec![Version::HTTP_10];
    card.methods = vec![Method::PUT, Method::DELETE];
    card.request_media_types = vec![MediaType::from_static("request/type")];
    card.untyped_content = Severity::Report;
    card.response_media_types = vec![MediaType::from_static("response/type")];
    card.message_statuses = vec![StatusCode::ACCEPTED];
    card.request_header_rules = card_rules();
    card.request_headers = vec![(header::PRAGMA, HeaderValue::from_static("pragma-value"))];
    card.response_headers = vec![
        (header::EXPIRES, HeaderValue::from_static("expires-value")),
        (header::SERVER, HeaderValue::from_bytes(b"\xff").unwrap()),
    ];
    card.request_codings = vec![ContentCoding::Gzip];
    card.response_codings = vec![ContentCoding::Deflate];
    card.auth_schemes = vec![AuthScheme::Basic, AuthScheme::Digest];
    card.certificate = CertificateRule::Optional;
    card.body_mode = BodyMode::Streamed;
    card.request_body_limit = 1111;
    card.response_body_limit = 2222;
    card.tls_policy = Some("distinct-policy".into());
    card.status_overrides = vec![(Fault::LengthRequired, StatusCode::BAD_REQUEST)];
    card.refusal_form = RefusalForm::Field;
    card.resets = true;
    card.body_faults = "distinct faults".into();
    card.security = SecurityNeeds::new("distinct who", "distinct what");
    card
}

fn card_rules() -> Vec<HeaderRule> {
    vec![
        HeaderRule::required(header::FROM, Severity::Refuse),
        HeaderRule::forbidden(header::DNT, Severity::Report),
    ]
}

#[test]
fn rows_print_every_field_of_the_card() {
    let expected = [
        ("name", "distinct-name"),
        ("title", "Distinct Title"),
        ("references", "RFC 1, RFC 2"),
        ("schemes", "http, https"),
        ("ports", "5696 (requests), 80 (pushes; shared: document 3)"),
        ("default path", "/distinct"),
        ("HTTP versions", "HTTP/1.0"),
        ("methods", "PUT, DELETE"),
        ("request content", "request/type"),
        ("request content without a type", "taken, and reported"),
        ("response content", "response/type"),
        ("statuses with a message", "202 Accepted"),
        (
            "request field rules",
            "from required (refused otherwise), dnt forbidden (reported otherwise)",
        ),
        ("request fields", "pragma: pragma-value"),
        ("response fields", "expires: expires-value, server: (not text)"),
        ("request codings", "gzip"),
        ("response codings", "deflate"),
        ("HTTP authentication", "Basic, Digest"),
        ("client certificate", "optional"),
        ("bodies", "streamed"),
        ("largest request body", "1111 octets"),
        ("largest response body", "2222 octets"),
        ("TLS policy", "distinct-policy"),
        ("status overrides", "LengthRequired: 400 Bad Request"),
        ("refusals", "field"),
        ("breaking off", "resets"),
        ("faults of bodies", "distinct faults"),
        ("authentication need", "distinct who"),
        ("privacy need", "distinct what"),
    ];
    // What other fields decide.
    let told = "port 5696, path /distinct, media type request/type";
    let derived = [
        ("proxies", distinct().proxies()),
        ("connections", distinct().connections()),
        ("told apart by", told),
    ];
    let rows = distinct().rows();
    assert_eq!(rows.len(), expected.len() + derived.len());
    let expected = expected.into_iter().chain(derived);
    for ((name, value), (expected_name, expected_value)) in rows.iter().zip(expected) {
        assert_eq!((*name, value.as_str()), (expected_name, expected_value));
    }
    // A field that is added to the card without a row is noticed here.
    let fields = format!("{:#?}", distinct());
    let fields = fields.lines().filter(|line| {
        line.strip_prefix("    ").is_some_and(|field| field.starts_with(|c: char| c.is_lowercase()))
    });
    // The two needs are one field.
    assert_eq!(fields.count() + 1 + derived.len(), rows.len());
}

#[test]
fn what_a_card_says_of_proxies_and_connections_follows_its_schemes_and_versions() {
    let mut card = Profile::new("secure");
    assert!(card.proxies().starts_with("by CONNECT only"));
    assert!(card.connections().contains("HTTP/1.1"));
    card.schemes.push(Scheme::Http);
    card.versions = vec![Version::HTTP_10];
    assert!(card.proxies().contains("absolute form"));
    assert!(!card.connections().contains("HTTP/1.1"));
    // Nothing of its own: the web's port and path, a type that says only how octets are to be read.
    card.ports = vec![Port::shared(443, "requests", "document 3")];
    card.request_media_types = vec![MediaType::from_static("application/xml")];
    assert_eq!(card.distinctions(), Vec::<String>::new());
}

#[test]
fn rows_of_an_empty_card_say_none() {
    let rows = Profile::new("bare").rows();
    let value = |name: &str| rows.iter().find(|row| row.0 == name).unwrap().1.clone();
    for name in ["references", "ports", "request content", "status overrides", "TLS policy"] {
        assert_eq!(value(name), "none", "{name}");
    }
    assert_eq!(value("title"), "bare");
    assert_eq!(value("response fields"), "cache-control: no-store");
}

#[test]
fn codings_are_read_by_name_without_regard_to_case() {
    for coding in [ContentCoding::Gzip, ContentCoding::Deflate] {
        assert_eq!(ContentCoding::from_name(coding.name()), Some(coding));
        assert_eq!(ContentCoding::from_name(&coding.name().to_uppercase()), Some(coding));
    }
    assert_eq!(ContentCoding::from_name("X-GZip"), Some(ContentCoding::Gzip));
    for unknown in ["br", "identity", "", "gzip ", "compress"] {
        assert_eq!(ContentCoding::from_name(unknown), None, "{unknown}");
    }
}
