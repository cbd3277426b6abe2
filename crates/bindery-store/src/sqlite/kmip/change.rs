//! Commits: prepared by the caller (material is sealed there), made by the writer.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use bindery_kmip::service::{Change, Record, StoreError};
use futures_util::future::BoxFuture;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{BAD_ENTRIES, entries, identity};
use crate::{
    keys::Ring,
    seal,
    sqlite::{
        SqliteError, sealing,
        writer::{Rejection, Work},
    },
};

/// How many index rows one statement writes.
const ROWS: usize = 32;

/// The most octets of one record. SQLite's own limit for a row is 1 GB.
const LARGEST_RECORD: usize = 256 << 20;

/// The changes of one commit, in their order.
pub(super) struct Commit {
    changes: Vec<Step>,
    bytes: usize,
}

enum Step {
    Insert(Stored),
    Replace { record: Stored, expected: u64 },
    Delete { uid: String, expected: u64 },
}

/// A record as its rows will be: nothing in it is secret any more.
struct Stored {
    record: Record,
    entries: Vec<u8>,
    sealed: Option<Vec<u8>>,
}

impl Commit {
    /// Seals and encodes what is to be stored.
    ///
    /// # Errors
    /// A record is too large, or the cryptographic library failed.
    pub(super) fn prepare(
        changes: Vec<Change>,
        ring: &Ring,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let mut steps = Vec::with_capacity(changes.len());
        let mut bytes = 0_usize;
        for change in changes {
            let step = match change {
                Change::Insert(record) => Step::Insert(Stored::prepare(record, ring, path)?),
                Change::Replace { record, expected } => {
                    Step::Replace { record: Stored::prepare(record, ring, path)?, expected }
                }
                Change::Delete { uid, expected } => Step::Delete { uid, expected },
                other => {
                    let detail =
                        format!("a change of {} that the store does not know", other.uid());
                    return Err(SqliteError::Other { path: path.to_owned(), detail }.into());
                }
            };
            bytes = bytes.saturating_add(match &step {
                Step::Insert(stored) | Step::Replace { record: stored, .. } => stored.bytes(),
                Step::Delete { uid, .. } => uid.len(),
            });
            steps.push(step);
        }
        Ok(Self { changes: steps, bytes })
    }
}

impl Commit {
    /// The same commit, sealed under the data key that is current now.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub(super) fn under(&self, before: &Ring, now: &Ring, path: &Path) -> Result<Self, StoreError> {
        let changes = self.changes.iter().map(|step| {
            Ok(match step {
                Step::Insert(stored) => Step::Insert(stored.under(before, now, path)?),
                Step::Replace { record, expected } => {
                    Step::Replace { record: record.under(before, now, path)?, expected: *expected }
                }
                Step::Delete { uid, expected } => {
                    Step::Delete { uid: uid.clone(), expected: *expected }
                }
            })
        });
        let changes = changes.collect::<Result<_, StoreError>>()?;
        Ok(Self { changes, bytes: self.bytes })
    }
}

/// Shared with the caller, who seals it again where the data key has changed.
impl Work for Arc<Commit> {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            let mut table = Table { connection, path };
            for step in &self.changes {
                match step {
                    Step::Insert(stored) => table.insert(stored).await?,
                    Step::Replace { record, expected } => table.replace(record, *expected).await?,
                    Step::Delete { uid, expected } => table.delete(uid, *expected).await?,
                }
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Stored {
    fn prepare(mut record: Record, ring: &Ring, path: &Path) -> Result<Self, StoreError> {
        let other = |detail| StoreError::from(SqliteError::Other { path: path.to_owned(), detail });
        let material = record.material.take();
        let mut octets = record.attributes.len() + material.as_ref().map_or(0, |it| it.len());
        octets += record.index.iter().map(|it| it.name.len() + it.value.len()).sum::<usize>();
        let too_large = || {
            let uid = &record.uid;
            other(format!("the object {uid} has {octets} octets, more than {LARGEST_RECORD}"))
        };
        if octets > LARGEST_RECORD {
            return Err(too_large());
        }
        let entries = entries::encode(&record.index).ok_or_else(too_large)?;
        let parts = [record.uid.as_str(), record.owner.as_str()];
        let sealed = match &material {
            None => None,
            Some(secret) => Some(
                seal::seal(ring.current(), identity(&parts), secret.expose())
                    .map_err(|error| other(format!("the object {}: {error}", record.uid)))?,
            ),
        };
        Ok(Self { record, entries, sealed })
    }

    fn under(&self, before: &Ring, now: &Ring, path: &Path) -> Result<Self, StoreError> {
        let parts = [self.record.uid.as_str(), self.record.owner.as_str()];
        let sealed = match &self.sealed {
            None => None,
            Some(sealed) => Some(
                before
                    .open(identity(&parts), sealed)
                    .and_then(|secret| seal::seal(now.current(), identity(&parts), &secret))
                    .map_err(|error| SqliteError::Other {
                        path: path.to_owned(),
                        detail: format!("the object {}: {error}", self.record.uid),
                    })?,
            ),
        };
        Ok(Self { record: self.record.clone(), entries: self.entries.clone(), sealed })
    }

    fn bytes(&self) -> usize {
        let sealed = self.sealed.as_ref().map_or(0, Vec::len);
        // The entries go into the record's row and two trees of the index.
        self.record.attributes.len() + 3 * self.entries.len() + sealed
    }

    fn rows(&self) -> BTreeSet<(&str, &[u8])> {
        entries::distinct(&self.record.index)
    }
}

/// A record's place before a change: its owner and the entries that the index has of it.
struct Before {
    owner: String,
    entries: Vec<bindery_kmip::service::IndexEntry>,
}

/// The key server's tables, inside a transaction.
struct Table<'a> {
    connection: &'a mut SqliteConnection,
    path: &'a Path,
}

impl Table<'_> {
    async fn insert(&mut self, stored: &Stored) -> Result<(), Rejection> {
        let record = &stored.record;
        let sql = "INSERT INTO object (uid, owner, created, version, attributes, entries, material) \
                   SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6 \
                   WHERE NOT EXISTS (SELECT 1 FROM object_retired WHERE uid = ?1) \
                   ON CONFLICT DO NOTHING";
        let done = sqlx::query(sql)
            .bind(record.uid.as_str())
            .bind(record.owner.as_str())
            .bind(record.created.unix_micros())
            .bind(&*record.attributes)
            .bind(stored.entries.as_slice())
            .bind(stored.sealed.as_deref())
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        if done.rows_affected() == 0 {
            return Err(Rejection::Conflict { uid: record.uid.clone() });
        }
        self.add_rows(&record.uid, record.owner.as_str(), stored.rows()).await
    }

