//! A policy against a backend: what is in, what is out, and why.

use std::fmt;

use bindery_core::{CipherSuite, TlsVersion};

use super::{ClientAuth, Group, Need, Policy, Restriction, Row};
use crate::{Capabilities, TlsError, TlsErrorKind, registry};

/// What a policy comes to on one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Versions, best first; never empty.
    pub versions: Vec<TlsVersion>,
    /// Suites, best first; never empty, and each version has at least one.
    pub suites: Vec<CipherSuite>,
    /// Groups, best first; never empty.
    pub groups: Vec<Group>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// What is out.
    pub dropped: Vec<Dropped>,
}

/// Something that a policy or a restriction names and that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// The thing.
    pub what: PlanItem,
    /// Why it is out.
    pub why: WhyDropped,
    /// What the policy's row says of it; empty when no row names it.
    pub source: String,
}

/// A version, a suite or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PlanItem {
    /// A protocol version.
    Version(TlsVersion),
    /// A cipher suite.
    Suite(CipherSuite),
    /// A key exchange group.
    Group(Group),
}

/// Why something is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WhyDropped {
    /// The policy itself leaves it out.
    LeftOut,
    /// The backend does not have it.
    BackendLacks,
    /// The operator took it out.
    Restricted,
    /// The operator named it, but the policy does not permit it.
    NotInPolicy,
    /// A suite whose protocol versions are all out.
    VersionOut,
    /// A version whose suites are all out.
    NoSuite,
}

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Suite(suite) => f.write_str(suite.name),
            Self::Group(group) => f.write_str(group.name),
        }
    }
}

impl fmt::Display for WhyDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeftOut => "left out by the policy",
            Self::BackendLacks => "the backend does not have it",
            Self::Restricted => "taken out by the operator",
            Self::NotInPolicy => "not permitted by the policy",
            Self::VersionOut => "its protocol version is out",
            Self::NoSuite => "all its suites are out",
        })
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl Policy {
    /// What this policy comes to on a backend.
    ///
    /// # Errors
    /// [`TlsErrorKind::PolicyNotMet`]: the backend lacks a required row, or no version, suite or
    /// group is left, or a restriction asks less of clients than the policy.
    pub fn resolve(&self, backend: &Capabilities) -> Result<Plan, TlsError> {
        let mut sieve = Sieve { policy: self, backend, dropped: Vec::new() };
        let mut versions = sieve.keep(
            &self.versions,
            &backend.versions,
            |r| r.versions.as_ref(),
            PlanItem::Version,
        )?;
        let mut suites =
            sieve.keep(&self.suites, &backend.suites, |r| r.suites.as_ref(), PlanItem::Suite)?;
        let groups =
            sieve.keep(&self.groups, &backend.groups, |r| r.groups.as_ref(), PlanItem::Group)?;
        suites.retain(|&suite| {
            let kept = versions.iter().any(|&version| is_of(suite, version));
            if !kept {
                sieve.out(
                    PlanItem::Suite(suite),
                    WhyDropped::VersionOut,
                    source(&self.suites, &suite),
                );
            }
            kept
        });
        for version in versions.clone() {
            if suites.iter().any(|&suite| is_of(suite, version)) {
                continue;
            }
            versions.retain(|&other| other != version);
            let row = self.versions.iter().find(|row| row.what == version);
            let required = row.is_some_and(|row| row.need == Need::Required);
            if required && self.restrictions.is_empty() {
                let said = source(&self.versions, &version);
                return Err(sieve.lacking(format_args!("a suite of {version}"), &said));
            }
            sieve.out(
                PlanItem::Version(version),
                WhyDropped::NoSuite,
                source(&self.versions, &version),
            );
        }
        for (left, what) in [
            (versions.len(), "protocol version"),
            (suites.len(), "cipher suite"),
            (groups.len(), "key exchange group"),
        ] {
            if left == 0 {
                return Err(sieve.nothing_left(what));
            }
        }
        let client_auth = self.resolve_client_auth()?;
        Ok(Plan { versions, suites, groups, client_auth, dropped: sieve.dropped })
    }

    fn resolve_client_auth(&self) -> Result<ClientAuth, TlsError> {
        let mut demand = self.client_auth;
        for asked in self.restrictions.iter().filter_map(|r| r.client_auth) {
            if asked < self.client_auth {
                let message = format!(
                    "the policy {} sets client certificates to {:?}, and the configuration asks \
                     for less: {asked:?}",
                    self.name, self.client_auth
                );
                let hint = "remove the setting, or choose a policy that asks for less";
                return Err(TlsError::new(TlsErrorKind::PolicyNotMet, message, hint));
            }
            demand = demand.max(asked);
        }
        Ok(demand)
    }
}

/// One pass over a policy's rows.
struct Sieve<'a> {
    policy: &'a Policy,
    backend: &'a Capabilities,
    dropped: Vec<Dropped>,
}

impl Sieve<'_> {
    fn keep<T: Copy + PartialEq>(
        &mut self,
        rows: &[Row<T>],
        has: &[T],
        list: impl Fn(&Restriction) -> Option<&Vec<T>>,
        item: impl Fn(T) -> PlanItem,
    ) -> Result<Vec<T>, TlsError> {
        let lists: Vec<&Vec<T>> = self.policy.restrictions.iter().filter_map(list).collect();
        let mut kept: Vec<T> = Vec::new();
        for row in rows {
            let why = if row.need == Need::LeftOut {
                WhyDropped::LeftOut
            } else if lists.iter().any(|list| !list.contains(&row.what)) {
                WhyDropped::Restricted
            } else if has.contains(&row.what) {
                kept.push(row.what);
                continue;
            } else if row.need == Need::Required {
                return Err(self.lacking(item(row.what), &row.source));
            } else {
                WhyDropped::BackendLacks
            };
            self.out(item(row.what), why, row.source.to_string());
        }
        for &asked in lists.into_iter().flatten() {
            let permitted = rows.iter().any(|row| row.what == asked && row.need != Need::LeftOut);
            if !permitted && !self.dropped.iter().any(|d| d.what == item(asked)) {
                self.out(item(asked), WhyDropped::NotInPolicy, String::new());
            }
        }
        Ok(kept)
    }

    fn out(&mut self, what: PlanItem, why: WhyDropped, source: String) {
        self.dropped.push(Dropped { what, why, source });
    }

    fn lacking(&self, what: impl fmt::Display, source: &str) -> TlsError {
        let (policy, backend) = (&self.policy.name, self.backend.backend);
        let message = format!(
            "the policy {policy} requires {what} ({source}), which the backend {backend} does not \
             have"
        );
        let hint = "choose another policy, or a backend that has it";
        TlsError::new(TlsErrorKind::PolicyNotMet, message, hint)
    }

    fn nothing_left(&self, what: &str) -> TlsError {
        let mut message = format!("the policy {} comes to no {what}", self.policy.name);
        let relevant = self.dropped.iter().filter(|d| d.why != WhyDropped::LeftOut);
        for (index, dropped) in relevant.enumerate() {
            message.push_str(if index == 0 { ": " } else { "; " });
            message.push_str(&dropped.to_string());
        }
        let hint = "take names out of the restriction, or choose another policy or backend";
        TlsError::new(TlsErrorKind::PolicyNotMet, message, hint)
    }
}

fn is_of(suite: CipherSuite, version: TlsVersion) -> bool {
    registry::suite(suite.id).is_some_and(|row| row.is_of(version))
}

fn source<T: PartialEq>(rows: &[Row<T>], what: &T) -> String {
    rows.iter().find(|row| row.what == *what).map(|row| row.source.to_string()).unwrap_or_default()
}
