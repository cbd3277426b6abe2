//! Through proxies: the client's side of tunnels (RFC 2817, section 5), and the absolute form.

use std::{net::SocketAddr, sync::Arc};

use bindery_auth::{Accounts, Authenticator, Login, hash, secret};
use bindery_core::{Account, AuthScheme, Body, DigestAlgorithm, Principal};
use bindery_tls::pki::Authority;
use bindery_transport::{
    Client, ClientBuilder, Connection, ErrorKind, Layer, Limits, Listener, NoProxy, Proxies, Proxy,
    Reach, Router, Server, TransportError, Tunnels, Upgrade, UpgradeMode,
};
use http::Response;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::{
    support::{Echo, Running, SHORT, Service},
    tls::{authority, message},
    upgrade::{acceptor, connector, start},
    wire::Wire,
};

/// A proxy that leads to these ports.
pub(crate) async fn proxy(tunnels: Tunnels, ports: &[u16]) -> Running {
    proxy_as_it_is(tunnels.ports(ports).reach(here()), Limits::default()).await
}

/// Public addresses and this machine's own, where the tests' servers are.
pub(crate) fn here() -> Reach {
    Reach::public().allow(["127.0.0.0/8", "::1"].map(|text| text.parse().unwrap()))
}

pub(crate) async fn proxy_as_it_is(tunnels: Tunnels, limits: Limits) -> Running {
    let listener = Listener::clear("127.0.0.1:0".parse().unwrap()).tunnels(tunnels);
    let server = Server::builder().listen(listener).limits(limits).bind().await.unwrap();
    Running::spawn(server, Arc::new(Service::default()))
}

fn by(proxy: &Running) -> Proxy {
    Proxy::new(&proxy.address.to_string()).unwrap()
}

/// An https server that asks for certificates.
async fn https(authority: &Authority) -> Running {
    let service = Arc::new(Service::default());
    let listener =
        Listener::tls("127.0.0.1:0".parse().unwrap(), acceptor(authority, &["127.0.0.1"]));
    let server = Server::builder()
        .listen(listener)
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(bindery_tls::CertificateIdentity::common_name()))
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

fn client(authority: &Authority, proxies: &[Proxy]) -> ClientBuilder {
    Client::builder().connector(connector(authority)).proxies(Proxies::chain(proxies))
}

fn to(client: ClientBuilder, scheme: &str, server: SocketAddr) -> Connection {
    client.build().connection(format!("{scheme}://{server}/echo").parse().unwrap())
}

async fn ask(connection: &mut Connection, body: &'static str) -> Response<Body> {
    let response = connection.send(message(body)).await.unwrap();
    assert_eq!(response.body().as_bytes().unwrap(), body);
    response
}

/// Users of a proxy, by Basic and Digest.
pub(crate) fn users(schemes: &[AuthScheme]) -> Authenticator {
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash("correct horse", &[3; 16]).unwrap());
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        alice.digests.push(secret(algorithm, "alice", "proxy", "correct horse"));
    }
    Authenticator::new("proxy", Arc::new(Accounts::new().with("alice", alice)), [7; 32])
        .unwrap()
        .with_schemes(schemes)
        .dangerous_basic_in_clear()
}

fn alice() -> Login {
    Login::new("alice", "correct horse").dangerous_basic_in_clear()
}

/// proves: TUN-C-1, DM-METH-3, SUB-PROXY-1
#[tokio::test]
async fn an_https_server_is_reached_by_a_tunnel_and_knows_the_client() {
    let authority = authority();
    let server = https(&authority).await;
    let proxy = proxy(Tunnels::new(), &[server.address.port()]).await;
    let mut connection = to(client(&authority, &[by(&proxy)]), "https", server.address);
    for body in ["first", "second"] {
        let response = ask(&mut connection, body).await;
        assert_eq!(response.headers()["x-principal"], "alice", "end to end");
        assert_eq!(response.headers()["x-tls"], "TLS 1.3");
        assert!(!response.headers().contains_key("via"), "nobody has read it");
    }
    let counted = proxy.counters.snapshot();
    assert_eq!((counted.tunnels, counted.connections, counted.requests[&200]), (1, 1, 1));
    assert!(counted.tunnel_octets > 1000, "{counted:?}");
    // Excepted targets are reached directly.
    let direct = Proxies::chain([by(&proxy)]).except(NoProxy::new("127.0.0.1"));
    let mut connection = to(client(&authority, &[]).proxies(direct), "https", server.address);
    ask(&mut connection, "direct").await;
    assert_eq!(proxy.counters.snapshot().connections, 1);
}

