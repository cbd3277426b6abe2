use std::time::Duration;

use bindery_core::Timestamp;
use bindery_taxii::service::{
    Change, Collection, FeedStore, Outcome, PushTo, ResultLimits, ResultPart, ResultSet,
    ResultState, Subject,
};
use bindery_taxii_xml::SubscriptionStatus;

use super::{
    BEGIN, FEED, OTHER, alice, all, assert_conflict, at, blocks, bound, commit, inbox, insert,
    mark, numbered, opened, pages, pushed, send, state, subscribe, text, texts, wanted, whole,
};

async fn remove(store: &dyn FeedStore, name: &str, labels: Vec<Timestamp>) {
    commit(store, Change::RemoveBlocks { collection: name.to_owned(), labels }).await;
}

async fn labels(store: &dyn FeedStore, name: &str) -> Vec<Timestamp> {
    all(store, name).await.iter().map(|one| one.label).collect()
}

pub(super) async fn removed_blocks_are_gone_and_no_others(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..10), BEGIN).await;
    insert(store, OTHER, blocks(10..12), BEGIN).await;
    let (given, before) = (labels(store, FEED).await, mark(store, FEED).await);
    remove(store, FEED, vec![given[3], given[9], at(1), given[3]]).await;
    remove(store, FEED, Vec::new()).await;
    assert_eq!(texts(&all(store, FEED).await), numbered([0, 1, 2, 4, 5, 6, 7, 8]));
    assert_eq!(store.count(&whole(store, FEED).await, u64::MAX).await.unwrap(), 8);
    assert_eq!(all(store, OTHER).await.len(), 2);
    assert_eq!(mark(store, FEED).await, before);
    insert(store, FEED, blocks(20..21), BEGIN).await;
    assert!(labels(store, FEED).await[8] > before, "a label was given twice");
    let many = (0..2000).map(at).chain(labels(store, FEED).await).collect();
    remove(store, FEED, many).await;
    assert_eq!(state(store, FEED).await.unwrap().blocks, 0);
    let unknown = Change::RemoveBlocks { collection: "urn:nowhere".into(), labels: vec![at(1)] };
    let subject = Subject::Collection("urn:nowhere".into());
    assert_conflict(store.commit(vec![unknown], at(BEGIN)).await, &subject);
}

pub(super) async fn what_another_collection_has_stays(store: &dyn FeedStore) {
    opened(store).await;
    send(store, inbox(&[FEED, OTHER], BEGIN), blocks(0..3), BEGIN).await.unwrap();
    remove(store, FEED, labels(store, FEED).await[..2].to_vec()).await;
    assert_eq!(texts(&all(store, FEED).await), numbered([2]));
    assert_eq!(texts(&all(store, OTHER).await), numbered(0..3));
    remove(store, OTHER, labels(store, OTHER).await).await;
    assert_eq!(texts(&all(store, FEED).await), numbered([2]));
}

async fn keeping(store: &dyn FeedStore, age: Option<u64>, blocks: Option<u64>) {
    let expected = state(store, FEED).await.unwrap().version;
    let mut collection = Collection::new(FEED, "");
    collection.retention.age = age.map(Duration::from_micros);
    collection.retention.blocks = blocks;
    commit(store, Change::ReplaceCollection { collection, expected }).await;
}

pub(super) async fn the_oldest_are_removed_by_age(store: &dyn FeedStore) {
    opened(store).await;
    keeping(store, Some(100), None).await;
    for number in 0..5 {
        let received = BEGIN + 50 * i64::try_from(number).unwrap();
        insert(store, FEED, blocks(number..number + 1), received).await;
    }
    insert(store, OTHER, blocks(0..3), BEGIN).await;
    let done = store.maintain(at(BEGIN + 99), 100).await.unwrap();
    assert_eq!((done.blocks, done.more), (0, false));
    let done = store.maintain(at(BEGIN + 150), 100).await.unwrap();
    assert_eq!((done.blocks, done.more), (2, false));
    assert_eq!(texts(&all(store, FEED).await), numbered(2..5));
    let done = store.maintain(at(BEGIN + 9000), 100).await.unwrap();
    assert_eq!(done.blocks, 3);
    assert_eq!(all(store, OTHER).await.len(), 3);
}

pub(super) async fn the_oldest_are_removed_by_number(store: &dyn FeedStore) {
    opened(store).await;
    keeping(store, None, Some(3)).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    insert(store, OTHER, blocks(0..5), BEGIN).await;
    assert_eq!(store.maintain(at(BEGIN), 100).await.unwrap().blocks, 0);
    insert(store, FEED, blocks(3..8), BEGIN).await;
    assert_eq!(store.maintain(at(BEGIN), 100).await.unwrap().blocks, 5);
    assert_eq!(texts(&all(store, FEED).await), numbered(5..8));
    keeping(store, None, None).await;
    insert(store, FEED, blocks(8..20), BEGIN).await;
    assert_eq!(store.maintain(at(i64::MAX / 2), 100).await.unwrap().blocks, 0);
    assert_eq!(all(store, OTHER).await.len(), 5);
}

