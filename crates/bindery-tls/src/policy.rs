//! What TLS may be: a policy as a value.

use std::borrow::Cow;

use bindery_core::{CipherSuite, TlsVersion};

/// What TLS may be for one protocol or listener: versions, suites, groups, client certificates.
///
/// Every row says whether the policy requires it or only permits it, and why. What stands in no
/// row is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The name by which configuration and profile cards call it, such as `kmip`.
    pub name: Cow<'static, str>,
    /// One line for people.
    pub title: Cow<'static, str>,
    /// The documents that it follows.
    pub references: Vec<Cow<'static, str>>,
    /// Protocol versions, best first.
    pub versions: Vec<Row<TlsVersion>>,
    /// Cipher suites, best first.
    pub suites: Vec<Row<CipherSuite>>,
    /// Key exchange groups, best first.
    pub groups: Vec<Row<Group>>,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
}

/// One thing that a policy speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<T> {
    /// The thing.
    pub what: T,
    /// Whether it must be there.
    pub need: Need,
    /// Where that is said, or why.
    pub source: Cow<'static, str>,
}

/// How much a policy needs one of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Nothing starts on a backend without it.
    Required,
    /// Used where the backend has it.
    Permitted,
}

/// Whether a server asks its clients for a certificate, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    None,
    /// Asked for; a client may go without. One that shows a certificate is held to it.
    Optional,
    /// Asked for; a client without a certificate that a trusted authority signed gets no
    /// connection.
    Required,
}

/// A key exchange group: its IANA number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Group {
    /// The number on the wire.
    pub id: u16,
    /// The name in the IANA registry, such as `x25519`.
    pub name: &'static str,
}

impl Group {
    /// A group from its number and IANA name.
    pub const fn new(id: u16, name: &'static str) -> Self {
        Self { id, name }
    }
}
