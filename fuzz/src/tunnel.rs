//! A target of bindery-transport: proxies and their tunnels, the proxy's side and the client's, over streams in memory.

use std::sync::Arc;

use bindery_auth::{Accounts, Algorithm, Authenticator, Login, secret};
use bindery_core::{Account, AuthScheme, Body, DigestAlgorithm, Peer, Principal};
use bindery_transport::{Client, Counters, Proxies, Proxy, Server, Target, Tunnels};
use http::{HeaderValue, Request, header};
use tokio::{
    io::{AsyncWriteExt as _, DuplexStream, duplex},
    time::{Duration, sleep, timeout},
};

use crate::{
    attempts::Anew,
    peers::{Lines, Peers, is_inside},
    wire::{Mask, PIPE, find, pieces, read, run, says, split, write},
};

/// Longer than every limit of a tunnel together.
const EVER: Duration = Duration::from_secs(4 * 24 * 3_600);
/// The proxy behind ours, in its operator's own network.
const NEXT: &str = "10.9.9.9:3128";
const PORTS: [u16; 2] = [80, 443];

/// The first octet says who is tried, by its bits. Bit 3 clear, a proxy: it asks who one is (1), forwards (2), leads on through
/// another one (4). Bit 3 set, a client behind a proxy: for an https server (1), behind two of them (2), with a password for
/// them (4). The rest is what the other side says, in pieces between lines of `%%`; for a proxy the client's side and behind a
/// line of `@@` the server's.
///
/// The proxy: it connects to addresses and ports that are allowed, and for nobody who has not proved who they are; it says
/// yes to `CONNECT` only when there is a connection; it forwards nothing that is for one hop, and says in `Via` that it did.
/// The client: nothing but `CONNECT` goes out in clear for an https server, the server's credentials and an offer of TLS least
/// of all; no handshake before a 2xx; a password goes out as Digest only. Both end.
pub fn tunnel(data: &[u8]) {
    let Some((&mode, script)) = data.split_first() else { return };
    let bit = |bit: u8| mode & bit != 0;
    if bit(8) {
        run(client(bit(1), bit(2), bit(4), script));
    } else {
        run(proxy(bit(1), bit(2), bit(4), script));
    }
}

thread_local! {
    static ASKING: (Anew, Tunnels) = {
        let failures = Anew::default();
        (failures.clone(), Tunnels::new().authenticator(authenticator(failures)))
    };
}

fn authenticator(failures: Anew) -> Authenticator {
    let mut alice = Account::new(Principal::new("alice"));
    alice.digests.push(secret(DigestAlgorithm::Sha256, "alice", "proxy", "correct horse"));
    let accounts = Accounts::new().with("alice", alice);
    Authenticator::new("proxy", Arc::new(accounts), [7; 32])
        .expect("the realm can be sent")
        .with_schemes([AuthScheme::Digest])
        .with_algorithms(Algorithm::ALL)
        .with_rate_limit(Arc::new(failures))
}

async fn proxy(asks: bool, forwards: bool, leads_on: bool, script: &[u8]) {
    let mut sides = split(script, b"\n@@\n").into_iter();
    let (said, answers) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
    let peers = Peers::new(pieces(answers));
    let mut tunnels = Tunnels::new();
    if asks {
        tunnels = ASKING.with(|(failures, asking)| {
            failures.begin();
            asking.clone()
        });
    }
    tunnels = tunnels.ports(PORTS).dialer(Arc::new(Lines(Arc::clone(&peers))));
    if forwards {
        tunnels = tunnels.forwarding();
    }
    if leads_on {
        tunnels = tunnels.next([Proxy::new(NEXT).expect("a URL")]);
    }
    let counters = Arc::new(Counters::new());
    let streams = Server::builder().counters(Arc::clone(&counters)).streams(None).tunnels(tunnels);
    let (near, far) = duplex(PIPE);
    let peer = Peer::from_address("192.0.2.1:1".parse().expect("an address"));
    let serving = tokio::spawn(async move { streams.serve(Box::new(far), peer).await });
    let raw = converse(near, said).await;
    timeout(EVER, serving).await.expect("a connection ends").expect("no panic");
    sleep(EVER).await;
    let opened = peers.opened();
    assert!(!asks || opened.is_empty(), "for somebody unknown");
    for address in &opened {
        if leads_on {
            assert_eq!(address.to_string(), NEXT, "past the next proxy");
        } else {
            assert!(PORTS.contains(&address.port()), "{address}");
            assert!(!is_inside(address.ip()), "{address}");
        }
    }
    let snapshot = counters.snapshot();
    assert_eq!(snapshot.panics, 0);
    if find(said, b"CONNECT") == Some(0) && raw.starts_with(b"HTTP/1.1 2") {
        assert!(!opened.is_empty(), "a tunnel to nowhere");
    }
    if snapshot.tunnels == 0 {
        peers.heard().iter().for_each(|heard| forwarded(&heard.clear, leads_on));
    }
}

