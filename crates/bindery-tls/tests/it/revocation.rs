//! Revocation lists, and how strict a server is with its clients' certificates.

use bindery_core::Timestamp;
use bindery_tls::{
    Backend as _, ClientRules, Crls, Policy, Roots, ServerConfig, TlsErrorKind as Kind, Usage,
    pki::{Authority, Issued, Leaf, Validity},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyUsagePurpose};

use crate::support::{VERSIONS, World, backend, both, kmip_with, localhost, secured};

fn crls(world: &World, revoked: &[&Issued], validity: Validity) -> Crls {
    let list = world.authority.revocation_list(revoked, validity).unwrap();
    Crls::from_octets(list.as_bytes()).unwrap()
}

fn text(world: &World, validity: Validity) -> String {
    world.authority.revocation_list(&[], validity).unwrap()
}

#[tokio::test]
async fn a_revoked_client_gets_no_connection_and_another_does() {
    let world = World::new();
    let other = world.authority.issue(&Leaf::client("bob")).unwrap();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let config =
            world.server_config().with_crls(crls(&world, &[&world.client], Validity::default()));
        let acceptor = backend().acceptor(&policy, config).unwrap();
        let (server, client) = both(&acceptor, &world.connector(&policy), localhost()).await;
        let server = server.unwrap_err();
        assert_eq!(server.kind(), Kind::CertificateRevoked);
        assert!(server.is_peer_fault() && server.is_certificate(), "{server}");
        assert_eq!(client.unwrap_err().kind(), Kind::CertificateRevoked);
        let config = world.client_config().with_identity(other.identity().unwrap());
        let connector = backend().connector(&policy, config).unwrap();
        secured(&acceptor, &connector).await;
    }
}

#[tokio::test]
async fn a_revoked_server_is_not_talked_to() {
    let world = World::new();
    let list = crls(&world, &[&world.server], Validity::default());
    let config = world.client_config().with_crls(list);
    let connector = backend().connector(&Policy::kmip(), config).unwrap();
    let (_, client) = both(&world.acceptor(&Policy::kmip()), &connector, localhost()).await;
    assert_eq!(client.unwrap_err().kind(), Kind::CertificateRevoked);
}

#[tokio::test]
async fn a_list_that_is_old_or_of_another_authority_counts_only_where_it_is_said() {
    let (world, stranger) = (World::new(), World::of("Stranger"));
    let past = Validity {
        not_before: Timestamp::from_unix_seconds(946_684_800),
        not_after: Timestamp::from_unix_seconds(946_684_900),
    };
    let expired = crls(&world, &[], past);
    let unknown = crls(&stranger, &[], Validity::default());
    let mut relaxed = [expired.clone(), unknown.clone()];
    relaxed[0].expired_taken = true;
    relaxed[1].unknown_taken = true;
    let strangers = stranger.authority.roots().unwrap();
    let two =
        format!("{}{}", world.authority.certificate_pem(), stranger.authority.certificate_pem());
    let two = Roots::from_pem(two.as_bytes()).unwrap();
    // A list that covers none of the authorities is refused before anybody comes.
    for roots in [world.authority.roots().unwrap(), strangers] {
        let config = world.server_config().with_client_roots(roots.clone());
        let list = [&stranger, &world]
            .into_iter()
            .find(|one| one.authority.roots().unwrap().certificates() != roots.certificates());
        let config = config.with_crls(crls(list.unwrap(), &[], Validity::default()));
        let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        assert!(
            error.to_string().contains("no revocation list is of a trusted authority"),
            "{error}"
        );
        assert!(error.hint().contains("crl_check"), "{}", error.hint());
    }
    // Nor is one whose time is over, where there is no other: it names file, field and remedy.
    let config = world.server_config().with_crls(expired.clone());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    let said = error.to_string();
    for part in ["revocation list text", "CN=Test Authority", "2000-01-01T00:01:40Z", "Next Update"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(error.hint().contains("chain-where-known"), "{}", error.hint());
    // Beside another's it is told, and concerns its own authority's clients alone.
    let both_lists = format!("{}{}", text(&world, past), text(&stranger, Validity::default()));
    let partly = Crls::from_octets(both_lists.as_bytes()).unwrap();
    for (list, says) in [(partly, "out of date"), (unknown, "no revocation list speaks of")] {
        let config = world.server_config().with_client_roots(two.clone()).with_crls(list);
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let (server, client) =
            both(&acceptor, &world.connector(&Policy::kmip()), localhost()).await;
        let error = server.unwrap_err();
        assert_eq!(error.kind(), Kind::RevocationUnknown);
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.is_our_fault() && error.is_certificate(), "{error}");
        // Nobody tells the client that its certificate was revoked.
        let told = client.unwrap_err();
        assert_eq!(told.kind(), Kind::BadCertificate);
        assert!(told.to_string().contains("CertificateUnknown"), "{told}");
    }
    for list in relaxed {
        let config = world.server_config().with_crls(list);
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        secured(&acceptor, &world.connector(&Policy::kmip())).await;
    }
}

