use bindery_core::Principal;
use bindery_taxii::service::{
    Change, CommitError, FeedStore, Part, PushTo, QueryText, Subject, Subscription,
    SubscriptionFilter,
};
use bindery_taxii_xml::{ContentBinding, ResponseType, SubscriptionStatus};

use super::{
    BEGIN, FEED, OTHER, alice, assert_conflict, at, commit, opened, pushed, subscribe, subscription,
};

fn subject(id: &str) -> Subject {
    Subject::Subscription(id.to_owned())
}

const fn replace(subscription: Subscription, expected: u64) -> Change {
    Change::ReplaceSubscription { subscription, expected, restart: None }
}

pub(super) async fn a_subscription_comes_back_as_it_was(store: &dyn FeedStore) {
    opened(store).await;
    let plain = Subscription::new("", FEED, None, at(-5));
    let mut rich = pushed("urn:s:\u{e9}'", "http://inbox.example/");
    rich.response_type = ResponseType::CountOnly;
    rich.status = SubscriptionStatus::Paused;
    rich.content_bindings = vec![ContentBinding::new("urn:a").with_subtype("urn:s")];
    let query = Part::new("<q:x/>", vec![("q".into(), "urn:q".into())]);
    rich.query = Some(QueryText::new("urn:query", query));
    for one in [&plain, &rich] {
        commit(store, subscribe(one.clone())).await;
        let found = subscription(store, &one.id).await;
        assert_eq!((&found.record, found.version), (one, 1));
    }
    assert_eq!(store.load_subscription("urn:s").await.unwrap(), None);
    // Everything may change but id and collection.
    let mut changed = rich.clone();
    changed.id = String::new();
    changed.owner = Some(Principal::new("bob"));
    commit(store, replace(changed.clone(), 1)).await;
    let found = subscription(store, "").await;
    assert_eq!((found.record, found.version), (changed, 2));
}

pub(super) async fn a_change_of_a_subscription_names_its_version(store: &dyn FeedStore) {
    opened(store).await;
    let one = pushed("urn:s", "http://a");
    let now = at(BEGIN);
    let unknown = store.commit(vec![replace(one.clone(), 1)], now).await;
    assert_conflict(unknown, &subject("urn:s"));
    commit(store, subscribe(one.clone())).await;
    let mut changed = one.clone();
    changed.status = SubscriptionStatus::Paused;
    for wrong in [0, 2, u64::MAX] {
        let outcome = store.commit(vec![replace(changed.clone(), wrong)], now).await;
        assert_conflict(outcome, &subject("urn:s"));
    }
    commit(store, replace(changed.clone(), 1)).await;
    assert_conflict(store.commit(vec![replace(one.clone(), 1)], now).await, &subject("urn:s"));
    let again = store.commit(vec![subscribe(one)], now).await;
    assert_conflict(again, &subject("urn:s"));
    assert_eq!(subscription(store, "urn:s").await.record, changed);
}

pub(super) async fn the_same_terms_are_subscribed_to_once(store: &dyn FeedStore) {
    opened(store).await;
    let make = |id: &str| {
        let mut one = pushed(id, "http://a");
        one.content_bindings = vec![ContentBinding::new("urn:a"), ContentBinding::new("urn:b")];
        one
    };
    commit(store, subscribe(make("urn:1"))).await;
    let mut same = make("urn:2");
    same.content_bindings.reverse();
    same.created = at(77);
    same.status = SubscriptionStatus::Paused;
    let outcome = store.commit(vec![subscribe(same)], at(BEGIN)).await;
    assert_conflict(outcome, &subject("urn:2"));
    let changes: [fn(&mut Subscription); 5] = [
        |one| one.owner = None,
        |one| one.owner = Some(Principal::new("")),
        |one| one.collection = OTHER.to_owned(),
        |one| one.response_type = ResponseType::CountOnly,
        |one| one.push = Some(PushTo::new("urn:http", "http://b", "urn:xml")),
    ];
    for (number, change) in (2..).zip(changes) {
        let mut other = make(&format!("urn:{number}"));
        change(&mut other);
        commit(store, subscribe(other)).await;
    }
    // Nor may one come to have the terms of another.
    let outcome = store.commit(vec![replace(make("urn:5"), 1)], at(BEGIN)).await;
    assert_conflict(outcome, &subject("urn:5"));
}

pub(super) async fn an_ended_subscription_makes_room_for_a_new_one(store: &dyn FeedStore) {
    opened(store).await;
    let mut one = pushed("urn:1", "http://a");
    commit(store, subscribe(one.clone())).await;
    one.status = SubscriptionStatus::Unsubscribed;
    commit(store, replace(one, 1)).await;
    commit(store, subscribe(pushed("urn:2", "http://a"))).await;
    let again = store.commit(vec![subscribe(pushed("urn:1", "http://b"))], at(BEGIN));
    assert_conflict(again.await, &subject("urn:1"));
    let ended = subscription(store, "urn:1").await.record.status;
    assert_eq!(ended, SubscriptionStatus::Unsubscribed);
}

