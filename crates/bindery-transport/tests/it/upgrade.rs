//! Upgrade to TLS within HTTP/1.1 (RFC 2817): the server's side, octet by octet.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend as _, CertificateIdentity, ClientAuth, ClientConfig, Connector, Policy,
    Restriction, ServerConfig,
    pki::{Authority, Leaf},
};
use bindery_transport::{ErrorKind, Limits, Listener, Router, Server, Stopped, Upgrade};

use crate::{
    support::{Echo, Running, SHORT, Service, soon},
    tls::{authority, backend},
    wire::{Told, Wire},
};

/// The name that only the upgrade's certificate has.
pub(crate) const NAME: &str = "upgrade.test";

pub(crate) fn acceptor(authority: &Authority, names: &[&str]) -> Arc<dyn Acceptor> {
    let mut leaf = Leaf::server(names[0]);
    for name in &names[1..] {
        leaf = leaf.with_name(name);
    }
    let config = ServerConfig::new(authority.issue(&leaf).unwrap().identity().unwrap());
    let config = config.with_client_roots(authority.roots().unwrap());
    let asking = Restriction::new().with_client_auth(ClientAuth::Optional);
    backend().acceptor(&Policy::named("taxii").unwrap().restricted(asking), config).unwrap()
}

/// A client, with a certificate for alice.
pub(crate) fn connector(authority: &Authority) -> Arc<dyn Connector> {
    let identity = authority.issue(&Leaf::client("alice")).unwrap().identity().unwrap();
    let config = ClientConfig::new(authority.roots().unwrap()).with_identity(identity);
    backend().connector(&Policy::named("modern").unwrap(), config).unwrap()
}

pub(crate) async fn start(upgrade: Upgrade, limits: Limits) -> Running {
    let service = Arc::new(Service::default());
    let server = Server::builder()
        .listen(Listener::clear("127.0.0.1:0".parse().unwrap()).upgrade(upgrade))
        .router(Router::new().mount("/echo", Echo::endpoint(&service)).unwrap())
        .identities(Arc::new(CertificateIdentity::common_name()))
        .limits(limits)
        .bind()
        .await
        .unwrap();
    Running::spawn(server, service)
}

struct Setting {
    server: Running,
    connector: Arc<dyn Connector>,
}

impl Setting {
    async fn new(make: impl FnOnce(Upgrade) -> Upgrade) -> Self {
        Self::with_limits(make, Limits::default()).await
    }

    async fn with_limits(make: impl FnOnce(Upgrade) -> Upgrade, limits: Limits) -> Self {
        let authority = authority();
        let upgrade = Upgrade::new(acceptor(&authority, &[NAME]));
        let server = start(make(upgrade), limits).await;
        Self { server, connector: connector(&authority) }
    }

    async fn connect(&self) -> Wire {
        Wire::connect(self.server.address).await
    }

    async fn within_tls(&self, wire: Wire) -> Wire {
        wire.tls(&self.connector, NAME).await.0
    }

    /// A connection that was upgraded, before the answer to what asked for it.
    async fn upgraded(&self, request: &str) -> Wire {
        let mut wire = self.connect().await;
        let told = wire.ask(request).await;
        assert_eq!(told.status(), 101, "{told:?}");
        self.within_tls(wire).await
    }
}

pub(crate) const OPTIONS: &str = "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                                  Upgrade: TLS/1.2,TLS/1.1,TLS/1.0\r\n\r\n";

/// A message with more fields.
pub(crate) fn post(fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {length}\r\n{fields}\r\n{body}"
    )
}

/// A message with an offer.
pub(crate) fn offer(body: &str) -> String {
    post("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n", body)
}

fn lists_upgrade(told: &Told) -> bool {
    told.field("connection").split(", ").any(|token| token.eq_ignore_ascii_case("upgrade"))
}

