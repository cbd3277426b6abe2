//! Default Query 1.0 over STIX 1.x in XML: what a query asks, made ready once and asked of each block.
//!
//! A query is a tree of criteria over tests of targets. All targets of a query are looked for in one pass over a block,
//! each as a set of places in its path: the time for a block grows with its length and the query's, and with nothing else.
//! Where the specification leaves a choice:
//!
//! - A test holds where it holds for at least one node of the target's region, `not_equals` too; for an empty region only
//!   `does_not_exist` does.
//! - Names are compared without their namespaces, as the STIX vocabulary writes them. An element's value is the text
//!   directly inside it, without white space around it.
//! - `**` stands for at least one node: `**/@id` finds the root's attribute too.
//! - A regular expression is looked for anywhere in the value; it has no look-around and no back references.
//! - Work is counted in steps: an octet of a value for a test, times the states of its program where that is a regular
//!   expression. A block that takes more than [`BLOCK`] of them meets no query, and a poll looks through so much only
//!   that it takes [`Queries::work`].
//! - Content of another binding than those of the vocabularies, and what is no well-formed XML, meets no query.

mod target;
mod test;

use std::{collections::BTreeSet, sync::Arc};

use bindery_taxii_xml::{
    Criteria, DefaultQuery, DefaultQueryInfo, Operator, Part as Piece, Query, StatusType,
    TargetingExpressionInfo,
};
use bindery_xml::{Event, Inside, Options, Reader};

use self::{target::Target, test::Test};
use super::{
    Block, PageLimits, Part, QueryText, StoredBlock, Threads, fault::Fault, threads::outcome,
};

/// The format's id.
const FORMAT: &str = "urn:taxii.mitre.org:query:default:1.0";

/// The most criteria and criterions of a query.
const MOST: usize = 64;

/// The most steps that the tests take in one block: for the dearest regular expression 1 MiB of text, for a plain one
/// 16 MiB, for other tests any block.
const BLOCK: u64 = 1 << 31;

/// Work of so many steps is done where it stands: it takes less than a millisecond.
const SMALL: u64 = 1 << 18;

/// Which queries are taken: Default Query 1.0 with its modules, over these vocabularies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queries {
    /// The vocabularies' ids, which are content bindings of STIX: blocks of these are looked into.
    pub vocabularies: BTreeSet<String>,
    /// The module of the core relationships.
    pub core: bool,
    /// The module of regular expressions.
    pub regex: bool,
    /// The module of timestamps.
    pub timestamp: bool,
    /// How much of a collection one poll looks through. An answer from a feed ends where this is used up, and the next
    /// poll goes on from there. Default 50,000 blocks and 256 MiB.
    pub examined: PageLimits,
    /// How many steps of work one poll may take, beyond those of the page that it was at; it ends there in the same way.
    /// A step is about a nanosecond at the worst. Default 2^33.
    pub work: u64,
}

impl Queries {
    /// All modules, over STIX 1.0 to 1.2.
    pub fn stix() -> Self {
        let versions = ["1.0", "1.0.1", "1.1", "1.1.1", "1.2"];
        Self {
            vocabularies: versions.map(|one| format!("urn:stix.mitre.org:xml:{one}")).into(),
            core: true,
            regex: true,
            timestamp: true,
            examined: PageLimits::new(50_000, 256 << 20),
            work: 1 << 33,
        }
    }

