use super::*;
use crate::{
    Capabilities, TlsErrorKind,
    registry::{groups, suites},
};

/// What rustls has.
fn modern_backend() -> Capabilities {
    Capabilities::new(
        "test",
        vec![TlsVersion::TLS_1_3, TlsVersion::TLS_1_2],
        suites::ALL.iter().map(|row| row.suite).take(9).collect(),
        vec![groups::X25519, groups::SECP256R1],
    )
}

fn why(plan: &Plan, name: &str) -> Option<WhyDropped> {
    plan.dropped.iter().find(|d| d.what.to_string() == name).map(|d| d.why)
}

#[test]
fn kmip_is_its_modern_subset() {
    let plan = Policy::kmip().resolve(&modern_backend()).unwrap();
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2]);
    assert_eq!(
        plan.suites,
        [
            suites::TLS_AES_256_GCM_SHA384,
            suites::TLS_CHACHA20_POLY1305_SHA256,
            suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ]
    );
    assert_eq!(plan.client_auth, ClientAuth::Required);
    assert_eq!(plan.groups, [groups::X25519, groups::SECP256R1]);
    assert_eq!(why(&plan, "X25519MLKEM768"), Some(WhyDropped::BackendLacks));
    assert_eq!(why(&plan, "TLS_AES_128_GCM_SHA256"), Some(WhyDropped::LeftOut));
    assert_eq!(why(&plan, "TLS 1.0"), Some(WhyDropped::LeftOut));
    // Every suite that the profiles name has a row: 2 of TLS 1.3 and 19 of TLS 1.2, and the one
    // that they do not name.
    assert_eq!(Policy::kmip().suites.len(), 22);
}

#[test]
fn left_out_rows_stay_out_whatever_the_backend_has() {
    let mut all = modern_backend();
    all.suites = suites::ALL.iter().map(|row| row.suite).collect();
    all.versions.extend([TlsVersion::TLS_1_1, TlsVersion::TLS_1_0, TlsVersion::SSL_3_0]);
    for policy in Policy::built_in() {
        let (some, many) = (policy.resolve(&modern_backend()), policy.resolve(&all));
        assert_eq!(some.unwrap().suites, many.as_ref().unwrap().suites);
        assert_eq!(many.unwrap().versions, [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2]);
    }
}

#[test]
fn modern_has_the_nine_suites_and_asks_for_no_certificate() {
    let plan = Policy::modern().resolve(&modern_backend()).unwrap();
    assert_eq!(plan.suites.len(), 9);
    assert_eq!(plan.client_auth, ClientAuth::None);
}

#[test]
fn a_required_row_that_the_backend_lacks_is_an_error() {
    let mut backend = modern_backend();
    backend.suites.retain(|suite| *suite != suites::TLS_CHACHA20_POLY1305_SHA256);
    let error = Policy::kmip().resolve(&backend).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
    let text = error.to_string();
    for part in ["policy kmip", "TLS_CHACHA20_POLY1305_SHA256", "3.1.2", "backend test"] {
        assert!(text.contains(part), "{text}");
    }
    let mut backend = modern_backend();
    backend.versions.retain(|version| *version != TlsVersion::TLS_1_3);
    assert!(Policy::kmip().resolve(&backend).unwrap_err().to_string().contains("TLS 1.3"));
}

#[test]
fn a_permitted_row_that_the_backend_lacks_is_dropped_and_listed() {
    let mut backend = modern_backend();
    backend.versions.retain(|version| *version != TlsVersion::TLS_1_2);
    let plan = Policy::kmip().resolve(&backend).unwrap();
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3]);
    assert_eq!(why(&plan, "TLS 1.2"), Some(WhyDropped::BackendLacks));
    let suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    assert_eq!(why(&plan, suite), Some(WhyDropped::VersionOut));
    let dropped = plan.dropped.iter().find(|d| d.what.to_string() == suite).unwrap();
    assert!(dropped.source.contains("3.1.2"), "{dropped:?}");
}

