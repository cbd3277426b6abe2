//! Numbers and names of cipher suites and groups, from the tables in `registry/`.

use bindery_core::{CipherSuite, TlsVersion};

use crate::Group;

pub mod groups;
pub mod suites;

/// A row of the table of cipher suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SuiteRow {
    /// Number and IANA name.
    pub suite: CipherSuite,
    /// The first protocol version that has it.
    pub first: TlsVersion,
    /// The last protocol version that has it.
    pub last: TlsVersion,
    /// The key exchange, such as `ECDHE`; `any` in TLS 1.3, where the group decides.
    pub key_exchange: &'static str,
    /// The server's authentication, such as `ECDSA`; `any` in TLS 1.3, where the certificate
    /// decides.
    pub authentication: &'static str,
    /// The cipher and its mode, such as `AES_256_GCM`.
    pub encryption: &'static str,
    /// The strength of the cipher's key, in bits.
    pub bits: u16,
    /// The integrity check: `AEAD` or the hash of the HMAC.
    pub integrity: &'static str,
    /// The document that defines it.
    pub reference: &'static str,
}

impl SuiteRow {
    /// Whether traffic stays secret when the server's key is lost later.
    pub fn has_forward_secrecy(&self) -> bool {
        matches!(self.key_exchange, "any" | "ECDHE" | "DHE")
    }

    /// Whether a protocol version has this suite.
    pub fn is_of(&self, version: TlsVersion) -> bool {
        self.first <= version && version <= self.last
    }
}

/// The table's row of a cipher suite number.
pub fn suite(id: u16) -> Option<&'static SuiteRow> {
    suites::ALL.iter().find(|row| row.suite.id == id)
}

/// The table's row of a cipher suite's IANA name.
pub fn suite_named(name: &str) -> Option<&'static SuiteRow> {
    suites::ALL.iter().find(|row| row.suite.name == name)
}

/// The group of a number.
pub fn group(id: u16) -> Option<Group> {
    groups::ALL.iter().find(|group| group.id == id).copied()
}

/// The group of an IANA name; case does not matter, as usage differs.
pub fn group_named(name: &str) -> Option<Group> {
    groups::ALL.iter().find(|group| group.name.eq_ignore_ascii_case(name)).copied()
}

#[cfg(test)]
mod tests;
