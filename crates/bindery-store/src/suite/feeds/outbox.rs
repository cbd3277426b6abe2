use bindery_core::Timestamp;
use bindery_taxii::service::{
    Change, Delivery, FeedStore, Lease, Outcome, Outgoing, ResultSet, ResultState, Subject,
    Subscription, Undelivered,
};
use bindery_taxii_xml::SubscriptionStatus;

use super::{
    BEGIN, FEED, OTHER, alice, assert_conflict, assert_misuse, at, blocks, commit, insert, keep,
    mark, opened, pushed, subscribe, subscription, whole,
};

/// Leases everything that is due, for 100 microseconds.
async fn lease(store: &dyn FeedStore, now: i64) -> Vec<Delivery> {
    store.lease(at(now), at(now + 100), 100).await.unwrap()
}

async fn one(store: &dyn FeedStore, now: i64) -> Delivery {
    let mut leased = lease(store, now).await;
    assert_eq!(leased.len(), 1, "{leased:?}");
    leased.remove(0)
}

async fn none(store: &dyn FeedStore, now: i64) {
    assert_eq!(lease(store, now).await, []);
}

fn push(id: &str, delivered: Timestamp, up_to: Timestamp) -> Outgoing {
    Outgoing::Push { subscription: id.to_owned(), delivered, up_to }
}

fn retry(due: Timestamp, error: &str) -> Outcome {
    Outcome::Retry { due, error: error.to_owned(), up_to: None }
}

async fn settle(store: &dyn FeedStore, lease: Lease, outcome: Outcome, now: i64) {
    store.settle(lease, outcome, at(now)).await.unwrap();
}

async fn subscribed(store: &dyn FeedStore) {
    opened(store).await;
    commit(store, subscribe(pushed("urn:s", "http://a"))).await;
}

pub(super) async fn nothing_is_due_without_something_to_deliver(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    commit(store, subscribe(Subscription::new("urn:polled", FEED, None, at(0)))).await;
    commit(store, subscribe(pushed("urn:s", "http://a"))).await;
    insert(store, OTHER, blocks(3..4), BEGIN).await;
    insert(store, FEED, Vec::new(), BEGIN).await;
    assert_eq!(store.next_due().await.unwrap(), None, "what was there before is not pushed");
    none(store, BEGIN + 100).await;
    insert(store, FEED, blocks(4..5), BEGIN + 50).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(BEGIN + 50)));
    none(store, BEGIN + 49).await;
    assert_eq!(store.lease(at(BEGIN + 50), at(BEGIN + 60), 0).await.unwrap(), []);
    assert!(matches!(one(store, BEGIN + 50).await.outgoing, Outgoing::Push { .. }));
}

pub(super) async fn blocks_are_delivered_from_where_it_was_left(store: &dyn FeedStore) {
    subscribed(store).await;
    let begin = mark(store, FEED).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    let first = mark(store, FEED).await;
    let delivery = one(store, BEGIN).await;
    let expected = Delivery::new(delivery.lease, push("urn:s", begin, first), at(BEGIN));
    assert_eq!(delivery, expected);
    // More comes while it is worked on: there is one delivery still, and it goes on.
    insert(store, FEED, blocks(3..5), BEGIN).await;
    none(store, BEGIN + 1).await;
    settle(store, delivery.lease, Outcome::Delivered { up_to: first }, BEGIN + 10).await;
    let delivery = one(store, BEGIN + 10).await;
    let second = mark(store, FEED).await;
    let outgoing = push("urn:s", first, second);
    assert_eq!((&delivery.outgoing, delivery.since), (&outgoing, at(BEGIN + 10)));
    settle(store, delivery.lease, Outcome::Delivered { up_to: second }, BEGIN + 20).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    insert(store, FEED, blocks(5..6), BEGIN).await;
    let third = mark(store, FEED).await;
    assert_eq!(one(store, BEGIN + 30).await.outgoing, push("urn:s", second, third));
}

