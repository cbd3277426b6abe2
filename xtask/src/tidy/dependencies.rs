//! What we link: its licence, and the Rust version that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::direction::tree;
use super::{Features, Findings, Workspace};
use crate::workspace::{Metadata, Package};

type Index<'a> = BTreeMap<(&'a str, &'a str), &'a Package>;

/// Licences of everything in the members' trees; and no library asks for a newer Rust than it says.
pub(super) fn check(workspace: &Workspace<'_>) -> Findings {
    let all = Metadata::with_dependencies(workspace.root)?;
    let index: Index<'_> =
        all.packages.iter().map(|p| ((p.name.as_str(), p.version.as_str()), p)).collect();
    let mut found = BTreeSet::new();
    for package in workspace
        .members
        .packages
        .iter()
        .filter(|p| p.folder().starts_with(workspace.root.join("crates")))
    {
        for (name, version) in tree(workspace, &package.name, Features::All)? {
            let Some(dependency) = index.get(&(name.as_str(), version.as_str())) else { continue };
            if all.is_member(dependency) {
                continue;
            }
            if let Some(problem) = licence(dependency, &workspace.rules.licences) {
                found.insert(problem);
            }
            if newer(dependency.rust_version.as_deref(), package.rust_version.as_deref()) {
                found.insert(format!(
                    "{} says rust-version {}, but {name} {version} in its tree needs {}: raise the one or hold the other",
                    package.name,
                    package.rust_version.as_deref().unwrap_or("nothing"),
                    dependency.rust_version.as_deref().unwrap_or_default(),
                ));
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn licence(package: &Package, allowed: &[String]) -> Option<String> {
    let place = format!("{} {}", package.name, package.version);
    let Some(expression) = &package.license else {
        return Some(format!(
            "{place} names no licence: look at its files, then add it to xtask/tidy.toml or drop it"
        ));
    };
    let ok = permitted(expression, allowed);
    (!ok).then(|| {
        format!("{place} is under {expression}: not among the licences of xtask/tidy.toml")
    })
}

/// Reads an SPDX expression: OR of ANDs, parentheses around the ORs of an AND; the old form with `/` means OR.
fn permitted(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    if let Some(parts) = split(expression, " OR ") {
        return parts.into_iter().any(|part| permitted(part, allowed));
    }
    if let Some(parts) = split(expression, " AND ") {
        return parts.into_iter().all(|part| permitted(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => permitted(inner, allowed),
        None => allowed.iter().any(|a| a == expression),
    }
}

/// Splits at a word outside parentheses; nothing when it does not occur.
fn split<'a>(text: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0
                && at >= start
                && text.get(at..).is_some_and(|rest| rest.starts_with(word)) =>
            {
                parts.push(text.get(start..at)?);
                start = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (parts.len() > 1).then_some(parts)
}

/// Whether a dependency's Rust version is later than the one that we promise.
fn newer(needed: Option<&str>, promised: Option<&str>) -> bool {
    let parts = |version: &str| -> Vec<u32> {
        version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    match (needed, promised) {
        (Some(needed), Some(promised)) => {
            let (mut needed, mut promised) = (parts(needed), parts(promised));
            needed.resize(3, 0);
            promised.resize(3, 0);
            needed > promised
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{newer, permitted};

    #[test]
    fn licence_expressions() {
        let allowed =
            ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT/GPL-3.0", true),
            ("GPL-2.0 OR GPL-3.0", false),
            ("MIT AND ISC", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("ISC AND (GPL-2.0 OR GPL-3.0)", false),
            ("GPL-3.0 OR Apache-2.0 WITH LLVM-exception", true),
            ("(MIT OR ISC) AND (ISC OR GPL-3.0)", true),
        ] {
            assert_eq!(permitted(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn rust_versions() {
        assert!(newer(Some("1.94"), Some("1.89")));
        assert!(newer(Some("1.89.1"), Some("1.89")));
        assert!(!newer(Some("1.89.0"), Some("1.89")));
        assert!(!newer(Some("1.9"), Some("1.89")));
        assert!(!newer(None, Some("1.89")));
    }
}
