//! The key server's store.

mod change;
mod entries;
mod find;

use std::{collections::BTreeMap, mem};

use bindery_core::{Principal, Timestamp};
use bindery_kmip::{
    Secret,
    service::{Change, CommitError, Filter, KeyStore, Record, StoreError, StoreFuture, Versioned},
};
use bytes::Bytes;
use sqlx::{Acquire, QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    CheckReport, SqliteError, SqliteStore,
    report::number,
    reseal::Sealed,
    sealing::{self, Unopened},
    writer::Rejection,
};
use crate::seal::Identity;
use change::Commit;

/// How many records one statement loads.
const LOAD: usize = 64;

/// The column of the objects' material.
pub(super) const MATERIAL: Sealed = Sealed {
    what: "object",
    kind: KIND,
    list: "SELECT uid, owner, material FROM object \
           WHERE uid > ? AND material IS NOT NULL ORDER BY uid",
    update: "UPDATE object SET material = ? WHERE uid = ? AND material = ?",
};

const KIND: &str = "kmip material";

/// What a row of a listing has, in the order in which [`listed`] reads it.
const COLUMNS: &str = "o.uid, o.owner, o.created, o.version, o.attributes, o.entries";

impl KeyStore for SqliteStore {
    fn load<'a>(
        &'a self,
        uids: &'a [String],
    ) -> StoreFuture<'a, Result<Vec<Option<Versioned>>, StoreError>> {
        Box::pin(self.load_records(uids))
    }

    fn find<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> StoreFuture<'a, Result<Vec<Versioned>, StoreError>> {
        Box::pin(self.find_records(filter))
    }

    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            if changes.is_empty() {
                return Ok(());
            }
            let ring = self.inner.keys.ring();
            let commit = Commit::prepare(changes, &ring, &self.inner.path)?;
            let again = |commit: &Commit, before: &_, now: &_| {
                commit.under(before, now, &self.inner.path).map_err(CommitError::from)
            };
            self.submit_sealed(ring, commit, again).await
        })
    }
}

impl SqliteStore {
    async fn load_records(&self, uids: &[String]) -> Result<Vec<Option<Versioned>>, StoreError> {
        let failed = |error| StoreError::from(self.failed(error));
        let mut found = BTreeMap::new();
        if !uids.is_empty() {
            let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
            // One statement sees one state; several need a transaction for that.
            if uids.len() <= LOAD {
                self.load_chunk(&mut connection, uids, &mut found).await?;
            } else {
                let mut view = connection.begin().await.map_err(failed)?;
                for chunk in uids.chunks(LOAD) {
                    self.load_chunk(&mut view, chunk, &mut found).await?;
                }
                view.rollback().await.map_err(failed)?;
            }
        }
        Ok(uids.iter().map(|uid| found.get(uid).cloned()).collect())
    }

    async fn load_chunk(
        &self,
        connection: &mut SqliteConnection,
        uids: &[String],
        found: &mut BTreeMap<String, Versioned>,
    ) -> Result<(), StoreError> {
        let Some(last) = uids.last() else { return Ok(()) };
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(COLUMNS).push(", o.material FROM object AS o WHERE o.uid IN (");
        let mut list = query.separated(", ");
        // Filled up to a power of two, so that there are few different statements to prepare.
        let filling = std::iter::repeat_n(last, uids.len().next_power_of_two() - uids.len());
        for uid in uids.iter().chain(filling) {
            list.push_bind(uid.as_str());
        }
        query.push(")");
        let rows = query.build().fetch_all(&mut *connection).await;
        for row in rows.map_err(|error| StoreError::from(self.failed(error)))? {
            let versioned = self.loaded(&row, connection).await?;
            found.insert(versioned.record.uid.clone(), versioned);
        }
        Ok(())
    }

    /// A record with its material.
    async fn loaded(
        &self,
        row: &SqliteRow,
        connection: &mut SqliteConnection,
    ) -> Result<Versioned, StoreError> {
        let mut versioned = listed(row)?;
        let record = &mut versioned.record;
        let sealed: Option<&[u8]> = row.try_get(6).map_err(|error| damaged(&record.uid, &error))?;
        if let Some(sealed) = sealed {
            let parts = [record.uid.as_str(), record.owner.as_str()];
            let mut secret = match self.open_sealed(connection, identity(&parts), sealed).await {
                Ok(secret) => secret,
                Err(Unopened::Store(error)) => return Err(error.into()),
                Err(Unopened::Damaged(error)) => return Err(damaged(&record.uid, &error)),
            };
            record.material = Some(Secret::new(mem::take(&mut *secret)));
        }
        Ok(versioned)
    }

