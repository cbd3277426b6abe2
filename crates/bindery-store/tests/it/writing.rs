//! The writer: groups, queue, end; several stores on one file.

use bindery_kmip::service::{Change, CommitError, KeyStore, StoreError};
use bindery_store::{SqliteStore, Synchronous};

use crate::support::{Place, assert_unavailable, insert, insertion, load, record, uid};

const WRITERS: usize = 64;
const EACH: usize = 16;

async fn write_from_all_sides(store: &SqliteStore) {
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            insert(&store, (0..EACH).map(|number| writer * EACH + number)).await;
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let rows = store.stats().await.unwrap().rows.remove("object");
    assert_eq!(rows, Some((WRITERS * EACH) as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_at_the_same_time_share_a_transaction() {
    let place = Place::new();
    let store = place.open().await;
    write_from_all_sides(&store).await;
    let counters = store.counters();
    assert_eq!(counters.commits, (WRITERS * EACH) as u64);
    assert!(counters.transactions * 8 < counters.commits, "{counters:?}");
    assert_eq!((counters.conflicts, counters.failures), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_one_shares_nothing() {
    let place = Place::new();
    let options = place.options().group(1).synchronous(Synchronous::Normal);
    let store = SqliteStore::open(options).await.unwrap();
    write_from_all_sides(&store).await;
    let counters = store.counters();
    assert_eq!(counters.transactions, counters.commits);
}

#[tokio::test]
async fn conflicts_are_counted() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    store.commit(insertion(1)).await.unwrap_err();
    let counters = store.counters();
    assert_eq!((counters.commits, counters.conflicts, counters.failures), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_queue_only_slows_down() {
    let place = Place::new();
    let options = place.options().queue(1).queue_bytes(1);
    let store = SqliteStore::open(options).await.unwrap();
    let commits = (0..32).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut record = record(number);
            // Larger than the whole queue.
            record.attributes = vec![1; 3 << 20].into();
            store.commit(vec![Change::Insert(record)]).await
        })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(load(&store, 31).await.unwrap().record.attributes.len(), 3 << 20);
}

#[tokio::test]
async fn close_commits_what_is_queued() {
    let place = Place::new();
    let store = place.open().await;
    let commits: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(insertion(number)).await })
        })
        .collect();
    // On this one thread, all of them are queued before close is.
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    let error = store.commit(insertion(200)).await.unwrap_err();
    assert_unavailable(&error);
    assert!(error.to_string().contains("closed"), "{error}");
    store.load(&[uid(1)]).await.unwrap_err();
    store.close().await.unwrap();
    drop(store);
    let names: Vec<_> = std::fs::read_dir(place.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["keys.db"], "the log was not emptied");
    let store = place.open().await;
    assert_eq!(store.stats().await.unwrap().rows["object"], 200);
}

#[test]
fn a_runtime_that_ends_leaves_whole_commits_and_no_hanging_callers() {
    let place = Place::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(place.open());
    for number in 0..50 {
        let store = store.clone();
        runtime.spawn(async move {
            let changes = [2 * number, 2 * number + 1].map(|it| Change::Insert(record(it)));
            let _ = store.commit(changes.to_vec()).await;
        });
    }
    runtime.shutdown_background();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(store.commit(insertion(1000)));
    match outcome {
        // The writer went away before it took the commit, or with it.
        Ok(()) | Err(CommitError::Unknown(StoreError::Unavailable(_))) => {}
        Err(error) => assert_unavailable(&error),
    }
    let again = runtime.block_on(place.open());
    let asked: Vec<_> = (0..100).map(uid).collect();
    let loaded = runtime.block_on(again.load(&asked)).unwrap();
    assert!(loaded.chunks(2).all(|pair| pair[0].is_some() == pair[1].is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_on_one_file_lose_no_update() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await, place.open().await];
    insert(&stores[0], [1]).await;
    let writers = (0..24).map(|writer| {
        let store = stores[writer % 3].clone();
        tokio::spawn(async move {
            for _ in 0..4 {
                loop {
                    let loaded = load(&store, 1).await.unwrap();
                    let mut record = loaded.record;
                    let mut attributes = record.attributes.to_vec();
                    attributes.push(b'+');
                    record.attributes = attributes.into();
                    let change = Change::Replace { record, expected: loaded.version };
                    match store.commit(vec![change]).await {
                        Ok(()) => break,
                        Err(CommitError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    for store in &stores {
        let loaded = load(store, 1).await.unwrap();
        assert_eq!(loaded.version, 1 + 24 * 4);
        let pluses = loaded.record.attributes.iter().filter(|octet| **octet == b'+').count();
        assert_eq!(pluses, 24 * 4);
    }
}

#[tokio::test]
async fn stats_count() {
    let place = Place::new();
    let store = place.open().await;
    insert(&store, 0..5).await;
    store.commit(vec![Change::Delete { uid: uid(0), expected: 1 }]).await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.rows["object"], 4);
    assert_eq!(stats.rows["object_index"], 4);
    assert_eq!(stats.rows["object_retired"], 1);
    assert!(stats.file_bytes >= 4096 && stats.log_bytes > 0, "{stats:?}");
    assert_eq!(stats.counters, store.counters());
}