#[test]
fn an_empty_result_is_an_error_that_says_what_became_of_the_rows() {
    let restriction = Restriction::new().with_versions([TlsVersion::TLS_1_2]);
    let mut backend = modern_backend();
    backend.suites.retain(|suite| suites::TLS_AES_256_GCM_SHA384 == *suite);
    let error = Policy::modern().restricted(restriction).resolve(&backend).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
    let text = error.to_string();
    assert!(text.contains("comes to no protocol version"), "{text}");
    assert!(text.contains("TLS 1.3: taken out by the operator"), "{text}");
    let mut backend = modern_backend();
    backend.groups.clear();
    let error = Policy::modern().resolve(&backend).unwrap_err();
    assert!(error.to_string().contains("no key exchange group"), "{error}");
    let error = Policy::new("none", "Nothing").resolve(&modern_backend()).unwrap_err();
    assert!(error.to_string().contains("no protocol version"), "{error}");
}

#[test]
fn a_restriction_narrows_and_never_widens() {
    let policy = Policy::kmip().restricted(
        Restriction::new()
            .with_versions([TlsVersion::TLS_1_3, TlsVersion::TLS_1_1])
            .with_suites([
                suites::TLS_AES_128_GCM_SHA256,
                suites::TLS_AES_256_GCM_SHA384,
                suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            ])
            .with_groups([groups::SECP521R1, groups::SECP256R1]),
    );
    let plan = policy.resolve(&modern_backend()).unwrap();
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3]);
    assert_eq!(plan.suites, [suites::TLS_AES_256_GCM_SHA384]);
    assert_eq!(plan.groups, [groups::SECP256R1]);
    for (name, expected) in [
        ("TLS 1.2", WhyDropped::Restricted),
        ("TLS 1.1", WhyDropped::LeftOut),
        ("TLS_CHACHA20_POLY1305_SHA256", WhyDropped::Restricted),
        ("TLS_AES_128_GCM_SHA256", WhyDropped::LeftOut),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", WhyDropped::NotInPolicy),
        ("secp521r1", WhyDropped::NotInPolicy),
        ("x25519", WhyDropped::Restricted),
    ] {
        assert_eq!(why(&plan, name), Some(expected), "{name}");
    }
}

#[test]
fn restrictions_add_up() {
    let [one, two] = [
        [suites::TLS_AES_256_GCM_SHA384, suites::TLS_AES_128_GCM_SHA256],
        [suites::TLS_AES_128_GCM_SHA256, suites::TLS_CHACHA20_POLY1305_SHA256],
    ]
    .map(|list| Restriction::new().with_suites(list));
    let policy = Policy::modern().restricted(one).restricted(two);
    assert_eq!(policy.restrictions().len(), 2);
    let plan = policy.resolve(&modern_backend()).unwrap();
    assert_eq!(plan.suites, [suites::TLS_AES_128_GCM_SHA256]);
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3]);
    assert_eq!(why(&plan, "TLS 1.2"), Some(WhyDropped::NoSuite));
}

#[test]
fn less_than_the_policy_asks_of_clients_is_an_error_and_more_is_not() {
    let asking = |policy: Policy, demand| {
        let restriction = Restriction::new().with_client_auth(demand);
        policy.restricted(restriction).resolve(&modern_backend()).map(|plan| plan.client_auth)
    };
    for weaker in [ClientAuth::None, ClientAuth::Optional] {
        let error = asking(Policy::kmip(), weaker).unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
        assert!(error.to_string().contains("asks for less"), "{error}");
    }
    let stronger = asking(Policy::modern(), ClientAuth::Optional).unwrap();
    assert_eq!(stronger, ClientAuth::Optional);
}

#[test]
fn names_that_nobody_knows_are_errors() {
    let error = Restriction::new().with_suites_named(["AES256-GCM-SHA384"]).unwrap_err();
    assert!(error.to_string().contains("\"AES256-GCM-SHA384\""), "{error}");
    assert!(error.hint().contains("IANA"));
    let error = Restriction::new().with_groups_named(["P-256"]).unwrap_err();
    assert!(error.to_string().contains("\"P-256\""), "{error}");
}

#[test]
fn built_in_policies_are_found_by_name() {
    assert_eq!(Policy::named("kmip"), Some(Policy::kmip()));
    assert_eq!(Policy::named("modern"), Some(Policy::modern()));
    assert_eq!(Policy::named("KMIP"), None);
}
