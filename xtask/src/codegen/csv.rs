//! The CSV of the registry tables: commas, a header row, double quotes where a cell needs them.

use std::fs;
use std::path::Path;

/// Reads a table whose header is exactly `columns`; gives each row with its line number.
pub(super) fn read<const N: usize>(
    path: &Path,
    columns: [&str; N],
) -> Result<Vec<(usize, [String; N])>, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.is_empty());
    let (header, _) = lines.next().ok_or_else(|| format!("{name}: empty"))?;
    if header != columns.join(",") {
        return Err(format!("{name}: line 1: expected the header \"{}\"", columns.join(",")));
    }
    lines
        .map(|(line, number)| {
            let cells = split(line).map_err(|e| format!("{name}: line {number}: {e}"))?;
            let found = cells.len();
            let cells = <[String; N]>::try_from(cells)
                .map_err(|_| format!("{name}: line {number}: expected {N} cells, found {found}"))?;
            Ok((number, cells))
        })
        .collect()
}

/// The cells of one line.
fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut cells, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    if quoted { Err("a quote is not closed") } else { Ok(cells) }
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn cells_with_quotes_and_commas() {
        assert_eq!(split(r#"a,"b, ""c""",,d"#).unwrap(), ["a", r#"b, "c""#, "", "d"]);
        assert_eq!(split(r#"a,"b"#), Err("a quote is not closed"));
    }
}
