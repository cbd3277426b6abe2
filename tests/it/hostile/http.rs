//! Requests that are no POST of a message.

use bindery_kmip::HttpsProfile;
use bindery_tests::{raw::Post, site::Setup, wire};

use super::{Fort, explanation};

fn good() -> Post {
    Post::new(wire::create("never there"))
}

/// A field of the answer, by name and value.
type Field = Option<(&'static str, &'static str)>;

/// Heads that can be read and ask for what is not there.
fn not_the_profiles() -> Vec<(&'static str, Post, u16, Field)> {
    let long = "a".repeat(9_000);
    let octets = Some(("accept", "application/octet-stream"));
    vec![
        ("GET", good().line("GET /kmip HTTP/1.1"), 405, Some(("allow", "POST"))),
        ("OPTIONS", good().line("OPTIONS /kmip HTTP/1.1"), 405, Some(("allow", "POST"))),
        ("CONNECT", good().line("CONNECT localhost:1 HTTP/1.1"), 405, None),
        ("post", good().line("post /kmip HTTP/1.1"), 501, None),
        ("another path", good().line("POST /else HTTP/1.1"), 404, None),
        ("the path coded", good().line("POST /%6bmip HTTP/1.1"), 404, None),
        ("a path with dots", good().line("POST /a/../kmip HTTP/1.1"), 404, None),
        ("no type", good().without("Content-Type"), 415, octets),
        ("XML", good().set("Content-Type", "text/xml"), 415, octets),
        ("no type at all", good().set("Content-Type", "octets"), 415, None),
        ("a coding", good().with("Content-Encoding", "br"), 415, None),
        (
            "a transfer coding",
            good().without("Content-Length").with("Transfer-Encoding", "gzip, chunked"),
            501,
            None,
        ),
        ("a long target", good().line(&format!("POST /kmip?{long} HTTP/1.1")), 414, None),
        ("a large header", good().with("X", &long.repeat(4)), 431, None),
        ("many fields", (0..101).fold(good(), |post, _| post.with("X", "1")), 431, None),
    ]
}

/// Heads that are no HTTP, or that leave open where the body ends.
fn not_http() -> Vec<(&'static str, Post, u16, Field)> {
    let length = wire::create("never there").len().to_string();
    vec![
        ("two other lengths", good().with("Content-Length", "8"), 400, None),
        ("a negative length", good().set("Content-Length", "-1"), 400, None),
        ("a signed length", good().set("Content-Length", &format!("+{length}")), 400, None),
        ("no length", good().set("Content-Length", "many"), 400, None),
        (
            "chunks in HTTP/1.0",
            good().http_1_0().chunked(10).set("Content-Length", &length),
            400,
            None,
        ),
        ("a space before the colon", good().with("X ", "1"), 400, None),
        ("a control character", good().with("X", "a\0b"), 400, None),
        ("the preface of HTTP/2", Post::new("").line("PRI * HTTP/2.0"), 400, None),
        ("HTTP/3.0", good().line("POST /kmip HTTP/3.0"), 400, None),
        ("HTTP/0.9", good().line("POST /kmip"), 400, None),
    ]
}

#[tokio::test]
async fn wrong_methods_types_paths_and_versions() {
    let fort = Fort::new().await;
    for (what, post, status, field) in not_the_profiles().into_iter().chain(not_http()) {
        let mut raw = fort.raw().await;
        raw.send(post.octets()).await;
        let answer = raw.maybe_answer().await.unwrap_or_else(|| panic!("{what}: no answer"));
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.body.len(), 0, "{what}: {answer:?}");
        if let Some((name, value)) = field {
            assert_eq!(answer.field(name), Some(value), "{what}: {answer:?}");
        }
        // A head that can be read gets an explanation; the connection goes on where its framing is sure.
        if raw_goes_on(&answer) {
            assert_eq!(raw.post(wire::query()).await.result(), (0, None), "{what}");
        } else {
            assert!(raw.is_ended().await, "{what}");
        }
        fort.site.goes_on().await;
    }
    fort.holds().await;
}

