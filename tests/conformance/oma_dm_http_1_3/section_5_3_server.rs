//! Section 5.3 at the server: methods and fields.

use std::io::Write as _;

use bindery_omadm::{DmHttp, DmProfile};
use bindery_syncml::{Form, Options, SyncMl};
use flate2::{
    Compression,
    read::GzDecoder,
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::desk::{Desk, Post, WBXML, XML, clear, code, message, read};

/// proves: DM-METH-2, DSDM-HTTP-S-040-O
#[tokio::test]
async fn other_methods_are_refused_with_the_one_that_is_there() {
    let desk = Desk::start().await;
    for method in ["OPTIONS", "GET", "PUT", "DELETE", "TRACE"] {
        let answer = desk.ask(&Post::new(1).line(&format!("{method} /omadm HTTP/1.1"))).await;
        assert_eq!((answer.status, answer.field("allow")), (405, Some("POST")), "{method}");
    }
    let answer = desk.ask(&Post::new(1).line("SEND /omadm HTTP/1.1")).await;
    assert_eq!(answer.status, 501);
    assert!(desk.heard().is_empty());
}

/// proves: DM-HDR-1, DSDM-HTTP-S-010-O
#[tokio::test]
async fn nothing_may_be_kept_by_a_cache() {
    let desk = Desk::start().await;
    for (post, status) in [
        (Post::new(1), 200),
        (Post::new(1).set("Cache-Control", "private"), 200),
        (Post::new(1).set("Cache-Control", "no-store, private, x=\"y\""), 200),
        (Post::new(1).without("Cache-Control"), 200),
        (Post::new(1).set("Accept", "text/html"), 406),
        (Post::new(1).line("GET /omadm HTTP/1.1"), 405),
    ] {
        let answer = desk.ask(&post).await;
        assert_eq!(answer.status, status);
        let words = answer.words("cache-control");
        assert!(words.contains(&"no-store".to_owned()), "{words:?}");
        assert!(words.contains(&"private".to_owned()), "{words:?}");
    }
    let shown = desk.heard();
    assert_eq!(shown[0].headers["cache-control"], "no-store");
    assert_eq!(shown[1].headers["cache-control"], "private");
}

/// proves: DM-HDR-2, DSDM-HTTP-S-015-O
#[tokio::test]
async fn chunks_are_taken_and_sent() {
    let desk = Desk::start().await;
    let answer = desk.ask(&Post::new(1).chunked()).await;
    assert_eq!(code(&read(&answer)), 212);
    let coded = Post::new(1).without("Content-Length").with("Transfer-Encoding", "gzip, chunked");
    assert!(matches!(desk.ask(&coded).await.status, 400 | 501));

    let desk = Desk::with(DmHttp::new(&clear()).with_chunked(true), HeaderMap::new()).await;
    let mut raw = bindery_tests::raw::Raw::clear(desk.address).await;
    raw.send(Post::new(1).with("Connection", "close").octets()).await;
    let (all, _) = raw.rest().await;
    let text = String::from_utf8(all).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("transfer-encoding: chunked") && !head.contains("content-length"),
        "{head}"
    );
    let (size, rest) = body.split_once("\r\n").unwrap();
    let size = usize::from_str_radix(size, 16).unwrap();
    let first = rest.as_bytes()[..size].to_vec();
    assert!(SyncMl::decode(&first.into(), &Options::STRICT).is_ok());
}

