//! The policies that are always there.

mod kmip;
mod modern;
mod omadm;
mod taxii;

use bindery_core::{CipherSuite, TlsVersion};

use super::{Group, Policy, Row, SignatureScheme};
use crate::registry::{groups, signatures, suites};

impl Policy {
    /// Every built-in policy, by name.
    pub fn built_in() -> Vec<Self> {
        vec![
            Self::kmip(),
            Self::kmip_1_4(),
            Self::kmip_2_1(),
            Self::modern(),
            Self::omadm(),
            Self::omadm_1_3(),
            Self::taxii(),
        ]
    }
}

/// What nobody speaks any more, with who forbids it.
fn old_versions() -> [Row<TlsVersion>; 3] {
    [
        Row::left_out(TlsVersion::TLS_1_1, "RFC 8996: MUST NOT"),
        Row::left_out(TlsVersion::TLS_1_0, "RFC 8996: MUST NOT"),
        Row::left_out(TlsVersion::SSL_3_0, "RFC 7568: MUST NOT"),
    ]
}

/// Forward secrecy and AEAD in TLS 1.2 and 1.3: what RFC 9325 leaves.
fn modern_suites() -> Vec<Row<CipherSuite>> {
    vec![
        Row::permitted(suites::TLS_AES_256_GCM_SHA384, "RFC 8446, 9.1: SHOULD"),
        Row::permitted(suites::TLS_CHACHA20_POLY1305_SHA256, "RFC 8446, 9.1: SHOULD"),
        Row::permitted(suites::TLS_AES_128_GCM_SHA256, "RFC 8446, 9.1: MUST"),
        Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "RFC 9325, 4.2"),
        Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "RFC 7905"),
        Row::permitted(suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "RFC 9325, 4.2"),
        Row::permitted(suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "RFC 9325, 4.2"),
        Row::permitted(suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "RFC 7905"),
        Row::permitted(suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "RFC 9325, 4.2"),
    ]
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

/// Every scheme of RFC 8446 that is not broken and that certificates in use have keys for.
fn signatures_for(source: &'static str) -> Vec<Row<SignatureScheme>> {
    let mut rows: Vec<_> = [
        signatures::ECDSA_SECP256R1_SHA256,
        signatures::ECDSA_SECP384R1_SHA384,
        signatures::ECDSA_SECP521R1_SHA512,
        signatures::ED25519,
        signatures::RSA_PSS_RSAE_SHA256,
        signatures::RSA_PSS_RSAE_SHA384,
        signatures::RSA_PSS_RSAE_SHA512,
        signatures::RSA_PKCS1_SHA256,
        signatures::RSA_PKCS1_SHA384,
        signatures::RSA_PKCS1_SHA512,
    ]
    .map(|scheme| Row::permitted(scheme, source))
    .into();
    let broken = "RFC 9155: MUST NOT";
    rows.push(Row::left_out(signatures::ECDSA_SHA1, broken));
    rows.push(Row::left_out(signatures::RSA_PKCS1_SHA1, broken));
    rows
}

/// A policy takes TLS 1.2 and 1.3 with these reasons and nothing older.
fn two_versions(new: Row<TlsVersion>, old: Row<TlsVersion>) -> Vec<Row<TlsVersion>> {
    let mut rows = vec![new, old];
    rows.extend(old_versions());
    rows
}
