//! Places in a document: line, column, offset.

use std::fmt;

use crate::Encoding;

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Position {
    /// Bytes before it in the document as it arrived, a byte order mark included.
    pub offset: u64,
    /// The line, from 1. Lines end with LF, CR LF or CR (XML 1.0, section 2.11).
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The first character of a document without a byte order mark.
    pub const START: Self = Self { offset: 0, line: 1, column: 1 };
}

/// `line 2, column 7 (offset 40)`
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (offset {})", self.line, self.column, self.offset)
    }
}

/// A position that moves forward over text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracker {
    position: Position,
    encoding: Encoding,
    /// The last character was CR, so that LF belongs to the same line end.
    after_cr: bool,
}

impl Tracker {
    pub(crate) fn new(encoding: Encoding, skipped: usize) -> Self {
        let offset = count(skipped);
        Self { position: Position { offset, ..Position::START }, encoding, after_cr: false }
    }

    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// The same after more text.
    pub(crate) fn advanced(mut self, text: &str) -> Self {
        self.position.offset =
            self.position.offset.saturating_add(count(self.encoding.length_of(text)));
        let mut line_start = 0;
        for at in memchr::memchr2_iter(b'\n', b'\r', text.as_bytes()) {
            let lf = text.as_bytes().get(at) == Some(&b'\n');
            let continued = match at.checked_sub(1).and_then(|before| text.as_bytes().get(before)) {
                Some(before) => *before == b'\r',
                None => self.after_cr,
            };
            if !(lf && continued) {
                self.position.line = self.position.line.saturating_add(1);
            }
            self.position.column = 1;
            line_start = at.saturating_add(1);
        }
        let rest = text.get(line_start..).unwrap_or_default();
        self.position.column = self.position.column.saturating_add(count(rest.chars().count()));
        if let Some(last) = text.as_bytes().last() {
            self.after_cr = *last == b'\r';
        }
        self
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
