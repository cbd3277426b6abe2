//! `cargo xtask tidy`: what neither the compiler nor clippy checks.
//!
//! The rules are data where they can be: `xtask/tidy.toml`.

mod dependencies;
mod direction;
mod documents;
mod files;
mod manifests;
mod merges;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::output::{Stopwatch, say, seconds};
use crate::process::capture;
use crate::workspace::Metadata;

/// `xtask/tidy.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    lines_per_file: usize,
    never_by_default: Vec<String>,
    licences: Vec<String>,
    #[serde(rename = "crate")]
    crates: Vec<CrateRule>,
}

/// What one member may depend on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CrateRule {
    name: String,
    uses: Vec<String>,
    /// What its tests may use besides.
    #[serde(default)]
    tests_use: Vec<String>,
    #[serde(default)]
    behind: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    tree: Vec<TreeRule>,
}

/// What a member's own dependency tree must not have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeRule {
    features: Features,
    never: Vec<String>,
}

/// The feature sets that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Features {
    None,
    Default,
    All,
}

impl Features {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::None => &["--no-default-features"],
            Self::Default => &[],
            Self::All => &["--all-features"],
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::None => "without features",
            Self::Default => "with default features",
            Self::All => "with all features",
        }
    }
}

/// Everything that the checks look at, read once.
struct Workspace<'a> {
    root: &'a Path,
    rules: Rules,
    members: Metadata,
    /// Files that git tracks or would track, from the root, sorted.
    files: Vec<PathBuf>,
}

impl Workspace<'_> {
    fn read(&self, file: &Path) -> Result<String, String> {
        std::fs::read_to_string(self.root.join(file))
            .map_err(|e| format!("{}: {e}", file.display()))
    }

    /// The Rust sources that people wrote, with their text.
    fn sources(&self) -> Result<Vec<(&Path, String)>, String> {
        let rust = self.files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs"));
        rust.map(|file| Ok((file.as_path(), self.read(file)?))).collect()
    }
}

/// What a check found: a line each, with the place and the remedy.
type Findings = Result<Vec<String>, String>;

type Check = (&'static str, fn(&Workspace<'_>) -> Findings);

const CHECKS: [Check; 10] = [
    ("manifests: members, lints, licences, one integration test", manifests::check),
    ("direction: manifests", direction::manifests),
    ("direction: dependency trees", direction::trees),
    ("dependencies: licence, least Rust version", dependencies::check),
    ("files: length, unfinished code, exceptions", files::sources),
    ("files: crate roots", files::roots),
    ("files: what a merge left", merges::check),
    ("registries: sources", files::registries),
    ("documents: links and paths", documents::check),
    ("requirements: rows, and the tests that name them", rows::check),
];

/// Runs every check and shows what each found.
///
/// # Errors
/// Counts the findings, which have been shown; or says what could not be read.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let workspace = Workspace {
        root,
        rules: rules(root)?,
        members: Metadata::members(root)?,
        files: files(root)?,
    };
    let mut findings = 0;
    for (name, check) in CHECKS {
        let watch = Stopwatch::start();
        let found = check(&workspace).map_err(|e| format!("tidy: {name}: {e}"))?;
        let mark = if found.is_empty() { "ok" } else { "FAILED" };
        say(format!("tidy: {name}: {mark} ({})", seconds(watch.elapsed())));
        for finding in &found {
            say(format!("  {finding}"));
        }
        findings += found.len();
    }
    match findings {
        0 => Ok(()),
        1 => Err("tidy: 1 finding; to repeat it: cargo xtask tidy".to_owned()),
        n => Err(format!("tidy: {n} findings; to repeat it: cargo xtask tidy")),
    }
}

fn rules(root: &Path) -> Result<Rules, String> {
    let path = root.join("xtask/tidy.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Tracked files and new ones that are not ignored, without those deleted in the work tree.
fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let text = capture(std::process::Command::new("git").arg("-C").arg(root).args(list))?;
    let mut files: Vec<PathBuf> = text
        .split('\0')
        .filter(|name| !name.is_empty() && root.join(name).is_file())
        .map(PathBuf::from)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// Whether the file says in its first lines that a program wrote it.
fn is_generated(text: &str) -> bool {
    text.lines()
        .take(3)
        .any(|line| line.to_ascii_lowercase().contains("generated by cargo xtask codegen"))
        || text
            .lines()
            .take(3)
            .any(|line| line.to_ascii_lowercase().contains("generated by `cargo xtask codegen`"))
}
