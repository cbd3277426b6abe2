//! How far each collection was read.

use std::{collections::BTreeMap, fmt, str::FromStr};

use bindery_taxii_xml::Timestamp;
use thiserror::Error;

/// How far each collection of each server was read: the `Inclusive_End_Timestamp` of the last poll that was read to its end.
/// The next poll begins there, exclusively, so that nothing is missed and nothing comes twice; the client's own clock plays no part.
///
/// As text it is one line for each collection: timestamp, address and collection, each behind a blank; what a program
/// keeps in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursors(BTreeMap<(String, String), Timestamp>);

impl Cursors {
    /// Nothing was read yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// How far a collection of the poll service at an address was read.
    pub fn get(&self, address: &str, collection: &str) -> Option<&Timestamp> {
        self.0.get(&(address.to_owned(), collection.to_owned()))
    }

    /// Notes that a collection was read up to there. It never goes back.
    ///
    /// An address or collection with a line end in it is not kept: it could not be read back.
    pub fn advance(&mut self, address: &str, collection: &str, end: Timestamp) {
        let broken = |text: &str| text.is_empty() || text.contains(['\n', '\r']);
        if broken(address) || broken(collection) || address.contains(' ') {
            return;
        }
        let place = self.0.entry((address.to_owned(), collection.to_owned()));
        place
            .and_modify(|held| {
                if end > *held {
                    *held = end.clone();
                }
            })
            .or_insert(end);
    }
}

impl fmt::Display for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((address, collection), end) in &self.0 {
            writeln!(f, "{end} {address} {collection}")?;
        }
        Ok(())
    }
}

/// A line that is none of [`Cursors`]'.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} of the cursors is not `timestamp address collection`")]
#[non_exhaustive]
pub struct ParseCursorsError {
    /// The line, from 1.
    pub line: usize,
}

impl FromStr for Cursors {
    type Err = ParseCursorsError;

    fn from_str(text: &str) -> Result<Self, ParseCursorsError> {
        let mut cursors = Self::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let mut parts = line.splitn(3, ' ');
            let parsed = (|| {
                let end = Timestamp::date_time(parts.next()?)?;
                Some((end, parts.next()?, parts.next().filter(|name| !name.is_empty())?))
            })();
            let Some((end, address, collection)) = parsed else {
                return Err(ParseCursorsError { line: index.saturating_add(1) });
            };
            cursors.advance(address, collection, end);
        }
        Ok(cursors)
    }
}