/// The first list without its Authority Key Identifier: it may be of any key.
fn without_key_id(crls: &Crls) -> Vec<u8> {
    let mut der = crls.lists().next().unwrap().der.to_vec();
    let at = der.windows(3).position(|octets| octets == [0x55, 0x1d, 0x23]).unwrap();
    der[at + 2] = 0x7f;
    der
}

/// The authority was made anew under its old name: the list is this side's fault, not the client's.
#[tokio::test]
async fn a_list_that_another_key_signed_is_not_blamed_on_the_client() {
    let (world, namesake) = (World::new(), World::new());
    let list = crls(&namesake, &[], Validity::default());
    let config = world.server_config().with_crls(list.clone());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("by another key than"), "{error}");
    // One that does not say by which key it is, and a damaged one, have a wrong signature.
    let unsaid = without_key_id(&list);
    let mut damaged = crls(&world, &[], Validity::default()).lists().next().unwrap().der.to_vec();
    let date = damaged.windows(6).position(|octets| octets == *b"491231").unwrap();
    damaged[date + 1] = b'8';
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plant.crl");
    for der in [unsaid, damaged] {
        std::fs::write(&path, der).unwrap();
        let list = || Crls::from_files([&path]).unwrap();
        let server = world.server_config().with_crls(list());
        let client = world.client_config().with_crls(list());
        for error in [
            backend().acceptor(&Policy::kmip(), server).unwrap_err(),
            backend().connector(&Policy::kmip(), client).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::Configuration);
            let said = error.to_string();
            for part in ["plant.crl", "signatureValue", "CN=Test Authority"] {
                assert!(said.contains(part), "{said}");
            }
            assert!(error.hint().contains("fetch the list anew"), "{}", error.hint());
        }
    }
}

/// The world's authority with room for one below it: certificate and signer.
fn wide(world: &World) -> (String, rcgen::Issuer<'static, rcgen::KeyPair>) {
    let key = rcgen::KeyPair::from_pem(world.authority.key_pem()).unwrap();
    let usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let params =
        authority_params("Test Authority", IsCa::Ca(BasicConstraints::Unconstrained), usages);
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, rcgen::Issuer::new(params, key))
}

fn authority_params(name: &str, is_ca: IsCa, usages: Vec<KeyUsagePurpose>) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = is_ca;
    params.key_usages = usages;
    params
}

