//! Section 5.3 at the client: fields that it sends, and answers that it takes.

use std::io::Write as _;

use bindery_core::{ClientBinding as _, ContentCoding};
use bindery_omadm::DmHttp;
use bindery_syncml::Form;
use bindery_transport::Client;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderName, HeaderValue};

use super::desk::{Told, call, clear, message, outgoing, prepare, response};

fn binding() -> DmHttp {
    DmHttp::new(&clear())
}

/// The value of a field in a head; it stands there once.
fn field(head: &str, name: &str) -> Option<String> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    let value = values.next();
    assert_eq!(values.next(), None, "{name} stands there once");
    value
}

/// proves: DM-HDR-1, DM-HDR-4, DM-HDR-6, DM-HDR-8, DM-HDR-11, DM-HDR-13, DSDM-HTTP-C-001-O
/// proves: DSDM-HTTP-C-010-O, DSDM-HTTP-C-019-O, DSDM-HTTP-C-020-O, DSDM-HTTP-C-026-O
/// proves: DSDM-HTTP-C-037-O
#[tokio::test]
async fn every_request_says_what_it_takes_and_who_it_is() {
    let server = Told::start(vec![response("", &message(1, Form::Xml, true))]).await;
    call(server.address, &binding(), outgoing(Form::Xml)).await.unwrap();
    call(server.address, &binding().with_accept([Form::Xml]), outgoing(Form::Xml)).await.unwrap();
    let mut named = outgoing(Form::Xml);
    named.headers.insert("user-agent", HeaderValue::from_static("Foo Bar DM Products v3.4"));
    call(server.address, &binding(), named).await.unwrap();
    let heads = server.heads();
    for head in &heads {
        assert_eq!(field(head, "cache-control").as_deref(), Some("no-store"));
        assert_eq!(field(head, "accept-charset").as_deref(), Some("UTF-8"));
        assert_eq!(field(head, "host"), Some(server.address.to_string()));
        assert!(field(head, "user-agent").is_some_and(|agent| !agent.is_empty()));
    }
    let both = "application/vnd.syncml.dm+wbxml, application/vnd.syncml.dm+xml";
    assert_eq!(field(&heads[0], "accept").as_deref(), Some(both));
    assert_eq!(field(&heads[1], "accept").as_deref(), Some("application/vnd.syncml.dm+xml"));
    assert_eq!(field(&heads[2], "user-agent").as_deref(), Some("Foo Bar DM Products v3.4"));
}

