//! Another key-encryption key, and sealing again, while the store is in use.

use bindery_kmip::service::{Change, CommitError, KeyStore, StoreError};
use bindery_store::{SqliteError, SqliteOptions, SqliteStore};
use sqlx::{Connection, Row};

use crate::support::{Place, connect, insert, insertion, kek, load, record, uid};

async fn under(place: &Place, octet: u8) -> SqliteStore {
    SqliteStore::open(SqliteOptions::file(place.file(), kek(octet))).await.unwrap()
}

/// The names of the data keys, and of those that objects are sealed under.
async fn names(place: &Place) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut connection = connect(&place.file()).await;
    let sqls = [
        "SELECT id FROM data_key ORDER BY current DESC",
        "SELECT DISTINCT substr(material, 2, 8) FROM object WHERE material IS NOT NULL",
    ];
    let mut found = Vec::new();
    for sql in sqls {
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        found.push(rows.iter().map(|row| row.get(0)).collect());
    }
    connection.close().await.unwrap();
    let used = found.pop().unwrap();
    (found.pop().unwrap(), used)
}

#[tokio::test]
async fn another_kek_opens_the_store_and_the_old_one_does_not() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 1..=3).await;
    store.change_kek(kek(2)).await.unwrap();
    // The handle goes on, reading and writing.
    assert_eq!(load(&store, 1).await.unwrap().record, record(1));
    insert(&store, [4]).await;
    store.close().await.unwrap();
    let error = place.refusal(place.options()).await;
    let (stored, given) = (kek(2).id(), kek(1).id());
    assert_eq!(error, SqliteError::WrongKek { path: place.file(), stored, given });
    let store = under(&place, 2).await;
    for number in 1..=4 {
        assert_eq!(load(&store, number).await.unwrap().record, record(number));
    }
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn a_process_that_has_the_store_open_goes_on_under_another_kek() {
    let place = Place::new();
    let server = place.open().await;
    insert(&server, [1]).await;
    let tool = place.open().await;
    tool.change_kek(kek(2)).await.unwrap();
    tool.close().await.unwrap();
    assert_eq!(load(&server, 1).await.unwrap().record, record(1));
    insert(&server, [2]).await;
    server.commit(vec![Change::Replace { record: record(1), expected: 1 }]).await.unwrap();
    server.close().await.unwrap();
    let store = under(&place, 2).await;
    assert_eq!(load(&store, 2).await.unwrap().record, record(2));
    assert_eq!(load(&store, 1).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_second_change_from_the_same_old_kek_is_refused() {
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    one.change_kek(kek(2)).await.unwrap();
    let error = other.change_kek(kek(3)).await.unwrap_err();
    assert!(matches!(error, SqliteError::WrongKek { .. }), "{error:?}");
    one.close().await.unwrap();
    other.close().await.unwrap();
    under(&place, 2).await;
}

#[tokio::test]
async fn sealing_again_leaves_nothing_under_the_old_data_key() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..200).await;
    let mut destroyed = record(7);
    destroyed.material = None;
    let change = Change::Replace { record: destroyed.clone(), expected: 1 };
    store.commit(vec![change]).await.unwrap();
    let (before, _) = names(&place).await;
    let mut told = Vec::new();
    assert_eq!(store.reseal(|done| told.push(done)).await.unwrap(), 199);
    assert_eq!(told.last(), Some(&199));
    assert!(told.is_sorted() && told.len() > 1, "{told:?}");
    let (after, used) = names(&place).await;
    assert_eq!((after.len(), &used), (1, &after));
    assert_ne!(before, after);
    for number in [0, 6, 8, 199] {
        let loaded = load(&store, number).await.unwrap();
        assert_eq!((loaded.record, loaded.version), (record(number), 1));
    }
    assert_eq!(load(&store, 7).await.unwrap().record, destroyed);
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn others_follow_a_new_data_key_without_noticing() {
    let place = Place::new();
    let server = place.open().await;
    insert(&server, [1, 2]).await;
    let tool = place.open().await;
    tool.reseal(|_| {}).await.unwrap();
    // Writing first, while it holds only the key that is gone.
    server.commit(insertion(3)).await.unwrap();
    let stale = place.open().await;
    tool.reseal(|_| {}).await.unwrap();
    // Reading first.
    assert_eq!(load(&stale, 3).await.unwrap().record, record(3));
    assert_eq!(load(&server, 1).await.unwrap().record, record(1));
    server.commit(vec![Change::Replace { record: record(2), expected: 1 }]).await.unwrap();
    assert_eq!(server.check().await.unwrap().problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_process_with_the_old_kek_is_told_so_after_sealing_again() {
    let place = Place::new();
    let server = place.open().await;
    insert(&server, [1]).await;
    let tool = place.open().await;
    tool.change_kek(kek(2)).await.unwrap();
    tool.reseal(|_| {}).await.unwrap();
    let error = load(&server, 1).await.unwrap_err();
    assert!(error.to_string().contains(&kek(2).id().to_string()), "{error}");
    let error = server.commit(insertion(2)).await.unwrap_err();
    assert!(matches!(&error, CommitError::Store(StoreError::Failed(_))), "{error:?}");
    assert!(error.to_string().contains("give the right key-encryption key"), "{error}");
    assert!(tool.load(&[uid(2)]).await.unwrap()[0].is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_that_is_written_while_sealing_again() {
    let place = Place::new();
    let (server, tool) = (place.open().await, place.open().await);
    insert(&server, 0..300).await;
    let writing = tokio::spawn({
        let server = server.clone();
        async move {
            for number in 300..420 {
                server.commit(insertion(number)).await.unwrap();
                let change = Change::Replace { record: record(number - 300), expected: 1 };
                server.commit(vec![change]).await.unwrap();
            }
        }
    });
    for _ in 0..3 {
        tool.reseal(|_| {}).await.unwrap();
    }
    writing.await.unwrap();
    tool.reseal(|_| {}).await.unwrap();
    let (keys, used) = names(&place).await;
    assert_eq!(keys, used);
    for number in 0..420 {
        let loaded = load(&server, number).await.unwrap();
        assert_eq!(loaded.record, record(number));
        assert_eq!(loaded.version, if number < 120 { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_store_that_had_no_data_keys_is_taken_over() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    store.close().await.unwrap();
    // As the first schema was: no data keys, no triggers; the material then is not this, which shows below.
    place
        .tamper(
            "DROP TRIGGER object_inserted_under_current_key; \
             DROP TRIGGER object_updated_under_current_key; DROP TABLE data_key; \
             UPDATE meta SET value = 1 WHERE key IN ('schema.base', 'schema.kmip')",
        )
        .await;
    let store = place.open().await;
    insert(&store, [2]).await;
    assert_eq!(load(&store, 2).await.unwrap().record, record(2));
    let (keys, used) = names(&place).await;
    assert_eq!(keys.len(), 2, "the KEK as the earlier key, and a new one");
    assert_eq!(keys[1], kek(1).id().octets());
    assert!(used.contains(&keys[0]));
    // Material whose key is not there is damage, and is not thrown away by sealing again.
    let error = store.reseal(|_| {}).await.unwrap_err();
    assert!(error.to_string().contains(&uid(1)), "{error}");
    assert_eq!(names(&place).await.0.len(), 3);
}
