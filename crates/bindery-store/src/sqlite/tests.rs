use super::*;
use crate::Kek;

async fn pragma(connection: &mut SqliteConnection, name: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("PRAGMA {name}")))
        .fetch_one(connection)
        .await
        .unwrap()
}

/// What cannot be seen from outside without cutting the power.
#[tokio::test]
async fn connections_are_set_up_as_the_options_say() {
    let directory = tempfile::tempdir().unwrap();
    let file = SqliteOptions::file(directory.path().join("a.db"), Kek::generate().unwrap());
    let temporary = SqliteOptions::temporary(Kek::generate().unwrap());
    for (options, synchronous) in [
        (file.clone(), 2),
        (file.clone().synchronous(Synchronous::Normal), 1),
        (file.synchronous(Synchronous::Full), 2),
        (temporary, 0),
    ] {
        let (path, directory) = place(&options.place).unwrap();
        let connect = connect_options(&options, &path, directory.is_some());
        let mut writer = connect.create_if_missing(true).connect().await.unwrap();
        assert_eq!(pragma(&mut writer, "synchronous").await, synchronous);
        for on in ["foreign_keys", "secure_delete", "fullfsync", "checkpoint_fullfsync"] {
            assert_eq!(pragma(&mut writer, on).await, 1, "{on}");
        }
        assert_eq!(pragma(&mut writer, "query_only").await, 0);
        assert_eq!(pragma(&mut writer, "busy_timeout").await, 10_000);
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let options = SqliteOptions::temporary(Kek::generate().unwrap());
    let store = SqliteStore::open(options).await.unwrap();
    let mut reader = store.inner.readers.acquire().await.unwrap();
    let error = execute(&mut reader, "DELETE FROM meta", store.path()).await.unwrap_err();
    assert_eq!(error, SqliteError::ReadOnly { path: store.path().to_owned() });
}
