//! Requirement rows and the tests that name them: no id twice, none unknown, none named above something else.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Workspace};
use crate::conformance::rows::Area;
use crate::conformance::run::OTHER_BUILDS;
use crate::conformance::tests::named;

/// The rows' own data, their status files, and every `proves:` line of the workspace.
pub(super) fn check(workspace: &Workspace<'_>) -> Findings {
    let areas = Area::all(workspace.root)?;
    let mut found = Vec::new();
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for area in &areas {
        for row in &area.rows {
            if let Some(other) = known.insert(&row.id, &area.name) {
                found.push(format!(
                    "{} stands in {other} and in {}: an id is given once",
                    row.id, area.name
                ));
            }
        }
    }
    let ids: BTreeSet<&str> = known.keys().copied().collect();
    found.extend(areas.iter().flat_map(|area| area.problems(&ids)));
    let (tests, astray) = named(workspace.root, &workspace.members)?;
    for (file, line) in astray {
        let file = file.strip_prefix(workspace.root).unwrap_or(&file).display().to_string();
        found.push(format!("{file}:{line}: `proves:` stands above something that is no test"));
    }
    for test in &tests {
        let package =
            workspace.members.packages.iter().find(|package| package.name == test.package);
        let other = OTHER_BUILDS.iter().any(|build| build.package == test.package);
        if package.is_some_and(|package| !other && !workspace.members.is_default(package)) {
            found.push(format!(
                "{} names rows, but cargo test does not run {}",
                test.shown(),
                test.package
            ));
        }
        let file = test.test.file.strip_prefix(workspace.root).unwrap_or(&test.test.file).display();
        let unknown = test.test.proves.iter().filter(|id| !ids.contains(id.as_str()));
        found.extend(unknown.map(|id| {
            format!(
                "{file}:{}: there is no row {id}: rows stand in tests/requirements/*.toml",
                test.test.line
            )
        }));
    }
    Ok(found)
}
