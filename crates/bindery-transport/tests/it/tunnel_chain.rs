//! Proxies behind proxies: what is shared, what is sent again, and what goes in a circle.

use std::{net::SocketAddr, sync::Arc};

use bindery_auth::{Asking, Login, Session};
use bindery_core::{AuthScheme, Body};
use bindery_transport::{Limits, Listener, Proxies, Proxy, Server, Tunnels, UpgradeMode};
use http::{HeaderMap, HeaderValue, Method, Request};
use tokio::net::TcpListener;

use crate::{
    support::{Echo, Running, Service},
    tls::{authority, message},
    tunnel::{alice, ask, by, client, here, proxy, users},
    upgrade::post,
    wire::Wire,
};

const LARGE: usize = 200 << 10;

/// Writes a request whose content is as long as it takes, in chunks.
fn chunked(server: SocketAddr, length: usize) -> String {
    format!(
        "POST http://{server}/echo HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{}\r\n0\r\n\r\n",
        "x".repeat(length)
    )
}

/// A next proxy that asks who we are gets every request all the same: a short one is sent again, before a long one it is
/// asked to ask, and after the first time it need not ask.
#[tokio::test]
async fn a_next_proxy_that_asks_is_told_and_gets_the_body() {
    let mut profile = Echo::profile();
    profile.request_body_limit = 2 * LARGE as u64;
    let server = Running::with_profile(Limits::default(), profile).await;
    for scheme in [AuthScheme::Basic, AuthScheme::Digest] {
        for lengths in [[10, LARGE], [LARGE, 10]] {
            let tunnels = Tunnels::new().forwarding().authenticator(users(&[scheme]));
            let far = proxy(tunnels, &[server.address.port()]).await;
            let next = by(&far).with_login(alice());
            let near = Tunnels::new().forwarding().next([next]);
            let near = proxy(near, &[server.address.port()]).await;
            for length in lengths.into_iter().chain(lengths) {
                let mut wire = Wire::connect(near.address).await;
                wire.send(chunked(server.address, length)).await;
                let head = wire.head().await;
                assert!(head.starts_with("HTTP/1.1 200 "), "{length} by {scheme:?}: {head}");
                assert!(wire.rest().await.len() >= length);
            }
            let counted = far.counters.snapshot();
            assert_eq!(counted.requests[&407], 1, "for all requests: {:?}", counted.requests);
            assert!(near.counters.snapshot().requests.keys().all(|status| *status == 200));
        }
    }
    // Who has the wrong password is no client of ours: what it hears is not that it has to prove itself.
    let tunnels = Tunnels::new().forwarding().authenticator(users(&[AuthScheme::Digest]));
    let far = proxy(tunnels, &[server.address.port()]).await;
    let next = by(&far).with_login(Login::new("alice", "wrong"));
    let near = proxy(Tunnels::new().forwarding().next([next]), &[server.address.port()]).await;
    let told = Wire::connect(near.address).await.ask(chunked(server.address, 10)).await;
    assert_eq!((told.status(), told.field("proxy-authenticate").as_str()), (502, ""));
    assert!(told.body.contains("next proxy asks who we are"), "{}", told.body);
}

/// The connections of a client, and those that a proxy opens to the next one, share what was agreed: one is asked.
#[tokio::test]
async fn what_a_proxy_has_asked_is_known_to_all_connections() {
    let server = Running::start(Limits::default()).await;
    let far = Tunnels::new().forwarding().authenticator(users(&[AuthScheme::Digest]));
    let far = proxy(far, &[server.address.port()]).await;
    let shared = client(&authority(), &[by(&far).with_login(alice())]).build();
    let target = || format!("http://{}/echo", server.address).parse().unwrap();
    ask(&mut shared.connection(target()), "first").await;
    let asks = (0..8).map(|_| {
        let mut connection = shared.connection(target());
        tokio::spawn(async move { ask(&mut connection, "at once").await.status() })
    });
    for one in asks.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), 200);
    }
    assert_eq!(far.counters.snapshot().requests[&407], 1);
    // The same in tunnels of a proxy that leads on.
    let next = by(&far).with_login(alice());
    let near = proxy(Tunnels::new().next([next]), &[server.address.port()]).await;
    for _ in 0..3 {
        let mut wire = Wire::connect(near.address).await;
        let authority = server.address;
        wire.send(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(wire.ask(post("", "through")).await.body, "through");
    }
    assert_eq!(far.counters.snapshot().requests[&407], 2, "one of the client, one of the proxy");
    // A password that has become wrong is asked about anew each time, and stands in nobody's way once it is right.
    let wrong = Proxy::new(&far.address.to_string()).unwrap();
    let wrong = client(&authority(), &[wrong.with_login(Login::new("alice", "wrong"))]).build();
    for _ in 0..2 {
        let error = wrong.connection(target()).send(message("a")).await.unwrap_err();
        assert_eq!(error.proxy_status().unwrap(), 407);
    }
    assert_eq!(far.counters.snapshot().requests[&407], 6);
}

