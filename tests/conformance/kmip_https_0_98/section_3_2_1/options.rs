//! What client and server may or should do.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use bindery_core::ContentCoding;
use bindery_kmip::{Client, HttpsProfile, PATH, REQUEST_PORT};
use bindery_tests::{
    pki::Pki,
    raw::{Answer, Post},
    script::{Say, Script},
    site::{Setup, Site},
    wire,
};
use bindery_ttlv::registry::QueryFunction;
use flate2::{
    Compression,
    read::{GzDecoder, GzEncoder, ZlibDecoder, ZlibEncoder},
};

const OPERATIONS: [QueryFunction; 1] = [QueryFunction::QUERY_OPERATIONS];

fn all(mut reader: impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    reader.read_to_end(&mut octets).unwrap();
    octets
}

/// proves: KMIP-OPT-1
#[tokio::test]
async fn the_client_decodes_every_coding_that_it_names() {
    let pki = Pki::new();
    let answers = |_: &_, place| {
        let body = wire::query_response();
        let best = Compression::best();
        match place {
            0 => Say::with("Content-Encoding: gzip\r\n", &all(GzEncoder::new(&*body, best))),
            1 => Say::with("Content-Encoding: deflate\r\n", &all(ZlibEncoder::new(&*body, best))),
            _ => Say::ok(&body),
        }
    };
    let script = Script::start(pki.acceptor(), answers).await;
    let connector = pki.connector(Some(&pki.client("alice")));
    let transport = bindery_transport::Client::builder()
        .connector(connector)
        .codings([ContentCoding::Gzip, ContentCoding::Deflate]);
    let mut client = Client::builder(script.url().parse().unwrap()).build(&transport.build());
    for _ in 0..3 {
        let answer = client.query(OPERATIONS).await.unwrap();
        assert_eq!(answer.operations.len(), wire::OPERATIONS.len());
    }
    for request in script.requests() {
        assert_eq!(request.field("accept-encoding"), Some("gzip, deflate"));
    }
}

/// proves: KMIP-OPT-1
#[tokio::test]
async fn the_client_that_names_no_coding_sends_no_accept_encoding() {
    let pki = Pki::new();
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let connector = pki.connector(Some(&pki.client("alice")));
    let transport = bindery_transport::Client::builder().connector(connector).build();
    let mut client = Client::builder(script.url().parse().unwrap()).build(&transport);
    client.query(OPERATIONS).await.unwrap();
    assert_eq!(script.requests()[0].field("accept-encoding"), None);
}

async fn asked(site: &Site, accept: Option<&str>) -> Answer {
    let mut post = Post::new(wire::query());
    if let Some(accept) = accept {
        post = post.with("Accept-Encoding", accept);
    }
    let mut raw = site.raw("alice").await;
    raw.send(post.octets()).await;
    raw.answer().await
}

/// proves: KMIP-OPT-1S
#[tokio::test]
async fn the_server_codes_only_as_accept_encoding_names() {
    let mut profile = HttpsProfile::default();
    profile.compress_responses = true;
    let site = Site::with(Setup { profile, ..Setup::default() }).await;
    let plain = asked(&site, None).await;
    assert_eq!((plain.field("content-encoding"), plain.result()), (None, (0, None)));
    let decode = |coding: &str, body: &[u8]| match coding {
        "gzip" => all(GzDecoder::new(body)),
        _ => all(ZlibDecoder::new(body)),
    };
    for (accept, coding) in [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, gzip;q=0.5, deflate;q=0.1", "gzip"),
        ("gzip;q=0, deflate", "deflate"),
    ] {
        let mut answer = asked(&site, Some(accept)).await;
        assert_eq!(answer.field("content-encoding"), Some(coding), "{accept}");
        assert!(answer.body.len() < plain.body.len());
        answer.body = decode(coding, &answer.body);
        assert_eq!(answer.result(), (0, None));
        assert_eq!(answer.body.len(), plain.body.len());
    }
    for accept in ["br", "br, zstd", "identity", "gzip;q=0", ""] {
        let answer = asked(&site, Some(accept)).await;
        assert_eq!(
            (answer.field("content-encoding"), answer.result()),
            (None, (0, None)),
            "{accept}"
        );
        assert_eq!(answer.body.len(), plain.body.len());
    }
}

