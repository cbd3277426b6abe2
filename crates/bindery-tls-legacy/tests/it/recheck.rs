//! Peers that were taken and are not any more; and what is said of those that never were.

use std::sync::Arc;

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, ClientRules, Crls, Policy, Proof, Psk, Roots, ServerConfig,
    TlsErrorKind as Kind, Usage,
    pki::{Authority, Leaf, Validity},
};

use crate::support::{World, backend, key, meet, policy};

fn required() -> Policy {
    let suites = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"];
    policy(&[TlsVersion::TLS_1_1], &suites).with_client_auth(ClientAuth::Required)
}

fn acceptor(config: ServerConfig) -> Arc<dyn Acceptor> {
    backend().acceptor(&required(), config).unwrap()
}

fn revoking(world: &World) -> ServerConfig {
    let list = world.authority.revocation_list(&[&world.client], Validity::default()).unwrap();
    world.server_config().with_crls(Crls::from_octets(list.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_certificate_is_judged_by_what_holds_now() {
    let world = World::shared();
    let client = world.client_config().with_identity(world.client.identity().unwrap());
    let ends = meet((&required(), world.server_config()), (&required(), client)).await;
    let server = ends.0.unwrap();
    let proof = server.proof();
    assert_eq!(proof.certificates[0], world.client.identity().unwrap().chain()[0]);
    acceptor(world.server_config()).recheck(&proof).unwrap();
    let error = acceptor(revoking(world)).recheck(&proof).unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateRevoked);
    assert_eq!(error.certificate().unwrap().subject, "CN=alice");
    let other = Authority::new("Other", Validity::default()).unwrap();
    let elsewhere = world.server_config().with_client_roots(other.roots().unwrap());
    let error = acceptor(elsewhere).recheck(&proof).unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownAuthority);
    // A server's certificate was no client's then and is none now, unless the rules say so.
    let shown = Proof::new(Arc::clone(world.server.identity().unwrap().chain()), None);
    let error = acceptor(world.server_config()).recheck(&shown).unwrap_err();
    assert_eq!(error.kind(), Kind::BadCertificate);
    let mut rules = ClientRules::default();
    rules.usage = Usage::DangerousServersToo;
    acceptor(world.server_config().with_client_rules(rules)).recheck(&shown).unwrap();
    // Nobody is asked any more; or everybody, and this one showed nothing.
    let none = required().with_client_auth(ClientAuth::None);
    let none = backend().acceptor(&none, world.server_config()).unwrap();
    assert_eq!(none.recheck(&proof).unwrap_err().kind(), Kind::UnknownAuthority);
    none.recheck(&Proof::default()).unwrap();
    let error = acceptor(world.server_config()).recheck(&Proof::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::NoClientCertificate);
}

#[tokio::test]
async fn a_pre_shared_key_must_still_be_the_same() {
    let world = World::shared();
    let with = |psk: &[Psk]| {
        let mut config = world.server_config();
        config.psk.keys.extend_from_slice(psk);
        config
    };
    let mut client = world.client_config();
    client.psk.keys.push(key());
    let only = policy(&[TlsVersion::TLS_1_1], &["TLS_PSK_WITH_AES_128_CBC_SHA"]);
    let ends = meet((&only, with(&[key()])), (&only, client)).await;
    let server = ends.0.unwrap();
    let proof = server.proof();
    assert_eq!(server.psk_identity.as_deref(), Some(&b"device-17"[..]));
    acceptor(with(&[key()])).recheck(&proof).unwrap();
    let changed = Psk::new("device-17", [8; 32]).unwrap();
    let longer = Psk::new("device-17", [7; 33]).unwrap();
    let other = Psk::new("device-18", [7; 32]).unwrap();
    for (keys, says) in [
        (vec![changed], "has changed"),
        (vec![longer], "has changed"),
        (vec![other], "no key here any more"),
        (vec![], "no key here any more"),
    ] {
        let error = acceptor(with(&keys)).recheck(&proof).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_refused_certificate_is_named() {
    let (world, stranger) = (World::shared(), World::new());
    for (config, shown, kind, subject) in [
        (revoking(world), &world.client, Kind::CertificateRevoked, "CN=alice"),
        (world.server_config(), &stranger.client, Kind::UnknownAuthority, "CN=alice"),
    ] {
        let identity = shown.identity().unwrap();
        let fingerprint = identity.certificate().unwrap().fingerprint;
        let client = world.client_config().with_identity(identity);
        let ends = meet((&required(), config), (&required(), client)).await;
        let error = ends.0.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let told = error.certificate().unwrap();
        assert_eq!((told.subject.as_str(), &told.fingerprint), (subject, &fingerprint));
    }
}

/// What is wrong with the configuration is found by this backend as by the other.
#[test]
fn pieces_that_do_not_go_together_are_refused() {
    let world = World::shared();
    let leaf = Roots::from_pem(world.client.certificate_pem().as_bytes()).unwrap();
    let config = world.server_config().with_client_roots(leaf);
    let error = backend().acceptor(&required(), config).unwrap_err();
    assert!(error.to_string().contains("no Basic Constraints"), "{error}");
    let other = Authority::new("Other", Validity::default()).unwrap();
    let list = other.revocation_list(&[], Validity::default()).unwrap();
    let list = Crls::from_octets(list.as_bytes()).unwrap();
    let config = world.server_config().with_crls(list);
    let error = backend().acceptor(&required(), config).unwrap_err();
    assert!(error.to_string().contains("no revocation list is of a trusted authority"), "{error}");
    // The suites of OMA and of KMIP to the letter take an RSA certificate.
    let ecdsa = world.authority.issue(&Leaf::server("localhost")).unwrap();
    let config = ServerConfig::new(ecdsa.identity().unwrap())
        .with_client_roots(world.authority.roots().unwrap());
    let policy = Policy::named("kmip-1.4").unwrap();
    let error = backend().acceptor(&policy, config).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("ECDSA (P-256)") && said.contains("requires TLS_RSA_WITH_AES"), "{said}");
    assert!(error.hint().contains("a key of RSA"), "{}", error.hint());
}
