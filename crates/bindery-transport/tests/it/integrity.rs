//! Content-Digest (RFC 9530), both sides.

use std::sync::atomic::Ordering::SeqCst;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_core::ContentCoding;
use bindery_transport::{Client, ErrorKind, Limits};
use md5::{Digest as _, Md5};
use tokio::io::AsyncWriteExt as _;

use crate::{
    client::{Script, message, say},
    coding::gzip,
    support::{Answer, Echo, OCTETS, Running},
};

/// SHA-256 of `abc` (FIPS 180-2, appendix B.1).
const ABC: &str = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
/// SHA-256 of nothing.
const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

async fn ask(server: &Running, fields: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\nContent-Length: {length}\r\n{fields}\r\n"
    );
    let mut raw = server.connect().await;
    raw.send([head.as_bytes(), body].concat()).await;
    raw.answer().await
}

#[tokio::test]
async fn a_request_whose_content_is_another_is_refused() {
    let server = Running::start(Limits::default()).await;
    for (digest, body, status) in [
        (ABC, &b"abc"[..], 200),
        (ABC, b"abd", 400),
        (ABC, b"", 400),
        (EMPTY, b"", 200),
        ("sha-256=:AAAA:", b"abc", 400),
        // What is not known, or known to be broken, does not count.
        ("md5=:AAAA:, x=1", b"abc", 200),
    ] {
        let before = server.service.handled.load(SeqCst);
        let answer = ask(&server, &format!("Content-Digest: {digest}\r\n"), body).await;
        assert_eq!(answer.status, status, "{digest} {body:?}");
        let handled = server.service.handled.load(SeqCst) - before;
        assert_eq!(handled, usize::from(status == 200), "{digest} {body:?}");
        if status == 400 {
            let told = String::from_utf8_lossy(&answer.body).to_lowercase();
            assert!(told.contains("content-digest"), "{told}");
        }
    }
}

fn md5(octets: &[u8]) -> String {
    STANDARD.encode(Md5::digest(octets))
}

/// Content-MD5 speaks of the coded octets (RFC 2616, section 14.15): where there is a coding, no binding sees them.
///
/// proves: DM-INT-1
#[tokio::test]
async fn content_md5_of_a_coded_request_is_looked_at() {
    let server = Running::with_profile(Limits::default(), Echo::coded()).await;
    let coded = gzip(b"abc");
    for (sum, status) in [
        (md5(&coded), 200),
        (md5(b"abc"), 400),
        ("AAAAAAAAAAAAAAAAAAAAAA==".to_owned(), 400),
        ("no digest".to_owned(), 400),
    ] {
        let before = server.service.handled.load(SeqCst);
        let fields = format!("Content-Encoding: gzip\r\nContent-MD5: {sum}\r\n");
        let answer = ask(&server, &fields, &coded).await;
        assert_eq!(answer.status, status, "{sum}");
        let handled = server.service.handled.load(SeqCst) - before;
        assert_eq!(handled, usize::from(status == 200), "{sum}");
    }
}

/// Blocks of deflate that nothing comes out of are no way to send for ever.
#[tokio::test]
async fn a_coded_body_has_an_end_even_if_nothing_comes_out_of_it() {
    let server = Running::with_profile(Limits::default(), Echo::coded()).await;
    // A zlib header, and then empty stored blocks: three bits of a header, padding, no octets.
    let mut raw = server.connect().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\nContent-Encoding: deflate\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n\x78\x01\r\n"
    );
    raw.send(head.into_bytes()).await;
    let blocks = [0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(13_107);
    let chunk = [format!("{:x}\r\n", blocks.len()).as_bytes(), &blocks, b"\r\n"].concat();
    // Four times what the card's limit of a body can become.
    let sent = usize::try_from(4 * Echo::coded().request_body_limit).unwrap() / chunk.len() + 8;
    for _ in 0..sent {
        if raw.stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    assert_eq!(raw.answer().await.status, 413);
}

#[tokio::test]
async fn an_answer_says_what_its_content_is_when_it_is_asked() {
    let server = Running::with_profile(Limits::default(), Echo::coded()).await;
    assert_eq!(ask(&server, "", b"abc").await.field("content-digest"), None);
    let answer = ask(&server, "Want-Content-Digest: sha-256=5, md5=10\r\n", b"abc").await;
    assert_eq!(answer.field("content-digest"), Some(ABC));
    // Of a coded one it speaks of the octets that travel.
    let fields = "Want-Content-Digest: sha-512=1\r\nAccept-Encoding: gzip\r\n";
    let answer = ask(&server, fields, &[b'x'; 3000]).await;
    assert_eq!(answer.field("content-encoding"), Some("gzip"));
    let digest = answer.field("content-digest").unwrap().to_owned();
    assert!(digest.starts_with("sha-512=:"), "{digest}");
    let fields = format!("Content-Encoding: gzip\r\nContent-Digest: {digest}\r\n");
    assert_eq!(ask(&server, &fields, &answer.body).await.body, [b'x'; 3000], "sent back as it was");
}

fn client() -> Client {
    Client::builder().content_digest(true).codings([ContentCoding::Gzip]).build()
}

#[tokio::test]
async fn a_client_says_and_asks_and_takes_no_other_content() {
    let coded = gzip(b"abc");
    for (fields, body, taken) in [
        (format!("Content-Digest: {ABC}\r\n"), &b"abc"[..], true),
        (String::new(), b"abc", true),
        (format!("Content-Digest: {ABC}\r\n"), b"abd", false),
        ("Content-Digest: sha-256=:AAAA:\r\n".to_owned(), b"abc", false),
        // Of the plain octets, where the coded ones travel.
        (format!("Content-Digest: {ABC}\r\nContent-Encoding: gzip\r\n"), &coded, false),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
        let act = say([head.as_bytes(), body].concat());
        let script = Script::start(vec![vec![act]]).await;
        let answer = script.connection(&client()).send(message("abc")).await;
        match answer {
            Ok(answer) => assert!(taken && answer.body().as_bytes().unwrap() == "abc", "{fields}"),
            Err(error) => {
                assert!(!taken, "{fields}: {error}");
                assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
                assert!(error.to_string().contains("Content-Digest"), "{error}");
            }
        }
        let request = script.requests()[0].to_ascii_lowercase();
        assert!(request.contains(&format!("content-digest: {ABC}\r\n").to_ascii_lowercase()));
        assert!(request.contains("want-content-digest: sha-256=10\r\n"));
    }
}

/// The same of a coded answer.
///
/// proves: DM-INT-1
#[tokio::test]
async fn content_md5_of_a_coded_answer_is_looked_at() {
    let coded = gzip(b"abc");
    for (sum, taken) in [(md5(&coded), true), (md5(b"abc"), false), ("none".to_owned(), false)] {
        let length = coded.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-MD5: {sum}\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
        );
        let script = Script::start(vec![vec![say([head.as_bytes(), &coded].concat())]]).await;
        match script.connection(&client()).send(message("abc")).await {
            Ok(answer) => assert!(taken && answer.body().as_bytes().unwrap() == "abc", "{sum}"),
            Err(error) => {
                assert!(!taken && error.to_string().contains("Content-MD5"), "{sum}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn both_sides_agree() {
    let server = Running::with_profile(Limits::default(), Echo::coded()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    for body in ["", "abc", &"long ".repeat(1000)] {
        let answer = connection.send(message(body)).await.unwrap();
        assert_eq!(answer.body().as_bytes().unwrap(), body);
    }
}