/// A proxy of one's own making: what it read, its answer, and then the server.
struct Scripted {
    address: SocketAddr,
    task: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// Gives each connection its answer; after one of 2xx it leads to the server.
    async fn start(answers: Vec<&'static str>, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut heard = Vec::new();
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let mut wire = Wire::new(Box::new(stream));
                heard.push(wire.head().await);
                sleep(SHORT).await;
                wire.send(answer).await;
                if answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
                    // What came before the answer would be at hand here.
                    let mut client = wire.into_io();
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            }
            heard
        });
        Self { address, task }
    }

    fn by(&self) -> Proxy {
        Proxy::new(&format!("http://{}", self.address)).unwrap()
    }
}

/// proves: TUN-C-1, TUN-C-2, TUN-C-3, TUN-C-5
#[tokio::test]
async fn a_tunnel_is_asked_for_by_the_authority_alone_and_used_once_it_stands() {
    let authority = authority();
    let server = https(&authority).await;
    for answer in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n",
        "HTTP/1.1 204 Fine\r\nX: y\r\n\r\n",
        "HTTP/1.1 299 Odd\r\nContent-Length: 7\r\n\r\n",
    ] {
        let proxy = Scripted::start(vec![answer], server.address).await;
        // No upgrade is offered, though one may be used: the tunnel has to stand first.
        let builder = client(&authority, &[proxy.by()]).upgrade(UpgradeMode::Optional);
        let mut connection = to(builder, "https", server.address);
        connection.set_login(Login::new("somebody", "of the server").with_preemptive_basic());
        assert_eq!(ask(&mut connection, "through").await.headers()["x-tls"], "TLS 1.3");
        drop(connection);
        let heard = proxy.task.await.unwrap();
        let asked = format!("CONNECT {0} HTTP/1.1\r\nhost: {0}\r\n\r\n", server.address);
        assert_eq!(heard, [asked], "and no word for the server, nor of its user");
    }
}

