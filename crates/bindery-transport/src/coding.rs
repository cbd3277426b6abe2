//! Content coding (RFC 9110, sections 8.4 and 12.5.3): undone piece by piece under a bound,
//! applied to whole bodies.

mod accept;
mod decode;
#[cfg(test)]
mod tests;

use std::io::Write;

use bindery_core::{Body, ContentCoding};
use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, header};

pub(crate) use accept::{Acceptable, acceptable};
use decode::Decoding;

/// The codings that a `Content-Encoding` declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    /// None, or `identity` only.
    None,
    /// Exactly one that is known.
    One(ContentCoding),
    /// Several, or one that is not known.
    Other,
}

/// Reads `Content-Encoding`.
pub(crate) fn declared(headers: &HeaderMap) -> Declared {
    let mut found = Declared::None;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let Ok(text) = value.to_str() else { return Declared::Other };
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name.eq_ignore_ascii_case("identity") {
                continue;
            }
            found = match (found, ContentCoding::from_name(name)) {
                (Declared::None, Some(coding)) => Declared::One(coding),
                _ => return Declared::Other,
            };
        }
    }
    found
}

/// The body without its coding. It fails as soon as more than `limit` octets come out, whatever
/// went in; a coded body that ends early fails too.
pub(crate) fn decode(coding: ContentCoding, body: Body, limit: u64) -> Body {
    Body::stream(Decoding::new(coding, body, limit))
}

/// A coded body that is not longer than one of so many octets can become by coding. Some codings have pieces that nothing
/// comes out of, and such a body would otherwise go on for as long as its time limit allows.
pub(crate) fn bounded(body: Body, limit: u64) -> Body {
    /// What a header, a trailer and blocks that hold little add to a short body.
    const SLACK: u64 = 64 * 1024;
    body.limited(limit.saturating_add(limit / 8).saturating_add(SLACK))
}

/// A whole body in a coding; `None` if it cannot be coded.
pub(crate) fn encode(coding: ContentCoding, plain: &[u8]) -> Option<Bytes> {
    let room = Vec::with_capacity(plain.len() / 2);
    let level = Compression::fast();
    let coded = match coding {
        ContentCoding::Gzip => {
            let mut encoder = GzEncoder::new(room, level);
            encoder.write_all(plain).and_then(|()| encoder.finish())
        }
        ContentCoding::Deflate => {
            let mut encoder = ZlibEncoder::new(room, level);
            encoder.write_all(plain).and_then(|()| encoder.finish())
        }
        _ => return None,
    };
    coded.ok().map(Bytes::from)
}
