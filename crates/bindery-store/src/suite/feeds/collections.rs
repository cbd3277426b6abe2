use std::time::Duration;

use bindery_core::Principal;
use bindery_taxii::service::{
    Change, Collection, CollectionState, FeedStore, Grant, Grantee, Offers, ResultSet, Rights,
    Subject,
};
use bindery_taxii_xml::{CollectionType, ContentBinding};

use super::{
    BEGIN, FEED, OTHER, alice, all, assert_conflict, at, blocks, commit, inbox, insert, keep, mark,
    opened, pushed, send, state, subscribe, whole,
};

fn subject(name: &str) -> Subject {
    Subject::Collection(name.to_owned())
}

/// One with something in every field.
fn rich(name: &str) -> Collection {
    let mut one = Collection::new(name, "what\u{e9}ver 'it' is");
    one.kind = CollectionType::DataSet;
    one.enabled = false;
    one.volume = Some(1_000_000);
    one.offers = Offers::NONE;
    (one.offers.poll, one.offers.push) = (true, true);
    one.retention.age = Some(Duration::from_secs(86_400));
    one.retention.blocks = Some(77);
    one.content_bindings = vec![
        ContentBinding::new("urn:a").with_subtype("urn:s").with_subtype(""),
        ContentBinding::new(""),
    ];
    one.grants = vec![
        Grant::new(Grantee::Anyone, Rights::NONE),
        Grant::new(Grantee::Authenticated, Rights::READ),
        Grant::new(Grantee::Principal(Principal::new("al\u{ef}ce")), Rights::WRITE),
    ];
    one
}

pub(super) async fn a_collection_comes_back_as_it_was(store: &dyn FeedStore) {
    assert_eq!(state(store, FEED).await, None);
    for one in [rich(FEED), Collection::new(OTHER, ""), rich("")] {
        commit(store, Change::InsertCollection(one.clone())).await;
        let expected = CollectionState::new(one.clone(), 1, at(BEGIN), 0);
        assert_eq!(state(store, &one.name).await, Some(expected));
    }
    let names = [OTHER, "urn:nowhere", FEED, OTHER].map(str::to_owned);
    let found = store.load_collections(&names).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|one| one.map(|one| one.collection.name)).collect();
    assert_eq!(
        found,
        [Some(OTHER), None, Some(FEED), Some(OTHER)].map(|one| one.map(str::to_owned))
    );
}

pub(super) async fn a_name_is_taken_once(store: &dyn FeedStore) {
    commit(store, Change::InsertCollection(rich(FEED))).await;
    let again = Change::InsertCollection(Collection::new(FEED, "another"));
    assert_conflict(store.commit(vec![again], at(BEGIN)).await, &subject(FEED));
    assert_eq!(state(store, FEED).await.unwrap().collection, rich(FEED));
}

pub(super) async fn a_change_names_the_version_that_it_changes(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..2), BEGIN).await;
    let before = state(store, FEED).await.unwrap();
    assert_eq!(before.version, 1, "blocks change no version");
    let replace = |expected| Change::ReplaceCollection { collection: rich(FEED), expected };
    for wrong in [0, 2, u64::MAX] {
        assert_conflict(store.commit(vec![replace(wrong)], at(BEGIN)).await, &subject(FEED));
    }
    commit(store, replace(1)).await;
    assert_conflict(store.commit(vec![replace(1)], at(BEGIN)).await, &subject(FEED));
    let expected = CollectionState::new(rich(FEED), 2, before.mark, 2);
    assert_eq!(state(store, FEED).await, Some(expected));
    let unknown = Change::ReplaceCollection { collection: rich("urn:nowhere"), expected: 1 };
    assert_conflict(store.commit(vec![unknown], at(BEGIN)).await, &subject("urn:nowhere"));
}

pub(super) async fn collections_are_listed_by_name_and_pages(store: &dyn FeedStore) {
    let names: Vec<String> =
        (0..150).map(|number| format!("urn:{:03}", (number * 37) % 150)).collect();
    for name in &names {
        commit(store, Change::InsertCollection(Collection::new(name, ""))).await;
    }
    let mut sorted = names.clone();
    sorted.sort();
    let (mut after, mut listed): (Option<String>, Vec<String>) = (None, Vec::new());
    loop {
        let page = store.list_collections(after.as_deref(), 40).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.collection.name.clone());
        listed.extend(page.into_iter().map(|one| one.collection.name));
    }
    assert_eq!(listed, sorted);
    assert!(store.list_collections(None, 0).await.unwrap().is_empty());
    let found = store.load_collections(&names).await.unwrap();
    assert!(
        found.iter().zip(&names).all(|(one, name)| one.as_ref().unwrap().collection.name == *name)
    );
}

