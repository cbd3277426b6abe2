//! `cargo xtask bench`: runs the criterion groups and prints ours beside each peer of the same run, as a ratio.
//!
//! A benchmark's id is `GROUP/MESSAGE/IMPLEMENTATION`. Ours is `bindery`, or `bindery-` and a variant; every other
//! implementation of the same group and message is a peer. Absolute times inform; nothing is asserted of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::interop::python;
use crate::output::{print, say, table};
use crate::process::{cargo, shown};
use crate::workspace::Metadata;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only benchmarks whose id has this in it
    filter: Option<String>,
    /// The form of the result
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Stop measuring as soon as the result is stable enough (criterion's --quick)
    #[arg(long)]
    quick: bool,
    /// Run the benchmarks of a workspace of its own instead, whose peer has to be installed
    #[arg(long, value_enum, value_name = "PEER")]
    peer: Option<Installed>,
}

/// A peer that is linked, and so has to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Installed {
    /// libwbxml's C API beside bindery-wbxml (Debian: apt-get install libwbxml2-dev)
    Libwbxml,
    /// libtaxii beside bindery-taxii-xml, on the same messages (`cargo xtask interop taxii --install`)
    Libtaxii,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    Table,
    /// A list of objects with name, ours_ns, peer, peer_ns and ratio
    Json,
}

/// One of ours beside one peer. The JSON form has these fields and no other.
#[derive(Debug, PartialEq, Serialize)]
struct Comparison {
    /// Group and message, and our variant where it has one.
    name: String,
    /// Nanoseconds for an iteration, median.
    ours_ns: f64,
    peer: String,
    peer_ns: f64,
    /// How many times faster ours is: `peer_ns / ours_ns`.
    ratio: f64,
}

/// Criterion's `benchmark.json`.
#[derive(Deserialize)]
struct Id {
    full_id: String,
}

/// Criterion's `estimates.json`.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Runs the benchmarks and prints the comparisons.
///
/// # Errors
/// The benchmarks do not build or run, or nothing was measured.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let target = Metadata::members(root)?.target_directory;
    let criterion = target.join("criterion");
    let start = stamp(&criterion)?;
    let mut command = cargo(root);
    match options.peer {
        None => command.args(["bench", "--package", "bindery-benches", "--"]),
        Some(Installed::Libtaxii) => {
            command.args(["bench", "--package", "bindery-benches", "--bench", "taxii", "--"])
        }
        Some(Installed::Libwbxml) => {
            command.env("CARGO_TARGET_DIR", &target);
            let manifest = root.join("benches/libwbxml/Cargo.toml");
            command.args(["bench", "--locked", "--manifest-path"]).arg(manifest).arg("--")
        }
    };
    command.args(&options.filter);
    if options.quick {
        command.arg("--quick");
    }
    say(format!("$ {}", shown(&command)));
    // Criterion's own lines are progress; standard output is for the result.
    command.stdin(std::process::Stdio::null()).stdout(std::io::stderr());
    let status = command.status().map_err(|e| format!("{}: {e}", shown(&command)))?;
    if !status.success() {
        let needs = match options.peer {
            Some(Installed::Libwbxml) => {
                "\n(it links libwbxml2; Debian: apt-get install libwbxml2-dev)"
            }
            None | Some(Installed::Libtaxii) => "",
        };
        return Err(format!("{status}; to repeat it: {}{needs}", shown(&command)));
    }
    let mut measured = BTreeMap::new();
    collect(&criterion, start, &mut measured)?;
    if measured.is_empty() {
        return Err("nothing was measured: no benchmark has the filter in its id".to_owned());
    }
    if options.peer == Some(Installed::Libtaxii) {
        libtaxii(root, &target, &mut measured)?;
    }
    let comparisons = compare(&measured);
    match options.output {
        Form::Json => print(serde_json::to_string_pretty(&comparisons).map_err(|e| e.to_string())?),
        Form::Table => print(shown_table(&comparisons, &measured)),
    }
}

/// Times libtaxii on the messages that ours were timed on.
fn libtaxii(
    root: &Path,
    target: &Path,
    measured: &mut BTreeMap<String, f64>,
) -> Result<(), String> {
    if let Some(missing) = python::missing(root, "libtaxii", "1.1.119") {
        return Err(format!("{missing}; cargo xtask interop taxii --install"));
    }
    let folder = target.join("bench-taxii");
    let mut writes = cargo(root);
    writes.args([
        "run",
        "--release",
        "--package",
        "bindery-benches",
        "--example",
        "taxii_messages",
    ]);
    crate::process::run(writes.arg("--").arg(&folder))?;
    let mut times = std::process::Command::new(python::interpreter(root));
    times.arg(root.join("benches/libtaxii/time.py")).arg(&folder);
    let output = times.output().map_err(|e| format!("{}: {e}", shown(&times)))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let found: BTreeMap<String, f64> =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("{}: {e}", shown(&times)))?;
    measured.extend(found);
    Ok(())
}

/// The file system's own time, so that results of earlier runs can be told apart: the clock's resolution is the same.
fn stamp(criterion: &Path) -> Result<SystemTime, String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", criterion.display());
    fs::create_dir_all(criterion).map_err(wrong)?;
    let file = criterion.join(".xtask-bench-start");
    fs::write(&file, "").map_err(wrong)?;
    fs::metadata(&file).and_then(|data| data.modified()).map_err(wrong)
}

