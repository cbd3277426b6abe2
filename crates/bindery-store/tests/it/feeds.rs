//! Feeds on SQLite: several processes, damage, and how much a poll reads.

mod paging;

use bindery_core::Timestamp;
use bindery_store::{
    SqliteStore,
    suite::feeds::{Traffic, traffic},
};
use bindery_taxii::service::{
    Block, Change, Collection, FeedStore, FeedStoreError, Inbox, PageLimits, Part, Subject, Window,
};

use crate::support::Place;

pub(crate) const FEED: &str = "urn:feed";

pub(crate) async fn make(store: &SqliteStore) {
    let new = Change::InsertCollection(Collection::new(FEED, ""));
    store.commit(vec![new], Timestamp::UNIX_EPOCH).await.unwrap();
}

pub(crate) async fn send(store: &SqliteStore, blocks: impl IntoIterator<Item = String>) {
    let zero = Timestamp::UNIX_EPOCH;
    let mut insertion = store.insert(Inbox::new(vec![FEED.to_owned()], zero)).await.unwrap();
    for block in blocks {
        insertion.add(Block::new("urn:b", Part::new(block, Vec::new())), &[0]).await.unwrap();
    }
    insertion.commit(zero).await.unwrap();
}

/// All blocks, read by pages.
pub(crate) async fn read(store: &SqliteStore) -> Result<Vec<(i64, String)>, FeedStoreError> {
    let state = store.load_collections(&[FEED.to_owned()]).await?.remove(0).unwrap();
    let window = Window::up_to(FEED, state.mark);
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = store.page(&window, after, PageLimits::default()).await?;
        let blocks = page.blocks.into_iter();
        all.extend(blocks.map(|one| (one.label.unix_micros(), one.block.content.raw)));
        match page.next {
            None => return Ok(all),
            next => after = next,
        }
    }
}

/// As several processes would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushers_and_pollers_of_several_stores_on_one_file_miss_nothing() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await, place.open().await];
    let shared = [&stores[0], &stores[1], &stores[2]].map(|store| store as &dyn FeedStore);
    traffic(&shared, Traffic { pushers: 32, pollers: 32, messages: 6 }).await;
    assert!(stores[0].check().await.unwrap().is_sound());
}

async fn with_blocks(place: &Place) {
    let store = place.open().await;
    make(&store).await;
    send(&store, (0..5).map(|number| format!("block {number}"))).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn damage_is_told_with_its_place() {
    let cases: [(&str, &str); 4] = [
        ("DELETE FROM feed_content WHERE id = 2", "blocks have no feed, binding or content"),
        ("UPDATE feed_content SET rest = x'00' WHERE id = 2", ""),
        ("DELETE FROM feed_binding", "blocks have no feed, binding or content"),
        ("UPDATE feed_content SET uses = 2 WHERE id = 2", "used by another number of blocks"),
    ];
    for (sql, told) in cases {
        let place = Place::new();
        with_blocks(&place).await;
        place.tamper(sql).await;
        let store = place.open().await;
        let problems = store.check().await.unwrap().problems;
        assert!(
            told.is_empty() || problems.iter().any(|one| one.contains(told)),
            "{sql}: {problems:?}"
        );
        let read = read(&store).await;
        if sql.contains("uses") {
            read.unwrap();
            continue;
        }
        match read {
            Err(FeedStoreError::Damaged { subject: Subject::Block(place), .. }) => {
                assert!(place.ends_with(" of urn:feed"), "{place}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    let place = Place::new();
    with_blocks(&place).await;
    place.tamper("UPDATE feed SET blocks = 6, mark = 2").await;
    let store = place.open().await;
    let problems = store.check().await.unwrap().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// The tables as the first version made them, with what stood in them.
#[tokio::test]
async fn a_store_of_the_first_version_is_taken_over() {
    let place = Place::new();
    with_blocks(&place).await;
    place
        .tamper(
            "DROP INDEX feed_binding_by_id; DROP INDEX feed_binding_unused; \
             ALTER TABLE feed_binding RENAME TO later; \
             CREATE TABLE feed_binding (id INTEGER NOT NULL PRIMARY KEY, binding TEXT NOT NULL, subtype TEXT) STRICT; \
             INSERT INTO feed_binding SELECT id, binding, subtype FROM later; \
             INSERT INTO feed_binding VALUES (70, 'urn:unused', 'urn:s'); DROP TABLE later; \
             CREATE UNIQUE INDEX feed_binding_by_id ON feed_binding (binding, ifnull(subtype, x'')); \
             DROP INDEX feed_subscription_ended; DROP INDEX feed_subscription_ended_by_owner; \
             DROP INDEX feed_subscription_by_owner; \
             DROP INDEX feed_outbox_given_up_at; \
             ALTER TABLE feed_subscription DROP COLUMN ended; \
             DROP INDEX feed_result_by_owner; ALTER TABLE feed_result DROP COLUMN blocks; \
             ALTER TABLE feed_result DROP COLUMN parts; \
             INSERT INTO feed_subscription VALUES \
             ('urn:s', 1, NULL, 7, 2, 2, 0, 0, 0, x'00', x'', NULL, NULL); \
             UPDATE meta SET value = 1 WHERE key = 'schema.taxii'",
        )
        .await;
    let store = place.open().await;
    assert_eq!(read(&store).await.unwrap().len(), 5);
    assert!(store.check().await.unwrap().is_sound());
    // What no block has, and what ended long ago, goes.
    let day = Timestamp::from_unix_micros(7 + 86_400_000_000);
    assert_eq!(store.maintain(day, 100).await.unwrap().others, 2);
    send(&store, ["more".to_owned()]).await;
    assert_eq!(read(&store).await.unwrap().len(), 6);
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn a_damaged_collection_is_told_by_its_name() {
    let place = Place::new();
    with_blocks(&place).await;
    place.tamper("UPDATE feed SET grants = x'01'").await;
    let store = place.open().await;
    match store.list_collections(None, 10).await {
        Err(FeedStoreError::Damaged { subject, .. }) => {
            assert_eq!(subject, Subject::Collection(FEED.to_owned()));
        }
        other => panic!("{other:?}"),
    }
}