/// proves: TUN-C-2
#[tokio::test]
async fn what_a_proxy_says_is_told_as_the_proxys() {
    let authority = authority();
    let server = https(&authority).await;
    let asked = |answer: &'static str| {
        let authority = &authority;
        async move {
            let proxy = Scripted::start(vec![answer], server.address).await;
            let mut connection = to(client(authority, &[proxy.by()]), "https", server.address);
            let error = connection.send(message("a")).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.layer()),
                (ErrorKind::Proxy, Layer::Proxy),
                "{error:?}"
            );
            assert!(error.is_unsent(), "nothing was sent to the server");
            assert!(error.to_string().contains(&proxy.by().to_string()), "{error}");
            error
        }
    };
    let error = asked("HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nnot there \u{7}").await;
    assert_eq!(error.proxy_status().unwrap(), 403);
    assert!(error.to_string().contains(": not there"), "{error}");
    assert!(error.hint().contains("does not lead"), "{}", error.hint());
    let error = asked("HTTP/1.1 503 Busy\r\nContent-Length: 6\r\n\r\n<html>").await;
    assert_eq!(error.proxy_status().unwrap(), 503);
    assert!(!error.to_string().contains("html"), "a page is no explanation: {error}");
    let error =
        asked("HTTP/1.1 301 Moved\r\nLocation: http://a/\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(error.proxy_status().unwrap(), 301);
    let error = asked(
        "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(error.proxy_status().unwrap(), 407);
    assert!(error.hint().contains("user"), "{}", error.hint());
    assert_eq!(asked("SSH-2.0-OpenSSH\r\n\r\n").await.proxy_status(), None);
    assert_eq!(asked("").await.proxy_status(), None);
    assert_eq!(server.counters.snapshot().connections, 0);
    // One that is not there at all.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Proxy::new(&nobody.to_string()).unwrap();
    let mut connection = to(client(&authority, &[gone]), "https", server.address);
    let error = connection.send(message("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:?}");
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

async fn with_login(
    server: &Running,
    authority: &Authority,
    by: Proxy,
    login: Option<Login>,
) -> Result<Response<Body>, TransportError> {
    let by = match login {
        Some(login) => by.with_login(login),
        None => by,
    };
    to(client(authority, &[by]), "https", server.address).send(message("abc")).await
}

/// proves: TUN-C-2, DM-AUTH-3, SUB-PROXY-1
#[tokio::test]
async fn a_proxys_challenge_is_answered_with_the_proxys_credentials() {
    let authority = authority();
    let server = https(&authority).await;
    for schemes in
        [&[AuthScheme::Basic][..], &[AuthScheme::Digest], &[AuthScheme::Digest, AuthScheme::Basic]]
    {
        let tunnels = Tunnels::new().authenticator(users(schemes));
        let proxy = proxy(tunnels, &[server.address.port()]).await;
        let response = with_login(&server, &authority, by(&proxy), Some(alice())).await.unwrap();
        assert_eq!(response.status(), 200, "{schemes:?}");
        let counted = proxy.counters.snapshot();
        assert_eq!((counted.requests[&407], counted.requests[&200]), (1, 1));
        let wrong = Login::new("alice", "wrong").dangerous_basic_in_clear();
        for login in [None, Some(wrong)] {
            let error = with_login(&server, &authority, by(&proxy), login).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.proxy_status().unwrap().as_u16()),
                (ErrorKind::Proxy, 407),
                "{error:?}"
            );
        }
        // Basic in clear only if that was said.
        let careful = Login::new("alice", "correct horse");
        let outcome = with_login(&server, &authority, by(&proxy), Some(careful)).await;
        match schemes {
            [AuthScheme::Basic] => {
                assert!(outcome.unwrap_err().to_string().contains("clear channel"));
            }
            _ => assert_eq!(outcome.unwrap().status(), 200),
        }
    }
}

/// The server's credentials go to the server, the proxy's to the proxy, and neither sees the other's.
///
/// proves: TUN-C-2, DM-AUTH-3
#[tokio::test]
async fn credentials_are_kept_apart() {
    let authority = authority();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let mut wire = Wire::new(Box::new(stream));
            heard.push(wire.head().await);
            wire.send("HTTP/1.1 501 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        }
        heard
    });
    let tunnels = Tunnels::new().authenticator(users(&[AuthScheme::Basic])).forwarding();
    let proxy = proxy(tunnels, &[address.port()]).await;
    let mut connections = [UpgradeMode::Required, UpgradeMode::Never].map(|mode| {
        let builder = client(&authority, &[by(&proxy).with_login(alice())]).upgrade(mode);
        to(builder, "http", address)
    });
    // In a tunnel, and in absolute form.
    connections[0].send(message("a")).await.unwrap_err();
    let login = Login::new("server", "user").with_preemptive_basic().dangerous_basic_in_clear();
    connections[1].set_login(login);
    assert_eq!(connections[1].send(message("a")).await.unwrap().status(), 501);
    let heard = origin.await.unwrap();
    assert!(
        heard[0].starts_with("OPTIONS * HTTP/1.1") && heard[1].starts_with("POST /echo HTTP/1.1"),
        "{heard:?}"
    );
    for head in &heard {
        assert!(!head.to_lowercase().contains("proxy-authorization"), "{head}");
    }
    assert!(heard[1].contains("authorization: Basic c2VydmVyOnVzZXI="), "{heard:?}");
}

/// proves: TUN-P-2, SUB-PROXY-1
#[tokio::test]
async fn proxies_stand_one_behind_the_other() {
    let authority = authority();
    let server = https(&authority).await;
    let tunnels = || Tunnels::new().authenticator(users(&[AuthScheme::Digest]));
    let far = proxy(tunnels(), &[server.address.port()]).await;
    let near = proxy(tunnels(), &[far.address.port()]).await;
    // The client knows both.
    let chain = [by(&near).with_login(alice()), by(&far).with_login(alice())];
    let mut connection = to(client(&authority, &chain), "https", server.address);
    assert_eq!(ask(&mut connection, "far").await.headers()["x-principal"], "alice");
    assert_eq!((near.counters.snapshot().requests[&200], far.counters.snapshot().tunnels), (2, 1));
    // The second one's no is the second one's.
    let wrong = Login::new("alice", "wrong");
    let chain = [by(&near).with_login(alice()), by(&far).with_login(wrong)];
    let error = to(client(&authority, &chain), "https", server.address)
        .send(message("a"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&format!("at the proxy {}", far.address)), "{error}");
    // The near one knows the far one, and asks it for the same authority.
    let onward = Tunnels::new().next([by(&far).with_login(alice())]);
    let near = proxy(onward, &[server.address.port()]).await;
    let before = far.counters.snapshot().tunnels;
    let mut connection = to(client(&authority, &[by(&near)]), "https", server.address);
    ask(&mut connection, "onward").await;
    assert_eq!(far.counters.snapshot().tunnels, before + 1);
}

