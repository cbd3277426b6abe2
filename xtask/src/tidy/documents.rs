//! Documents: every link to a file and every path in backquotes leads somewhere.

use std::path::{Component, Path, PathBuf};

use super::{Findings, Workspace};

/// Folders of the workspace: text in backquotes that begins with one is a path.
const FOLDERS: [&str; 7] = ["crates/", "tests/", "benches/", "fuzz/", "xtask/", ".ci/", ".cargo/"];

/// Links and paths of every Markdown file.
pub(super) fn check(workspace: &Workspace<'_>) -> Findings {
    let mut found = Vec::new();
    for file in workspace.files.iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        let text = workspace.read(file)?;
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        for (number, line) in prose(&text) {
            for target in links(line) {
                if !exists(workspace.root, &folder.join(target)) {
                    found.push(format!(
                        "{}:{number}: the link to {target} leads nowhere",
                        file.display()
                    ));
                }
            }
            for path in paths(line) {
                if !exists(workspace.root, Path::new(path)) {
                    found.push(format!("{}:{number}: there is no {path}", file.display()));
                }
            }
        }
    }
    Ok(found)
}

/// The lines outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// Targets of `[text](target)` that are files: no URL, no anchor alone, no path of an item for rustdoc.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split_once(')')?.0;
        let file = target.split(['#', ' ']).next().unwrap_or_default();
        let other = file.is_empty()
            || file.contains("://")
            || file.contains("::")
            || file.starts_with("mailto:");
        (!other).then_some(file)
    })
}

/// Paths of the workspace in backquotes. Words in capitals or angle brackets, and `*`, stand for something else.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|text| {
        let pattern = text.contains(['*', '<', '{', ' ', '$']) || text.contains("..");
        let stand_in = text
            .split(['/', '.', '-', '_'])
            .any(|part| part.len() > 1 && part != "README" && capital(part));
        FOLDERS.iter().any(|folder| text.starts_with(folder)) && !pattern && !stand_in
    })
}

fn capital(part: &str) -> bool {
    part.chars().all(|c| c.is_ascii_uppercase())
}

fn exists(root: &Path, path: &Path) -> bool {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                // A document may not lead out of the project.
                if !clean.pop() {
                    return false;
                }
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    root.join(clean).exists()
}

#[cfg(test)]
mod tests {
    use super::{exists, links, paths, prose};
    use std::path::Path;

    #[test]
    fn links_to_files_only() {
        let line = "[a](ARCHITECTURE.md#map) [b](https://x.y/z) [c](#here) [d](crate::Reader) ![e](img/x.png \"t\")";
        assert_eq!(links(line).collect::<Vec<_>>(), ["ARCHITECTURE.md", "img/x.png"]);
    }

    #[test]
    fn paths_in_backquotes() {
        let line = "`crates/bindery-core` `cargo test` `tests/requirements/*.toml` `fuzz/corpus/TARGET` `tests/README.md`";
        assert_eq!(paths(line).collect::<Vec<_>>(), ["crates/bindery-core", "tests/README.md"]);
    }

    #[test]
    fn fenced_code_is_left_alone() {
        let lines: Vec<_> = prose("a\n```sh\nb\n```\nc").map(|(number, _)| number).collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn no_way_out_of_the_project() {
        assert!(!exists(Path::new("/"), Path::new("../etc/passwd")));
        assert!(exists(Path::new("/"), Path::new("usr/../usr")));
    }
}
