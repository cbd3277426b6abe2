//! A record's index entries as they stand in its row: as pairs, in their order.

use std::collections::BTreeSet;

use bindery_kmip::service::IndexEntry;
use bytes::Bytes;

use crate::sqlite::pairs;

/// Writes entries in their order; `None` if a name or value has 4 GiB or more.
pub(super) fn encode(entries: &[IndexEntry]) -> Option<Vec<u8>> {
    pairs::encode(entries.iter().map(|entry| (entry.name.as_str(), &*entry.value)))
}

/// Reads what [`encode`] wrote; `None` if it is something else.
pub(super) fn decode(input: Bytes) -> Option<Vec<IndexEntry>> {
    let pairs = pairs::decode(input)?;
    Some(pairs.into_iter().map(|(name, value)| IndexEntry::new(name, value)).collect())
}

/// The entries that make a row each: what is there twice counts once.
pub(super) fn distinct(entries: &[IndexEntry]) -> BTreeSet<(&str, &[u8])> {
    entries.iter().map(|entry| (entry.name.as_str(), &*entry.value)).collect()
}
