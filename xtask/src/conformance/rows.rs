//! The rows, from `tests/requirements/AREA.toml`, and what is said of them, from `tests/requirements/status/AREA.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

const LEVELS: [&str; 5] = ["must", "must-not", "should", "should-not", "may"];
const ROLES: [&str; 4] = ["client", "server", "both", "proxy"];

/// One file of rows with its status file.
#[derive(Debug)]
pub(crate) struct Area {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The first comment line of the file: which document it is made from.
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) status: StatusFile,
}

/// A requirement.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) level: String,
    pub(crate) text: String,
    /// Other rows that a proof of this one includes.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
}

impl Row {
    /// Its own id and those that it needs.
    pub(super) fn concerned(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.needs.iter().map(String::as_str))
    }
}

#[derive(Debug, Deserialize)]
struct RowFile {
    requirement: Vec<Row>,
}

/// How far an area is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Work goes on: a row with neither a test nor an entry is open and waits for what `rest` names.
    Growing,
    /// Every row has a test or an entry of its own; open rows name what they wait for.
    Accounted,
    /// No row is open.
    Complete,
}

/// What is said of rows that no test proves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusFile {
    /// Short names of the area; several areas may share one.
    #[serde(default)]
    names: Vec<String>,
    pub(crate) state: State,
    /// The rows are static conformance requirements: the report has a table for each side too, of what is supported.
    #[serde(default)]
    pub(crate) scr: bool,
    /// For a growing area: what all rows without a test or an entry wait for.
    rest: Option<Rest>,
    #[serde(default)]
    open: Vec<Open>,
    #[serde(default)]
    not_claimed: Vec<NotClaimed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    waits_for: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    ids: Vec<String>,
    waits_for: String,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotClaimed {
    ids: Vec<String>,
    reason: String,
}

/// What the status file says of one row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Named itself.
    Open(String),
    /// Named itself.
    NotClaimed(String),
    /// One of the rest of a growing area.
    Rest(String),
    /// Not named at all.
    Absent,
}

impl Area {
    /// Every area, by name.
    ///
    /// # Errors
    /// A file cannot be read, or is not of the form.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>, String> {
        let folder = root.join("tests/requirements");
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(file: &Path) -> Result<Self, String> {
        let read =
            |file: &Path| fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()));
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = read(file)?;
        let status_file = file.with_file_name("status").join(format!("{name}.toml"));
        let RowFile { requirement: rows } =
            toml::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
        let status = toml::from_str(&read(&status_file)?)
            .map_err(|e| format!("{}: {e}", status_file.display()))?;
        let title = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "))
            .unwrap_or(&name)
            .to_owned();
        Ok(Self { name, title, rows, status })
    }

    /// Whether the area is meant by a name on the command line.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.status.names.iter().any(|short| short == name)
    }

    /// Its names, for people.
    pub(crate) fn shown(&self) -> String {
        let names: Vec<&str> =
            std::iter::once(&self.name).chain(&self.status.names).map(String::as_str).collect();
        names.join(" or ")
    }

    /// What the status file says of a row.
    pub(super) fn entry(&self, id: &str) -> Entry {
        let has = |ids: &[String]| ids.iter().any(|i| i == id);
        if let Some(open) = self.status.open.iter().find(|open| has(&open.ids)) {
            let reason =
                open.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            return Entry::Open(format!("waits for {}{reason}", open.waits_for));
        }
        if let Some(not) = self.status.not_claimed.iter().find(|not| has(&not.ids)) {
            return Entry::NotClaimed(not.reason.clone());
        }
        match &self.status.rest {
            Some(rest) => Entry::Rest(format!("waits for {}", rest.waits_for)),
            None => Entry::Absent,
        }
    }

    /// Faults of the area's own data. `known` are the ids of all areas.
    pub(crate) fn problems(&self, known: &BTreeSet<&str>) -> Vec<String> {
        let rows = format!("tests/requirements/{}.toml", self.name);
        let status = format!("tests/requirements/status/{}.toml", self.name);
        let mut found = Vec::new();
        for row in &self.rows {
            let needs = row.needs.iter().filter(|need| !known.contains(need.as_str()));
            found.extend(
                needs.map(|need| format!("{rows}: {} needs {need}, which is no row", row.id)),
            );
            if !LEVELS.contains(&row.level.as_str()) {
                found.push(format!(
                    "{rows}: {}: the level {} is none of {}",
                    row.id,
                    row.level,
                    LEVELS.join(", ")
                ));
            }
            if !ROLES.contains(&row.role.as_str()) {
                found.push(format!(
                    "{rows}: {}: the role {} is none of {}",
                    row.id,
                    row.role,
                    ROLES.join(", ")
                ));
            }
            if row.text.trim().is_empty() {
                found.push(format!("{rows}: {} has no text", row.id));
            }
        }
        let own: BTreeSet<&str> = self.rows.iter().map(|row| row.id.as_str()).collect();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let lists = self
            .status
            .open
            .iter()
            .map(|o| &o.ids)
            .chain(self.status.not_claimed.iter().map(|n| &n.ids));
        for id in lists.flatten() {
            *times.entry(id).or_default() += 1;
        }
        for (id, times) in times {
            if !own.contains(id) {
                found.push(format!("{status}: {id} is no row of this area"));
            }
            if times > 1 {
                found.push(format!("{status}: {id} has {times} entries: leave one"));
            }
        }
        if self.status.rest.is_some() != (self.status.state == State::Growing) {
            found.push(format!(
                "{status}: [rest] belongs to an area with state = \"growing\", and to no other"
            ));
        }
        found
    }
}

#[cfg(test)]
mod unit {
    use super::{Area, Entry};
    use std::collections::BTreeSet;
    use std::fs;

    fn area(rows: &str, status: &str) -> Area {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("status")).unwrap();
        fs::write(folder.path().join("x.toml"), rows).unwrap();
        fs::write(folder.path().join("status/x.toml"), status).unwrap();
        Area::read(&folder.path().join("x.toml")).unwrap()
    }

    const ROWS: &str = "# A document\n[[requirement]]\nid='A'\nrole='both'\nlevel='must'\ntext='t'\nneeds=['B']\n\
                        [[requirement]]\nid='B'\nrole='server'\nlevel='may'\ntext='t'\n";

    #[test]
    fn entries_and_names() {
        let area = area(
            ROWS,
            "names=['short']\nstate='accounted'\n[[open]]\nids=['A']\nwaits_for='issue 8'\nreason='why'\n\
             [[not_claimed]]\nids=['B']\nreason='no'",
        );
        assert!(area.is_called("x") && area.is_called("short") && !area.is_called("y"));
        assert_eq!(area.title, "A document");
        assert_eq!(area.entry("A"), Entry::Open("waits for issue 8: why".into()));
        assert_eq!(area.entry("B"), Entry::NotClaimed("no".into()));
        assert_eq!(area.problems(&BTreeSet::from(["A", "B"])), [""; 0]);
    }

    #[test]
    fn faults_of_the_data_are_told() {
        let area = area(
            &ROWS.replace("'may'", "'perhaps'"),
            "state='complete'\nrest={waits_for='issue 3'}\n[[open]]\nids=['A','A','C']\nwaits_for='x'",
        );
        let problems = area.problems(&BTreeSet::from(["A"])).join("\n");
        for part in ["needs B", "perhaps", "C is no row", "A has 2 entries", "[rest] belongs"] {
            assert!(problems.contains(part), "{part} in {problems}");
        }
    }
}
