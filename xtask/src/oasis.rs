//! `cargo xtask oasis DIR..`: the OASIS test cases of KMIP against a key server over mutual TLS, by the example
//! `oasis_replay` of the tests; with `--decode` only their messages, through the codecs, by the example `oasis`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::output::{print, say};
use crate::process::{cargo, output, shown};

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directories with cases (XML), searched through; or single files
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Only read each message of each case into types and every form, and back; no server
    #[arg(long)]
    decode: bool,
    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// The form of the report.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people: the cases that failed, and the counts
    #[default]
    Table,
    /// An object with passed, failed, not_applicable and cases (file, outcome, reason)
    Json,
}

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// It says nothing of this server: `tests/oasis/not-applicable.toml`.
    NotApplicable,
}

/// A case, as the example tells it.
struct Case<'a> {
    outcome: Outcome,
    file: &'a str,
    detail: &'a str,
}

/// Runs the cases and prints the report.
///
/// # Errors
/// The program does not compile or run, or a case failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let mut directories = Vec::new();
    for directory in &options.directories {
        let absolute = std::path::absolute(directory);
        directories.push(absolute.map_err(|e| format!("{}: {e}", directory.display()))?);
    }
    let mut command = cargo(root);
    let example = if options.decode { "oasis" } else { "oasis_replay" };
    command.args(["run", "--quiet", "--package", "bindery-tests", "--example", example, "--"]);
    command.args(&directories);
    let ran = output(&mut command)?;
    let text = String::from_utf8_lossy(&ran.stdout);
    let cases: Vec<Case<'_>> = text.lines().filter_map(case).collect();
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
    let not_applicable = count(Outcome::NotApplicable);
    if cases.is_empty() || ran.status.success() != (failed == 0) {
        say(String::from_utf8_lossy(&ran.stderr));
        return Err(format!(
            "{} ended with {} after {} cases",
            shown(&command),
            ran.status,
            cases.len()
        ));
    }
    match options.output {
        Form::Json => print(format!("{:#}", report(&cases)))?,
        Form::Table => {
            for case in cases.iter().filter(|case| case.outcome != Outcome::Passed) {
                let what = if case.outcome == Outcome::Failed { "FAIL" } else { "not applicable" };
                print(format!("{what} {}: {}", case.file, case.detail))?;
            }
            if !options.decode {
                let applicable = passed + failed;
                print(format!(
                    "{passed} of {applicable} applicable cases pass; {not_applicable} of {} are not applicable",
                    cases.len()
                ))?;
            }
            print(format!("oasis: {passed} passed, {failed} failed"))?;
        }
    }
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} cases failed", cases.len())) }
}

fn case(line: &str) -> Option<Case<'_>> {
    let mut fields = line.splitn(3, '\t');
    let outcome = match fields.next()? {
        "ok" => Outcome::Passed,
        "FAIL" => Outcome::Failed,
        "na" => Outcome::NotApplicable,
        _ => return None,
    };
    Some(Case { outcome, file: fields.next()?, detail: fields.next()? })
}

fn report(cases: &[Case<'_>]) -> Value {
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let list: Vec<Value> = cases
        .iter()
        .map(|case| {
            let (outcome, reason) = match case.outcome {
                Outcome::Passed => ("passed", Value::Null),
                Outcome::Failed => ("failed", case.detail.into()),
                Outcome::NotApplicable => ("not_applicable", case.detail.into()),
            };
            json!({ "file": case.file, "outcome": outcome, "reason": reason })
        })
        .collect();
    json!({
        "passed": count(Outcome::Passed),
        "failed": count(Outcome::Failed),
        "not_applicable": count(Outcome::NotApplicable),
        "cases": list,
    })
}

#[cfg(test)]
mod tests {
    use super::{case, report};

    #[test]
    fn lines_become_a_report() {
        let lines = [
            "ok\ta.xml\t3 messages",
            "FAIL\tb.xml\tmessage 1: why\tnot",
            "na\tc.xml\tof another profile",
            "1 passed, 1 failed, 1 not applicable",
        ];
        let cases: Vec<_> = lines.iter().filter_map(|line| case(line)).collect();
        let report = report(&cases);
        assert_eq!((&report["passed"], &report["failed"]), (&1.into(), &1.into()));
        assert_eq!(report["not_applicable"], 1);
        assert_eq!(report["cases"][2]["outcome"], "not_applicable");
        assert_eq!(report["cases"][1]["file"], "b.xml");
        assert_eq!(report["cases"][1]["reason"], "message 1: why\tnot");
        assert!(report["cases"][0]["reason"].is_null());
    }
}
