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
        ("colour = 1".to_owned(), "line 1", "--keys"),
        ("[suites]\nnames = []".to_owned(), "unknown field", "--keys"),
        ("a = [".to_owned(), "TLS policy p:", "--keys"),
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
        (
            format!("client_certificates = \"maybe\"\n{both}"),
            "expected one of `none`, `optional`, `required`",
            "--keys",
        ),
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

/// What is wrong is told with its place in the whole text, however the table got there.
#[test]
fn a_fault_has_its_place_in_the_users_text() {
    let good =
        "[suites]\npermitted = [\"TLS_AES_256_GCM_SHA384\"]\n[versions]\nminimum = \"TLS 1.3\"\n";
    for (from, to, line, column) in [
        ("TLS_AES_256", "TLS_ABS_256", 4, 14),
        ("permitted", "permited", 4, 1),
        ("TLS 1.3", "TLS 1.5", 6, 11),
        ("[versions]\nminimum = \"TLS 1.3\"\n", "", 1, 1),
        (
            "permitted = [\"TLS_AES_256_GCM_SHA384\"]",
            "left_out = [\"TLS_AES_256_GCM_SHA384\"]",
            3,
            1,
        ),
        ("permitted = [", "permitted = [1, ", 4, 14),
    ] {
        let text = format!("title = \"ü\"\n\n{}", good.replacen(from, to, 1));
        assert_ne!(text, format!("title = \"ü\"\n\n{good}"));
        let said = Policy::from_toml("p", &text).unwrap_err().to_string();
        let place = format!("TLS policy p: line {line}, column {column}: ");
        assert!(said.contains(&place), "{to}: {said}");
    }
    let above = "# ü\n[other]\nx = 1\n\n";
    let text = format!(
        "{above}{}",
        good.replace("[", "[tls.policy.plant.").replace("= [tls.policy.plant.", "= [")
    );
    let path = ["tls", "policy", "plant"];
    Policy::from_toml_table("plant", &text, &path).unwrap();
    let bad = text.replace("TLS_AES_256", "TLS_ABS_256");
    let error = Policy::from_toml_table("plant", &bad, &path).unwrap_err();
    assert_eq!(&bad[error.span().unwrap()], "\"TLS_ABS_256_GCM_SHA384\"");
    assert!(!error.to_string().contains("line"), "{error}");
    let inline = "tls.policy = { plant = { based_on = \"kmip\", colour = 1 } }";
    let error = Policy::from_toml_table("plant", inline, &path).unwrap_err();
    assert_eq!(&inline[error.span().unwrap()], "colour");
    let error = Policy::from_toml_table("plant", "tls = 1", &path).unwrap_err();
    assert!(error.to_string().contains("no table [tls.policy.plant]"), "{error}");
    // No name of a type of ours.
    let text = good.replace("[versions]", "[suites.where]\nsigning = 3\n[versions]");
    let said = Policy::from_toml("p", &text).unwrap_err().to_string();
    assert!(said.contains("expected \"any\", \"present\"") && !said.contains("Words"), "{said}");
}

/// The example that documents the keys is a policy, and has every key that is read.
#[test]
fn every_key_is_documented() {
    let policy = Policy::from_toml("plant", Policy::KEYS).unwrap();
    policy.resolve(&backend().capabilities()).unwrap();
    let keys: Vec<&str> = Policy::KEYS
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .collect();
    for (table, least) in [
        ("", 10),
        ("suites", 5),
        ("suites.where", 8),
        ("versions", 3),
        ("groups", 3),
        ("signatures", 3),
    ] {
        let text = match table {
            "" => "colour = 1".to_owned(),
            table => format!("[{table}]\ncolour = 1"),
        };
        let said = Policy::from_toml("p", &text).unwrap_err().to_string();
        let (_, list) = said.split_once("expected ").unwrap();
        let known: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        assert!(known.len() >= least, "{table}: {said}");
        for key in known {
            let header = format!(
                "[{}{key}]",
                if table.is_empty() { "".into() } else { format!("{table}.") }
            );
            let there = keys.contains(&key) || Policy::KEYS.contains(&header);
            assert!(there, "{table}.{key} is not in keys.toml");
        }
    }
    // What is said to hold where a key is left out does.
    let left_out = "based_on = \"modern\"\n[suites.where]\n";
    let given =
        Policy::KEYS.split("[suites.where]").nth(1).unwrap().split("[groups]").next().unwrap();
    let [left_out, given] = [left_out.to_owned(), format!("{left_out}{given}")]
        .map(|text| Policy::from_toml("p", &text).unwrap().suites);
    assert_eq!(left_out, given);
}
