//! The string table of a document that is written.

use std::collections::BTreeMap;

use super::EncodeError;
use crate::token::{STR_I, STR_T};
use crate::{Charset, number};

/// The bytes of the table, and where in it the names are.
pub(super) struct StringTable {
    charset: Charset,
    bytes: Vec<u8>,
    /// Whether the last string has its end.
    ended: bool,
    names: BTreeMap<Box<[u8]>, u32>,
}

impl StringTable {
    pub(super) const fn new(charset: Charset) -> Self {
        Self { charset, bytes: Vec::new(), ended: true, names: BTreeMap::new() }
    }

    /// A table that begins with the strings of another document's.
    pub(super) fn with(charset: Charset, table: &[u8]) -> Self {
        let mut new = Self { bytes: table.to_vec(), ..Self::new(charset) };
        let mut at = 0;
        while let Some(rest) = table.get(at..).filter(|rest| !rest.is_empty()) {
            let length = charset.length(rest);
            let text = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            if let Ok(index) = u32::try_from(at) {
                new.names.entry(text.into()).or_insert(index);
            }
            at = at.saturating_add(text.len()).saturating_add(charset.terminator());
            new.ended = length.is_some();
        }
        new
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The place of a name, which is added if it is new.
    pub(super) fn name(&mut self, name: &str) -> Result<u32, EncodeError> {
        if !name.chars().all(|c| self.charset.holds(c)) {
            return Err(EncodeError::Charset { charset: self.charset });
        }
        let mut encoded = Vec::new();
        self.charset.encode(name, &mut encoded);
        if let Some(index) = self.names.get(&*encoded) {
            return Ok(*index);
        }
        let index = self.add(&encoded).ok_or(EncodeError::TooLong { maximum: u32::MAX })?;
        self.names.insert(encoded.into_boxed_slice(), index);
        Ok(index)
    }

    /// Appends a string with its end.
    fn add(&mut self, string: &[u8]) -> Option<u32> {
        let end = [0_u8; 2];
        let end = end.get(..self.charset.terminator())?;
        if !std::mem::replace(&mut self.ended, true) {
            // What is added must not become part of the last string of the other document's table.
            self.bytes.extend_from_slice(end);
        }
        let index = u32::try_from(self.bytes.len()).ok()?;
        self.bytes.extend_from_slice(string);
        self.bytes.extend_from_slice(end);
        Some(index)
    }

    /// Whether the string at this place of the table is `text`.
    pub(super) fn holds(&self, index: u32, text: &str) -> bool {
        let rest = self.bytes.get(index as usize..).unwrap_or_default();
        // Look no further than the text may take: two bytes for each of UTF-8, a mark of the order, an end.
        let window = rest.get(..text.len().saturating_mul(2).saturating_add(4)).unwrap_or(rest);
        let string = match self.charset.length(window) {
            Some(length) => window.get(..length),
            None => (window.len() == rest.len()).then_some(rest),
        };
        let decoded = string.and_then(|string| self.charset.decode(string));
        !rest.is_empty() && decoded.is_some_and(|decoded| decoded == text)
    }

    /// The place of a name that stood at `index` of another document's table: the same, if it stands there here too.
    pub(super) fn name_at(&mut self, index: u32, name: &str) -> Result<u32, EncodeError> {
        if self.holds(index, name) { Ok(index) } else { self.name(name) }
    }
}

/// What is known of a string that occurs in the body.
struct Seen {
    count: usize,
    index: Option<u32>,
}

/// Moves strings from the body, which begins at `body`, into the table, where that makes the document shorter.
/// `places` are the offsets of their `STR_I` in the buffer and their lengths without the end, in order.
pub(super) fn share(
    buffer: &mut Vec<u8>,
    body: usize,
    places: &[(usize, usize)],
    table: &mut StringTable,
) {
    let end = table.charset.terminator();
    let old = buffer.split_off(body);
    let string = |(at, length): (usize, usize)| {
        let from = (at - body) + 1;
        old.get(from..from + length).unwrap_or_default()
    };
    #[expect(
        clippy::disallowed_types,
        reason = "linear time on any strings, which an ordered map has not; its order is never looked at, and its keys \
                  are hashed with a secret"
    )]
    let mut seen: std::collections::HashMap<&[u8], Seen> = std::collections::HashMap::new();
    for place in places {
        seen.entry(string(*place)).or_insert(Seen { count: 0, index: None }).count += 1;
    }
    buffer.reserve(old.len());
    let mut copied = 0;
    for place in places {
        let text = string(*place);
        let Some(seen) = seen.get_mut(text) else { continue };
        if seen.index.is_none() && seen.count > 0 {
            let known = table.names.get(text).copied();
            let next = u32::try_from(table.bytes.len()).unwrap_or(u32::MAX);
            let in_place = seen.count * (1 + text.len() + end);
            let added = if known.is_some() { 0 } else { text.len() + end };
            let reference = 1 + number::length(known.unwrap_or(next));
            if seen.count * reference + added < in_place {
                seen.index = known.or_else(|| table.add(text));
            }
            // Decided once, whichever way.
            seen.count = 0;
        }
        let Some(index) = seen.index else { continue };
        let from = place.0 - body;
        buffer.extend_from_slice(old.get(copied..from).unwrap_or_default());
        buffer.push(STR_T);
        number::write(index, buffer);
        debug_assert_eq!(old.get(from), Some(&STR_I), "a place is that of a string");
        copied = from + 1 + text.len() + end;
    }
    buffer.extend_from_slice(old.get(copied..).unwrap_or_default());
}
