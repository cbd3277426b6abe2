//! Pre-shared keys.

use std::sync::Arc;

use bindery_core::TlsVersion;
use bindery_tls::{Backend as _, ClientAuth, Policy, Psk, PskSource, Row, TlsError, TlsErrorKind};

use crate::support::{World, backend, key, meet, policy, suite};

fn psk() -> Policy {
    policy(&[TlsVersion::TLS_1_2], &["TLS_PSK_WITH_AES_128_GCM_SHA256"])
}

async fn refusal(offered: Psk) -> (TlsError, TlsError) {
    let world = World::shared();
    let (mut server, mut client) = (world.server_config(), world.client_config());
    server.psk.keys.push(key());
    client.psk.keys.push(offered);
    let ends = meet((&psk(), server), (&psk(), client)).await;
    (ends.0.unwrap_err(), ends.1.unwrap_err())
}

/// RFC 4279, section 2: what a client is told is the same, so that it learns no identities.
#[tokio::test]
async fn an_unknown_identity_is_not_told_apart_from_a_wrong_key() {
    let unknown = refusal(Psk::new("device-99", [7; 32]).unwrap()).await;
    let wrong = refusal(Psk::new("device-17", [8; 32]).unwrap()).await;
    for (server, client) in [&unknown, &wrong] {
        assert_eq!((server.kind(), client.kind()), (TlsErrorKind::Refused, TlsErrorKind::Refused));
    }
    assert_eq!(unknown.1.to_string(), wrong.1.to_string());
    // The server's own log tells the two apart, and names the identity.
    let (unknown, wrong) = (unknown.0.to_string(), wrong.0.to_string());
    assert!(unknown.contains("device-99, which has no key here"), "{unknown}");
    assert!(wrong.contains("device-17 and holds another key"), "{wrong}");
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

/// What cannot be sent is not left out in silence.
#[test]
fn a_hint_cannot_be_given() {
    let mut server = World::shared().server_config();
    server.psk.keys.push(key());
    server.psk.hint = Some(b"plant 7".to_vec());
    let error = backend().acceptor(&psk(), server).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::Configuration);
    assert!(error.to_string().contains("SSL_CTX_use_psk_identity_hint"), "{error}");
}

/// Where nothing but pre-shared keys is spoken, a server without any does not start; where a
/// certificate does as well, a client with a key alone finds nothing in common.
#[tokio::test]
async fn without_keys_no_suite_is_left() {
    let world = World::shared();
    let error = backend().acceptor(&psk(), world.server_config()).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
    assert!(error.hint().contains("psk_file"), "{}", error.hint());
    let mut client = world.client_config();
    client.psk.keys.push(key());
    let both = ["TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"];
    let both = policy(&[TlsVersion::TLS_1_2], &both);
    let ends = meet((&both, world.server_config()), (&psk(), client)).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
}

/// A register in which every device's key is made of its name.
#[derive(Debug)]
struct Register;

impl PskSource for Register {
    fn key(&self, identity: &[u8]) -> Option<Psk> {
        let number = identity.strip_prefix(b"device-")?;
        Psk::new(identity, number.repeat(16)).ok()
    }

    fn offer(&self, hint: Option<&[u8]>) -> Option<Psk> {
        assert_eq!(hint, None, "these servers send none");
        self.key(b"device-5")
    }
}

/// Keys need not be listed: a source is asked for the identity that came, and for the one to offer; what the policy does
/// not permit is not found there either.
#[tokio::test]
async fn keys_come_from_a_source() {
    let world = World::shared();
    let (mut server, mut client) = (world.server_config(), world.client_config());
    server.psk.source = Some(Arc::new(Register));
    client.psk.source = Some(Arc::new(Register));
    let (server, client) = (server, client);
    let ends = meet((&psk(), server.clone()), (&psk(), client.clone())).await;
    let end = ends.0.unwrap();
    assert_eq!(end.psk_identity.as_deref(), Some(&b"device-5"[..]));
    // A list comes first, and the source is asked for what it has not.
    let mut listed = server.clone();
    listed.psk.keys.push(key());
    let mut other = world.client_config();
    other.psk.keys.push(key());
    let ends = meet((&psk(), listed), (&psk(), other)).await;
    assert_eq!(ends.0.unwrap().psk_identity.as_deref(), Some(&b"device-17"[..]));
    let mut unknown = world.client_config();
    unknown.psk.keys.push(Psk::new("nobody", [7; 32]).unwrap());
    let ends = meet((&psk(), server.clone()), (&psk(), unknown)).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::Refused);
    let mut narrow = psk();
    narrow.trust.psk_identities = Some(vec![b"device-6".to_vec()]);
    let ends = meet((&narrow, server), (&psk(), client)).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::Refused);
}

/// OpenSSL would let a key stand for a session of TLS 1.3, and tell nobody whose it was: with TLS 1.3 a certificate is
/// shown, and both sides say so.
#[tokio::test]
async fn in_tls_1_3_no_key_stands_for_a_certificate() {
    let world = World::shared();
    let versions = [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2];
    let mut both =
        policy(&versions, &["TLS_AES_128_GCM_SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256"]);
    both.suites.push(Row::permitted(suite("TLS_CHACHA20_POLY1305_SHA256"), "test"));
    let sides = || {
        let (mut server, mut client) = (world.server_config(), world.client_config());
        server.psk.keys.push(key());
        client.psk.keys.push(key());
        (server, client.with_identity(world.client.identity().unwrap()))
    };
    for rule in [ClientAuth::Required, ClientAuth::Optional] {
        let ours = both.clone().with_client_auth(rule);
        let (server, client) = sides();
        let ends = meet((&ours, server), (&both, client)).await;
        let (server, client) = (ends.0.unwrap(), ends.1.unwrap());
        assert_eq!(server.info.version, TlsVersion::TLS_1_3);
        assert_eq!((server.psk_identity, server.peer_certificates.is_empty()), (None, false));
        assert_eq!((client.psk_identity, client.peer_certificates.is_empty()), (None, false));
    }
    // The same two in TLS 1.2 use the key.
    let (server, client) = sides();
    let ends = meet((&both, server), (&psk(), client)).await;
    assert_eq!(ends.0.unwrap().psk_identity.as_deref(), Some(&b"device-17"[..]));
    let (server, client) = sides();
    let ends = meet((&psk(), server), (&both, client)).await;
    assert_eq!(ends.1.unwrap().psk_identity.as_deref(), Some(&b"device-17"[..]));
}
