//! The tunnelling proxy, octet by octet.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use bindery_core::AuthScheme;
use bindery_tls::BoxIo;
use bindery_transport::{DialFuture, Dialer, Limits, TunnelLimits, Tunnels};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    support::{PATIENCE, Running, SHORT, soon},
    tunnel::{here, proxy, proxy_as_it_is, users},
    upgrade::post,
    wire::Wire,
};

fn connect_to(authority: &str) -> String {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
}

/// A tunnel to a listener of the test's, with both its ends.
async fn tunnel(tunnels: Tunnels) -> (Running, Wire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = proxy(tunnels, &[address.port()]).await;
    let mut client = Wire::connect(proxy.address).await;
    client.send(connect_to(&address.to_string())).await;
    let (server, _) = listener.accept().await.unwrap();
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        !head.to_lowercase().contains("content-length")
            && !head.to_lowercase().contains("transfer-"),
        "{head}"
    );
    (proxy, client, server)
}

/// proves: TUN-P-1
#[tokio::test]
async fn tunnels_lead_to_allowed_ports_only() {
    assert_eq!(
        Tunnels::PORTS,
        [80, 443, 5696, 5697],
        "the one of upgrades, https, and the profiles'"
    );
    let origin = Running::start(Limits::default()).await;
    let proxy = proxy_as_it_is(Tunnels::new(), Limits::default()).await;
    let other = format!("127.0.0.1:{}", origin.address.port());
    for authority in [other.as_str(), "127.0.0.1:25", "localhost:22", "[::1]:8080"] {
        let told = Wire::connect(proxy.address).await.ask(connect_to(authority)).await;
        assert_eq!(told.status(), 403, "{authority}");
        assert!(told.body.contains("is not one of 80, 443, 5696, 5697"), "{}", told.body);
    }
    for wrong in ["127.0.0.1", "user@127.0.0.1:443", "127.0.0.1:"] {
        let told = Wire::connect(proxy.address).await.ask(connect_to(wrong)).await;
        assert!([400, 404].contains(&told.status()), "{wrong}: {told:?}");
    }
    assert_eq!(origin.counters.snapshot().connections, 0);
    assert_eq!(proxy.counters.snapshot().tunnels, 0);
}

/// Addresses that only the proxy's machine reaches are not led to unless that is said, however they are written.
#[tokio::test]
async fn what_only_the_proxys_machine_reaches_is_not_led_to() {
    let origin = Running::start(Limits::default()).await;
    let port = origin.address.port();
    let tunnels = Tunnels::new().ports([port]).forwarding();
    let careful = proxy_as_it_is(tunnels, Limits::default()).await;
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.0.1",
        "[fe80::1]",
        "127.1",
    ] {
        let get = format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
        for request in [connect_to(&format!("{host}:{port}")), get] {
            let told = Wire::connect(careful.address).await.ask(request).await;
            assert_eq!(told.status(), 403, "{host}: {told:?}");
            assert!(told.body.contains("public addresses"), "{}", told.body);
        }
    }
    assert_eq!(origin.counters.snapshot().connections, 0);
}

/// A resolver that says something else each time, and lines that note where they lead.
#[derive(Debug, Default)]
struct Fickle(Mutex<(usize, Vec<SocketAddr>)>);

impl Dialer for Fickle {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> DialFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move {
            let asked = &mut self.0.lock().unwrap().0;
            *asked += 1;
            let first = ["127.0.0.1", "192.0.2.1", "93.184.216.34"];
            let addresses: &[&str] = if *asked == 1 { &first } else { &["127.0.0.1"] };
            Ok(addresses.iter().map(|one| format!("{one}:{port}").parse().unwrap()).collect())
        })
    }

    fn connect(&self, address: SocketAddr) -> DialFuture<'_, BoxIo> {
        self.0.lock().unwrap().1.push(address);
        Box::pin(async move { Ok(Box::new(tokio::io::duplex(64).0) as BoxIo) })
    }
}