pub(super) async fn subscriptions_are_listed_by_collection_owner_and_pages(store: &dyn FeedStore) {
    opened(store).await;
    for (number, owner) in (0..30).zip(["alice", "bob", ""].iter().cycle()) {
        let collection = if number % 2 == 0 { FEED } else { OTHER };
        let owner = (!owner.is_empty()).then(|| Principal::new(*owner));
        let mut one = Subscription::new(format!("urn:{number:02}"), collection, owner, at(BEGIN));
        one.push = Some(PushTo::new("urn:http", format!("http://{number}"), "urn:xml"));
        if number >= 24 {
            one.status = SubscriptionStatus::Unsubscribed;
        }
        commit(store, subscribe(one)).await;
    }
    let listed = async |filter: &SubscriptionFilter| {
        let found = store.list_subscriptions(filter).await.unwrap();
        found
            .into_iter()
            .map(|one| one.record.id[4..].parse::<usize>().unwrap())
            .collect::<Vec<_>>()
    };
    let mut filter = SubscriptionFilter::all(100);
    assert_eq!(listed(&filter).await, (0..24).collect::<Vec<_>>());
    filter.ended = true;
    assert_eq!(listed(&filter).await, (0..30).collect::<Vec<_>>());
    let of = SubscriptionFilter::of;
    assert_eq!(listed(&of(alice(), FEED, 100)).await, [0, 6, 12, 18]);
    assert_eq!(listed(&of(None, OTHER, 100)).await, [5, 11, 17, 23]);
    assert_eq!(listed(&of(Some(Principal::new("carol")), FEED, 100)).await, [0; 0]);
    assert_eq!(listed(&of(alice(), "urn:nowhere", 100)).await, [0; 0]);
    let mut filter = of(alice(), FEED, 2);
    assert_eq!(listed(&filter).await, [0, 6]);
    filter.after = Some("urn:06".to_owned());
    assert_eq!(listed(&filter).await, [12, 18]);
    filter.limit = 0;
    assert_eq!(listed(&filter).await, [0; 0]);
}

pub(super) async fn an_owner_has_so_many_subscriptions_and_no_more(store: &dyn FeedStore) {
    opened(store).await;
    let insert = async |id: &str, bend: fn(&mut Subscription)| {
        let mut subscription = pushed(id, &format!("http://{id}"));
        bend(&mut subscription);
        let change = Change::InsertSubscription { subscription, most: 3 };
        store.commit(vec![change], at(BEGIN)).await
    };
    let same: fn(&mut Subscription) = |_| {};
    insert("0", |one| one.status = SubscriptionStatus::Paused).await.unwrap();
    insert("1", same).await.unwrap();
    insert("2", same).await.unwrap();
    let full = insert("3", same).await;
    assert!(matches!(full, Err(CommitError::Limit { limit: 3, .. })), "{full:?}");
    assert_eq!(store.load_subscription("3").await.unwrap(), None);
    insert("4", |one| one.owner = None).await.unwrap();
    insert("5", |one| one.owner = Some(Principal::new(""))).await.unwrap();
    insert("6", |one| one.collection = OTHER.to_owned()).await.unwrap();
    let mut ended = subscription(store, "1").await.record;
    ended.status = SubscriptionStatus::Unsubscribed;
    commit(store, replace(ended, 1)).await;
    insert("3", same).await.unwrap();
    assert!(insert("7", same).await.is_err());
}

pub(super) async fn of_those_that_ended_the_last_are_remembered(store: &dyn FeedStore) {
    opened(store).await;
    for number in 0..10_i64 {
        let id = format!("urn:{number}");
        let one = pushed(&id, "http://a");
        let insert = Change::InsertSubscription { subscription: one.clone(), most: 3 };
        commit(store, insert).await;
        let mut ended = one;
        ended.status = SubscriptionStatus::Unsubscribed;
        store.commit(vec![replace(ended, 1)], at(BEGIN + number)).await.unwrap();
    }
    let mut filter = SubscriptionFilter::all(100);
    filter.ended = true;
    let found = store.list_subscriptions(&filter).await.unwrap();
    let ids: Vec<_> = found.iter().map(|one| one.record.id.as_str()).collect();
    assert_eq!(ids, ["urn:6", "urn:7", "urn:8", "urn:9"]);
}

pub(super) async fn a_subscription_needs_its_collection(store: &dyn FeedStore) {
    opened(store).await;
    let mut one = pushed("urn:s", "http://a");
    one.collection = "urn:nowhere".to_owned();
    let outcome = store.commit(vec![subscribe(one)], at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Collection("urn:nowhere".to_owned()));
}