pub(super) async fn a_removed_collection_is_gone_with_what_belongs_to_it(store: &dyn FeedStore) {
    opened(store).await;
    send(store, inbox(&[FEED, OTHER], BEGIN), blocks(0..5), BEGIN).await.unwrap();
    commit(store, subscribe(pushed("urn:s", "http://a"))).await;
    insert(store, FEED, blocks(5..6), BEGIN).await;
    let result =
        ResultSet::new("urn:r", alice(), whole(store, FEED).await, at(BEGIN), at(BEGIN + 100));
    commit(store, keep(result)).await;
    let remove = |expected| Change::RemoveCollection { name: FEED.to_owned(), expected };
    assert_conflict(store.commit(vec![remove(2)], at(BEGIN)).await, &subject(FEED));
    assert_eq!(all(store, FEED).await.len(), 6);
    let window = whole(store, FEED).await;
    commit(store, remove(1)).await;
    assert_eq!(state(store, FEED).await, None);
    assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 0);
    assert!(store.page(&window, None, super::WIDE).await.unwrap().blocks.is_empty());
    assert_eq!(store.load_subscription("urn:s").await.unwrap(), None);
    assert_eq!(store.load_result("urn:r").await.unwrap(), None);
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.list_collections(None, 10).await.unwrap().len(), 1);
    assert_conflict(store.commit(vec![remove(1)], at(BEGIN)).await, &subject(FEED));
    assert_eq!(all(store, OTHER).await.len(), 5);
    let done = store.maintain(at(BEGIN), 100).await.unwrap();
    assert_eq!((done.blocks, done.more), (6, false));
    assert_eq!(all(store, OTHER).await.len(), 5);
}

pub(super) async fn a_name_that_comes_again_goes_on_behind_the_old_labels(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..5), BEGIN + 1000).await;
    let before = mark(store, FEED).await;
    commit(store, Change::RemoveCollection { name: FEED.to_owned(), expected: 1 }).await;
    store.maintain(at(BEGIN), 100).await.unwrap();
    commit(store, Change::InsertCollection(Collection::new(FEED, "again"))).await;
    let again = state(store, FEED).await.unwrap();
    assert_eq!((again.blocks, again.version), (0, 1));
    assert!(again.mark >= before);
    insert(store, FEED, blocks(0..1), BEGIN).await;
    assert!(all(store, FEED).await[0].label > before);
}

pub(super) async fn a_raised_mark_stays_raised(store: &dyn FeedStore) {
    opened(store).await;
    let raise = |to| Change::RaiseMark { collection: FEED.to_owned(), to: at(to) };
    commit(store, raise(BEGIN + 500)).await;
    commit(store, raise(BEGIN + 100)).await;
    assert_eq!(mark(store, FEED).await, at(BEGIN + 500));
    insert(store, FEED, blocks(0..1), BEGIN).await;
    assert!(all(store, FEED).await[0].label > at(BEGIN + 500));
    assert_eq!(state(store, FEED).await.unwrap().version, 1);
    let unknown = Change::RaiseMark { collection: "urn:nowhere".to_owned(), to: at(1) };
    assert_conflict(store.commit(vec![unknown], at(BEGIN)).await, &subject("urn:nowhere"));
}

pub(super) async fn a_commit_is_made_whole_or_not_at_all(store: &dyn FeedStore) {
    opened(store).await;
    let changes = vec![
        Change::InsertCollection(Collection::new("urn:new", "")),
        Change::ReplaceCollection { collection: rich(OTHER), expected: 1 },
        subscribe(pushed("urn:s", "http://a")),
        Change::InsertCollection(Collection::new(FEED, "")),
    ];
    assert_conflict(store.commit(changes.clone(), at(BEGIN)).await, &subject(FEED));
    assert_eq!(state(store, "urn:new").await, None);
    assert_eq!(state(store, OTHER).await.unwrap().version, 1);
    assert_eq!(store.load_subscription("urn:s").await.unwrap(), None);
    store.commit(changes[..3].to_vec(), at(BEGIN)).await.unwrap();
    assert_eq!(state(store, OTHER).await.unwrap().version, 2);
    assert!(state(store, "urn:new").await.is_some());
}

pub(super) async fn an_empty_commit_does_nothing(store: &dyn FeedStore) {
    store.commit(Vec::new(), at(BEGIN)).await.unwrap();
}
