//! What `open` takes, and what it refuses without touching it.

use bindery_kmip::service::KeyStore;
use bindery_store::{Kek, SqliteError, SqliteOptions, SqliteStore};
use sqlx::{Connection, SqliteConnection};

use crate::support::{Place, connect, insert, kek, load, record, uid};

#[tokio::test]
async fn everything_is_there_again() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..10).await;
    store.close().await.unwrap();
    let store = place.open().await;
    for number in 0..10 {
        assert_eq!(load(&store, number).await.unwrap().record, record(number));
    }
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn everything_is_there_again_without_close() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..10).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.stats().await.unwrap().rows["object"], 10);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    store.close().await.unwrap();
    let error = place.refusal(SqliteOptions::file(place.file(), kek(2))).await;
    let (stored, given) = (kek(1).id(), kek(2).id());
    assert_eq!(error, SqliteError::WrongKek { path: place.file(), stored, given });
    assert!(error.to_string().contains(&stored.to_string()));
    let store = place.open().await;
    assert_eq!(load(&store, 1).await.unwrap().record, record(1));
}

#[tokio::test]
async fn a_wrong_key_runs_no_migration() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    place.tamper("DROP TABLE object; DELETE FROM meta WHERE key = 'schema.kmip'").await;
    let error = place.refusal(SqliteOptions::file(place.file(), kek(2))).await;
    assert!(matches!(error, SqliteError::WrongKek { .. }), "{error:?}");
}

#[tokio::test]
async fn a_part_that_is_missing_is_added() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    place
        .tamper(
            "DROP TABLE object; DROP TABLE object_index; DROP TABLE object_retired; \
             DELETE FROM meta WHERE key = 'schema.kmip'",
        )
        .await;
    let store = place.open().await;
    insert(&store, [1]).await;
    assert_eq!(load(&store, 1).await.unwrap().record, record(1));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for part in ["base", "kmip"] {
        let place = Place::new();
        place.open().await.close().await.unwrap();
        place
            .tamper(match part {
                "base" => "UPDATE meta SET value = 99 WHERE key = 'schema.base'",
                _ => "UPDATE meta SET value = 99 WHERE key = 'schema.kmip'",
            })
            .await;
        match place.refusal(place.options()).await {
            SqliteError::NewerSchema { part: found, found: 99, known: 2, .. } => {
                assert_eq!(found, part);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nonsense_in_meta_is_damage() {
    for sql in [
        "UPDATE meta SET value = 'one' WHERE key = 'schema.kmip'",
        "UPDATE meta SET value = -1 WHERE key = 'schema.kmip'",
        "UPDATE meta SET value = x'01' WHERE key = 'kek'",
        "UPDATE meta SET value = CAST(substr(value, 1, 72) || x'00' AS BLOB) WHERE key = 'kek'",
        "DELETE FROM meta WHERE key = 'kek'",
        "DELETE FROM data_key",
        "UPDATE data_key SET wrapped = CAST(substr(wrapped, 1, 72) || x'00' AS BLOB)",
        "UPDATE data_key SET id = x'0000000000000000'",
        "UPDATE data_key SET wrapped = x''",
    ] {
        let place = Place::new();
        place.open().await.close().await.unwrap();
        place.tamper(sql).await;
        let error = place.refusal(place.options()).await;
        assert!(matches!(error, SqliteError::Corrupted { .. }), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let place = Place::new();
    for content in ["one = 1\n".repeat(1000), "x".to_owned()] {
        std::fs::write(place.file(), content).unwrap();
        let error = place.refusal(place.options()).await;
        assert_eq!(error, SqliteError::NotADatabase { path: place.file() });
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_refused() {
    let place = Place::new();
    place.tamper("CREATE TABLE bookmark (url TEXT)").await;
    let error = place.refusal(place.options()).await;
    assert_eq!(error, SqliteError::NotAStore { path: place.file() });
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let place = Place::new();
    std::fs::write(place.file(), "").unwrap();
    let store = place.open().await;
    insert(&store, [1]).await;
    let place = Place::new();
    let mut connection = connect(&place.file()).await;
    sqlx::raw_sql("CREATE TABLE t (a); DROP TABLE t").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    insert(&place.open().await, [1]).await;
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.file()).unwrap();
    let error = place.refusal(place.options()).await;
    assert!(matches!(error, SqliteError::CannotOpen { .. }), "{error:?}");
    let nowhere = place.directory.path().join("nowhere").join("keys.db");
    let error = SqliteStore::open(SqliteOptions::file(&nowhere, kek(1))).await.unwrap_err();
    assert!(matches!(error, SqliteError::CannotOpen { .. }), "{error:?}");
    assert!(error.to_string().contains("must exist"));
    assert!(!nowhere.parent().unwrap().exists());
}

#[tokio::test]
async fn names_that_mean_something_to_sqlite_are_only_names() {
    let place = Place::new();
    for name in [":memory:", "file:keys.db?mode=memory", "a b%20c?d#e.db"] {
        let path = place.directory.path().join(name);
        let store = SqliteStore::open(SqliteOptions::file(&path, kek(1))).await.unwrap();
        insert(&store, [1]).await;
        store.close().await.unwrap();
        assert!(path.metadata().unwrap().len() > 0, "{name}");
    }
}

#[tokio::test]
async fn a_temporary_store_leaves_nothing() {
    let store =
        SqliteStore::open(SqliteOptions::temporary(Kek::generate().unwrap())).await.unwrap();
    let path = store.path().to_owned();
    insert(&store, [1]).await;
    assert!(path.exists());
    store.close().await.unwrap();
    drop(store);
    // The writer's task lets go of the directory just after it said that it is done.
    for _ in 0..500 {
        if !path.parent().unwrap().exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} is still there", path.display());
}

#[tokio::test]
async fn a_lost_log_mode_is_restored() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    let mut connection = connect(&place.file()).await;
    sqlx::raw_sql("PRAGMA journal_mode = DELETE").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = place.open().await;
    insert(&store, [1]).await;
    let mut connection: SqliteConnection = connect(&place.file()).await;
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap();
    assert_eq!(mode, "wal");
    assert!(store.load(&[uid(1)]).await.unwrap()[0].is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_open_a_new_file_at_once() {
    let place = Place::new();
    let opening = (0..8).map(|_| {
        let options = place.options();
        tokio::spawn(SqliteStore::open(options))
    });
    let mut stores = Vec::new();
    for opened in opening.collect::<Vec<_>>() {
        stores.push(opened.await.unwrap().unwrap());
    }
    for (number, store) in stores.iter().enumerate() {
        insert(store, [number]).await;
    }
    assert_eq!(stores[0].stats().await.unwrap().rows["object"], 8);
}
