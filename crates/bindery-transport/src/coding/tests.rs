use std::{
    io::Write,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bindery_core::BodyError;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use http::HeaderValue;
use http_body::{Body as HttpBody, Frame};

use super::*;

const BOTH: [ContentCoding; 2] = [ContentCoding::Gzip, ContentCoding::Deflate];

fn check(accept: &str, coding: Option<ContentCoding>, identity: bool) {
    let mut headers = HeaderMap::new();
    if !accept.is_empty() {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap());
    }
    assert_eq!(acceptable(&headers, &BOTH), Acceptable { coding, identity }, "{accept:?}");
}

#[test]
fn accept_encoding() {
    let (gzip, deflate) = (Some(ContentCoding::Gzip), Some(ContentCoding::Deflate));
    check("", None, true);
    check("gzip", gzip, true);
    check("GZIP", gzip, true);
    check("x-gzip", gzip, true);
    check("deflate", deflate, true);
    check("deflate,gzip", gzip, true);
    check("deflate;q=0.9, gzip;q=0.8", deflate, true);
    check("deflate;q=0.001, gzip;q=0", deflate, true);
    check("gzip ; q=0.5", gzip, true);
    check("gzip;Q=1.000", gzip, true);
    check("gzip;q=0, gzip;q=1", None, true);
    check("br, zstd", None, true);
    check("*", gzip, true);
    check("*;q=0.5, gzip;q=0.1", deflate, true);
    check("identity", None, true);
    check("identity;q=0.5, gzip", gzip, true);
    check("identity, gzip;q=0.5", None, true);
    check("identity;q=0", None, false);
    check("*;q=0", None, false);
    check("*;q=0, identity;q=0.1", None, true);
    check("*;q=0, gzip", gzip, false);
    check("identity;q=0, *", gzip, false);
    // What cannot be read is passed over.
    for bad in ["gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=.5", "gzip;q=", "gzip;x=1"] {
        check(bad, None, true);
    }
    check(",, ;q=1 ,gzip", gzip, true);
}

#[test]
fn content_encoding() {
    let read = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(header::CONTENT_ENCODING, value);
        }
        declared(&headers)
    };
    assert_eq!(read(&[]), Declared::None);
    assert_eq!(read(&["", "identity, Identity"]), Declared::None);
    assert_eq!(read(&["gzip"]), Declared::One(ContentCoding::Gzip));
    assert_eq!(read(&["identity", "DEFLATE"]), Declared::One(ContentCoding::Deflate));
    for other in
        [&["br"][..], &["gzip, gzip"], &["gzip", "deflate"], &["br, gzip"], &["gzip\u{e9}"]]
    {
        assert_eq!(read(other), Declared::Other, "{other:?}");
    }
}

/// A body in pieces of one size.
struct Pieces(Vec<u8>, usize);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.1.min(self.0.len());
        let rest = self.0.split_off(size);
        let piece = std::mem::replace(&mut self.0, rest);
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }
}

fn undo(coding: ContentCoding, coded: &[u8], piece: usize, limit: u64) -> Result<Bytes, BodyError> {
    let body = decode(coding, Body::stream(Pieces(coded.to_vec(), piece)), limit);
    let collected = pin!(body.collect(u64::MAX));
    match collected.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Best compression and several blocks, so that truncation meets every part of the format.
fn coded(coding: ContentCoding, plain: &[u8]) -> Vec<u8> {
    let (one, two) = plain.split_at(plain.len() / 2);
    let level = Compression::best();
    match coding {
        ContentCoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(one).unwrap();
            encoder.flush().unwrap();
            encoder.write_all(two).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(one).unwrap();
            encoder.flush().unwrap();
            encoder.write_all(two).unwrap();
            encoder.finish().unwrap()
        }
    }
}

#[test]
fn round_trip_in_pieces_of_any_size() {
    let plain: Vec<u8> = (0..20_000_u32).flat_map(|n| (n / 7).to_be_bytes()).collect();
    for coding in BOTH {
        let own = encode(coding, &plain).unwrap();
        for (coded, piece) in
            [(coded(coding, &plain), 1), (coded(coding, &plain), 1000), (own.to_vec(), usize::MAX)]
        {
            let limit = plain.len() as u64;
            assert_eq!(undo(coding, &coded, piece, limit).unwrap(), plain, "{coding:?} {piece}");
            let over = undo(coding, &coded, piece, limit - 1).unwrap_err();
            assert!(matches!(over, BodyError::TooLarge { limit: l } if l == limit - 1), "{over}");
        }
    }
}

#[test]
fn truncated_at_every_octet() {
    let plain = b"a message that stands there, and another one".repeat(3);
    for coding in BOTH {
        let whole = coded(coding, &plain);
        for length in 0..whole.len() {
            for piece in [1, usize::MAX] {
                let outcome = undo(coding, &whole[..length], piece, 1000);
                assert!(matches!(outcome, Err(BodyError::Coding(_))), "{coding:?} {length}");
            }
        }
    }
}

#[test]
fn octets_after_the_end() {
    for coding in BOTH {
        for piece in [1, usize::MAX] {
            let mut whole = coded(coding, b"a message");
            whole.push(b'x');
            let outcome = undo(coding, &whole, piece, 1000);
            assert!(matches!(outcome, Err(BodyError::Coding(_))), "{coding:?} {piece}");
        }
    }
}

#[test]
fn every_changed_bit_is_a_fault_or_harmless() {
    let plain = b"a message that stands there";
    for coding in BOTH {
        let whole = coded(coding, plain);
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = undo(coding, &changed, usize::MAX, 10_000) {
                // Time stamp, system and the like: nothing that the content depends on.
                assert_eq!(&*read, plain, "{coding:?} bit {bit}");
            }
        }
    }
}

#[test]
fn an_endless_gzip_header_keeps_nothing() {
    // The flag for a name, and a name without an end.
    let mut head = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    head.extend(vec![b'a'; 1 << 20]);
    assert!(undo(ContentCoding::Gzip, &head, 1000, 1000).is_err());
}
