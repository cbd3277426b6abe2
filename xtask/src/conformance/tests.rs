//! Which tests name rows: every test target of every member, read as source.

use std::path::{Path, PathBuf};

use crate::source::{self, Test};
use crate::workspace::Metadata;

/// A test that names at least one row, and the binary that it is in.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) package: String,
    /// The target's name, as in cargo's messages.
    pub(crate) target: String,
    /// The target's root file, which tells a library from a program of the same name.
    pub(crate) root: PathBuf,
    pub(crate) test: Test,
}

impl Named {
    /// `package target module::path::name`: enough to find it and to run it.
    pub(crate) fn shown(&self) -> String {
        format!("{} {} {}", self.package, self.target, self.test.path)
    }
}

/// A `proves:` line that stands above no test: file and line.
pub(crate) type Astray = (PathBuf, usize);

/// The tests of a package's test binary `it`, with or without rows, by their paths.
///
/// # Errors
/// A source cannot be read, is no Rust, or has no such test.
pub(crate) fn by_path(
    members: &Metadata,
    package: &str,
    paths: &[String],
) -> Result<Vec<Named>, String> {
    let mut found = Vec::new();
    let of = members.packages.iter().find(|one| one.name == package);
    let targets = of.into_iter().flat_map(|package| &package.targets);
    for target in targets.filter(|target| target.has_tests() && target.name == "it") {
        let tests = source::target(&target.src_path)?.tests.into_iter();
        found.extend(tests.filter(|test| paths.contains(&test.path)).map(|test| Named {
            package: package.to_owned(),
            target: target.name.clone(),
            root: target.src_path.clone(),
            test,
        }));
    }
    let there = |path: &&String| found.iter().any(|one| one.test.path == **path);
    match paths.iter().find(|path| !there(path)) {
        Some(path) => Err(format!("{package} has no test {path} in its binary `it`")),
        None => Ok(found),
    }
}

/// Every test that names rows, and the `proves:` lines that name them in vain.
///
/// # Errors
/// A source cannot be read, or is no Rust.
pub(crate) fn named(root: &Path, members: &Metadata) -> Result<(Vec<Named>, Vec<Astray>), String> {
    let mut found = Vec::new();
    let mut astray = Vec::new();
    for package in members.packages.iter().filter(|package| package.folder().starts_with(root)) {
        for target in package.targets.iter().filter(|target| target.has_tests()) {
            let tree = source::target(&target.src_path)?;
            astray.extend(tree.astray);
            let naming = tree.tests.into_iter().filter(|test| !test.proves.is_empty());
            found.extend(naming.map(|test| Named {
                package: package.name.clone(),
                target: target.name.clone(),
                root: target.src_path.clone(),
                test,
            }));
        }
    }
    astray.sort();
    astray.dedup();
    Ok((found, astray))
}
