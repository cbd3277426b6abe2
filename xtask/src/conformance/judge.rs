//! The verdict on each row.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rows::{Area, Entry, Row, State};
use super::run::{Outcome, Outcomes};
use super::tests::Named;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// Every test that names it ran and passed, and there is at least one.
    Proved,
    /// Not proved yet.
    Open,
    /// Not offered, for a reason.
    NotClaimed,
}

impl Status {
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Open => "open",
            Self::NotClaimed => "not-claimed",
        }
    }
}

/// One row of the report; the JSON form has these fields and no other.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) id: String,
    pub(super) status: Status,
    /// Package, target and path of each test that names the row.
    pub(super) tests: Vec<String>,
    /// Why the status is what it is.
    pub(super) reason: String,
}

impl Verdict {
    /// The reason where it says more than the tests do, and a line for each test.
    pub(super) fn detail(&self) -> Vec<String> {
        let reason =
            (self.status != Status::Proved || self.tests.is_empty()).then(|| self.reason.clone());
        reason.into_iter().chain(self.tests.iter().cloned()).collect()
    }
}

/// The tests of each row and what became of them.
type Evidence = BTreeMap<String, Vec<(String, Outcome)>>;

/// Judges every row of the areas. Gives the verdicts, and what is wrong with them.
pub(super) fn judge(
    areas: &[&Area],
    named: &[&Named],
    outcomes: &Outcomes,
) -> (Vec<Verdict>, Vec<String>) {
    let mut evidence = Evidence::new();
    for test in named {
        let shown = test.shown();
        let outcome = outcomes.get(&shown).copied().unwrap_or(Outcome::Absent);
        for id in &test.test.proves {
            evidence.entry(id.clone()).or_default().push((shown.clone(), outcome));
        }
    }
    let mut verdicts = Vec::new();
    let mut problems = Vec::new();
    for area in areas {
        for row in &area.rows {
            let (verdict, problem) = one(area, row, &evidence);
            problems.extend(problem.map(|problem| format!("{}: {problem}", row.id)));
            verdicts.push(verdict);
        }
    }
    (verdicts, problems)
}

fn one(area: &Area, row: &Row, evidence: &Evidence) -> (Verdict, Option<String>) {
    let tests = evidence.get(&row.id).map_or(&[][..], Vec::as_slice);
    let entry = area.entry(&row.id);
    let (status, reason, problem) =
        if tests.is_empty() { untested(area, entry) } else { tested(row, entry, evidence) };
    let open_in_complete =
        area.status.state == State::Complete && status == Status::Open && problem.is_none();
    let problem = problem.or_else(|| {
        open_in_complete
            .then(|| format!("open in an area that is declared complete ({}): {reason}", area.name))
    });
    let tests = tests.iter().map(|(test, _)| test.clone()).collect();
    (Verdict { id: row.id.clone(), status, tests, reason }, problem)
}

/// A row that no test names: what the status file says of it.
fn untested(area: &Area, entry: Entry) -> (Status, String, Option<String>) {
    match entry {
        Entry::Open(why) | Entry::Rest(why) => (Status::Open, why, None),
        Entry::NotClaimed(why) => (Status::NotClaimed, why, None),
        Entry::Absent => {
            let remedy = format!(
                "name it above a test, or enter it in tests/requirements/status/{}.toml",
                area.name
            );
            (
                Status::Open,
                "no test names it".to_owned(),
                Some(format!("no test names it: {remedy}")),
            )
        }
    }
}

/// A row that tests name: they decide.
fn tested(row: &Row, entry: Entry, evidence: &Evidence) -> (Status, String, Option<String>) {
    let all = evidence.get(&row.id).map_or(&[][..], Vec::as_slice);
    let here = all.iter().filter(|(_, outcome)| *outcome != Outcome::Elsewhere);
    let tests: Vec<_> = here.collect();
    if tests.is_empty() {
        let reason =
            "its tests are in a build that was not made (OpenSSL: libssl-dev, or --vendored)"
                .to_owned();
        return (Status::Open, reason, None);
    }
    let fault = |outcome| match outcome {
        Outcome::Passed | Outcome::Elsewhere => None,
        Outcome::Failed => Some("failed"),
        Outcome::Ignored => Some("is ignored"),
        Outcome::Absent => Some("did not run: no binary that was built has it"),
    };
    if let Some(reason) =
        tests.iter().find_map(|(test, outcome)| Some(format!("{test} {}", fault(*outcome)?)))
    {
        return (Status::Open, reason.clone(), Some(reason));
    }
    if matches!(entry, Entry::Open(_) | Entry::NotClaimed(_)) {
        let problem =
            "tests prove it, and the status file has an entry for it: remove one or the other";
        return (Status::Proved, passed(tests.len()), Some(problem.to_owned()));
    }
    let proved = |id: &&String| {
        evidence
            .get(*id)
            .is_some_and(|tests| tests.iter().all(|(_, outcome)| *outcome == Outcome::Passed))
    };
    match row.needs.iter().find(|need| !proved(need)) {
        Some(need) => {
            let reason = format!("it needs {need}, which is not proved");
            (Status::Open, reason.clone(), Some(reason))
        }
        None => (Status::Proved, passed(tests.len()), None),
    }
}

