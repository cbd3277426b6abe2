//! A policy against a backend: what is in, what is out, and why.

use std::fmt;

use bindery_core::{CipherSuite, TlsVersion};

use super::{
    ClientAuth, Group, Lack, Need, Policy, Resumption, Row, SignatureScheme, sieve::Sieve,
};
use crate::{Capabilities, Setting, TlsError, TlsErrorKind, registry};

/// What a policy comes to on one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Versions, best first; never empty.
    pub versions: Vec<TlsVersion>,
    /// Suites, best first; never empty, and each version has at least one. A row may speak of a
    /// suite in some versions only: see [`Plan::suites_of`].
    pub suites: Vec<CipherSuite>,
    /// Groups, best first; never empty.
    pub groups: Vec<Group>,
    /// Signature schemes, best first; empty only if no suite of the plan signs anything.
    pub signatures: Vec<SignatureScheme>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// Application protocols that may be spoken; `None` when the policy does not say.
    pub alpn: Option<Vec<Vec<u8>>>,
    /// Whether and for how long sessions are resumed.
    pub resumption: Resumption,
    /// What is out.
    pub dropped: Vec<Dropped>,
    pub(super) scopes: Vec<(CipherSuite, TlsVersion, TlsVersion)>,
    pub(super) missing: Vec<Missing>,
}

/// What a policy requires and the backend lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) source: String,
    pub(super) setting: Setting,
}

impl Plan {
    /// The suites that may be used in a version, best first.
    pub fn suites_of(&self, version: TlsVersion) -> Vec<CipherSuite> {
        let may = |suite: &CipherSuite| {
            let scope = self.scopes.iter().find(|scope| scope.0 == *suite);
            let inside = scope.is_none_or(|(_, first, last)| (*first..=*last).contains(&version));
            inside && registry::suite(suite.id).is_some_and(|row| row.is_of(version))
        };
        self.suites.iter().copied().filter(may).collect()
    }
}

impl Plan {
    /// The application protocols of a configuration that the policy permits; for backends.
    ///
    /// # Errors
    /// None is left of those that are configured.
    pub fn permitted_alpn(&self, configured: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, TlsError> {
        let Some(permitted) = &self.alpn else { return Ok(configured.to_vec()) };
        let left: Vec<_> = configured.iter().filter(|p| permitted.contains(p)).cloned().collect();
        if left.is_empty() && !configured.is_empty() {
            let names = |list: &[Vec<u8>]| {
                let names: Vec<_> =
                    list.iter().map(|name| name.escape_ascii().to_string()).collect();
                names.join(", ")
            };
            let message = format!(
                "the policy permits the application protocols {}, and {} are configured",
                names(permitted),
                names(configured)
            );
            let hint = "configure one that the policy permits";
            let error = TlsError::new(TlsErrorKind::PolicyNotMet, message, hint);
            return Err(error.about(Setting::ApplicationProtocols));
        }
        Ok(left)
    }
}

/// What of the configuration leaves nothing of a kind: a version may be out because its suites are, and
/// a suite because its versions are.
fn cause(setting: Setting, dropped: &[Dropped]) -> Setting {
    let any = |why: WhyDropped| dropped.iter().any(|one| one.why == why);
    match setting {
        Setting::Versions if any(WhyDropped::NoSuite) => Setting::Suites,
        Setting::Suites if any(WhyDropped::VersionOut) && !any(WhyDropped::Restricted) => {
            Setting::Versions
        }
        _ => setting,
    }
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

/// A version, a suite, a group or a signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PlanItem {
    /// A protocol version.
    Version(TlsVersion),
    /// A cipher suite.
    Suite(CipherSuite),
    /// A key exchange group.
    Group(Group),
    /// A signature scheme.
    Signature(SignatureScheme),
}

/// Why something is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WhyDropped {
    /// The policy itself leaves it out.
    LeftOut,
    /// The backend does not have it.
    BackendLacks,
    /// The policy requires it and the backend does not have it: the policy cannot be used here.
    Missing,
    /// The operator took it out.
    Restricted,
    /// The operator asked for suites that are otherwise.
    Lacks(Lack),
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
            Self::Signature(scheme) => f.write_str(scheme.name),
        }
    }
}

