//! Policies as TOML.

use std::time::Duration;

use bindery_core::TlsVersion;
use bindery_tls::{
    Backend as _, ClientAuth, Need, Policy, Resumption, TlsErrorKind,
    registry::{groups, suite, suites},
};

use crate::support::backend;

const WHOLE: &str = r#"
title = "the plant's devices"
references = ["house rules"]
client_certificates = "required"
alpn = ["http/1.1"]
resumption = true
ticket_rotation_seconds = 600

[versions]
minimum = "TLS 1.2"
maximum = "TLS 1.3"
required = ["TLS 1.3"]

[suites]
required = ["TLS_AES_256_GCM_SHA384"]
permitted = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"]
left_out = ["TLS_AES_128_GCM_SHA256"]
order = ["TLS_CHACHA20_POLY1305_SHA256"]

[groups]
permitted = ["x25519", "secp256r1"]

[signatures]
permitted = ["ecdsa_secp256r1_sha256"]
"#;

#[test]
fn every_key_says_what_it_says() {
    let policy = Policy::from_toml("plant", WHOLE).unwrap();
    assert_eq!((policy.name.as_ref(), policy.title.as_ref()), ("plant", "the plant's devices"));
    assert_eq!(policy.references, ["house rules"]);
    assert_eq!(policy.client_auth, ClientAuth::Required);
    assert_eq!(policy.alpn, Some(vec![b"http/1.1".to_vec()]));
    assert_eq!(policy.resumption, Resumption::rotating(Duration::from_secs(600)));
    let plan = policy.resolve(&backend().capabilities()).unwrap();
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2]);
    assert_eq!(
        plan.suites,
        [
            suites::TLS_CHACHA20_POLY1305_SHA256,
            suites::TLS_AES_256_GCM_SHA384,
            suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ]
    );
    assert_eq!(plan.groups, [groups::X25519, groups::SECP256R1]);
    assert_eq!(plan.signatures.len(), 1);
    let required: Vec<_> =
        policy.suites.iter().filter(|r| r.need == Need::Required).map(|r| r.what.name).collect();
    assert_eq!(required, ["TLS_AES_256_GCM_SHA384"]);
}

#[test]
fn suites_by_characteristics_and_a_base() {
    let text = r#"
        based_on = "kmip"
        [suites.where]
        min_bits = 256
        key_exchange = ["any", "ECDHE"]
        signing = "present"
        aead = true
        forward_secrecy = true
        recommended = true
    "#;
    let policy = Policy::from_toml("strong", text).unwrap();
    let plan = policy.resolve(&backend().capabilities()).unwrap();
    assert_eq!(plan.client_auth, ClientAuth::Required);
    let mut names: Vec<_> = plan.suites.iter().map(|suite| suite.name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ]
    );
    let none = Policy::from_toml("none", "based_on = \"kmip\"\nresumption = false").unwrap();
    assert_eq!(none.suites, Policy::kmip().suites);
    assert_eq!(none.resumption, Resumption::none());
}

#[test]
fn an_empty_list_permits_nothing_and_not_what_the_base_does() {
    for kind in ["groups", "signatures"] {
        let text = format!("based_on = \"modern\"\n[{kind}]\npermitted = []");
        let policy = Policy::from_toml("empty", &text).unwrap();
        let error = policy.resolve(&backend().capabilities()).unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet, "{kind}");
        assert!(error.to_string().contains("comes to no"), "{error}");
    }
}

/// What `suites.where` does not speak of is no door for NULL, export or anonymous suites.
#[test]
fn characteristics_that_are_not_given_are_the_careful_ones() {
    let weak = |text: &str| {
        let text = format!("based_on = \"omadm-1.3\"\n{text}");
        let policy = Policy::from_toml("like", &text).unwrap();
        assert!(policy.suites.len() > 5);
        let rows = policy.suites.iter().map(|row| suite(row.what.id).unwrap());
        rows.filter(|row| row.bits < 128 || !row.is_signed() || row.integrity == "none").count()
    };
    assert_eq!(weak("[suites.where]"), 0);
    assert_eq!(weak("[suites.where]\nforward_secrecy = true"), 0);
    // In so many words it can be had, for a library that has them.
    assert!(weak("[suites.where]\nmin_bits = 0\nsigning = \"any\"\nencryption = \"any\"") > 50);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let suites = "[suites]\npermitted = [\"TLS_AES_256_GCM_SHA384\"]\n";
    let versions = "[versions]\nminimum = \"TLS 1.2\"\n";
    let both = format!("{versions}{suites}");
    Policy::from_toml("good", &both).unwrap();
    for (text, says, hint) in [
        ("".to_owned(), "neither minimum nor maximum", "[versions]"),
        (versions.to_owned(), "suites: none is named", "suites.permitted"),
        ("colour = 1".to_owned(), "line 1", "README"),
        ("[suites]\nnames = []".to_owned(), "unknown field", "README"),
        ("a = [".to_owned(), "TLS policy p:", "README"),
        (both.replace("_GCM_", "_GMC_"), "\"TLS_AES_256_GMC_SHA384\"", "IANA"),
        (
            both.replace("TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256"),
            "no cipher suite is called",
            "IANA's is TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ),
        (both.replace("TLS 1.2", "TLS 1.4"), "no protocol version is called", "TLS 1.3"),
        (format!("{both}[groups]\npermitted = [\"P-256\"]"), "\"P-256\"", "secp256r1"),
        (format!("{both}[signatures]\npermitted = [\"rsa\"]"), "\"rsa\"", "ecdsa_"),
        (format!("based_on = \"nothing\"\n{both}"), "based_on", "built-in"),
        (format!("ticket_rotation_seconds = 0\n{both}"), "from 1 to 259200", "21600"),
        (format!("client_certificates = \"maybe\"\n{both}"), "unknown variant", "README"),
        (both.replace("minimum", "maximum = \"TLS 1.1\"\nminimum"), "is above maximum", "exchange"),
        (
            both.replace("minimum", "required = [\"TLS 1.0\"]\nminimum"),
            "outside minimum and maximum",
            "move the bounds",
        ),
        (format!("{both}order = [\"TLS_AES_128_GCM_SHA256\"]"), "stands in no row", "order"),
        (both.replace("permitted", "left_out"), "no suite is permitted", "permit one"),
        (
            "based_on = \"modern\"\n[suites]\npermitted = []".to_owned(),
            "no suite is permitted",
            "permit one",
        ),
        (
            format!("{both}[groups]\npermitted = [\"x25519\"]\nrequired = [\"x25519\"]"),
            "groups.permitted: x25519 is named twice",
            "once",
        ),
        (format!("{both}required = [\"TLS_AES_256_GCM_SHA384\"]"), "is named twice", "once"),
        (
            format!("{versions}[suites.where]\nencryption = [\"ROT13\"]"),
            "suites.where.encryption: no suite has \"ROT13\"",
            "registry",
        ),
    ] {
        let error = Policy::from_toml("p", &text).unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::Configuration);
        let said = error.to_string();
        assert!(said.contains(says) && said.contains("policy p"), "{text}: {said}");
        assert!(error.hint().contains(hint), "{text}: {}", error.hint());
    }
    let error = Policy::from_toml("kmip", &both).unwrap_err();
    assert!(error.to_string().contains("a built-in policy has this name"), "{error}");
}
