//! What people read: progress on standard error, results on standard output, times and tables.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// A line of progress. A closed pipe is no reason to stop.
pub(crate) fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// A line of the result, on standard output.
///
/// # Errors
/// Standard output cannot be written (a full disk, a closed pipe).
pub(crate) fn print(text: impl AsRef<str>) -> Result<(), String> {
    writeln!(std::io::stdout().lock(), "{}", text.as_ref())
        .map_err(|e| format!("standard output: {e}"))
}

/// Measures how long a step takes.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "xtask is a driver: it tells people how long a step took"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// `4.2 s` or `3 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// Columns as wide as their widest cell; the last one is left as it is.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let mut line = |cells: &[&str]| {
        let mut text = String::new();
        for (cell, &width) in cells.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&head);
    let mut rules = widths.map(|width| "-".repeat(width));
    if let (Some(rule), Some(name)) = (rules.last_mut(), head.last()) {
        *rule = "-".repeat(name.chars().count());
    }
    line(&rules.each_ref().map(String::as_str));
    for row in rows {
        line(&row.each_ref().map(String::as_str));
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{seconds, table};
    use std::time::Duration;

    #[test]
    fn columns_line_up() {
        let rows =
            [["fmt".to_owned(), "ok".to_owned()], ["features".to_owned(), "failed".to_owned()]];
        assert_eq!(
            table(["job", "result"], &rows),
            "job       result\n--------  ------\nfmt       ok\nfeatures  failed"
        );
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(4_240)), "4.2 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