/// proves: DM-HDR-3, DM-HDR-7, DSDM-HTTP-S-021-O, DSDM-HTTP-S-049-O
#[tokio::test]
async fn gzip_and_deflate_go_both_ways_and_others_get_415() {
    let desk = Desk::start().await;
    let plain = message(1, Form::Xml, true);
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    for (coding, body) in [("gzip", &gzip), ("deflate", &deflate), ("identity", &plain)] {
        let post = Post::new(1).body(body.clone()).with("Content-Encoding", coding);
        assert_eq!(code(&read(&desk.ask(&post).await)), 212, "{coding}");
    }
    for coding in ["br", "gzip, gzip", "compress"] {
        let post = Post::new(1).body(gzip.clone()).with("Content-Encoding", coding);
        let answer = desk.ask(&post).await;
        assert_eq!(answer.status, 415, "{coding}");
        assert!(answer.field("accept-encoding").unwrap().contains("gzip"));
    }
    let mut answer = desk.ask(&Post::new(1).with("Accept-Encoding", "gzip,deflate")).await;
    assert_eq!(answer.field("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    std::io::copy(&mut GzDecoder::new(&answer.body[..]), &mut text).unwrap();
    answer.body = text;
    assert_eq!(code(&read(&answer)), 212);
    let heard = desk.heard().len();
    let answer = desk.ask(&Post::new(1).with("Accept-Encoding", "identity;q=0, br")).await;
    assert_eq!(answer.status, 406);
    assert_eq!(desk.heard().len(), heard);
}

/// proves: DM-HDR-5, DSDM-HTTP-S-020-O
#[tokio::test]
async fn other_character_sets_get_406_and_no_message() {
    let desk = Desk::start().await;
    for charset in ["iso-8859-1", "UTF-16, us-ascii;q=0.5", "utf-8;q=0", "*;q=0"] {
        let answer = desk.ask(&Post::new(1).set("Accept-Charset", charset)).await;
        assert_eq!((answer.status, answer.body.len()), (406, 0), "{charset}");
    }
    assert!(desk.heard().is_empty(), "nothing was done");
    for charset in ["UTF-8", "utf-8", "iso-8859-1;q=0.5, utf-8", "*"] {
        let answer = desk.ask(&Post::new(1).set("Accept-Charset", charset)).await;
        assert_eq!(code(&read(&answer)), 212, "{charset}");
        assert!(answer.field("content-type").unwrap().contains("utf-8"));
    }
}

/// proves: DM-HDR-10
#[tokio::test]
async fn a_client_that_takes_no_message_gets_406() {
    let desk = Desk::start().await;
    for accept in ["text/html", "application/vnd.syncml.dm+xml;q=0", "image/*, text/*"] {
        let answer = desk.ask(&Post::new(1).set("Accept", accept)).await;
        assert_eq!((answer.status, answer.body.len()), (406, 0), "{accept}");
    }
    assert!(desk.heard().is_empty());
}

/// proves: DM-HDR-8, DSDM-HTTP-S-037-O
#[tokio::test]
async fn the_user_agent_is_shown_to_the_application_and_not_insisted_on() {
    let desk = Desk::start().await;
    desk.ask(&Post::new(1)).await;
    let answer = desk.ask(&Post::new(1).without("User-Agent")).await;
    assert_eq!(code(&read(&answer)), 212);
    let heard = desk.heard();
    assert_eq!(heard[0].user_agent(), Some("Foo Bar DM Products v3.4"));
    assert_eq!(heard[1].user_agent(), None);
}

/// With `strict` a client that leaves one of the fields out learns that it has to send it.
#[tokio::test]
async fn a_strict_server_insists_on_what_the_binding_demands() {
    let mut profile: DmProfile = clear();
    profile.strict = true;
    let desk = Desk::with(DmHttp::new(&profile), HeaderMap::new()).await;
    assert_eq!(desk.ask(&Post::new(1)).await.status, 200);
    for field in ["Accept", "Accept-Charset", "Cache-Control", "User-Agent"] {
        assert_eq!(desk.ask(&Post::new(1).without(field)).await.status, 400, "{field}");
    }
}

/// The response fields of section 5.3.4 that an application may set.
const RESPONSE_FIELDS: [(&str, &str); 8] = [
    ("accept-ranges", "none"),
    ("age", "7"),
    ("authentication-info", "nextnonce=\"Bruce\""),
    ("etag", "\"x\""),
    ("location", "http://localhost/other"),
    ("retry-after", "120"),
    ("server", "Foo DM Server"),
    ("warning", "199 - \"x\""),
];

/// proves: DSDM-HTTP-S-038-O, DSDM-HTTP-S-039-O, DSDM-HTTP-S-042-O, DSDM-HTTP-S-043-O
/// proves: DSDM-HTTP-S-045-O, DSDM-HTTP-S-046-O, DSDM-HTTP-S-047-O, DSDM-HTTP-S-018-O
#[tokio::test]
async fn the_application_sets_the_fields_of_its_answers() {
    let mut fields = HeaderMap::new();
    for (name, value) in RESPONSE_FIELDS {
        fields.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let mut profile = clear();
    profile.codings = false;
    fields.insert("vary", HeaderValue::from_static("User-Agent"));
    let desk = Desk::with(DmHttp::new(&profile), fields).await;
    let answer = desk.ask(&Post::new(1)).await;
    assert_eq!(code(&read(&answer)), 212, "they change nothing");
    for (name, value) in RESPONSE_FIELDS {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    assert_eq!(answer.field("vary"), Some("User-Agent"));
}

/// Fields that a request may have and that change nothing.
const REQUEST_FIELDS: [(&str, &str); 19] = [
    ("date", "Fri, 27 Nov 2026 23:00:00 GMT"),
    ("pragma", "no-cache"),
    ("trailer", "X-Later"),
    ("upgrade", "TLS/1.0"),
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
    ("accept-encoding", "identity"),
    ("cache-control", "no-store"),
];

/// proves: DM-HDR-14, DM-HDR-15, DSDM-HTTP-S-012-O, DSDM-HTTP-S-013-O, DSDM-HTTP-S-014-O
/// proves: DSDM-HTTP-S-017-O, DSDM-HTTP-S-022-O, DSDM-HTTP-S-025-O, DSDM-HTTP-S-027-O
/// proves: DSDM-HTTP-S-028-O, DSDM-HTTP-S-029-O, DSDM-HTTP-S-030-O, DSDM-HTTP-S-031-O
/// proves: DSDM-HTTP-S-032-O, DSDM-HTTP-S-034-O, DSDM-HTTP-S-035-O, DSDM-HTTP-S-036-O, DM-SCR-1
#[tokio::test]
async fn other_fields_are_shown_and_make_no_partial_or_unmodified_answer() {
    let desk = Desk::start().await;
    let plain = desk.ask(&Post::new(1)).await;
    for (name, value) in REQUEST_FIELDS {
        let answer = desk.ask(&Post::new(1).set(name, value)).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(read(&answer).body.commands.len(), read(&plain).body.commands.len(), "{name}");
        assert_eq!(desk.heard().last().unwrap().headers[name], value, "{name}");
    }
}

/// proves: DSDM-HTTP-S-024-O
#[tokio::test]
async fn an_expectation_of_100_continue_is_met() {
    let desk = Desk::start().await;
    let mut raw = bindery_tests::raw::Raw::clear(desk.address).await;
    let post = Post::new(1).with("Expect", "100-continue");
    let octets = post.octets();
    let (head, body) = octets.split_at(octets.len() - post.body_octets().len());
    raw.send(head).await;
    assert_eq!(raw.answer().await.status, 100);
    raw.send(body).await;
    assert_eq!(code(&read(&raw.answer().await)), 212);
    assert_eq!(desk.heard()[0].headers["expect"], "100-continue");
    assert_eq!(desk.ask(&Post::new(1).with("Expect", "coffee")).await.status, 417);
}

/// proves: DM-HDR-13, DSDM-HTTP-S-026-O
#[tokio::test]
async fn a_request_has_one_host() {
    let desk = Desk::start().await;
    assert_eq!(desk.ask(&Post::new(1).without("Host")).await.status, 400);
    assert_eq!(desk.ask(&Post::new(1).with("Host", "other")).await.status, 400);
    assert_eq!(desk.ask(&Post::new(1).set("Host", "a b")).await.status, 400);
    assert_eq!(desk.ask(&Post::new(1).set("Host", "dm.example:8080")).await.status, 200);
    let heard = desk.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].url.as_ref().unwrap(), "http://dm.example:8080/omadm");
}

/// proves: DSDM-HTTP-S-001-O
#[tokio::test]
async fn the_server_is_one_as_appendix_b_has_it() {
    // POST, Cache-Control, Transfer-Encoding, Accept, Accept-Charset and User-Agent in one exchange.
    let desk = Desk::start().await;
    let post = Post::of(message(1, Form::Wbxml, true), WBXML).chunked();
    let answer = desk.ask(&post.set("Accept", XML)).await;
    assert_eq!(code(&read(&answer)), 212);
    assert!(answer.field("content-type").unwrap().starts_with(XML));
    assert!(answer.words("cache-control").contains(&"no-store".to_owned()));
    assert!(desk.heard()[0].user_agent().is_some());
}

/// proves: SUB-STATUS-2
#[tokio::test]
async fn errors_stand_in_the_message_under_200_and_what_is_no_message_gets_400() {
    let card = DmProfile::default().card();
    assert!(card.body_faults.contains("under 200") && card.body_faults.contains("400"));
    let desk = Desk::start().await;
    for (media_type, body) in
        [(XML, &b"<SyncML"[..]), (WBXML, &[0x02, 0xa4, 0x01, 0x6a, 0]), (XML, b"")]
    {
        let answer = desk.ask(&Post::of(body.to_vec(), media_type)).await;
        assert_eq!((answer.status, answer.body.len()), (400, 0), "{}", body.escape_ascii());
        assert!(answer.field("bindery-refusal").is_some());
    }
    // A message with another's credentials is read, and answered in a message.
    let text = String::from_utf8(message(1, Form::Xml, true)).unwrap();
    let (credentials, others) = ("ZXZlOm1vdGg=", "ZXZlOndvcm0=");
    assert!(text.contains(credentials), "eve:moth");
    let answer = desk.ask(&Post::of(text.replace(credentials, others).into_bytes(), XML)).await;
    assert_eq!(code(&read(&answer)), 401);
}