pub(super) async fn maintenance_goes_by_pieces(store: &dyn FeedStore) {
    opened(store).await;
    keeping(store, None, Some(0)).await;
    insert(store, FEED, blocks(0..25), BEGIN).await;
    let (mut removed, mut pieces) = (0, 0);
    loop {
        let done = store.maintain(at(BEGIN), 10).await.unwrap();
        assert!(done.blocks <= 10);
        (removed, pieces) = (removed + done.blocks, pieces + 1);
        assert!(pieces < 10, "it does not end");
        if !done.more {
            break;
        }
    }
    assert_eq!(removed, 25);
    assert!(pieces >= 3);
}

pub(super) async fn results_that_are_over_are_removed(store: &dyn FeedStore) {
    opened(store).await;
    let window = whole(store, FEED).await;
    for (id, expires) in [("a", 10), ("b", 20), ("c", 30)] {
        let result = ResultSet::new(id, alice(), window.clone(), at(0), at(expires));
        let parts = vec![ResultPart::new(1, None, at(5), 1, false)];
        let limits = ResultLimits::default();
        commit(store, Change::InsertResult { result, parts, limits }).await;
    }
    store.maintain(at(20), 100).await.unwrap();
    for (id, there) in [("a", false), ("b", false), ("c", true)] {
        assert_eq!(store.load_result(id).await.unwrap().is_some(), there, "{id}");
        assert_eq!(store.load_parts(id, 1, 10).await.unwrap().len(), usize::from(there), "{id}");
    }
}

pub(super) async fn parts_of_results_go_by_pieces(store: &dyn FeedStore) {
    opened(store).await;
    let window = whole(store, FEED).await;
    let make = async |id: &str, name: &str| {
        let mut window = window.clone();
        window.collection = name.to_owned();
        let result = ResultSet::new(id, alice(), window, at(0), at(10));
        let part = |number| ResultPart::new(number, None, at(5), 1, true);
        let (parts, limits) = ((1..=25).map(part).collect(), ResultLimits::default());
        commit(store, Change::InsertResult { result, parts, limits }).await;
    };
    make("a", FEED).await;
    make("b", OTHER).await;
    // Also those of a collection that is removed; nobody sees them meanwhile.
    commit(store, Change::RemoveCollection { name: OTHER.to_owned(), expected: 1 }).await;
    assert_eq!(store.load_result("b").await.unwrap(), None);
    assert_eq!(store.load_parts("b", 1, 100).await.unwrap(), []);
    let mut removed = 0;
    loop {
        let done = store.maintain(at(10), 10).await.unwrap();
        assert!(done.others <= 10, "{done:?}");
        removed += done.others;
        if !done.more {
            break;
        }
    }
    assert_eq!(removed, 52);
    assert_eq!(store.load_result("a").await.unwrap(), None);
}

pub(super) async fn a_promised_result_stays_until_it_is_settled(store: &dyn FeedStore) {
    opened(store).await;
    let window = whole(store, FEED).await;
    let mut result = ResultSet::new("urn:r", alice(), window, at(0), at(10));
    result.state = ResultState::Pending;
    result.push = Some(PushTo::new("urn:http", "http://a", "urn:xml"));
    let (parts, limits) = (Vec::new(), ResultLimits::default());
    commit(store, Change::InsertResult { result: result.clone(), parts, limits }).await;
    let there = async |now: i64| {
        while store.maintain(at(now), 7).await.unwrap().more {}
        store.load_result("urn:r").await.unwrap().is_some()
    };
    let lease = async |now: i64| store.lease(at(now), at(now + 1), 1).await.unwrap().remove(0);
    assert!(there(BEGIN + 1_000).await, "nobody has worked on it yet");
    let work = lease(BEGIN + 1_000).await;
    result.state = ResultState::Ready;
    let parts = vec![ResultPart::new(1, None, at(5), 1, false)];
    commit(store, Change::ReplaceResult { result, parts, expected: 1 }).await;
    store.settle(work.lease, Outcome::Finished, at(BEGIN)).await.unwrap();
    assert!(there(BEGIN + 2_000).await, "the inbox is down");
    assert_eq!(store.load_parts("urn:r", 1, 9).await.unwrap().len(), 1);
    let push = lease(BEGIN + 2_000).await;
    store.settle(push.lease, Outcome::Finished, at(BEGIN)).await.unwrap();
    assert!(!there(BEGIN + 3_000).await);
    assert_eq!(store.load_parts("urn:r", 1, 9).await.unwrap(), []);
}

