//! RFC 2818, HTTP over TLS: what a client says of the server's identity. The rest is proved where connections are made
//! (bindery-transport, bindery-tls, bindery-tls-legacy).

use bindery_tests::{
    logs,
    pki::Pki,
    script::{Say, Script},
    wire,
};
use bindery_tls::{
    Backend as _, ClientConfig, Connector, Policy, Provider, RustlsBackend, TlsErrorKind, pki::Leaf,
};
use bindery_transport::{Client, ErrorKind, TransportError};
use http::Request;
use std::sync::Arc;

/// A key server that is `one.example`, asked for as `127.0.0.1`.
async fn another() -> (Pki, Script) {
    let pki = Pki::with_server(&Leaf::server("one.example").with_name("two.example"));
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    (pki, script)
}

async fn ask(script: &Script, connector: Arc<dyn Connector>) -> Result<u16, TransportError> {
    let client = Client::builder().connector(connector).build();
    let mut connection = client.connection(script.url().parse().unwrap());
    let request = Request::post("/kmip").body(wire::query().into()).unwrap();
    connection.send(request).await.map(|response| response.status().as_u16())
}

/// The log's lines of a server, which only this test has talked to.
fn lines(script: &Script) -> Vec<String> {
    logs::lines_with(&format!("127.0.0.1 port {}", script.address.port()))
        .into_iter()
        .filter(|line| line.contains("another server"))
        .collect()
}

/// proves: HTTPS-6
#[tokio::test]
async fn another_server_is_refused_and_the_log_says_who_was_expected_and_who_was_there() {
    logs::record();
    let (pki, script) = another().await;
    // Nothing chosen: the check is on.
    let error = ask(&script, pki.connector(Some(&pki.client("alice")))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_eq!(error.tls_kind(), Some(TlsErrorKind::NameMismatch));
    assert!(script.requests().is_empty());
    let lines = lines(&script);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in ["WARN", "refused", "not for 127.0.0.1", "one.example", "two.example"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// proves: HTTPS-6, HTTPS-14
#[tokio::test]
async fn a_client_that_takes_any_server_says_so_and_which_one_it_took() {
    logs::record();
    let (pki, script) = another().await;
    let config = ClientConfig::dangerous_any_server().with_identity(pki.client("alice"));
    let backend = RustlsBackend::new(Provider::aws_lc_rs());
    let connector = backend.connector(&Policy::kmip(), config).unwrap();
    assert_eq!(ask(&script, Arc::clone(&connector)).await.unwrap(), 200);
    let said = lines(&script);
    let [line] = &said[..] else { panic!("{said:?}") };
    let parts =
        ["WARN", "taken without a check, as configured", "not for 127.0.0.1", "one.example"];
    for part in parts {
        assert!(line.contains(part), "{part}: {line}");
    }
    // The right server is not checked either, which is said, too.
    let pki = Pki::new();
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let config = ClientConfig::dangerous_any_server().with_identity(pki.client("alice"));
    let connector = backend.connector(&Policy::kmip(), config).unwrap();
    assert_eq!(ask(&script, connector).await.unwrap(), 200);
    assert!(lines(&script).is_empty());
    let all = logs::lines_with(&format!("127.0.0.1 port {}", script.address.port()));
    assert!(all.iter().any(|line| line.contains("without a check of its certificate")), "{all:?}");
}
