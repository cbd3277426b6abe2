//! Why something is in or out.

use bindery_core::CipherSuite;

use super::{Need, PlanItem, Policy, sieve::Sieve};
use crate::{Capabilities, Plan, registry};

/// What became of a version, a suite, a group or a signature scheme, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The thing.
    pub what: PlanItem,
    /// Whether it is used.
    pub used: bool,
    /// What the policy's row says; `None` when no row names it.
    pub need: Option<Need>,
    /// Why it is out, or `used`.
    pub why: String,
    /// Where the policy's row has it from; empty when no row names it.
    pub source: String,
}

impl Policy {
    /// What becomes of every row of this policy on a backend, in the order of the rows; then what a
    /// restriction names besides. It does not fail: a required row that the backend lacks is told
    /// as such.
    pub fn explain(&self, backend: &Capabilities) -> Vec<Explanation> {
        let plan = Sieve::new(self, backend).sift();
        let versions = self.versions.iter().map(|r| (PlanItem::Version(r.what), r.need, &r.source));
        let suites = self.suites.iter().map(|r| (PlanItem::Suite(r.what), r.need, &r.source));
        let groups = self.groups.iter().map(|r| (PlanItem::Group(r.what), r.need, &r.source));
        let schemes =
            self.signatures.iter().map(|r| (PlanItem::Signature(r.what), r.need, &r.source));
        let rows = versions.chain(suites).chain(groups).chain(schemes);
        let mut told: Vec<Explanation> = rows
            .map(|(what, need, source)| Explanation {
                what,
                used: plan.uses(what),
                need: Some(need),
                why: plan.why(what),
                source: source.to_string(),
            })
            .collect();
        for dropped in &plan.dropped {
            if !told.iter().any(|one| one.what == dropped.what) {
                told.push(Explanation {
                    what: dropped.what,
                    used: false,
                    need: None,
                    why: dropped.why.to_string(),
                    source: dropped.source.clone(),
                });
            }
        }
        told
    }

    /// What becomes of a cipher suite on a backend, whether a row names it or not.
    pub fn explain_suite(&self, suite: CipherSuite, backend: &Capabilities) -> Explanation {
        let what = PlanItem::Suite(suite);
        let named = self.explain(backend).into_iter().find(|one| one.what == what);
        named.unwrap_or_else(|| {
            let weak = registry::suite(suite.id).and_then(|row| {
                let modern = super::Characteristics {
                    min_bits: 128,
                    forward_secrecy: true,
                    aead: true,
                    ..super::Characteristics::oma_dm()
                };
                modern.lack(row)
            });
            let why = match weak {
                Some(lack) => format!("no row of the policy permits it; it has {lack}"),
                None => "no row of the policy permits it".to_owned(),
            };
            Explanation { what, used: false, need: None, why, source: String::new() }
        })
    }
}

impl Plan {
    /// Whether something is used.
    pub fn uses(&self, what: PlanItem) -> bool {
        match what {
            PlanItem::Version(version) => self.versions.contains(&version),
            PlanItem::Suite(suite) => self.suites.contains(&suite),
            PlanItem::Group(group) => self.groups.contains(&group),
            PlanItem::Signature(scheme) => self.signatures.contains(&scheme),
        }
    }

    fn why(&self, what: PlanItem) -> String {
        if self.uses(what) {
            return "used".to_owned();
        }
        let dropped = self.dropped.iter().find(|dropped| dropped.what == what);
        dropped.map_or_else(|| "not used".to_owned(), |dropped| dropped.why.to_string())
    }
}
