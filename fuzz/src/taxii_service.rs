//! The TAXII services' own reading of what peers send: header fields with a body behind them, and queries.

use bindery_core::{Body, Channel, Context, Peer, ServerBinding, Timestamp};
use bindery_taxii::{
    Dialects, HttpProfile, Ids, Service, TaxiiHttp,
    service::{Part, Queries, QueryText, query::ask},
};
use http::{HeaderName, HeaderValue, Method, Request, Uri};

/// Requests: the first line is a method and a target, fields follow to the first empty line, the rest is the body. Whatever
/// it is, there is a message or a refusal, and an answer to both that says which protocol it is of.
pub fn head(data: &[u8]) {
    let Some(request) = request(data) else { return };
    let peer = Peer::from_address(([127, 0, 0, 1], 5).into());
    let cx = Context::new(Channel::Clear, peer, Timestamp::UNIX_EPOCH);
    // The one that takes GETs, and the one whose messages may be long.
    for service in [Service::Discovery, Service::Inbox] {
        // What else is tried depends on the input, so that a finding repeats.
        let others = [Dialects::ALL, Dialects::DRAFT, Dialects::RELEASED];
        if let Some(&dialects) = others.get(data.len() % 3) {
            let mut profile = HttpProfile::new(service);
            (profile.clear, profile.dialects) = (true, dialects);
            let binding = TaxiiHttp::new(&profile, std::sync::Arc::new(Ids::new(7)));
            let (parts, body) = request.clone().into_parts();
            let reply = binding.reply_of(&cx, &parts);
            let again = Request::from_parts(parts, Body::from(body));
            let refused = match binding.decode_request(&cx, again) {
                Ok((message, decided)) => {
                    assert_eq!(message.dialect, decided.dialect);
                    assert!(reply.is_some(), "what is read has a form");
                    continue;
                }
                Err(rejected) => rejected,
            };
            let response = binding.encode_refusal(&cx, refused.reply.or(reply), &refused.refusal);
            assert_eq!(response.headers().get_all("x-taxii-protocol").iter().count(), 1);
        }
    }
}

fn request(data: &[u8]) -> Option<Request<Vec<u8>>> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|octet| *octet == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = &after[1..];
        Some(line)
    };
    let first = std::str::from_utf8(line()?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let mut request = Request::new(Vec::new());
    *request.method_mut() = method.parse::<Method>().ok()?;
    *request.uri_mut() = target.parse::<Uri>().ok()?;
    while let Some(field) = line().filter(|line| !line.is_empty()) {
        let colon = field.iter().position(|octet| *octet == b':')?;
        let name = HeaderName::from_bytes(&field[..colon]).ok()?;
        let value = HeaderValue::from_bytes(field[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    *request.body_mut() = rest.to_vec();
    Some(request)
}

/// Queries: up to the first NUL stands a `Default_Query`, behind it the content that it is asked of. It is answered the
/// same each time, and by no for what is not well-formed.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((query, content)) = text.split_once('\0') else { return };
    let query =
        QueryText::new("urn:taxii.mitre.org:query:default:1.0", Part::new(query, Vec::new()));
    let content = Part::new(content, Vec::new());
    let queries = Queries::stix();
    let Some(answer) = ask(&queries, &query, &content) else { return };
    assert_eq!(ask(&queries, &query, &content), Some(answer));
    let inside = content.inside();
    let mut reader = inside.reader(&bindery_xml::Options::STRICT);
    let sound = loop {
        match reader.next_event() {
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(sound || !answer, "what is no XML meets no query");
}
