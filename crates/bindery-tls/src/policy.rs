//! What TLS may be: a policy as a value.

mod builtin;
mod characteristics;
mod explain;
#[cfg(feature = "toml")]
mod file;
mod fit;
mod plan;
mod restriction;
mod sieve;
mod trust;

use std::{borrow::Cow, fmt, time::Duration};

use bindery_core::{CipherSuite, TlsVersion};

pub use characteristics::{Characteristics, Demand, Lack};
pub use explain::Explanation;
pub use plan::{Dropped, Plan, PlanItem, WhyDropped};
pub use restriction::Restriction;
pub use trust::Trust;

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
    /// Signature schemes of handshakes, best first.
    ///
    /// They say what a server or client signs a handshake with and takes for its peer's signature,
    /// and what it announces. The signatures inside certificate chains are those that the backend
    /// can check.
    pub signatures: Vec<Row<SignatureScheme>>,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
    /// Application protocols (ALPN) that may be spoken; `None` leaves them to the configuration of
    /// each side, which may in any case offer no others than these.
    pub alpn: Option<Vec<Vec<u8>>>,
    /// Whether and for how long sessions are resumed.
    pub resumption: Resumption,
    /// Authorities, revocation lists and pre-shared keys that go with the policy.
    pub trust: Trust,
    /// What the sources contradict in themselves or in each other, and how it was read.
    pub notes: Vec<Cow<'static, str>>,
    /// The policy that is this one's modern subset, which every backend serves.
    pub modern_subset: Option<Cow<'static, str>>,
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
            signatures: Vec::new(),
            client_auth: ClientAuth::None,
            alpn: None,
            resumption: Resumption::default(),
            trust: Trust::default(),
            notes: Vec::new(),
            modern_subset: None,
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
    /// The first and the last protocol version that the row speaks of, where that is less than the
    /// thing itself has: RC4 in SSL 3.0 only. Suites only.
    pub within: Option<(TlsVersion, TlsVersion)>,
}

impl<T> Row<T> {
    /// A row of something that must be there.
    pub fn required(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what, Need::Required, source)
    }

    /// A row of something that may be there.
    pub fn permitted(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what, Need::Permitted, source)
    }

    /// A row of something that the sources name and this policy leaves out.
    pub fn left_out(what: T, source: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what, Need::LeftOut, source)
    }

    /// A row of any kind.
    pub fn new(what: T, need: Need, source: impl Into<Cow<'static, str>>) -> Self {
        Self { what, need, source: source.into(), within: None }
    }

    /// The same row for these protocol versions only.
    #[must_use]
    pub const fn within(mut self, first: TlsVersion, last: TlsVersion) -> Self {
        self.within = Some((first, last));
        self
    }
}

/// How much a policy needs one of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Nothing starts on a backend without it. A required suite is needed where one of its
    /// protocol versions is used.
    Required,
    /// Used where the backend has it.
    Permitted,
    /// Never used, whatever another row says of the same thing. The row is there so that people see
    /// that it was thought of.
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

/// A signature scheme: its IANA number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SignatureScheme {
    /// The number on the wire.
    pub id: u16,
    /// The name in the IANA registry, such as `ecdsa_secp256r1_sha256`.
    pub name: &'static str,
}

impl SignatureScheme {
    /// A scheme from its number and IANA name.
    pub const fn new(id: u16, name: &'static str) -> Self {
        Self { id, name }
    }
}

/// Whether and for how long sessions are resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumption {
    /// Whether tickets are given and taken at all.
    pub tickets: bool,
    /// How long a ticket key makes new tickets; what it made is taken for as long again. A session
    /// ends twice this time after its full handshake, however often it was resumed and given new
    /// tickets in between. At most three days, so that no session outlives the seven days of RFC
    /// 8446, 4.6.1; the backend on rustls changes its keys every six hours at least.
    pub rotation: Duration,
}

impl Default for Resumption {
    /// Tickets, whose keys change every six hours.
    fn default() -> Self {
        Self { tickets: true, rotation: Duration::from_secs(6 * 60 * 60) }
    }
}

impl Resumption {
    /// The longest [`Resumption::rotation`].
    pub const LONGEST_ROTATION: Duration = Duration::from_secs(3 * 24 * 60 * 60);

    /// No session is resumed: every connection is a full handshake.
    pub const fn none() -> Self {
        Self { tickets: false, rotation: Duration::ZERO }
    }

    /// Tickets whose keys change this often.
    pub const fn rotating(rotation: Duration) -> Self {
        Self { tickets: true, rotation }
    }
}

impl fmt::Display for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::Permitted => "permitted",
            Self::LeftOut => "left out",
        })
    }
}

#[cfg(test)]
mod tests;
