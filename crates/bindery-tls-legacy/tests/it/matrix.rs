//! Every version with every kind of suite that the sources name.

use bindery_core::TlsVersion;
use bindery_tls::{ClientAuth, Row, TlsErrorKind};

use crate::support::{World, key, meet, policy, suite, talk};

/// The six suites of OMA DM 1.3, section 5.4.
const PSK: [&str; 6] = [
    "TLS_PSK_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256",
    "TLS_PSK_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256",
];

async fn agrees(version: TlsVersion, name: &str) {
    let world = World::shared();
    let policy = policy(&[version], &[name]);
    let (mut server, mut client) = (world.server_config(), world.client_config());
    if name.contains("PSK") {
        server.psk.keys.push(key());
        client.psk.keys.push(key());
    }
    let (server, client) = meet((&policy, server), (&policy, client)).await;
    let (server, client) = (server.unwrap(), client.unwrap());
    for end in [&server, &client] {
        assert_eq!((end.info.version, end.info.suite), (version, suite(name)), "{name}");
        assert!(!end.info.resumed);
    }
    let identity = name.contains("PSK").then_some(&b"device-17"[..]);
    assert_eq!(server.psk_identity.as_deref(), identity);
    talk(server, client).await;
}

/// proves: DM-TLS-1
#[tokio::test]
async fn tls_1_1_and_1_0_are_spoken() {
    for version in [TlsVersion::TLS_1_1, TlsVersion::TLS_1_0] {
        for name in ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"] {
            agrees(version, name).await;
        }
    }
}

#[tokio::test]
async fn tls_1_2_has_rsa_and_cbc_suites() {
    for name in [
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ] {
        agrees(TlsVersion::TLS_1_2, name).await;
    }
}

#[tokio::test]
async fn tls_1_3_is_there_too() {
    agrees(TlsVersion::TLS_1_3, "TLS_AES_128_GCM_SHA256").await;
}

/// proves: DM-TLS-7, DM-TLS-7C
#[tokio::test]
async fn all_six_suites_of_pre_shared_keys_are_spoken() {
    for name in PSK {
        agrees(TlsVersion::TLS_1_2, name).await;
    }
}

#[tokio::test]
async fn versions_and_suites_that_the_policy_has_not_are_refused() {
    let world = World::shared();
    let cbc = ["TLS_RSA_WITH_AES_128_CBC_SHA"];
    for (ours, theirs) in [
        (TlsVersion::TLS_1_1, TlsVersion::TLS_1_0),
        (TlsVersion::TLS_1_1, TlsVersion::TLS_1_2),
        (TlsVersion::TLS_1_0, TlsVersion::TLS_1_1),
    ] {
        let (ours, theirs) = (policy(&[ours], &cbc), policy(&[theirs], &cbc));
        let ends = meet((&ours, world.server_config()), (&theirs, world.client_config())).await;
        assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoSharedVersion);
        let error = ends.1.unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::NoSharedVersion, "{error}");
    }
    let (ours, theirs) = (
        policy(&[TlsVersion::TLS_1_2], &["TLS_RSA_WITH_AES_256_CBC_SHA256"]),
        policy(&[TlsVersion::TLS_1_2], &["TLS_RSA_WITH_AES_128_CBC_SHA256"]),
    );
    let ends = meet((&ours, world.server_config()), (&theirs, world.client_config())).await;
    let error = ends.0.unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::NoSharedSuite);
    assert!(error.to_string().contains("TLS_RSA_WITH_AES_256_CBC_SHA256"), "{error}");
    assert_eq!(ends.1.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
}

/// A gap among the versions is kept: TLS 1.1 is out between 1.0 and 1.2.
#[tokio::test]
async fn a_version_between_two_others_can_be_out() {
    let world = World::shared();
    let cbc = ["TLS_RSA_WITH_AES_128_CBC_SHA"];
    let ours = policy(&[TlsVersion::TLS_1_2, TlsVersion::TLS_1_0], &cbc);
    let theirs = policy(&[TlsVersion::TLS_1_1], &cbc);
    let ends = meet((&ours, world.server_config()), (&theirs, world.client_config())).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoSharedVersion);
}

/// OpenSSL has one list of suites for all versions: a row that speaks of some versions only is
/// kept all the same.
#[tokio::test]
async fn a_suite_permitted_in_one_version_only_is_refused_in_others() {
    let world = World::shared();
    let scoped = "TLS_RSA_WITH_AES_256_CBC_SHA";
    let mut ours =
        policy(&[TlsVersion::TLS_1_1, TlsVersion::TLS_1_0], &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    let row = Row::permitted(suite(scoped), "test");
    ours.suites.insert(0, row.within(TlsVersion::TLS_1_0, TlsVersion::TLS_1_0));
    let theirs = |version| policy(&[version], &[scoped]);
    let old = theirs(TlsVersion::TLS_1_0);
    let ends = meet((&ours, world.server_config()), (&old, world.client_config())).await;
    assert_eq!(ends.0.unwrap().info.suite, suite(scoped));
    let new = theirs(TlsVersion::TLS_1_1);
    let ends = meet((&ours, world.server_config()), (&new, world.client_config())).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
    // The client's side of the same policy offers it and does not take it in another version.
    let ends = meet((&new, world.server_config()), (&ours, world.client_config())).await;
    assert_eq!(ends.1.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
}

/// Certificates are asked for in old versions too.
#[tokio::test]
async fn clients_show_certificates_in_tls_1_1() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_1], &["TLS_RSA_WITH_AES_128_CBC_SHA"])
        .with_client_auth(ClientAuth::Required);
    let client = world.client_config().with_identity(world.client.identity().unwrap());
    let ends = meet((&policy, world.server_config()), (&policy, client)).await;
    let shown = ends.0.unwrap().peer_certificates;
    assert_eq!(shown.first(), world.client.identity().unwrap().chain().first());
    let ends = meet((&policy, world.server_config()), (&policy, world.client_config())).await;
    assert_eq!(ends.0.unwrap_err().kind(), TlsErrorKind::NoClientCertificate);
}
