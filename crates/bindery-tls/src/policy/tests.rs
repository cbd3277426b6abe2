use super::*;
use crate::{
    Capabilities, TlsErrorKind,
    registry::{self, groups, signatures, suites},
};

/// What rustls has.
fn modern_backend() -> Capabilities {
    Capabilities::new(
        "test",
        vec![TlsVersion::TLS_1_3, TlsVersion::TLS_1_2],
        Policy::modern().suites.iter().map(|row| row.what).collect(),
        vec![groups::X25519, groups::SECP256R1],
        signatures::ALL.to_vec(),
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
    for policy in [Policy::kmip(), Policy::modern(), Policy::omadm(), Policy::taxii()] {
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

/// What the sources make mandatory and rustls refuses is named, row by row.
#[test]
fn policies_to_the_letter_need_a_backend_that_has_their_rows() {
    for (policy, subset, rows) in [
        (
            Policy::kmip_1_4(),
            "kmip",
            &["TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"][..],
        ),
        (
            Policy::kmip_2_1(),
            "kmip",
            &["TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"],
        ),
        (Policy::omadm_1_3(), "omadm", &["TLS 1.1"]),
    ] {
        let error = policy.resolve(&modern_backend()).unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
        let text = error.to_string();
        for row in rows {
            assert!(text.contains(row), "{text}");
        }
        assert!(text.contains("backend test does not have"), "{text}");
        assert!(error.hint().contains("OpenSSL"), "{}", error.hint());
        assert!(error.hint().contains(&format!("the policy {subset}")), "{}", error.hint());
        let told = policy.explain(&modern_backend());
        for row in rows {
            let one = told.iter().find(|one| one.what.to_string() == *row).unwrap();
            assert!(one.why.contains("required, and the backend"), "{one:?}");
        }
    }
    // Whoever leaves TLS 1.3 only meets 2.1 to the letter.
    let new = Restriction::new().with_versions([TlsVersion::TLS_1_3]);
    let plan = Policy::kmip_2_1().restricted(new).resolve(&modern_backend()).unwrap();
    assert_eq!(plan.suites.len(), 2);
}

/// A backend with everything serves them whole, and each suite in its versions only.
#[test]
fn a_backend_with_everything_serves_every_policy() {
    let everything = Capabilities::new(
        "everything",
        (0x0300..=0x0304).map(TlsVersion).collect(),
        suites::ALL.iter().map(|row| row.suite).collect(),
        groups::ALL.to_vec(),
        signatures::ALL.to_vec(),
    );
    let plan = |policy: Policy| policy.resolve(&everything).unwrap();
    assert_eq!(plan(Policy::kmip_1_4()).versions, [TlsVersion::TLS_1_2]);
    assert_eq!(plan(Policy::kmip_1_4()).suites.len(), 19);
    assert_eq!(plan(Policy::kmip_2_1()).suites.len(), 21);
    let omadm = plan(Policy::omadm_1_3());
    assert_eq!(omadm.versions.len(), 4);
    let of = |version| omadm.suites_of(version);
    let ssl = of(TlsVersion::SSL_3_0);
    for suite in [suites::TLS_RSA_WITH_RC4_128_SHA, suites::TLS_RSA_WITH_3DES_EDE_CBC_SHA] {
        assert!(ssl.contains(&suite));
        assert!(!of(TlsVersion::TLS_1_0).contains(&suite));
        assert!(!of(TlsVersion::TLS_1_2).contains(&suite));
    }
    let gcm = suites::TLS_PSK_WITH_AES_128_GCM_SHA256;
    let cbc = suites::TLS_PSK_WITH_AES_128_CBC_SHA256;
    assert!(of(TlsVersion::TLS_1_2).contains(&gcm) && of(TlsVersion::TLS_1_2).contains(&cbc));
    assert!(!of(TlsVersion::TLS_1_1).contains(&gcm) && of(TlsVersion::TLS_1_1).contains(&cbc));
    // OMA's five conditions, but for the suites that it names itself.
    let named: Vec<_> = omadm.suites.iter().take(8).collect();
    for suite in &omadm.suites {
        let row = registry::suite(suite.id).unwrap();
        let lack = Characteristics::oma_dm().lack(row);
        assert!(lack.is_none() || named.contains(&suite), "{suite:?}: {lack:?}");
        assert!(row.encryption != "RC4_128" || named.contains(&suite), "{suite:?}");
    }
    assert!(omadm.suites.contains(&suites::TLS_RSA_WITH_AES_128_CBC_SHA));
    assert!(!omadm.suites.contains(&suites::TLS_RSA_WITH_NULL_SHA256));
}

#[test]
fn a_suite_is_told_what_it_lacks() {
    let oma = Characteristics::oma_dm();
    for (name, lack) in [
        ("TLS_RSA_WITH_NULL_SHA256", "no bulk encryption"),
        ("TLS_NULL_WITH_NULL_NULL", "no key exchange"),
        ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", "no signing"),
        ("TLS_PSK_WITH_AES_128_GCM_SHA256", "no signing"),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "a key of 40 bits, fewer than 128"),
        ("TLS_RSA_WITH_DES_CBC_SHA", "a key of 56 bits, fewer than 128"),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "a key of 112 bits, fewer than 128"),
    ] {
        let row = registry::suite_named(name).unwrap();
        assert_eq!(oma.lack(row).unwrap().to_string(), lack, "{name}");
    }
    let good = registry::suite_named("TLS_RSA_WITH_AES_128_CBC_SHA").unwrap();
    assert_eq!(oma.lack(good), None);
    for (field, lack) in [
        (
            Characteristics { forward_secrecy: true, ..Characteristics::default() },
            "forward secrecy",
        ),
        (Characteristics { aead: true, ..Characteristics::default() }, "AEAD"),
        (Characteristics { recommended: true, ..Characteristics::default() }, "IANA"),
        (
            Characteristics {
                encryption: Demand::OneOf(vec!["AES_256_GCM".into()]),
                ..Characteristics::default()
            },
            "AES_128_CBC as its bulk encryption",
        ),
    ] {
        let said = field.lack(good).unwrap().to_string();
        assert!(said.contains(lack), "{said}");
    }
}

#[test]
fn a_restriction_by_characteristics_says_what_was_lacking() {
    let strong = Characteristics { min_bits: 256, ..Characteristics::default() };
    let policy = Policy::kmip().restricted(Restriction::new().with_characteristics(strong));
    let plan = policy.resolve(&modern_backend()).unwrap();
    assert_eq!(plan.suites.len(), 3);
    let out = why(&plan, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(out, Some(WhyDropped::Lacks(Lack::Bits(128, 256))));
}

#[test]
fn every_suite_of_the_registry_has_an_explanation() {
    for policy in Policy::built_in() {
        for row in suites::ALL {
            let told = policy.explain_suite(row.suite, &modern_backend());
            assert!(!told.why.is_empty());
            assert!(told.need.is_some() || !told.used);
        }
    }
    let modern = Policy::modern();
    let told = modern.explain_suite(suites::TLS_RSA_EXPORT_WITH_RC4_40_MD5, &modern_backend());
    assert!(told.why.contains("a key of 40 bits"), "{told:?}");
    let told = modern.explain_suite(suites::TLS_AES_128_GCM_SHA256, &modern_backend());
    assert!(told.used && told.source.contains("RFC 8446"), "{told:?}");
}

#[test]
fn what_one_row_leaves_out_no_other_row_brings_back() {
    let out = suites::TLS_AES_128_GCM_SHA256;
    let mut policy = Policy::modern();
    policy.suites.push(Row::left_out(out, "house rules"));
    policy.versions.push(Row::left_out(TlsVersion::TLS_1_2, "house rules"));
    let plan = policy.resolve(&modern_backend()).unwrap();
    assert!(!plan.suites.contains(&out), "{:?}", plan.suites);
    assert_eq!(plan.versions, [TlsVersion::TLS_1_3]);
    let told = policy.explain(&modern_backend());
    let mut of_it = told.iter().filter(|one| one.what == PlanItem::Suite(out));
    assert!(of_it.all(|one| !one.used && one.why == WhyDropped::LeftOut.to_string()));
    // The same twice is the same once.
    let mut twice = Policy::modern();
    twice.suites.extend(Policy::modern().suites);
    let plan = twice.resolve(&modern_backend()).unwrap();
    assert_eq!(plan.suites, Policy::modern().resolve(&modern_backend()).unwrap().suites);
}

#[test]
fn a_required_version_without_suites_fails_unless_the_operator_took_them_out() {
    let new = |suite: &CipherSuite| registry::suite(suite.id).unwrap().is_of(TlsVersion::TLS_1_3);
    let mut policy = Policy::modern();
    policy.versions[0] = Row::required(TlsVersion::TLS_1_3, "house rules");
    let mut backend = modern_backend();
    backend.suites.retain(|suite| !new(suite));
    policy.resolve(&backend).unwrap_err();
    // A restriction of something else does not make it good.
    let elsewhere = Restriction::new().without_resumption().with_client_auth(ClientAuth::None);
    let error = policy.clone().restricted(elsewhere).resolve(&backend).unwrap_err();
    assert!(error.to_string().contains("a suite of TLS 1.3"), "{error}");
    let old: Vec<_> = modern_backend().suites.into_iter().filter(|suite| !new(suite)).collect();
    let plan = policy.restricted(Restriction::new().with_suites(old)).resolve(&backend).unwrap();
    assert_eq!(plan.versions, [TlsVersion::TLS_1_2]);
}
