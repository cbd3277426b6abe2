//! Resumed sessions: who is there must stay known, and only for as long as it is true.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use bindery_core::{Timestamp, TlsVersion};
use bindery_tls::{
    Backend as _, TlsErrorKind,
    pki::{Leaf, Validity},
    registry::suites,
};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsConnector;

use crate::support::{
    VERSIONS, World, backend, both, kmip_with, localhost, pipe, raw, secured, soon,
};

/// proves: KMIP-TLS-1, HTTPS-7
#[tokio::test]
async fn a_resumed_session_still_knows_its_peer() {
    let world = World::new();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let (acceptor, connector) = (world.acceptor(&policy), world.connector(&policy));
        let (full_server, full_client) = secured(&acceptor, &connector).await;
        assert!(!full_server.info.resumed && !full_client.info.resumed);
        for _ in 0..3 {
            let (server, client) = secured(&acceptor, &connector).await;
            assert!(server.info.resumed && client.info.resumed, "{version} was not resumed");
            assert_eq!(server.peer_certificates.len(), 1);
            assert_eq!(server.peer_certificates, full_server.peer_certificates);
            assert_eq!(client.peer_certificates, full_client.peer_certificates);
            assert_eq!(server.info.local_certificates, full_server.info.local_certificates);
            assert_eq!(client.info.local_certificates, full_client.info.local_certificates);
            assert_eq!(server.info.server_name, full_server.info.server_name);
            assert_eq!(server.info.version, version);
        }
    }
}

#[tokio::test]
async fn a_ticket_of_another_acceptor_gives_a_full_handshake() {
    let world = World::new();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let connector = world.connector(&policy);
        secured(&world.acceptor(&policy), &connector).await;
        let (server, client) = secured(&world.acceptor(&policy), &connector).await;
        assert!(!server.info.resumed && !client.info.resumed);
        assert_eq!(server.peer_certificates.len(), 1);
    }
}

#[tokio::test]
async fn a_ticket_does_not_outlive_the_certificate_that_it_stands_for() {
    const START: i64 = 1_700_000_000;
    const HOUR: i64 = 3_600;
    let mut world = World::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(START - HOUR),
        not_after: Timestamp::from_unix_seconds(START + 2 * HOUR),
    };
    world.client = world.authority.issue(&Leaf::client("alice").with_validity(validity)).unwrap();
    for version in VERSIONS {
        let now = Arc::new(AtomicI64::new(START));
        let clock = Arc::clone(&now);
        let backend = backend()
            .with_clock(move || Timestamp::from_unix_seconds(clock.load(Ordering::Relaxed)));
        let policy = kmip_with(version);
        let acceptor = backend.acceptor(&policy, world.server_config()).unwrap();
        let connector = backend.connector(&policy, world.client_config()).unwrap();
        secured(&acceptor, &connector).await;
        now.store(START + HOUR, Ordering::Relaxed);
        let (server, _) = secured(&acceptor, &connector).await;
        assert!(server.info.resumed);
        now.store(START + 3 * HOUR, Ordering::Relaxed);
        let (server, client) = both(&acceptor, &connector, localhost()).await;
        let error = server.unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::CertificateExpired);
        assert!(error.is_peer_fault());
        assert!(error.to_string().contains("2023-11-15T00:13:20Z"), "{error}");
        client.unwrap_err();
    }
}

#[tokio::test]
async fn early_data_is_not_invited() {
    let world = World::new();
    let acceptor = world.acceptor(&kmip_with(TlsVersion::TLS_1_3));
    let mut config = raw::client(&world, &[suites::TLS_AES_256_GCM_SHA384]);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for round in 0..2 {
        let (near, far) = pipe();
        let connector = TlsConnector::from(Arc::clone(&config));
        let mut invited = false;
        let connect = connector.connect_with(localhost(), far, |connection| {
            invited = connection.early_data().is_some();
        });
        let (server, client) =
            soon(async { tokio::join!(acceptor.accept(Box::new(near)), connect) }).await;
        let (server, mut client) = (server.unwrap(), client.unwrap());
        assert_eq!(server.info.resumed, round == 1);
        assert!(!invited);
        assert!(!client.get_ref().1.is_early_data_accepted());
        // Let the client take the tickets, up to the server's end.
        drop(server);
        let _ = soon(client.read(&mut [0])).await;
    }
}
