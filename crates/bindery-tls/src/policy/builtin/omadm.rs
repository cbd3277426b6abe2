//! OMA DM: the modern subset, and what the HTTP binding 1.3 says to the letter.

use bindery_core::{CipherSuite, TlsVersion};

use super::{groups_for, modern_suites, signatures_for, two_versions};
use crate::{
    Characteristics, Need, Policy, Row,
    registry::{self, signatures, suites},
};

const TLS: &str = "OMA DM HTTP binding 1.3, 5.4";

/// What a server supports when it speaks PSK-TLS.
const PSK: [CipherSuite; 6] = [
    suites::TLS_DHE_PSK_WITH_AES_128_GCM_SHA256,
    suites::TLS_RSA_PSK_WITH_AES_128_GCM_SHA256,
    suites::TLS_PSK_WITH_AES_128_GCM_SHA256,
    suites::TLS_DHE_PSK_WITH_AES_128_CBC_SHA256,
    suites::TLS_RSA_PSK_WITH_AES_128_CBC_SHA256,
    suites::TLS_PSK_WITH_AES_128_CBC_SHA256,
];

/// What a server supports when it speaks SSL 3.0.
const SSL: [CipherSuite; 2] =
    [suites::TLS_RSA_WITH_3DES_EDE_CBC_SHA, suites::TLS_RSA_WITH_RC4_128_SHA];

impl Policy {
    /// OMA DM's modern subset: of the versions that section 5.4 lists TLS 1.2, with TLS 1.3 beside
    /// it, and suites that meet its five conditions with forward secrecy and AEAD. Clients prove
    /// who they are by HTTP or inside the messages.
    pub fn omadm() -> Self {
        let mut policy = Self::new("omadm", "OMA DM over HTTPS: the modern subset");
        policy.references = references();
        policy.versions = two_versions(
            Row::permitted(
                TlsVersion::TLS_1_3,
                format!("added here: it is newer than the closed list of {TLS}"),
            ),
            Row::permitted(TlsVersion::TLS_1_2, format!("{TLS}: SHOULD (TLS 1.0 or TLS 1.2)")),
        );
        for row in policy.versions.iter_mut().skip(2) {
            row.source = format!("{TLS}: asked for, left out here: {}", row.source).into();
        }
        policy.suites = modern_suites();
        let source = format!("{TLS}: SHALL with PSK-TLS, left out here: no PSK in rustls");
        policy.suites.extend(PSK.map(|suite| Row::left_out(suite, source.clone())));
        let source = format!("{TLS}: SHALL with SSL 3.0, left out here: broken (RFC 7465, 9325)");
        policy.suites.extend(SSL.map(|suite| Row::left_out(suite, source.clone())));
        policy.groups = groups_for("the binding names no group");
        policy.signatures = signatures_for("the binding names no signature scheme");
        policy.notes = notes();
        policy
    }

    /// The OMA DM HTTP binding 1.3 to the letter: TLS 1.1, 1.0 and 1.2, SSL 3.0 and PSK-TLS. It
    /// takes a backend that speaks them.
    pub fn omadm_1_3() -> Self {
        let mut policy = Self::new("omadm-1.3", "OMA DM HTTP binding 1.3 to the letter");
        policy.references = references();
        policy.versions = vec![
            Row::left_out(TlsVersion::TLS_1_3, format!("{TLS}: not in the closed list")),
            Row::permitted(TlsVersion::TLS_1_2, format!("{TLS}: SHOULD (TLS 1.0 or TLS 1.2)")),
            Row::required(TlsVersion::TLS_1_1, format!("{TLS}: SHALL")),
            Row::permitted(TlsVersion::TLS_1_0, format!("{TLS}: SHOULD (TLS 1.0 or TLS 1.2)")),
            Row::permitted(TlsVersion::SSL_3_0, format!("{TLS}: SHOULD")),
        ];
        let source = format!("{TLS}: SHALL with PSK-TLS");
        policy.suites = PSK.map(|suite| Row::required(suite, source.clone())).into();
        let source = format!("{TLS}: SHALL with SSL 3.0; in no other version (RFC 7465, 9325)");
        policy.suites.extend(SSL.map(|suite| {
            Row::required(suite, source.clone()).within(TlsVersion::SSL_3_0, TlsVersion::SSL_3_0)
        }));
        policy.suites.extend(broken());
        let conditions = format!("{TLS}: 128 bits or more, and none of the five parts missing");
        policy = policy.permitting(&Characteristics::oma_dm(), conditions);
        policy.suites.retain(|row| {
            let newest = registry::suite(row.what.id).map(|known| known.last);
            row.need == Need::LeftOut || newest <= Some(TlsVersion::TLS_1_2)
        });
        policy.groups = groups_for("the binding names no group");
        policy.signatures = signatures_for("the binding names no signature scheme");
        for row in policy.signatures.iter_mut().filter(|r| r.what == signatures::RSA_PKCS1_SHA1) {
            let source = "RFC 5246, 7.4.1.4.1: what a client without the extension can check";
            *row = Row::permitted(row.what, source);
        }
        policy.modern_subset = Some("omadm".into());
        policy.notes = notes();
        policy
    }
}

fn references() -> Vec<std::borrow::Cow<'static, str>> {
    vec![
        "OMA Device Management HTTP Binding, version 1.3 (OMA-TS-DM_HTTPBinding-V1_3), section 5.4"
            .into(),
    ]
}

/// What meets the five conditions and is broken all the same.
fn broken() -> Vec<Row<CipherSuite>> {
    let conditions = Characteristics::oma_dm();
    let meeting = suites::ALL.iter().filter(|row| conditions.lack(row).is_none());
    meeting
        .filter(|row| row.encryption == "RC4_128" && !SSL.contains(&row.suite))
        .map(|row| Row::left_out(row.suite, "RFC 7465: MUST NOT"))
        .collect()
}

fn notes() -> Vec<std::borrow::Cow<'static, str>> {
    [
        "5.4 takes no key under 128 bits, and with SSL 3.0 demands 3DES, whose strength is 112 bits \
         (168 nominal): the named suite is taken",
        "5.4 takes no suite without signing, and with PSK-TLS demands PSK and DHE_PSK suites, in \
         which nobody signs: the named suites are taken",
        "three of the six PSK suites use GCM, which exists in TLS 1.2 only (RFC 5487, 2): below it \
         the other three serve",
        "\"both of the following\" stands before six PSK suites: all six are taken",
        "the PSK suites are cited as RFC 4279 and stand in RFC 5487; TLS 1.0 is cited as RFC 4279 \
         and is RFC 2246",
        "5.4 asks the server for TLS 1.0 or TLS 1.2, row S-050 of its conformance table for both: \
         both may be used",
        "SSL 3.0, TLS 1.0, TLS 1.1 and RC4 are forbidden since (RFC 7568, RFC 8996, RFC 7465)",
    ]
    .map(Into::into)
    .into()
}
