//! Replays the OASIS test cases of KMIP against a key server over mutual TLS, by our own client, and compares what
//! comes back with what the case has, but for what the profiles permit to vary. `cargo xtask oasis DIR` runs it.
//!
//! Each case has a client of its own, so that no case finds another's objects; one that begins by locating what an
//! earlier case of its family made (TL-M-3 after TL-M-2) goes on as that case's client.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool prints")]

mod case;
mod compare;
mod tree;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bindery_kmip::HttpsProfile;
use bindery_tests::site::{Setup, Site};
use serde::Deserialize;

/// The cases that say nothing of this server, and why.
const NOT_APPLICABLE: &str = include_str!("../../oasis/not-applicable.toml");

#[derive(Debug, Deserialize)]
struct NotApplicable {
    case: Vec<Excused>,
}

/// Cases by their names without version: `PKCS11-M-1` stands for `PKCS11-M-1-21.xml` and all others.
#[derive(Debug, Deserialize)]
struct Excused {
    names: Vec<String>,
    /// The versions that it holds for, as the names end; all when there are none.
    #[serde(default)]
    versions: Vec<String>,
    reason: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let directories: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if directories.is_empty() {
        eprintln!("usage: oasis_replay DIR..");
        return ExitCode::from(2);
    }
    let excused: NotApplicable = match toml::from_str(NOT_APPLICABLE) {
        Ok(excused) => excused,
        Err(error) => {
            eprintln!("tests/oasis/not-applicable.toml: {error}");
            return ExitCode::from(2);
        }
    };
    let mut files = Vec::new();
    for directory in &directories {
        if let Err(error) = collect(directory, &mut files) {
            eprintln!("{}: {error}", directory.display());
            return ExitCode::from(2);
        }
    }
    files.sort_by_key(|file| order(file));
    let setup = Setup { profile: HttpsProfile::default(), ..Setup::default() };
    let site = Site::with(setup).await;
    let (mut passed, mut failed, mut not_applicable) = (0, 0, 0);
    let mut families: BTreeMap<String, case::Client> = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        if let Some(reason) = excused.reason(file) {
            not_applicable += 1;
            println!("na\t{}\t{reason}", file.display());
            continue;
        }
        let outcome = case::replay(&site, file, number, &mut families).await;
        match outcome {
            Ok(exchanges) => {
                passed += 1;
                println!("ok\t{}\t{exchanges} exchanges", file.display());
            }
            Err(reason) => {
                failed += 1;
                println!("FAIL\t{}\t{}", file.display(), reason.replace(['\t', '\n'], " "));
            }
        }
    }
    println!("{passed} passed, {failed} failed, {not_applicable} not applicable");
    ExitCode::from(u8::from(failed > 0 || passed == 0))
}

impl NotApplicable {
    fn reason(&self, file: &Path) -> Option<&str> {
        let (name, version) = name_and_version(file);
        let holds = |excused: &&Excused| {
            excused.names.contains(&name)
                && (excused.versions.is_empty() || excused.versions.contains(&version))
        };
        self.case.iter().find(holds).map(|excused| excused.reason.as_str())
    }
}

/// `TL-M-2` and `21` of `TL-M-2-21.xml`.
fn name_and_version(file: &Path) -> (String, String) {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.rsplit_once('-') {
        Some((name, version)) => (name.to_owned(), version.to_owned()),
        None => (stem, String::new()),
    }
}

/// By folder, version and name, numbers in a name by their value: TL-M-2 before TL-M-10.
fn order(file: &Path) -> (PathBuf, String, Vec<(String, u32)>) {
    let (name, version) = name_and_version(file);
    let parts = name.split('-').map(|part| match part.parse() {
        Ok(number) => (String::new(), number),
        Err(_) => (part.to_owned(), 0),
    });
    (file.parent().unwrap_or_else(|| Path::new("")).to_owned(), version, parts.collect())
}

/// The XML files of a directory and of those inside it, or the one file that is named.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) {
            files.push(path);
        }
    }
    Ok(())
}
