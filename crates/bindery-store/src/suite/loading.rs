use bindery_core::Timestamp;
use bindery_kmip::{
    Secret,
    service::{Change, IndexEntry, KeyStore, Record, Versioned},
};

use super::{entry, filter, found, insert, load, owner, record, uid};

pub(super) async fn what_was_inserted_is_loaded(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    assert_eq!(load(store, 1).await, Some(Versioned::new(record(1, "alice"), 1)));
    assert_eq!(load(store, 2).await, None);
}

pub(super) async fn the_answer_has_the_order_of_the_question(store: &dyn KeyStore) {
    insert(store, (1..=3).map(|number| record(number, "alice"))).await;
    let asked = [uid(3), uid(9), uid(1), uid(3), "no identifier at all".to_owned(), uid(2)];
    let loaded = store.load(&asked).await.unwrap();
    let numbers = [Some(3), None, Some(1), Some(3), None, Some(2)];
    let expected = numbers.map(|it| it.map(|it| Versioned::new(record(it, "alice"), 1)));
    assert_eq!(loaded, expected);
    assert_eq!(store.load(&[]).await.unwrap(), []);
}

pub(super) async fn many_records_are_loaded_at_once(store: &dyn KeyStore) {
    let changes = (0..300).map(|number| Change::Insert(record(number, "alice"))).collect();
    store.commit(changes).await.unwrap();
    let asked: Vec<_> = (0..600).rev().map(uid).collect();
    let loaded = store.load(&asked).await.unwrap();
    assert_eq!(loaded.len(), 600);
    for (number, loaded) in (0..600).rev().zip(loaded) {
        let expected = (number < 300).then(|| Versioned::new(record(number, "alice"), 1));
        assert_eq!(loaded, expected);
    }
}

pub(super) async fn material_of_any_length_survives(store: &dyn KeyStore) {
    for (number, length) in [0, 1, 15, 16, 17, 4096, 1 << 20].into_iter().enumerate() {
        let octets: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut record = record(number, "alice");
        record.material = Some(Secret::new(octets.clone()));
        insert(store, [record]).await;
        let material = load(store, number).await.unwrap().record.material.unwrap();
        assert!(material.expose() == octets, "{length} octets of material changed");
    }
    let mut without = record(100, "alice");
    without.material = None;
    insert(store, [without.clone()]).await;
    assert_eq!(load(store, 100).await.unwrap().record, without);
}

pub(super) async fn entries_keep_order_and_repetition(store: &dyn KeyStore) {
    let mut record = record(1, "alice");
    record.index =
        vec![entry("b", "2"), entry("a", "1"), entry("b", "2"), entry("b", "1"), entry("", "")];
    insert(store, [record.clone()]).await;
    assert_eq!(load(store, 1).await.unwrap().record.index, record.index);
    assert_eq!(found(store, &filter(&[entry("b", "2")])).await, [uid(1)]);
    record.index = Vec::new();
    let change = Change::Replace { record, expected: 1 };
    store.commit(vec![change]).await.unwrap();
    assert_eq!(load(store, 1).await.unwrap().record.index, []);
    assert!(found(store, &filter(&[entry("b", "2")])).await.is_empty());
}

pub(super) async fn any_time_survives(store: &dyn KeyStore) {
    for (number, micros) in [i64::MIN, -1, 0, 1, i64::MAX].into_iter().enumerate() {
        let mut record = record(number, "alice");
        record.created = Timestamp::from_unix_micros(micros);
        insert(store, [record.clone()]).await;
        assert_eq!(load(store, number).await.unwrap().record.created, record.created);
    }
}

pub(super) async fn any_text_survives(store: &dyn KeyStore) {
    let texts =
        ["", "'", "\"; DROP TABLE object; --", "%", "_", "?1", "$1", "ä", "\u{10ffff}", " a "];
    for (number, text) in texts.into_iter().enumerate() {
        let time = Timestamp::UNIX_EPOCH;
        let mut record = Record::new(format!("uid {text}"), owner(text), time);
        record.index = vec![IndexEntry::new(text, vec![0, 255, b'\'']), entry("number", "same")];
        record.attributes = vec![0, 255, 0].into();
        insert(store, [record.clone()]).await;
        let loaded = store.load(std::slice::from_ref(&record.uid)).await.unwrap();
        assert_eq!(loaded, [Some(Versioned::new(record.clone(), 1))], "text {number}");
        let mut by_text = filter(&record.index);
        by_text.owner = Some(owner(text));
        assert_eq!(found(store, &by_text).await, [record.uid], "text {number}");
    }
    // What a peer asks for is not chosen by the server.
    let strange = ["uid".to_owned(), "uid \0".to_owned(), "\0".to_owned(), "x".repeat(1 << 20)];
    assert_eq!(store.load(&strange).await.unwrap(), [None, None, None, None]);
}
