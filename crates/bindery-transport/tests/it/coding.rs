//! Content coding, on the server's side.

use std::io::{Read, Write};

use bindery_transport::Limits;
use flate2::{
    Compression,
    read::{GzDecoder, ZlibDecoder},
    write::{GzEncoder, ZlibEncoder},
};

use crate::support::{Answer, Echo, OCTETS, Running};

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn undone(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.field("content-encoding") {
        Some("gzip") => GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap(),
        Some("deflate") => ZlibDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap(),
        None => (&*answer.body).read_to_end(&mut plain).unwrap(),
        other => panic!("{other:?}"),
    };
    plain
}

async fn ask(server: &Running, fields: &str, body: &[u8]) -> Answer {
    let mut raw = server.connect().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\n{fields}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    raw.send([head.as_bytes(), body].concat()).await;
    raw.answer().await
}

async fn coded() -> Running {
    Running::with_profile(Limits::default(), Echo::coded()).await
}

#[tokio::test]
async fn requests() {
    let server = coded().await;
    let plain = b"a message that stands there ".repeat(100);
    for (fields, body) in [
        ("Content-Encoding: gzip\r\n", gzip(&plain)),
        ("Content-Encoding: X-GZIP\r\n", gzip(&plain)),
        ("Content-Encoding: identity, gzip\r\n", gzip(&plain)),
        ("Content-Encoding: deflate\r\n", zlib(&plain)),
        ("Content-Encoding: identity\r\n", plain.clone()),
        // A gzip body may have several members (RFC 1952, section 2.2).
        ("Content-Encoding: gzip\r\n", [gzip(&plain[..99]), gzip(&plain[99..])].concat()),
    ] {
        let answer = ask(&server, fields, &body).await;
        assert_eq!((answer.status, answer.body == plain), (200, true), "{fields}");
    }
}

#[tokio::test]
async fn faulty_requests() {
    let server = coded().await;
    let gzip = gzip(b"a message");
    let zlib = zlib(b"a message");
    let trailing = [&*zlib, b"more"].concat();
    let after_gzip = [&*gzip, b"more"].concat();
    let mut checksum = gzip.clone();
    checksum[gzip.len() - 5] ^= 1;
    for (fields, body, status) in [
        ("Content-Encoding: br\r\n", &*gzip, 415),
        ("Content-Encoding: gzip, gzip\r\n", &*gzip, 415),
        ("Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", &*gzip, 415),
        ("Content-Encoding: gzip\r\n", b"not gzip at all".as_slice(), 400),
        ("Content-Encoding: gzip\r\n", b"", 400),
        ("Content-Encoding: gzip\r\n", &*after_gzip, 400),
        ("Content-Encoding: gzip\r\n", &*checksum, 400),
        ("Content-Encoding: deflate\r\n", &*gzip, 400),
        ("Content-Encoding: deflate\r\n", b"", 400),
        ("Content-Encoding: deflate\r\n", &*trailing, 400),
    ] {
        assert_eq!(ask(&server, fields, body).await.status, status, "{fields}");
    }
}

#[tokio::test]
async fn bombs() {
    let server = coded().await;
    let zeros = vec![0; 4 << 20];
    for (fields, body) in [
        ("Content-Encoding: gzip\r\n", gzip(&zeros)),
        ("Content-Encoding: deflate\r\n", zlib(&zeros)),
    ] {
        assert!(body.len() < 64 << 10, "it fits the limit while it is coded");
        assert_eq!(ask(&server, fields, &body).await.status, 413, "{fields}");
    }
}

#[tokio::test]
async fn responses() {
    let server = coded().await;
    let long = b"a message that stands there ".repeat(100);
    for (fields, coding) in [
        ("", None),
        ("Accept-Encoding: gzip\r\n", Some("gzip")),
        ("Accept-Encoding: deflate\r\n", Some("deflate")),
        ("Accept-Encoding: deflate, gzip;q=0.5\r\n", Some("deflate")),
        ("Accept-Encoding: br\r\n", None),
        ("Accept-Encoding: *\r\n", Some("gzip")),
        ("Accept-Encoding: *, gzip;q=0\r\n", Some("deflate")),
        ("Accept-Encoding: identity, gzip;q=0.5\r\n", None),
        ("Accept-Encoding: identity;q=0, deflate;q=0.1\r\n", Some("deflate")),
    ] {
        let answer = ask(&server, fields, &long).await;
        assert_eq!((answer.status, answer.field("content-encoding")), (200, coding), "{fields}");
        assert_eq!(undone(&answer), long, "{fields}");
        assert_eq!(answer.field("vary"), Some("Accept-Encoding"), "{fields}");
    }
    let short = ask(&server, "Accept-Encoding: gzip\r\n", b"short").await;
    assert_eq!((short.field("content-encoding"), &*short.body), (None, b"short".as_slice()));
    let short = ask(&server, "Accept-Encoding: gzip, identity;q=0\r\n", b"short").await;
    assert_eq!((short.field("content-encoding"), undone(&short)), (Some("gzip"), b"short".into()));
    let none = ask(&server, "Accept-Encoding: br, *;q=0\r\n", b"short").await;
    assert_eq!(none.status, 406);
    let said = String::from_utf8_lossy(&none.body);
    assert!(said.contains("response types and codings"), "{said}");
    assert_eq!(server.service.handled.load(std::sync::atomic::Ordering::SeqCst), 11);
}

#[tokio::test]
async fn without_codings_nothing_varies() {
    let server = Running::start(Limits::default()).await;
    let answer = ask(&server, "Accept-Encoding: gzip\r\n", &[b'a'; 1000]).await;
    assert_eq!((answer.field("vary"), answer.field("content-encoding")), (None, None));
}