/// proves: KMIP-OPT-1S
#[tokio::test]
async fn a_server_that_was_not_told_to_codes_nothing() {
    let site = Site::start().await;
    for accept in [None, Some("gzip, deflate"), Some("*")] {
        let answer = asked(&site, accept).await;
        assert_eq!((answer.field("content-encoding"), answer.result()), (None, (0, None)));
    }
}

/// proves: KMIP-OPT-3
#[tokio::test]
async fn content_length_is_needed_only_where_http_has_no_other_delimiter() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    raw.send(Post::new(wire::query()).chunked(50).octets()).await;
    assert_eq!(raw.answer().await.result(), (0, None));
    raw.send(Post::new(wire::query()).http_1_0().without("Content-Length").octets()).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.body.len()), (400, 0));
    assert!(answer.field("bindery-refusal").unwrap().contains("length"), "{answer:?}");
    // What stood behind the head is no request.
    assert!(raw.is_ended().await);
    site.goes_on().await;
}

/// proves: KMIP-OPT-4
#[tokio::test]
async fn the_request_uri_is_configured_on_both_sides() {
    let mut profile = HttpsProfile::default();
    profile.path = "/keys/v1".into();
    let site = Site::with(Setup { profile, ..Setup::default() }).await;
    assert!(site.url().ends_with("/keys/v1"));
    site.client("alice").query(OPERATIONS).await.unwrap();
    let at = |line: &'static str| {
        let site = &site;
        async move {
            let mut raw = site.raw("alice").await;
            raw.send(Post::new(wire::query()).line(line).octets()).await;
            raw.answer().await.status
        }
    };
    assert_eq!(at("POST /keys/v1 HTTP/1.1").await, 200);
    assert_eq!(at("POST /keys/v1?tenant=7 HTTP/1.1").await, 200);
    for other in ["POST /kmip HTTP/1.1", "POST /keys/v2 HTTP/1.1", "POST /keys HTTP/1.1"] {
        assert_eq!(at(other).await, 404, "{other}");
    }
}

/// proves: KMIP-OPT-5
#[tokio::test]
async fn the_port_is_documented_and_configured() {
    let requests = |port: &&bindery_core::Port| port.purpose == "requests";
    let card = bindery_kmip::profile();
    assert_eq!(card.ports.iter().find(requests).unwrap().number, REQUEST_PORT);
    assert_eq!(REQUEST_PORT, 5696, "what README and the configuration's template say");
    // A port that is free just now stands for the one that an operator chooses.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free));
    let site = Site::with(Setup { address, ..Setup::default() }).await;
    assert_eq!(site.address, address);
    site.client("alice").query(OPERATIONS).await.unwrap();
}

/// proves: KMIP-OPT-6
#[tokio::test]
async fn with_nothing_configured_the_request_uri_is_kmip() {
    assert_eq!(PATH, "/kmip");
    let site = Site::start().await;
    site.goes_on().await;
    // A URL without a path.
    let url = format!("https://{}", site.address);
    let mut client = Client::builder(url.parse().unwrap()).build(&site.transport("alice"));
    client.query(OPERATIONS).await.unwrap();

    let pki = Pki::new();
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let connector = pki.connector(Some(&pki.client("alice")));
    let transport = bindery_transport::Client::builder().connector(connector).build();
    let url = format!("https://{}", script.address);
    let mut client = Client::builder(url.parse().unwrap()).build(&transport);
    client.query(OPERATIONS).await.unwrap();
    assert_eq!(script.requests()[0].line, "POST /kmip HTTP/1.1");
}
