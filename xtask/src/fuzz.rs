//! `cargo xtask fuzz TARGET --seconds N`: builds a libFuzzer target, runs it from the checked-in corpus, and writes
//! `fuzz/records/TARGET.json`. No cargo-fuzz is needed; the instrumentation is what cargo-fuzz asks rustc for.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::output::{Stopwatch, say};
use crate::process::{capture, commit, run as run_command, shown};
use crate::workspace::host;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The target: a [[bin]] of fuzz/Cargo.toml
    target: String,
    /// How long to run
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// Run this one input instead (to repeat a finding)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "merge"])]
    input: Option<PathBuf>,
    /// Afterwards add to the checked-in corpus what reached new code
    #[arg(long)]
    merge: bool,
    /// Build with AddressSanitizer (slower; for targets that reach C or unsafe code of others)
    #[arg(long)]
    address_sanitizer: bool,
}

/// The instrumentation: edge counters, compares, and a table of places.
const RUSTFLAGS: [&str; 8] = [
    "--cfg fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cforce-frame-pointers=yes",
];

/// What one input may take. A slower or hungrier one is a finding.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// What a run leaves behind, in `fuzz/records`.
#[derive(Debug, Serialize)]
struct Record {
    target: String,
    commit: String,
    /// When the run ended, UTC.
    date: String,
    seconds: u64,
    executions: u64,
    /// Edges reached, as libFuzzer counts them.
    coverage: u64,
    /// Edges times their counts' classes, as libFuzzer counts them.
    features: u64,
    /// Inputs that libFuzzer keeps, each for reaching something that no other does.
    corpus: u64,
    /// Files of inputs that made the target fail.
    findings: Vec<String>,
}

/// What libFuzzer's lines say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    coverage: u64,
    features: u64,
    corpus: u64,
}

/// Builds and runs the target.
///
/// # Errors
/// It does not build, or an input made it fail; the input is kept and named.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let program = build(root, options)?;
    if let Some(input) = &options.input {
        return run_command(Command::new(&program).args(LIMITS).arg(input));
    }
    let target = options.target.as_str();
    let seeds = root.join("fuzz/corpus").join(target);
    if fs::read_dir(&seeds).map_or(0, Iterator::count) == 0 {
        return Err(format!("{}: no seeds: put at least one input there", seeds.display()));
    }
    let artifacts = root.join("fuzz/artifacts").join(target);
    let grown = root.join("fuzz/target/corpus").join(target);
    for folder in [&artifacts, &grown] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let before = names(&artifacts)?;
    let mut command = Command::new(&program);
    command
        .args(LIMITS)
        .arg(format!("-max_total_time={}", options.seconds))
        .arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(&grown).arg(&seeds);
    let watch = Stopwatch::start();
    let (figures, ended_well) = watched(&mut command)?;
    let findings: Vec<String> = names(&artifacts)?.difference(&before).cloned().collect();
    record(root, target, watch.elapsed().as_secs(), &figures, &findings)?;
    if options.merge {
        run_command(Command::new(&program).arg("-merge=1").arg(&seeds).arg(&grown))?;
    }
    match (findings.first(), ended_well) {
        (None, true) => Ok(()),
        (None, false) => Err(format!(
            "the target ended badly without an input; to repeat it: {}",
            shown(&command)
        )),
        (Some(first), _) => {
            let input = format!("fuzz/artifacts/{target}/{first}");
            Err(format!(
                "{} finding(s), the first in {input}\nto repeat it: cargo xtask fuzz {target} --input {input}\n\
                 once mended, copy it to fuzz/corpus/{target}/: the tests replay it from then on",
                findings.len()
            ))
        }
    }
}

/// A line of cargo's messages.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

