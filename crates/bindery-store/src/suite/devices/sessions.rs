use bindery_core::Timestamp;
use bindery_omadm::service::{Change, DeviceStore};

use super::{assert_conflict, assert_full, at, begin, id, load, made, register, session};

fn append(session_id: &str, octets: &[u8], at_most: u64) -> Change {
    Change::AppendObject {
        device: id(1),
        session_id: session_id.to_owned(),
        octets: octets.to_vec().into(),
        at_most,
    }
}

pub(super) async fn a_session_needs_its_device(store: &dyn DeviceStore) {
    assert_conflict(store.commit(vec![begin(session(1, "1"))]).await, &id(1));
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
}

pub(super) async fn a_session_is_put_and_loaded(store: &dyn DeviceStore) {
    register(store, [1]).await;
    // Windows begins with 0, and any text is one.
    for session_id in ["0", "1", "FFFF", "ä\u{1F600} '"] {
        let mut put = session(1, session_id);
        made(store, [begin(put.clone())]).await;
        let loaded = load(store, 1, session_id).await.session.unwrap();
        assert_eq!(loaded.entry, put);
        put.authenticated = true;
        put.msg_id = u32::MAX;
        (put.state, put.reply) = (vec![0; 20_000].into(), vec![255; 30_000].into());
        (put.touched, put.expires) = (at(5), Timestamp::from_unix_micros(i64::MAX));
        let change = Change::PutSession { session: put.clone(), expected: Some(loaded.version) };
        made(store, [change]).await;
        let again = load(store, 1, session_id).await.session.unwrap();
        assert_eq!(again.entry, put);
        assert!(again.version > loaded.version);
        let delete = Change::DeleteSession {
            device: id(1),
            session_id: session_id.to_owned(),
            expected: again.version,
        };
        made(store, [delete]).await;
        assert_eq!(load(store, 1, session_id).await.session, None);
    }
}

pub(super) async fn sessions_of_devices_are_kept_apart(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let mut other = session(2, "1");
    other.msg_id = 7;
    made(store, [begin(session(1, "1")), begin(session(1, "2")), begin(other)]).await;
    assert_eq!(load(store, 1, "1").await.session.unwrap().entry.msg_id, 0);
    assert_eq!(load(store, 2, "1").await.session.unwrap().entry.msg_id, 7);
    assert_eq!(load(store, 2, "2").await.session, None);
}

pub(super) async fn a_stale_session_is_a_conflict(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    let version = load(store, 1, "1").await.session.unwrap().version;
    for expected in [0, version + 1, u64::MAX] {
        let put = Change::PutSession { session: session(1, "1"), expected: Some(expected) };
        assert_conflict(store.commit(vec![put]).await, "the session 1");
        let session_id = "1".to_owned();
        let delete = Change::DeleteSession { device: id(1), session_id, expected };
        assert_conflict(store.commit(vec![delete]).await, "the session 1");
    }
    let put = Change::PutSession { session: session(1, "2"), expected: Some(version) };
    assert_conflict(store.commit(vec![put]).await, "the session 2");
}

pub(super) async fn a_session_begins_once(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    assert_conflict(store.commit(vec![begin(session(1, "1"))]).await, "the session 1");
}

pub(super) async fn the_sessions_used_last_are_kept(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let mut changes = Vec::new();
    for number in 0..10 {
        for (device, authenticated) in [(1, false), (1, true), (2, false)] {
            let mut put = session(device, &format!("{number}-{authenticated}"));
            put.authenticated = authenticated;
            // Not in the order of their beginning.
            put.touched = at((number * 7) % 10);
            changes.push(begin(put));
        }
    }
    made(store, changes).await;
    let keep = |newest| Change::KeepSessions { device: id(1), authenticated: false, newest };
    let mut none = keep(3);
    if let Change::KeepSessions { device, .. } = &mut none {
        *device = "nobody".to_owned();
    }
    made(store, [keep(3), none]).await;
    for number in 0..10 {
        // Used at 7, 8 and 9.
        let kept = [1, 4, 7].contains(&number);
        let (without, with) = (format!("{number}-false"), format!("{number}-true"));
        assert_eq!(load(store, 1, &without).await.session.is_some(), kept, "{number}");
        assert!(load(store, 1, &with).await.session.is_some());
        assert!(load(store, 2, &without).await.session.is_some());
    }
    made(store, [keep(0)]).await;
    assert_eq!(load(store, 1, "7-false").await.session, None);
}

pub(super) async fn a_large_object_grows_to_its_limit(store: &dyn DeviceStore) {
    register(store, [1]).await;
    assert_conflict(store.commit(vec![append("1", b"a", 10)]).await, "the session 1");
    made(store, [begin(session(1, "1")), append("1", b"abc", 10)]).await;
    made(store, [append("1", b"", 10), append("1", b"defg", 10), append("1", b"hij", 10)]).await;
    let version = load(store, 1, "1").await.session.unwrap().version;
    assert_eq!(load(store, 1, "1").await.object_len, 10);
    assert_eq!(store.read_object(&id(1), "1").await.unwrap(), "abcdefghij");
    assert_full(store.commit(vec![append("1", b"k", 10)]).await, 10);
    // A change of the session leaves it.
    let put = Change::PutSession { session: session(1, "1"), expected: Some(version) };
    made(store, [put]).await;
    assert_eq!(load(store, 1, "1").await.object_len, 10);
    let clear = Change::ClearObject { device: id(1), session_id: "1".to_owned() };
    made(store, [clear.clone(), append("1", b"new", 10)]).await;
    assert_eq!(store.read_object(&id(1), "1").await.unwrap(), "new");
    made(store, [clear.clone(), clear]).await;
    assert_eq!(load(store, 1, "1").await.object_len, 0);
    assert!(store.read_object(&id(1), "1").await.unwrap().is_empty());
}

pub(super) async fn a_large_object_goes_with_its_session(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1")), append("1", b"abc", 10)]).await;
    let expected = load(store, 1, "1").await.session.unwrap().version;
    let session_id = "1".to_owned();
    made(store, [Change::DeleteSession { device: id(1), session_id, expected }]).await;
    made(store, [begin(session(1, "1"))]).await;
    assert_eq!(load(store, 1, "1").await.object_len, 0);
    assert!(store.read_object(&id(1), "1").await.unwrap().is_empty());
}

pub(super) async fn what_is_over_is_swept(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let sessions = (0..10).map(|number| {
        let mut put = session(1, &number.to_string());
        put.expires = at(i64::from(number));
        begin(put)
    });
    made(store, sessions.collect::<Vec<_>>()).await;
    let mut swept = 0;
    loop {
        // Exactly at its time a session is not over yet.
        let step = store.sweep(at(7), at(0), 3).await.unwrap();
        assert!(step.sessions <= 3);
        swept += step.sessions;
        if step.is_empty() {
            break;
        }
    }
    assert_eq!(swept, 7);
    for number in 0..10 {
        let there = load(store, 1, &number.to_string()).await.session.is_some();
        assert_eq!(there, number >= 7);
    }
}
