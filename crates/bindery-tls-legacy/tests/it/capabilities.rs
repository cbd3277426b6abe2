//! What the library that is linked can do, and which policies it serves.

use bindery_core::TlsVersion;
use bindery_tls::{Backend as _, Policy};
use bindery_tls_legacy::Risk;

use crate::support::{World, backend, policy, suite};

#[test]
fn the_capabilities_are_those_of_openssl() {
    let can = backend().capabilities();
    for version in [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2, TlsVersion::TLS_1_0] {
        assert!(can.versions.contains(&version), "{version}");
    }
    assert_eq!(can.versions.contains(&TlsVersion::SSL_3_0), cfg!(feature = "vendored"));
    for name in [
        "TLS_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256",
    ] {
        assert!(can.suites.contains(&suite(name)), "{name}");
    }
    let old = ["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"];
    for name in old {
        assert_eq!(can.suites.contains(&suite(name)), cfg!(feature = "vendored"), "{name}");
    }
    assert!(can.groups.iter().any(|group| group.name == "x25519"));
    assert!(can.signatures.iter().any(|scheme| scheme.name == "rsa_pkcs1_sha1"));
}

/// What rustls cannot serve whole, this backend does.
#[test]
fn the_policies_to_the_letter_are_served() {
    let world = World::shared();
    for policy in [Policy::named("kmip-1.4").unwrap(), Policy::named("kmip-2.1").unwrap()] {
        backend().acceptor(&policy, world.server_config()).unwrap();
        let client = world.client_config().with_identity(world.client.identity().unwrap());
        backend().connector(&policy, client).unwrap();
    }
    let oma = Policy::named("omadm-1.3").unwrap();
    let mut server = world.server_config();
    server.psk.keys.push(crate::support::key());
    backend().acceptor(&oma, server).unwrap();
    let plan = oma.resolve(&backend().capabilities()).unwrap();
    assert_eq!(plan.versions.contains(&TlsVersion::SSL_3_0), cfg!(feature = "vendored"));
    let old = plan.suites_of(TlsVersion::SSL_3_0);
    assert_eq!(old.contains(&suite("TLS_RSA_WITH_RC4_128_SHA")), cfg!(feature = "vendored"));
    assert!(!plan.suites_of(TlsVersion::TLS_1_0).contains(&suite("TLS_RSA_WITH_RC4_128_SHA")));
}

#[test]
fn risks_are_named() {
    let policy = policy(
        &[TlsVersion::TLS_1_2, TlsVersion::TLS_1_1],
        &[
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_PSK_WITH_AES_128_CBC_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ],
    );
    let risks = Risk::of(&policy.resolve(&backend().capabilities()).unwrap());
    let named: Vec<&str> = risks.iter().map(|risk| risk.what.as_str()).collect();
    let expected = ["TLS 1.1", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA256"];
    assert_eq!(named, expected);
}
