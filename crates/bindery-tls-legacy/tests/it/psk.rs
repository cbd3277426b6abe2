//! Pre-shared keys.

use bindery_core::TlsVersion;
use bindery_tls::{ClientAuth, Policy, Psk, TlsErrorKind};

use crate::support::{World, key, meet, policy};

fn psk() -> Policy {
    policy(&[TlsVersion::TLS_1_2], &["TLS_PSK_WITH_AES_128_GCM_SHA256"])
}

async fn refusal(offered: Psk) -> (TlsErrorKind, String, TlsErrorKind, String) {
    let world = World::shared();
    let (mut server, mut client) = (world.server_config(), world.client_config());
    server.psk.keys.push(key());
    client.psk.keys.push(offered);
    let ends = meet((&psk(), server), (&psk(), client)).await;
    let (server, client) = (ends.0.unwrap_err(), ends.1.unwrap_err());
    (server.kind(), server.to_string(), client.kind(), client.to_string())
}

/// RFC 4279, section 2: what a client is told is the same, so that it learns no identities.
#[tokio::test]
async fn an_unknown_identity_is_not_told_apart_from_a_wrong_key() {
    let unknown = refusal(Psk::new("device-99", [7; 32]).unwrap()).await;
    let wrong = refusal(Psk::new("device-17", [8; 32]).unwrap()).await;
    assert_eq!(unknown, wrong);
    assert_eq!((unknown.0, unknown.2), (TlsErrorKind::Refused, TlsErrorKind::Refused));
}

#[tokio::test]
async fn each_client_is_found_among_many_keys() {
    let world = World::shared();
    for chosen in [0, 7, 19] {
        let keys = (0..20).map(|n| Psk::new(format!("device-{n}"), vec![n + 1; 16]).unwrap());
        let (mut server, mut client) = (world.server_config(), world.client_config());
        server.psk.keys.extend(keys.clone());
        client.psk.keys.extend(keys.skip(chosen).take(1));
        let ends = meet((&psk(), server), (&psk(), client)).await;
        let identity = ends.0.unwrap().psk_identity.unwrap();
        assert_eq!(identity, format!("device-{chosen}").as_bytes());
    }
}

/// A pre-shared key says who the client is, as a certificate does.
#[tokio::test]
async fn a_key_stands_for_a_required_certificate() {
    let world = World::shared();
    let policy = psk().with_client_auth(ClientAuth::Required);
    let (mut server, mut client) = (world.server_config(), world.client_config());
    server.psk.keys.push(key());
    client.psk.keys.push(key());
    let end = meet((&policy, server), (&policy, client)).await.0.unwrap();
    assert!(end.peer_certificates.is_empty());
    assert_eq!(end.psk_identity.as_deref(), Some(&b"device-17"[..]));
    assert!(end.info.local_certificates.is_empty(), "no certificate was shown with a plain PSK");
}

#[tokio::test]
async fn without_keys_no_suite_is_left() {
    let world = World::shared();
    let mut client = world.client_config();
    client.psk.keys.push(key());
    let ends = meet((&psk(), world.server_config()), (&psk(), client)).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
}
