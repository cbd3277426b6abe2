use bindery_kmip::service::{Change, CommitError, KeyStore, Record};
use futures_util::future::{join, join_all};

use super::{assert_conflict, drop_after, entry, filter, found, insert, load, record, uid, uids};

/// How many do something at the same time.
const WRITERS: usize = 64;

fn with_number(number: usize, count: u64) -> Record {
    let mut record = record(number, "alice");
    record.attributes = count.to_be_bytes().to_vec().into();
    record
}

fn number_of(record: &Record) -> u64 {
    u64::from_be_bytes(record.attributes.as_ref().try_into().unwrap())
}

/// Adds to a record's number, and repeats the decision when somebody was faster.
async fn increment(store: &dyn KeyStore, number: usize) {
    loop {
        let loaded = load(store, number).await.unwrap();
        let record = with_number(number, number_of(&loaded.record) + 1);
        match store.commit(vec![Change::Replace { record, expected: loaded.version }]).await {
            Ok(()) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

pub(super) async fn no_update_is_lost(store: &dyn KeyStore) {
    insert(store, [with_number(0, 0), with_number(1, 0)]).await;
    join_all((0..WRITERS).map(|writer| increment(store, writer % 2))).await;
    for number in 0..2 {
        let loaded = load(store, number).await.unwrap();
        assert_eq!(number_of(&loaded.record), WRITERS as u64 / 2);
        assert_eq!(loaded.version, WRITERS as u64 / 2 + 1);
    }
}

pub(super) async fn a_conflict_harms_nobody_else(store: &dyn KeyStore) {
    insert(store, [record(1000, "alice")]).await;
    let commits = (0..WRITERS).map(|writer| {
        let mut changes = vec![Change::Insert(record(writer, "alice"))];
        if writer % 3 == 0 {
            changes.push(Change::Insert(record(1000, "alice")));
        }
        store.commit(changes)
    });
    for (writer, outcome) in join_all(commits).await.into_iter().enumerate() {
        match writer % 3 {
            0 => assert_conflict(outcome, 1000),
            _ => outcome.unwrap(),
        }
    }
    let mut made: Vec<_> = (0..WRITERS).filter(|writer| writer % 3 != 0).collect();
    made.push(1000);
    assert_eq!(found(store, &filter(&[])).await, uids(made));
}

pub(super) async fn readers_see_whole_commits(store: &dyn KeyStore) {
    insert(store, [with_number(0, 0), with_number(1, 0)]).await;
    let writing = async {
        for count in 1..=100 {
            let changes = (0..2).map(|number| Change::Replace {
                record: with_number(number, count),
                expected: count,
            });
            store.commit(changes.collect()).await.unwrap();
        }
    };
    let reading = async {
        loop {
            let asked = uids([0, 1]);
            let loaded: Vec<_> =
                store.load(&asked).await.unwrap().into_iter().map(Option::unwrap).collect();
            assert_eq!(loaded[0].record.attributes, loaded[1].record.attributes);
            assert_eq!(loaded[0].version, loaded[1].version);
            let listed = store.find(&filter(&[entry("State", "Active")])).await.unwrap();
            assert_eq!(listed[0].version, listed[1].version);
            assert!(listed[0].version >= loaded[0].version, "an older state after a newer one");
            if loaded[0].version == 101 {
                break;
            }
        }
    };
    join(writing, reading).await;
}

pub(super) async fn what_a_commit_returned_is_seen(store: &dyn KeyStore) {
    let writers = (0..WRITERS).map(|writer| async move {
        insert(store, [record(writer, "alice")]).await;
        assert!(load(store, writer).await.is_some());
        let by_name = filter(&[entry("Name", &format!("key-{writer}"))]);
        assert_eq!(found(store, &by_name).await, [uid(writer)]);
    });
    join_all(writers).await;
}

pub(super) async fn a_dropped_commit_is_whole_or_nothing(store: &dyn KeyStore) {
    let mut ready = Vec::new();
    for attempt in 0..WRITERS {
        let pair = [2 * attempt, 2 * attempt + 1];
        let changes = pair.map(|number| Change::Insert(record(number, "alice"))).to_vec();
        if drop_after(attempt % 8, store.commit(changes)).await {
            ready.push(attempt);
        }
    }
    // Commits that were handed over may still be on their way: this one comes after them.
    insert(store, [record(5000, "alice")]).await;
    let loaded = store.load(&uids(0..2 * WRITERS)).await.unwrap();
    for (attempt, pair) in loaded.chunks(2).enumerate() {
        assert_eq!(pair[0].is_some(), pair[1].is_some(), "half of commit {attempt}");
        // Never polled, never made.
        assert!(pair[0].is_none() || attempt % 8 != 0);
        assert!(pair[0].is_some() || !ready.contains(&attempt));
    }
}

pub(super) async fn dropped_reads_do_no_harm(store: &dyn KeyStore) {
    let changes = (0..300).map(|number| Change::Insert(record(number, "alice"))).collect();
    store.commit(changes).await.unwrap();
    let all = uids(0..300);
    let listing = filter(&[entry("State", "Active")]);
    for polls in 0..WRITERS {
        drop_after(polls, store.load(&all)).await;
        drop_after(polls, store.find(&listing)).await;
    }
    // More often than there can be connections to lose.
    assert_eq!(store.load(&all).await.unwrap().len(), 300);
    assert_eq!(found(store, &listing).await, all);
    insert(store, [record(300, "alice")]).await;
    assert_eq!(found(store, &listing).await, uids(0..301));
}
