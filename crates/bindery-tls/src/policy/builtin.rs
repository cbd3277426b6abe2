//! The policies that are always there.

use bindery_core::TlsVersion;

use super::{ClientAuth, Group, Policy, Row};
use crate::registry::{groups, suites};

const KMIP_VERSIONS: &str = "KMIP Profiles 2.1, 3.1.1";
const KMIP_SUITES: &str = "KMIP Profiles 2.1, 3.1.2";

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
        policy.versions = vec![
            Row::required(TlsVersion::TLS_1_3, format!("{KMIP_VERSIONS}: servers SHALL")),
            Row::permitted(
                TlsVersion::TLS_1_2,
                format!("{KMIP_VERSIONS}: servers SHOULD, clients MAY"),
            ),
            Row::left_out(TlsVersion::TLS_1_1, format!("{KMIP_VERSIONS}: SHALL NOT")),
            Row::left_out(TlsVersion::TLS_1_0, format!("{KMIP_VERSIONS}: SHALL NOT")),
            Row::left_out(TlsVersion::SSL_3_0, format!("{KMIP_VERSIONS}: SHALL NOT")),
        ];
        policy.suites = kmip_suites();
        policy.groups = groups_for("the profiles name no group");
        policy.client_auth = ClientAuth::Required;
        policy
    }

    /// What a careful server or client uses today: TLS 1.2 and 1.3, forward secrecy, AEAD. It asks
    /// for no client certificate; see [`Policy::with_client_auth`].
    pub fn modern() -> Self {
        let mut policy = Self::new("modern", "TLS 1.2 and 1.3 with forward secrecy and AEAD");
        policy.references = vec!["RFC 9325 (BCP 195)".into(), "RFC 8446".into()];
        policy.versions = vec![
            Row::permitted(TlsVersion::TLS_1_3, "RFC 9325, 3.1.1: SHOULD"),
            Row::permitted(TlsVersion::TLS_1_2, "RFC 9325, 3.1.1: MUST be supported"),
            Row::left_out(TlsVersion::TLS_1_1, "RFC 8996: MUST NOT"),
            Row::left_out(TlsVersion::TLS_1_0, "RFC 8996: MUST NOT"),
            Row::left_out(TlsVersion::SSL_3_0, "RFC 7568: MUST NOT"),
        ];
        policy.suites = vec![
            Row::permitted(suites::TLS_AES_256_GCM_SHA384, "RFC 8446, 9.1: SHOULD"),
            Row::permitted(suites::TLS_CHACHA20_POLY1305_SHA256, "RFC 8446, 9.1: SHOULD"),
            Row::permitted(suites::TLS_AES_128_GCM_SHA256, "RFC 8446, 9.1: MUST"),
            Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "RFC 9325, 4.2"),
            Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "RFC 7905"),
            Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "RFC 9325, 4.2"),
            Row::permitted(suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "RFC 9325, 4.2"),
            Row::permitted(suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "RFC 7905"),
            Row::permitted(suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "RFC 9325, 4.2"),
        ];
        policy.groups = groups_for("RFC 9325, 4.2");
        policy
    }

    /// Every built-in policy.
    pub fn built_in() -> Vec<Self> {
        vec![Self::kmip(), Self::modern()]
    }
}

fn kmip_suites() -> Vec<Row<bindery_core::CipherSuite>> {
    let mut rows = vec![
        Row::required(suites::TLS_AES_256_GCM_SHA384, format!("{KMIP_SUITES}: SHALL (TLS 1.3)")),
        Row::required(
            suites::TLS_CHACHA20_POLY1305_SHA256,
            format!("{KMIP_SUITES}: SHALL (TLS 1.3)"),
        ),
        Row::permitted(
            suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            format!("{KMIP_SUITES}: MAY (TLS 1.2)"),
        ),
        Row::permitted(
            suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            format!("{KMIP_SUITES}: MAY (TLS 1.2)"),
        ),
        Row::left_out(
            suites::TLS_AES_128_GCM_SHA256,
            format!("{KMIP_SUITES}: not in the list, which ends with \"nothing else\""),
        ),
    ];
    let mandatory =
        [suites::TLS_RSA_WITH_AES_256_CBC_SHA256, suites::TLS_RSA_WITH_AES_128_CBC_SHA256];
    let source = format!("{KMIP_SUITES}: SHALL (TLS 1.2), left out here: no forward secrecy, CBC");
    rows.extend(mandatory.map(|suite| Row::left_out(suite, source.clone())));
    let static_keys = [
        suites::TLS_RSA_WITH_AES_128_CBC_SHA,
        suites::TLS_RSA_WITH_AES_256_CBC_SHA,
        suites::TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA,
        suites::TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256,
        suites::TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384,
        suites::TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256,
        suites::TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384,
        suites::TLS_PSK_WITH_AES_128_CBC_SHA,
        suites::TLS_PSK_WITH_AES_256_CBC_SHA,
    ];
    let source = format!("{KMIP_SUITES}: MAY (TLS 1.2), left out here: no forward secrecy, CBC");
    rows.extend(static_keys.map(|suite| Row::left_out(suite, source.clone())));
    let cbc = [
        suites::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        suites::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
        suites::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
        suites::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        suites::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
        suites::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    ];
    let source = format!("{KMIP_SUITES}: MAY (TLS 1.2), left out here: CBC");
    rows.extend(cbc.map(|suite| Row::left_out(suite, source.clone())));
    rows
}

/// The hybrid group first: keys that travel today must stay secret for as long as they are used.
fn groups_for(source: &'static str) -> Vec<Row<Group>> {
    vec![
        Row::permitted(groups::X25519MLKEM768, "against recording now and decrypting later"),
        Row::permitted(groups::X25519, source),
        Row::permitted(groups::SECP256R1, source),
        Row::permitted(groups::SECP384R1, source),
    ]
}
