//! What TLS may be: a policy as a value.

mod builtin;
mod plan;
mod restriction;

use std::borrow::Cow;

use bindery_core::{CipherSuite, TlsVersion};

pub use plan::{Dropped, Plan, PlanItem, WhyDropped};
pub use restriction::Restriction;

/// What TLS may be for one protocol or listener: versions, suites, groups, client certificates.
///
/// Every row says whether the policy requires it, permits it or leaves it out, and why. What stands
/// in no row is not used.
///
/// A policy meets a backend in [`Policy::resolve`]: that fails only on a required row that the
/// backend lacks, or when nothing is left; permitted rows that the backend lacks are dropped and
/// listed.
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
    /// Cipher suites, best first; a server picks the first that the client offers.
    pub suites: Vec<Row<CipherSuite>>,
    /// Key exchange groups, best first.
    pub groups: Vec<Row<Group>>,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
    restrictions: Vec<Restriction>,
}

impl Policy {
    /// A policy that permits nothing yet; its rows are public.
    pub fn new(name: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            references: Vec::new(),
            versions: Vec::new(),
            suites: Vec::new(),
            groups: Vec::new(),
            client_auth: ClientAuth::None,
            restrictions: Vec::new(),
        }
    }

    /// The built-in policy of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::built_in().into_iter().find(|policy| policy.name == name)
    }

    /// The same policy with another demand on client certificates.
    ///
    /// This changes what the policy is, in either direction; an operator's setting that may only
    /// tighten it is a [`Restriction`].
    #[must_use]
    pub const fn with_client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// The same policy, narrowed: what the restriction does not name is taken out. Restrictions
    /// add up, and none can bring in what the policy has not.
    #[must_use]
    pub fn restricted(mut self, restriction: Restriction) -> Self {
        self.restrictions.push(restriction);
        self
    }

    /// What operators have narrowed.
    pub fn restrictions(&self) -> &[Restriction] {
        &self.restrictions
    }
}

/// One thing that a policy speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<T> {
    /// The thing.
    pub what: T,
    /// Whether it must, may or must not be there.
    pub need: Need,
    /// Where that is said, or why.
    pub source: Cow<'static, str>,
}

impl<T> Row<T> {
    /// A row of something that must be there.
    pub fn required(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self { what, need: Need::Required, source: source.into() }
    }

    /// A row of something that may be there.
    pub fn permitted(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self { what, need: Need::Permitted, source: source.into() }
    }

    /// A row of something that the sources name and this policy leaves out.
    pub fn left_out(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self { what, need: Need::LeftOut, source: source.into() }
    }
}

/// How much a policy needs one of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Nothing starts on a backend without it.
    Required,
    /// Used where the backend has it.
    Permitted,
    /// Never used. The row is there so that people see that it was thought of.
    LeftOut,
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

#[cfg(test)]
mod tests;