/// proves: UPG-S-2, UPG-S-3, UPG-B-1
#[tokio::test]
async fn the_request_is_answered_within_tls_and_the_connection_goes_on() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n\
                   Transfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: TLS/1.3\r\n\r\n\
                   3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let none = "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n";
    let head = format!("HEAD /echo HTTP/1.1\r\nHost: a\r\n{none}\r\n");
    let get = format!("GET /nothing HTTP/1.1\r\nHost: a\r\n{none}\r\n");
    let cases = [
        (offer("hello").as_str(), 200, "hello"),
        (offer("").as_str(), 200, ""),
        (chunked, 200, "hello"),
        (OPTIONS, 200, ""),
        (get.as_str(), 404, "nothing stands at this target"),
    ]
    .map(|(request, status, body)| (request.to_owned(), status, body));
    for (request, status, body) in &cases {
        let mut wire = setting.connect().await;
        let switching = wire.ask(request).await;
        assert!(
            switching.head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
            "{switching:?}"
        );
        assert!(lists_upgrade(&switching), "{switching:?}");
        let stack = switching.field("upgrade");
        let (tls, http) = stack.split_once(", ").expect("a stack, bottom up");
        assert!(tls.starts_with("TLS/1.") && http == "HTTP/1.1", "{stack}");
        assert_eq!(switching.field("content-length"), "");
        let mut wire = setting.within_tls(wire).await;
        let told = wire.answer().await;
        assert_eq!(told.status(), *status, "{request}");
        assert!(told.body.starts_with(body) && !lists_upgrade(&told), "{told:?}");
        // The connection goes on.
        for body in ["once", "more"] {
            let told = wire.ask(post("", body)).await;
            assert_eq!((told.status(), told.body.as_str()), (200, body));
            assert_eq!(told.field("x-tls"), "TLS 1.3");
        }
    }
    let mut wire = setting.connect().await;
    assert_eq!(wire.ask(&head).await.status(), 101);
    let mut wire = setting.within_tls(wire).await;
    let answer = wire.head().await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert_eq!(wire.ask(post("", "after")).await.body, "after");
    assert_eq!(setting.server.counters.snapshot().upgrades, cases.len() as u64 + 1);
}

/// proves: UPG-S-3
#[tokio::test]
async fn within_tls_the_peer_is_who_its_certificate_says() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    let clear = wire.ask(post("", "clear")).await;
    assert_eq!(
        (clear.field("x-principal").as_str(), clear.field("x-tls").as_str()),
        ("nobody", "none")
    );
    assert_eq!(wire.ask(offer("secret")).await.status(), 101);
    let (mut wire, info) = wire.tls(&setting.connector, NAME).await;
    assert_eq!(info.version, TlsVersion::TLS_1_3, "the token is not the handshake's version");
    let told = wire.answer().await;
    assert_eq!((told.field("x-principal").as_str(), told.body.as_str()), ("alice", "secret"));
    assert_eq!(wire.ask(offer("again")).await.status(), 200, "it is TLS already");
}

/// proves: UPG-S-5, UPG-S-7, UPG-B-1
#[tokio::test]
async fn who_offers_nothing_is_answered_in_clear_and_told_of_tls() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    for (fields, what) in [
        ("", "no offer"),
        ("Upgrade: TLS/1.2\r\n", "not listed in Connection"),
        ("Connection: keep-alive\r\nUpgrade: TLS/1.2\r\n", "not listed in Connection"),
        ("Connection: Upgrade\r\n", "nothing named"),
        ("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", "other protocols"),
        ("Connection: Upgrade\r\nUpgrade: TLS/2.0, TLS, SSL/3.0\r\n", "no TLS that is known"),
    ] {
        let told = wire.ask(post(fields, what)).await;
        assert_eq!((told.status(), told.body.as_str()), (200, what));
        assert_eq!(told.field("upgrade"), "TLS/1.3, TLS/1.2");
        assert!(lists_upgrade(&told), "{told:?}");
    }
    // What ends the connection is said beside it.
    let told = wire.ask(post("Connection: close\r\n", "end")).await;
    assert!(lists_upgrade(&told) && told.field("connection").contains("close"), "{told:?}");
    assert!(wire.rest().await.is_empty());
    assert_eq!(setting.server.counters.snapshot().upgrades, 0);
}

/// proves: UPG-S-7
#[tokio::test]
async fn the_101_names_what_was_offered() {
    let setting = Setting::new(|upgrade| upgrade).await;
    for (offered, named) in [
        ("TLS/1.0", "TLS/1.0"),
        ("TLS/1.2,TLS/1.1,TLS/1.0", "TLS/1.2"),
        ("TLS/1.0, TLS/1.2, TLS/1.3", "TLS/1.3"),
        ("HTTP/2.0, tls/1.1", "TLS/1.1"),
    ] {
        let fields = format!("Connection: keep-alive, Upgrade\r\nUpgrade: {offered}\r\n");
        let told = setting.connect().await.ask(post(&fields, "a")).await;
        assert_eq!(told.status(), 101);
        assert_eq!(told.field("upgrade"), format!("{named}, HTTP/1.1"));
    }
}

/// proves: UPG-S-8
#[tokio::test]
async fn an_upgrade_in_http_1_0_is_ignored() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    let request = offer("old").replace("HTTP/1.1", "HTTP/1.0");
    let told = wire.ask(request).await;
    assert_eq!((told.status(), told.body.as_str()), (200, "old"));
    assert_eq!(told.field("upgrade"), "", "and nothing is advertised in it");
}

/// proves: UPG-S-8
#[tokio::test]
async fn a_100_comes_before_the_101() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    let request = offer("waits");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    wire.send(format!("{head}\r\nExpect: 100-continue\r\n\r\n")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 100 "));
    assert_eq!(wire.ask(body).await.status(), 101);
    let mut wire = setting.within_tls(wire).await;
    let told = wire.answer().await;
    assert_eq!((told.status(), told.body.as_str()), (200, "waits"), "and no second 100");
}

