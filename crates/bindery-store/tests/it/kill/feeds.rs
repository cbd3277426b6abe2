//! Feeds, killed while messages come in.

use bindery_core::Timestamp;
use bindery_store::{SqliteOptions, SqliteStore};
use bindery_taxii::service::FeedStore;

use super::{FILE, killed};
use crate::{
    feeds::{make, read, send},
    support::{Place, kek},
};

/// What a message has: every third is so large that it is staged in the file.
fn message(number: usize) -> Vec<String> {
    let (blocks, octets) = if number.is_multiple_of(3) { (25, 50_000) } else { (3, 100) };
    (0..blocks).map(|place| format!("{number} {place} {blocks} {}", "x".repeat(octets))).collect()
}

/// The process that is killed: 8 tasks send messages and tell each that was acknowledged.
#[test]
#[ignore = "run by every_acknowledged_message_outlives_a_kill"]
fn send_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(SqliteOptions::file(path, kek(1))).await.unwrap();
        let start = usize::try_from(store.stats().await.unwrap().rows["feed_block"]).unwrap();
        let tasks = (0..8).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for turn in 0.. {
                    let number = 100 * start + turn * 8 + task;
                    send(&store, message(number)).await;
                    println!("made {number}");
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

#[tokio::test]
async fn every_acknowledged_message_outlives_a_kill() {
    let place = Place::new();
    let store = place.open().await;
    make(&store).await;
    store.close().await.unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let before = acknowledged.len();
        acknowledged.extend(killed("kill::feeds::send_until_killed", place.file(), 20 + 7 * round));
        assert!(acknowledged.len() >= before + 20, "round {round}: the child did not work");

        let store = place.open().await;
        let report = store.check().await.unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
        let read = read(&store).await.unwrap();
        assert!(read.windows(2).all(|pair| pair[0].0 < pair[1].0));
        // Nothing by halves, whoever heard of it.
        let blocks: Vec<Vec<usize>> = read
            .iter()
            .map(|(_, text)| text.split(' ').take(3).map(|one| one.parse().unwrap()).collect())
            .collect();
        for found in blocks.chunk_by(|one, next| one[0] == next[0]) {
            let places: Vec<usize> = found.iter().map(|one| one[1]).collect();
            assert_eq!(places, (0..found[0][2]).collect::<Vec<_>>(), "half of {}", found[0][0]);
        }
        let there = |number: &usize| blocks.iter().any(|one| one[0] == *number);
        assert!(acknowledged.iter().all(there), "an acknowledged message was lost");
        // What was begun and not finished is cleared away in time.
        while store.maintain(Timestamp::from_unix_seconds(86_400), 100).await.unwrap().more {}
        let rows = store.stats().await.unwrap().rows;
        assert_eq!((rows["feed_staged"], rows["feed_insertion"]), (0, 0));
        assert_eq!(rows["feed_content"], rows["feed_block"]);
        store.close().await.unwrap();
    }
}
