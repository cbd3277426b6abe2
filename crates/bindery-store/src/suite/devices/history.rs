use std::num::NonZeroU32;

use bindery_omadm::service::{
    Change, DeviceStore, ResultEntry, ResultFilter, ResultKind, StatusCode,
};

use super::{assert_conflict, at, id, made, register};

fn keeping(number: usize, data: &str, keep: u32) -> Change {
    let mut result = ResultEntry::new(id(number), at(4), "F0", 3, ResultKind::Results);
    result.data = data.as_bytes().to_vec().into();
    Change::Record { result, keep: NonZeroU32::new(keep).unwrap() }
}

pub(super) fn record(number: usize, data: &str) -> Change {
    keeping(number, data, u32::MAX)
}

async fn texts(store: &dyn DeviceStore, filter: &ResultFilter) -> Vec<String> {
    let results = store.results(filter).await.unwrap();
    results.into_iter().map(|it| String::from_utf8(it.data.to_vec()).unwrap()).collect()
}

pub(super) async fn results_come_in_order_and_by_pages(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let mut whole = ResultEntry::new(id(1), at(4), "F0", u32::MAX, ResultKind::Status);
    whole.command = Some("a".to_owned());
    whole.uri = "./DevInfo/ä".to_owned();
    whole.status = Some(StatusCode(404));
    whole.data = vec![0, 255].into();
    let keep = NonZeroU32::MAX;
    made(store, [Change::Record { result: whole.clone(), keep }, record(2, "other")]).await;
    whole.position = 1;
    let first = store.results(&ResultFilter::of(id(1), 1)).await.unwrap();
    assert_eq!(first, [whole]);

    made(store, (0..20).map(|number| record(1, &number.to_string()))).await;
    let mut filter = ResultFilter::of(id(1), 6);
    filter.after = 1;
    let mut found = Vec::new();
    loop {
        let page = store.results(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        assert_eq!(last.position, filter.after + page.len() as u64, "positions have gaps");
        filter.after = last.position;
        found.extend(page.iter().map(|it| it.data.clone()));
    }
    assert_eq!(found, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

pub(super) async fn results_of_a_command_are_found(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    for (number, data) in [(1, "one"), (1, "two"), (2, "three")] {
        for command in [None, Some("a"), Some("b")] {
            let Change::Record { mut result, keep } = record(number, data) else { unreachable!() };
            result.command = command.map(str::to_owned);
            made(store, [Change::Record { result, keep }]).await;
        }
    }
    let mut filter = ResultFilter::of(id(1), 100);
    assert_eq!(texts(store, &filter).await.len(), 6);
    filter.command = Some("b".to_owned());
    assert_eq!(texts(store, &filter).await, ["one", "two"]);
    filter.command = Some("c".to_owned());
    assert!(texts(store, &filter).await.is_empty());
}

pub(super) async fn the_oldest_results_go(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    for number in 0..10 {
        made(store, [keeping(1, &number.to_string(), 4), record(2, "other")]).await;
    }
    let filter = ResultFilter::of(id(1), 100);
    assert_eq!(texts(store, &filter).await, ["6", "7", "8", "9"]);
    assert_eq!(store.results(&filter).await.unwrap()[0].position, 7);
    made(store, [keeping(1, "last", 1)]).await;
    assert_eq!(texts(store, &filter).await, ["last"]);
    assert_eq!(texts(store, &ResultFilter::of(id(2), 100)).await.len(), 10);
}

pub(super) async fn results_need_their_device(store: &dyn DeviceStore) {
    assert_conflict(store.commit(vec![record(1, "a")]).await, &id(1));
}
