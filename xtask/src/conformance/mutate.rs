//! `cargo xtask conformance --mutate`: one rule switched off at a time. A test that names the rule's row must then
//! fail; otherwise the row's proof proves nothing.
//!
//! The rules are `tests/mutations.toml`. Each mutation is an edit of the card where a package's own tests make it; the
//! tests read its name from the environment, the libraries never do.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::rows::{Area, Row};
use super::run::{Outcome, Outcomes, Selection, outcomes};
use super::tests::{self, Named};
use crate::output::{Stopwatch, print, say, seconds, table};
use crate::workspace::Metadata;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutation: Vec<Mutation>,
}

/// A rule that can be off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    /// What the tests know it by.
    name: String,
    /// Whose tests know it.
    package: String,
    /// The rows that it breaks.
    #[serde(default)]
    rows: Vec<String>,
    /// Tests of the package's binary `it` that must fail, where no row speaks of the rule.
    #[serde(default)]
    tests: Vec<String>,
    /// What is off, for people.
    off: String,
}

/// Runs the tests of each mutation's rows without it and with it, and prints which of them saw it.
///
/// # Errors
/// A row has no test that fails under its mutation, or one that fails without; the file is wrong.
pub(super) fn run(
    root: &Path,
    members: &Metadata,
    areas: &[&Area],
    named: &[Named],
) -> Result<(), String> {
    let watch = Stopwatch::start();
    let mutations = read(&root.join("tests/mutations.toml"), areas)?;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for mutation in &mutations {
        let unnamed = tests::by_path(members, &mutation.package, &mutation.tests)?;
        let mut chosen = chosen(mutation, named);
        chosen.extend(unnamed.iter().filter(|one| !mutation.is_named(one)));
        let packages = [mutation.package.clone()];
        say(format!("conformance: {}: {}", mutation.name, mutation.off));
        let selection = Selection { packages: &packages, vendored: false };
        let before = outcomes(root, members, &chosen, &selection, None)?;
        let under = outcomes(root, members, &chosen, &selection, Some(&mutation.name))?;
        for row in &mutation.rows {
            let told = seen(row, &chosen, &before, &under);
            let cell = told.as_ref().map_or_else(Clone::clone, |tests| tests.join(", "));
            lines.push([mutation.name.clone(), row.clone(), cell]);
            problems.extend(told.err().map(|why| format!("{} {row}: {why}", mutation.name)));
        }
        for test in &unnamed {
            let told = fails(test, &before, &under);
            let cell = told.as_ref().map_or_else(Clone::clone, |()| test.test.path.clone());
            lines.push([mutation.name.clone(), "(no row)".to_owned(), cell]);
            problems.extend(told.err().map(|why| format!("{}: {why}", mutation.name)));
        }
    }
    print(table(["rule that is off", "row", "tests that fail"], &lines))?;
    for problem in &problems {
        say(format!("conformance: {problem}"));
    }
    let counts = format!("{} mutations, {} rows and tests", mutations.len(), lines.len());
    say(format!("conformance: {counts}, in {}", seconds(watch.elapsed())));
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "conformance: {} not seen; to repeat it: cargo xtask conformance --mutate",
        problems.len()
    ))
}

/// The mutations that break a row of these areas.
fn read(file: &Path, areas: &[&Area]) -> Result<Vec<Mutation>, String> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let File { mut mutation } =
        toml::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
    let ids: BTreeSet<&str> =
        areas.iter().flat_map(|a| &a.rows).map(|row: &Row| row.id.as_str()).collect();
    if let Some(idle) = mutation.iter().find(|one| one.rows.is_empty() && one.tests.is_empty()) {
        return Err(format!("{}: {} names no row and no test", file.display(), idle.name));
    }
    mutation.retain(|mutation| {
        mutation.rows.is_empty() || mutation.rows.iter().any(|row| ids.contains(row.as_str()))
    });
    if mutation.iter().all(|mutation| mutation.rows.is_empty()) {
        return Err(format!("{}: no mutation breaks a row of the area", file.display()));
    }
    Ok(mutation)
}

impl Mutation {
    /// Whether a test is run because it names a row.
    fn is_named(&self, test: &Named) -> bool {
        test.test.proves.iter().any(|id| self.rows.contains(id))
    }
}

/// The tests of the mutation's package that name one of its rows.
fn chosen<'a>(mutation: &Mutation, named: &'a [Named]) -> Vec<&'a Named> {
    let of = |test: &&Named| test.package == mutation.package && mutation.is_named(test);
    named.iter().filter(of).collect()
}

