use bindery_taxii::service::{
    Change, CommitError, FeedStore, Outgoing, PageLimits, RepeatKey, SubscriptionFilter,
};
use futures_util::future::join_all;

use super::{
    BEGIN, FEED, OTHER, Traffic, WIDE, alice, all, at, blocks, commit, drop_after, inbox, insert,
    opened, pages, pushed, send, subscribe, subscription, texts, traffic, whole,
};

const MANY: usize = 64;

pub(super) async fn pushers_and_pollers_miss_nothing_and_see_nothing_twice(store: &dyn FeedStore) {
    traffic(&[store], Traffic { pushers: 32, pollers: 32, messages: 12 }).await;
}

pub(super) async fn a_delivery_is_leased_to_one_of_many(store: &dyn FeedStore) {
    opened(store).await;
    for number in 0..9 {
        let one = pushed(&format!("urn:{number}"), &format!("http://{number}"));
        commit(store, subscribe(one)).await;
    }
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let leases = join_all((0..MANY).map(|_| store.lease(at(BEGIN), at(BEGIN + 100), 2))).await;
    let mut ids: Vec<_> = leases.into_iter().flat_map(|leased| leased.unwrap()).collect();
    ids.sort_by_key(|one| one.lease.id);
    let ids = ids.into_iter().map(|one| match one.outgoing {
        Outgoing::Push { subscription, .. } => subscription,
        other => panic!("{other:?}"),
    });
    let mut sorted: Vec<_> = ids.collect();
    sorted.sort();
    assert_eq!(sorted, (0..9).map(|number| format!("urn:{number}")).collect::<Vec<_>>());
}

pub(super) async fn no_change_of_a_subscription_is_lost(store: &dyn FeedStore) {
    opened(store).await;
    let mut one = pushed("urn:s", "http://a");
    one.created = at(0);
    commit(store, subscribe(one)).await;
    let increment = async || loop {
        let found = subscription(store, "urn:s").await;
        let (mut subscription, expected) = (found.record, found.version);
        subscription.created = at(subscription.created.unix_micros() + 1);
        let change = Change::ReplaceSubscription { subscription, expected, restart: None };
        match store.commit(vec![change], at(BEGIN)).await {
            Ok(()) => return,
            Err(CommitError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    join_all((0..MANY).map(|_| increment())).await;
    let found = subscription(store, "urn:s").await;
    assert_eq!((found.record.created, found.version), (at(64), MANY as u64 + 1));
}

pub(super) async fn the_limit_of_subscriptions_holds_for_those_who_come_at_once(
    store: &dyn FeedStore,
) {
    opened(store).await;
    let made = join_all((0..MANY).map(|number| {
        let subscription = pushed(&format!("urn:{number}"), &format!("http://{number}"));
        let change = Change::InsertSubscription { subscription, most: 10 };
        store.commit(vec![change], at(BEGIN))
    }));
    let made = made.await;
    let full = |one: &Result<(), CommitError>| matches!(one, Err(CommitError::Limit { .. }));
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 10);
    assert_eq!(made.iter().filter(|one| full(one)).count(), MANY - 10);
    let all = store.list_subscriptions(&SubscriptionFilter::all(100)).await.unwrap();
    assert_eq!(all.len(), 10);
}

pub(super) async fn a_message_that_comes_twice_at_once_is_stored_once(store: &dyn FeedStore) {
    opened(store).await;
    let sent = join_all((0..MANY).map(|number| {
        let mut one = inbox(&[FEED], BEGIN);
        one.repeat = Some(RepeatKey::new(alice(), (number % 4).to_string(), at(i64::MAX)));
        send(store, one, blocks(0..3), BEGIN)
    }))
    .await;
    let stored = sent.iter().filter(|receipt| !receipt.as_ref().unwrap().repeated).count();
    assert_eq!(stored, 4);
    assert_eq!(all(store, FEED).await.len(), 12);
}

pub(super) async fn a_dropped_message_is_whole_or_nothing(store: &dyn FeedStore) {
    opened(store).await;
    let mut ready = Vec::new();
    for attempt in 0..MANY {
        let both = inbox(&[FEED, OTHER], BEGIN);
        let sent = send(store, both, blocks(2 * attempt..2 * attempt + 2), BEGIN);
        if drop_after(attempt % 8, sent).await {
            ready.push(attempt);
        }
    }
    // Those that were handed over may still be on their way: this one comes after them.
    insert(store, FEED, blocks(5000..5001), BEGIN).await;
    let found = texts(&all(store, FEED).await);
    assert_eq!(found.last().unwrap(), "block 5000");
    assert_eq!(texts(&all(store, OTHER).await), found[..found.len() - 1]);
    for attempt in 0..MANY {
        let there = |number: usize| found.contains(&format!("block {number}"));
        assert_eq!(there(2 * attempt), there(2 * attempt + 1), "half of message {attempt}");
        assert!(!there(2 * attempt) || attempt % 8 != 0, "never polled, never made");
        assert!(there(2 * attempt) || !ready.contains(&attempt));
    }
}

pub(super) async fn dropped_reads_do_no_harm(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..300), BEGIN).await;
    let window = whole(store, FEED).await;
    for polls in 0..MANY {
        drop_after(polls, store.page(&window, None, WIDE)).await;
        drop_after(polls, store.count(&window, u64::MAX)).await;
        drop_after(polls, store.list_collections(None, 10)).await;
    }
    // More often than there can be connections to lose.
    let (read, _) = pages(store, &window, PageLimits::new(100, usize::MAX)).await;
    assert_eq!(read.len(), 300);
    insert(store, FEED, blocks(300..301), BEGIN).await;
    assert_eq!(all(store, FEED).await.len(), 301);
}
