//! What every store does, whatever it stands on: the same cases run on each engine.
//!
//! A case gets an empty store. It panics when the store breaks a promise of its trait:
//! [`KeyStore`](bindery_kmip::service::KeyStore) here,
//! [`DeviceStore`](bindery_omadm::service::DeviceStore) in [`devices`],
//! [`FeedStore`](bindery_taxii::service::FeedStore) in [`feeds`].
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a case says by a panic that it failed"
)]

mod changing;
mod concurrent;
pub mod devices;
pub mod feeds;
mod finding;
mod loading;

use std::{future::poll_fn, pin::pin, task::Poll};

use bindery_core::{Principal, Timestamp};
use bindery_kmip::{
    Secret,
    service::{Change, CommitError, Filter, IndexEntry, KeyStore, Record, Versioned},
};
use futures_util::future::BoxFuture;

/// One promise, put to the test.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Case<S: ?Sized> {
    /// The promise in words.
    pub name: &'static str,
    /// Puts it to the test.
    pub run: for<'a> fn(&'a S) -> BoxFuture<'a, ()>,
}

macro_rules! cases {
    ($store:ty; $($module:ident: $($name:ident),+ $(,)?;)+) => {
        /// All cases.
        pub const CASES: &[$crate::suite::Case<$store>] = &[$($($crate::suite::Case {
            name: stringify!($name),
            run: |store| Box::pin($module::$name(store)),
        },)+)+];
    };
}
use cases;

cases! {
    dyn KeyStore;
    loading:
        what_was_inserted_is_loaded,
        the_answer_has_the_order_of_the_question,
        many_records_are_loaded_at_once,
        material_of_any_length_survives,
        entries_keep_order_and_repetition,
        any_time_survives,
        any_text_survives;
    finding:
        owners_are_kept_apart,
        a_record_has_all_entries_or_is_not_found,
        listings_have_the_order_of_identifiers,
        pages_join_without_gap_or_overlap,
        a_page_continues_after_a_record_that_is_gone,
        limits_at_the_ends,
        many_entries_in_one_filter,
        listings_have_no_material;
    changing:
        an_empty_commit_does_nothing,
        an_identifier_is_taken_once,
        a_replacement_raises_the_version,
        a_replacement_changes_what_finds_the_record,
        a_replacement_may_change_the_owner,
        a_stale_version_is_a_conflict,
        what_is_not_there_cannot_change,
        a_deleted_record_is_gone_for_good,
        a_commit_is_made_whole_or_not_at_all,
        changes_of_a_commit_see_each_other;
    concurrent:
        no_update_is_lost,
        a_conflict_harms_nobody_else,
        readers_see_whole_commits,
        what_a_commit_returned_is_seen,
        a_dropped_commit_is_whole_or_nothing,
        dropped_reads_do_no_harm;
}

/// Polls a future a number of times, then drops it. Whether it was ready by then.
async fn drop_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(false);
        }
        polled += 1;
        cx.waker().wake_by_ref();
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

fn uid(number: usize) -> String {
    format!("01980c3e-7c4f-7a52-9d0e-{number:012x}")
}

fn owner(name: &str) -> Principal {
    Principal::new(name)
}

fn entry(name: &str, value: &str) -> IndexEntry {
    IndexEntry::new(name, value.as_bytes().to_vec())
}

/// A record with something in every field.
fn record(number: usize, owner_name: &str) -> Record {
    let time = Timestamp::from_unix_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap());
    let mut record = Record::new(uid(number), owner(owner_name), time);
    record.attributes = format!("attributes of {number}").into_bytes().into();
    record.index = vec![entry("State", "Active"), entry("Name", &format!("key-{number}"))];
    record.material = Some(Secret::new(format!("material of {number}").into_bytes()));
    record
}

fn filter(entries: &[IndexEntry]) -> Filter {
    let mut filter = Filter::owned_by(owner("alice"), 1000);
    filter.entries = entries.to_vec();
    filter
}

async fn insert(store: &dyn KeyStore, records: impl IntoIterator<Item = Record>) {
    for record in records {
        store.commit(vec![Change::Insert(record)]).await.unwrap();
    }
}

async fn load(store: &dyn KeyStore, number: usize) -> Option<Versioned> {
    store.load(&[uid(number)]).await.unwrap().remove(0)
}

async fn found(store: &dyn KeyStore, filter: &Filter) -> Vec<String> {
    let found = store.find(filter).await.unwrap();
    found.into_iter().map(|versioned| versioned.record.uid).collect()
}

fn uids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(uid).collect()
}

#[track_caller]
fn assert_conflict(outcome: Result<(), CommitError>, number: usize) {
    match outcome {
        Err(CommitError::Conflict { uid: found }) => assert_eq!(found, uid(number)),
        other => panic!("expected a conflict over {}, got {other:?}", uid(number)),
    }
}