/// proves: UPG-S-4
#[tokio::test]
async fn no_handshake_after_the_101_ends_the_connection_by_an_alert() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    assert_eq!(wire.ask(offer("a")).await.status(), 101);
    wire.send(post("", "in clear")).await;
    let rest = wire.rest().await;
    assert_eq!(rest[..2], [0x15, 3], "an alert: {}", rest.escape_ascii());
    assert_eq!(rest.len(), 7, "and nothing else");
    assert_eq!(setting.server.service.handled.load(SeqCst), 0, "nothing was answered");
}

/// proves: UPG-S-4
#[tokio::test]
async fn octets_before_the_101_are_neither_a_request_nor_a_handshake() {
    let setting = Setting::new(|upgrade| upgrade).await;
    for early in [post("", "smuggled"), "\u{16}\u{3}\u{1}".to_owned()] {
        let mut wire = setting.connect().await;
        wire.send(format!("{}{early}", offer("a"))).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
        let rest = wire.rest().await;
        assert_eq!(rest, [0x15, 3, 3, 0, 2, 2, 10], "unexpected_message and the end");
    }
    assert_eq!(setting.server.service.handled.load(SeqCst), 0);
    assert_eq!(setting.server.counters.snapshot().malformed, 2);
}

#[tokio::test]
async fn silence_after_the_101_has_a_limit() {
    let mut limits = Limits::default();
    limits.handshake = SHORT;
    let setting = Setting::with_limits(|upgrade| upgrade, limits).await;
    let mut wire = setting.connect().await;
    assert_eq!(wire.ask(offer("a")).await.status(), 101);
    assert!(wire.rest().await.is_empty());
    assert_eq!(setting.server.counters.snapshot().handshakes_failed["timeout"], 1);
    assert_eq!(setting.server.service.handled.load(SeqCst), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_clear() {
    let setting = Setting::new(|upgrade| upgrade).await;
    let mut wire = setting.connect().await;
    let told = wire.ask(offer(&"x".repeat((64 << 10) + 1))).await;
    assert_eq!(told.status(), 413);
    assert!(told.field("connection").contains("close"));
    // For nobody there is no limit to read under: such a body is not waited for.
    let told = setting.connect().await.ask(offer("body").replace("/echo", "/nothing")).await;
    assert_eq!(told.status(), 404);
    // A head at fault changes nothing of the connection.
    let told = setting.connect().await.ask(offer("a").replace("Host: a\r\n", "")).await;
    assert_eq!(told.status(), 400);
    assert_eq!(setting.server.counters.snapshot().upgrades, 0);
}

/// proves: UPG-S-6, UPG-S-9, UPG-S-10, UPG-B-1
#[tokio::test]
async fn where_tls_is_required_a_clear_request_gets_426_and_says_how() {
    let setting = Setting::new(Upgrade::required).await;
    for request in [
        post("", "secret"),
        post("Connection: Upgrade\r\nUpgrade: websocket\r\n", "secret"),
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
    ] {
        let mut wire = setting.connect().await;
        let told = wire.ask(&request).await;
        assert_eq!(told.status(), 426, "{request}");
        assert_eq!(told.field("upgrade"), "TLS/1.3, TLS/1.2");
        assert!(lists_upgrade(&told), "{told:?}");
        assert!(told.field("content-type").starts_with("text/plain"));
        for said in ["within TLS only", "OPTIONS *", "https URL"] {
            assert!(told.body.contains(said), "{said}: {}", told.body);
        }
    }
    assert_eq!(setting.server.service.handled.load(SeqCst), 0);
    let refusals = setting.server.counters.snapshot().refusals;
    assert_eq!(refusals[&bindery_core::Fault::UpgradeRequired], 5);
    // The same connection can still become TLS.
    let mut wire = setting.connect().await;
    assert_eq!(wire.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.status(), 426);
    assert_eq!(wire.ask(OPTIONS).await.status(), 101);
    let mut wire = setting.within_tls(wire).await;
    assert_eq!(wire.answer().await.status(), 200);
    assert_eq!(wire.ask(post("", "secret")).await.body, "secret");
}

/// proves: UPG-S-1
#[tokio::test]
async fn where_only_options_upgrades_other_offers_are_ignored() {
    let setting = Setting::new(Upgrade::options_only).await;
    let mut wire = setting.connect().await;
    let told = wire.ask(offer("clear")).await;
    assert_eq!((told.status(), told.body.as_str()), (200, "clear"));
    assert_eq!(told.field("upgrade"), "TLS/1.3, TLS/1.2", "how it would be taken is not said");
    let with_body = OPTIONS.replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(setting.connect().await.ask(with_body).await.status(), 200);
    assert_eq!(wire.ask(OPTIONS).await.status(), 101);
    let mut wire = setting.within_tls(wire).await;
    let told = wire.answer().await;
    assert_eq!((told.status(), told.field("content-length").as_str()), (200, "0"));
    assert_eq!(wire.ask(post("", "secret")).await.body, "secret");
    let required = Setting::new(|upgrade| upgrade.options_only().required()).await;
    assert_eq!(required.connect().await.ask(offer("a")).await.status(), 426);
    assert_eq!(required.connect().await.ask(OPTIONS).await.status(), 101);
}

#[tokio::test]
async fn a_stop_sees_upgraded_connections_out() {
    let mut setting = Setting::new(|upgrade| upgrade).await;
    let mut idle = setting.upgraded(OPTIONS).await;
    assert_eq!(idle.answer().await.status(), 200);
    let mut busy = setting.upgraded(&offer("hold")).await;
    setting.server.service.arrived.notified().await;
    // The third one has the 101 and not shaken hands yet.
    let mut half = setting.connect().await;
    assert_eq!(half.ask(offer("late")).await.status(), 101);
    setting.server.signal();
    assert!(idle.rest().await.is_empty());
    let mut late = setting.within_tls(half).await;
    let told = late.answer().await;
    assert_eq!((told.status(), told.body.as_str()), (200, "late"));
    setting.server.service.release.notify_one();
    assert_eq!(busy.answer().await.body, "hold");
    assert!(busy.rest().await.is_empty() && late.rest().await.is_empty());
    assert_eq!(setting.server.stopped().await, drained(3));
}

fn drained(count: usize) -> Stopped {
    let mut stopped = Stopped::default();
    stopped.drained = count;
    stopped
}

#[tokio::test]
async fn upgraded_connections_that_do_not_end_are_cut_off() {
    let mut limits = Limits::default();
    limits.drain = SHORT;
    let setting = Setting::with_limits(|upgrade| upgrade, limits).await;
    let _stuck = setting.upgraded(&offer("stuck")).await;
    setting.server.service.arrived.notified().await;
    let service = Arc::clone(&setting.server.service);
    assert_eq!(setting.server.stopped().await.aborted, 1);
    soon("the handler is cancelled", || service.cancelled.load(SeqCst) == 1).await;
}

/// What becomes of a server with these listeners.
async fn bind(listeners: Vec<Listener>) -> Result<(), String> {
    let mut builder = Server::builder();
    for listener in listeners {
        builder = builder.listen(listener);
    }
    builder.bind().await.map(drop).map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Bind);
        format!("{error}; {}", error.hint())
    })
}

