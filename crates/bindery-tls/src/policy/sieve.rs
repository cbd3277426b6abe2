//! One pass over a policy's rows: what stays on a backend, and why the rest does not.

use bindery_core::{CipherSuite, TlsVersion};

use super::{Dropped, Need, Plan, PlanItem, Policy, Restriction, Row, WhyDropped, plan::Missing};
use crate::{Capabilities, Setting, registry};

pub(super) struct Sieve<'a> {
    policy: &'a Policy,
    backend: &'a Capabilities,
    dropped: Vec<Dropped>,
    missing: Vec<Missing>,
}

impl<'a> Sieve<'a> {
    pub(super) const fn new(policy: &'a Policy, backend: &'a Capabilities) -> Self {
        Self { policy, backend, dropped: Vec::new(), missing: Vec::new() }
    }

    /// What stays. It may come to nothing, or lack what is required.
    pub(super) fn sift(mut self) -> Plan {
        let Self { policy, backend, .. } = self;
        let out = |_: &Row<_>| None;
        let has = &backend.versions;
        let mut versions =
            self.keep(&policy.versions, has, |r| r.versions.as_ref(), PlanItem::Version, out);
        let suites = self.suites(&versions);
        self.drop_bare(&mut versions, &suites);
        let has = &backend.groups;
        let groups =
            self.keep(&policy.groups, has, |r| r.groups.as_ref(), PlanItem::Group, |_| None);
        let has = &backend.signatures;
        let signatures = self.keep(
            &policy.signatures,
            has,
            |r| r.signatures.as_ref(),
            PlanItem::Signature,
            |_| None,
        );
        let demands = policy.restrictions.iter().filter_map(|r| r.client_auth);
        let mut resumption = policy.resumption;
        resumption.tickets &= !policy.restrictions.iter().any(|r| r.no_resumption);
        let scoped = policy.suites.iter().filter(|row| suites.contains(&row.what));
        let scopes = scoped.filter_map(|row| row.within.map(|(a, b)| (row.what, a, b))).collect();
        Plan {
            versions,
            suites,
            groups,
            signatures,
            client_auth: demands.fold(policy.client_auth, Ord::max),
            alpn: policy.alpn.clone(),
            resumption,
            dropped: self.dropped,
            scopes,
            missing: self.missing,
        }
    }

    fn suites(&mut self, versions: &[TlsVersion]) -> Vec<CipherSuite> {
        let Self { policy, backend, .. } = *self;
        let characteristics: Vec<_> =
            policy.restrictions.iter().filter_map(|r| r.characteristics.as_ref()).collect();
        let out = |row: &Row<CipherSuite>| {
            let known = registry::suite(row.what.id)?;
            if let Some(lack) = characteristics.iter().find_map(|one| one.lack(known)) {
                return Some(WhyDropped::Lacks(lack));
            }
            let spoken = versions.iter().any(|&version| is_of(row, version));
            (!spoken).then_some(WhyDropped::VersionOut)
        };
        self.keep(&policy.suites, &backend.suites, |r| r.suites.as_ref(), PlanItem::Suite, out)
    }

    /// Takes out versions that have no suite left.
    fn drop_bare(&mut self, versions: &mut Vec<TlsVersion>, suites: &[CipherSuite]) {
        let policy = self.policy;
        versions.retain(|&version| {
            let mut rows = policy.suites.iter().filter(|row| suites.contains(&row.what));
            if rows.any(|row| is_of(row, version)) {
                return true;
            }
            let row = policy.versions.iter().find(|row| row.what == version);
            let source = row.map(|row| row.source.to_string()).unwrap_or_default();
            let required = row.is_some_and(|row| row.need == Need::Required);
            // The operator may take a version's suites out, and the version with them.
            let narrowed = policy.suites.iter().filter(|row| is_of(row, version)).any(|row| {
                let by_operator =
                    |why| matches!(why, WhyDropped::Restricted | WhyDropped::Lacks(_));
                let item = PlanItem::Suite(row.what);
                self.dropped.iter().any(|one| one.what == item && by_operator(one.why))
            });
            if required && !narrowed {
                let what = format!("a suite of {version}");
                let setting = Setting::Suites;
                self.missing.push(Missing { what, source: source.clone(), setting });
            }
            self.out(PlanItem::Version(version), WhyDropped::NoSuite, source);
            false
        });
    }

    /// Goes through the rows of one kind: `has` is what the backend has, `list` what a restriction
    /// leaves, and `out` says of a row why it is out for another reason.
    fn keep<T: Copy + PartialEq>(
        &mut self,
        rows: &[Row<T>],
        has: &[T],
        list: impl Fn(&Restriction) -> Option<&Vec<T>>,
        item: impl Fn(T) -> PlanItem,
        out: impl Fn(&Row<T>) -> Option<WhyDropped>,
    ) -> Vec<T> {
        let lists: Vec<&Vec<T>> = self.policy.restrictions.iter().filter_map(list).collect();
        let mut kept: Vec<T> = Vec::new();
        // What one row leaves out no other row brings back.
        let left_out = |what| rows.iter().any(|row| row.what == what && row.need == Need::LeftOut);
        for row in rows {
            if kept.contains(&row.what) {
                continue;
            }
            let why = if left_out(row.what) {
                WhyDropped::LeftOut
            } else if lists.iter().any(|list| !list.contains(&row.what)) {
                WhyDropped::Restricted
            } else if let Some(why) = out(row) {
                why
            } else if has.contains(&row.what) {
                kept.push(row.what);
                continue;
            } else if row.need == Need::Required {
                let (what, source) = (item(row.what), row.source.to_string());
                let setting = what.setting();
                self.missing.push(Missing { what: what.to_string(), source, setting });
                WhyDropped::Missing
            } else {
                WhyDropped::BackendLacks
            };
            self.out(item(row.what), why, row.source.to_string());
        }
        for &asked in lists.into_iter().flatten() {
            let permitted = rows.iter().any(|row| row.what == asked) && !left_out(asked);
            if !permitted && !self.dropped.iter().any(|d| d.what == item(asked)) {
                self.out(item(asked), WhyDropped::NotInPolicy, String::new());
            }
        }
        kept
    }

    fn out(&mut self, what: PlanItem, why: WhyDropped, source: String) {
        self.dropped.push(Dropped { what, why, source });
    }
}

/// Whether a row speaks of a suite in this version.
fn is_of(row: &Row<CipherSuite>, version: TlsVersion) -> bool {
    let inside = row.within.is_none_or(|(first, last)| (first..=last).contains(&version));
    inside && registry::suite(row.what.id).is_some_and(|known| known.is_of(version))
}

impl PlanItem {
    /// Which setting names such things.
    const fn setting(self) -> Setting {
        match self {
            Self::Version(_) => Setting::Versions,
            Self::Suite(_) => Setting::Suites,
            Self::Group(_) => Setting::Groups,
            Self::Signature(_) => Setting::Signatures,
        }
    }
}
