//! Whether the pieces of a configuration go together: key and suites, authorities, lists.

use bindery_core::{Timestamp, TlsVersion};
use bindery_tls::{
    Backend as _, ClientConfig, Crls, KeyKind, Policy, Restriction, Roots, ServerConfig, TlsError,
    TlsErrorKind as Kind,
    pki::{Leaf, Validity},
    registry,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::support::{World, backend, both, kmip_with, localhost, secured};

/// An identity whose certificate is signed by its own key and is no authority.
fn alone(name: &str) -> (CertificateParams, KeyPair, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (params, key, pem)
}

/// Some day of 2023.
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn remarks(policy: &Policy, config: &ServerConfig) -> Result<Vec<String>, TlsError> {
    config.check(policy, &policy.resolve(&backend().capabilities())?, NOW)
}

#[test]
fn a_key_that_fits_no_suite_of_its_versions_is_refused_at_once() {
    let world = World::new();
    let rsa = world.authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    let rsa = || {
        let config = ServerConfig::new(rsa.identity().unwrap());
        config.with_client_roots(world.authority.roots().unwrap())
    };
    let old = kmip_with(TlsVersion::TLS_1_2);
    let error = backend().acceptor(&old, rsa()).unwrap_err();
    assert_eq!(error.kind(), Kind::PolicyNotMet);
    let said = error.to_string();
    for part in
        ["certificate text", "RSA", "kmip", "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(error.hint().contains("a key of ECDSA P-256"), "{}", error.hint());
    // In TLS 1.3 the suite leaves the key open: the other version is only told.
    backend().acceptor(&Policy::kmip(), rsa()).unwrap();
    let told = remarks(&Policy::kmip(), &rsa()).unwrap();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.contains("TLS 1.2 is declared and not served"), "{told}");
    assert_eq!(remarks(&Policy::modern(), &rsa()).unwrap(), [""; 0]);
    assert_eq!(remarks(&Policy::kmip(), &world.server_config()).unwrap(), [""; 0]);
    // What a restriction takes out and the policy requires is told, too.
    let told = remarks(&old, &world.server_config()).unwrap();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.contains("takes out: TLS 1.3 (KMIP Profiles 2.1, 3.1.1"), "{told}");
    // The other way round: no scheme of TLS 1.3 for the key.
    let text = "based_on = \"modern\"\n[signatures]\npermitted = [\"rsa_pkcs1_sha256\"]";
    let policy = Policy::from_toml("old", text).unwrap();
    let told = remarks(&policy, &rsa()).unwrap();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.contains("TLS 1.3 signs with rsa_pkcs1_sha256"), "{told}");
    let only = policy.restricted(Restriction::new().with_versions([TlsVersion::TLS_1_3]));
    assert_eq!(remarks(&only, &rsa()).unwrap_err().kind(), Kind::PolicyNotMet);
}

