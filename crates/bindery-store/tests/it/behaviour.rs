//! The suites, in the default form and with everything as tight as it goes.

use bindery_kmip::service::KeyStore;
use bindery_omadm::service::{DeviceStore, MemoryStore};
use bindery_store::{
    SqliteStore,
    suite::{CASES, Case, devices, feeds},
};
use bindery_taxii::service::FeedStore;

use crate::support::Place;

/// Runs cases one after the other, each on a store of its own, and tells all that failed.
fn run_each<S: ?Sized>(cases: &[Case<S>], run: impl AsyncFn(&Case<S>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let run = |case: &Case<S>| runtime.block_on(run(case));
    let failed: Vec<_> = cases
        .iter()
        .filter(|case| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(case))).is_err()
        })
        .map(|case| case.name)
        .collect();
    assert!(cases.len() >= 30, "cases have gone missing");
    assert!(failed.is_empty(), "these promises were broken: {failed:?}");
}

/// Runs all suites on SQLite.
fn run_all(open: impl AsyncFn(&Place) -> SqliteStore) {
    run_each(CASES, async |case| {
        let place = Place::new();
        let store = open(&place).await;
        (case.run)(&store as &dyn KeyStore).await;
        assert_sound(&store).await;
    });
    run_each(devices::CASES, async |case| {
        let place = Place::new();
        let store = open(&place).await;
        (case.run)(&store as &dyn DeviceStore).await;
        assert_sound(&store).await;
    });
    run_each(feeds::CASES, async |case| {
        let place = Place::new();
        let store = open(&place).await;
        (case.run)(&store as &dyn FeedStore).await;
        assert_sound(&store).await;
    });
}

async fn assert_sound(store: &SqliteStore) {
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    store.close().await.unwrap();
}

#[test]
fn devices_in_memory_keep_the_same_promises() {
    run_each(devices::CASES, async |case| {
        (case.run)(&MemoryStore::new() as &dyn DeviceStore).await;
    });
}

#[test]
fn every_promise_is_kept_by_default() {
    run_all(async |place| place.open().await);
}

#[test]
fn every_promise_is_kept_without_groups_and_with_one_place_in_the_queue() {
    run_all(async |place| {
        let options = place.options().group(1).queue(1).readers(1).queue_bytes(1);
        SqliteStore::open(options).await.unwrap()
    });
}

#[test]
fn every_promise_is_kept_in_a_temporary_store() {
    run_all(async |_| {
        let kek = bindery_store::Kek::generate().unwrap();
        SqliteStore::open(bindery_store::SqliteOptions::temporary(kek)).await.unwrap()
    });
}
