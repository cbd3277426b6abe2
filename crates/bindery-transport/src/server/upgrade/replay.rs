//! The request that asked for an upgrade, once more, to be read within TLS.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderName, header, request};

use crate::upgrade_field::members;

/// What belonged to the hop in clear, and is over.
const LEFT_OUT: [HeaderName; 5] = [
    header::CONNECTION,
    header::UPGRADE,
    header::EXPECT,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
];

/// Writes a request as the HTTP engine reads it: the same method, target, fields and body, without the offer.
///
/// The engine has no other way in for a request that was read already. The parts come from its own parser, so none of
/// them can hold what ends a line.
pub(in crate::server) fn replay(parts: &request::Parts, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(1024 + body.len());
    out.put_slice(parts.method.as_str().as_bytes());
    out.put_u8(b' ');
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    out.put_slice(target.as_bytes());
    out.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in &parts.headers {
        if !LEFT_OUT.contains(name) {
            field(&mut out, name, value.as_bytes());
        }
    }
    let others = members(&parts.headers, &header::CONNECTION);
    let others: Vec<&str> = others.filter(|one| !one.eq_ignore_ascii_case("upgrade")).collect();
    if !others.is_empty() {
        field(&mut out, &header::CONNECTION, others.join(", ").as_bytes());
    }
    // What a card says of a declared length holds for what the client declared.
    if parts.headers.contains_key(header::CONTENT_LENGTH) {
        field(&mut out, &header::CONTENT_LENGTH, body.len().to_string().as_bytes());
        out.put_slice(b"\r\n");
        out.put_slice(body);
    } else if parts.headers.contains_key(header::TRANSFER_ENCODING) {
        field(&mut out, &header::TRANSFER_ENCODING, b"chunked");
        out.put_slice(b"\r\n");
        if !body.is_empty() {
            out.put_slice(format!("{:x}\r\n", body.len()).as_bytes());
            out.put_slice(body);
            out.put_slice(b"\r\n");
        }
        out.put_slice(b"0\r\n\r\n");
    } else {
        out.put_slice(b"\r\n");
    }
    out.freeze()
}

fn field(out: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    out.put_slice(name.as_str().as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(fields: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method("POST").uri("/a?b=c");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn text(fields: &[(&str, &str)], body: &str) -> String {
        String::from_utf8(replay(&parts(fields), body.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn the_same_request_without_the_offer() {
        let fields = [
            ("host", "a"),
            ("connection", "keep-alive, Upgrade, close"),
            ("upgrade", "TLS/1.2"),
            ("expect", "100-continue"),
            ("content-length", "5"),
            ("x", "1"),
            ("x", "2"),
        ];
        let written = "POST /a?b=c HTTP/1.1\r\nhost: a\r\nx: 1\r\nx: 2\r\nconnection: keep-alive, close\r\n\
                       content-length: 5\r\n\r\nhello";
        assert_eq!(text(&fields, "hello"), written);
    }

    #[test]
    fn a_body_is_framed_as_it_came() {
        assert!(text(&[("content-length", "0")], "").ends_with("content-length: 0\r\n\r\n"));
        let chunked = text(&[("transfer-encoding", "chunked")], "0123456789abcdef0");
        assert!(
            chunked.ends_with("chunked\r\n\r\n11\r\n0123456789abcdef0\r\n0\r\n\r\n"),
            "{chunked}"
        );
        assert!(text(&[("transfer-encoding", "chunked")], "").ends_with("\r\n\r\n0\r\n\r\n"));
        assert_eq!(text(&[], ""), "POST /a?b=c HTTP/1.1\r\n\r\n");
    }
}
