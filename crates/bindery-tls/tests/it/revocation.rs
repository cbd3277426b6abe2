//! Revocation lists, and how strict a server is with its clients' certificates.

use bindery_core::Timestamp;
use bindery_tls::{
    Backend as _, ClientRules, Crls, Policy, Roots, ServerConfig, TlsErrorKind as Kind, Usage,
    pki::{Issued, Leaf, Validity},
};

use crate::support::{VERSIONS, World, backend, both, kmip_with, localhost, secured};

fn crls(world: &World, revoked: &[&Issued], validity: Validity) -> Crls {
    let list = world.authority.revocation_list(revoked, validity).unwrap();
    Crls::from_octets(list.as_bytes()).unwrap()
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
    for (list, says) in [(expired, "out of date"), (unknown, "no revocation list speaks of")] {
        let config = world.server_config().with_client_roots(two.clone()).with_crls(list);
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let (server, _) = both(&acceptor, &world.connector(&Policy::kmip()), localhost()).await;
        let error = server.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateRevoked);
        assert!(error.to_string().contains(says), "{error}");
    }
    for list in relaxed {
        let config = world.server_config().with_crls(list);
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        secured(&acceptor, &world.connector(&Policy::kmip())).await;
    }
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
    // One that does not say by which key it is comes out in the first handshake.
    let mut der = list.lists().next().unwrap().0.to_vec();
    let identifier = der.windows(3).position(|octets| octets == [0x55, 0x1d, 0x23]).unwrap();
    der[identifier + 2] = 0x7f;
    let config = world.server_config().with_crls(Crls::from_octets(&der).unwrap());
    let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
    let (server, _) = both(&acceptor, &world.connector(&Policy::kmip()), localhost()).await;
    let error = server.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateRevoked);
    assert!(error.is_our_fault(), "{error}");
    assert!(error.to_string().contains("revocation list"), "{error}");
    assert!(error.hint().contains("fetch the list"), "{}", error.hint());
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
    let mut der = list.lists().next().unwrap().0.to_vec();
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
