//! How many pages of the file a poll of a window reads, however large the feed is around it.
//!
//! Counted is what SQLite asks of the operating system: a process of its own opens the file, polls, and tells by how
//! much `rchar` of its `/proc/self/io` went up meanwhile. SQLite's cache is empty when it begins and large enough to
//! hold what is read, and a closed file has no log, so each page that is needed is read once, by one call.
#![cfg(target_os = "linux")]

use std::{path::Path, process::Command};

use bindery_core::{Principal, Timestamp};
use bindery_store::{SqliteOptions, SqliteStore, Synchronous};
use bindery_taxii::service::{
    Change, FeedStore, PageLimits, PushTo, Subscription, SubscriptionFilter, Window,
};

use super::{FEED, make, send};
use crate::support::{Place, kek};

const FILE: &str = "BINDERY_STORE_TEST_PAGES";

/// How many blocks the window has.
const WINDOW: usize = 1000;

/// Octets of a page.
const PAGE: u64 = 4096;

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::file(path, kek(1)).synchronous(Synchronous::Normal))
        .await
        .unwrap()
}

/// A feed of so many blocks of half a KiB, about.
async fn fill(path: &Path, blocks: usize) {
    let store = open(path).await;
    make(&store).await;
    for first in (0..blocks).step_by(500) {
        let some = first..blocks.min(first + 500);
        send(&store, some.map(|number| format!("{number} {}", "x".repeat(500)))).await;
    }
    store.close().await.unwrap();
}

fn octets_read() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// The process that polls: the window in the middle of the feed, in pages of 100 blocks.
#[test]
#[ignore = "run by a_poll_reads_as_many_pages_of_a_large_feed_as_of_a_small_one"]
fn poll_and_tell() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&path)).await;
        let state = store.load_collections(&[FEED.to_owned()]).await.unwrap().remove(0).unwrap();
        // Labels are 1, 2, ..: the clock stood still.
        let middle = i64::try_from(state.blocks / 2).unwrap();
        let label = Timestamp::from_unix_micros;
        let mut window = Window::up_to(FEED, label(middle + 1000));
        window.begin = Some(label(middle));
        let before = octets_read();
        let (mut after, mut blocks) = (None, 0);
        loop {
            let page = store.page(&window, after, PageLimits::new(100, usize::MAX)).await.unwrap();
            blocks += page.blocks.len();
            match page.next {
                None => break,
                next => after = next,
            }
        }
        let pages = (octets_read() - before) / PAGE;
        assert_eq!(blocks, WINDOW);
        println!("read {pages} pages");
    });
}

async fn pages_of_a_feed_of(blocks: usize) -> u64 {
    let place = Place::new();
    fill(&place.file(), blocks).await;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "feeds::paging::poll_and_tell"])
        .env(FILE, place.file())
        .output()
        .unwrap();
    told_pages(output)
}

fn told_pages(output: std::process::Output) -> u64 {
    let told = String::from_utf8(output.stdout).unwrap();
    let (_, number) = told.split_once("read ").unwrap_or_else(|| panic!("{told}"));
    number.split(' ').next().unwrap().parse().unwrap()
}

/// What to print.
async fn compare(large: usize) -> String {
    let small = pages_of_a_feed_of(10_000).await;
    let pages = pages_of_a_feed_of(large).await;
    // The content alone takes more pages than this: it was counted.
    assert!(small >= 100, "{small}");
    assert!(2 * pages <= 3 * small, "{pages} pages of {large} blocks, {small} of 10,000");
    format!("{WINDOW} blocks: {small} pages in a feed of 10,000, {pages} in one of {large}")
}

#[tokio::test]
async fn a_poll_reads_as_many_pages_of_a_large_feed_as_of_a_small_one() {
    println!("{}", compare(50_000).await);
}

#[tokio::test]
#[ignore = "takes minutes and 1 GB of disk: run it by name, with --ignored --nocapture"]
async fn a_poll_reads_as_many_pages_of_a_feed_of_a_million() {
    println!("{}", compare(1_000_000).await);
}

/// Alice's one subscription, whose id comes behind those of all others.
#[tokio::test]
async fn an_owners_subscriptions_are_found_without_those_of_others() {
    let place = Place::new();
    let store = open(&place.file()).await;
    make(&store).await;
    let one = |id: String, owner: &str| {
        let mut one =
            Subscription::new(id, FEED, Some(Principal::new(owner)), Timestamp::UNIX_EPOCH);
        one.push = Some(PushTo::new("urn:http", "x".repeat(200), "urn:xml"));
        Change::InsertSubscription { subscription: one, most: usize::MAX }
    };
    let mut changes: Vec<_> =
        (0..3_000).map(|at| one(format!("urn:{at}"), &format!("bob-{at}"))).collect();
    changes.push(one("urn:z".to_owned(), "alice"));
    store.commit(changes, Timestamp::UNIX_EPOCH).await.unwrap();
    store.close().await.unwrap();
    for name in ["FEED", ""] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "feeds::paging::list_and_tell"])
            .env(FILE, place.file())
            .env(COLLECTION, name)
            .output()
            .unwrap();
        let pages = told_pages(output);
        // All of them are more than 200 pages.
        assert!((1..40).contains(&pages), "{name:?}: {pages} pages");
    }
}

const COLLECTION: &str = "BINDERY_STORE_TEST_COLLECTION";

/// The process that lists.
#[test]
#[ignore = "run by an_owners_subscriptions_are_found_without_those_of_others"]
fn list_and_tell() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&path)).await;
        let mut filter = SubscriptionFilter::all(10);
        filter.owner = Some(Some(Principal::new("alice")));
        let named = std::env::var(COLLECTION).is_ok_and(|name| !name.is_empty());
        filter.collection = named.then(|| FEED.to_owned());
        let before = octets_read();
        let found = store.list_subscriptions(&filter).await.unwrap();
        let pages = (octets_read() - before) / PAGE;
        assert_eq!(found.len(), 1);
        println!("read {pages} pages");
    });
}