/// proves: DM-HDR-2, DSDM-HTTP-C-015-O
#[tokio::test]
async fn chunks_are_sent_and_taken() {
    let body = message(1, Form::Xml, true);
    let chunked = [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+xml\r\n\
          Transfer-Encoding: chunked\r\n\r\n"
            .as_slice(),
        format!("{:x}\r\n", body.len()).as_bytes(),
        &body,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let server = Told::start(vec![chunked]).await;
    let came = call(server.address, &binding().with_chunked(true), outgoing(Form::Xml)).await;
    assert_eq!(came.unwrap().octets, body);
    let head = &server.heads()[0];
    assert_eq!(field(head, "transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(field(head, "content-length"), None);
}

/// proves: DM-HDR-3, DM-HDR-7, DSDM-HTTP-C-021-O, DSDM-HTTP-C-049-O
#[tokio::test]
async fn a_coded_answer_is_asked_for_and_read() {
    let body = message(1, Form::Xml, true);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body).unwrap();
    let coded = response("Content-Encoding: gzip\r\n", &encoder.finish().unwrap());
    let server = Told::start(vec![coded]).await;
    let (request, expect) = prepare(server.address, &binding(), outgoing(Form::Xml));
    let client = Client::builder().codings([ContentCoding::Gzip, ContentCoding::Deflate]).build();
    let mut connection =
        client.connection(format!("http://{}/omadm", server.address).parse().unwrap());
    let answer = connection.send(request).await.unwrap();
    assert_eq!(binding().decode_response(expect, answer).unwrap().octets, body);
    let asked = field(&server.heads()[0], "accept-encoding").unwrap();
    assert!(asked.contains("gzip") && asked.contains("deflate"), "{asked}");
}

/// The response fields of sections 5.3.2 and 5.3.4.
const RESPONSE_FIELDS: [(&str, &str); 15] = [
    ("accept-ranges", "none"),
    ("age", "7"),
    ("allow", "POST"),
    ("authentication-info", "nextnonce=\"Bruce\""),
    ("etag", "\"x\""),
    ("location", "http://localhost/other"),
    ("proxy-authenticate", "Basic realm=\"x\""),
    ("retry-after", "120"),
    ("server", "Foo DM Server"),
    ("vary", "User-Agent"),
    ("www-authenticate", "Basic realm=\"x\""),
    ("date", "Fri, 27 Nov 2026 23:00:00 GMT"),
    ("pragma", "no-cache"),
    ("via", "1.1 proxy"),
    ("warning", "199 - \"x\""),
];

/// proves: DM-HDR-9, DSDM-HTTP-C-038-O, DSDM-HTTP-C-039-O, DSDM-HTTP-C-040-O, DSDM-HTTP-C-042-O
/// proves: DSDM-HTTP-C-043-O, DSDM-HTTP-C-045-O, DSDM-HTTP-C-046-O, DSDM-HTTP-C-047-O
#[tokio::test]
async fn the_fields_of_an_answer_are_shown_and_change_nothing() {
    let body = message(1, Form::Xml, true);
    for (name, value) in RESPONSE_FIELDS {
        let server = Told::start(vec![response(&format!("{name}: {value}\r\n"), &body)]).await;
        let came = call(server.address, &binding(), outgoing(Form::Xml)).await.unwrap();
        assert_eq!(came.headers[name], value, "{name}");
        assert_eq!(came.octets, body, "{name}");
    }
}

/// Request fields that an application may send.
const REQUEST_FIELDS: [(&str, &str); 17] = [
    ("date", "Fri, 27 Nov 2026 23:00:00 GMT"),
    ("pragma", "no-cache"),
    ("trailer", "X-Later"),
    ("via", "1.1 proxy"),
    ("warning", "199 - \"x\""),
    ("accept-language", "de, en;q=0.5"),
    ("from", "device@example.com"),
    ("if-match", "\"x\""),
    ("if-modified-since", "Fri, 27 Nov 2026 23:00:00 GMT"),
    ("if-none-match", "*"),
    ("if-range", "\"x\""),
    ("if-unmodified-since", "Mon, 01 Jan 2001 00:00:00 GMT"),
    ("max-forwards", "3"),
    ("range", "bytes=0-10"),
    ("referer", "http://localhost/x"),
    ("te", "trailers"),
    ("cache-control", "private"),
];

/// proves: DM-HDR-14, DM-HDR-15, DSDM-HTTP-C-012-O, DSDM-HTTP-C-013-O, DSDM-HTTP-C-014-O
/// proves: DSDM-HTTP-C-017-O, DSDM-HTTP-C-018-O, DSDM-HTTP-C-022-O, DSDM-HTTP-C-025-O
/// proves: DSDM-HTTP-C-027-O, DSDM-HTTP-C-028-O, DSDM-HTTP-C-029-O, DSDM-HTTP-C-030-O
/// proves: DSDM-HTTP-C-031-O, DSDM-HTTP-C-032-O, DSDM-HTTP-C-034-O, DSDM-HTTP-C-035-O
/// proves: DSDM-HTTP-C-036-O, DM-SCR-1
#[tokio::test]
async fn an_application_adds_fields_to_its_requests() {
    let server = Told::start(vec![response("", &message(1, Form::Xml, true))]).await;
    let mut sent = outgoing(Form::Xml);
    for (name, value) in REQUEST_FIELDS {
        sent.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    call(server.address, &binding(), sent).await.unwrap();
    let head = &server.heads()[0];
    for (name, value) in REQUEST_FIELDS {
        assert_eq!(field(head, name).as_deref(), Some(value), "{name}");
    }
}

/// proves: DSDM-HTTP-C-011-O
#[tokio::test]
async fn a_client_that_keeps_no_connection_says_so() {
    let server = Told::start(vec![response("", &message(1, Form::Xml, true))]).await;
    let (request, expect) = prepare(server.address, &binding(), outgoing(Form::Xml));
    let client = Client::builder().keep_alive(false).build();
    let mut connection =
        client.connection(format!("http://{}/omadm", server.address).parse().unwrap());
    let answer = connection.send(request).await.unwrap();
    binding().decode_response(expect, answer).unwrap();
    assert_eq!(field(&server.heads()[0], "connection").as_deref(), Some("close"));
    assert!(!connection.is_open());
}
