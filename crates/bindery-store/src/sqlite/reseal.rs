//! Sealing everything that a service keeps sealed again, under a new data key.

use std::path::Path;

use futures_util::{TryStreamExt, future::BoxFuture};
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteError, SqliteStore, sealing,
    writer::{Rejection, Work},
};
use crate::{
    keys::{DataKey, Ring},
    seal::{self, Identity},
};

/// How many rows one transaction seals again.
const BATCH: usize = 64;

/// From how many sealed octets on no further row joins a transaction.
const BATCH_BYTES: usize = 8 << 20;

/// A column that is sealed, in the service's own words.
#[derive(Debug)]
pub(super) struct Sealed {
    /// What a row is called in an error.
    pub(super) what: &'static str,
    /// The kind of its identity; the parts are the row's key and its owner.
    pub(super) kind: &'static str,
    /// Lists key, owner and what is sealed, after a key, in the order of the keys, without limit.
    pub(super) list: &'static str,
    /// Puts what is sealed (first) into the row of a key (second) where it is still this (third).
    pub(super) update: &'static str,
}

impl SqliteStore {
    /// Seals a column again under the key, which is the current one. `done` rows were sealed before;
    /// tells as it goes, and in the end, how many there are with these.
    pub(super) async fn reseal_column(
        &self,
        column: &'static Sealed,
        key: &DataKey,
        mut done: u64,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<u64, SqliteError> {
        let mut after = String::new();
        loop {
            let batch = self.sealed_after(column, &after).await?;
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.name);
            let ring = self.inner.keys.ring();
            let mut rows = Vec::with_capacity(batch.len());
            for row in batch {
                rows.extend(self.sealed_again(column, row, &ring, key)?);
            }
            done += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            if !rows.is_empty() {
                let work = Box::new(Batch { rows, update: column.update });
                self.submit(work).await.map_err(|rejection| self.refused(rejection))?;
            }
            progress(done);
        }
        Ok(done)
    }

    /// The next rows that have something sealed.
    async fn sealed_after(&self, column: &Sealed, after: &str) -> Result<Vec<Found>, SqliteError> {
        let failed = |error| self.failed(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut rows = sqlx::query(column.list).bind(after).fetch(&mut *connection);
        let (mut found, mut octets) = (Vec::new(), 0);
        while found.len() < BATCH && octets < BATCH_BYTES {
            let Some(row) = rows.try_next().await.map_err(failed)? else { break };
            let row = Found {
                name: row.try_get(0).map_err(failed)?,
                owner: row.try_get(1).map_err(failed)?,
                sealed: row.try_get(2).map_err(failed)?,
            };
            octets += row.sealed.len();
            found.push(row);
        }
        Ok(found)
    }

    /// What a row has under the new key; `None` where it is already.
    fn sealed_again(
        &self,
        column: &Sealed,
        row: Found,
        ring: &Ring,
        key: &DataKey,
    ) -> Result<Option<Again>, SqliteError> {
        let Found { name, owner, sealed: before } = row;
        if seal::key_of(&before) == Ok(key.id().0) {
            return Ok(None);
        }
        let parts = [name.as_str(), owner.as_str()];
        let identity = Identity { kind: column.kind, parts: &parts };
        let sealed = ring
            .open(identity, &before)
            .and_then(|secret| seal::seal(key, identity, &secret))
            .map_err(|error| SqliteError::Corrupted {
                path: self.path().to_owned(),
                detail: format!("the {} {name}: {error}", column.what),
            })?;
        Ok(Some(Again { name, before, sealed }))
    }
}

/// What of a row is needed to seal it again.
struct Found {
    name: String,
    owner: String,
    sealed: Vec<u8>,
}

/// What is sealed again.
struct Again {
    name: String,
    before: Vec<u8>,
    sealed: Vec<u8>,
}

struct Batch {
    rows: Vec<Again>,
    update: &'static str,
}

impl Work for Batch {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            for row in &self.rows {
                // Where somebody has replaced it meanwhile, it is under the new key already. The row's version
                // stays: nothing that a decision rests on has changed.
                sqlx::query(self.update)
                    .bind(row.sealed.as_slice())
                    .bind(row.name.as_str())
                    .bind(row.before.as_slice())
                    .execute(&mut *connection)
                    .await
                    .map_err(|error| sealing::failed(path, error))?;
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.before.len() + row.sealed.len()).sum()
    }
}
