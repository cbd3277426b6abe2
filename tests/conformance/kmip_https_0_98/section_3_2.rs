//! Section 3.2: https, mutual authentication, the certificate as a credential.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bindery_core::{Timestamp, TlsVersion};
use bindery_kmip::{Client, ClientError, message::Credential};
use bindery_tests::{
    pki::Pki,
    raw::{Post, Raw},
    script::{Say, Script},
    site::{Setup, Site},
    wire,
};
use bindery_tls::{
    Connector,
    pki::{Leaf, Validity},
};
use bindery_ttlv::registry::QueryFunction;
use tokio::net::TcpListener;

const OPERATIONS: [QueryFunction; 1] = [QueryFunction::QUERY_OPERATIONS];

/// Valid in the year 2001 only.
fn over() -> Validity {
    Validity {
        not_before: Timestamp::from_unix_seconds(978_307_200),
        not_after: Timestamp::from_unix_seconds(1_009_843_199),
    }
}

/// All that a server says to a Query over TLS, handshake and alerts apart.
async fn told(address: SocketAddr, connector: &Arc<dyn Connector>) -> Vec<u8> {
    let Ok(mut raw) = Raw::tls(address, connector).await else { return Vec::new() };
    // In TLS 1.3 the server refuses a certificate only now; it may not take this any more.
    raw.try_send(Post::new(wire::query()).with("Connection", "close").octets()).await;
    raw.rest().await.0
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn a_client_without_an_acceptable_certificate_gets_no_kmip_service() {
    let site = Site::start().await;
    // An authority of the same name with another key, and one of another name.
    let (forged, strange) = (Pki::new().client("alice"), Pki::stranger().client("alice"));
    let expired = site.pki.issue(&Leaf::client("alice").with_validity(over()));
    for (what, connector) in [
        ("no certificate", site.pki.connector(None)),
        ("another authority's certificate", site.pki.connector(Some(&strange))),
        ("a forged authority's certificate", site.pki.connector(Some(&forged))),
        ("an expired certificate", site.pki.connector(Some(&expired))),
        (
            "another authority's certificate, TLS 1.2",
            site.pki.connector_of(TlsVersion::TLS_1_2, &strange),
        ),
    ] {
        let said = told(site.address, &connector).await;
        assert_eq!(said.escape_ascii().to_string(), "", "{what}");
    }
    assert_eq!(site.answered(), 0);
    let failed = site.counters.snapshot().handshakes_failed;
    assert_eq!(failed.values().sum::<u64>(), 5, "{failed:?}");

    for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
        let connector = site.pki.connector_of(version, &site.identity("alice"));
        let mut raw = Raw::tls(site.address, &connector).await.unwrap();
        assert_eq!(raw.post(wire::query()).await.result(), (0, None));
    }
    assert_eq!(site.answered(), 2);
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn a_client_sends_nothing_to_a_server_without_an_acceptable_certificate() {
    let trusted = Pki::new();
    let others = Pki::new();
    let elsewhere = Pki::with_server(&Leaf::server("kmip.example"));
    let expired = Pki::with_server(&Leaf::server("127.0.0.1").with_validity(over()));
    for (server, client) in [(&others, &trusted), (&elsewhere, &elsewhere), (&expired, &expired)] {
        let script =
            Script::start(server.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
        let connector = client.connector(Some(&client.client("alice")));
        let transport = bindery_transport::Client::builder().connector(connector).build();
        let mut client = Client::builder(script.url().parse().unwrap()).build(&transport);
        let error = client.query(OPERATIONS).await.unwrap_err();
        let ClientError::Transport(error) = error else { panic!("{error}") };
        assert!(error.is_tls(), "{error:?}");
        assert!(script.requests().is_empty());
    }
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn the_client_shows_its_certificate() {
    let pki = Pki::new();
    let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response())).await;
    let alice = pki.client("alice");
    let connector = pki.connector(Some(&alice));
    let transport = bindery_transport::Client::builder().connector(connector).build();
    let mut client = Client::builder(script.url().parse().unwrap()).build(&transport);
    assert_eq!(client.query(OPERATIONS).await.unwrap().operations.len(), wire::OPERATIONS.len());
    let shown = client.connection_mut().peer().unwrap().certificate().cloned();
    assert_eq!(shown, Some(pki.server_certificate()));
    assert_eq!(script.requests()[0].certificate.as_ref(), alice.chain().first());
}

/// proves: KMIP-TLS-2
#[tokio::test]
async fn a_request_in_clear_gets_no_kmip_message() {
    let site = Site::with(Setup { clear: true, ..Setup::default() }).await;
    let request = Post::new(wire::query()).with("Connection", "close").octets();

    // To the port that speaks TLS: an alert is all there may be.
    let mut raw = Raw::clear(site.address).await;
    raw.send(&request).await;
    let (said, _) = raw.rest().await;
    assert!(said.is_empty() || said.starts_with(&[0x15, 0x03]), "{said:02x?}");
    assert_eq!(site.answered(), 0);

    // To a port that the operator opened without TLS, in mistake.
    let mut raw = Raw::clear(site.clear.unwrap()).await;
    raw.send(&request).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.body.len()), (403, 0), "{answer:?}");
    assert!(answer.field("bindery-refusal").unwrap().contains("without TLS"), "{answer:?}");
    site.goes_on().await;
}

