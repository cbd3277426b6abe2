//! Resumed sessions: who is there must stay known, and only for as long as it is true.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bindery_core::{Timestamp, TlsVersion};
use bindery_tls::{
    Backend as _, Crls, Resumption, RustlsBackend, ServerConfig, TlsErrorKind,
    pki::{Leaf, Validity},
    registry::suites,
};
use rustls::client::Tls12Resumption;
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

/// A backend whose clock is set by hand.
fn by_hand(start: i64) -> (RustlsBackend, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(start));
    let clock = Arc::clone(&now);
    let clock = move || Timestamp::from_unix_seconds(clock.load(Ordering::Relaxed));
    (backend().with_clock(clock), now)
}

const MINUTE: i64 = 60;

/// RFC 8446, 4.6.1: new tickets must not prolong a session for ever, as nobody looks again at who
/// began it.
#[tokio::test]
async fn a_session_ends_however_often_it_is_given_new_tickets() {
    const START: i64 = 1_700_000_000;
    let world = World::new();
    for version in VERSIONS {
        let (backend, now) = by_hand(START);
        let mut policy = kmip_with(version);
        policy.resumption = Resumption::rotating(Duration::from_secs(60 * 60));
        let acceptor = backend.acceptor(&policy, world.server_config()).unwrap();
        let connector = backend.connector(&policy, world.client_config()).unwrap();
        for (minutes, resumed) in
            [(0, false), (50, true), (100, true), (119, true), (120, false), (150, true)]
        {
            now.store(START + minutes * MINUTE, Ordering::Relaxed);
            let (server, _) = secured(&acceptor, &connector).await;
            assert_eq!(server.info.resumed, resumed, "{version} after {minutes} minutes");
        }
    }
}

#[tokio::test]
async fn nothing_is_resumed_beyond_the_date_of_a_revocation_list() {
    const START: i64 = 1_700_000_000;
    let at = |minutes| Timestamp::from_unix_seconds(START + minutes * MINUTE);
    let world = World::new();
    let validity = Validity { not_before: at(-60), not_after: at(60) };
    let list = world.authority.revocation_list(&[], validity).unwrap();
    // The newer list takes the place of the one before, whose date ends nothing.
    let before = Validity { not_before: at(-120), not_after: at(10) };
    let before = world.authority.revocation_list(&[], before).unwrap();
    let strict = Crls::from_octets(format!("{before}{list}").as_bytes()).unwrap();
    let mut relaxed = strict.clone();
    relaxed.expired_taken = true;
    for version in VERSIONS {
        for (list, beyond) in [(&strict, false), (&relaxed, true)] {
            let (backend, now) = by_hand(START);
            let policy = kmip_with(version);
            let config = world.server_config().with_crls(list.clone());
            let acceptor = backend.acceptor(&policy, config).unwrap();
            let connector = backend.connector(&policy, world.client_config()).unwrap();
            secured(&acceptor, &connector).await;
            now.store(START + 59 * MINUTE, Ordering::Relaxed);
            assert!(secured(&acceptor, &connector).await.0.info.resumed, "{version}");
            now.store(START + 61 * MINUTE, Ordering::Relaxed);
            let (server, _) = both(&acceptor, &connector, localhost()).await;
            if beyond {
                assert!(server.unwrap().info.resumed, "{version}");
            } else {
                let error = server.unwrap_err();
                assert!(error.to_string().contains("out of date"), "{version}: {error}");
            }
        }
    }
}

/// Sessions that a server keeps by their id have no end; there are none.
#[tokio::test]
async fn a_client_without_tickets_is_not_resumed() {
    let world = World::new();
    let policy = kmip_with(TlsVersion::TLS_1_2);
    let acceptor = world.acceptor(&policy);
    let suites = [suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384];
    for (by, resumes) in
        [(Tls12Resumption::SessionIdOnly, false), (Tls12Resumption::SessionIdOrTickets, true)]
    {
        let mut config = raw::client(&world, &suites);
        let sessions = rustls::client::Resumption::in_memory_sessions(8);
        config.resumption = sessions.tls12_resumption(by);
        let connector = TlsConnector::from(Arc::new(config));
        for round in 0..2 {
            let (near, far) = pipe();
            let connect = connector.connect(localhost(), far);
            let (server, client) =
                soon(async { tokio::join!(acceptor.accept(Box::new(near)), connect) }).await;
            client.unwrap();
            assert_eq!(server.unwrap().info.resumed, resumes && round == 1, "{by:?}");
        }
    }
}

/// On the client's side: a server whose certificate has run out is not talked to by way of a
/// session, and one that has renewed it in the meantime is.
#[tokio::test]
async fn a_session_does_not_outlive_the_server_s_certificate() {
    const START: i64 = 1_700_000_000;
    const HOUR: i64 = 60 * MINUTE;
    let mut world = World::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(START - HOUR),
        not_after: Timestamp::from_unix_seconds(START + 2 * HOUR),
    };
    let leaf = Leaf::server("localhost").with_validity(validity);
    world.server = world.authority.issue(&leaf).unwrap();
    for version in VERSIONS {
        let (backend, now) = by_hand(START);
        let policy = kmip_with(version);
        let acceptor = backend.acceptor(&policy, world.server_config()).unwrap();
        let connector = backend.connector(&policy, world.client_config()).unwrap();
        for (hours, resumed) in [(0, false), (1, true), (2, true)] {
            now.store(START + hours * HOUR, Ordering::Relaxed);
            let (_, client) = secured(&acceptor, &connector).await;
            assert_eq!(client.info.resumed, resumed, "{version}, {hours}");
            assert_eq!(client.info.local_certificates.len(), 1);
        }
        now.store(START + 2 * HOUR + 1, Ordering::Relaxed);
        let (_, client) = both(&acceptor, &connector, localhost()).await;
        assert_eq!(client.unwrap_err().kind(), TlsErrorKind::CertificateExpired);
        let renewed = world.authority.issue(&Leaf::server("localhost")).unwrap();
        let config = ServerConfig::new(renewed.identity().unwrap())
            .with_client_roots(world.authority.roots().unwrap());
        let acceptor = backend.acceptor(&policy, config).unwrap();
        secured(&acceptor, &connector).await;
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
