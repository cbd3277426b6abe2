//! `cargo xtask oasis DIR.. --decode`: the OASIS test cases of KMIP, by the example `oasis` of the tests.

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
    /// Read each message of each case into types and every form, and back (the only way there is yet: replaying the
    /// cases against a server comes with the whole key server)
    #[arg(long, required = true)]
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
    /// An object with passed, failed and cases (file, outcome, reason)
    Json,
}

/// A case, as the example tells it.
struct Case<'a> {
    passed: bool,
    file: &'a str,
    detail: &'a str,
}

/// Runs the cases and prints the report.
///
/// # Errors
/// The program does not compile or run, or a case failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    debug_assert!(options.decode, "clap asks for it");
    let mut directories = Vec::new();
    for directory in &options.directories {
        let absolute = std::path::absolute(directory);
        directories.push(absolute.map_err(|e| format!("{}: {e}", directory.display()))?);
    }
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--package", "bindery-tests", "--example", "oasis", "--"]);
    command.args(&directories);
    let ran = output(&mut command)?;
    let text = String::from_utf8_lossy(&ran.stdout);
    let cases: Vec<Case<'_>> = text.lines().filter_map(case).collect();
    let failed = cases.iter().filter(|case| !case.passed).count();
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
        Form::Json => print(format!("{:#}", report(&cases, failed)))?,
        Form::Table => {
            for case in cases.iter().filter(|case| !case.passed) {
                print(format!("FAIL {}: {}", case.file, case.detail))?;
            }
            print(format!("oasis: {} passed, {failed} failed", cases.len() - failed))?;
        }
    }
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} cases failed", cases.len())) }
}

fn case(line: &str) -> Option<Case<'_>> {
    let mut fields = line.splitn(3, '\t');
    let passed = match fields.next()? {
        "ok" => true,
        "FAIL" => false,
        _ => return None,
    };
    Some(Case { passed, file: fields.next()?, detail: fields.next()? })
}

fn report(cases: &[Case<'_>], failed: usize) -> Value {
    let list: Vec<Value> = cases
        .iter()
        .map(|case| {
            let outcome = if case.passed { "passed" } else { "failed" };
            let reason = if case.passed { Value::Null } else { case.detail.into() };
            json!({ "file": case.file, "outcome": outcome, "reason": reason })
        })
        .collect();
    json!({ "passed": cases.len() - failed, "failed": failed, "cases": list })
}

#[cfg(test)]
mod tests {
    use super::{case, report};

    #[test]
    fn lines_become_a_report() {
        let lines =
            ["ok\ta.xml\t3 messages", "FAIL\tb.xml\tmessage 1: why\tnot", "1 passed, 1 failed"];
        let cases: Vec<_> = lines.iter().filter_map(|line| case(line)).collect();
        let report = report(&cases, 1);
        assert_eq!((&report["passed"], &report["failed"]), (&1.into(), &1.into()));
        assert_eq!(report["cases"][1]["file"], "b.xml");
        assert_eq!(report["cases"][1]["reason"], "message 1: why\tnot");
        assert!(report["cases"][0]["reason"].is_null());
    }
}
