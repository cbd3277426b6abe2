//! Backups of a store in use, and putting them back.

use bindery_store::{SqliteError, SqliteOptions, SqliteStore};

use crate::support::{Place, insert, insertion, kek, load, record};
use bindery_kmip::service::KeyStore;

fn beside(place: &Place, name: &str) -> std::path::PathBuf {
    place.directory.path().join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_what_was_there_and_holds_up_nobody() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..100).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move { insert(&store, 100..200).await }
    });
    let copy = beside(&place, "copy.db");
    store.backup(&copy).await.unwrap();
    writing.await.unwrap();
    let options = SqliteOptions::file(&copy, kek(1));
    let opened = SqliteStore::open(options).await.unwrap();
    assert!(opened.check().await.unwrap().is_sound());
    for number in 0..100 {
        assert_eq!(load(&opened, number).await.unwrap().record, record(number));
    }
    // What comes later comes whole: no gap before the last one that is there.
    let rows = opened.stats().await.unwrap().rows["object"];
    for number in 100..usize::try_from(rows).unwrap() {
        load(&opened, number).await.unwrap();
    }
    assert_eq!(store.stats().await.unwrap().rows["object"], 200);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_its_owners_alone_and_replaces_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    let copy = beside(&place, "copy.db");
    store.backup(&copy).await.unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&copy).unwrap();
    let error = store.backup(&copy).await.unwrap_err();
    assert!(matches!(error, SqliteError::CannotCreate { .. }), "{error:?}");
    assert_eq!(std::fs::read(&copy).unwrap(), before);
    let nowhere = beside(&place, "nowhere").join("copy.db");
    let error = store.backup(&nowhere).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test]
async fn a_backup_put_back_is_the_store_again() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..10).await;
    let copy = beside(&place, "copy.db");
    store.backup(&copy).await.unwrap();
    insert(&store, [10]).await;
    store.close().await.unwrap();
    let content = std::fs::read(&copy).unwrap();
    std::fs::remove_file(place.file()).unwrap();
    let store = SqliteStore::restore(&copy, place.options()).await.unwrap();
    assert_eq!(store.stats().await.unwrap().rows["object"], 10);
    assert_eq!(load(&store, 9).await.unwrap().record, record(9));
    store.commit(insertion(10)).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), content, "the backup was changed");
    let mut left: Vec<_> = std::fs::read_dir(place.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["copy.db", "keys.db"]);
}

#[tokio::test]
async fn a_backup_that_is_no_good_is_not_put_anywhere() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..500).await;
    let copy = beside(&place, "copy.db");
    store.backup(&copy).await.unwrap();
    store.close().await.unwrap();
    // The store is still there.
    let error = SqliteStore::restore(&copy, place.options()).await.unwrap_err();
    assert!(matches!(error, SqliteError::CannotCreate { .. }), "{error:?}");
    std::fs::remove_file(place.file()).unwrap();
    let wrong = SqliteOptions::file(place.file(), kek(2));
    let error = SqliteStore::restore(&copy, wrong).await.unwrap_err();
    let (stored, given) = (kek(1).id(), kek(2).id());
    assert_eq!(error, SqliteError::WrongKek { path: copy.clone(), stored, given });
    let mut content = std::fs::read(&copy).unwrap();
    let half = content.len() / 2;
    content[half..].fill(0xa5);
    let bad = beside(&place, "bad.db");
    for content in [content, Vec::new(), b"bindery".to_vec()] {
        std::fs::write(&bad, content).unwrap();
        let error = SqliteStore::restore(&bad, place.options()).await.unwrap_err();
        assert!(error.to_string().contains("bad.db"), "{error}");
    }
    let error = SqliteStore::restore(beside(&place, "none.db"), place.options()).await.unwrap_err();
    assert!(error.to_string().contains("none.db"), "{error}");
    assert!(!place.file().exists());
    assert!(!beside(&place, "keys.db.restoring").exists());
}

#[tokio::test]
async fn inspecting_changes_nothing() {
    let place = Place::new();
    let parts = SqliteStore::inspect(&place.options()).await.unwrap();
    assert!(parts.iter().all(|part| part.found == 0 && part.newest > 0), "{parts:?}");
    assert!(!place.file().exists());
    place.open().await.close().await.unwrap();
    let parts = SqliteStore::inspect(&place.options()).await.unwrap();
    assert!(parts.iter().all(|part| part.found == part.newest), "{parts:?}");
    place.tamper("UPDATE meta SET value = 1 WHERE key = 'schema.kmip'").await;
    let before = place.contents();
    let parts = SqliteStore::inspect(&place.options()).await.unwrap();
    let kmip = parts.iter().find(|part| part.name == "kmip").unwrap();
    assert_eq!((kmip.found, kmip.newest), (1, 2));
    assert_eq!(place.contents(), before);
    let wrong = SqliteOptions::file(place.file(), kek(2));
    assert!(matches!(SqliteStore::inspect(&wrong).await, Err(SqliteError::WrongKek { .. })));
}