    async fn replace(&mut self, stored: &Stored, expected: u64) -> Result<(), Rejection> {
        let record = &stored.record;
        let uid = record.uid.as_str();
        let before = self.before(uid, expected).await?;
        let sql = "UPDATE object SET owner = ?, created = ?, version = version + 1, \
                   attributes = ?, entries = ?, material = ? WHERE uid = ?";
        sqlx::query(sql)
            .bind(record.owner.as_str())
            .bind(record.created.unix_micros())
            .bind(&*record.attributes)
            .bind(stored.entries.as_slice())
            .bind(stored.sealed.as_deref())
            .bind(uid)
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        let (old, new) = (entries::distinct(&before.entries), stored.rows());
        if before.owner == record.owner.as_str() {
            self.remove_rows(uid, &before.owner, &old - &new).await?;
            self.add_rows(uid, &before.owner, &new - &old).await
        } else {
            self.remove_rows(uid, &before.owner, old).await?;
            self.add_rows(uid, record.owner.as_str(), new).await
        }
    }

    async fn delete(&mut self, uid: &str, expected: u64) -> Result<(), Rejection> {
        let before = self.before(uid, expected).await?;
        let sqls =
            ["DELETE FROM object WHERE uid = ?", "INSERT INTO object_retired (uid) VALUES (?)"];
        for sql in sqls {
            sqlx::query(sql)
                .bind(uid)
                .execute(&mut *self.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.remove_rows(uid, &before.owner, entries::distinct(&before.entries)).await
    }

    /// What a record is, if it is at the expected version.
    async fn before(&mut self, uid: &str, expected: u64) -> Result<Before, Rejection> {
        let conflict = || Rejection::Conflict { uid: uid.to_owned() };
        let row = sqlx::query("SELECT version, owner, entries FROM object WHERE uid = ?")
            .bind(uid)
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?
            .ok_or_else(conflict)?;
        let damaged = |reason: String| Rejection::Damaged { uid: uid.to_owned(), reason };
        let unreadable = |error: sqlx::Error| damaged(error.to_string());
        let version: i64 = row.try_get(0).map_err(unreadable)?;
        if u64::try_from(version) != Ok(expected) {
            return Err(conflict());
        }
        let owner: String = row.try_get(1).map_err(unreadable)?;
        let entries: Vec<u8> = row.try_get(2).map_err(unreadable)?;
        let entries =
            entries::decode(entries.into()).ok_or_else(|| damaged(BAD_ENTRIES.to_owned()))?;
        Ok(Before { owner, entries })
    }

    async fn add_rows(
        &mut self,
        uid: &str,
        owner: &str,
        rows: BTreeSet<(&str, &[u8])>,
    ) -> Result<(), Rejection> {
        let rows: Vec<_> = rows.into_iter().collect();
        for chunk in rows.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT INTO object_index (name, value, owner, uid) ");
            query.push_values(chunk, |mut row, (name, value)| {
                row.push_bind(*name).push_bind(*value).push_bind(owner).push_bind(uid);
            });
            query.push(" ON CONFLICT DO NOTHING");
            let done = query.build().execute(&mut *self.connection).await;
            done.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    async fn remove_rows(
        &mut self,
        uid: &str,
        owner: &str,
        rows: BTreeSet<(&str, &[u8])>,
    ) -> Result<(), Rejection> {
        let sql = "DELETE FROM object_index WHERE name = ? AND value = ? AND owner = ? AND uid = ?";
        for (name, value) in rows {
            sqlx::query(sql)
                .bind(name)
                .bind(value)
                .bind(owner)
                .bind(uid)
                .execute(&mut *self.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn failed(&self, error: sqlx::Error) -> Rejection {
        sealing::failed(self.path, error)
    }
}
