//! Who may depend on whom: from the manifests, and from each crate's own dependency tree.
//!
//! Both are needed. A manifest shows what is meant; the tree shows what a feature or a third crate brings along.

use std::collections::{BTreeMap, BTreeSet};

use super::{CrateRule, Features, Findings, Workspace};
use crate::process::{capture, cargo};
use crate::workspace::{Dependency, Package};

/// The manifests against the `uses` and `behind` of the rules.
pub(super) fn manifests(workspace: &Workspace<'_>) -> Findings {
    let rules: BTreeMap<&str, &CrateRule> =
        workspace.rules.crates.iter().map(|c| (c.name.as_str(), c)).collect();
    let mut ours: BTreeSet<&str> =
        workspace.members.packages.iter().map(|p| p.name.as_str()).collect();
    let mut found: Vec<String> = rules
        .keys()
        .filter(|name| !ours.contains(*name))
        .map(|name| {
            format!("xtask/tidy.toml: {name} is no member of the workspace: remove its rule")
        })
        .collect();
    // The fuzz crate is its own workspace, and its functions are called by the tests.
    ours.insert("bindery-fuzz");
    for package in &workspace.members.packages {
        match rules.get(package.name.as_str()) {
            Some(rule) => found.extend(one(package, rule, &ours)),
            None => found.push(format!(
                "xtask/tidy.toml: {} has no rule: add a [[crate]] row",
                package.name
            )),
        }
    }
    Ok(found)
}

fn one(package: &Package, rule: &CrateRule, ours: &BTreeSet<&str>) -> Vec<String> {
    let name = &package.name;
    let inside =
        package.dependencies.iter().filter(|d| ours.contains(d.name.as_str()) && &d.name != name);
    let judge = |dependency: &Dependency| {
        let used = &dependency.name;
        let by_tests = dependency.kind.as_deref() == Some("dev") && rule.tests_use.contains(used);
        if rule.uses.contains(used) || by_tests {
            return Vec::new();
        }
        let Some(allowed) = rule.behind.get(used) else {
            return vec![format!(
                "{name} must not depend on {used}: see the direction in ARCHITECTURE.md"
            )];
        };
        if dependency.kind.is_some() {
            return Vec::new();
        }
        if !dependency.optional {
            let features = allowed.join(", ");
            return vec![format!(
                "{name} may use {used} only as an optional dependency behind {features}"
            )];
        }
        let wrong =
            switching_on(package, used).filter(|feature| !allowed.iter().any(|a| a == feature));
        wrong
            .map(|feature| format!("{name}: the feature {feature} must not switch on {used}"))
            .collect()
    };
    inside.flat_map(judge).collect()
}

/// The features that switch an optional dependency on by themselves.
fn switching_on<'a>(package: &'a Package, used: &'a str) -> impl Iterator<Item = &'a str> {
    let names = move |item: &str| {
        let item = item.strip_prefix("dep:").unwrap_or(item);
        // "x?/feature" sets a feature of x where x is on already.
        item.split_once('/').map_or(item, |(krate, _)| krate) == used
    };
    package
        .features
        .iter()
        .filter(move |(_, items)| items.iter().any(|i| names(i)))
        .map(|(name, _)| name.as_str())
}

/// Each crate's own tree, normal dependencies only, against its `tree` rules and what no default build may have.
pub(super) fn trees(workspace: &Workspace<'_>) -> Findings {
    let mut found = Vec::new();
    for rule in &workspace.rules.crates {
        let by_default = (Features::Default, &workspace.rules.never_by_default);
        let wanted = rule.tree.iter().map(|tree| (tree.features, &tree.never)).chain([by_default]);
        let mut trees: BTreeMap<Features, BTreeSet<String>> = BTreeMap::new();
        for (features, never) in wanted {
            if let std::collections::btree_map::Entry::Vacant(entry) = trees.entry(features) {
                entry.insert(
                    tree(workspace, &rule.name, features)?
                        .into_iter()
                        .map(|(name, _)| name)
                        .collect(),
                );
            }
            let tree = trees.get(&features).into_iter().flatten();
            found.extend(tree.filter(|krate| never.contains(krate)).map(|krate| {
                let options =
                    [&["cargo", "tree", "-e", "normal", "-p", &rule.name], features.options()]
                        .concat();
                let command = format!("{} -i {krate}", options.join(" "));
                format!(
                    "{} {} must not have {krate} in its tree; to see why: {command}",
                    rule.name,
                    features.shown()
                )
            }));
        }
    }
    Ok(found)
}

/// Names and versions in a crate's own tree, itself included; features of other members do not leak in.
pub(super) fn tree(
    workspace: &Workspace<'_>,
    package: &str,
    features: Features,
) -> Result<BTreeSet<(String, String)>, String> {
    let options =
        ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let text = capture(cargo(workspace.root).args(options).args(features.options()))?;
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    Ok(text.lines().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::{CrateRule, one, switching_on};
    use crate::workspace::Package;

    fn package(text: &str) -> Package {
        serde_json::from_str(text).unwrap()
    }

    fn kmip(optional: bool, features: &str) -> Package {
        package(&format!(
            r#"{{"id":"k","name":"k","version":"1.0.0","manifest_path":"/k/Cargo.toml","license":null,
                "rust_version":null,"targets":[],"features":{features},
                "dependencies":[{{"name":"t","kind":null,"optional":{optional}}}]}}"#
        ))
    }

    fn judge(package: &Package, rule: &str) -> Vec<String> {
        let rule: CrateRule = toml::from_str(rule).unwrap();
        one(package, &rule, &["k", "t"].into_iter().collect())
    }

    #[test]
    fn a_dependency_against_the_direction_is_found() {
        assert_eq!(judge(&kmip(false, "{}"), "name='k'\nuses=['t']"), [""; 0]);
        assert_eq!(judge(&kmip(false, "{}"), "name='k'\nuses=[]").len(), 1);
    }

    #[test]
    fn behind_a_feature_means_optional_and_that_feature_alone() {
        let rule = "name='k'\nuses=[]\nbehind={t=['client']}";
        assert!(judge(&kmip(false, "{}"), rule)[0].contains("only as an optional dependency"));
        let clean = kmip(true, r#"{"client":["dep:t"],"default":[],"extra":["t?/x"]}"#);
        assert_eq!(judge(&clean, rule), [""; 0]);
        for items in [r#"["dep:t"]"#, r#"["t/x"]"#, r#"["t"]"#] {
            let leaking = kmip(true, &format!(r#"{{"client":["dep:t"],"default":{items}}}"#));
            assert_eq!(judge(&leaking, rule), ["k: the feature default must not switch on t"]);
        }
    }

    #[test]
    fn a_weak_dependency_feature_switches_nothing_on() {
        let package = kmip(true, r#"{"a":["t?/x"]}"#);
        assert_eq!(switching_on(&package, "t").count(), 0);
    }
}
