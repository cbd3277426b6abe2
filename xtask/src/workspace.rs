//! What cargo says of the workspace: packages, targets, dependencies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::process::{capture, cargo};

/// `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    #[serde(default)]
    pub(crate) workspace_members: Vec<String>,
    #[serde(default)]
    pub(crate) workspace_default_members: Vec<String>,
    pub(crate) target_directory: PathBuf,
}

/// One package: a member of ours or, when the dependencies were asked for, somebody else's.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) license: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
}

/// A line of a `[dependencies]` table.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or nothing for a normal one.
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
}

/// A library, program, test or bench.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
    pub(crate) test: bool,
}

impl Metadata {
    /// The members and nothing else: needs no network and no lock file.
    ///
    /// # Errors
    /// What cargo says of a manifest that it cannot read.
    pub(crate) fn members(root: &Path) -> Result<Self, String> {
        read(root, &["metadata", "--format-version", "1", "--no-deps"])
    }

    /// The members and everything that they depend on, on this machine's platform.
    ///
    /// # Errors
    /// As [`Metadata::members`]; a dependency cannot be fetched.
    pub(crate) fn with_dependencies(root: &Path) -> Result<Self, String> {
        let platform = host(root)?;
        read(root, &["metadata", "--format-version", "1", "--filter-platform", &platform])
    }

    /// Whether the package is a member of the workspace.
    pub(crate) fn is_member(&self, package: &Package) -> bool {
        self.workspace_members.contains(&package.id)
    }

    /// Whether `cargo test` without options touches the package.
    pub(crate) fn is_default(&self, package: &Package) -> bool {
        self.workspace_default_members.contains(&package.id)
    }
}

impl Package {
    /// The folder of the manifest.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or_else(|| Path::new("."))
    }

    /// Whether others can depend on it, and should find it documented: a library under `crates/`.
    pub(crate) fn is_library(&self, root: &Path) -> bool {
        self.folder().starts_with(root.join("crates"))
            && self.targets.iter().any(Target::is_library)
    }
}

impl Target {
    /// A library or a procedural macro.
    pub(crate) fn is_library(&self) -> bool {
        self.kind.iter().any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "proc-macro"))
    }

    /// Whether `cargo test` makes a test binary of it.
    pub(crate) fn has_tests(&self) -> bool {
        self.test
            && (self.is_library()
                || self.kind.iter().any(|kind| matches!(kind.as_str(), "bin" | "test")))
    }
}

fn read(root: &Path, arguments: &[&str]) -> Result<Metadata, String> {
    let text = capture(cargo(root).args(arguments))?;
    serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))
}

/// The machine's target triple, as rustc names it.
///
/// # Errors
/// rustc does not run, or does not say.
pub(crate) fn host(root: &Path) -> Result<String, String> {
    let text = capture(std::process::Command::new("rustc").arg("-vV").current_dir(root))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc -vV names no host".to_owned())
}
