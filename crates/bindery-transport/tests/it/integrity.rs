//! Content-Digest (RFC 9530), both sides.

use std::io::Write as _;
use std::sync::atomic::Ordering::SeqCst;

use bindery_core::ContentCoding;
use bindery_transport::{Client, ErrorKind, Limits};
use flate2::{Compression, write::GzEncoder};

use crate::{
    client::{Script, message, say},
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
    let mut coded = GzEncoder::new(Vec::new(), Compression::fast());
    coded.write_all(b"abc").unwrap();
    let coded = coded.finish().unwrap();
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

#[tokio::test]
async fn both_sides_agree() {
    let server = Running::with_profile(Limits::default(), Echo::coded()).await;
    let mut connection = client().connection(server.url().parse().unwrap());
    for body in ["", "abc", &"long ".repeat(1000)] {
        let answer = connection.send(message(body)).await.unwrap();
        assert_eq!(answer.body().as_bytes().unwrap(), body);
    }
}