fn raw_goes_on(answer: &bindery_tests::raw::Answer) -> bool {
    answer.field("bindery-refusal").is_some() && answer.field("connection") != Some("close")
}

/// Framing that two readers could read in two ways. RFC 9112, section 6.1, has the server close the connection behind a
/// message with both; RFC 9110, section 8.6, lets it take equal lengths for one.
#[tokio::test]
async fn framing_that_stands_there_twice() {
    let fort = Fort::new().await;
    let query = Post::new(wire::query());
    let length = wire::query().len().to_string();
    let hidden = good().octets();
    for (both, kept) in [
        (query.clone().chunked(9).with("Content-Length", &length), false),
        (query.clone().chunked(9).with("Content-Length", "5"), false),
        (query.clone().with("Content-Length", &length), true),
    ] {
        let mut raw = fort.raw().await;
        raw.send([both.octets(), if kept { Vec::new() } else { hidden.clone() }].concat()).await;
        assert_eq!(raw.answer().await.result(), (0, None), "{both:?}");
        if kept {
            assert_eq!(raw.post(wire::query()).await.result(), (0, None));
        } else {
            assert!(raw.is_ended().await, "what stands behind it is no request");
        }
    }
    fort.holds().await;
}

#[tokio::test]
async fn a_body_over_the_limit_by_its_length() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    let body = vec![0x42; (1 << 20) + 1];
    // Refused by its head: the client need not have sent the body, and if it has, it gets the answer all the same.
    raw.send(Post::new(&body).head()).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
    assert!(explanation(&answer).contains("1048576"), "{answer:?}");
    let mut raw = fort.raw().await;
    raw.try_send(Post::new(&body).octets()).await;
    assert_eq!(raw.answer().await.status, 413);
    assert!(raw.is_ended().await);
    fort.holds().await;
}

#[tokio::test]
async fn a_body_over_the_limit_in_chunks() {
    let mut profile = HttpsProfile::default();
    profile.request_body_limit = 1 << 16;
    let fort = Fort::with(Setup { profile, ..Setup::default() }).await;
    for (size, count) in [(1 << 16, 8), (1, 1 << 17)] {
        let chunk =
            [format!("{size:x}\r\n").as_bytes(), &vec![0x42; size], b"\r\n".as_slice()].concat();
        let mut raw = fort.raw().await;
        raw.send(Post::new("").chunked(1).body("").head()).await;
        // Twice the limit and more, and never an end.
        for piece in chunk.repeat(count).chunks(1 << 14) {
            if !raw.try_send(piece).await {
                break;
            }
        }
        let answer = raw.answer().await;
        assert_eq!((answer.status, answer.field("connection")), (413, Some("close")), "{size}");
        assert!(explanation(&answer).contains("65536"), "{answer:?}");
        fort.site.goes_on().await;
    }
    fort.holds().await;
}

#[tokio::test]
async fn a_request_hidden_in_a_body_is_no_request() {
    let fort = Fort::new().await;
    let hidden = good().octets();
    for post in [
        Post::new(&hidden),
        Post::new(&hidden).chunked(20),
        Post::new(&hidden).line("GET /kmip HTTP/1.1"),
        Post::new(&hidden).line("POST /else HTTP/1.1"),
    ] {
        let mut raw = fort.raw().await;
        raw.send(post.with("Connection", "close").octets()).await;
        assert_ne!(raw.answer().await.status, 200);
        assert!(raw.is_ended().await, "one request, one answer");
    }
    fort.holds().await;
}

#[tokio::test]
async fn chunks_that_are_none() {
    let fort = Fort::new().await;
    for chunks in [
        "zz\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "8\r\nBx\u{0}x",
        "1;\n\r\r\n",
        "0\r\nX Y\r\n\r\n",
    ] {
        let mut raw = fort.raw().await;
        raw.send(Post::new("").chunked(1).body(chunks).octets()).await;
        raw.finish().await;
        if let Some(answer) = raw.maybe_answer().await {
            assert_eq!((answer.status, answer.body.len()), (400, 0), "{chunks:?}: {answer:?}");
        }
        fort.site.goes_on().await;
    }
    fort.holds().await;
}