fn passed(tests: usize) -> String {
    match tests {
        1 => "1 test ran and passed".to_owned(),
        n => format!("{n} tests ran and passed"),
    }
}

#[cfg(test)]
mod unit {
    use super::super::rows::{Area, Row};
    use super::{Evidence, Outcome, Status, one};

    fn area(status: &str) -> Area {
        let row = |id: &str, needs: &[&str]| Row {
            id: id.to_owned(),
            role: "both".to_owned(),
            level: "must".to_owned(),
            text: "t".to_owned(),
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
        };
        Area {
            name: "x".to_owned(),
            title: "X".to_owned(),
            rows: vec![row("A", &[]), row("B", &["A"])],
            status: toml::from_str(status).unwrap(),
        }
    }

    /// The verdict on row `index`, and whether something is wrong with it.
    fn check(status: &str, evidence: &[(&str, Outcome)], index: usize) -> (Status, bool, String) {
        let area = area(status);
        let mut all = Evidence::new();
        for (id, outcome) in evidence {
            all.entry((*id).to_owned()).or_default().push(("p t x::y".to_owned(), *outcome));
        }
        let (verdict, problem) = one(&area, &area.rows[index], &all);
        (verdict.status, problem.is_some(), verdict.reason)
    }

    const ENTRY: &str = "state='accounted'\n[[open]]\nids=['A']\nwaits_for='issue 8'";

    #[test]
    fn tests_that_passed_prove() {
        let both = [("A", Outcome::Passed), ("A", Outcome::Passed)];
        let (status, wrong, reason) = check("state='accounted'", &both, 0);
        assert_eq!(
            (status, wrong, reason.as_str()),
            (Status::Proved, false, "2 tests ran and passed")
        );
    }

    #[test]
    fn one_test_that_did_not_pass_leaves_the_row_open() {
        for outcome in [Outcome::Failed, Outcome::Ignored, Outcome::Absent] {
            let (status, wrong, reason) =
                check("state='accounted'", &[("A", Outcome::Passed), ("A", outcome)], 0);
            assert_eq!((status, wrong), (Status::Open, true), "{outcome:?}");
            assert!(reason.starts_with("p t x::y "), "{reason}");
        }
    }

    #[test]
    fn entries_speak_only_where_tests_do_not() {
        let (status, wrong, reason) = check(ENTRY, &[], 0);
        assert_eq!((status, wrong, reason.as_str()), (Status::Open, false, "waits for issue 8"));
        assert!(check(ENTRY, &[("A", Outcome::Passed)], 0).1);
        let not = "state='complete'\n[[not_claimed]]\nids=['A']\nreason='old'";
        assert_eq!(check(not, &[], 0), (Status::NotClaimed, false, "old".to_owned()));
    }

    #[test]
    fn a_row_without_test_or_entry() {
        assert!(check("state='accounted'", &[], 0).1);
        let growing = "state='growing'\nrest={waits_for='issue 3'}";
        assert_eq!(check(growing, &[], 0), (Status::Open, false, "waits for issue 3".to_owned()));
        assert_eq!(check(growing, &[("A", Outcome::Passed)], 0).0, Status::Proved);
    }

    #[test]
    fn nothing_is_open_in_a_complete_area() {
        assert!(check(&ENTRY.replace("accounted", "complete"), &[], 0).1);
    }

    #[test]
    fn a_row_is_proved_with_those_that_it_needs() {
        assert_eq!(check("state='accounted'", &[("B", Outcome::Passed)], 1).0, Status::Open);
        let both = [("A", Outcome::Passed), ("B", Outcome::Passed)];
        assert_eq!(check("state='accounted'", &both, 1).0, Status::Proved);
    }

    /// DM-SCR-2; as a test of xtask it names no row in the report.
    #[test]
    fn a_claim_of_http_fails_without_everything_that_it_needs() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let areas = Area::all(&root).unwrap();
        let area = areas.iter().find(|area| area.name == "oma-dm-scr").unwrap();
        for id in ["C-001", "S-001", "C-049b", "S-049b"].map(|id| format!("DSDM-HTTP-{id}-O")) {
            let row = area.rows.iter().find(|row| row.id == id).unwrap();
            assert!(row.needs.len() >= 2, "{id} has needs");
            let proved = |but: Option<&str>| {
                let ids = row.concerned().filter(|one| Some(*one) != but);
                let evidence: Evidence = ids
                    .map(|one| (one.to_owned(), vec![("p t x::y".to_owned(), Outcome::Passed)]))
                    .collect();
                one(area, row, &evidence)
            };
            assert_eq!(proved(None).0.status, Status::Proved, "{id}");
            for need in &row.needs {
                let (verdict, problem) = proved(Some(need));
                assert_eq!(verdict.status, Status::Open, "{id} without {need}");
                assert!(problem.is_some(), "{id} without {need} fails the report");
            }
        }
    }
}