    /// Decrypts every record and compares the index with what the records say.
    pub(super) async fn check_objects(
        &self,
        connection: &mut SqliteConnection,
        report: &mut CheckReport,
    ) -> Result<(), SqliteError> {
        let mut entries = 0;
        let mut after: Option<String> = None;
        loop {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
            query.push(COLUMNS).push(", o.material FROM object AS o");
            if let Some(after) = &after {
                query.push(" WHERE o.uid > ").push_bind(after.as_str());
            }
            query.push(" ORDER BY o.uid LIMIT 64");
            let rows = query.build().fetch_all(&mut *connection).await;
            let rows = rows.map_err(|error| self.failed(error))?;
            let Some(last) = rows.last() else { break };
            after = last.try_get(0).ok();
            for row in &rows {
                report.records += 1;
                match self.loaded(row, connection).await {
                    Ok(versioned) => {
                        entries += self.check_index(connection, &versioned.record, report).await?;
                    }
                    Err(error) => report.problem(error.to_string()),
                }
            }
            if after.is_none() {
                report.problem("the objects cannot be listed further".to_owned());
                break;
            }
        }
        let stored = number(connection, "SELECT count(*) FROM object_index").await;
        let stored = stored.map_err(|error| self.failed(error))?;
        if stored != entries {
            report.problem(format!("the index has {stored} rows where the records say {entries}"));
        }
        Ok(())
    }

    /// Tells which entries of a record the index lacks; returns how many it should have.
    async fn check_index(
        &self,
        connection: &mut SqliteConnection,
        record: &Record,
        report: &mut CheckReport,
    ) -> Result<u64, SqliteError> {
        let distinct = entries::distinct(&record.index);
        let mut count = 0;
        for (name, value) in distinct {
            count += 1;
            let sql = "SELECT 1 FROM object_index \
                       WHERE name = ? AND value = ? AND owner = ? AND uid = ?";
            let row = sqlx::query(sql)
                .bind(name)
                .bind(value)
                .bind(record.owner.as_str())
                .bind(record.uid.as_str())
                .fetch_optional(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
            if row.is_none() {
                report.problem(format!("the object {} is not found by its {name}", record.uid));
            }
        }
        Ok(count)
    }
}

/// A record without its material, from the columns [`COLUMNS`].
fn listed(row: &SqliteRow) -> Result<Versioned, StoreError> {
    let uid: String = row.try_get(0).map_err(|error| damaged("(unreadable)", &error))?;
    let read = |error: sqlx::Error| damaged(&uid, &error);
    let owner: String = row.try_get(1).map_err(read)?;
    let created: i64 = row.try_get(2).map_err(read)?;
    let version: i64 = row.try_get(3).map_err(read)?;
    let attributes: Vec<u8> = row.try_get(4).map_err(read)?;
    let entries: Vec<u8> = row.try_get(5).map_err(read)?;
    let version = u64::try_from(version).map_err(|error| damaged(&uid, &error))?;
    let index = entries::decode(entries.into()).ok_or_else(|| damaged(&uid, &BAD_ENTRIES))?;
    let created = Timestamp::from_unix_micros(created);
    let mut record = Record::new(uid, Principal::new(owner), created);
    record.attributes = Bytes::from(attributes);
    record.index = index;
    Ok(Versioned::new(record, version))
}

const BAD_ENTRIES: &str = "its index entries are not what was stored";

/// What sealed material belongs to: the object's Unique Identifier and its owner, so that giving
/// somebody another's row gives them no key.
const fn identity<'a>(parts: &'a [&'a str]) -> Identity<'a> {
    Identity { kind: KIND, parts }
}

fn damaged(uid: &str, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { uid: uid.to_owned(), reason: reason.to_string() }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        match error.is_temporary() {
            true => Self::Unavailable(error.to_string()),
            false => Self::Failed(error.into()),
        }
    }
}

impl From<Rejection> for CommitError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Conflict { uid } => Self::Conflict { uid },
            Rejection::StaleKey => StoreError::Unavailable(sealing::outrun()).into(),
            // A rule of another service's: no commit of this one is told so.
            Rejection::Declined(declined) => {
                StoreError::Unavailable(format!("unexpected: {declined:?}")).into()
            }
            Rejection::Damaged { uid, reason } => StoreError::Damaged { uid, reason }.into(),
            Rejection::Failed(error) => StoreError::from(error).into(),
            Rejection::Unknown(error) => Self::Unknown(StoreError::from(error)),
        }
    }
}
