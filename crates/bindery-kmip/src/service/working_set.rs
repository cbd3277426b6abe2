//! The objects that one batch has loaded, made and changed: what later items of it see.

use std::collections::BTreeMap;

use super::{Change, Record, object::Object};

/// Objects by Unique Identifier, with what the store holds of them.
#[derive(Debug, Default)]
pub(super) struct WorkingSet {
    entries: BTreeMap<String, Entry>,
}

/// An object of the batch.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) object: Object,
    /// How many octets its attributes have, encoded.
    pub(super) attribute_octets: usize,
    /// How many octets its material has, encoded.
    pub(super) material_octets: usize,
    /// The version in the store that the object rests on; `None` for a new one.
    base: Option<u64>,
    /// What to commit; `None` while nothing is changed.
    record: Option<Record>,
}

impl WorkingSet {
    /// The object as this batch has it.
    pub(super) fn get(&self, uid: &str) -> Option<&Entry> {
        self.entries.get(uid)
    }

    /// Takes in what the store has.
    pub(super) fn loaded(&mut self, object: Object, octets: (usize, usize), version: u64) {
        let (attribute_octets, material_octets) = octets;
        let base = Some(version);
        let uid = object.uid.clone();
        let entry = Entry { object, attribute_octets, material_octets, base, record: None };
        self.entries.insert(uid, entry);
    }

    /// Takes in a new or changed object, with its record.
    pub(super) fn put(&mut self, object: Object, record: Record) {
        let (attribute_octets, material_octets) = octets(&record);
        let base = self.entries.get(&object.uid).and_then(|entry| entry.base);
        let uid = object.uid.clone();
        let record = Some(record);
        let entry = Entry { object, attribute_octets, material_octets, base, record };
        self.entries.insert(uid, entry);
    }

    /// The objects that this batch has made or changed, in the order of their identifiers.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.record.is_some())
    }

    /// What to commit. The set is empty afterwards.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let entries = std::mem::take(&mut self.entries).into_values();
        entries
            .filter_map(|entry| {
                let record = entry.record?;
                Some(match entry.base {
                    Some(expected) => Change::Replace { record, expected },
                    None => Change::Insert(record),
                })
            })
            .collect()
    }
}

/// The octets of a record's attributes and of its material.
pub(super) fn octets(record: &Record) -> (usize, usize) {
    (record.attributes.len(), record.material.as_ref().map_or(0, crate::Secret::len))
}
