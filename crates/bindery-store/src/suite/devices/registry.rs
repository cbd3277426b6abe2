use bindery_core::Principal;
use bindery_omadm::service::{Change, CommandState, DeviceFilter, DeviceStore, ResultFilter};

use super::{
    advance, all, assert_conflict, begin, command, device, enqueue, history, id, load, made,
    progress, register, session, stored,
};

pub(super) async fn what_was_registered_is_loaded(store: &dyn DeviceStore) {
    let mut bare = device(2);
    (bare.client, bare.server, bare.last_seen) = (None, None, None);
    bare.dev_info.clear();
    bare.enabled = false;
    let mut half = device(3);
    half.client = None;
    let devices = [device(1), bare, half];
    made(store, devices.clone().map(Change::InsertDevice)).await;
    for (number, device) in (1..).zip(devices) {
        assert_eq!(stored(store, number).await.unwrap().entry, device);
    }
    assert_eq!(stored(store, 4).await, None);
    assert_eq!(load(store, 4, "1").await, Default::default());
}

pub(super) async fn a_device_is_registered_once(store: &dyn DeviceStore) {
    register(store, [1]).await;
    assert_conflict(store.commit(vec![Change::InsertDevice(device(1))]).await, &id(1));
    let twice = vec![Change::InsertDevice(device(2)), Change::InsertDevice(device(2))];
    assert_conflict(store.commit(twice).await, &id(2));
    assert_eq!(stored(store, 2).await, None);
}

pub(super) async fn any_text_and_nonce_survives(store: &dyn DeviceStore) {
    for (number, text) in ["", "ä\u{0}\u{1F600}'\"%_", "urn:x y\n\t", "\u{FEFF}"].iter().enumerate()
    {
        let mut any = device(number);
        any.owner = Principal::new(*text);
        any.dev_info.insert((*text).to_owned(), (*text).to_owned());
        let client = any.client.as_mut().unwrap();
        client.name = (*text).to_owned();
        client.nonce = (0..=255).collect::<Vec<u8>>().into();
        made(store, [Change::InsertDevice(any.clone())]).await;
        assert_eq!(stored(store, number).await.unwrap().entry, any);
    }
}

pub(super) async fn a_replacement_raises_the_version(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let first = stored(store, 1).await.unwrap();
    let mut other = device(1);
    other.owner = Principal::new("bob");
    other.server = None;
    other.enabled = false;
    let replace = Change::ReplaceDevice { device: other.clone(), expected: first.version };
    made(store, [replace]).await;
    let second = stored(store, 1).await.unwrap();
    assert_eq!(second.entry, other);
    assert!(second.version > first.version);
}

pub(super) async fn a_stale_device_is_a_conflict(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let version = stored(store, 1).await.unwrap().version;
    for expected in [0, version + 1, u64::MAX] {
        let replace = Change::ReplaceDevice { device: device(1), expected };
        assert_conflict(store.commit(vec![replace]).await, &id(1));
        let delete = Change::DeleteDevice { id: id(1), expected };
        assert_conflict(store.commit(vec![delete]).await, &id(1));
    }
    let missing = Change::ReplaceDevice { device: device(2), expected: version };
    assert_conflict(store.commit(vec![missing]).await, &id(2));
    assert_eq!(stored(store, 1).await.unwrap().version, version);
}

pub(super) async fn versions_never_come_twice(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    let before = load(store, 1, "1").await;
    let (device_version, session_version) =
        (before.device.unwrap().version, before.session.unwrap().version);
    made(store, [Change::DeleteDevice { id: id(1), expected: device_version }]).await;
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    let replace = Change::ReplaceDevice { device: device(1), expected: device_version };
    assert_conflict(store.commit(vec![replace]).await, &id(1));
    let put = Change::PutSession { session: session(1, "1"), expected: Some(session_version) };
    assert_conflict(store.commit(vec![put]).await, "1");
}

pub(super) async fn devices_are_listed_by_pages_and_owner(store: &dyn DeviceStore) {
    let mut expected = Vec::new();
    for number in (0..25).rev() {
        let mut listed = device(number);
        if number % 2 == 1 {
            listed.owner = Principal::new("bob");
        }
        made(store, [Change::InsertDevice(listed)]).await;
        expected.push(id(number));
    }
    expected.reverse();
    let bobs: Vec<_> = expected.iter().skip(1).step_by(2).cloned().collect();
    for (owner, expected) in [(None, expected), (Some(Principal::new("bob")), bobs)] {
        let mut filter = DeviceFilter::all(7);
        filter.owner = owner;
        let mut found: Vec<String> = Vec::new();
        loop {
            let page = store.devices(&filter).await.unwrap();
            assert!(page.len() <= 7);
            found.extend(page.iter().map(|it| it.entry.id.clone()));
            if page.len() < 7 {
                break;
            }
            filter.after = found.last().cloned();
        }
        assert_eq!(found, expected);
    }
    assert!(store.devices(&DeviceFilter::all(0)).await.unwrap().is_empty());
}

pub(super) async fn a_deleted_device_takes_everything_with_it(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    for number in [1, 2] {
        let mut open = command(number, &format!("open-{number}"));
        open.data = vec![7; 100_000].into();
        let append = Change::AppendObject {
            device: id(number),
            session_id: "9".to_owned(),
            octets: vec![1; 10].into(),
            at_most: 10,
        };
        let done = command(number, &format!("done-{number}"));
        let record = history::record(number, "a result");
        made(store, [enqueue(open), enqueue(done), begin(session(number, "9")), append, record])
            .await;
        advance(store, &format!("done-{number}"), progress(CommandState::Failed)).await;
    }
    let expected = stored(store, 1).await.unwrap().version;
    made(store, [Change::DeleteDevice { id: id(1), expected }]).await;
    // Also for a new device of the same name.
    for _ in 0..2 {
        let loaded = load(store, 1, "9").await;
        assert!(loaded.session.is_none() && loaded.commands.is_empty());
        assert_eq!(loaded.object_len, 0);
        assert!(all(store, 1).await.is_empty());
        assert!(store.command("open-1").await.unwrap().is_none());
        assert!(store.read_data("open-1", 0..10).await.unwrap().is_empty());
        assert!(store.read_object(&id(1), "9").await.unwrap().is_empty());
        assert!(store.results(&ResultFilter::of(id(1), 10)).await.unwrap().is_empty());
        if stored(store, 1).await.is_none() {
            register(store, [1]).await;
        }
    }
    let loaded = load(store, 2, "9").await;
    assert!(loaded.session.is_some());
    assert_eq!((loaded.object_len, loaded.commands.len()), (10, 1));
    assert_eq!(all(store, 2).await.len(), 2);
    assert_eq!(store.results(&ResultFilter::of(id(2), 10)).await.unwrap().len(), 1);
}
