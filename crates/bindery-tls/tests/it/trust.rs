//! Authorities, revocation lists and pre-shared keys that a policy names.

use std::{fs, path::Path};

use bindery_tls::{
    Backend as _, ClientConfig, Policy, Psk, Restriction, ServerConfig, TlsErrorKind as Kind,
    pki::{Issued, Validity},
};

use crate::support::{World, backend, both, localhost, secured};

/// A policy like `kmip`, whose files are in a folder.
fn policy(folder: &Path, keys: &str) -> Policy {
    let text = format!("based_on = \"kmip\"\n{keys}");
    Policy::from_toml("plant", &text).unwrap().with_files_in(folder)
}

fn put(folder: &Path, world: &World, revoked: &[&Issued]) {
    fs::write(folder.join("ca.pem"), world.authority.certificate_pem()).unwrap();
    let list = world.authority.revocation_list(revoked, Validity::default()).unwrap();
    fs::write(folder.join("ca.crl"), list).unwrap();
}

#[tokio::test]
async fn both_sides_trust_whom_their_policy_names() {
    let (world, stranger) = (World::new(), World::of("Stranger"));
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &world, &[]);
    let policy = policy(folder.path(), "trust_anchors = [\"ca.pem\"]\ncrls = [\"ca.crl\"]");
    let server = || ServerConfig::new(world.server.identity().unwrap());
    let client = |identity: &Issued| {
        ClientConfig::of_policy(&policy).unwrap().with_identity(identity.identity().unwrap())
    };
    let acceptor = backend().acceptor(&policy, server()).unwrap();
    secured(&acceptor, &backend().connector(&policy, client(&world.client)).unwrap()).await;
    let unknown = backend().connector(&policy, client(&stranger.client)).unwrap();
    let (refusal, _) = both(&acceptor, &unknown, localhost()).await;
    assert_eq!(refusal.unwrap_err().kind(), Kind::UnknownAuthority);
    // What is configured comes before what the policy says.
    let own = server().with_client_roots(stranger.authority.roots().unwrap());
    let completed = own.clone().with_trust_of(&policy).unwrap();
    let origins: Vec<_> = completed.expiries().into_iter().map(|one| one.origin).collect();
    assert!(origins.iter().any(|one| one.ends_with("ca.crl")), "{origins:?}");
    assert!(!origins.iter().any(|one| one.ends_with("ca.pem")), "{origins:?}");
}

#[tokio::test]
async fn a_list_of_the_policy_revokes() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &world, &[&world.client]);
    // A restriction takes nothing of the trust away.
    let policy = policy(folder.path(), "crls = [\"ca.crl\"]").restricted(Restriction::new());
    let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
    let (refusal, _) = both(&acceptor, &world.connector(&Policy::kmip()), localhost()).await;
    assert_eq!(refusal.unwrap_err().kind(), Kind::CertificateRevoked);
    put(folder.path(), &world, &[&world.server]);
    let connector = backend().connector(&policy, world.client_config()).unwrap();
    let (_, refusal) = both(&world.acceptor(&Policy::kmip()), &connector, localhost()).await;
    assert_eq!(refusal.unwrap_err().kind(), Kind::CertificateRevoked);
}

#[test]
fn the_same_list_twice_is_one_list() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &world, &[]);
    let policy = policy(folder.path(), "crls = [\"ca.crl\", \"ca.crl\"]");
    let once = world.server_config().with_trust_of(&policy).unwrap();
    let twice = once.clone().with_trust_of(&policy).unwrap();
    assert_eq!((once.crls.lists().count(), twice.crls.lists().count()), (1, 1));
}

#[test]
fn what_the_policy_names_must_be_there() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    for (keys, says) in
        [("trust_anchors = [\"none.pem\"]", "none.pem"), ("crls = [\"none.crl\"]", "none.crl")]
    {
        let policy = policy(folder.path(), keys);
        let config = ServerConfig::new(world.server.identity().unwrap());
        let error = backend().acceptor(&policy, config).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        let place = folder.path().join(says);
        assert!(error.to_string().contains(&place.display().to_string()), "{error}");
    }
    let error = ClientConfig::of_policy(&Policy::kmip()).unwrap_err();
    assert!(error.to_string().contains("kmip names no trust anchors"), "{error}");
    let config = ServerConfig::new(world.server.identity().unwrap());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert!(error.hint().contains("trust_anchors"), "{}", error.hint());
}

#[test]
fn only_the_named_pre_shared_keys_are_permitted() {
    let world = World::new();
    let policy = policy(Path::new(""), "psk_identities = [\"meter-7\"]");
    let with = |identity: &str| {
        let mut config = world.server_config();
        config.psk.keys.push(Psk::new(identity, [7; 32]).unwrap());
        config
    };
    let error = with("meter-8").with_trust_of(&policy).unwrap_err();
    assert_eq!(error.kind(), Kind::PolicyNotMet);
    assert!(error.to_string().contains("plant does not permit the PSK identity meter-8"));
    with("meter-7").with_trust_of(&policy).unwrap();
    with("meter-8").with_trust_of(&Policy::kmip()).unwrap();
    let none = self::policy(Path::new(""), "psk_identities = []");
    with("meter-7").with_trust_of(&none).unwrap_err();
    // The policy permits it; rustls has no PSK suites.
    let error = backend().acceptor(&policy, with("meter-7")).unwrap_err();
    assert!(error.to_string().contains("no PSK suites"), "{error}");
}
