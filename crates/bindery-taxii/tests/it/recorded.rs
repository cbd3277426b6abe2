//! What real clients sent: each recorded request gets an answer of its own version, by fields and schema.

use std::path::PathBuf;

use bindery_core::{Body, Bound};
use bindery_taxii::{Dialects, Service};
use bindery_taxii_xml::{Body as MessageBody, StatusType};
use http::Request;

use crate::support::{Said, Told, binding, clear};

fn recorded() -> Vec<(String, Request<Body>)> {
    let Some(folder) = std::env::var_os("BINDERY_VECTORS") else { return Vec::new() };
    let folder = PathBuf::from(folder).join("taxii/wire");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "request") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push((name, parse(&std::fs::read(path).unwrap())));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn parse(octets: &[u8]) -> Request<Body> {
    let at = octets.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = (std::str::from_utf8(&octets[..at]).unwrap(), &octets[at + 4..]);
    let mut lines = head.split("\r\n");
    let mut line = lines.next().unwrap().split(' ');
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = line.next().unwrap().parse().unwrap();
    *request.uri_mut() = line.next().unwrap().parse().unwrap();
    for field in lines {
        let (name, value) = field.split_once(':').unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.trim().parse().unwrap());
    }
    request
}

/// Recorded requests that the binding refuses, and how. All others reach the service.
const REFUSED: [(&str, u16, Option<StatusType>); 16] = [
    ("err-billion-laughs-small-1", 200, Some(StatusType::BadMessage)),
    ("err-get-method-1", 405, None),
    ("err-not-xml-1", 200, Some(StatusType::BadMessage)),
    ("err-xml-invalid-schema-1", 200, Some(StatusType::BadMessage)),
    ("err-xxe-1", 200, Some(StatusType::BadMessage)),
    ("neg-bad-accept-1", 406, Some(StatusType::UnsupportedMessage)),
    ("neg-bad-protocol-1", 200, Some(StatusType::BadMessage)),
    ("neg-bad-services-1", 200, Some(StatusType::BadMessage)),
    ("neg-bad-x-taxii-accept-1", 406, Some(StatusType::UnsupportedMessage)),
    ("neg-bad-x-taxii-content-type-1", 200, Some(StatusType::UnsupportedMessage)),
    ("neg-content-type-text-xml-1", 200, Some(StatusType::UnsupportedMessage)),
    ("neg-https-protocol-on-http-1", 200, Some(StatusType::BadMessage)),
    ("neg-no-x-taxii-content-type-1", 200, Some(StatusType::BadMessage)),
    ("neg-services10-with-xml11-1", 200, Some(StatusType::BadMessage)),
    ("poll-begin-after-end-1", 200, Some(StatusType::BadMessage)),
    ("poll-begin-no-timezone-1", 200, Some(StatusType::BadMessage)),
];

#[tokio::test]
async fn recorded_requests_get_answers_of_their_own_version() {
    let all = recorded();
    for (name, request) in &all {
        // A token's request is no TAXII.
        if request.uri().path().ends_with("/auth") {
            continue;
        }
        let told = std::sync::Arc::new(Told::default());
        let service = Service::CollectionManagement;
        let endpoint = Bound::new(binding(service, Dialects::ALL), std::sync::Arc::clone(&told));
        let mut copy = Request::new(Body::from(request.body().as_bytes().unwrap().clone()));
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        let said = Said::read(endpoint.respond(&clear(), copy).await).await;
        let refused = REFUSED.iter().find(|(one, ..)| one == name);
        let reached = told.requests.lock().unwrap().len();
        match refused {
            Some((_, status, status_type)) => {
                assert_eq!((said.status, reached), (*status, 0), "{name}: {said:?}");
                if let Some(expected) = status_type {
                    assert_eq!(&said.status_message().status_type, expected, "{name}");
                }
            }
            None => {
                assert_eq!((said.status, reached), (200, 1), "{name}: {said:?}");
                let (dialect, message) = said.message();
                let asked = request.headers()["x-taxii-content-type"].to_str().unwrap();
                assert_eq!(said.field("x-taxii-content-type"), Some(asked), "{name}");
                assert!(asked.ends_with(dialect.name()), "{name}");
                assert!(!matches!(message.body, MessageBody::DiscoveryRequest));
            }
        }
    }
    if std::env::var_os("BINDERY_VECTORS").is_some() {
        assert!(all.len() > 80, "{}", all.len());
    }
}