pub(super) async fn what_is_sent_again_goes_no_further_than_it_went(store: &dyn FeedStore) {
    subscribed(store).await;
    let begin = mark(store, FEED).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    let first = mark(store, FEED).await;
    let outgoing = push("urn:s", begin, first);
    assert_eq!(one(store, BEGIN).await.outgoing, outgoing);
    // Whoever had it is gone, and may have sent it.
    insert(store, FEED, blocks(3..5), BEGIN).await;
    let delivery = one(store, BEGIN + 100).await;
    assert_eq!(delivery.outgoing, outgoing);
    // What was tried was shorter: then that, and no more.
    let short = Timestamp::from_unix_micros(first.unix_micros() - 1);
    let tried = Outcome::Retry { due: at(BEGIN), error: String::new(), up_to: Some(short) };
    settle(store, delivery.lease, tried, BEGIN).await;
    insert(store, FEED, blocks(5..6), BEGIN).await;
    let delivery = one(store, BEGIN + 200).await;
    assert_eq!(delivery.outgoing, push("urn:s", begin, short));
    settle(store, delivery.lease, retry(at(BEGIN), ""), BEGIN).await;
    let delivery = one(store, BEGIN + 300).await;
    assert_eq!(delivery.outgoing, push("urn:s", begin, short));
    // What was delivered is over, and the next time goes as far as there is something.
    settle(store, delivery.lease, Outcome::Delivered { up_to: short }, BEGIN + 300).await;
    let last = mark(store, FEED).await;
    assert_eq!(one(store, BEGIN + 300).await.outgoing, push("urn:s", short, last));
}

pub(super) async fn a_lease_lasts_until_its_end(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let first = one(store, BEGIN).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(BEGIN + 100)));
    none(store, BEGIN + 99).await;
    settle(store, first.lease, Outcome::Extend { until: at(BEGIN + 150) }, BEGIN + 99).await;
    none(store, BEGIN + 149).await;
    let second = one(store, BEGIN + 150).await;
    assert_eq!(second.lease.id, first.lease.id);
    assert!(second.lease.number > first.lease.number);
    // Who had it first comes too late.
    let done = Outcome::Delivered { up_to: mark(store, FEED).await };
    let outcome = store.settle(first.lease, done.clone(), at(BEGIN + 151)).await;
    assert_conflict(outcome, &Subject::Delivery(first.lease.id));
    let up_to = mark(store, FEED).await;
    assert_eq!(second.outgoing, push("urn:s", at(BEGIN), up_to));
    settle(store, second.lease, done, BEGIN + 151).await;
    none(store, BEGIN + 9000).await;
}

pub(super) async fn a_settled_lease_is_over(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..2), BEGIN).await;
    let outcomes = [
        Outcome::Delivered { up_to: at(BEGIN + 1) },
        retry(at(BEGIN), "no"),
        Outcome::Delivered { up_to: mark(store, FEED).await },
    ];
    for outcome in outcomes {
        let lease = one(store, BEGIN).await.lease;
        settle(store, lease, outcome.clone(), BEGIN).await;
        let again = store.settle(lease, outcome, at(BEGIN)).await;
        assert_conflict(again, &Subject::Delivery(lease.id));
    }
    let unknown = Lease::new(u64::MAX, 0);
    let outcome = store.settle(unknown, Outcome::Finished, at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Delivery(u64::MAX));
}

pub(super) async fn what_failed_is_tried_again_when_it_is_due(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let up_to = mark(store, FEED).await;
    for attempt in 1..=3_i64 {
        let delivery = one(store, BEGIN + 1000 * (attempt - 1)).await;
        let due = at(BEGIN + 1000 * attempt);
        let error = format!("failure {attempt}");
        settle(store, delivery.lease, retry(due, &error), BEGIN).await;
        // New blocks do not bring it forward.
        insert(store, FEED, blocks(1..2), BEGIN).await;
        assert_eq!(store.next_due().await.unwrap(), Some(due));
        none(store, BEGIN + 1000 * attempt - 1).await;
    }
    let delivery = one(store, BEGIN + 3000).await;
    assert_eq!((delivery.attempts, delivery.since), (3, at(BEGIN)));
    assert_eq!(delivery.last_error.as_deref(), Some("failure 3"));
    assert_eq!(delivery.outgoing, push("urn:s", at(BEGIN), up_to));
    // Progress makes a new beginning.
    settle(store, delivery.lease, Outcome::Delivered { up_to: at(BEGIN + 1) }, BEGIN + 3001).await;
    let delivery = one(store, BEGIN + 3001).await;
    assert_eq!((delivery.attempts, delivery.last_error), (0, None));
}

