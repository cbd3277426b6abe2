//! Copies of a store: made while it is in use, and put back in its place.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, Connection};

use super::{SqliteError, SqliteOptions, SqliteStore, options::Place, schema};
use crate::files;

/// A part of the schema as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartVersion {
    /// The part: `base`, or a service.
    pub name: &'static str,
    /// Its version in the file; 0 when it is not there.
    pub found: i64,
    /// The version that this program brings it to.
    pub newest: i64,
}

impl SqliteStore {
    /// Says what [`open`](Self::open) would do to the schema of a file, by reading only. A file that does not exist or
    /// is empty has version 0 of each part.
    ///
    /// # Errors
    /// What `open` would refuse, for the same reason.
    pub async fn inspect(options: &SqliteOptions) -> Result<Vec<PartVersion>, SqliteError> {
        let (path, directory) = super::place(&options.place)?;
        let connect = super::connect_options(options, &path, directory.is_some());
        let state = super::probe(&connect, &options.kek, &path).await?;
        Ok(schema::versions(state))
    }

    /// Copies the store as it is at this moment into a new file, while others go on reading and writing. Only its owner
    /// may read the file, which is on disk when this is ready. The copy is under the same key-encryption key, which is
    /// not in it.
    ///
    /// # Errors
    /// The file exists already (it is left alone) or cannot be written; see [`SqliteError`].
    pub async fn backup(&self, file: impl AsRef<Path>) -> Result<(), SqliteError> {
        let file = file.as_ref();
        let refused = |error: io::Error| SqliteError::CannotCreate {
            path: file.to_owned(),
            detail: error.to_string(),
        };
        // SQLite takes an empty file; made here so that it is never open to others.
        let file = std::path::absolute(file).map_err(refused)?;
        files::create_own(&file).map_err(refused)?;
        let copied = self.copy_into(&file).await;
        if copied.is_err() {
            // A part of a copy helps nobody; the first error is the one to tell.
            let _ = fs::remove_file(&file);
        }
        copied
    }

    async fn copy_into(&self, file: &Path) -> Result<(), SqliteError> {
        let failed = |error| SqliteError::from_sqlx(file, error);
        let Some(name) = file.to_str() else {
            let detail = "its name is not UTF-8".to_owned();
            return Err(SqliteError::CannotCreate { path: file.to_owned(), detail });
        };
        let mut connection = self.inner.connect.connect().await.map_err(failed)?;
        // The name is a value, not part of the statement.
        let copied = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await;
        connection.close().await.map_err(failed)?;
        copied.map_err(failed)?;
        let synced = File::open(file).and_then(|file| file.sync_all());
        synced
            .and_then(|()| files::sync_directory_of(file))
            .map_err(|error| SqliteError::Io { path: file.to_owned(), detail: error.to_string() })
    }

    /// Puts a backup in the place of a store that is not there (move a damaged one away first). The copy is checked
    /// whole before it gets the store's name, and an older schema is brought up to date in it; the backup stays as it
    /// is.
    ///
    /// # Errors
    /// The store's file exists, or the backup is damaged, under another key or from a newer program.
    pub async fn restore(backup: impl AsRef<Path>, to: SqliteOptions) -> Result<Self, SqliteError> {
        let Place::File(target) = &to.place else {
            let detail = "a temporary store cannot be restored into".to_owned();
            return Err(SqliteError::Other { path: backup.as_ref().to_owned(), detail });
        };
        let refused = |error: io::Error| SqliteError::CannotCreate {
            path: target.clone(),
            detail: error.to_string(),
        };
        for name in beside(target) {
            if name.try_exists().map_err(refused)? {
                let detail = "it exists already: move it away, with its -wal and -shm".to_owned();
                return Err(SqliteError::CannotCreate { path: name, detail });
            }
        }
        let copy = with_suffix(target, ".restoring");
        let prepared = prepare(backup.as_ref(), &copy, &to).await;
        let moved = prepared.and_then(|()| {
            // Unlike renaming, this refuses where a file has come to be meanwhile.
            fs::hard_link(&copy, target).map_err(refused)?;
            files::sync_directory_of(target).map_err(refused)
        });
        for name in beside(&copy) {
            // What is not there need not be removed.
            let _ = fs::remove_file(name);
        }
        moved?;
        Self::open(to).await
    }
}

/// Copies a backup and checks the copy.
async fn prepare(backup: &Path, copy: &Path, to: &SqliteOptions) -> Result<(), SqliteError> {
    let failed = |path: &Path, error: io::Error| SqliteError::CannotOpen {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    if backup.is_dir() {
        return Err(failed(backup, io::ErrorKind::IsADirectory.into()));
    }
    let mut from = File::open(backup).map_err(|error| failed(backup, error))?;
    let mut file = files::create_own(copy).map_err(|error| SqliteError::CannotCreate {
        path: copy.to_owned(),
        detail: error.to_string(),
    })?;
    io::copy(&mut from, &mut file).map_err(|error| failed(copy, error))?;
    drop(file);
    if fs::metadata(copy).map_err(|error| failed(copy, error))?.len() == 0 {
        return Err(SqliteError::NotADatabase { path: backup.to_owned() });
    }
    let mut options = to.clone();
    options.place = Place::File(copy.to_owned());
    let store = SqliteStore::open(options).await.map_err(|error| error.at(backup))?;
    let report = store.check().await;
    store.close().await?;
    let report = report.map_err(|error| error.at(backup))?;
    if let Some(problem) = report.problems.first() {
        let detail = problem.clone();
        return Err(SqliteError::Corrupted { path: backup.to_owned(), detail });
    }
    // Through a new handle: SQLite's own are closed.
    File::open(copy).and_then(|file| file.sync_all()).map_err(|error| failed(copy, error))
}

/// The names that belong together.
fn beside(file: &Path) -> [PathBuf; 3] {
    [file.to_owned(), with_suffix(file, "-wal"), with_suffix(file, "-shm")]
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