impl fmt::Display for WhyDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lacks(lack) => return write!(f, "taken out by the operator: {lack}"),
            Self::LeftOut => "left out by the policy",
            Self::BackendLacks => "the backend does not have it",
            Self::Missing => "required, and the backend does not have it",
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
    /// [`TlsErrorKind::PolicyNotMet`]: the backend lacks required rows (all of them are named), or
    /// no version, suite, group or signature scheme is left, or a restriction asks less of clients
    /// than the policy.
    pub fn resolve(&self, backend: &Capabilities) -> Result<Plan, TlsError> {
        let plan = Sieve::new(self, backend).sift();
        if !plan.missing.is_empty() {
            return Err(self.lacking(&plan.missing, backend));
        }
        let signed = |suite: &CipherSuite| {
            registry::suite(suite.id).is_none_or(|row| row.is_signed() && !row.needs_psk())
        };
        let unsigned = plan.signatures.is_empty() && plan.suites.iter().any(signed);
        for (none, what, setting) in [
            (plan.versions.is_empty(), "protocol version", Setting::Versions),
            (plan.suites.is_empty(), "cipher suite", Setting::Suites),
            (plan.groups.is_empty(), "key exchange group", Setting::Groups),
            (unsigned, "signature scheme", Setting::Signatures),
        ] {
            if none {
                let error = self.nothing_left(what, &plan.dropped);
                return Err(error.about(cause(setting, &plan.dropped)));
            }
        }
        self.check_client_auth()?;
        Ok(plan)
    }

    fn check_client_auth(&self) -> Result<(), TlsError> {
        for asked in self.restrictions.iter().filter_map(|r| r.client_auth) {
            if asked < self.client_auth {
                let message = format!(
                    "the policy {} has client certificates \"{}\", and the configuration asks for \
                     less: \"{asked}\"",
                    self.name, self.client_auth
                );
                let hint = "remove the setting, or choose a policy that asks for less";
                let error = TlsError::new(TlsErrorKind::PolicyNotMet, message, hint);
                return Err(error.about(Setting::ClientCertificates));
            }
        }
        Ok(())
    }

    fn lacking(&self, missing: &[Missing], backend: &Capabilities) -> TlsError {
        let rows: Vec<String> =
            missing.iter().map(|one| format!("{} ({})", one.what, one.source)).collect();
        let message = format!(
            "the policy {} requires what the backend {} does not have: {}",
            self.name,
            backend.backend,
            rows.join("; ")
        );
        let hint = match &self.modern_subset {
            Some(subset) => format!(
                "it takes a backend that has them, such as bindery-tls-legacy on OpenSSL; the \
                 policy {subset} is the part of the same sources that every backend serves"
            ),
            None => "choose another policy, or a backend that has them".to_owned(),
        };
        let error = TlsError::new(TlsErrorKind::PolicyNotMet, message, hint);
        match missing.first() {
            Some(first) => error.about(first.setting),
            None => error,
        }
    }

    /// What to tell of rows that the policy requires and a restriction takes out.
    pub(crate) fn required_and_taken_out(&self, plan: &Plan) -> Option<String> {
        let by_operator =
            |one: &&Dropped| matches!(one.why, WhyDropped::Restricted | WhyDropped::Lacks(_));
        let dropped = plan.dropped.iter().filter(by_operator);
        let required = dropped.filter(|one| self.requires(one.what));
        let rows: Vec<String> =
            required.map(|one| format!("{} ({})", one.what, one.source)).collect();
        (!rows.is_empty()).then(|| {
            format!(
                "the policy {} requires what the configuration takes out: {}; peers that rely on it get \
                 no connection",
                self.name,
                rows.join("; ")
            )
        })
    }

    fn requires(&self, what: PlanItem) -> bool {
        fn has<T: PartialEq>(rows: &[Row<T>], what: &T) -> bool {
            rows.iter().any(|row| row.what == *what && row.need == Need::Required)
        }
        match what {
            PlanItem::Version(one) => has(&self.versions, &one),
            PlanItem::Suite(one) => has(&self.suites, &one),
            PlanItem::Group(one) => has(&self.groups, &one),
            PlanItem::Signature(one) => has(&self.signatures, &one),
        }
    }

    fn nothing_left(&self, what: &str, dropped: &[Dropped]) -> TlsError {
        let mut message = format!("the policy {} comes to no {what}", self.name);
        // What the policy leaves out is told where the operator asked for it.
        let asked = |what: PlanItem| self.restrictions.iter().any(|one| one.names(what));
        let relevant = dropped.iter().filter(|d| d.why != WhyDropped::LeftOut || asked(d.what));
        for (index, dropped) in relevant.enumerate() {
            message.push_str(if index == 0 { ": " } else { "; " });
            message.push_str(&dropped.to_string());
        }
        let hint = "take names out of the restriction, or choose another policy or backend";
        TlsError::new(TlsErrorKind::PolicyNotMet, message, hint)
    }
}
