//! KMIP: the modern subset, and what the profiles say to the letter.

use bindery_core::{CipherSuite, TlsVersion};

use super::{groups_for, signatures_for};
use crate::{ClientAuth, Policy, Row, registry::suites};

const VERSIONS: &str = "KMIP Profiles 2.1, 3.1.1";
const SUITES: &str = "KMIP Profiles 2.1, 3.1.2";
const SUITES_1_4: &str = "KMIP Profiles 1.4, 3.1";

const PSK: &str = "the profile permits two PSK suites, in which the client shows no certificate, \
                   and requires mutual TLS";
const STATIC_RSA: &str = "the two suites that are mandatory in TLS 1.2 have no forward secrecy; \
                          RFC 9325 (4.1) advises against RSA key transport";
const ORDER: &str = "the profile gives no order: forward secrecy and AEAD come first";

/// What both sides SHALL have in TLS 1.2.
const MANDATORY: [CipherSuite; 2] =
    [suites::TLS_RSA_WITH_AES_256_CBC_SHA256, suites::TLS_RSA_WITH_AES_128_CBC_SHA256];

/// What both sides MAY have in TLS 1.2: ephemeral keys and AEAD.
const MODERN: [CipherSuite; 2] = [
    suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
];

/// What both sides MAY have in TLS 1.2: ephemeral keys and CBC.
const CBC: [CipherSuite; 6] = [
    suites::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    suites::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    suites::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    suites::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    suites::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    suites::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
];

/// What both sides MAY have in TLS 1.2: static keys.
const STATIC: [CipherSuite; 9] = [
    suites::TLS_RSA_WITH_AES_256_CBC_SHA,
    suites::TLS_RSA_WITH_AES_128_CBC_SHA,
    suites::TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384,
    suites::TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256,
    suites::TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA,
    suites::TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384,
    suites::TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256,
    suites::TLS_PSK_WITH_AES_256_CBC_SHA,
    suites::TLS_PSK_WITH_AES_128_CBC_SHA,
];

impl Policy {
    /// KMIP's modern subset: what KMIP Profiles 2.1 ask for and rustls has, with mutual
    /// authentication.
    ///
    /// The two suites that the profiles make mandatory in TLS 1.2 are left out: they have no
    /// forward secrecy.
    pub fn kmip() -> Self {
        let mut policy = Self::new("kmip", "KMIP over TLS: the modern subset, mutual TLS");
        policy.references = vec![
            "KMIP Profiles Version 2.1 (OASIS Standard, 14 December 2020), section 3.1".into(),
            "KMIP over HTTPS Profile (working draft 0.98), section 2".into(),
        ];
        policy.versions = versions_2_1();
        policy.suites = modern_subset();
        policy.groups = groups_for("the profiles name no group");
        policy.signatures = signatures_for("the profiles name no signature scheme");
        policy.client_auth = ClientAuth::Required;
        policy.notes = vec![STATIC_RSA.into(), AES_128.into(), PSK.into(), ORDER.into()];
        policy
    }

    /// KMIP Profiles 2.1 to the letter. In TLS 1.2 it requires suites that rustls refuses; an
    /// operator who leaves TLS 1.3 only can use it everywhere.
    pub fn kmip_2_1() -> Self {
        let mut policy = Self::new("kmip-2.1", "KMIP Profiles 2.1 to the letter, mutual TLS");
        policy.references = vec![
            "KMIP Profiles Version 2.1 (OASIS Standard, 14 December 2020), section 3.1".into(),
        ];
        policy.versions = versions_2_1();
        policy.suites = newest(SUITES);
        policy.suites.extend(of_tls_1_2(SUITES));
        policy.suites.push(Row::left_out(suites::TLS_AES_128_GCM_SHA256, not_in_list()));
        policy.groups = groups_for("the profiles name no group");
        policy.signatures = signatures_for("the profiles name no signature scheme");
        policy.client_auth = ClientAuth::Required;
        policy.modern_subset = Some("kmip".into());
        policy.notes = vec![STATIC_RSA.into(), AES_128.into(), PSK.into(), ORDER.into()];
        policy
    }

