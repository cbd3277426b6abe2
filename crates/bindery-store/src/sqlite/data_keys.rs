//! The store's keys on disk: read at the start, changed while others have the file open.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteError, SqliteStore,
    reseal::Sealed,
    schema,
    writer::{Rejection, Work},
};
use crate::{
    Kek, KekId,
    keys::{DataKey, DataKeyId, Ring},
    seal::SealError,
};

/// Everything that is sealed under the data keys.
const SEALED: &[&Sealed] = &[
    #[cfg(feature = "kmip")]
    &super::kmip::MATERIAL,
    #[cfg(feature = "omadm")]
    &super::omadm::DIGESTS,
];

/// Reads the data keys of a store.
///
/// # Errors
/// They are wrapped under another key, damaged, or there is no current one.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<Ring, SqliteError> {
    let damaged = |detail: String| SqliteError::Corrupted { path: path.to_owned(), detail };
    let rows = sqlx::query("SELECT id, wrapped FROM data_key ORDER BY current DESC")
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| SqliteError::from_sqlx(path, error))?;
    let mut ring: Option<Ring> = None;
    for row in rows {
        let unreadable = |error: sqlx::Error| damaged(format!("a data key: {error}"));
        let id: &[u8] = row.try_get(0).map_err(unreadable)?;
        let id: [u8; 8] =
            id.try_into().map_err(|_| damaged("a data key has no proper name".to_owned()))?;
        let wrapped: &[u8] = row.try_get(1).map_err(unreadable)?;
        let key = DataKey::unwrap(kek, DataKeyId(id), wrapped).map_err(|error| match error {
            SealError::OtherKey(stored) => wrong_kek(path, KekId(stored), kek),
            error => damaged(format!("the data key {}: {error}", DataKeyId(id))),
        })?;
        match &mut ring {
            Some(ring) => ring.add(key),
            None => ring = Some(Ring::new(key)),
        }
    }
    ring.ok_or_else(|| damaged("there is no data key".to_owned()))
}

/// Writes the first data key of a store. What an older store sealed under the KEK itself stays readable: the KEK then
/// becomes an earlier data key.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
    older: bool,
) -> Result<(), SqliteError> {
    let failed = |error| library(path, error);
    if older {
        let key = DataKey::of_kek(kek).map_err(failed)?;
        insert(connection, &key, kek, false, path).await?;
    }
    let key = DataKey::generate().map_err(failed)?;
    insert(connection, &key, kek, true, path).await
}

async fn insert(
    connection: &mut SqliteConnection,
    key: &DataKey,
    kek: &Kek,
    current: bool,
    path: &Path,
) -> Result<(), SqliteError> {
    let wrapped = key.wrap(kek).map_err(|error| library(path, error))?;
    sqlx::query("INSERT INTO data_key (id, wrapped, current) VALUES (?, ?, ?)")
        .bind(key.id().0.as_slice())
        .bind(wrapped)
        .bind(i64::from(current))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| SqliteError::from_sqlx(path, error))
}

/// Whether a data key is one of the store's.
pub(super) async fn has(
    connection: &mut SqliteConnection,
    id: DataKeyId,
    path: &Path,
) -> Result<bool, SqliteError> {
    sqlx::query("SELECT 1 FROM data_key WHERE id = ?")
        .bind(id.0.as_slice())
        .fetch_optional(connection)
        .await
        .map(|row| row.is_some())
        .map_err(|error| SqliteError::from_sqlx(path, error))
}

impl SqliteStore {
    /// Puts the store under another key-encryption key. Only the wrapping of the data keys changes, in one
    /// transaction: nothing stored is written again, and processes that have the store open go on. Each of them needs
    /// the new key the next time it opens the store. Copies and backups made before still open with the old key.
    ///
    /// # Errors
    /// See [`SqliteError`]; the store is then still under the old key.
    pub async fn change_kek(&self, kek: Kek) -> Result<(), SqliteError> {
        let work = ChangeKek { old: self.inner.keys.kek(), new: kek.clone() };
        self.submit(Box::new(work)).await.map_err(|rejection| self.refused(rejection))?;
        self.inner.keys.set_kek(kek);
        Ok(())
    }