    /// The modules' ids.
    fn modules(&self) -> Vec<&'static str> {
        let modules =
            [(self.core, test::CORE), (self.regex, test::REGEX), (self.timestamp, test::TIMESTAMP)];
        modules.into_iter().filter_map(|(taken, id)| taken.then_some(id)).collect()
    }

    /// What discovery says, a query for each vocabulary.
    pub(super) fn told(&self) -> Vec<Query> {
        let told = self.vocabularies.iter().filter_map(|id| {
            let targeting = TargetingExpressionInfo {
                targeting_expression_id: Some(id.clone()),
                preferred_scopes: Vec::new(),
                allowed_scopes: vec!["**".to_owned()],
            };
            let capability_modules = self.modules().into_iter().map(str::to_owned).collect();
            DefaultQueryInfo { targeting, capability_modules }.to_query().ok()
        });
        told.collect()
    }

    /// Makes a query ready.
    ///
    /// # Errors
    /// What it asks for is not taken, or it is none.
    pub(super) fn compile(&self, query: &QueryText) -> Result<Compiled, Fault> {
        if query.format_id != FORMAT {
            let reason = format!("queries of the format {:?} are not taken", query.format_id);
            let fault = Fault::new(StatusType::UnsupportedQuery, reason);
            return Err(fault.with("SUPPORTED_QUERY", FORMAT));
        }
        let wrong = |reason: String| Fault::new(StatusType::BadMessage, reason);
        let too_many = || wrong(format!("a query has at most {MOST} criteria and criterions"));
        let asked = DefaultQuery::read(&query.content.inside())
            .map_err(|error| wrong(error.to_string()))?;
        if !self.vocabularies.contains(&asked.targeting_expression_id) {
            let reason = format!("the vocabulary {:?} is not known", asked.targeting_expression_id);
            let fault = Fault::new(StatusType::UnsupportedTargetingExpressionId, reason);
            let known = self.vocabularies.iter();
            return Err(known.fold(fault, |fault, id| fault.with("TARGETING_EXPRESSION_ID", id)));
        }
        let mut compiled = Compiled {
            bindings: self.vocabularies.clone(),
            groups: Vec::new(),
            criterions: Vec::new(),
        };
        // Those that are still to be looked at, with the group that they are in.
        let mut open: Vec<(&Criteria, Option<usize>)> = vec![(&asked.criteria, None)];
        while let Some((criteria, parent)) = open.pop() {
            let group = compiled.groups.len();
            compiled.groups.push(Group { operator: criteria.operator, parent });
            for piece in &criteria.parts {
                // Before anything is compiled: one group may have any number.
                if open.len() + compiled.groups.len() + compiled.criterions.len() >= MOST {
                    return Err(too_many());
                }
                match piece {
                    Piece::Criteria(inner) => open.push((inner, Some(group))),
                    Piece::Criterion(one) => compiled.criterions.push(Criterion {
                        group,
                        negate: one.negate.unwrap_or(false),
                        target: Target::of(&one.target)?,
                        test: Test::of(&one.test, self)?,
                    }),
                    _ => return Err(wrong("a part of criteria is not known".to_owned())),
                }
            }
        }
        Ok(compiled)
    }

    /// The failure of a module that is not taken.
    fn no_module(&self, id: &str) -> Fault {
        let reason = format!("the capability module {id:?} is not taken");
        let fault = Fault::new(StatusType::UnsupportedCapabilityModule, reason);
        self.modules().into_iter().fold(fault, |fault, id| fault.with("CAPABILITY_MODULE", id))
    }
}

/// A query that is ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    bindings: BTreeSet<String>,
    /// Each group stands behind the one that it is in.
    groups: Vec<Group>,
    criterions: Vec<Criterion>,
}

#[derive(Clone, Debug)]
struct Group {
    operator: Operator,
    parent: Option<usize>,
}

#[derive(Clone, Debug)]
struct Criterion {
    group: usize,
    negate: bool,
    target: Target,
    test: Test,
}

/// What an open element is to the criterions.
struct Open {
    /// The places that each criterion's path is at.
    places: Vec<u64>,
    /// The criterions whose target it is.
    targeted: Vec<usize>,
    text: String,
}

/// What became of looking at a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) met: bool,
    /// The steps that it may have taken.
    pub(super) work: u64,
}

/// What was found of the criterions so far.
struct Found {
    each: Vec<bool>,
    work: u64,
}

impl Compiled {
    /// Looks at blocks, on a thread for such work where it is much. Nothing where that was never done.
    pub(super) async fn look_at(
        self: &Arc<Self>,
        blocks: Vec<StoredBlock>,
        threads: &dyn Threads,
    ) -> Option<Vec<(StoredBlock, Looked)>> {
        let look = |query: &Self, blocks: Vec<StoredBlock>| -> Vec<_> {
            let look = |stored: StoredBlock| {
                let looked = query.look(&stored.block);
                (stored, looked)
            };
            blocks.into_iter().map(look).collect()
        };
        let octets = blocks.iter().map(|stored| stored.block.octets() as u64).sum::<u64>();
        let steps = self.criterions.iter().map(|one| 1 + one.test.steps()).sum::<u64>();
        if octets.saturating_mul(steps) <= SMALL {
            return Some(look(self, blocks));
        }
        let query = Arc::clone(self);
        outcome(threads, move || look(&query, blocks)).await
    }

    /// Whether a block meets the query, and the work of it.
    fn look(&self, block: &Block) -> Looked {
        if !self.bindings.contains(&block.binding) {
            return Looked { met: false, work: 0 };
        }
        let (met, work) = self.holds(&block.content.inside());
        // Each element is compared with the place of each criterion.
        let passed = (block.octets() as u64).saturating_mul(1 + self.criterions.len() as u64);
        Looked { met, work: work.saturating_add(passed) }
    }