    /// KMIP Profiles 1.4 to the letter: TLS 1.2 and its suites. rustls lacks the two mandatory
    /// ones.
    pub fn kmip_1_4() -> Self {
        let mut policy = Self::new("kmip-1.4", "KMIP Profiles 1.4 to the letter, mutual TLS");
        policy.references = vec![
            "KMIP Profiles Version 1.4 (OASIS Standard, 22 November 2017), section 3.1".into(),
        ];
        policy.versions = vec![
            Row::left_out(TlsVersion::TLS_1_3, format!("{SUITES_1_4}: TLS 1.2 only; it is older")),
            Row::required(TlsVersion::TLS_1_2, format!("{SUITES_1_4}: SHALL")),
            Row::left_out(TlsVersion::TLS_1_1, format!("{SUITES_1_4}: TLS 1.2 only")),
            Row::left_out(TlsVersion::TLS_1_0, format!("{SUITES_1_4}: TLS 1.2 only")),
            Row::left_out(TlsVersion::SSL_3_0, format!("{SUITES_1_4}: TLS 1.2 only")),
        ];
        policy.suites = of_tls_1_2(SUITES_1_4);
        policy.groups = groups_for("the profiles name no group");
        policy.signatures = signatures_for("the profiles name no signature scheme");
        policy.client_auth = ClientAuth::Required;
        policy.modern_subset = Some("kmip".into());
        policy.notes = vec![
            STATIC_RSA.into(),
            PSK.into(),
            ORDER.into(),
            "the lists of 1.4 are those of 2.1 for TLS 1.2, as implementations by others quote \
             them; the document itself was not at hand"
                .into(),
        ];
        policy
    }
}

const AES_128: &str = "TLS_AES_128_GCM_SHA256, which every TLS 1.3 implementation must have \
                       (RFC 8446, 9.1), stands outside the profile's closed list";

fn not_in_list() -> String {
    format!("{SUITES}: not in the list, which ends with \"nothing else\"")
}

fn versions_2_1() -> Vec<Row<TlsVersion>> {
    let forbidden = [TlsVersion::TLS_1_1, TlsVersion::TLS_1_0, TlsVersion::SSL_3_0];
    let mut rows = vec![
        Row::required(TlsVersion::TLS_1_3, format!("{VERSIONS}: servers SHALL")),
        Row::permitted(TlsVersion::TLS_1_2, format!("{VERSIONS}: servers SHOULD, clients MAY")),
    ];
    rows.extend(forbidden.map(|v| Row::left_out(v, format!("{VERSIONS}: SHALL NOT"))));
    rows
}

/// What the profiles name in TLS 1.3.
fn newest(source: &str) -> Vec<Row<CipherSuite>> {
    [suites::TLS_AES_256_GCM_SHA384, suites::TLS_CHACHA20_POLY1305_SHA256]
        .map(|suite| Row::required(suite, format!("{source}: SHALL (TLS 1.3)")))
        .into()
}

/// What the profiles name in TLS 1.2, to the letter.
fn of_tls_1_2(source: &str) -> Vec<Row<CipherSuite>> {
    let may = |suite: &CipherSuite| Row::permitted(*suite, format!("{source}: MAY (TLS 1.2)"));
    let shall = |suite: &CipherSuite| Row::required(*suite, format!("{source}: SHALL (TLS 1.2)"));
    let ephemeral = MODERN.iter().chain(&CBC).map(may);
    ephemeral.chain(MANDATORY.iter().map(shall)).chain(STATIC.iter().map(may)).collect()
}

fn modern_subset() -> Vec<Row<CipherSuite>> {
    let mut rows = newest(SUITES);
    rows.extend(MODERN.map(|suite| Row::permitted(suite, format!("{SUITES}: MAY (TLS 1.2)"))));
    rows.push(Row::left_out(suites::TLS_AES_128_GCM_SHA256, not_in_list()));
    let source = format!("{SUITES}: SHALL (TLS 1.2), left out here: no forward secrecy, CBC");
    rows.extend(MANDATORY.map(|suite| Row::left_out(suite, source.clone())));
    let source = format!("{SUITES}: MAY (TLS 1.2), left out here: no forward secrecy, CBC");
    rows.extend(STATIC.map(|suite| Row::left_out(suite, source.clone())));
    let source = format!("{SUITES}: MAY (TLS 1.2), left out here: CBC");
    rows.extend(CBC.map(|suite| Row::left_out(suite, source.clone())));
    rows
}