/// What a policy requires is served, or nothing is.
#[test]
fn a_required_row_that_the_key_cannot_serve_is_refused() {
    let world = World::new();
    let text = "based_on = \"modern\"\n[suites]\nrequired = [\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\"]\n\
                permitted = [\"TLS_AES_256_GCM_SHA384\", \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]";
    let policy = Policy::from_toml("strict", text).unwrap();
    let error = remarks(&policy, &world.server_config()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("requires TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), "{said}");
    assert!(error.hint().contains("RSA"), "{}", error.hint());
    let text = "[versions]\nminimum = \"TLS 1.2\"\nrequired = [\"TLS 1.2\"]\n[suites]\n\
                permitted = [\"TLS_AES_256_GCM_SHA384\", \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]";
    let policy = Policy::from_toml("strict", text).unwrap();
    let said = remarks(&policy, &world.server_config()).unwrap_err().to_string();
    assert!(said.contains("requires TLS 1.2, which has nothing for it"), "{said}");
}

/// The registry's words for authentication are all told apart.
#[test]
fn each_kind_of_key_serves_the_suites_of_its_kind() {
    let of = |name: &str| registry::suite_named(name).unwrap().suite;
    let (ec, rsa, dss, psk, rsa_psk) = (
        of("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        of("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        of("TLS_DHE_DSS_WITH_AES_128_GCM_SHA256"),
        of("TLS_PSK_WITH_AES_128_GCM_SHA256"),
        of("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"),
    );
    let mut policy = Policy::modern();
    policy.suites =
        [ec, rsa, dss, psk, rsa_psk].map(|s| bindery_tls::Row::permitted(s, "test")).into();
    let mut all = backend().capabilities();
    all.suites = vec![ec, rsa, dss, psk, rsa_psk];
    let plan = policy.resolve(&all).unwrap();
    let served = |key, with_psk| plan.servable(TlsVersion::TLS_1_2, key, with_psk);
    assert_eq!(served(KeyKind::EcdsaP256, false), [ec]);
    assert_eq!(served(KeyKind::Ed25519, false), [ec]);
    assert_eq!(served(KeyKind::Rsa, false), [rsa]);
    // The policy has no scheme for such a key.
    assert_eq!(served(KeyKind::RsaPss, true), [psk]);
    assert_eq!(served(KeyKind::Rsa, true), [rsa, psk, rsa_psk]);
    assert_eq!(served(KeyKind::Dsa, false), [dss]);
}

#[test]
fn what_is_no_authority_vouches_for_nobody() {
    let world = World::new();
    let leaf = Roots::from_pem(world.client.certificate_pem().as_bytes()).unwrap();
    let server = world.server_config().with_client_roots(leaf.clone());
    let client = ClientConfig::new(leaf);
    for error in [
        backend().acceptor(&Policy::kmip(), server).unwrap_err(),
        backend().connector(&Policy::kmip(), client).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Configuration);
        let said = error.to_string();
        for part in [
            "authority text, certificate 1",
            "CN=alice",
            "no Basic Constraints",
            "CN=Test Authority",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(
            error.hint().contains("name the certificate of CN=Test Authority"),
            "{}",
            error.hint()
        );
    }
    // An authority that may do anything but sign certificates.
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.pem");
    std::fs::write(&path, format!("{}{pem}", world.authority.certificate_pem())).unwrap();
    let config = world.server_config().with_client_roots(Roots::from_pem_file(&path).unwrap());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("two.pem, certificate 2") && said.contains("keyCertSign"), "{said}");
}

/// A certificate that signed itself may be trusted: it, and nothing that its key signs.
#[tokio::test]
async fn a_certificate_that_is_trusted_for_itself_makes_no_authority_of_its_holder() {
    let world = World::new();
    let (params, key, pem) = alone("device-1");
    let own =
        bindery_tls::Identity::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    // The holder signs a certificate in another name, which rustls alone would take.
    let mut forged = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    forged.distinguished_name.push(DnType::CommonName, "alice");
    let forged_key = KeyPair::generate().unwrap();
    let forged = forged.signed_by(&forged_key, &Issuer::new(params, key)).unwrap().pem();
    let forged =
        bindery_tls::Identity::from_pem(forged.as_bytes(), forged_key.serialize_pem().as_bytes())
            .unwrap();
    let both_kinds = format!("{}{pem}", world.authority.certificate_pem());
    for trusted in [pem, both_kinds] {
        let roots = Roots::from_pem(trusted.as_bytes()).unwrap();
        let config = world.server_config().with_client_roots(roots.clone());
        let told = remarks(&Policy::kmip(), &config).unwrap();
        assert!(told.iter().any(|line| line.contains("trusted for itself alone")), "{told:?}");
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let client = |identity: &bindery_tls::Identity| {
            let config = world.client_config().with_identity(identity.clone());
            backend().connector(&Policy::kmip(), config).unwrap()
        };
        secured(&acceptor, &client(&own)).await;
        let (server, _) = both(&acceptor, &client(&forged), localhost()).await;
        assert_eq!(server.unwrap_err().kind(), Kind::UnknownAuthority);
        // The same of servers.
        let connector = |roots: &Roots| {
            let config = ClientConfig::new(roots.clone());
            backend().connector(&Policy::modern(), config).unwrap()
        };
        for (identity, taken) in [(&own, true), (&forged, false)] {
            let config = ServerConfig::new(identity.clone());
            let acceptor = backend().acceptor(&Policy::modern(), config).unwrap();
            let (_, client) = both(&acceptor, &connector(&roots), localhost()).await;
            assert_eq!(client.is_ok(), taken);
        }
    }
}

#[test]
fn lists_that_cover_some_authorities_are_told_what_they_lack() {
    let (world, other) = (World::new(), World::of("Other"));
    let two = format!("{}{}", world.authority.certificate_pem(), other.authority.certificate_pem());
    let roots = Roots::from_pem(two.as_bytes()).unwrap();
    let list = |world: &World| world.authority.revocation_list(&[], Validity::default()).unwrap();
    let config =
        |crls: Crls| world.server_config().with_client_roots(roots.clone()).with_crls(crls);
    let stranger = World::of("Stranger");
    let crls =
        Crls::from_octets(format!("{}{}", list(&world), list(&stranger)).as_bytes()).unwrap();
    let told = remarks(&Policy::kmip(), &config(crls.clone())).unwrap();
    let [foreign, bare] = told.as_slice() else { panic!("{told:?}") };
    assert!(foreign.contains("it is of CN=Stranger, which is none"), "{foreign}");
    assert!(bare.contains("no revocation list of CN=Other"), "{bare}");
    // Where roots need none, only the foreign one is told.
    let mut leaf_only = crls;
    leaf_only.leaf_only = true;
    let told = remarks(&Policy::kmip(), &config(leaf_only)).unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    let whole = Crls::from_octets(format!("{}{}", list(&world), list(&other)).as_bytes()).unwrap();
    assert_eq!(remarks(&Policy::kmip(), &config(whole)).unwrap(), [""; 0]);
    // A client's lists are checked as well.
    let crls = Crls::from_octets(list(&other).as_bytes()).unwrap();
    let error =
        backend().connector(&Policy::kmip(), world.client_config().with_crls(crls)).unwrap_err();
    assert!(error.to_string().contains("no revocation list is of a trusted authority"), "{error}");
}

/// What an operator asked for and the policy leaves out is told with the rest.
#[test]
fn a_restriction_to_what_the_policy_leaves_out_says_so() {
    let restriction = Restriction::new().with_suites_named(["TLS_AES_128_GCM_SHA256"]).unwrap();
    let policy = Policy::kmip().restricted(restriction);
    let said = policy.resolve(&backend().capabilities()).unwrap_err().to_string();
    assert!(said.contains("TLS_AES_128_GCM_SHA256: left out by the policy"), "{said}");
}