pub(super) async fn what_was_given_up_leaves_a_record(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    let lost = mark(store, FEED).await;
    let delivery = one(store, BEGIN).await;
    settle(store, delivery.lease, retry(at(0), "once"), BEGIN).await;
    let delivery = one(store, BEGIN).await;
    settle(store, delivery.lease, Outcome::GiveUp { error: "for good".into() }, BEGIN + 7).await;
    none(store, BEGIN + 9000).await;
    let id = delivery.lease.id;
    let outgoing = push("urn:s", at(BEGIN), lost);
    let expected = Undelivered::new(id, outgoing, Some(lost), 2, "for good".into(), at(BEGIN + 7));
    assert_eq!(store.undelivered(None, 10).await.unwrap(), [expected]);
    assert_eq!(store.undelivered(Some(id), 10).await.unwrap(), []);
    assert_eq!(store.undelivered(None, 0).await.unwrap(), []);
    // What comes later is tried again.
    insert(store, FEED, blocks(3..4), BEGIN).await;
    let next = one(store, BEGIN + 9000).await;
    let outgoing = push("urn:s", lost, mark(store, FEED).await);
    assert_eq!((&next.outgoing, next.attempts), (&outgoing, 0));
    for _ in 0..2 {
        commit(store, Change::ForgetUndelivered { id }).await;
        assert_eq!(store.undelivered(None, 10).await.unwrap(), []);
    }
    commit(store, Change::ForgetUndelivered { id: next.lease.id }).await;
    settle(store, next.lease, Outcome::Extend { until: at(BEGIN + 9999) }, BEGIN + 9001).await;
}

async fn change(store: &dyn FeedStore, status: SubscriptionStatus, restart: Option<Timestamp>) {
    let found = subscription(store, "urn:s").await;
    let mut subscription = found.record;
    subscription.status = status;
    let expected = found.version;
    commit(store, Change::ReplaceSubscription { subscription, expected, restart }).await;
}

pub(super) async fn a_paused_subscription_gets_nothing_until_it_is_resumed(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let delivery = one(store, BEGIN).await;
    change(store, SubscriptionStatus::Paused, None).await;
    let done = Outcome::Delivered { up_to: mark(store, FEED).await };
    let outcome = store.settle(delivery.lease, done, at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Delivery(delivery.lease.id));
    insert(store, FEED, blocks(1..2), BEGIN).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    // What came meanwhile is not lost.
    change(store, SubscriptionStatus::Active, None).await;
    let up_to = mark(store, FEED).await;
    assert_eq!(one(store, BEGIN + 100).await.outgoing, push("urn:s", at(BEGIN), up_to));
    change(store, SubscriptionStatus::Paused, None).await;
    // Unless the engine says so.
    change(store, SubscriptionStatus::Active, Some(mark(store, FEED).await)).await;
    none(store, BEGIN + 200).await;
    change(store, SubscriptionStatus::Unsubscribed, None).await;
    insert(store, FEED, blocks(2..3), BEGIN).await;
    none(store, BEGIN + 9000).await;
}

