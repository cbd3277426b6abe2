//! Lines that a merge left in a file for people to decide on.

use super::{Findings, Workspace};

/// Every file of text: no line that marks a side of a conflict.
pub(super) fn check(workspace: &Workspace<'_>) -> Findings {
    let mut found = Vec::new();
    for file in &workspace.files {
        // What is not text is not merged by lines, and a file may be gone already.
        let Ok(text) = workspace.read(file) else { continue };
        found.extend(marks(&text).map(|line| {
            format!("{}:{line}: a mark of a merge: decide between the sides", file.display())
        }));
    }
    Ok(found)
}

/// The numbers of the lines that mark the beginning or the end of a conflict. The line between the
/// sides says nothing alone: it also underlines titles.
fn marks(text: &str) -> impl Iterator<Item = usize> {
    let marks = ["<", ">"].map(|sign| sign.repeat(7) + " ");
    let lines = text.lines().zip(1..);
    lines
        .filter(move |(line, _)| marks.iter().any(|mark| line.starts_with(mark)))
        .map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::marks;

    #[test]
    fn both_ends_of_a_conflict() {
        let sign = |sign: &str| sign.repeat(7);
        let text = format!("a\n{} HEAD\nb\n{}\nc\n{} main\n", sign("<"), sign("="), sign(">"));
        assert_eq!(marks(&text).collect::<Vec<_>>(), [2, 6]);
    }

    #[test]
    fn titles_and_quotes_are_none() {
        let text = format!("Title\n{}\n {} x\n>>> 1\n", "=".repeat(7), "<".repeat(7));
        assert_eq!(marks(&text).count(), 0);
    }
}