/// Medians by id, of every `new` folder that was written since the start.
fn collect(
    folder: &Path,
    since: SystemTime,
    measured: &mut BTreeMap<String, f64>,
) -> Result<(), String> {
    let wrong = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    for entry in fs::read_dir(folder).map_err(|e| wrong(folder, &e))? {
        let path: PathBuf = entry.map_err(|e| wrong(folder, &e))?.path();
        if !path.is_dir() {
            continue;
        }
        let (id, estimates) = (path.join("benchmark.json"), path.join("estimates.json"));
        let written = fs::metadata(&estimates).and_then(|data| data.modified());
        if path.file_name().is_some_and(|name| name == "new")
            && written.is_ok_and(|written| written >= since)
        {
            let read = |file: &Path| fs::read_to_string(file).map_err(|e| wrong(file, &e));
            let Id { full_id } = serde_json::from_str(&read(&id)?).map_err(|e| wrong(&id, &e))?;
            let found: Estimates =
                serde_json::from_str(&read(&estimates)?).map_err(|e| wrong(&estimates, &e))?;
            measured.insert(full_id, found.median.point_estimate);
        } else {
            collect(&path, since, measured)?;
        }
    }
    Ok(())
}

/// Splits an id into what is measured and who does it.
fn parts(id: &str) -> (&str, &str) {
    id.rsplit_once('/').unwrap_or((id, ""))
}

/// The variant of one of ours: empty for plain `bindery`; nothing for a peer.
fn ours(implementation: &str) -> Option<&str> {
    let rest = implementation.strip_prefix("bindery")?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('-') }
}

fn compare(measured: &BTreeMap<String, f64>) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (id, &ours_ns) in measured {
        let (what, implementation) = parts(id);
        let Some(variant) = ours(implementation) else { continue };
        let name = if variant.is_empty() { what.to_owned() } else { format!("{what} ({variant})") };
        for (other, &peer_ns) in measured {
            let (same, peer) = parts(other);
            if same == what && ours(peer).is_none() {
                let (name, peer, ratio) = (name.clone(), peer.to_owned(), peer_ns / ours_ns);
                comparisons.push(Comparison { name, ours_ns, peer, peer_ns, ratio });
            }
        }
    }
    comparisons
}

fn shown_table(comparisons: &[Comparison], measured: &BTreeMap<String, f64>) -> String {
    let rows: Vec<[String; 5]> = comparisons
        .iter()
        .map(|c| {
            [
                c.name.clone(),
                time(c.ours_ns),
                c.peer.clone(),
                time(c.peer_ns),
                format!("{:.2}x", c.ratio),
            ]
        })
        .collect();
    let alone = measured.iter().filter(|(id, _)| {
        let (what, implementation) = parts(id);
        ours(implementation).is_some()
            && !measured.keys().any(|o| parts(o).0 == what && ours(parts(o).1).is_none())
    });
    let alone: Vec<[String; 2]> = alone.map(|(id, &ns)| [id.clone(), time(ns)]).collect();
    let mut out = table(["what", "ours", "peer", "peer's", "ours is faster by"], &rows);
    if !alone.is_empty() {
        out = format!("{out}\n\n{}", table(["without a peer", "ours"], &alone));
    }
    out
}

fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::{collect, compare, ours, shown_table, time};
    use std::collections::BTreeMap;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn measured(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
        rows.iter().map(|(id, ns)| ((*id).to_owned(), *ns)).collect()
    }

    #[test]
    fn ours_beside_each_peer_of_the_same_message() {
        let measured = measured(&[
            ("decode/query/bindery", 100.0),
            ("decode/query/bindery-borrowed", 50.0),
            ("decode/query/kmip-protocol", 600.0),
            ("decode/create/bindery", 10.0),
            ("decode/binderyish/x", 1.0),
        ]);
        let found = compare(&measured);
        let rows: Vec<_> =
            found.iter().map(|c| (c.name.as_str(), c.peer.as_str(), c.ratio)).collect();
        assert_eq!(
            rows,
            [
                ("decode/query", "kmip-protocol", 6.0),
                ("decode/query (borrowed)", "kmip-protocol", 12.0)
            ]
        );
        assert!(shown_table(&found, &measured).contains("decode/create/bindery"));
    }

    #[test]
    fn a_name_that_only_begins_like_ours_is_a_peer() {
        assert_eq!(ours("bindery"), Some(""));
        assert_eq!(ours("bindery-lenient"), Some("lenient"));
        assert_eq!(ours("bindery2"), None);
        assert_eq!(ours("memcpy"), None);
    }

    #[test]
    fn only_this_runs_results_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("decode/query/bindery/new");
        let base = folder.path().join("decode/query/bindery/base");
        for path in [&new, &base] {
            fs::create_dir_all(path).unwrap();
            fs::write(
                path.join("benchmark.json"),
                r#"{"full_id":"decode/query/bindery","group_id":"decode"}"#,
            )
            .unwrap();
            fs::write(
                path.join("estimates.json"),
                r#"{"median":{"point_estimate":12.5},"mean":{}}"#,
            )
            .unwrap();
        }
        let mut found = BTreeMap::new();
        collect(folder.path(), SystemTime::UNIX_EPOCH, &mut found).unwrap();
        assert_eq!(found, measured(&[("decode/query/bindery", 12.5)]));
        found.clear();
        let written = fs::metadata(new.join("estimates.json")).unwrap().modified().unwrap();
        collect(folder.path(), written + Duration::from_secs(3600), &mut found).unwrap();
        assert_eq!(found, BTreeMap::new());
    }

    #[test]
    fn times_read_well() {
        assert_eq!(
            [time(52.34), time(1_330.0), time(2_500_000.0)],
            ["52.3 ns", "1.33 us", "2.50 ms"]
        );
    }
}
