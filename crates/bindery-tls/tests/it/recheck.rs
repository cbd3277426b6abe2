//! Peers that were taken and are not any more; and what is said of those that never were.

use std::sync::Arc;

use bindery_core::Timestamp;
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, Crls, Policy, Proof, Psk, Reloadable, ServerConfig,
    TlsErrorKind as Kind,
    pki::{Leaf, Validity},
};

use crate::support::{VERSIONS, World, backend, both, kmip_with, localhost, secured};

fn revoking(world: &World) -> ServerConfig {
    let list = world.authority.revocation_list(&[&world.client], Validity::default()).unwrap();
    world.server_config().with_crls(Crls::from_octets(list.as_bytes()).unwrap())
}

#[tokio::test]
async fn after_a_reload_a_peer_is_judged_by_what_holds_now() {
    let (world, other) = (World::new(), World::of("Other"));
    let acceptor = world.acceptor(&Policy::kmip());
    let reloadable = Arc::new(Reloadable::new(Arc::clone(&acceptor)));
    let shared: Arc<dyn Acceptor> = reloadable.clone();
    let mut changes = shared.changes().unwrap();
    let (server, client) = secured(&shared, &world.connector(&Policy::kmip())).await;
    let proof = server.proof();
    assert_eq!(proof.certificates.len(), 1);
    shared.recheck(&proof).unwrap();
    assert!(!changes.has_changed().unwrap());
    let optional = Policy::kmip().with_client_auth(ClientAuth::Optional);
    let none = Policy::modern();
    let now = |config| backend().acceptor(&Policy::kmip(), config).unwrap();
    let elsewhere = world.server_config().with_client_roots(other.authority.roots().unwrap());
    for (next, refused, nobody) in [
        (now(world.server_config()), None, Some(Kind::NoClientCertificate)),
        (now(revoking(&world)), Some(Kind::CertificateRevoked), Some(Kind::NoClientCertificate)),
        (now(elsewhere), Some(Kind::UnknownAuthority), Some(Kind::NoClientCertificate)),
        (backend().acceptor(&optional, world.server_config()).unwrap(), None, None),
        (
            backend().acceptor(&none, world.server_config()).unwrap(),
            Some(Kind::UnknownAuthority),
            None,
        ),
    ] {
        reloadable.replace(next);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        let told = shared.recheck(&proof).err();
        assert_eq!(told.as_ref().map(|error| error.kind()), refused);
        if let Some(shown) = told.as_ref().and_then(|error| error.certificate()) {
            assert_eq!(shown.subject, "CN=alice,O=Example");
        }
        let told = shared.recheck(&Proof::default()).err();
        assert_eq!(told.map(|error| error.kind()), nobody);
    }
    // A key that was proved to a backend that had suites for it.
    let psk = Psk::new("device", [7; 32]).unwrap();
    shared.recheck(&Proof::new(Arc::from([]), Some(psk))).unwrap_err();
    drop((server, client));
}

/// A certificate that has run out since is not taken either.
#[tokio::test]
async fn the_time_of_the_question_counts() {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    let world = World::new();
    let clock = Arc::new(AtomicI64::new(1_700_000_000));
    let hand = Arc::clone(&clock);
    let backend = backend().with_clock(move || Timestamp::from_unix_seconds(hand.load(Relaxed)));
    let acceptor = backend.acceptor(&Policy::kmip(), world.server_config()).unwrap();
    let (server, _client) = secured(&acceptor, &world.connector(&Policy::kmip())).await;
    acceptor.recheck(&server.proof()).unwrap();
    clock.store(2_600_000_000, Relaxed);
    assert_eq!(acceptor.recheck(&server.proof()).unwrap_err().kind(), Kind::CertificateExpired);
}

/// The log is made of this: who was refused, as far as it is known.
#[tokio::test]
async fn a_refused_certificate_is_named() {
    let (world, stranger) = (World::new(), World::of("Stranger"));
    let old = Validity {
        not_before: Timestamp::from_unix_seconds(946_684_800),
        not_after: Timestamp::from_unix_seconds(946_684_900),
    };
    let expired = world.authority.issue(&Leaf::client("bob").with_validity(old)).unwrap();
    for version in VERSIONS {
        let policy = kmip_with(version);
        for (config, client, kind, subject) in [
            (revoking(&world), &world.client, Kind::CertificateRevoked, "CN=alice,O=Example"),
            (world.server_config(), &stranger.client, Kind::UnknownAuthority, "CN=alice,O=Example"),
            (world.server_config(), &expired, Kind::CertificateExpired, "CN=bob"),
        ] {
            let acceptor = backend().acceptor(&policy, config).unwrap();
            let identity = client.identity().unwrap();
            let certificate = identity.certificate().unwrap();
            let config = world.client_config().with_identity(identity);
            let connector = backend().connector(&policy, config).unwrap();
            let (server, _) = both(&acceptor, &connector, localhost()).await;
            let error = server.unwrap_err();
            assert_eq!(error.kind(), kind);
            let shown = error.certificate().unwrap();
            assert_eq!(shown.subject, subject);
            assert_eq!((&shown.issuer, &shown.serial), (&certificate.issuer, &certificate.serial));
            assert_eq!(shown.fingerprint, certificate.fingerprint);
        }
        // Where nothing was shown, nothing is named.
        let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
        let mut config = world.client_config();
        config.identity = None;
        let connector = backend().connector(&policy, config).unwrap();
        let (server, _) = both(&acceptor, &connector, localhost()).await;
        assert!(server.unwrap_err().certificate().is_none());
    }
}
