use bindery_core::Principal;
use bindery_taxii::service::{
    Change, CommitError, FeedStore, PageLimits, Part, PushTo, QueryText, ResultLimits, ResultPart,
    ResultSet, ResultState, Subject, Window,
};
use bindery_taxii_xml::ResponseType;

use super::{
    BEGIN, FEED, alice, assert_conflict, assert_misuse, at, bound, commit, insert, keep, opened,
    pages, text, wanted, whole,
};

fn result(id: &str) -> ResultSet {
    ResultSet::new(id, alice(), Window::up_to(FEED, at(BEGIN)), at(BEGIN), at(BEGIN + 100))
}

fn rich(id: &str) -> ResultSet {
    let mut one = result(id);
    one.owner = None;
    one.window.begin = Some(at(-7));
    one.window.end = at(i64::MAX);
    one.window.content = wanted(&[("urn:a", &["urn:s"]), ("urn:b", &[])]);
    one.response_type = ResponseType::CountOnly;
    one.query = Some(QueryText::new("urn:query", Part::new("<q/>", Vec::new())));
    one.subscription = Some("urn:s".to_owned());
    one.state = ResultState::Failed("it did not work".to_owned());
    one.push = Some(PushTo::new("urn:http", "http://a", "urn:xml"));
    (one.blocks, one.parts) = (Some(77), 3);
    one
}

fn subject(id: &str) -> Subject {
    Subject::ResultSet(id.to_owned())
}

pub(super) async fn a_result_comes_back_as_it_was(store: &dyn FeedStore) {
    opened(store).await;
    let mut pending = result("urn:pending");
    pending.state = ResultState::Pending;
    for one in [result("urn:plain"), rich("urn:rich"), pending, result("")] {
        commit(store, keep(one.clone())).await;
        let found = store.load_result(&one.id).await.unwrap().unwrap();
        assert_eq!((found.record, found.version), (one, 1));
    }
    assert_eq!(store.load_result("urn:Plain").await.unwrap(), None);
    let mut nowhere = result("urn:nowhere");
    nowhere.window.collection = "urn:nowhere".to_owned();
    let outcome = store.commit(vec![keep(nowhere)], at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Collection("urn:nowhere".to_owned()));
}

pub(super) async fn a_change_of_a_result_names_its_version(store: &dyn FeedStore) {
    opened(store).await;
    let replace =
        |expected| Change::ReplaceResult { result: rich("urn:r"), parts: vec![part(1)], expected };
    assert_conflict(store.commit(vec![replace(1)], at(BEGIN)).await, &subject("urn:r"));
    commit(store, keep(result("urn:r"))).await;
    let again = store.commit(vec![keep(rich("urn:r"))], at(BEGIN)).await;
    assert_conflict(again, &subject("urn:r"));
    assert_conflict(store.commit(vec![replace(2)], at(BEGIN)).await, &subject("urn:r"));
    commit(store, replace(1)).await;
    let found = store.load_result("urn:r").await.unwrap().unwrap();
    assert_eq!((found.record, found.version), (rich("urn:r"), 2));
    assert_eq!(store.load_parts("urn:r", 1, 10).await.unwrap(), [part(1)]);
    let emptied = Change::ReplaceResult { result: rich("urn:r"), parts: vec![], expected: 2 };
    commit(store, emptied).await;
    assert_eq!(store.load_parts("urn:r", 1, 10).await.unwrap(), []);
}

fn part(number: u64) -> ResultPart {
    let begin = (number > 1).then(|| at(10 * number.cast_signed()));
    ResultPart::new(number, begin, at(10 * number.cast_signed() + 10), 7 * number, number < 5)
}

fn in_parts(result: ResultSet, parts: Vec<ResultPart>) -> Change {
    let limits = ResultLimits::new(usize::MAX, usize::MAX);
    Change::InsertResult { result, parts, limits }
}

pub(super) async fn parts_are_loaded_by_their_numbers(store: &dyn FeedStore) {
    opened(store).await;
    for wrong in [vec![part(2)], vec![part(1), part(1)], vec![part(1), part(3)], vec![part(0)]] {
        assert_misuse(store.commit(vec![in_parts(result("urn:r"), wrong)], at(BEGIN)).await);
    }
    assert_eq!(store.load_result("urn:r").await.unwrap(), None);
    for (id, parts) in [("urn:r", 5), ("urn:long", 3_000)] {
        commit(store, in_parts(result(id), (1..=parts).map(part).collect())).await;
    }
    let loaded = async |from, limit| store.load_parts("urn:r", from, limit).await.unwrap();
    assert_eq!(loaded(1, 100).await, (1..=5).map(part).collect::<Vec<_>>());
    assert_eq!(loaded(3, 2).await, [part(3), part(4)]);
    assert_eq!(loaded(6, 2).await, []);
    assert_eq!(store.load_parts("urn:long", 2_999, 9).await.unwrap(), [part(2_999), part(3_000)]);
    assert_eq!(store.load_parts("urn:other", 1, 10).await.unwrap(), []);
}

