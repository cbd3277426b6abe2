//! `cargo xtask ci [JOB..]`: the jobs of continuous integration, the same here and there.

mod features;

use std::path::Path;

use crate::output::{Stopwatch, say, seconds, table};
use crate::process::{cargo, has_openssl, run as run_command};
use crate::{codegen, conformance, interop, tidy};

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The jobs to run; all when none is named
    #[arg(value_parser = names())]
    jobs: Vec<String>,
    /// Jobs to leave out
    #[arg(long, value_name = "JOB", value_delimiter = ',', value_parser = names())]
    except: Vec<String>,
}

/// How a job ended, when nothing went wrong.
enum Ending {
    Passed,
    Skipped(String),
}

struct Job {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<Ending, String>,
}

/// Quick ones first; what shares a build stands together.
const JOBS: [Job; 10] = [
    Job { name: "fmt", about: "cargo fmt --check, the fuzz workspace too", run: fmt },
    Job { name: "codegen", about: "generated code is what the tables say", run: codegen },
    Job { name: "tidy", about: "what neither the compiler nor clippy checks", run: tidy },
    Job { name: "clippy", about: "every target of the workspace, no warning", run: clippy },
    Job {
        name: "features",
        about: "each library by itself: without features, default, all",
        run: features,
    },
    Job { name: "doc", about: "documentation without a warning", run: doc },
    Job { name: "test", about: "every test: cargo test, and those of xtask", run: test },
    Job {
        name: "legacy",
        about: "the TLS backend on OpenSSL, where its headers are: clippy, tests, the program with it",
        run: legacy,
    },
    Job {
        name: "conformance",
        about: "requirement rows and the tests that name them, also with a rule switched off",
        run: conformance,
    },
    Job { name: "interop", about: "software by others, as far as it is installed", run: interop },
];

fn names() -> clap::builder::PossibleValuesParser {
    JOBS.iter()
        .map(|job| clap::builder::PossibleValue::new(job.name).help(job.about))
        .collect::<Vec<_>>()
        .into()
}

/// Runs the jobs, each to its end, and closes with a table.
///
/// # Errors
/// Names the jobs that failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let wanted = |job: &&Job| {
        let named = |list: &[String]| list.iter().any(|name| name == job.name);
        (options.jobs.is_empty() || named(&options.jobs)) && !named(&options.except)
    };
    let mut rows = Vec::new();
    let (mut passed, mut skipped, mut failed) = (0_usize, 0_usize, Vec::new());
    for job in JOBS.iter().filter(wanted) {
        say(format!("\n== {}: {}", job.name, job.about));
        let watch = Stopwatch::start();
        let result = (job.run)(root);
        let time = seconds(watch.elapsed());
        let detail = match result {
            Ok(Ending::Passed) => {
                passed += 1;
                "ok".to_owned()
            }
            Ok(Ending::Skipped(reason)) => {
                skipped += 1;
                format!("skipped: {reason}")
            }
            Err(error) => {
                say(format!("{}: {error}", job.name));
                failed.push(job.name);
                format!("FAILED; to repeat it: cargo xtask ci {}", job.name)
            }
        };
        rows.push([job.name.to_owned(), time, detail]);
    }
    say(format!("\n{}", table(["job", "time", "result"], &rows)));
    say(format!("jobs: {passed} passed, {} failed, {skipped} skipped", failed.len()));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn passed(result: Result<(), String>) -> Result<Ending, String> {
    result.map(|()| Ending::Passed)
}

fn fmt(root: &Path) -> Result<Ending, String> {
    run_command(cargo(root).args(["fmt", "--all", "--check"]))?;
    passed(run_command(cargo(root).args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])))
}

fn codegen(root: &Path) -> Result<Ending, String> {
    passed(codegen::run(root, true))
}

fn tidy(root: &Path) -> Result<Ending, String> {
    passed(tidy::run(root))
}

fn clippy(root: &Path) -> Result<Ending, String> {
    let deny = ["--", "-D", "warnings"];
    let all = ["clippy", "--all-targets", "--all-features", "--workspace"];
    run_command(cargo(root).args(all).args(WITHOUT_OPENSSL).args(deny))?;
    run_command(cargo(root).args(["clippy", "--all-targets", "--package", PROGRAM]).args(deny))?;
    // The fuzz crate's functions; its programs need nightly.
    let fuzz = [
        "clippy",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--lib",
        "--tests",
        "--target-dir",
        "fuzz/target",
    ];
    passed(run_command(cargo(root).args(fuzz).args(deny)))
}

fn features(root: &Path) -> Result<Ending, String> {
    passed(features::run(root))
}

fn doc(root: &Path) -> Result<Ending, String> {
    let arguments = ["doc", "--no-deps", "--all-features", "--workspace"];
    let mut command = cargo(root);
    command.args(arguments).args(WITHOUT_OPENSSL);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    let legacy = ["doc", "--no-deps", "--package", LEGACY];
    passed(run_command(cargo(root).args(legacy).env("RUSTDOCFLAGS", "-D warnings")))
}

/// The backend on OpenSSL.
const LEGACY: &str = "bindery-tls-legacy";
/// The program, whose features bring OpenSSL in and nothing else.
const PROGRAM: &str = "bindery-cli";
/// What leaves OpenSSL out of a command over the whole workspace.
const WITHOUT_OPENSSL: [&str; 4] = ["--exclude", LEGACY, "--exclude", PROGRAM];

/// The distribution's OpenSSL only: the vendored build takes minutes, and is a job by hand.
fn legacy(root: &Path) -> Result<Ending, String> {
    if !has_openssl() {
        let reason = "OpenSSL 3's headers are not here (Debian: libssl-dev, pkg-config)";
        return Ok(Ending::Skipped(reason.to_owned()));
    }
    let deny = ["--", "-D", "warnings"];
    let clippy = ["clippy", "--all-targets", "--features", "system", "--package", LEGACY];
    run_command(cargo(root).args(clippy).args(deny))?;
    let program = ["clippy", "--all-targets", "--features", "legacy-tls", "--package", PROGRAM];
    run_command(cargo(root).args(program).args(deny))?;
    let doc = ["doc", "--no-deps", "--features", "system", "--package", LEGACY];
    run_command(cargo(root).args(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    let test = ["test", "--features", "system", "--package", LEGACY];
    passed(run_command(cargo(root).args(test)))
}

/// The command of the README, then the tests of this program, which is no default member.
fn test(root: &Path) -> Result<Ending, String> {
    run_command(cargo(root).args(["test", "--no-fail-fast"]))?;
    passed(run_command(cargo(root).args(["test", "--package", "xtask"])))
}

fn conformance(root: &Path) -> Result<Ending, String> {
    conformance::run(root, &conformance::Options::default())?;
    passed(conformance::run(root, &conformance::Options::mutations()))
}

/// Never installs. Skipped only as a whole: one peer that runs makes it a run.
fn interop(root: &Path) -> Result<Ending, String> {
    let settings = interop::Settings::default();
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for peer in &interop::PEERS {
        match interop::run(root, peer.name, &settings) {
            Ok(interop::Ending::Passed) => {}
            Ok(interop::Ending::Skipped(reason)) => {
                skipped.push(format!("{}: {reason}", peer.name));
            }
            Err(error) => failed.push(error),
        }
    }
    match (failed.is_empty(), skipped.len() == interop::PEERS.len()) {
        (false, _) => Err(failed.join("\n")),
        (true, true) => Ok(Ending::Skipped(skipped.join("; "))),
        (true, false) => Ok(Ending::Passed),
    }
}
