//! Files that were altered: what is wrong is told, nothing wrong is given out.

use bindery_core::Principal;
use bindery_kmip::service::{Change, CommitError, Filter, KeyStore, StoreError};
use bindery_store::{SqliteError, SqliteStore};

use crate::support::{Place, assert_damaged, cause, insert, load, record, uid};

/// A store with records 1 to 3, closed, altered, and open again.
async fn altered(place: &Place, sql: &'static str) -> SqliteStore {
    let store = place.open().await;
    insert(&store, 1..=3).await;
    store.close().await.unwrap();
    // They hold writers to the current data key, also those who come behind the store's back.
    place.tamper("DROP TRIGGER object_updated_under_current_key").await;
    place.tamper(sql).await;
    place.open().await
}

const SECOND: &str = "uid = '01980c3e-7c4f-7a52-9d0e-000000000002'";

#[tokio::test]
async fn altered_material_is_never_given_out() {
    for change in [
        "UPDATE object SET material = CAST(substr(material, 1, length(material) - 1) || x'00' AS BLOB)",
        "UPDATE object SET material = CAST(substr(material, 1, 41) || x'ff' || substr(material, 43) AS BLOB)",
        "UPDATE object SET material = substr(material, 1, length(material) - 1)",
        "UPDATE object SET material = substr(material, 1, 41)",
        "UPDATE object SET material = substr(material, 1, 5)",
        "UPDATE object SET material = x''",
        "UPDATE object SET material = CAST(x'02' || substr(material, 2) AS BLOB)",
        "UPDATE object SET material = CAST(x'010000000000000000' || substr(material, 10) AS BLOB)",
        "UPDATE object SET owner = 'mallory'",
    ] {
        let place = Place::new();
        let sql: &'static str = format!("{change} WHERE {SECOND}").leak();
        let store = altered(&place, sql).await;
        assert_damaged(&load(&store, 2).await.unwrap_err(), 2);
        // The others are not harmed.
        assert_eq!(load(&store, 1).await.unwrap().record, record(1));
        assert_eq!(load(&store, 3).await.unwrap().record, record(3));
        let report = store.check().await.unwrap();
        assert!(report.problems.iter().any(|it| it.contains(&uid(2))), "{change}: {report:?}");
        assert!(!report.problems.iter().any(|it| it.contains(&uid(1))), "{change}: {report:?}");
    }
}

#[tokio::test]
async fn swapped_material_is_noticed_on_both_sides() {
    let place = Place::new();
    let store = altered(
        &place,
        "CREATE TEMP TABLE was AS SELECT row_number() OVER () AS place, uid, material FROM object; \
         UPDATE object SET material = other.material FROM was AS mine, was AS other \
         WHERE mine.uid = object.uid AND mine.place + other.place = 3",
    )
    .await;
    assert_damaged(&load(&store, 1).await.unwrap_err(), 1);
    assert_damaged(&load(&store, 2).await.unwrap_err(), 2);
    assert_eq!(load(&store, 3).await.unwrap().record, record(3));
}

#[tokio::test]
async fn altered_entries_are_damage_to_readers_and_writers() {
    for entries in
        ["x''", "x'02'", "x'01ff'", "x'0100000001'", "x'01ffffffff61'", "x'0100000001ff00000000'"]
    {
        let place = Place::new();
        let sql: &'static str =
            format!("UPDATE object SET entries = {entries} WHERE {SECOND}").leak();
        let store = altered(&place, sql).await;
        assert_damaged(&load(&store, 2).await.unwrap_err(), 2);
        let all = Filter::owned_by(Principal::new("alice"), 10);
        assert_damaged(&store.find(&all).await.unwrap_err(), 2);
        // In one group with a good one.
        let bad = store.commit(vec![Change::Replace { record: record(2), expected: 1 }]);
        let good = store.commit(vec![Change::Replace { record: record(1), expected: 1 }]);
        let (bad, good) = tokio::join!(bad, good);
        match bad.unwrap_err() {
            CommitError::Store(error) => assert_damaged(&error, 2),
            other => panic!("{other:?}"),
        }
        good.unwrap();
    }
}

#[tokio::test]
async fn an_index_that_lost_or_gained_rows_is_reported() {
    for (sql, word) in [
        ("DELETE FROM object_index WHERE value = CAST('key-2' AS BLOB)", "not found by its Name"),
        ("INSERT INTO object_index VALUES ('Name', x'00', 'alice', 'nobody')", "index has 4 rows"),
    ] {
        let place = Place::new();
        let store = altered(&place, sql).await;
        let report = store.check().await.unwrap();
        assert_eq!(report.records, 3);
        assert!(report.problems.iter().any(|it| it.contains(word)), "{report:?}");
    }
}

#[tokio::test]
async fn a_torn_page_is_told_with_the_file_and_the_remedy() {
    let place = Place::new();
    let store = place.open().await;
    let records = (0..2000).map(|number| Change::Insert(record(number))).collect();
    store.commit(records).await.unwrap();
    store.close().await.unwrap();
    let mut content = place.contents().unwrap();
    assert!(content.len() > 100 * 4096);
    // All but the first pages, which hold the schema and meta.
    for octet in &mut content[80 * 4096..] {
        *octet = 0xa5;
    }
    std::fs::write(place.file(), content).unwrap();
    let store = place.open().await;
    let mut told = false;
    for number in 0..2000 {
        let Err(error) = store.load(&[uid(number)]).await else { continue };
        assert!(matches!(cause(&error), SqliteError::Corrupted { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("keys.db") && text.contains("restore a backup"), "{text}");
        told = true;
    }
    assert!(told, "no damage was noticed");
    let report = store.check().await.unwrap();
    assert!(!report.is_sound());
    // Writing does not make it worse, and gives the same error.
    let outcome = store
        .commit(
            (0..2000)
                .map(|number| Change::Replace { record: record(number), expected: 1 })
                .collect(),
        )
        .await;
    match outcome.unwrap_err() {
        CommitError::Store(error @ StoreError::Failed(_)) => {
            assert!(matches!(cause(&error), SqliteError::Corrupted { .. }), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}