#[tokio::test]
async fn a_connection_leads_to_the_address_that_was_looked_at() {
    let lines = Arc::new(Fickle::default());
    let tunnels = Tunnels::new().dialer(Arc::clone(&lines) as Arc<dyn Dialer>);
    let proxy = proxy_as_it_is(tunnels, Limits::default()).await;
    let mut wire = Wire::connect(proxy.address).await;
    wire.send(connect_to("rebinding.test:443")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    let (asked, connected) = lines.0.lock().unwrap().clone();
    assert_eq!((asked, connected), (1, vec!["93.184.216.34:443".parse().unwrap()]));
    // By now the name leads inside only.
    let told = Wire::connect(proxy.address).await.ask(connect_to("rebinding.test:443")).await;
    assert_eq!(told.status(), 403);
    assert_eq!(lines.0.lock().unwrap().1.len(), 1);
}

/// proves: DM-AUTH-4P
#[tokio::test]
async fn correct_credentials_are_taken_without_a_407() {
    let origin = Running::start(Limits::default()).await;
    let authority = origin.address.to_string();
    let tunnels = Tunnels::new().authenticator(users(&[AuthScheme::Basic]));
    let proxy = proxy(tunnels, &[origin.address.port()]).await;
    for (token, status) in [("YWxpY2U6Y29ycmVjdCBob3JzZQ==", 200), ("YWxpY2U6d3Jvbmc=", 407)] {
        let proof = format!("\r\nProxy-Authorization: Basic {token}\r\n\r\n");
        let mut wire = Wire::connect(proxy.address).await;
        wire.send(connect_to(&authority).replace("\r\n\r\n", &proof)).await;
        assert!(wire.head().await.starts_with(&format!("HTTP/1.1 {status} ")), "{token}");
    }
    // The server's field is not the proxy's.
    let proof = "\r\nAuthorization: Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==\r\n\r\n";
    let mut wire = Wire::connect(proxy.address).await;
    let told = wire.ask(connect_to(&authority).replace("\r\n\r\n", proof)).await;
    assert_eq!((told.status(), told.field("www-authenticate").as_str()), (407, ""));
    assert!(told.field("proxy-authenticate").starts_with("Basic realm=\"proxy\""), "{told:?}");
}

/// proves: TUN-P-4
#[tokio::test]
async fn no_2xx_comes_before_there_is_a_connection() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let direct = proxy(Tunnels::new(), &[nobody.port()]).await;
    let told = Wire::connect(direct.address).await.ask(connect_to(&nobody.to_string())).await;
    assert_eq!(told.status(), 502);
    assert!(told.body.contains("cannot reach the server"), "{}", told.body);
    let told = Wire::connect(direct.address)
        .await
        .ask(connect_to(&format!("no-such-host.invalid:{}", nobody.port())))
        .await;
    assert_eq!(told.status(), 502);
    // The next proxy says no; or nothing.
    let next = bindery_transport::Proxy::new(&direct.address.to_string()).unwrap();
    let near = proxy(Tunnels::new().next([next]), &[nobody.port()]).await;
    let told = Wire::connect(near.address).await.ask(connect_to(&nobody.to_string())).await;
    assert_eq!(told.status(), 502);
    assert!(
        told.body.contains("the next proxy does not lead to it"),
        "whose no it is: {}",
        told.body
    );
    assert!(!told.body.contains(&direct.address.to_string()), "and no address: {}", told.body);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let next = bindery_transport::Proxy::new(&silent.local_addr().unwrap().to_string()).unwrap();
    let mut limits = TunnelLimits::default();
    limits.connect = SHORT;
    let near = proxy(Tunnels::new().next([next]).limits(limits), &[nobody.port()]).await;
    let mut wire = Wire::connect(near.address).await;
    wire.send(connect_to(&nobody.to_string())).await;
    let (mut asked, _) = silent.accept().await.unwrap();
    let mut head = vec![0; 10];
    asked.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"CONNECT 12", "the same authority is asked for there");
    assert!([502, 504].contains(&wire.answer().await.status()));
}