/// Whether a test passes without the mutation and fails under it.
fn fails(test: &Named, before: &Outcomes, under: &Outcomes) -> Result<(), String> {
    let path = &test.test.path;
    let became = |outcomes: &Outcomes| outcomes.get(&test.shown()).copied();
    match (became(before), became(under)) {
        (Some(Outcome::Passed), Some(Outcome::Failed)) => Ok(()),
        (Some(Outcome::Passed), _) => Err(format!("{path} does not fail when the rule is off")),
        _ => Err(format!("{path} does not pass without the mutation")),
    }
}

/// The tests of the row that pass without the mutation and fail under it.
fn seen(
    row: &str,
    chosen: &[&Named],
    before: &Outcomes,
    under: &Outcomes,
) -> Result<Vec<String>, String> {
    let of_row: Vec<&&Named> =
        chosen.iter().filter(|test| test.test.proves.iter().any(|id| id == row)).collect();
    if of_row.is_empty() {
        return Err("no test of the package names the row".to_owned());
    }
    let became = |outcomes: &Outcomes, test: &Named| outcomes.get(&test.shown()).copied();
    if let Some(test) = of_row.iter().find(|test| became(before, test) != Some(Outcome::Passed)) {
        return Err(format!("{} does not pass without the mutation", test.test.path));
    }
    let failed: Vec<String> = of_row
        .iter()
        .filter(|test| became(under, test) == Some(Outcome::Failed))
        .map(|test| test.test.path.clone())
        .collect();
    if failed.is_empty() {
        Err("no test fails when the rule is off".to_owned())
    } else {
        Ok(failed)
    }
}

#[cfg(test)]
mod unit {
    use super::{Mutation, Named, Outcome, Outcomes, chosen, fails, read, seen};
    use crate::source::Test;

    fn named(package: &str, path: &str, proves: &[&str]) -> Named {
        let proves = proves.iter().map(|&id| id.to_owned()).collect();
        let test = Test { path: path.to_owned(), file: "it".into(), line: 1, proves };
        Named { package: package.to_owned(), target: "it".to_owned(), root: "it".into(), test }
    }

    #[test]
    fn only_tests_of_the_package_that_name_a_row_are_run() {
        let tests = [named("a", "t", &["R"]), named("b", "t", &["R"]), named("a", "u", &["S"])];
        let mutation = Mutation {
            name: "m".to_owned(),
            package: "a".to_owned(),
            rows: vec!["R".to_owned()],
            tests: Vec::new(),
            off: String::new(),
        };
        let chosen = chosen(&mutation, &tests);
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0].shown(), "a it t");
    }

    #[test]
    fn a_mutation_is_seen_by_a_test_that_passes_without_it_and_fails_under_it() {
        let (one, two) = (named("a", "one", &["R"]), named("a", "two", &["R", "S"]));
        let tests = [&one, &two];
        let told = |first, second| Outcomes::from([(one.shown(), first), (two.shown(), second)]);
        let good = told(Outcome::Passed, Outcome::Passed);
        let half = told(Outcome::Failed, Outcome::Passed);
        assert_eq!(seen("R", &tests, &good, &half).unwrap(), ["one"]);
        assert!(seen("S", &tests, &good, &half).unwrap_err().contains("no test fails"));
        assert!(seen("R", &tests, &half, &half).unwrap_err().contains("without the mutation"));
        assert!(seen("T", &tests, &good, &half).unwrap_err().contains("names the row"));
        // A test that was not run saw nothing.
        let absent = told(Outcome::Absent, Outcome::Ignored);
        assert!(seen("R", &tests, &good, &absent).is_err());
    }

    #[test]
    fn a_test_without_a_row_sees_a_mutation_too() {
        let test = named("a", "one", &[]);
        let told = |outcome| Outcomes::from([(test.shown(), outcome)]);
        let (good, bad) = (told(Outcome::Passed), told(Outcome::Failed));
        fails(&test, &good, &bad).unwrap();
        assert!(fails(&test, &good, &good).unwrap_err().contains("does not fail"));
        assert!(fails(&test, &bad, &bad).unwrap_err().contains("without the mutation"));
        assert!(fails(&test, &good, &told(Outcome::Absent)).is_err());
    }

    #[test]
    fn an_area_without_mutations_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[[mutation]]\nname='m'\npackage='a'\nrows=['R']\noff='x'\n";
        std::fs::write(file.path(), text).unwrap();
        assert!(read(file.path(), &[]).unwrap_err().contains("no mutation"));
    }
}
