//! A key store in memory that fails when it is told to.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard},
};

use bindery_kmip::service::{
    Change, CommitError, Filter, KeyStore, Record, StoreError, StoreFuture, Versioned,
};

/// The records, in the order of their identifiers.
pub(crate) type Records = BTreeMap<String, Versioned>;

type Hook = Box<dyn FnMut(&mut Records) + Send>;

/// What a call to the store is to come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    Unavailable,
    Failed,
    Damaged,
}

impl Mishap {
    fn error(self) -> StoreError {
        match self {
            Self::Unavailable => StoreError::Unavailable("tablespace 7 of /var/lib".to_owned()),
            Self::Failed => StoreError::Failed("tablespace 7 of /var/lib".into()),
            Self::Damaged => StoreError::Damaged {
                uid: "tablespace 7".to_owned(),
                reason: "of /var/lib".to_owned(),
            },
        }
    }
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) records: Records,
    used: BTreeSet<String>,
    /// The mishaps of the next calls, oldest first; `None` for a call that goes well.
    pub(crate) loads: VecDeque<Option<Mishap>>,
    pub(crate) finds: VecDeque<Option<Mishap>>,
    pub(crate) commits: VecDeque<Option<Mishap>>,
    /// The next commit's outcome stays unknown, though it is made.
    pub(crate) unknown: bool,
    /// Acts between the decision and the commit.
    pub(crate) before_commit: Option<Hook>,
    /// How often the store was asked.
    pub(crate) loaded: usize,
    pub(crate) found: usize,
    pub(crate) committed: usize,
}

/// Keeps what [`KeyStore`] promises, with one lock around everything.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Inner>);

impl MemoryStore {
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn records(&self) -> Records {
        self.inner().records.clone()
    }

    #[track_caller]
    pub(crate) fn record(&self, uid: &str) -> Record {
        self.inner().records[uid].record.clone()
    }

    /// Acts on the records before every commit from now on.
    pub(crate) fn before_commit(&self, hook: impl FnMut(&mut Records) + Send + 'static) {
        self.inner().before_commit = Some(Box::new(hook));
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore").field(&self.inner().records).finish()
    }
}

fn mishap(next: &mut VecDeque<Option<Mishap>>) -> Result<(), StoreError> {
    next.pop_front().flatten().map_or(Ok(()), |mishap| Err(mishap.error()))
}

impl KeyStore for MemoryStore {
    fn load<'a>(
        &'a self,
        uids: &'a [String],
    ) -> StoreFuture<'a, Result<Vec<Option<Versioned>>, StoreError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.loaded += 1;
            mishap(&mut inner.loads)?;
            Ok(uids.iter().map(|uid| inner.records.get(uid).cloned()).collect())
        })
    }

    fn find<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> StoreFuture<'a, Result<Vec<Versioned>, StoreError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.found += 1;
            mishap(&mut inner.finds)?;
            let fits = |versioned: &&Versioned| {
                let record = &versioned.record;
                filter.owner.as_ref().is_none_or(|owner| *owner == record.owner)
                    && filter.after.as_ref().is_none_or(|after| *after < record.uid)
                    && filter.entries.iter().all(|entry| record.index.contains(entry))
            };
            let found = inner.records.values().filter(fits).take(filter.limit).cloned();
            let without_material = |mut versioned: Versioned| {
                versioned.record.material = None;
                versioned
            };
            Ok(found.map(without_material).collect())
        })
    }

    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.committed += 1;
            mishap(&mut inner.commits)?;
            if let Some(mut hook) = inner.before_commit.take() {
                hook(&mut inner.records);
                inner.before_commit = Some(hook);
            }
            let uids: BTreeSet<&str> = changes.iter().map(Change::uid).collect();
            assert_eq!(uids.len(), changes.len(), "a commit changes a record once");
            for change in &changes {
                let version = inner.records.get(change.uid()).map(|there| there.version);
                let expected = match change {
                    Change::Insert(_) if inner.used.contains(change.uid()) => Some(u64::MAX),
                    Change::Insert(_) => None,
                    Change::Replace { expected, .. } | Change::Delete { expected, .. } => {
                        Some(*expected)
                    }
                    other => panic!("{other:?}"),
                };
                if version != expected {
                    return Err(CommitError::Conflict { uid: change.uid().to_owned() });
                }
            }
            for change in changes {
                let uid = change.uid().to_owned();
                match change {
                    Change::Insert(record) => {
                        inner.used.insert(uid.clone());
                        inner.records.insert(uid, Versioned::new(record, 1));
                    }
                    Change::Replace { record, expected } => {
                        inner.records.insert(uid, Versioned::new(record, expected + 1));
                    }
                    other => panic!("the engine does not do this: {other:?}"),
                }
            }
            if std::mem::take(&mut inner.unknown) {
                return Err(CommitError::Unknown(Mishap::Failed.error()));
            }
            Ok(())
        })
    }
}