/// proves: TUN-P-3
#[tokio::test]
async fn what_either_end_has_sent_is_delivered_before_the_other_is_ended() {
    const LARGE: usize = 3 << 20;
    // The client ends: the server gets all of it, slowly, and then the end.
    let (_proxy, mut client, mut server) = tunnel(Tunnels::new()).await;
    let sending = tokio::spawn(async move {
        client.send(vec![b'c'; LARGE]).await;
        drop(client);
    });
    sleep(SHORT).await;
    let mut got = Vec::new();
    timeout(PATIENCE, server.read_to_end(&mut got)).await.unwrap().unwrap();
    assert_eq!(got.len(), LARGE);
    sending.await.unwrap();
    // The server ends: the client gets all of it, and then the end, though it does not end itself.
    let (proxy, mut client, mut server) = tunnel(Tunnels::new()).await;
    let sending = tokio::spawn(async move {
        server.write_all(&vec![b's'; LARGE]).await.unwrap();
        drop(server);
    });
    sleep(SHORT).await;
    assert_eq!(client.rest().await.len(), LARGE);
    sending.await.unwrap();
    soon("the connection is over", || proxy.counters.snapshot().connections_open == 0).await;
    // What is for an end that is gone is dropped.
    let (proxy, client, mut server) = tunnel(Tunnels::new()).await;
    drop(client);
    let mut nothing = Vec::new();
    timeout(PATIENCE, server.read_to_end(&mut nothing)).await.unwrap().unwrap();
    assert!(nothing.is_empty());
    let _ = server.write_all(b"too late").await;
    soon("the connection is over", || proxy.counters.snapshot().connections_open == 0).await;
}

/// proves: TUN-C-5
#[tokio::test]
async fn what_comes_behind_connect_goes_into_the_tunnel_or_nowhere() {
    let origin = Running::start(Limits::default()).await;
    let authority = origin.address.to_string();
    let leading = proxy(Tunnels::new().forwarding(), &[origin.address.port()]).await;
    let mut wire = Wire::connect(leading.address).await;
    wire.send(format!("{}{}", connect_to(&authority), post("", "early"))).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(wire.answer().await.body, "early", "passed on");
    // Where the answer is no, it is not read as a request, however much it looks like one.
    let smuggled = post("", "smuggled").replace("/echo", &format!("http://{authority}/echo"));
    for (proxy, status) in [
        (proxy(Tunnels::new().forwarding(), &[1]).await, 403),
        (
            proxy(
                Tunnels::new().forwarding().authenticator(users(&[AuthScheme::Basic])),
                &[origin.address.port()],
            )
            .await,
            407,
        ),
    ] {
        let mut wire = Wire::connect(proxy.address).await;
        wire.send(format!("{}{smuggled}", connect_to(&authority))).await;
        assert_eq!(wire.answer().await.status(), status);
        assert!(wire.rest().await.is_empty());
        assert_eq!(proxy.counters.snapshot().requests.values().sum::<u64>(), 1);
    }
    assert_eq!(origin.service.handled.load(SeqCst), 1);
    // And CONNECT has no content.
    let with_content = connect_to(&authority).replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx");
    let told = Wire::connect(leading.address).await.ask(with_content).await;
    assert_eq!(told.status(), 400);
}

