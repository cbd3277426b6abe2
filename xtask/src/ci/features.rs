//! Each library by itself. In the workspace's build, Cargo unifies features over all members, so a library that lacks
//! a feature of a dependency compiles there and fails at its first user.

use std::path::Path;

use crate::process::{cargo, run as run_command};
use crate::workspace::{Metadata, Package};

/// Checks every library without features, with its default ones and with all, as far as these differ.
///
/// # Errors
/// The first library and feature set that does not compile, or warns.
pub(super) fn run(root: &Path) -> Result<(), String> {
    let metadata = Metadata::members(root)?;
    // The backend on OpenSSL has a job of its own.
    let wanted = |package: &&Package| package.is_library(root) && package.name != super::LEGACY;
    for package in metadata.packages.iter().filter(wanted) {
        for options in sets(package) {
            let mut command = cargo(root);
            command.args(["clippy", "--quiet", "--lib", "--package", &package.name]).args(options);
            // Clippy and not check: it shares the dependencies' builds, and can turn warnings into errors.
            run_command(command.args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

/// The options of each feature set that differs from the others.
fn sets(package: &Package) -> Vec<&'static [&'static str]> {
    let default = package.features.get("default").map_or(0, Vec::len);
    let others = package.features.keys().filter(|name| *name != "default").count();
    let mut sets: Vec<&[&str]> = vec![&[]];
    if default > 0 {
        sets.insert(0, &["--no-default-features"]);
    }
    // All are on by default: the third set is the second.
    let all_by_default = package.features.get("default").is_some_and(|on| {
        package.features.keys().filter(|name| *name != "default").all(|name| on.contains(name))
    });
    if others > 0 && !all_by_default {
        sets.push(&["--all-features"]);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::sets;

    fn count(features: &str) -> usize {
        let text = format!(
            r#"{{"id":"k","name":"k","version":"1.0.0","manifest_path":"/k/Cargo.toml","license":null,
                "rust_version":null,"targets":[],"dependencies":[],"features":{features}}}"#
        );
        sets(&serde_json::from_str(&text).unwrap()).len()
    }

    #[test]
    fn only_sets_that_differ() {
        assert_eq!(count("{}"), 1);
        assert_eq!(count(r#"{"default":[],"client":[]}"#), 2);
        assert_eq!(count(r#"{"default":["client"],"client":[]}"#), 2);
        assert_eq!(count(r#"{"default":["client"],"client":[],"server":[]}"#), 3);
    }
}