fn build(root: &Path, options: &Options) -> Result<PathBuf, String> {
    let mut flags = RUSTFLAGS.map(str::to_owned).to_vec();
    if options.address_sanitizer {
        flags.push("-Zsanitizer=address".to_owned());
    }
    let platform = host(root)?;
    // Not our own cargo, which belongs to one toolchain, but rustup's, which chooses.
    let mut command = Command::new("cargo");
    command
        .current_dir(root.join("fuzz"))
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env("RUSTFLAGS", flags.join(" "));
    command
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env("CARGO_TARGET_DIR", root.join("fuzz/target"));
    command.args([
        "build",
        "--release",
        "--features",
        "libfuzzer",
        "--bin",
        &options.target,
        "--target",
        &platform,
    ]);
    command.arg("--message-format=json-render-diagnostics");
    say(format!("$ {}", shown(&command)));
    let text = capture(command.stderr(Stdio::inherit())).map_err(|e| {
        format!("{e}\n(the nightly toolchain is needed: rustup toolchain install nightly)")
    })?;
    let executable =
        text.lines().rev().find_map(|line| serde_json::from_str::<Message>(line).ok()?.executable);
    executable.ok_or_else(|| format!("cargo names no program {}", options.target))
}

fn names(folder: &Path) -> Result<BTreeSet<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect())
}

/// Runs libFuzzer, shows what is worth seeing, and reads its figures; and whether it ended well.
fn watched(command: &mut Command) -> Result<(Figures, bool), String> {
    say(format!("$ {}", shown(command)));
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", shown(command)))?;
    let mut figures = Figures::default();
    // A finding is shown as octets too, so a line need not be UTF-8.
    for line in child.stderr.take().into_iter().flat_map(|lines| BufReader::new(lines).split(b'\n'))
    {
        let line = line.map_err(|e| e.to_string())?;
        let line = String::from_utf8_lossy(&line);
        figures.read(&line);
        if !["\tNEW ", "\tREDUCE "].iter().any(|routine| line.contains(routine)) {
            say(line);
        }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((figures, status.success()))
}

impl Figures {
    /// Takes in a line such as `#1024  DONE  cov: 812 ft: 3201 corp: 312/45Kb ..` or
    /// `stat::number_of_executed_units: 1024`.
    fn read(&mut self, line: &str) {
        let after = |name: &str| -> Option<u64> {
            let rest = line.split_once(name)?.1.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        };
        if line.starts_with('#') {
            self.executions = after("#").unwrap_or(self.executions);
            self.coverage = after(" cov:").unwrap_or(self.coverage);
            self.features = after(" ft:").unwrap_or(self.features);
            self.corpus = after(" corp:").unwrap_or(self.corpus);
        }
        self.executions = after("stat::number_of_executed_units:").unwrap_or(self.executions);
    }
}

fn record(
    root: &Path,
    target: &str,
    seconds: u64,
    figures: &Figures,
    findings: &[String],
) -> Result<(), String> {
    let date = capture(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    let record = Record {
        target: target.to_owned(),
        commit: commit(root)?,
        date: date.trim().to_owned(),
        seconds,
        executions: figures.executions,
        coverage: figures.coverage,
        features: figures.features,
        corpus: figures.corpus,
        findings: findings.to_vec(),
    };
    let folder = root.join("fuzz/records");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let file = folder.join(format!("{target}.json"));
    let text = serde_json::to_string_pretty(&record).map_err(|e| e.to_string())?;
    fs::write(&file, text + "\n").map_err(|e| format!("{}: {e}", file.display()))?;
    say(format!(
        "fuzz {target}: {} executions in {seconds} s, coverage {}, {} findings; recorded in {}",
        figures.executions,
        figures.coverage,
        findings.len(),
        file.strip_prefix(root).unwrap_or(&file).display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn figures_are_read_from_libfuzzers_lines() {
        let mut figures = Figures::default();
        figures.read("INFO: seed corpus: files: 3 min: 1b max: 368b total: 500b rss: 30Mb");
        assert_eq!(figures, Figures::default());
        figures.read("#4\tINITED cov: 101 ft: 120 corp: 3/500b exec/s: 0 rss: 31Mb");
        figures.read("#8192\tpulse  cov: 310 ft: 900 corp: 40/2Kb lim: 80 exec/s: 4096 rss: 40Mb");
        figures.read("Done 12000 runs in 3 second(s)");
        figures.read("stat::number_of_executed_units: 12000");
        assert_eq!(
            figures,
            Figures { executions: 12_000, coverage: 310, features: 900, corpus: 40 }
        );
    }
}