pub(super) async fn a_restart_delivers_again(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..5), BEGIN).await;
    let delivery = one(store, BEGIN).await;
    change(store, SubscriptionStatus::Active, Some(at(5))).await;
    let done = Outcome::Delivered { up_to: mark(store, FEED).await };
    let outcome = store.settle(delivery.lease, done.clone(), at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Delivery(delivery.lease.id));
    let delivery = one(store, BEGIN).await;
    let up_to = mark(store, FEED).await;
    assert_eq!(delivery.outgoing, push("urn:s", at(5), up_to));
    settle(store, delivery.lease, done, BEGIN).await;
    none(store, BEGIN + 100).await;
    change(store, SubscriptionStatus::Active, Some(at(0))).await;
    assert_eq!(one(store, BEGIN + 100).await.outgoing, push("urn:s", at(0), up_to));
}

pub(super) async fn a_result_is_worked_on_and_pushed(store: &dyn FeedStore) {
    subscribed(store).await;
    let mut result =
        ResultSet::new("urn:r", alice(), whole(store, FEED).await, at(0), at(i64::MAX));
    result.state = ResultState::Pending;
    result.push = pushed("", "http://a").push;
    commit(store, keep(result.clone())).await;
    let work = one(store, BEGIN).await;
    assert_eq!(work.outgoing, Outgoing::Poll { result: "urn:r".into() });
    result.state = ResultState::Ready;
    commit(store, Change::ReplaceResult { result, parts: Vec::new(), expected: 1 }).await;
    settle(store, work.lease, Outcome::Finished, BEGIN).await;
    let outgoing = |delivered| Outgoing::Result { result: "urn:r".into(), delivered };
    for part in 0..3 {
        let delivery = one(store, BEGIN).await;
        assert_eq!(delivery.outgoing, outgoing(part));
        settle(store, delivery.lease, Outcome::Part { number: part + 1 }, BEGIN).await;
    }
    let delivery = one(store, BEGIN).await;
    settle(store, delivery.lease, Outcome::GiveUp { error: "no".into() }, BEGIN + 1).await;
    none(store, BEGIN + 9000).await;
    let expected =
        Undelivered::new(delivery.lease.id, outgoing(3), None, 1, "no".into(), at(BEGIN + 1));
    assert_eq!(store.undelivered(None, 10).await.unwrap(), [expected]);
}

pub(super) async fn an_outcome_of_another_kind_is_a_misuse(store: &dyn FeedStore) {
    subscribed(store).await;
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let delivery = one(store, BEGIN).await;
    for outcome in [Outcome::Finished, Outcome::Part { number: 1 }] {
        assert_misuse(store.settle(delivery.lease, outcome, at(BEGIN)).await);
    }
    let done = Outcome::Delivered { up_to: mark(store, FEED).await };
    settle(store, delivery.lease, done.clone(), BEGIN).await;
    let mut result =
        ResultSet::new("urn:r", alice(), whole(store, FEED).await, at(0), at(i64::MAX));
    result.state = ResultState::Pending;
    commit(store, keep(result)).await;
    let delivery = one(store, BEGIN).await;
    for outcome in [done, Outcome::Part { number: 1 }] {
        assert_misuse(store.settle(delivery.lease, outcome, at(BEGIN)).await);
    }
}

pub(super) async fn who_is_due_longest_comes_first(store: &dyn FeedStore) {
    opened(store).await;
    for id in ["c", "a", "d", "b"] {
        commit(store, subscribe(pushed(id, &format!("http://{id}")))).await;
    }
    insert(store, FEED, blocks(0..1), BEGIN).await;
    for delivery in lease(store, BEGIN).await {
        let Outgoing::Push { subscription, .. } = &delivery.outgoing else { panic!() };
        let due = at(BEGIN + i64::from(subscription.as_bytes()[0]));
        settle(store, delivery.lease, retry(due, ""), BEGIN).await;
    }
    let mut order = Vec::new();
    loop {
        let leased = store.lease(at(BEGIN + i64::from(b'c')), at(BEGIN + 999), 2).await.unwrap();
        if leased.is_empty() {
            break;
        }
        order.extend(leased.into_iter().map(|one| match one.outgoing {
            Outgoing::Push { subscription, .. } => subscription,
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(order, ["a", "b", "c"]);
}