/// Two authorities, of which one signs for the other: a list of the one below cannot be checked before
/// somebody shows its certificate.
#[tokio::test]
async fn a_list_below_the_root_that_another_key_signed_is_no_proof_of_a_revocation() {
    let world = World::new();
    let (wide, root) = wide(&world);
    let key = || rcgen::KeyPair::generate().unwrap();
    let below = |key: &rcgen::KeyPair, usages: Vec<KeyUsagePurpose>| {
        let params = authority_params("Plant", IsCa::Ca(BasicConstraints::Constrained(0)), usages);
        let certificate = params.signed_by(key, &root).unwrap().pem();
        (certificate.clone(), Authority::from_pem(&certificate, &key.serialize_pem()).unwrap())
    };
    let both_usages = || vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (plant_pem, plant) = below(&key(), both_usages());
    let (_, namesake) = below(&key(), both_usages());
    // Its certificate does not let it sign lists, and it does.
    let key = key();
    let (silent_pem, silent) = below(&key, vec![KeyUsagePurpose::KeyCertSign]);
    let (_, lister) = below(&key, both_usages());
    let list = |authority: &Authority| authority.revocation_list(&[], Validity::default()).unwrap();
    let unsaid = |text: &str| without_key_id(&Crls::from_octets(text.as_bytes()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("root.crl"), text(&world, Validity::default())).unwrap();
    for (authority, pem, below, refused) in [
        (&plant, &plant_pem, list(&plant).into_bytes(), None),
        (
            &plant,
            &plant_pem,
            unsaid(&list(&namesake)),
            Some("below.crl is not signed by a key of CN=Plant"),
        ),
        (&plant, &plant_pem, list(&namesake).into_bytes(), Some("no revocation list speaks of")),
        (&silent, &silent_pem, list(&lister).into_bytes(), Some("that may sign lists")),
    ] {
        std::fs::write(folder.path().join("below.crl"), below).unwrap();
        let crls = ["root.crl", "below.crl"].map(|name| folder.path().join(name));
        let client = authority.issue(&Leaf::client("pump-7")).unwrap();
        let chain = format!("{}{pem}", client.certificate_pem());
        let identity =
            bindery_tls::Identity::from_pem(chain.as_bytes(), client.key_pem().as_bytes()).unwrap();
        let config = ServerConfig::new(world.server.identity().unwrap())
            .with_client_roots(Roots::from_pem(wide.as_bytes()).unwrap())
            .with_crls(Crls::from_files(crls).unwrap());
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let config = world.client_config().with_identity(identity);
        let connector = backend().connector(&Policy::kmip(), config).unwrap();
        let (server, _) = both(&acceptor, &connector, localhost()).await;
        assert_eq!(
            server.as_ref().err().map(|error| error.kind()),
            refused.map(|_| Kind::RevocationUnknown)
        );
        if let (Err(error), Some(refused)) = (server, refused) {
            assert!(error.to_string().contains(refused), "{error}");
        }
    }
}

/// An authority has a new key, and its last list under the old one still lies there.
#[tokio::test]
async fn a_list_of_a_former_key_beside_one_of_the_present_key_does_no_harm() {
    let (world, former) = (World::new(), World::new());
    let since = |seconds| Validity {
        not_before: Timestamp::from_unix_seconds(seconds),
        ..Validity::default()
    };
    // The former key's is the newer one, too.
    let old = former.authority.revocation_list(&[], since(1_600_000_000)).unwrap();
    let new = text(&world, since(1_500_000_000));
    let crls = Crls::from_octets(format!("{old}{new}").as_bytes()).unwrap();
    let config = world.server_config().with_crls(crls);
    let plan = Policy::kmip().resolve(&backend().capabilities()).unwrap();
    let told = config.check(&Policy::kmip(), &plan, Timestamp::from_unix_seconds(1_700_000_000));
    let told = told.unwrap().join("; ");
    assert!(told.contains("by another key than") && told.contains("take it out"), "{told}");
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    secured(&acceptor, &world.connector(&Policy::kmip())).await;
    // While both keys are trusted, each has its own list.
    let two =
        format!("{}{}", former.authority.certificate_pem(), world.authority.certificate_pem());
    let revoking =
        former.authority.revocation_list(&[&former.client], Validity::default()).unwrap();
    for lists in [format!("{revoking}{new}"), format!("{new}{revoking}")] {
        let config = world
            .server_config()
            .with_client_roots(Roots::from_pem(two.as_bytes()).unwrap())
            .with_crls(Crls::from_octets(lists.as_bytes()).unwrap());
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        secured(&acceptor, &world.connector(&Policy::kmip())).await;
        let config = world.client_config().with_identity(former.client.identity().unwrap());
        let connector = backend().connector(&Policy::kmip(), config).unwrap();
        let (server, _) = both(&acceptor, &connector, localhost()).await;
        assert_eq!(server.unwrap_err().kind(), Kind::CertificateRevoked);
    }
}

/// The same name in two encodings is two names to whoever looks a certificate up.
#[test]
fn names_are_compared_in_der() {
    let world = World::new();
    let key = rcgen::KeyPair::from_pem(world.authority.key_pem()).unwrap();
    let usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let mut params = authority_params("", IsCa::Ca(BasicConstraints::Unconstrained), usages);
    let name = rcgen::DnValue::PrintableString("Test Authority".try_into().unwrap());
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key).unwrap().pem();
    let other = Authority::from_pem(&certificate, world.authority.key_pem()).unwrap();
    let list = other.revocation_list(&[], Validity::default()).unwrap();
    let config = world.server_config().with_crls(Crls::from_octets(list.as_bytes()).unwrap());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("encoded in another way"), "{error}");
}

