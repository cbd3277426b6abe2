//! Builds the test binaries as `cargo test` does, and runs the tests that name rows.
//!
//! A binary's exit status is believed, never a line of its output: a test's child process may print what it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::tests::Named;
use crate::output::say;
use crate::process::{capture, cargo, has_openssl, output, shown};
use crate::workspace::{Metadata, Package};

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Ignored,
    /// It is in no binary that was built: behind a `cfg`, a feature, or a package that was not chosen.
    Absent,
    /// It is in a build that was not made: this machine cannot, or it takes minutes.
    Elsewhere,
}

/// Outcomes by [`Named::shown`].
pub(super) type Outcomes = BTreeMap<String, Outcome>;

/// A package that `cargo test` leaves out, and how its tests are built.
pub(crate) struct OtherBuild {
    pub(crate) package: &'static str,
    pub(crate) features: &'static str,
    /// The features of the build that takes minutes, and has all.
    pub(crate) vendored: &'static str,
    /// Whether this machine can make it.
    pub(crate) here: fn() -> bool,
}

/// What is never in a default build and proves rows all the same.
pub(crate) const OTHER_BUILDS: [OtherBuild; 1] = [OtherBuild {
    package: "bindery-tls-legacy",
    features: "system",
    vendored: "vendored",
    here: has_openssl,
}];

/// Which tests are built, and how.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Selection<'a> {
    /// Only these packages; all when none is named.
    pub(super) packages: &'a [String],
    /// Whether other builds have all their features.
    pub(super) vendored: bool,
}

/// A line of `cargo test --no-run --message-format=json`.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// What tells the tests of a package which rule to switch off.
const MUTATION: &str = "BINDERY_MUTATION";

/// Runs the tests and says what became of each; with a mutation, under it.
///
/// # Errors
/// The tests do not build, or a binary does not start.
pub(super) fn outcomes(
    root: &Path,
    members: &Metadata,
    named: &[&Named],
    selection: &Selection<'_>,
    mutation: Option<&str>,
) -> Result<Outcomes, String> {
    let mut outcomes: Outcomes = named.iter().map(|test| (test.shown(), Outcome::Absent)).collect();
    if named.is_empty() {
        return Ok(outcomes);
    }
    let mut groups: BTreeMap<&Path, Vec<&Named>> = BTreeMap::new();
    for test in named {
        groups.entry(&test.root).or_default().push(test);
    }
    for (binary, source, manifest) in builds(root, members, named, selection, &mut outcomes)? {
        let Some(tests) = groups.get(source.as_path()) else { continue };
        let Some(package) = members.packages.iter().find(|p| p.manifest_path == manifest) else {
            continue;
        };
        say(format!("conformance: {}: {} tests", binary.display(), tests.len()));
        let surroundings = Surroundings { binary: &binary, package, mutation };
        binary_outcomes(&surroundings, tests, &mut outcomes)?;
    }
    // Behind a feature that another build of it has.
    for test in named.iter().filter(|test| OTHER_BUILDS.iter().any(|b| b.package == test.package)) {
        let outcome = outcomes.entry(test.shown()).or_insert(Outcome::Absent);
        if *outcome == Outcome::Absent {
            *outcome = Outcome::Elsewhere;
        }
    }
    Ok(outcomes)
}

/// A test binary, its root file and its manifest.
type Binary = (PathBuf, PathBuf, PathBuf);

/// The test binaries of `cargo test`, and of the other builds that the tests need.
fn builds(
    root: &Path,
    members: &Metadata,
    named: &[&Named],
    selection: &Selection<'_>,
    outcomes: &mut Outcomes,
) -> Result<Vec<Binary>, String> {
    let packages = selection.packages;
    let mut binaries = build(root, members, packages, &[])?;
    for other in &OTHER_BUILDS {
        let chosen = packages.is_empty() || packages.iter().any(|name| name == other.package);
        let tests: Vec<_> = named.iter().filter(|test| test.package == other.package).collect();
        if tests.is_empty() || !chosen {
            continue;
        }
        if (other.here)() || selection.vendored {
            let features = if selection.vendored { other.vendored } else { other.features };
            let features = format!("--features={features}");
            binaries.extend(build(root, members, &[other.package.to_owned()], &[&features])?);
        } else {
            outcomes.extend(tests.iter().map(|test| (test.shown(), Outcome::Elsewhere)));
        }
    }
    Ok(binaries)
}

/// The same selection as `cargo test` where no package is named, so that nothing is built twice.
fn build(
    root: &Path,
    members: &Metadata,
    packages: &[String],
    options: &[&str],
) -> Result<Vec<Binary>, String> {
    if let Some(unknown) =
        packages.iter().find(|name| !members.packages.iter().any(|p| &p.name == *name))
    {
        return Err(format!("there is no package {unknown}"));
    }
    let mut command = cargo(root);
    command.args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
    command.args(packages.iter().map(|name| format!("--package={name}"))).args(options);
    say(format!("$ {}", shown(&command)));
    let text = capture(command.stderr(Stdio::inherit()))?;
    let binary = |line: &str| {
        let message: Message = serde_json::from_str(line).ok()?;
        let tested = message.profile.is_some_and(|profile| profile.test);
        tested.then_some((message.executable?, message.target?.src_path, message.manifest_path?))
    };
    Ok(text.lines().filter_map(binary).collect())
}

fn binary_outcomes(
    surroundings: &Surroundings<'_>,
    tests: &[&Named],
    outcomes: &mut Outcomes,
) -> Result<(), String> {
    let all = surroundings.list(&["--list"])?;
    let ignored = surroundings.list(&["--list", "--ignored"])?;
    for test in tests.iter().filter(|test| ignored.contains(&test.test.path)) {
        outcomes.insert(test.shown(), Outcome::Ignored);
    }
    let run: Vec<&&Named> = tests
        .iter()
        .filter(|t| all.contains(&t.test.path) && !ignored.contains(&t.test.path))
        .collect();
    let names: Vec<&str> = run.iter().map(|test| test.test.path.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let together = surroundings.passes(&names)?;
    for test in run {
        // One failed: each alone, to know which.
        let passed = together || surroundings.passes(&[&test.test.path])?;
        outcomes.insert(test.shown(), if passed { Outcome::Passed } else { Outcome::Failed });
    }
    Ok(())
}

/// A test binary in the surroundings that `cargo test` gives it, with a rule switched off or none.
struct Surroundings<'a> {
    binary: &'a Path,
    package: &'a Package,
    mutation: Option<&'a str>,
}

impl Surroundings<'_> {
    fn command(&self) -> Command {
        let package = self.package;
        let mut command = Command::new(self.binary);
        command.current_dir(package.folder()).env("CARGO_MANIFEST_DIR", package.folder());
        command.env("CARGO_MANIFEST_PATH", &package.manifest_path);
        command.env("CARGO_PKG_NAME", &package.name).env("CARGO_PKG_VERSION", &package.version);
        match self.mutation {
            Some(mutation) => command.env(MUTATION, mutation),
            None => command.env_remove(MUTATION),
        };
        command
    }

    fn list(&self, options: &[&str]) -> Result<BTreeSet<String>, String> {
        let text = capture(self.command().args(options).args(["--format", "terse"]))?;
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    fn passes(&self, names: &[&str]) -> Result<bool, String> {
        let output = output(self.command().arg("--exact").args(names))?;
        // Under a mutation a failure is what is wanted.
        if !output.status.success() && self.mutation.is_none() {
            say(String::from_utf8_lossy(&output.stdout));
            say(String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.status.success())
    }
}
