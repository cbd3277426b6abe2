//! Numbers and names of cipher suites, groups and signature schemes, from the tables in `registry/`.

use bindery_core::{CipherSuite, TlsVersion};

use crate::{Group, SignatureScheme};

pub mod groups;
pub mod signatures;
pub mod suites;

/// A row of the table of cipher suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SuiteRow {
    /// Number and IANA name.
    pub suite: CipherSuite,
    /// What OpenSSL 3.0 calls it, where it has it.
    pub openssl_name: Option<&'static str>,
    /// The first protocol version that has it.
    pub first: TlsVersion,
    /// The last protocol version that has it.
    pub last: TlsVersion,
    /// The key exchange, such as `ECDHE`; `any` in TLS 1.3, where the group decides; `none`.
    pub key_exchange: &'static str,
    /// The server's authentication, such as `ECDSA`; `any` in TLS 1.3, where the certificate
    /// decides; `PSK`; `none` for an anonymous server.
    pub authentication: &'static str,
    /// The cipher and its mode, such as `AES_256_GCM`.
    pub encryption: &'static str,
    /// The strength of the cipher's key, in bits: 112 for 3DES, 40 for an export cipher, 0 for NULL.
    pub bits: u16,
    /// The integrity check: `AEAD`, the hash of the HMAC, `OMAC`, `IMIT` or `none`.
    pub integrity: &'static str,
    /// Whether IANA's registry recommends it.
    pub recommended: bool,
    /// The document that defines it.
    pub reference: &'static str,
}

impl SuiteRow {
    /// Whether traffic stays secret when the server's key is lost later.
    pub fn has_forward_secrecy(&self) -> bool {
        const EPHEMERAL: [&str; 7] =
            ["any", "ECDHE", "DHE", "ECDHE_PSK", "DHE_PSK", "SRP", "ECCPWD"];
        EPHEMERAL.contains(&self.key_exchange)
    }

    /// Whether encryption and integrity are one.
    pub fn is_aead(&self) -> bool {
        self.integrity == "AEAD"
    }

    /// Whether the server proves who it is by a certificate: by a signature, or by opening what was
    /// encrypted to its key.
    pub fn is_signed(&self) -> bool {
        matches!(self.authentication, "any" | "RSA" | "DSS" | "ECDSA" | "GOST")
    }

    /// Whether both sides need a pre-shared key.
    pub fn needs_psk(&self) -> bool {
        self.key_exchange.ends_with("PSK")
    }

    /// Whether a protocol version has this suite.
    pub fn is_of(&self, version: TlsVersion) -> bool {
        self.first <= version && version <= self.last
    }
}

/// The table's row of a cipher suite number.
pub fn suite(id: u16) -> Option<&'static SuiteRow> {
    let index = suites::ALL.binary_search_by_key(&id, |row| row.suite.id).ok()?;
    suites::ALL.get(index)
}

/// The table's row of a cipher suite's IANA name; the prefix `SSL_`, which documents of SSL's time
/// use, does as well as `TLS_`.
pub fn suite_named(name: &str) -> Option<&'static SuiteRow> {
    let bare = name.strip_prefix("TLS_").or_else(|| name.strip_prefix("SSL_"))?;
    suites::ALL.iter().find(|row| row.suite.name.strip_prefix("TLS_") == Some(bare))
}

/// The table's row of what OpenSSL calls a suite, such as `ECDHE-RSA-AES128-GCM-SHA256`.
pub fn suite_of_openssl(name: &str) -> Option<&'static SuiteRow> {
    suites::ALL.iter().find(|row| row.openssl_name == Some(name))
}

/// The group of a number.
pub fn group(id: u16) -> Option<Group> {
    groups::ALL.iter().find(|group| group.id == id).copied()
}

/// The group of an IANA name; case does not matter, as usage differs.
pub fn group_named(name: &str) -> Option<Group> {
    groups::ALL.iter().find(|group| group.name.eq_ignore_ascii_case(name)).copied()
}

/// The signature scheme of a number.
pub fn signature(id: u16) -> Option<SignatureScheme> {
    signatures::ALL.iter().find(|scheme| scheme.id == id).copied()
}

/// The signature scheme of an IANA name.
pub fn signature_named(name: &str) -> Option<SignatureScheme> {
    signatures::ALL.iter().find(|scheme| scheme.name == name).copied()
}

#[cfg(test)]
mod tests;