/// A list runs out while the server runs: that is not its clients' fault, and no revocation.
#[tokio::test]
async fn a_list_that_runs_out_at_run_time_revokes_nobody() {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    };

    let world = World::new();
    let clock = Arc::new(AtomicI64::new(1_700_000_000));
    let hand = Arc::clone(&clock);
    let backend = backend().with_clock(move || Timestamp::from_unix_seconds(hand.load(Relaxed)));
    let validity =
        Validity { not_after: Timestamp::from_unix_seconds(1_700_000_100), ..Validity::default() };
    let other = world.authority.issue(&Leaf::client("bob")).unwrap();
    let list = world.authority.revocation_list(&[&other], validity).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plant.crl");
    std::fs::write(&path, list).unwrap();
    let config = world.server_config().with_crls(Crls::from_files([&path]).unwrap());
    let acceptor = backend.acceptor(&Policy::kmip(), config).unwrap();
    let connector = world.connector(&Policy::kmip());
    let (server, _client) = secured(&acceptor, &connector).await;
    clock.store(1_700_000_100, Relaxed);
    let error = acceptor.recheck(&server.proof()).unwrap_err();
    let (fresh, client) = both(&acceptor, &connector, localhost()).await;
    for error in [error, fresh.unwrap_err()] {
        assert_eq!(error.kind(), Kind::RevocationUnknown);
        assert_eq!(error.kind().as_str(), "revocation-unknown");
        assert!(error.is_our_fault(), "{error}");
        assert!(error.to_string().contains("plant.crl is out of date"), "{error}");
        assert_eq!(error.certificate().unwrap().subject, "CN=alice,O=Example");
    }
    assert_eq!(client.unwrap_err().kind(), Kind::BadCertificate);
    // Whoever it names stays revoked.
    let config = world.client_config().with_identity(other.identity().unwrap());
    let connector = self::backend().connector(&Policy::kmip(), config).unwrap();
    let (server, _) = both(&acceptor, &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), Kind::CertificateRevoked);
}

/// A list of the operator's policy or of yesterday does not hide who was revoked since.
#[tokio::test]
async fn of_two_lists_of_an_authority_the_newest_counts_in_either_order() {
    let world = World::new();
    let since = |seconds| Validity {
        not_before: Timestamp::from_unix_seconds(seconds),
        ..Validity::default()
    };
    let (old, new) = (since(1_500_000_000), since(1_600_000_000));
    let text = |revoked: &[&Issued], when| world.authority.revocation_list(revoked, when).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (earlier, later, taken) in [
        (text(&[], old), text(&[&world.client], new), false),
        (text(&[&world.client], old), text(&[], new), true),
    ] {
        for (first, second) in [(&earlier, &later), (&later, &earlier)] {
            let path = folder.path().join("second.crl");
            std::fs::write(&path, second).unwrap();
            let two = Crls::from_octets(format!("{first}{second}").as_bytes()).unwrap();
            let one = Crls::from_octets(first.as_bytes()).unwrap();
            let mut policy = Policy::kmip();
            policy.trust.crls = vec![path];
            for (policy, lists) in [(Policy::kmip(), two), (policy, one)] {
                let config = world.server_config().with_crls(lists);
                let acceptor = backend().acceptor(&policy, config).unwrap();
                let connector = world.connector(&Policy::kmip());
                let (server, _) = both(&acceptor, &connector, localhost()).await;
                match server {
                    Ok(_) => assert!(taken),
                    Err(error) => {
                        assert!(!taken, "{error}");
                        assert_eq!(error.kind(), Kind::CertificateRevoked);
                        assert!(error.to_string().contains("is revoked"), "{error}");
                    }
                }
            }
        }
    }
}

