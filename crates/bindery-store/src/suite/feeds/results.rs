use bindery_taxii::service::{
    Change, FeedStore, Part, PushTo, QueryText, ResultPart, ResultSet, ResultState, Subject, Window,
};
use bindery_taxii_xml::ResponseType;

use super::{BEGIN, FEED, alice, assert_conflict, at, commit, opened, wanted};

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
        commit(store, Change::InsertResult(one.clone())).await;
        let found = store.load_result(&one.id).await.unwrap().unwrap();
        assert_eq!((found.record, found.version), (one, 1));
    }
    assert_eq!(store.load_result("urn:Plain").await.unwrap(), None);
    let mut nowhere = result("urn:nowhere");
    nowhere.window.collection = "urn:nowhere".to_owned();
    let outcome = store.commit(vec![Change::InsertResult(nowhere)], at(BEGIN)).await;
    assert_conflict(outcome, &Subject::Collection("urn:nowhere".to_owned()));
}

pub(super) async fn a_change_of_a_result_names_its_version(store: &dyn FeedStore) {
    opened(store).await;
    let replace = |expected| Change::ReplaceResult { result: rich("urn:r"), expected };
    assert_conflict(store.commit(vec![replace(1)], at(BEGIN)).await, &subject("urn:r"));
    commit(store, Change::InsertResult(result("urn:r"))).await;
    let again = store.commit(vec![Change::InsertResult(rich("urn:r"))], at(BEGIN)).await;
    assert_conflict(again, &subject("urn:r"));
    assert_conflict(store.commit(vec![replace(2)], at(BEGIN)).await, &subject("urn:r"));
    commit(store, replace(1)).await;
    let found = store.load_result("urn:r").await.unwrap().unwrap();
    assert_eq!((found.record, found.version), (rich("urn:r"), 2));
}

fn part(number: u64) -> ResultPart {
    let begin = (number > 1).then(|| at(10 * number.cast_signed()));
    ResultPart::new(number, begin, at(10 * number.cast_signed() + 10), 7 * number, number < 5)
}

fn insert_part(result: &str, number: u64) -> Change {
    Change::InsertPart { result: result.to_owned(), part: part(number) }
}

pub(super) async fn parts_follow_each_other(store: &dyn FeedStore) {
    opened(store).await;
    let subject = Subject::ResultPart("urn:r".to_owned());
    let refused = async |number| {
        let outcome = store.commit(vec![insert_part("urn:r", number)], at(BEGIN)).await;
        assert_conflict(outcome, &subject);
    };
    refused(1).await;
    let result = Change::InsertResult(result("urn:r"));
    store.commit(vec![result, insert_part("urn:r", 1)], at(BEGIN)).await.unwrap();
    for wrong in [0, 1, 3] {
        refused(wrong).await;
    }
    for number in 2..=5 {
        commit(store, insert_part("urn:r", number)).await;
    }
    let loaded = async |from, limit| store.load_parts("urn:r", from, limit).await.unwrap();
    assert_eq!(loaded(1, 100).await, (1..=5).map(part).collect::<Vec<_>>());
    assert_eq!(loaded(3, 2).await, [part(3), part(4)]);
    assert_eq!(loaded(6, 2).await, []);
    assert_eq!(store.load_parts("urn:other", 1, 10).await.unwrap(), []);
}

pub(super) async fn a_removed_result_is_gone_with_its_parts(store: &dyn FeedStore) {
    opened(store).await;
    for id in ["urn:r", "urn:q"] {
        let mut one = result(id);
        one.state = ResultState::Pending;
        commit(store, Change::InsertResult(one)).await;
        commit(store, insert_part(id, 1)).await;
    }
    for _ in 0..2 {
        commit(store, Change::RemoveResult { id: "urn:r".to_owned() }).await;
        assert_eq!(store.load_result("urn:r").await.unwrap(), None);
        assert_eq!(store.load_parts("urn:r", 1, 10).await.unwrap(), []);
    }
    assert_eq!(store.load_parts("urn:q", 1, 10).await.unwrap().len(), 1);
    assert_eq!(store.lease(at(BEGIN), at(BEGIN + 1), 10).await.unwrap().len(), 1);
}