/// proves: SUB-PROXY-1
#[tokio::test]
async fn an_http_server_is_asked_in_absolute_form() {
    let server = Running::start(Limits::default()).await;
    for schemes in [&[][..], &[AuthScheme::Basic], &[AuthScheme::Digest]] {
        let mut tunnels = Tunnels::new().forwarding();
        if !schemes.is_empty() {
            tunnels = tunnels.authenticator(users(schemes));
        }
        let proxy = proxy(tunnels, &[server.address.port()]).await;
        let mut connection =
            to(client(&authority(), &[by(&proxy).with_login(alice())]), "http", server.address);
        for body in ["first", "second"] {
            let response = ask(&mut connection, body).await;
            assert_eq!(response.headers()["via"], "1.1 bindery", "a Via is taken");
            assert_eq!(response.headers()["x-tls"], "none");
        }
        let counted = proxy.counters.snapshot();
        // A 407 ends the connection: the body was not read.
        let connections = 1 + u64::from(!schemes.is_empty());
        assert_eq!(
            (counted.connections, counted.tunnels, counted.requests[&200]),
            (connections, 0, 2)
        );
    }
    // Through two proxies: a tunnel to the second, which is asked in absolute form.
    let far = proxy(Tunnels::new().forwarding(), &[server.address.port()]).await;
    let near = proxy(Tunnels::new(), &[far.address.port()]).await;
    let mut connection = to(client(&authority(), &[by(&near), by(&far)]), "http", server.address);
    assert_eq!(ask(&mut connection, "far").await.headers()["via"], "1.1 bindery");
    assert_eq!((near.counters.snapshot().tunnels, far.counters.snapshot().tunnels), (1, 0));
    // A proxy that asks and gets no answer is told as the proxy.
    let asking =
        proxy(Tunnels::new().forwarding().authenticator(users(&[AuthScheme::Digest])), &[1]).await;
    let error = to(client(&authority(), &[by(&asking)]), "http", server.address)
        .send(message("a"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.proxy_status().unwrap().as_u16()),
        (ErrorKind::Proxy, 407),
        "{error:?}"
    );
}

/// proves: TUN-C-4
#[tokio::test]
async fn inside_a_tunnel_a_connection_becomes_tls() {
    let authority = authority();
    let upgrade = Upgrade::new(acceptor(&authority, &["127.0.0.1"])).required();
    let server = start(upgrade, Limits::default()).await;
    let proxy = proxy(Tunnels::new(), &[server.address.port()]).await;
    let builder = client(&authority, &[by(&proxy)]).upgrade(UpgradeMode::Required);
    let mut connection = to(builder, "http", server.address);
    for body in ["secret", "more"] {
        let response = ask(&mut connection, body).await;
        assert_eq!(
            (&response.headers()["x-tls"], &response.headers()["x-principal"]),
            (&"TLS 1.3".parse().unwrap(), &"alice".parse().unwrap())
        );
    }
    assert_eq!((proxy.counters.snapshot().tunnels, server.counters.snapshot().upgrades), (1, 1));
}

/// A proxy takes the offer and what a 426 names out: the client then asks for a tunnel.
///
/// proves: UPG-C-4, UPG-P-1
#[tokio::test]
async fn behind_a_proxy_a_426_leads_into_a_tunnel() {
    let authority = authority();
    let upgrade = Upgrade::new(acceptor(&authority, &["127.0.0.1"])).required();
    let server = start(upgrade, Limits::default()).await;
    let proxy = proxy(Tunnels::new().forwarding(), &[server.address.port()]).await;
    let builder = client(&authority, &[by(&proxy)]).upgrade(UpgradeMode::Optional);
    let mut connection = to(builder, "http", server.address);
    assert_eq!(ask(&mut connection, "with a body").await.headers()["x-tls"], "TLS 1.3");
    let (seen, served) = (proxy.counters.snapshot(), server.counters.snapshot());
    assert_eq!((seen.requests[&426], seen.tunnels), (1, 1), "{seen:?}");
    assert_eq!((served.requests[&426], served.upgrades, served.requests[&200]), (1, 1, 2));
    // Without the wish for TLS it is an answer, from which the proxy has taken what is for one hop.
    let mut plain = to(client(&authority, &[by(&proxy)]), "http", server.address);
    let response = plain.send(message("a")).await.unwrap();
    assert_eq!(response.status(), 426);
    assert!(!response.headers().contains_key("upgrade"), "{response:?}");
}