/// A Digest is for the request that it was made for, the host included.
#[tokio::test]
async fn a_digest_in_absolute_form_is_for_one_host() {
    let server = Running::start(Limits::default()).await;
    let port = server.address.port();
    let goal = format!("127.0.0.1:{port}");
    for lenient in [false, true] {
        let mut who = users(&[AuthScheme::Digest]);
        if lenient {
            who = who.legacy_path_uri();
        }
        let proxy = proxy(Tunnels::new().forwarding().authenticator(who), &[port]).await;
        let request = |proof: &str| {
            post("", "abc").replace("/echo", &format!("http://{goal}/echo")).replacen(
                "\r\n",
                &format!("\r\n{proof}"),
                1,
            )
        };
        for (uri, status) in [
            (format!("http://{goal}/echo"), 200),
            (format!("http://LOCALHOST:{port}/echo"), 400),
            ("http://127.0.0.1/echo".to_owned(), 400),
            ("http://other.test/echo".to_owned(), 400),
            (format!("http://{goal}/other"), 400),
            ("/echo".to_owned(), if lenient { 200 } else { 400 }),
            ("/other".to_owned(), 400),
        ] {
            let asked = Wire::connect(proxy.address).await.ask(request("")).await;
            assert_eq!(asked.status(), 407);
            let mut challenge = HeaderMap::new();
            for line in asked.head.lines().filter(|line| line.contains("algorithm=SHA-256")) {
                let value = HeaderValue::from_str(line.split_once(": ").unwrap().1).unwrap();
                challenge.append("proxy-authenticate", value);
            }
            let mut session = Session::with_proxy(Login::new("alice", "correct horse"));
            session.challenged(&challenge, false).unwrap();
            let asking = Asking::new("POST", &uri, Some(b"abc"), false, [7; 16]);
            let proof = session.authorize(&asking).unwrap().unwrap();
            let proof = format!("Proxy-Authorization: {}\r\n", proof.to_str().unwrap());
            let told = Wire::connect(proxy.address).await.ask(request(&proof)).await;
            assert_eq!(told.status(), status, "{uri}, lenient {lenient}: {told:?}");
        }
    }
}

/// RFC 9112, section 3.2.4: what is asked of the server as a whole goes to a proxy as its URL without a path.
#[tokio::test]
async fn options_of_the_whole_server_has_no_path_in_absolute_form() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut wire = Wire::new(Box::new(stream));
        let mut heard = Vec::new();
        for _ in 0..3 {
            let head = wire.head().await;
            if head.starts_with("POST") {
                assert_eq!(wire.octets(12).await, b"/ HTTP/1 /  ");
            }
            heard.push(head);
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
        heard
    });
    let proxies = Proxies::chain([Proxy::new(&address.to_string()).unwrap()]);
    let client = client(&authority(), &[]).upgrade(UpgradeMode::Optional).proxies(proxies).build();
    let mut connection = client.connection("http://a.test:81/echo".parse().unwrap());
    let star = || {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::OPTIONS;
        *request.uri_mut() = "*".parse().unwrap();
        request
    };
    connection.send(star()).await.unwrap();
    connection.send(message("/ HTTP/1 /  ")).await.unwrap();
    connection.send(star()).await.unwrap();
    let heard = heard.await.unwrap();
    let whole = "OPTIONS http://a.test:81 HTTP/1.1\r\nhost: a.test:81\r\n";
    assert!(heard[0].starts_with(whole) && heard[2].starts_with(whole), "{heard:?}");
    assert!(heard[1].starts_with("POST http://a.test:81/echo HTTP/1.1\r\n"), "{heard:?}");
    // An offer of TLS would be the proxy's.
    assert!(heard.iter().all(|head| !head.to_lowercase().contains("upgrade")), "{heard:?}");
}

