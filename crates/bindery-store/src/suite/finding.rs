use bindery_kmip::service::{Change, Filter, IndexEntry, KeyStore};

use super::{entry, filter, found, insert, load, owner, record, uid, uids};

pub(super) async fn owners_are_kept_apart(store: &dyn KeyStore) {
    let records = (0..9).map(|number| record(number, ["alice", "bob", "al"][number % 3]));
    insert(store, records).await;
    let active = [entry("State", "Active")];
    for (offset, name) in ["alice", "bob", "al"].into_iter().enumerate() {
        for entries in [&active[..], &[]] {
            let mut filter = filter(entries);
            filter.owner = Some(owner(name));
            assert_eq!(found(store, &filter).await, uids([offset, offset + 3, offset + 6]));
        }
    }
    let mut nobody = filter(&active);
    nobody.owner = Some(owner("Alice"));
    assert!(found(store, &nobody).await.is_empty());
    let mut another = filter(&[entry("Name", "key-1")]);
    assert!(found(store, &another).await.is_empty(), "bob's record was found for alice");
    another.owner = None;
    assert_eq!(found(store, &another).await, [uid(1)]);
}

pub(super) async fn a_record_has_all_entries_or_is_not_found(store: &dyn KeyStore) {
    let records = (0..24).map(|number| {
        let mut record = record(number, "alice");
        let part = |by: usize| entry(&format!("by {by}"), &(number % by).to_string());
        record.index = vec![part(2), part(3), part(4), entry("all", "")];
        record
    });
    insert(store, records).await;
    let check = async |entries: &[IndexEntry], expected: &[usize]| {
        assert_eq!(found(store, &filter(entries)).await, uids(expected.iter().copied()));
        let mut of_everybody = filter(entries);
        of_everybody.owner = None;
        assert_eq!(found(store, &of_everybody).await, uids(expected.iter().copied()));
    };
    check(&[entry("by 2", "1"), entry("by 3", "0")], &[3, 9, 15, 21]).await;
    check(&[entry("all", ""), entry("by 4", "0"), entry("by 3", "1")], &[4, 16]).await;
    check(&[entry("by 4", "0"), entry("by 4", "0")], &[0, 4, 8, 12, 16, 20]).await;
    check(&[entry("by 2", "0"), entry("by 4", "1")], &[]).await;
    check(&[entry("by 2", "0"), entry("by 2", "1")], &[]).await;
    check(&[entry("by 2", "")], &[]).await;
    check(&[entry("by", "2")], &[]).await;
    check(&[entry("by 2", "1"), entry("unknown", "1")], &[]).await;
}

pub(super) async fn listings_have_the_order_of_identifiers(store: &dyn KeyStore) {
    let records = [5, 2, 9, 0, 7].map(|number| {
        let name = if number % 2 == 0 { "zoe" } else { "alice" };
        record(number, name)
    });
    insert(store, records).await;
    for entries in [&[entry("State", "Active")][..], &[]] {
        let mut filter = filter(entries);
        filter.owner = None;
        assert_eq!(found(store, &filter).await, uids([0, 2, 5, 7, 9]));
        filter.after = Some(uid(2));
        assert_eq!(found(store, &filter).await, uids([5, 7, 9]));
    }
}

pub(super) async fn pages_join_without_gap_or_overlap(store: &dyn KeyStore) {
    let changes = (0..50).map(|number| Change::Insert(record(number, "alice"))).collect();
    store.commit(changes).await.unwrap();
    insert(store, (50..60).map(|number| record(number, "bob"))).await;
    for size in [1, 7, 10, 25, 49, 50, 51] {
        for entries in [&[entry("State", "Active")][..], &[]] {
            let mut filter = filter(entries);
            filter.limit = size;
            let mut all = Vec::new();
            loop {
                let page = found(store, &filter).await;
                assert!(page.len() <= size);
                filter.after = page.last().cloned();
                // Fewer than asked for, only at the end.
                let end = page.len() < size;
                all.extend(page);
                if end {
                    break;
                }
            }
            assert_eq!(all, uids(0..50), "pages of {size}");
        }
    }
}

pub(super) async fn a_page_continues_after_a_record_that_is_gone(store: &dyn KeyStore) {
    insert(store, (0..6).map(|number| record(number, "alice"))).await;
    store.commit(vec![Change::Delete { uid: uid(2), expected: 1 }]).await.unwrap();
    let mut filter = filter(&[entry("State", "Active")]);
    filter.after = Some(uid(2));
    assert_eq!(found(store, &filter).await, uids([3, 4, 5]));
    filter.after = Some(uid(5));
    assert!(found(store, &filter).await.is_empty());
    filter.after = Some(String::new());
    assert_eq!(found(store, &filter).await, uids([0, 1, 3, 4, 5]));
}

pub(super) async fn limits_at_the_ends(store: &dyn KeyStore) {
    insert(store, (0..3).map(|number| record(number, "alice"))).await;
    for (limit, expected) in [(0, 0), (1, 1), (3, 3), (usize::MAX, 3)] {
        let filter = Filter::owned_by(owner("alice"), limit);
        assert_eq!(found(store, &filter).await, uids(0..expected));
    }
}

pub(super) async fn many_entries_in_one_filter(store: &dyn KeyStore) {
    let entries: Vec<_> = (0..2000).map(|it| entry("Name", &format!("name {it}"))).collect();
    let records = (0..4).map(|number| {
        let mut record = record(number, "alice");
        // One lacks the last entry, one lacks the first.
        let range = [0..2000, 0..1999, 1..2000, 0..2000][number].clone();
        record.index = entries[range].to_vec();
        record
    });
    insert(store, records).await;
    assert_eq!(found(store, &filter(&entries)).await, uids([0, 3]));
    let mut first = filter(&entries);
    first.limit = 1;
    assert_eq!(found(store, &first).await, uids([0]));
    first.after = Some(uid(0));
    assert_eq!(found(store, &first).await, uids([3]));
}

pub(super) async fn listings_have_no_material(store: &dyn KeyStore) {
    insert(store, [record(1, "alice")]).await;
    let mut expected = load(store, 1).await.unwrap();
    expected.record.material = None;
    for entries in [&[entry("State", "Active")][..], &[]] {
        assert_eq!(store.find(&filter(entries)).await.unwrap(), [expected.clone()]);
    }
}
