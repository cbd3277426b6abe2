use bindery_kmip::service::{Change, KeyStore, Versioned};

use super::{assert_conflict, entry, filter, found, insert, load, owner, record, uid, uids};

fn replace(number: usize, expected: u64, note: &str) -> Change {
    let mut record = record(number, "alice");
    record.attributes = note.as_bytes().to_vec().into();
    Change::Replace { record, expected }
}

const fn delete(uid: String, expected: u64) -> Change {
    Change::Delete { uid, expected }
}

pub(super) async fn an_empty_commit_does_nothing(store: &dyn KeyStore) {
    store.commit(Vec::new()).await.unwrap();
    assert!(found(store, &filter(&[])).await.is_empty());
}

pub(super) async fn an_identifier_is_taken_once(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    assert_conflict(store.commit(vec![Change::Insert(record(1, "bob"))]).await, 1);
    assert_eq!(load(store, 1).await, Some(Versioned::new(record(1, "alice"), 1)));
    let mut bobs = filter(&[]);
    bobs.owner = Some(owner("bob"));
    assert!(found(store, &bobs).await.is_empty());
}

pub(super) async fn a_replacement_raises_the_version(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    for version in 1..5 {
        let note = format!("after version {version}");
        store.commit(vec![replace(1, version, &note)]).await.unwrap();
        let loaded = load(store, 1).await.unwrap();
        assert_eq!(loaded.version, version + 1);
        assert_eq!(loaded.record.attributes, note.as_bytes());
        assert_eq!(store.find(&filter(&[])).await.unwrap()[0].version, version + 1);
    }
    let mut destroyed = record(1, "alice");
    destroyed.material = None;
    let change = Change::Replace { record: destroyed.clone(), expected: 5 };
    store.commit(vec![change]).await.unwrap();
    assert_eq!(load(store, 1).await, Some(Versioned::new(destroyed, 6)));
}

pub(super) async fn a_replacement_changes_what_finds_the_record(store: &dyn KeyStore) {
    insert(store, [record(1, "alice"), record(2, "alice")]).await;
    let mut changed = record(1, "alice");
    changed.index = vec![entry("State", "Destroyed"), entry("Name", "key-1")];
    store.commit(vec![Change::Replace { record: changed, expected: 1 }]).await.unwrap();
    assert_eq!(found(store, &filter(&[entry("State", "Active")])).await, [uid(2)]);
    assert_eq!(found(store, &filter(&[entry("State", "Destroyed")])).await, [uid(1)]);
    assert_eq!(found(store, &filter(&[entry("Name", "key-1")])).await, [uid(1)]);
}

pub(super) async fn a_replacement_may_change_the_owner(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    let change = Change::Replace { record: record(1, "bob"), expected: 1 };
    store.commit(vec![change]).await.unwrap();
    let mut active = filter(&[entry("State", "Active")]);
    assert!(found(store, &active).await.is_empty());
    active.owner = Some(owner("bob"));
    assert_eq!(found(store, &active).await, [uid(1)]);
    assert_eq!(load(store, 1).await, Some(Versioned::new(record(1, "bob"), 2)));
}

pub(super) async fn a_stale_version_is_a_conflict(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    store.commit(vec![replace(1, 1, "second")]).await.unwrap();
    let before = load(store, 1).await;
    for stale in [0, 1, 3, u64::MAX] {
        assert_conflict(store.commit(vec![replace(1, stale, "stale")]).await, 1);
        assert_conflict(store.commit(vec![delete(uid(1), stale)]).await, 1);
    }
    assert_eq!(load(store, 1).await, before);
}

pub(super) async fn what_is_not_there_cannot_change(store: &dyn KeyStore) {
    for version in [0, 1] {
        assert_conflict(store.commit(vec![replace(1, version, "")]).await, 1);
        assert_conflict(store.commit(vec![delete(uid(1), version)]).await, 1);
    }
    assert_eq!(load(store, 1).await, None);
}

pub(super) async fn a_deleted_record_is_gone_for_good(store: &dyn KeyStore) {
    insert(store, [record(1, "alice"), record(2, "alice")]).await;
    store.commit(vec![delete(uid(1), 1)]).await.unwrap();
    assert_eq!(load(store, 1).await, None);
    assert_eq!(found(store, &filter(&[])).await, [uid(2)]);
    assert_eq!(found(store, &filter(&[entry("State", "Active")])).await, [uid(2)]);
    assert!(found(store, &filter(&[entry("Name", "key-1")])).await.is_empty());
    assert_conflict(store.commit(vec![delete(uid(1), 1)]).await, 1);
    assert_conflict(store.commit(vec![Change::Insert(record(1, "alice"))]).await, 1);
    assert_eq!(load(store, 1).await, None);
}

pub(super) async fn a_commit_is_made_whole_or_not_at_all(store: &dyn KeyStore) {
    insert(store, (1..=3).map(|number| record(number, "alice"))).await;
    store.commit(vec![replace(3, 1, "second")]).await.unwrap();
    let before = store.load(&uids(0..10)).await.unwrap();
    // The last change fails, after others of every kind.
    let changes = |last| {
        let inserted = Change::Insert(record(4, "alice"));
        vec![inserted, replace(1, 1, "never"), delete(uid(2), 1), last]
    };
    assert_conflict(store.commit(changes(replace(3, 1, "stale"))).await, 3);
    assert_conflict(store.commit(changes(Change::Insert(record(3, "alice")))).await, 3);
    assert_conflict(store.commit(changes(Change::Insert(record(4, "alice")))).await, 4);
    assert_conflict(store.commit(changes(Change::Insert(record(2, "alice")))).await, 2);
    assert_conflict(store.commit(changes(delete(uid(9), 1))).await, 9);
    assert_eq!(store.load(&uids(0..10)).await.unwrap(), before);
    assert_eq!(found(store, &filter(&[entry("State", "Active")])).await, uids(1..=3));
    store.commit(changes(replace(3, 2, "third"))).await.unwrap();
    assert_eq!(found(store, &filter(&[entry("State", "Active")])).await, uids([1, 3, 4]));
}

pub(super) async fn changes_of_a_commit_see_each_other(store: &dyn KeyStore) {
    let inserted = || Change::Insert(record(1, "alice"));
    store.commit(vec![inserted(), replace(1, 1, "a"), replace(1, 2, "b")]).await.unwrap();
    let loaded = load(store, 1).await.unwrap();
    assert_eq!((loaded.version, &*loaded.record.attributes), (3, &b"b"[..]));
    assert_conflict(store.commit(vec![replace(1, 3, "c"), replace(1, 3, "d")]).await, 1);
    assert_conflict(store.commit(vec![delete(uid(1), 3), inserted()]).await, 1);
    assert_eq!(load(store, 1).await, Some(loaded));
    let second = Change::Insert(record(2, "alice"));
    store.commit(vec![second, delete(uid(2), 1)]).await.unwrap();
    assert_eq!(load(store, 2).await, None);
}