/// proves: KMIP-TLS-2
#[tokio::test]
async fn the_client_sends_nothing_in_clear() {
    let pki = Pki::new();
    let connector = pki.connector(Some(&pki.client("alice")));
    let transport = bindery_transport::Client::builder().connector(connector).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/kmip", listener.local_addr().unwrap());
    let mut client = Client::builder(url.parse().unwrap()).build(&transport);
    let error = client.query(OPERATIONS).await.unwrap_err();
    assert!(matches!(error, ClientError::Request(_)) && error.is_unsent(), "{error}");
    assert!(error.to_string().contains("https"), "{error}");
    let nobody = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(nobody.is_err(), "not even a connection");
}

/// proves: KMIP-CRED-1
#[tokio::test]
async fn a_certificate_credential_is_the_certificate_of_the_session() {
    let pki = Pki::new();
    let script =
        Script::start(pki.acceptor(), |_, _| Say::ok(&wire::query_response()).and_close()).await;
    let alice = pki.client("alice");
    let connector = pki.connector(Some(&alice));
    let transport = bindery_transport::Client::builder().connector(connector).build();
    let builder = || Client::builder(script.url().parse().unwrap());
    let mut client = builder().show_certificate(true).build(&transport);
    for _ in 0..3 {
        // Each over a connection of its own: the later ones resume the first one's session.
        client.query(OPERATIONS).await.unwrap();
    }
    let requests = script.requests();
    assert_eq!(requests.iter().map(|r| r.connection).collect::<Vec<_>>(), [0, 1, 2]);
    for request in requests {
        let message = request.kmip();
        let credential = message.at(&[0x77, 0x0c, 0x23]);
        assert_eq!(credential.at(&[0x24]).number(), 8);
        assert_eq!(credential.at(&[0x25, 0x1e]).value, alice.chain()[0].as_ref());
        assert_eq!(request.certificate.as_ref(), alice.chain().first());
    }

    // Somebody else's certificate is not sent, and without being asked none is.
    let other = Credential::certificate(&pki.client("mallory").chain()[0]);
    let error = builder().credential(other).build(&transport).query(OPERATIONS).await.unwrap_err();
    assert!(error.is_unsent() && error.to_string().contains("not the certificate"), "{error}");
    builder().build(&transport).query(OPERATIONS).await.unwrap();
    let requests = script.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[3].kmip().get(&[0x77, 0x0c]), None);
}

/// proves: KMIP-CRED-1
#[tokio::test]
async fn a_credential_with_another_certificate_than_the_sessions_is_refused() {
    let site = Site::start().await;
    let create = |certificate: &[u8]| {
        let value = wire::structure(0x25, &[wire::octets(0x1e, certificate)]);
        let credential = wire::structure(0x23, &[wire::enumeration(0x24, 8), value]);
        let authentication = wire::structure(0x0c, &[credential]);
        let payload = wire::create_payload("a");
        wire::request_in(wire::version(1, 4), &[authentication], 0x01, &payload)
    };
    let mut raw = site.raw("alice").await;
    let mallory = site.identity("mallory");
    for foreign in [mallory.chain()[0].as_ref(), b"no certificate at all", b""] {
        let answer = raw.post(create(foreign)).await;
        assert_eq!(answer.result(), (1, Some(3)), "Authentication Not Successful");
    }
    let mut client = site.client("alice");
    assert_eq!(client.locate([]).await.unwrap().len(), 0, "nothing was created");
    let alice = site.identity("alice");
    assert_eq!(raw.post(create(alice.chain()[0].as_ref())).await.result(), (0, None));
    assert_eq!(client.locate([]).await.unwrap().len(), 1);
}
