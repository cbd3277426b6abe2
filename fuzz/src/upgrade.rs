//! A target of bindery-transport: connections that become TLS (RFC 2817), the server's side and the client's, over streams in
//! memory.

use std::sync::Arc;

use bindery_core::{Body, Peer};
use bindery_transport::{Client, Server, Target, Upgrade, UpgradeMode};
use http::{HeaderValue, Method, Request, header};
use tokio::{
    io::{AsyncWriteExt as _, DuplexStream, duplex},
    time::{Duration, timeout},
};

use crate::{
    peers::{Heard, Lines, Peers},
    site::{Seen, router},
    wire::{HELLO, Mask, PIPE, as_sent, find, masked, pieces, read, run, says, write},
};

/// Longer than every limit of a connection together.
const EVER: Duration = Duration::from_secs(4 * 3_600);

/// The alert `unexpected_message`, in clear.
const ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 10];

/// The first octet says who is tried: a server whose upgrade is optional (`0`), required (`1`), by `OPTIONS *` only (`2`), or
/// both (`3`); a client that insists on an upgrade (`4`), offers one (`5`), or neither (`6`). The rest is what the other side
/// says, in pieces between lines of `%%`; within what stands for TLS it is encrypted, so to speak, unless it begins with `!`.
///
/// The server: no 101 without an offer, with the strict mode only to `OPTIONS *`; behind a 101 nothing in clear but an alert;
/// where TLS is required nothing reaches the endpoint in clear. The client: one that insists says nothing in clear but the
/// question; no handshake before a 101; no answer in clear behind one. Both end.
pub fn upgrade(data: &[u8]) {
    let Some((&mode, script)) = data.split_first() else { return };
    let mode = mode & 7;
    match mode {
        4.. => run(client(mode, script)),
        _ => run(server(mode & 1 != 0, mode & 2 != 0, script)),
    }
}

async fn server(required: bool, strict: bool, script: &[u8]) {
    let mut upgrade = Upgrade::new(Arc::new(Mask));
    if required {
        upgrade = upgrade.required();
    }
    if strict {
        upgrade = upgrade.options_only();
    }
    let seen = Arc::new(Seen::default());
    let server = Server::builder().router(router(&seen));
    let counters = Arc::new(bindery_transport::Counters::new());
    let streams = server.counters(Arc::clone(&counters)).streams(None).upgrade(&upgrade);
    let (near, far) = duplex(PIPE);
    let peer = Peer::from_address("192.0.2.1:1".parse().expect("an address"));
    let serving = tokio::spawn(async move { streams.serve(Box::new(far), peer).await });
    let raw = converse(near, script).await;
    timeout(EVER, serving).await.expect("a connection ends").expect("no panic");
    assert_eq!(counters.snapshot().panics, 0, "the endpoint's assertions hold");
    let Some(end) = switched(&raw) else {
        assert_eq!(seen.secured(), 0, "without a 101");
        assert!(!required || seen.clear() == 0, "in clear, where TLS is required");
        return;
    };
    assert!(says(script, "upgrade") && says(script, "tls/1."), "101 without an offer");
    assert!(!strict || find(script, b"OPTIONS * HTTP/1.1").is_some(), "101 to another request");
    assert!(!required || seen.clear() == 0, "in clear, where TLS is required");
    let behind = raw.get(end..).unwrap_or_default();
    let answer = masked(behind);
    assert!(
        behind.is_empty() || behind == ALERT || answer.starts_with(b"HTTP/1.1 "),
        "in clear behind a 101: {:?}",
        behind.escape_ascii().to_string()
    );
    assert!(switched(&answer).is_none(), "a second upgrade");
}

/// Says a script to a server and gives what it has answered.
async fn converse(mut io: DuplexStream, script: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut secured = false;
    for piece in pieces(script) {
        write(&mut io, &as_sent(piece, secured)).await;
        let ended = read(&mut io, &mut raw).await;
        if !secured && switched(&raw).is_some() {
            secured = true;
            write(&mut io, &[HELLO]).await;
            read(&mut io, &mut raw).await;
        }
        if ended {
            break;
        }
    }
    let _ = io.shutdown().await;
    while !read(&mut io, &mut raw).await {
        // A peer that is told the end closes within its limits; the clock jumps.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    raw
}

/// Where the head of a 101 ends.
fn switched(raw: &[u8]) -> Option<usize> {
    let line = b"HTTP/1.1 101 ";
    let at = match raw.starts_with(line) {
        true => 0,
        false => find(raw, b"\nHTTP/1.1 101 ")?,
    };
    Some(at + find(raw.get(at..)?, b"\r\n\r\n")? + 4)
}

/// What nobody on the way may see.
const SECRET: &str = "s-e-c-r-e-t";

async fn client(mode: u8, script: &[u8]) {
    let how = match mode {
        4 => UpgradeMode::Required,
        5 => UpgradeMode::Optional,
        _ => UpgradeMode::Never,
    };
    let peers = Peers::new(pieces(script));
    let client = Client::builder().connector(Arc::new(Mask)).upgrade(how);
    let client = client.dialer(Arc::new(Lines(Arc::clone(&peers)))).build();
    let target: Target = "http://a.test/echo".parse().expect("a URL");
    let mut connection = client.connection(target);
    for method in [Method::POST, Method::GET] {
        let mut request = Request::new(Body::from(SECRET.to_owned()));
        *request.method_mut() = method;
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static(SECRET));
        let answer = timeout(EVER, connection.send(request)).await.expect("an exchange ends");
        if answer.is_ok() && how == UpgradeMode::Required {
            assert!(connection.channel().is_some_and(bindery_core::Channel::is_tls));
        }
    }
    drop(connection);
    // Until the peers have heard the end.
    tokio::time::sleep(EVER).await;
    let heard = peers.heard();
    heard.iter().for_each(|heard| check(heard, how));
}

fn check(heard: &Heard, how: UpgradeMode) {
    if let Some(before) = &heard.before {
        assert!(how != UpgradeMode::Never, "a handshake that nobody asked for");
        let said = String::from_utf8_lossy(before).into_owned();
        assert!(said.contains(" 101"), "a handshake without a 101: {said:?}");
    }
    match how {
        UpgradeMode::Required => {
            let clear = &heard.clear;
            assert!(!says(clear, SECRET), "told in clear");
            assert!(clear.is_empty() || clear.starts_with(b"OPTIONS * HTTP/1.1\r\n"));
            let heads = clear.windows(4).filter(|four| *four == b"\r\n\r\n").count();
            assert!(heads <= 1 && (heads == 0 || clear.ends_with(b"\r\n\r\n")), "one question");
        }
        UpgradeMode::Never => assert!(!says(&heard.clear, "upgrade"), "nothing is offered"),
        _ => {}
    }
}
