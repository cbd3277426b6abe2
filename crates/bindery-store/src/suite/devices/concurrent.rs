use bindery_omadm::service::{Ask, Change, CommandState, CommitError, DeviceStore, ResultFilter};
use futures_util::future::{join, join_all};

use super::{
    assert_conflict, begin, command, drop_after, enqueue, history::record, id, load, made, open,
    progress, register, session,
};

/// How many do something at the same time.
const MANY: usize = 64;

/// Answers the next message of a session: once, whoever else tries.
async fn answer(store: &dyn DeviceStore) {
    loop {
        let loaded = load(store, 1, "1").await.session.unwrap();
        let mut next = loaded.entry;
        next.msg_id += 1;
        let result = record(1, &next.msg_id.to_string());
        let put = Change::PutSession { session: next, expected: Some(loaded.version) };
        match store.commit(vec![put, result]).await {
            Ok(()) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

pub(super) async fn no_message_is_answered_twice(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    join_all((0..MANY).map(|_| answer(store))).await;
    assert_eq!(load(store, 1, "1").await.session.unwrap().entry.msg_id as usize, MANY);
    let results = store.results(&ResultFilter::of(id(1), 1000)).await.unwrap();
    let expected: Vec<_> = (1..=MANY).map(|number| number.to_string()).collect();
    assert_eq!(results.into_iter().map(|it| it.data).collect::<Vec<_>>(), expected);
}

pub(super) async fn a_limit_holds_against_many(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let commits = (0..MANY).map(|number| {
        let command = command(1, &format!("c{number}"));
        store.commit(vec![Change::Enqueue { command, at_most: 10 }])
    });
    let outcomes = join_all(commits).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
    assert_eq!(open(store, 1).await.len(), 10);
}

pub(super) async fn one_of_many_with_a_key_is_taken(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let commits = (0..MANY).map(|number| {
        let mut command = command(1, &format!("c{number}"));
        command.key = Some("wipe".to_owned());
        store.commit(vec![enqueue(command)])
    });
    let outcomes = join_all(commits).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let [taken] = &open(store, 1).await[..] else { panic!("not one") };
    for outcome in outcomes {
        match outcome {
            Ok(()) => {}
            Err(CommitError::Duplicate { id }) => assert_eq!(id, *taken),
            Err(other) => panic!("{other}"),
        }
    }
}

pub(super) async fn loads_see_whole_commits(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [begin(session(1, "1"))]).await;
    // Each commit moves the session and adds a command, so that their numbers stay together.
    let writing = async {
        for turn in 1..=50 {
            let loaded = load(store, 1, "1").await.session.unwrap();
            let mut session = loaded.entry;
            session.msg_id = turn;
            let put = Change::PutSession { session, expected: Some(loaded.version) };
            made(store, [put, enqueue(command(1, &format!("c{turn}")))]).await;
        }
    };
    let reading = async {
        loop {
            let loaded = load(store, 1, "1").await;
            let turn = loaded.session.unwrap().entry.msg_id;
            assert_eq!(loaded.commands.len(), turn as usize);
            if turn == 50 {
                break;
            }
        }
    };
    join(writing, reading).await;
}

pub(super) async fn a_commit_is_made_whole_or_not_at_all(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    made(store, [begin(session(1, "1")), enqueue(command(1, "a"))]).await;
    let before = load(store, 1, "1").await;
    let object = Change::AppendObject {
        device: id(1),
        session_id: "1".to_owned(),
        octets: b"abc".to_vec().into(),
        at_most: 10,
    };
    let mut other = session(1, "1");
    other.msg_id = 9;
    let good = [
        Change::PutSession {
            session: other,
            expected: Some(before.session.as_ref().unwrap().version),
        },
        object,
        enqueue(command(1, "b")),
        Change::Progress {
            id: "a".to_owned(),
            expected: before.commands[0].version,
            progress: progress(CommandState::Acknowledged),
        },
        record(1, "result"),
        begin(session(2, "1")),
    ];
    let mut bad = good.to_vec();
    bad.push(enqueue(command(3, "c")));
    assert_conflict(store.commit(bad).await, &id(3));
    assert_eq!(load(store, 1, "1").await, before);
    assert!(store.results(&ResultFilter::of(id(1), 10)).await.unwrap().is_empty());
    assert_eq!(load(store, 2, "1").await.session, None);
    // A session is changed once in a commit.
    let mut twice = good.to_vec();
    twice.push(good[0].clone());
    assert_conflict(store.commit(twice).await, "the session 1");
    assert_eq!(load(store, 1, "1").await, before);
    made(store, good).await;
    assert_eq!(open(store, 1).await, ["b"]);
}

pub(super) async fn a_dropped_commit_is_whole_or_nothing(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let mut ready = Vec::new();
    for attempt in 0..MANY {
        let name = format!("s{attempt}");
        let changes = vec![begin(session(1, &name)), enqueue(command(1, &name))];
        if drop_after(attempt % 8, store.commit(changes)).await {
            ready.push(attempt);
        }
    }
    // Commits that were handed over may still be on their way: this one comes after them.
    made(store, [record(1, "end")]).await;
    for attempt in 0..MANY {
        let name = format!("s{attempt}");
        let session = load(store, 1, &name).await.session.is_some();
        let command = store.command(&name).await.unwrap().is_some();
        assert_eq!(session, command, "half of commit {attempt}");
        // Never polled, never made.
        assert!(!session || attempt % 8 != 0);
        assert!(session || !ready.contains(&attempt));
    }
}

pub(super) async fn dropped_reads_do_no_harm(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let names: Vec<_> = (0..100).map(|number| format!("c{number}")).collect();
    made(store, names.iter().map(|name| enqueue(command(1, name)))).await;
    let ask = Ask::new(id(1), Some("1"), 1000);
    for polls in 0..MANY {
        drop_after(polls, store.load(&ask)).await;
        drop_after(polls, store.command("c1")).await;
    }
    // More often than there can be connections to lose.
    assert_eq!(open(store, 1).await, names);
}