/// What a server is sent of a request that was forwarded.
fn forwarded(clear: &[u8], leads_on: bool) {
    let head = find(clear, b"\r\n\r\n").and_then(|end| clear.get(..end));
    let Some(head) = head.filter(|head| !head.starts_with(b"CONNECT ")) else { return };
    let fields = head.get(find(head, b"\r\n").unwrap_or(head.len())..).unwrap_or_default();
    for name in
        ["proxy-authorization", "proxy-connection", "keep-alive", "te", "trailer", "upgrade"]
    {
        assert!(!says(fields, &format!("\r\n{name}:")), "{name} is for one hop");
    }
    let hosts = fields.windows(7).filter(|one| one.eq_ignore_ascii_case(b"\r\nhost:")).count();
    assert_eq!(hosts, 1, "one Host, which is the target's");
    assert!(says(fields, "\r\nvia:") && says(fields, " bindery"));
    let framed = says(fields, "\r\ncontent-length:") && says(fields, "\r\ntransfer-encoding:");
    assert!(!framed, "a message with two lengths");
    let target = head.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
    assert_eq!(target.starts_with(b"http://"), leads_on, "{:?}", target.escape_ascii().to_string());
}

/// Says a script to a proxy and gives what it has answered.
async fn converse(mut io: DuplexStream, script: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    for piece in pieces(script) {
        write(&mut io, piece).await;
        if read(&mut io, &mut raw).await {
            break;
        }
    }
    let _ = io.shutdown().await;
    while !read(&mut io, &mut raw).await {
        sleep(Duration::from_secs(60)).await;
    }
    raw
}

/// What nobody on the way may see.
const SECRET: &str = "s-e-c-r-e-t";
/// What the proxies ask for, and nobody else may see.
const PASSWORD: &str = "hunter2";

async fn client(secured: bool, two: bool, knows: bool, script: &[u8]) {
    let peers = Peers::new(pieces(script));
    let way = ["http://near.test:3128", "http://far.test:3129"];
    let way = way.iter().take(if two { 2 } else { 1 }).map(|url| {
        let proxy = Proxy::new(url).expect("a URL");
        if knows { proxy.with_login(Login::new("bob", PASSWORD)) } else { proxy }
    });
    let proxies = Proxies::chain(way.collect::<Vec<_>>());
    let client = Client::builder().connector(Arc::new(Mask)).proxies(proxies);
    let client = client.dialer(Arc::new(Lines(Arc::clone(&peers)))).build();
    let url = if secured { "https://a.test/echo" } else { "http://a.test/echo" };
    let target: Target = url.parse().expect("a URL");
    let mut connection = client.connection(target);
    for _ in 0..2 {
        let mut request =
            Request::post("/").body(Body::from(SECRET.to_owned())).expect("it is fit");
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static(SECRET));
        let answer = timeout(EVER, connection.send(request)).await.expect("an exchange ends");
        if answer.is_ok() && secured {
            assert!(connection.channel().is_some_and(bindery_core::Channel::is_tls));
        }
    }
    drop(connection);
    sleep(EVER).await;
    for heard in peers.heard() {
        let clear = &heard.clear;
        assert!(!says(clear, PASSWORD) && !says(clear, "basic "), "the password");
        assert!(!says(clear, "upgrade"), "an offer of TLS before the tunnel stands");
        assert!(clear.is_empty() || secured || two || clear.starts_with(b"POST http://a.test/"));
        if two {
            assert!(clear.is_empty() || clear.starts_with(b"CONNECT far.test:3129 HTTP/1.1\r\n"));
        }
        if secured {
            assert!(!says(clear, SECRET), "told in clear");
            assert!(clear.is_empty() || clear.starts_with(b"CONNECT "));
        } else {
            assert!(heard.before.is_none(), "a handshake that nobody asked for");
        }
        if let Some(before) = &heard.before {
            let said = String::from_utf8_lossy(before).into_owned();
            assert!(said.contains(" 2"), "a handshake without a tunnel: {said:?}");
        }
    }
}
