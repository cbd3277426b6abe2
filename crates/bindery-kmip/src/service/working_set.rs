//! The objects that one batch has loaded, made and changed: what later items of it see.

use std::collections::BTreeMap;

use super::{Change, Fault, KeyStore, object::Object};

/// Objects by Unique Identifier, with what the store holds of them.
#[derive(Debug, Default)]
pub(super) struct WorkingSet {
    entries: BTreeMap<String, Entry>,
    puts: u64,
}

#[derive(Debug)]
struct Entry {
    object: Object,
    /// The version in the store that the object rests on; `None` for a new one.
    base: Option<u64>,
    changed: bool,
}

impl WorkingSet {
    /// The object of an identifier: as this batch has it, or as the store has.
    ///
    /// # Errors
    /// The store failed or the record is damaged.
    pub(super) async fn fetch(
        &mut self,
        store: &dyn KeyStore,
        uid: &str,
    ) -> Result<Option<&Object>, Fault> {
        if !self.entries.contains_key(uid) {
            let loaded = store.load(&[uid.to_owned()]).await?.into_iter().next().flatten();
            let Some(loaded) = loaded else { return Ok(None) };
            let entry = Entry {
                object: Object::from_record(&loaded.record)?,
                base: Some(loaded.version),
                changed: false,
            };
            self.entries.insert(uid.to_owned(), entry);
        }
        Ok(self.entries.get(uid).map(|entry| &entry.object))
    }

    /// Takes a new or changed object in.
    pub(super) fn put(&mut self, object: Object) {
        self.puts += 1;
        match self.entries.get_mut(&object.uid) {
            Some(entry) => {
                entry.object = object;
                entry.changed = true;
            }
            None => {
                let uid = object.uid.clone();
                self.entries.insert(uid, Entry { object, base: None, changed: true });
            }
        }
    }

    /// The object as this batch has it, if it has changed it.
    pub(super) fn changed(&self, uid: &str) -> Option<&Object> {
        self.entries.get(uid).filter(|entry| entry.changed).map(|entry| &entry.object)
    }

    /// The objects that this batch has made or changed, in the order of their identifiers.
    pub(super) fn changed_objects(&self) -> impl Iterator<Item = &Object> {
        self.entries.values().filter(|entry| entry.changed).map(|entry| &entry.object)
    }

    /// How often this batch has made or changed an object.
    pub(super) const fn changed_count(&self) -> u64 {
        self.puts
    }

    /// What to commit.
    ///
    /// # Errors
    /// An object cannot be encoded.
    pub(super) fn changes(&self) -> Result<Vec<Change>, Fault> {
        let changed = self.entries.values().filter(|entry| entry.changed);
        changed
            .map(|entry| {
                let record = entry.object.to_record()?;
                Ok(match entry.base {
                    Some(expected) => Change::Replace { record, expected },
                    None => Change::Insert(record),
                })
            })
            .collect()
    }
}
