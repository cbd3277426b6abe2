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
    let mut world = World::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(START - HOUR),
        not_after: Timestamp::from_unix_seconds(START + 2 * HOUR),
    };
    world.client = world.authority.issue(&Leaf::client("alice").with_validity(validity)).unwrap();
    for version in VERSIONS {
        let (now, backend) = clocked();
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

const START: i64 = 1_700_000_000;
const HOUR: i64 = 3_600;

/// A clock, and a backend that goes by it.
fn clocked() -> (Arc<AtomicI64>, RustlsBackend) {
    let now = Arc::new(AtomicI64::new(START));
    let clock = Arc::clone(&now);
    let clock = move || Timestamp::from_unix_seconds(clock.load(Ordering::Relaxed));
    (now, backend().with_clock(clock))
}

/// Each resumption gives new tickets: a client that comes often must not go on for ever without its
/// certificate being looked at.
#[tokio::test]
async fn a_session_ends_however_often_it_is_resumed() {
    let world = World::new();
    for version in VERSIONS {
        let (now, backend) = clocked();
        let mut policy = kmip_with(version);
        policy.resumption = Resumption::rotating(Duration::from_secs(HOUR as u64));
        let acceptor = backend.acceptor(&policy, world.server_config()).unwrap();
        let connector = backend.connector(&policy, world.client_config()).unwrap();
        // In quarters of an hour since the full handshake: ends after two hours, and begins anew.
        for (quarters, resumed) in
            [(0, false), (3, true), (6, true), (7, true), (9, false), (12, true)]
        {
            now.store(START + quarters * HOUR / 4, Ordering::Relaxed);
            let (server, _) = secured(&acceptor, &connector).await;
            assert_eq!(server.info.resumed, resumed, "{version}, after {quarters} quarters");
            assert_eq!(server.peer_certificates.len(), 1);
        }
    }
}

/// TLS 1.2 has sessions without tickets, which the server keeps.
#[tokio::test]
async fn a_session_that_the_server_keeps_ends_as_well() {
    let world = World::new();
    let (now, backend) = clocked();
    let mut policy = kmip_with(TlsVersion::TLS_1_2);
    policy.resumption = Resumption::rotating(Duration::from_secs(HOUR as u64));
    let acceptor = backend.acceptor(&policy, world.server_config()).unwrap();
    let mut config = raw::client(&world, &[suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);
    config.resumption = rustls::client::Resumption::in_memory_sessions(8)
        .tls12_resumption(rustls::client::Tls12Resumption::SessionIdOnly);
    let connector = TlsConnector::from(Arc::new(config));
    for (seconds, resumed) in [(0, false), (HOUR, true), (2 * HOUR - 1, true), (2 * HOUR, false)] {
        now.store(START + seconds, Ordering::Relaxed);
        let (near, far) = pipe();
        let (server, client) = soon(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
        })
        .await;
        client.unwrap();
        assert_eq!(server.unwrap().info.resumed, resumed, "{seconds}");
    }
}

/// A client is looked up in lists that are in date; a resumed session is no way around that.
#[tokio::test]
async fn a_session_ends_with_the_list_that_its_client_was_looked_up_in() {
    let world = World::new();
    let list = |hours| {
        let validity = Validity {
            not_before: Timestamp::from_unix_seconds(START + (hours - 9) * HOUR),
            not_after: Timestamp::from_unix_seconds(START + hours * HOUR),
        };
        world.authority.revocation_list(&[], validity).unwrap()
    };
    for version in VERSIONS {
        // The longer one is the newest of the authority: the other does not end anything.
        let crls = Crls::from_octets(format!("{}{}", list(1), list(2)).as_bytes()).unwrap();
        let mut ignoring = crls.clone();
        ignoring.expired_taken = true;
        for (crls, counts) in [(crls, true), (ignoring, false)] {
            let (now, backend) = clocked();
            let policy = kmip_with(version);
            let config = world.server_config().with_crls(crls);
            let acceptor = backend.acceptor(&policy, config).unwrap();
            let connector = backend.connector(&policy, world.client_config()).unwrap();
            secured(&acceptor, &connector).await;
            now.store(START + HOUR + 1, Ordering::Relaxed);
            let (server, _) = secured(&acceptor, &connector).await;
            assert!(server.info.resumed);
            now.store(START + 2 * HOUR + 1, Ordering::Relaxed);
            let (server, _) = both(&acceptor, &connector, localhost()).await;
            match server {
                Ok(server) => assert!(!counts && server.info.resumed),
                Err(error) => {
                    assert!(counts, "{error}");
                    assert!(error.to_string().contains("is out of date"), "{error}");
                }
            }
        }
    }
}

/// On the client's side: a server whose certificate has run out is not talked to by way of a
/// session, and one that has renewed it in the meantime is.
#[tokio::test]
async fn a_session_does_not_outlive_the_server_s_certificate() {
    let mut world = World::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(START - HOUR),
        not_after: Timestamp::from_unix_seconds(START + 2 * HOUR),
    };
    let leaf = Leaf::server("localhost").with_validity(validity);
    world.server = world.authority.issue(&leaf).unwrap();
    for version in VERSIONS {
        let (now, backend) = clocked();
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