/// A list that can be parsed and that the chain check does not take is named, and not the file of
/// the authorities.
#[test]
fn a_list_of_another_kind_is_named_at_once() {
    let world = World::new();
    let text = world.authority.revocation_list(&[], Validity::default()).unwrap();
    let list = Crls::from_octets(text.as_bytes()).unwrap();
    let mut der = list.lists().next().unwrap().der.to_vec();
    // id-ce-cRLNumber becomes id-ce-deltaCRLIndicator.
    let number = der.windows(3).position(|octets| octets == [0x55, 0x1d, 0x14]).unwrap();
    der[number + 2] = 0x1b;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("delta.crl");
    std::fs::write(&path, der).unwrap();
    let delta = || Crls::from_files([&path]).unwrap();
    let server = world.server_config().with_crls(delta());
    let client = world.client_config().with_crls(delta());
    for error in [
        backend().acceptor(&Policy::kmip(), server).unwrap_err(),
        backend().connector(&Policy::kmip(), client).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Configuration);
        let said = error.to_string();
        assert!(said.contains("delta.crl") && !said.contains("authority"), "{said}");
        assert!(error.hint().contains("no delta"), "{}", error.hint());
    }
}

#[test]
fn files_that_are_no_lists() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crl");
    let list = world.authority.revocation_list(&[], Validity::default()).unwrap();
    for (text, says) in [
        ("", "no X509 CRL"),
        (world.authority.certificate_pem(), "no X509 CRL"),
        (&list[..list.len() - 30], "not PEM: its END line is missing"),
        ("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "not a revocation list"),
        ("0", "not a revocation list"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Crls::from_files([&path]).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        let said = error.to_string();
        assert!(said.contains(says) && said.contains("ca.crl"), "{said}");
        assert!(!error.hint().is_empty());
    }
    std::fs::write(&path, list).unwrap();
    assert!(!Crls::from_files([&path]).unwrap().is_empty());
}

/// Extended Key Usage and subjectAltName: what users of other KMIP servers stumble over.
#[tokio::test]
async fn strictness_is_a_setting_and_its_refusal_says_so() {
    let world = World::new();
    let rules = |usage, names_required| {
        let mut rules = ClientRules::default();
        rules.usage = usage;
        rules.names_required = names_required;
        rules
    };
    let issue = |leaf: &Leaf| world.authority.issue(leaf).unwrap();
    let stated = issue(&Leaf::client("alice"));
    let silent = issue(&Leaf::client("alice").without_usage());
    let server = issue(&Leaf::server("appliance.example"));
    use Usage::{DangerousServersToo as Too, Stated, WherePresent};
    for (usage, names, client, refusal) in [
        (WherePresent, false, &stated, None),
        (WherePresent, false, &silent, None),
        (WherePresent, false, &server, Some("not for a client")),
        (Stated, false, &stated, None),
        (Stated, false, &silent, Some("has no Extended Key Usage")),
        (Too, false, &stated, None),
        (Too, false, &silent, None),
        (Too, false, &server, None),
        (WherePresent, true, &stated, Some("has no subjectAltName")),
        (Too, true, &server, None),
    ] {
        let config = world.server_config().with_client_rules(rules(usage, names));
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let taken = shown_by(&world, client, &acceptor).await;
        match (taken, refusal) {
            (Ok(()), None) => {}
            (Err(error), Some(says)) => {
                assert_eq!(error.kind(), Kind::BadCertificate);
                assert!(error.to_string().contains(says), "{error}");
                assert!(!error.hint().is_empty() && error.is_peer_fault());
            }
            (taken, refusal) => panic!("{usage:?} {names}: {taken:?}, expected {refusal:?}"),
        }
    }
}

/// The other usage is checked as strictly as the first: chain, dates, revocation.
#[tokio::test]
async fn a_server_as_client_is_looked_up_and_must_be_of_the_authority() {
    let (world, other) = (World::new(), World::of("Other"));
    let mut rules = ClientRules::default();
    rules.usage = Usage::DangerousServersToo;
    let appliance = world.authority.issue(&Leaf::server("appliance.example")).unwrap();
    let list = crls(&world, &[&appliance], Validity::default());
    let config = world.server_config().with_client_rules(rules).with_crls(list);
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    shown_by(&world, &appliance, &acceptor).await.unwrap_err();
    let list = crls(&other, &[], Validity::default());
    let two = format!("{}{}", world.authority.certificate_pem(), other.authority.certificate_pem());
    let config = world.server_config().with_client_rules(rules).with_crls(list);
    let config = config.with_client_roots(Roots::from_pem(two.as_bytes()).unwrap());
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    let error = shown_by(&world, &appliance, &acceptor).await.unwrap_err();
    assert!(error.to_string().contains("no revocation list speaks of"), "{error}");
    let config = world.server_config().with_client_rules(rules);
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    shown_by(&world, &appliance, &acceptor).await.unwrap();
    let error = shown_by(&world, &other.server, &acceptor).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownAuthority);
}

