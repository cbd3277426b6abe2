//! What the tests share.

use std::path::{Path, PathBuf};

use bindery_core::{Principal, Timestamp};
use bindery_kmip::{
    Secret,
    service::{Change, CommitError, IndexEntry, KeyStore, Record, StoreError, Versioned},
};
use bindery_store::{Kek, SqliteError, SqliteOptions, SqliteStore};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

pub(crate) fn kek(octet: u8) -> Kek {
    let mut octets = [octet; 32];
    octets[0] = !octet;
    Kek::new(&octets).unwrap()
}

/// A directory with room for a store.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("keys.db")
    }

    pub(crate) fn options(&self) -> SqliteOptions {
        SqliteOptions::file(self.file(), kek(1))
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.options()).await.unwrap()
    }

    /// The error of opening the store, and proof that the attempt changed no file.
    pub(crate) async fn refusal(&self, options: SqliteOptions) -> SqliteError {
        let before = self.contents();
        let error = SqliteStore::open(options).await.unwrap_err();
        assert_eq!(self.contents(), before, "the refused file was changed: {error}");
        assert!(error.to_string().contains(self.file().to_str().unwrap()), "{error}");
        error
    }

    /// The octets of the main file. Only while no store has it open: closing a file drops the
    /// locks that SQLite holds.
    pub(crate) fn contents(&self) -> Option<Vec<u8>> {
        std::fs::read(self.file()).ok()
    }

    /// Does something to the closed file behind the store's back.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        let mut connection = connect(&self.file()).await;
        let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let schema = sql.starts_with("CREATE") || sql.starts_with("DROP");
        assert!(done.rows_affected() > 0 || schema, "{sql} changed nothing");
        connection.close().await.unwrap();
    }
}

pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

pub(crate) fn uid(number: usize) -> String {
    format!("01980c3e-7c4f-7a52-9d0e-{number:012x}")
}

pub(crate) fn record(number: usize) -> Record {
    let mut record = Record::new(uid(number), Principal::new("alice"), Timestamp::UNIX_EPOCH);
    record.attributes = format!("attributes of {number}").into_bytes().into();
    record.index = vec![IndexEntry::new("Name", format!("key-{number}").into_bytes())];
    record.material = Some(Secret::new(format!("material of {number}").into_bytes()));
    record
}

pub(crate) fn insertion(number: usize) -> Vec<Change> {
    vec![Change::Insert(record(number))]
}

pub(crate) async fn insert(store: &SqliteStore, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        store.commit(insertion(number)).await.unwrap();
    }
}

pub(crate) async fn load(store: &SqliteStore, number: usize) -> Result<Versioned, StoreError> {
    Ok(store.load(&[uid(number)]).await?.remove(0).expect("the record is there"))
}

#[track_caller]
pub(crate) fn assert_unavailable(error: &CommitError) {
    assert!(matches!(error, CommitError::Store(StoreError::Unavailable(_))), "{error:?}");
}

/// SQLite's error inside a store's failure.
#[track_caller]
pub(crate) fn cause(error: &StoreError) -> &SqliteError {
    match error {
        StoreError::Failed(cause) => cause.downcast_ref().expect("a SqliteError"),
        other => panic!("expected a failure of SQLite, got {other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_damaged(error: &StoreError, number: usize) {
    match error {
        StoreError::Damaged { uid: found, .. } => assert_eq!(*found, uid(number)),
        other => panic!("expected a damaged object, got {other:?}"),
    }
}