    /// Whether a block meets the query.
    #[cfg(test)]
    fn matches(&self, block: &Block) -> bool {
        self.look(block).met
    }

    /// Whether content meets it, and what the tests took.
    fn holds(&self, content: &Inside<'_>) -> (bool, u64) {
        let mut found = Found { each: vec![false; self.criterions.len()], work: 0 };
        let mut reader = content.reader(&Options::STRICT);
        let whole = self.read(&mut reader, &mut found).is_some();
        (whole && self.joined(found.each), found.work)
    }

    /// What the criterions come to.
    fn joined(&self, found: Vec<bool>) -> bool {
        let mut values: Vec<bool> =
            self.groups.iter().map(|group| group.operator != Operator::Or).collect();
        for (one, found) in self.criterions.iter().zip(found) {
            self.join(&mut values, one.group, one.test.outcome(found) != one.negate);
        }
        // What is inside a group stands behind it.
        for (index, group) in self.groups.iter().enumerate().rev() {
            let value = values.get(index).copied().unwrap_or_default();
            match group.parent {
                Some(parent) => self.join(&mut values, parent, value),
                None => return value,
            }
        }
        false
    }

    /// Puts what a part of a group came to into the group's value.
    fn join(&self, values: &mut [bool], group: usize, part: bool) {
        if let (Some(value), Some(group)) = (values.get_mut(group), self.groups.get(group)) {
            *value = match group.operator {
                Operator::Or => *value || part,
                _ => *value && part,
            };
        }
    }

    /// Goes through the content once; nothing where it is no well-formed XML, or takes too much work.
    fn read(&self, reader: &mut Reader<'_>, found: &mut Found) -> Option<()> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            match reader.next_event().ok()? {
                None => return Some(()),
                Some(Event::Start(start)) => {
                    let name = start.name().local();
                    let above = open.last().map(|open| open.places.as_slice());
                    let places: Vec<u64> = (0..)
                        .zip(&self.criterions)
                        .map(|(at, one)| {
                            let before = above.map_or(1, |all| all.get(at).copied().unwrap_or(0));
                            one.target.step(before, name)
                        })
                        .collect();
                    for attribute in start.attributes() {
                        let name = attribute.name.local();
                        self.attribute(name, attribute.value, &places, found)?;
                    }
                    let targeted = self.targeted(&places, &found.each);
                    open.push(Open { places, targeted, text: String::new() });
                }
                Some(Event::Text(text) | Event::Cdata(text)) => {
                    if let Some(open) = open.last_mut().filter(|open| !open.targeted.is_empty()) {
                        open.text.push_str(text);
                    }
                }
                Some(Event::End(_)) => {
                    let closed = open.pop()?;
                    let value = closed.text.trim_matches([' ', '\t', '\r', '\n']);
                    for at in closed.targeted {
                        self.put(at, value, found)?;
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// The criterions whose target an element is, and that are not met yet.
    fn targeted(&self, places: &[u64], found: &[bool]) -> Vec<usize> {
        let all = self.criterions.iter().zip(places).zip(found).enumerate();
        all.filter(|(_, ((one, places), found))| !**found && one.target.is_end(**places))
            .map(|(at, _)| at)
            .collect()
    }

    fn attribute(&self, name: &str, value: &str, places: &[u64], found: &mut Found) -> Option<()> {
        for (at, (one, places)) in self.criterions.iter().zip(places).enumerate() {
            if one.target.is_attribute(*places, name) {
                self.put(at, value, found)?;
            }
        }
        Some(())
    }

    /// Tests a value; nothing where the block has taken too much work.
    fn put(&self, at: usize, value: &str, found: &mut Found) -> Option<()> {
        if let (Some(one), Some(met)) = (self.criterions.get(at), found.each.get_mut(at))
            && !*met
        {
            let work = one.test.steps().saturating_mul(value.len() as u64);
            found.work = found.work.saturating_add(work);
            if found.work > BLOCK {
                return None;
            }
            *met = one.test.holds(value);
        }
        Some(())
    }
}

/// Asks a query of a piece of XML: what fuzzing and benchmarks call. Nothing where it is no query that is taken.
#[doc(hidden)]
pub fn ask(queries: &Queries, query: &QueryText, content: &Part) -> Option<bool> {
    let compiled = queries.compile(query).ok()?;
    Some(compiled.holds(&content.inside()).0)
}

#[cfg(test)]
mod tests;