/// A handshake of a plain rustls client, which shows whatever it is given.
async fn shown_by(
    world: &World,
    client: &Issued,
    acceptor: &std::sync::Arc<dyn bindery_tls::Acceptor>,
) -> Result<(), bindery_tls::TlsError> {
    use bindery_tls::registry::suites;

    let suites = [suites::TLS_AES_256_GCM_SHA384];
    let config = crate::support::raw::client_as(world, &suites, &client.identity().unwrap());
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let (near, far) = crate::support::pipe();
    let (server, _) = crate::support::soon(async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
    })
    .await;
    server.map(|_| ())
}

#[test]
fn pre_shared_keys_are_refused_by_a_backend_without_them() {
    let world = World::new();
    let key = bindery_tls::Psk::new(*b"device-1", [7; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "Psk(device-1)");
    let mut config: ServerConfig = world.server_config();
    config.psk.keys.push(key.clone());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert_eq!(error.kind(), Kind::PolicyNotMet);
    assert!(error.to_string().contains("has no PSK suites"), "{error}");
    let mut config = world.client_config();
    config.psk.keys.push(key);
    backend().connector(&Policy::kmip(), config).unwrap_err();
    for (identity, key) in
        [(&b""[..], 32), (b"a\0b", 32), (&[b'a'; 129], 32), (b"a", 15), (b"a", 65)]
    {
        bindery_tls::Psk::new(identity, vec![1; key]).unwrap_err();
    }
}

/// A list of a part is told from a whole one, for backends that cannot look up by parts.
#[test]
fn a_list_of_a_part_says_so() {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
        CrlIssuingDistributionPoint, CrlScope, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    };

    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = Issuer::from_params(&params, key);
    let list = |part: bool| {
        let point = CrlDistributionPoint { uris: vec!["http://a.example/part".to_owned()] };
        let scope = Some(CrlScope::CaCertsOnly);
        let whole = CrlIssuingDistributionPoint { distribution_point: point, scope };
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2046, 1, 1),
            crl_number: 1_u64.into(),
            issuing_distribution_point: part.then_some(whole),
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Crls::from_octets(params.signed_by(&authority).unwrap().der()).unwrap()
    };
    assert_eq!(list(false).limited(), None);
    assert_eq!(list(true).limited(), Some(("revocation list text", "2.5.29.28")));
}