    /// Seals everything again under a new data key and takes the earlier data keys away: after
    /// [`change_kek`](Self::change_kek), whoever had the old key-encryption key *and* a copy of the store can then read
    /// nothing that is written from now on.
    ///
    /// Works while others read and write. Processes that have the store open need the present key-encryption key to
    /// go on: first restart those that were started with an earlier one. If it is interrupted, nothing is lost; start
    /// it again. `progress` is told how many records are done; their number is returned.
    ///
    /// # Errors
    /// See [`SqliteError`]; a record that cannot be opened is told as damage, and the earlier keys are kept.
    pub async fn reseal(&self, mut progress: impl FnMut(u64) + Send) -> Result<u64, SqliteError> {
        let key = self.change_data_key().await?;
        let mut done = 0;
        for column in SEALED {
            done = self.reseal_column(column, &key, done, &mut progress).await?;
        }
        self.drop_earlier_keys(key.id()).await?;
        Ok(done)
    }

    /// Makes a new data key and makes it the current one. Others that have the store open learn of it when they next
    /// write.
    async fn change_data_key(&self) -> Result<DataKey, SqliteError> {
        let key = DataKey::generate().map_err(|error| library(self.path(), error))?;
        let work = ChangeDataKey { kek: self.inner.keys.kek(), key: key.clone() };
        self.submit(Box::new(work)).await.map_err(|rejection| self.refused(rejection))?;
        self.refresh_keys().await?;
        Ok(key)
    }

    /// Takes the earlier data keys away, after everything was sealed under this one.
    async fn drop_earlier_keys(&self, key: DataKeyId) -> Result<(), SqliteError> {
        let work = Box::new(DropEarlierKeys { key });
        self.submit(work).await.map_err(|rejection| self.refused(rejection))?;
        self.refresh_keys().await
    }

    /// Reads the data keys again: another process may have changed them.
    pub(super) async fn refresh_keys(&self) -> Result<(), SqliteError> {
        let mut connection =
            self.inner.readers.acquire().await.map_err(|error| self.failed(error))?;
        let ring = load(&mut connection, &self.inner.keys.kek(), self.path()).await?;
        self.inner.keys.set_ring(ring);
        Ok(())
    }

    /// A rejection of work that rests on no object.
    pub(super) fn refused(&self, rejection: Rejection) -> SqliteError {
        match rejection {
            Rejection::Failed(error) | Rejection::Unknown(error) => error,
            Rejection::StaleKey
            | Rejection::Conflict { .. }
            | Rejection::Declined(_)
            | Rejection::Damaged { .. } => SqliteError::Other {
                path: self.inner.path.to_path_buf(),
                detail: "the keys were changed by another process meanwhile: see its outcome"
                    .to_owned(),
            },
        }
    }
}

struct ChangeKek {
    old: Kek,
    new: Kek,
}

impl Work for ChangeKek {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            // Whoever was here first has changed what the old key says.
            let ring = load(connection, &self.old, path).await?;
            for key in ring.iter() {
                let wrapped = key.wrap(&self.new).map_err(|error| library(path, error))?;
                sqlx::query("UPDATE data_key SET wrapped = ? WHERE id = ?")
                    .bind(wrapped)
                    .bind(key.id().0.as_slice())
                    .execute(&mut *connection)
                    .await
                    .map_err(|error| SqliteError::from_sqlx(path, error))?;
            }
            schema::set_kek(connection, &self.new, path).await?;
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

struct ChangeDataKey {
    kek: Kek,
    key: DataKey,
}

impl Work for ChangeDataKey {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            load(connection, &self.kek, path).await?;
            super::execute(connection, "UPDATE data_key SET current = 0", path).await?;
            insert(connection, &self.key, &self.kek, true, path).await?;
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

struct DropEarlierKeys {
    key: DataKeyId,
}

impl Work for DropEarlierKeys {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            // Where another process has made a newer key current, records may be under this one.
            let sql = "SELECT 1 FROM data_key WHERE id = ? AND current = 1";
            let current = sqlx::query(sql)
                .bind(self.key.0.as_slice())
                .fetch_optional(&mut *connection)
                .await
                .map_err(|error| SqliteError::from_sqlx(path, error))?;
            if current.is_none() {
                return Err(Rejection::StaleKey);
            }
            super::execute(connection, "DELETE FROM data_key WHERE current = 0", path).await?;
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn wrong_kek(path: &Path, stored: KekId, given: &Kek) -> SqliteError {
    SqliteError::WrongKek { path: path.to_owned(), stored, given: given.id() }
}

pub(super) fn library(path: &Path, error: SealError) -> SqliteError {
    SqliteError::Other { path: PathBuf::from(path), detail: error.to_string() }
}
