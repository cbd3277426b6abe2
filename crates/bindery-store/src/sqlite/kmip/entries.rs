//! A record's index entries as they stand in its row: version 1, then for each entry its name and
//! its value, each as length (4 octets, big-endian) and octets.

use std::collections::BTreeSet;

use bindery_kmip::service::IndexEntry;
use bytes::{Buf, Bytes};

const FORMAT: u8 = 1;

/// Writes entries in their order; `None` if a name or value has 4 GiB or more.
pub(super) fn encode(entries: &[IndexEntry]) -> Option<Vec<u8>> {
    let room = entries.iter().map(|entry| 8 + entry.name.len() + entry.value.len());
    let mut output = Vec::with_capacity(1 + room.sum::<usize>());
    output.push(FORMAT);
    for entry in entries {
        for part in [entry.name.as_bytes(), &*entry.value] {
            output.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            output.extend_from_slice(part);
        }
    }
    Some(output)
}

/// Reads what [`encode`] wrote; `None` if it is something else.
pub(super) fn decode(mut input: Bytes) -> Option<Vec<IndexEntry>> {
    if input.try_get_u8().ok()? != FORMAT {
        return None;
    }
    let mut entries = Vec::new();
    while !input.is_empty() {
        let name = String::from_utf8(part(&mut input)?.to_vec()).ok()?;
        entries.push(IndexEntry::new(name, part(&mut input)?));
    }
    Some(entries)
}

/// The entries that make a row each: what is there twice counts once.
pub(super) fn distinct(entries: &[IndexEntry]) -> BTreeSet<(&str, &[u8])> {
    entries.iter().map(|entry| (entry.name.as_str(), &*entry.value)).collect()
}

fn part(input: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(input.try_get_u32().ok()?).ok()?;
    (length <= input.len()).then(|| input.split_to(length))
}