pub(super) async fn a_window_is_cut_into_parts(store: &dyn FeedStore) {
    opened(store).await;
    let mut window = whole(store, FEED).await;
    window.begin = Some(at(-3));
    let cut = async |window: &Window, limits, most| {
        let parts = store.divide(window, limits, most).await.unwrap();
        assert_eq!(parts[0].begin, window.begin);
        assert!(parts.windows(2).all(|two| two[0].more && two[1].begin == Some(two[0].end)));
        assert!((1..).zip(&parts).all(|(number, part)| part.number == number));
        parts
    };
    let one = ResultPart::new(1, window.begin, window.end, 0, false);
    assert_eq!(cut(&window, PageLimits::default(), 9).await, [one]);
    let made = (0..25).map(|number| match number % 3 {
        0 => bound("urn:a", None, "xxxxxxxxxx"),
        1 => bound("urn:b", Some("urn:s"), "x"),
        _ => text("x".repeat(1000)),
    });
    insert(store, FEED, made.collect(), BEGIN).await;
    let window = whole(store, FEED).await;
    // Each part has what its range has, and its range is as wide as it may be.
    let sizes = |filter: &[super::Wanted<'_>], limits, most| {
        let mut window = window.clone();
        window.content = wanted(filter);
        async move {
            let mut found = Vec::new();
            for part in cut(&window, limits, most).await {
                let mut range = window.clone();
                (range.begin, range.end) = (part.begin, part.end);
                let read = pages(store, &range, super::WIDE).await.0;
                assert_eq!(read.len() as u64, part.blocks, "{part:?}");
                found.push((part.blocks, part.more, part.end == window.end));
            }
            found
        }
    };
    let by_number = PageLimits::new(10, usize::MAX);
    let (full, last) = ((10, true, false), (5, false, true));
    assert_eq!(sizes(&[], by_number, 9).await, [full, full, last]);
    assert_eq!(sizes(&[], by_number, 2).await, [full, full]);
    assert_eq!(sizes(&[], PageLimits::new(25, usize::MAX), 9).await, [(25, false, true)]);
    assert_eq!(sizes(&[], PageLimits::new(5, usize::MAX), 9).await.len(), 5);
    let one = text("x".repeat(1000)).octets();
    let small: &[super::Wanted<'_>] = &[("urn:a", &[]), ("urn:b", &["urn:s"])];
    let found = sizes(small, PageLimits::new(9, one), 9).await;
    assert_eq!(found, [(9, true, false), (8, false, true)]);
    let found = sizes(&[], PageLimits::new(100, one), 99).await;
    assert_eq!(found.iter().map(|part| part.0).sum::<u64>(), 25);
    assert_eq!(found.len(), 17, "{found:?}");
    assert_eq!(sizes(&[("urn:none", &[])], by_number, 9).await, [(0, false, true)]);
    let nowhere = Window::up_to("urn:nowhere", at(BEGIN));
    let one = ResultPart::new(1, None, at(BEGIN), 0, false);
    assert_eq!(cut(&nowhere, by_number, 9).await, [one]);
}

fn of(id: &str, owner: Option<&str>, created: i64) -> ResultSet {
    let owner = owner.map(Principal::new);
    let window = Window::up_to(FEED, at(BEGIN));
    ResultSet::new(id, owner, window, at(created), at(BEGIN + 100))
}

pub(super) async fn the_oldest_result_makes_room_for_its_owners_next(store: &dyn FeedStore) {
    opened(store).await;
    let there = async |id: &str| {
        let found = store.load_result(id).await.unwrap().is_some();
        assert_eq!(store.load_parts(id, 1, 9).await.unwrap().len(), usize::from(found), "{id}");
        found
    };
    let limits = ResultLimits::new(3, usize::MAX);
    let insert = async |result: ResultSet| {
        let parts = vec![part(1)];
        commit(store, Change::InsertResult { result, parts, limits }).await;
    };
    insert(of("bob", Some("bob"), 1)).await;
    insert(of("nobody", None, 1)).await;
    insert(of("empty", Some(""), 1)).await;
    // What counts is when they were made.
    for (id, created) in [("c", 30), ("a", 10), ("b", 20), ("d", 40), ("e", 50)] {
        let mut one = of(id, Some("alice"), created);
        one.state = ResultState::Pending;
        insert(one).await;
    }
    for id in ["c", "d", "e", "bob", "nobody", "empty"] {
        assert!(there(id).await, "{id}");
    }
    assert!(!there("a").await && !there("b").await);
    // The work on those that went is gone too.
    assert_eq!(store.lease(at(BEGIN), at(BEGIN + 1), 10).await.unwrap().len(), 3);
}

pub(super) async fn there_are_so_many_results_and_no_more(store: &dyn FeedStore) {
    opened(store).await;
    let limits = ResultLimits::new(usize::MAX, 3);
    let insert = async |id: &str, owner: &str| {
        let result = of(id, Some(owner), BEGIN);
        let change = Change::InsertResult { result, parts: Vec::new(), limits };
        store.commit(vec![change], at(BEGIN)).await
    };
    for (id, owner) in [("1", "alice"), ("2", "bob"), ("3", "carol")] {
        insert(id, owner).await.unwrap();
    }
    let full = insert("4", "dave").await;
    assert!(matches!(full, Err(CommitError::Limit { limit: 3, .. })), "{full:?}");
    assert_eq!(store.load_result("4").await.unwrap(), None);
    assert!(store.load_result("1").await.unwrap().is_some());
    store.maintain(at(BEGIN + 100), 100).await.unwrap();
    insert("4", "dave").await.unwrap();
}

pub(super) async fn a_removed_result_is_gone_with_its_parts(store: &dyn FeedStore) {
    opened(store).await;
    for id in ["urn:r", "urn:q"] {
        let mut one = result(id);
        one.state = ResultState::Pending;
        commit(store, in_parts(one, vec![part(1)])).await;
    }
    for _ in 0..2 {
        commit(store, Change::RemoveResult { id: "urn:r".to_owned() }).await;
        assert_eq!(store.load_result("urn:r").await.unwrap(), None);
        assert_eq!(store.load_parts("urn:r", 1, 10).await.unwrap(), []);
    }
    assert_eq!(store.load_parts("urn:q", 1, 10).await.unwrap().len(), 1);
    assert_eq!(store.lease(at(BEGIN), at(BEGIN + 1), 10).await.unwrap().len(), 1);
}
