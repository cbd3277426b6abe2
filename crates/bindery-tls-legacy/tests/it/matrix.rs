//! Every version with every kind of suite that the sources name.

use bindery_core::TlsVersion;
#[cfg(feature = "vendored")]
use bindery_tls::Policy;
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

/// What there was before AEAD.
const CBC: [&str; 2] = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"];

/// proves: DM-TLS-1, DSDM-HTTP-C-054-O, DSDM-HTTP-S-055-O
#[tokio::test]
async fn tls_1_1_is_spoken() {
    for name in CBC {
        agrees(TlsVersion::TLS_1_1, name).await;
    }
}

/// proves: DSDM-HTTP-S-052-O
#[tokio::test]
async fn tls_1_0_is_spoken() {
    for name in CBC {
        agrees(TlsVersion::TLS_1_0, name).await;
    }
}

/// Both suites that OMA has for SSL 3.0, each offered alone.
///
/// proves: DM-TLS-6, DM-TLS-6C, DSDM-HTTP-C-052-O, DSDM-HTTP-S-053-O, DSDM-HTTP-S-054-O
#[cfg(feature = "vendored")]
#[tokio::test]
async fn ssl_3_0_is_spoken_with_rc4_and_3des() {
    for name in ["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"] {
        agrees(TlsVersion::SSL_3_0, name).await;
    }
}

/// The policy `omadm-1.3` on one listener: a client of each version gets a session.
///
/// proves: DM-TLS-3, DSDM-HTTP-S-050-O
#[cfg(feature = "vendored")]
#[tokio::test]
async fn one_listener_speaks_all_that_oma_names() {
    let world = World::shared();
    let oma = Policy::named("omadm-1.3").unwrap();
    for (version, name) in [
        (TlsVersion::SSL_3_0, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        (TlsVersion::TLS_1_0, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (TlsVersion::TLS_1_1, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (TlsVersion::TLS_1_2, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
        (TlsVersion::TLS_1_2, "TLS_PSK_WITH_AES_128_GCM_SHA256"),
    ] {
        let (mut server, mut client) = (world.server_config(), world.client_config());
        server.psk.keys.push(key());
        client.psk.keys.push(key());
        let ends = meet((&oma, server), (&policy(&[version], &[name]), client)).await;
        let info = ends.0.unwrap().info;
        assert_eq!((info.version, info.suite), (version, suite(name)));
    }
}

/// What the client tells its application of each connection.
///
/// proves: DM-TLS-4, DSDM-HTTP-C-050-O
#[tokio::test]
async fn the_client_names_the_version_and_whether_a_key_was_used() {
    let world = World::shared();
    let all = [TlsVersion::TLS_1_2, TlsVersion::TLS_1_1, TlsVersion::TLS_1_0];
    let suites = ["TLS_PSK_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"];
    for (version, name) in [
        (TlsVersion::TLS_1_0, suites[1]),
        (TlsVersion::TLS_1_1, suites[1]),
        (TlsVersion::TLS_1_2, suites[1]),
        (TlsVersion::TLS_1_2, suites[0]),
    ] {
        let (mut server, mut client) = (world.server_config(), world.client_config());
        server.psk.keys.push(key());
        client.psk.keys.push(key());
        let (ours, theirs) = (policy(&all, &suites), policy(&[version], &[name]));
        let end = meet((&theirs, server), (&ours, client)).await.1.unwrap();
        assert_eq!(end.info.version, version);
        let used = name.contains("PSK").then_some(&b"device-17"[..]);
        assert_eq!(end.psk_identity.as_deref(), used, "{name}");
    }
    // A version outside its policy ends the connection in the handshake.
    let (ours, theirs) = (policy(&all[..1], &suites), policy(&all[1..], &suites));
    let ends = meet((&theirs, world.server_config()), (&ours, world.client_config())).await;
    assert_eq!(ends.1.unwrap_err().kind(), TlsErrorKind::NoSharedVersion);
    assert!(ends.0.is_err());
}

/// proves: DSDM-HTTP-S-058-O
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

/// proves: DM-TLS-7, DM-TLS-7C, DSDM-HTTP-C-053-O, DSDM-HTTP-S-056-O, DSDM-HTTP-S-057-O
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
