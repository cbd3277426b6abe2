//! The manifests: a comment per member, shared lints, README and licence, one integration test, benches kept apart.

use std::path::Path;

use super::{Findings, Workspace};
use crate::workspace::Package;

/// Every manifest of the workspace.
pub(super) fn check(workspace: &Workspace<'_>) -> Findings {
    let root = workspace.read(Path::new("Cargo.toml"))?;
    let mut found = uncommented(&root);
    for package in &workspace.members.packages {
        let file =
            package.manifest_path.strip_prefix(workspace.root).unwrap_or(&package.manifest_path);
        let text = workspace.read(file)?;
        let manifest: toml::Table = text.parse().map_err(|e| format!("{}: {e}", file.display()))?;
        found.extend(
            shape(package, &manifest, workspace.root)
                .into_iter()
                .map(|what| format!("{}: {what}", file.display())),
        );
    }
    Ok(found)
}

/// Members in the root manifest that have no comment behind them.
fn uncommented(root: &str) -> Vec<String> {
    let lines = root.lines().skip_while(|line| line.trim() != "members = [").skip(1);
    lines
        .take_while(|line| line.trim() != "]")
        .filter(|line| line.trim_start().starts_with('"'))
        .filter(|line| line.split_once('#').is_none_or(|(_, comment)| comment.trim().is_empty()))
        .map(|line| {
            format!(
                "Cargo.toml: {}: say in a comment behind it what the member is for",
                line.trim()
            )
        })
        .collect()
}

fn shape(package: &Package, manifest: &toml::Table, root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
    let lints =
        table("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if lints != Some(true) {
        found.push("add [lints] workspace = true".to_owned());
    }
    let folder = package.folder();
    if folder.starts_with(root.join("crates")) {
        if folder.file_name().is_none_or(|name| name != package.name.as_str()) {
            found.push(format!("the folder's name is not the crate's ({})", package.name));
        }
        if std::fs::read_to_string(folder.join("README.md"))
            .is_ok_and(|text| text.lines().count() < 5)
        {
            found.push(
                "README.md says next to nothing: what it is, an example, limits, features, licence"
                    .to_owned(),
            );
        }
        if !folder.join("README.md").is_file() {
            found.push("add a README.md".to_owned());
        }
        for field in ["description", "license", "repository", "readme"] {
            if table("package").is_none_or(|package| !package.contains_key(field)) {
                found.push(format!("[package] has no {field}"));
            }
        }
    }
    found.extend(harness(manifest));
    found.extend(integration(package));
    found
}

/// `bench = false` on libraries and programs: their test harness does not know criterion's options.
fn harness(manifest: &toml::Table) -> Vec<String> {
    let off =
        |target: &toml::Table| target.get("bench").and_then(toml::Value::as_bool) == Some(false);
    let library =
        manifest.get("lib").and_then(toml::Value::as_table).into_iter().map(|lib| ("[lib]", lib));
    let programs = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let programs = programs.filter_map(toml::Value::as_table).map(|bin| ("[[bin]]", bin));
    let targets: Vec<_> = library.chain(programs).collect();
    if targets.is_empty() {
        return vec!["add [lib] or [[bin]] with bench = false: cargo bench would run it with criterion's options".into()];
    }
    targets
        .into_iter()
        .filter(|(_, target)| !off(target))
        .map(|(name, _)| {
            format!("{name}: add bench = false, or cargo bench runs it with criterion's options")
        })
        .collect()
}

/// One binary of integration tests per crate keeps linking cheap.
fn integration(package: &Package) -> Vec<String> {
    let allowed: &[&str] =
        if package.name == "bindery-tests" { &["it", "conformance"] } else { &["it"] };
    let tests =
        package.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "test"));
    tests
        .filter(|target| !allowed.contains(&target.name.as_str()))
        .map(|target| {
            format!("the test {} is a binary of its own: make it a module of tests/it", target.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{harness, uncommented};

    #[test]
    fn members_need_a_comment() {
        let root = "[workspace]\nmembers = [\n    \"a\", # what\n    \"b\",\n    \"c\", #\n]\n";
        let found = uncommented(root);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("\"b\"") && found[1].contains("\"c\""));
    }

    #[test]
    fn benches_are_off_on_libraries_and_programs() {
        let count = |text: &str| harness(&text.parse().unwrap()).len();
        assert_eq!(count("[lib]\nbench = false"), 0);
        assert_eq!(count("[lib]\nbench = false\n[[bin]]\nname = \"x\""), 1);
        assert_eq!(count("[package]\nname = \"x\""), 1);
    }
}