pub(super) async fn what_was_given_up_is_forgotten_in_time(store: &dyn FeedStore) {
    const MONTH: i64 = 30 * 86_400_000_000;
    opened(store).await;
    for number in 0..2 {
        let to = format!("http://{number}");
        commit(store, subscribe(pushed(&format!("urn:{number}"), &to))).await;
    }
    insert(store, FEED, blocks(0..1), BEGIN).await;
    for (at_first, delivery) in (0..).zip(store.lease(at(BEGIN), at(BEGIN + 1), 2).await.unwrap()) {
        let given_up = Outcome::GiveUp { error: "no".to_owned() };
        store.settle(delivery.lease, given_up, at(BEGIN + at_first)).await.unwrap();
    }
    let left = async |now: i64| {
        while store.maintain(at(now), 1).await.unwrap().more {}
        store.undelivered(None, 10).await.unwrap().len()
    };
    assert_eq!(left(BEGIN + MONTH - 1).await, 2);
    assert_eq!(left(BEGIN + MONTH).await, 1);
    assert_eq!(left(BEGIN + MONTH + 1).await, 0);
}

pub(super) async fn subscriptions_that_ended_long_ago_are_forgotten(store: &dyn FeedStore) {
    const DAY: i64 = 86_400_000_000;
    opened(store).await;
    for (number, ends) in [(0, Some(BEGIN)), (1, Some(BEGIN + DAY)), (2, None)] {
        let mut one = pushed(&format!("urn:{number}"), &format!("http://{number}"));
        commit(store, subscribe(one.clone())).await;
        if let Some(ends) = ends {
            one.status = SubscriptionStatus::Unsubscribed;
            let change =
                Change::ReplaceSubscription { subscription: one, expected: 1, restart: None };
            store.commit(vec![change], at(ends)).await.unwrap();
        }
    }
    let there = async |now: i64| {
        while store.maintain(at(now), 1).await.unwrap().more {}
        let mut found = Vec::new();
        for number in 0..3 {
            let id = format!("urn:{number}");
            found.push(store.load_subscription(&id).await.unwrap().is_some());
        }
        found
    };
    assert_eq!(there(BEGIN + DAY - 1).await, [true, true, true]);
    assert_eq!(there(BEGIN + DAY).await, [false, true, true]);
    assert_eq!(there(BEGIN + 2 * DAY).await, [false, false, true]);
}

pub(super) async fn content_bindings_come_and_go_with_blocks(store: &dyn FeedStore) {
    opened(store).await;
    for round in 0..3 {
        let made = (0..40).map(|number| bound("urn:a", Some(&format!("{round}-{number}")), "x"));
        send(store, inbox(&[FEED, OTHER], BEGIN), made.collect(), BEGIN).await.unwrap();
        let mut window = whole(store, FEED).await;
        window.content = wanted(&[("urn:a", &[])]);
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 40);
        // Those that another collection has stay.
        remove(store, FEED, labels(store, FEED).await).await;
        while store.maintain(at(BEGIN), 7).await.unwrap().more {}
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 0);
        let mut other = whole(store, OTHER).await;
        let subtype = format!("{round}-7");
        other.content = wanted(&[("urn:a", &[subtype.as_str()])]);
        assert_eq!(pages(store, &other, super::WIDE).await.0.len(), 1);
        remove(store, OTHER, labels(store, OTHER).await).await;
        while store.maintain(at(BEGIN), 7).await.unwrap().more {}
        let done = store.maintain(at(BEGIN), 1000).await.unwrap();
        assert_eq!((done.blocks, done.others), (0, 0), "nothing is left over");
    }
}

pub(super) async fn messages_that_were_begun_long_ago_are_cleared_away(store: &dyn FeedStore) {
    const LONG: i64 = 86_400_000_000;
    opened(store).await;
    let begin = async |received| {
        let mut insertion = store.insert(inbox(&[FEED], received)).await.unwrap();
        for _ in 0..30 {
            insertion.add(text("x".repeat(100_000)), &[0]).await.unwrap();
        }
        insertion
    };
    let old = begin(BEGIN).await;
    let young = begin(BEGIN + LONG).await;
    while store.maintain(at(BEGIN + LONG), 7).await.unwrap().more {}
    assert_conflict(old.commit(at(BEGIN + LONG)).await, &Subject::Insertion);
    assert!(all(store, FEED).await.is_empty());
    young.commit(at(BEGIN + LONG)).await.unwrap();
    assert_eq!(all(store, FEED).await.len(), 30);
}