/// The last proxy on the way asks the server by `*`, those before it the next one by its URL without a path.
#[tokio::test]
async fn options_of_the_whole_server_comes_there_as_an_asterisk() {
    for proxies in [1, 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = listener.local_addr().unwrap();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut wire = Wire::new(Box::new(stream));
            let head = wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            head
        });
        let far = proxy(Tunnels::new().forwarding(), &[origin.port()]).await;
        let near = Tunnels::new().forwarding().next([by(&far)]);
        let near = proxy(near, &[origin.port()]).await;
        let mut wire = Wire::connect(if proxies == 1 { far.address } else { near.address }).await;
        let head = format!(
            "OPTIONS http://{origin} HTTP/1.1\r\nHost: {origin}\r\nConnection: close\r\n\r\n"
        );
        wire.send(head).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        let heard = heard.await.unwrap();
        assert!(heard.starts_with("OPTIONS * HTTP/1.1\r\n"), "{heard}");
        assert!(heard.to_lowercase().contains(&format!("host: {origin}\r\n")), "{heard}");
    }
}

/// The question that a next proxy is asked before a long body is answered by whoever it gets to; what they say is not read.
#[tokio::test]
async fn an_answer_without_an_end_to_the_question_is_not_kept() {
    const CHUNK: &str = "1000\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let next = listener.local_addr().unwrap();
    let said = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut wire = Wire::new(Box::new(stream));
        assert!(wire.head().await.starts_with("OPTIONS http://a.test"));
        let endless = tokio::spawn(async move {
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            let chunk = format!("{CHUNK}{}\r\n", "x".repeat(0x1000));
            let mut said = 0;
            // 64 MiB, or as far as somebody reads.
            while said < (64 << 20) && wire.try_send(&chunk).await {
                said += chunk.len();
            }
            said
        });
        let (stream, _) = listener.accept().await.unwrap();
        let mut wire = Wire::new(Box::new(stream));
        assert!(wire.head().await.starts_with("POST http://a.test"));
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        // The body is left where it is.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        endless.await.unwrap()
    });
    let next = Proxy::new(&next.to_string()).unwrap().with_login(alice());
    let near = proxy(Tunnels::new().forwarding().next([next]), &[80]).await;
    let mut wire = Wire::connect(near.address).await;
    let length = LARGE;
    let head = format!(
        "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    wire.send(head).await;
    wire.send("x".repeat(length)).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    assert!(said.await.unwrap() < (16 << 20));
}

async fn bound() -> std::net::TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap().into_std().unwrap()
}

fn run(socket: std::net::TcpListener, next: SocketAddr, goal: u16) -> Running {
    let tunnels = Tunnels::new().forwarding().ports([goal]).reach(here());
    let tunnels = tunnels.next([Proxy::new(&next.to_string()).unwrap()]);
    let listener = Listener::from_std(socket, None).tunnels(tunnels);
    let server = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(Server::builder().listen(listener).bind())
    });
    Running::spawn(server.unwrap(), Arc::new(Service::default()))
}

/// RFC 9110, section 7.6: proxies that lead to each other notice, and a proxy that leads to itself does.
#[tokio::test(flavor = "multi_thread")]
async fn a_circle_is_noticed_when_it_closes() {
    let (one, other) = (bound().await, bound().await);
    let (at_one, at_other) = (one.local_addr().unwrap(), other.local_addr().unwrap());
    let (one, other) = (run(one, at_other, 80), run(other, at_one, 80));
    let connect = "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\nVia: 1.1 bindery-x\r\n\r\n";
    let told = Wire::connect(one.address).await.ask(connect).await;
    assert_eq!(told.status(), 502, "the other one was refused: {told:?}");
    let counted = |proxy: &Running| proxy.counters.snapshot().requests;
    assert_eq!((counted(&one)[&403], counted(&one)[&502], counted(&other)[&502]), (1, 1, 1));
    let get = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let told = Wire::connect(one.address).await.ask(get).await;
    assert_eq!(told.status(), 403, "{told:?}");
    assert!(told.body.contains("in a circle"), "{told:?}");
    assert_eq!((counted(&one)[&403], counted(&other)[&403]), (3, 1));
    // To itself.
    let own = bound().await;
    let address = own.local_addr().unwrap();
    let own = run(own, address, 80);
    assert_eq!(Wire::connect(own.address).await.ask(connect).await.status(), 502);
    assert_eq!(counted(&own)[&403], 1);
}
