//! Sealing every object's material again, under a new data key.

use std::path::Path;

use futures_util::{TryStreamExt, future::BoxFuture};
use sqlx::{Row, SqliteConnection};

use super::{change, identity};
use crate::{
    keys::{DataKey, Ring},
    seal,
    sqlite::{
        SqliteError, SqliteStore,
        writer::{Rejection, Work},
    },
};

/// How many objects one transaction seals again.
const BATCH: usize = 64;

/// From how many octets of material on no further object joins a transaction.
const BATCH_BYTES: usize = 8 << 20;

impl SqliteStore {
    /// Seals the material of all objects under the key, which is the current one; tells how many objects are done.
    pub(in crate::sqlite) async fn reseal_objects(
        &self,
        key: &DataKey,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<u64, SqliteError> {
        let mut done = 0;
        let mut after = String::new();
        loop {
            let batch = self.sealed_after(&after).await?;
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.uid);
            let ring = self.inner.keys.ring();
            let mut rows = Vec::with_capacity(batch.len());
            for object in batch {
                rows.extend(self.sealed_again(object, &ring, key)?);
            }
            done += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            if !rows.is_empty() {
                let work = Box::new(Batch { rows });
                self.submit(work).await.map_err(|rejection| self.refused(rejection))?;
            }
            progress(done);
        }
        Ok(done)
    }

    /// The next objects with material, in the order of their Unique Identifiers.
    async fn sealed_after(&self, after: &str) -> Result<Vec<Object>, SqliteError> {
        let sql = "SELECT uid, owner, material FROM object \
                   WHERE uid > ? AND material IS NOT NULL ORDER BY uid";
        let failed = |error| self.failed(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut rows = sqlx::query(sql).bind(after).fetch(&mut *connection);
        let (mut objects, mut octets) = (Vec::new(), 0);
        while objects.len() < BATCH && octets < BATCH_BYTES {
            let Some(row) = rows.try_next().await.map_err(failed)? else { break };
            let object = Object {
                uid: row.try_get(0).map_err(failed)?,
                owner: row.try_get(1).map_err(failed)?,
                sealed: row.try_get(2).map_err(failed)?,
            };
            octets += object.sealed.len();
            objects.push(object);
        }
        Ok(objects)
    }

    /// An object's material under the new key; `None` where it is already.
    fn sealed_again(
        &self,
        object: Object,
        ring: &Ring,
        key: &DataKey,
    ) -> Result<Option<Again>, SqliteError> {
        let Object { uid, owner, sealed: before } = object;
        if seal::key_of(&before) == Ok(key.id().0) {
            return Ok(None);
        }
        let parts = [uid.as_str(), owner.as_str()];
        let sealed = ring
            .open(identity(&parts), &before)
            .and_then(|secret| seal::seal(key, identity(&parts), &secret))
            .map_err(|error| SqliteError::Corrupted {
                path: self.path().to_owned(),
                detail: format!("the object {uid}: {error}"),
            })?;
        Ok(Some(Again { uid, before, sealed }))
    }
}

/// What of an object is needed to seal its material again.
struct Object {
    uid: String,
    owner: String,
    sealed: Vec<u8>,
}

/// Material that is sealed again.
struct Again {
    uid: String,
    before: Vec<u8>,
    sealed: Vec<u8>,
}

struct Batch {
    rows: Vec<Again>,
}

impl Work for Batch {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            for row in &self.rows {
                // Where somebody has replaced it meanwhile, it is under the new key already. The object's version
                // stays: nothing that a decision rests on has changed.
                sqlx::query("UPDATE object SET material = ? WHERE uid = ? AND material = ?")
                    .bind(row.sealed.as_slice())
                    .bind(row.uid.as_str())
                    .bind(row.before.as_slice())
                    .execute(&mut *connection)
                    .await
                    .map_err(|error| change::failed(path, error))?;
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.before.len() + row.sealed.len()).sum()
    }
}