#[tokio::test]
async fn a_server_whose_upgrade_shares_a_name_with_implicit_tls_does_not_start() {
    let authority = authority();
    let any = "127.0.0.1:0".parse().unwrap();
    let implicit = |names: &[&str]| Listener::tls(any, acceptor(&authority, names));
    let upgrade = |names: &[&str]| Upgrade::new(acceptor(&authority, names));
    for (one, other, common) in [
        ("a.test", "a.test", "the name a.test"),
        ("*.test", "a.test", "the name *.test"),
        ("A.test", "a.TEST", "the name A.test"),
        ("127.0.0.1", "127.0.0.1", "the address 127.0.0.1"),
    ] {
        let listeners = || vec![Listener::clear(any), implicit(&["x.y", other])];
        let clear = |upgrade| Listener::clear(any).upgrade(upgrade);
        let fault =
            bind([listeners(), vec![clear(upgrade(&[one]))]].concat_all()).await.unwrap_err();
        assert!(fault.contains(common) && fault.contains("CVE-2025-49812"), "{fault}");
        let said = upgrade(&[one]).dangerous_beside_implicit_tls();
        bind([listeners(), vec![clear(said)]].concat_all()).await.unwrap();
    }
    let same = acceptor(&authority, &["a.test"]);
    let both = || vec![Listener::clear(any).upgrade(Upgrade::new(Arc::clone(&same)))];
    let fault = bind([both(), vec![Listener::tls(any, Arc::clone(&same))]].concat_all()).await;
    assert!(fault.unwrap_err().contains("their certificate"));
    bind([both(), vec![implicit(&["b.test"])]].concat_all()).await.unwrap();
    let pointless = implicit(&["b.test"]).upgrade(upgrade(&["a.test"]));
    assert!(bind(vec![pointless]).await.unwrap_err().contains("in clear"));
}

trait ConcatAll {
    fn concat_all(self) -> Vec<Listener>;
}

impl<const N: usize> ConcatAll for [Vec<Listener>; N] {
    fn concat_all(self) -> Vec<Listener> {
        self.into_iter().flatten().collect()
    }
}
