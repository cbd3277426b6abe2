//! A sorted table of rows, searched by token and by text.

use std::borrow::Cow;

use super::{Row, Use};

/// Rows of one code space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// By page and token; those that are only written stand behind.
    rows: Cow<'static, [Row]>,
    /// How many are read.
    readable: usize,
    /// Positions of those that are written, by name, value, page and token.
    by_name: Cow<'static, [u16]>,
}

/// The table of a code space that a language does not use.
pub(super) static EMPTY: Table = Table::fixed(&[], 0, &[]);

impl Table {
    pub(super) const fn fixed(
        rows: &'static [Row],
        readable: usize,
        by_name: &'static [u16],
    ) -> Self {
        Self { rows: Cow::Borrowed(rows), readable, by_name: Cow::Borrowed(by_name) }
    }

    /// Sorts the rows; `None` when there are more than positions can number.
    pub(super) fn new(mut rows: Vec<Row>) -> Option<Self> {
        rows.sort_by_key(|row| (row.usage == Use::Write, row.page, row.token));
        let readable = rows.partition_point(|row| row.usage != Use::Write);
        let mut by_name: Vec<(&Row, u16)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let at = u16::try_from(at).ok()?;
            if row.usage != Use::Read {
                by_name.push((row, at));
            }
        }
        by_name.sort_by_key(|(row, _)| (&row.name, &row.value, row.page, row.token));
        let by_name = by_name.into_iter().map(|(_, at)| at).collect();
        Some(Self { rows: Cow::Owned(rows), readable, by_name: Cow::Owned(by_name) })
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of a page, by token.
    pub(super) fn page(&self, page: u8) -> &[Row] {
        let rows = self.rows.get(..self.readable).unwrap_or_default();
        let start = rows.partition_point(|row| row.page < page);
        let rows = rows.get(start..).unwrap_or_default();
        let end = rows.partition_point(|row| row.page == page);
        rows.get(..end).unwrap_or_default()
    }

    pub(super) fn row(&self, page: u8, token: u8) -> Option<&Row> {
        in_page(self.page(page), token)
    }

    fn at(&self, position: u16) -> Option<&Row> {
        self.rows.get(usize::from(position))
    }

    /// The rows with a name, by value, page and token.
    fn with_name(&self, name: &str) -> impl Iterator<Item = &Row> {
        let before = |at: &u16| self.at(*at).is_some_and(|row| &*row.name < name);
        let start = self.by_name.partition_point(before);
        let rest = self.by_name.get(start..).unwrap_or_default();
        rest.iter().filter_map(|at| self.at(*at)).take_while(move |row| row.name == name)
    }

    /// The row with this name: of this page, otherwise the first.
    pub(super) fn named(&self, name: &str, page: u8) -> Option<&Row> {
        let mut first = None;
        for row in self.with_name(name) {
            if row.page == page {
                return Some(row);
            }
            first = first.or(Some(row));
        }
        first
    }

    /// The row with this name whose value is the longest beginning of `value`.
    pub(super) fn start(&self, name: &str, value: &str, page: u8) -> Option<&Row> {
        let fitting = self.with_name(name).filter(|row| value.starts_with(&*row.value));
        // Of equal ones `max_by_key` takes the last: turn the order of the pages round.
        fitting.max_by_key(|row| (row.value.len(), row.page == page, !row.page))
    }

    /// The row whose name is the longest beginning of `text`.
    pub(super) fn beginning(&self, text: &str, page: u8) -> Option<&Row> {
        // What `text` begins with sorts at or before it, and shares at least its first byte.
        let first = *text.as_bytes().first()?;
        let not_after = |at: &u16| self.at(*at).is_some_and(|row| &*row.name <= text);
        let end = self.by_name.partition_point(not_after);
        let before = self.by_name.get(..end).unwrap_or_default().iter().rev();
        before
            .filter_map(|at| self.at(*at))
            .take_while(|row| row.name.as_bytes().first() == Some(&first))
            .filter(|row| text.starts_with(&*row.name))
            .max_by_key(|row| (row.name.len(), row.page == page, !row.page))
    }
}

/// The row of a token among the rows of one page. Tokens are dense: the row mostly stands where its number says.
#[inline]
pub(crate) fn in_page(rows: &[Row], token: u8) -> Option<&Row> {
    let first = rows.first()?.token;
    match rows.get(usize::from(token.wrapping_sub(first))) {
        Some(row) if row.token == token => Some(row),
        _ => rows.binary_search_by_key(&token, |row| row.token).ok().and_then(|at| rows.get(at)),
    }
}