/// proves: UPG-P-1
#[tokio::test]
async fn what_is_for_one_hop_is_not_sent_on() {
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = origin.local_addr().unwrap();
    let proxy = proxy(Tunnels::new().forwarding(), &[address.port()]).await;
    let mut client = Wire::connect(proxy.address).await;
    client
        .send(format!(
            "POST http://{address}/a?b HTTP/1.1\r\nHost: other.test\r\nConnection: keep-alive, Upgrade, X-Own\r\n\
             Upgrade: TLS/1.2\r\nX-Own: 1\r\nX-Other: 2\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n\
             Proxy-Authorization: Basic eA==\r\nVia: 1.0 before\r\nContent-Length: 4\r\n\r\nbody"
        ))
        .await;
    let (stream, _) = origin.accept().await.unwrap();
    let mut server = Wire::new(Box::new(stream));
    let head = server.head().await;
    assert!(head.starts_with("POST /a?b HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("host: {address}\r\n")),
        "the target's authority counts: {head}"
    );
    assert!(
        head.contains("via: 1.0 before\r\nvia: 1.1 bindery\r\n") && head.contains("x-other: 2"),
        "{head}"
    );
    assert!(head.contains("connection: close") && head.contains("content-length: 4"), "{head}");
    for gone in ["upgrade", "x-own", "proxy-", "te: ", "keep-alive"] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    assert_eq!(server.octets(4).await, b"body");
    server
        .send(
            "HTTP/1.1 200 OK\r\nConnection: Upgrade, X-Own, close\r\nUpgrade: TLS/1.2\r\nX-Own: 1\r\n\
             Content-Encoding: br\r\nKeep-Alive: timeout=9\r\nContent-Length: 6\r\n\r\nanswer",
        )
        .await;
    let told = client.answer().await;
    assert_eq!((told.status(), told.body.as_str()), (200, "answer"));
    assert_eq!(
        (told.field("via").as_str(), told.field("content-encoding").as_str()),
        ("1.1 bindery", "br")
    );
    for gone in ["upgrade", "x-own", "keep-alive"] {
        assert_eq!(told.field(gone), "", "{told:?}");
    }
    // The connection to the client is its own.
    let told = client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(told.status(), 403, "no target of another server");
    assert!(told.body.contains("http URL"), "{}", told.body);
}

#[tokio::test]
async fn without_forwarding_there_are_tunnels_only() {
    let origin = Running::start(Limits::default()).await;
    let proxy = proxy(Tunnels::new(), &[origin.address.port()]).await;
    let request = post("", "a").replace("/echo", &format!("http://{}/echo", origin.address));
    let told = Wire::connect(proxy.address).await.ask(request).await;
    assert_eq!(told.status(), 403);
    assert!(told.body.contains("CONNECT"), "{}", told.body);
    assert_eq!(origin.counters.snapshot().connections, 0);
}

#[tokio::test]
async fn a_silent_tunnel_is_ended_and_a_busy_one_is_not() {
    let mut limits = TunnelLimits::default();
    limits.idle = SHORT * 2;
    let (proxy, mut client, mut server) = tunnel(Tunnels::new().limits(limits)).await;
    for _ in 0..6 {
        sleep(SHORT / 2).await;
        client.send("x").await;
        assert_eq!(server.read_u8().await.unwrap(), b'x');
    }
    assert!(client.rest().await.is_empty());
    assert_eq!(server.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(proxy.counters.snapshot().timeouts["tunnel-idle"], 1);
}

#[tokio::test]
async fn a_stop_waits_for_tunnels_as_long_as_for_requests() {
    let mut limits = Limits::default();
    limits.drain = Duration::from_millis(700);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnels = Tunnels::new().ports([address.port()]).reach(here());
    let mut proxy = proxy_as_it_is(tunnels, limits).await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let mut client = Wire::connect(proxy.address).await;
        client.send(connect_to(&address.to_string())).await;
        let (server, _) = listener.accept().await.unwrap();
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        ends.push((client, server));
    }
    proxy.signal();
    sleep(SHORT).await;
    let (mut client, mut server) = ends.pop().unwrap();
    client.send("still").await;
    let mut still = [0; 5];
    server.read_exact(&mut still).await.unwrap();
    drop((client, server));
    let stopped = proxy.stopped().await;
    assert_eq!((stopped.drained, stopped.aborted), (1, 1));
}
