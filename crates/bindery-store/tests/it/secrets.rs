//! No secret reaches the disk in the clear.

use bindery_kmip::{
    Secret,
    service::{Change, KeyStore},
};
use bindery_store::{Kek, SqliteOptions, SqliteStore};
use sqlx::Connection;

use crate::support::{Place, connect, load, record, uid};

/// Where in the files of a store some octets stand.
fn places_of(needle: &[u8], place: &Place) -> Vec<String> {
    let mut places = Vec::new();
    for entry in std::fs::read_dir(place.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        if content.windows(needle.len()).any(|window| window == needle) {
            places.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    places
}

#[tokio::test]
async fn material_and_key_are_not_in_the_files() {
    let place = Place::new();
    let key: [u8; 32] = *b"\x01\x02a key-encryption key to find..";
    let options = SqliteOptions::file(place.file(), Kek::new(&key).unwrap());
    let store = SqliteStore::open(options).await.unwrap();
    let canary = b"CANARY-material-that-must-not-be-seen";
    let mut secret = record(1);
    secret.material = Some(Secret::new(canary.repeat(40)));
    secret.attributes = b"CANARY-attributes-that-may-be-seen".to_vec().into();
    store.commit(vec![Change::Insert(secret)]).await.unwrap();
    // While the log and its index are there, and once all is in the main file.
    for open in [true, false] {
        let control = places_of(b"CANARY-attributes", &place);
        assert_eq!(control, [if open { "keys.db-wal" } else { "keys.db" }], "the search is blind");
        for needle in [&canary[..12], &canary[12..], &key[..], &key[2..18]] {
            assert!(places_of(needle, &place).is_empty(), "{needle:?}");
        }
        let hex: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
        assert!(places_of(hex.as_bytes(), &place).is_empty());
        assert!(places_of(hex.to_uppercase().as_bytes(), &place).is_empty());
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_same_material_is_never_stored_alike() {
    let place = Place::new();
    let store = place.open().await;
    let mut changes = Vec::new();
    for number in 0..20 {
        let mut record = record(number);
        record.material = Some(Secret::new(vec![7; 32]));
        changes.push(Change::Insert(record));
    }
    store.commit(changes).await.unwrap();
    store.close().await.unwrap();
    let mut connection = connect(&place.file()).await;
    let different: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT substr(material, 42)) FROM object")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(different, 20);
}

#[tokio::test]
async fn destroyed_material_does_not_stay_in_the_file() {
    let place = Place::new();
    let store = place.open().await;
    let mut record = record(1);
    record.material = Some(Secret::new(vec![9; 6000]));
    store.commit(vec![Change::Insert(record.clone())]).await.unwrap();
    store.close().await.unwrap();
    let mut connection = connect(&place.file()).await;
    let sealed: Vec<u8> =
        sqlx::query_scalar("SELECT material FROM object").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    // Pieces, because a row is spread over pages.
    let pieces = [&sealed[50..80], &sealed[3000..3030], &sealed[5950..5980]];
    for piece in pieces {
        assert_eq!(places_of(piece, &place), ["keys.db"], "the search is blind");
    }
    let store = place.open().await;
    record.material = None;
    store.commit(vec![Change::Replace { record, expected: 1 }]).await.unwrap();
    assert_eq!(load(&store, 1).await.unwrap().record.material, None);
    store.close().await.unwrap();
    for piece in pieces {
        assert!(places_of(piece, &place).is_empty(), "destroyed material is still in the file");
    }
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let place = Place::new();
    let mut key = [0x55; 32];
    key[0] = 1;
    let kek = Kek::new(&key).unwrap();
    let options = SqliteOptions::file(place.file(), kek.clone());
    let shown = format!("{kek:?} {options:?}");
    let store = SqliteStore::open(options).await.unwrap();
    let shown = format!("{shown} {store:?}");
    assert!(shown.contains(&kek.id().to_string()));
    assert!(!shown.contains("5555") && !shown.contains("85, 85"), "{shown}");
    assert!(store.load(&[uid(1)]).await.unwrap()[0].is_none());
}
