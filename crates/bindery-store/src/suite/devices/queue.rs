use bindery_omadm::service::{
    Change, CommandFilter, CommandState, CommitError, DeviceStore, Sent, StatusCode,
};

use super::{
    advance, all, assert_conflict, assert_full, at, command, enqueue, id, ids, load, made, open,
    progress, register,
};

pub(super) async fn commands_come_in_the_order_of_queueing(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    for name in ["c", "a", "b"] {
        made(store, [enqueue(command(1, name)), enqueue(command(2, &format!("2{name}")))]).await;
    }
    let loaded = load(store, 1, "").await.commands;
    assert!(loaded.windows(2).all(|pair| pair[0].entry.position < pair[1].entry.position));
    assert!(loaded[0].entry.position > 0);
    let expected = super::Command::queued(&command(1, "c"), loaded[0].entry.position);
    assert_eq!(loaded[0].entry, expected);
    assert_eq!(ids(loaded), ["c", "a", "b"]);
    assert_eq!(open(store, 2).await, ["2c", "2a", "2b"]);
    let ask = bindery_omadm::service::Ask::new(id(1), Some("1"), 2);
    assert_eq!(ids(store.load(&ask).await.unwrap().commands), ["c", "a"]);
}

pub(super) async fn a_queue_needs_its_device(store: &dyn DeviceStore) {
    assert_conflict(store.commit(vec![enqueue(command(1, "a"))]).await, &id(1));
    assert_eq!(store.command("a").await.unwrap(), None);
}

pub(super) async fn an_identifier_is_taken_once(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    made(store, [enqueue(command(1, "a"))]).await;
    assert_conflict(store.commit(vec![enqueue(command(2, "a"))]).await, "the command a");
    advance(store, "a", progress(CommandState::Acknowledged)).await;
    assert_conflict(store.commit(vec![enqueue(command(1, "a"))]).await, "the command a");
}

pub(super) async fn an_open_key_is_taken_once(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let keyed = |number, name| {
        let mut keyed = command(number, name);
        keyed.key = Some("lock".to_owned());
        enqueue(keyed)
    };
    // Without a key there may be any number.
    made(
        store,
        [keyed(1, "a"), keyed(2, "2a"), enqueue(command(1, "x")), enqueue(command(1, "y"))],
    )
    .await;
    for state in [CommandState::Queued, CommandState::Sent] {
        advance(store, "a", progress(state)).await;
        match store.commit(vec![keyed(1, "b")]).await {
            Err(CommitError::Duplicate { id }) => assert_eq!(id, "a"),
            other => panic!("expected a duplicate, got {other:?}"),
        }
    }
    advance(store, "a", progress(CommandState::Failed)).await;
    made(store, [keyed(1, "b")]).await;
    advance(store, "b", progress(CommandState::Acknowledged)).await;
    made(store, [keyed(1, "c")]).await;
    assert_eq!(open(store, 1).await, ["x", "y", "c"]);
}

pub(super) async fn a_queue_has_a_limit(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let limited = |name: &str| Change::Enqueue { command: command(1, name), at_most: 3 };
    made(store, [limited("a"), limited("b"), limited("c"), enqueue(command(2, "other"))]).await;
    assert_full(store.commit(vec![limited("d")]).await, 3);
    // Sent is still open.
    advance(store, "a", progress(CommandState::Sent)).await;
    assert_full(store.commit(vec![limited("d")]).await, 3);
    advance(store, "a", progress(CommandState::Acknowledged)).await;
    made(store, [limited("d")]).await;
    assert_eq!(open(store, 1).await, ["b", "c", "d"]);
}

pub(super) async fn progress_is_kept_and_leaves_the_queue(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [enqueue(command(1, "a")), enqueue(command(1, "b"))]).await;
    let mut step = progress(CommandState::Sent);
    (step.attempts, step.sent) = (3, Some(Sent::new("F0", u32::MAX, 17)));
    advance(store, "a", step.clone()).await;
    assert_eq!(load(store, 1, "").await.commands[0].entry.progress, step);
    step.state = CommandState::Failed;
    (step.status, step.explanation) = (Some(StatusCode(u16::MAX)), Some("ä: why".to_owned()));
    advance(store, "a", step.clone()).await;
    assert_eq!(store.command("a").await.unwrap().unwrap().entry.progress, step);
    assert_eq!(open(store, 1).await, ["b"]);
    assert_eq!(ids(all(store, 1).await), ["a", "b"]);
}

pub(super) async fn a_stale_progress_is_a_conflict(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [enqueue(command(1, "a"))]).await;
    let version = store.command("a").await.unwrap().unwrap().version;
    let to = |name: &str, expected| Change::Progress {
        id: name.to_owned(),
        expected,
        progress: progress(CommandState::Sent),
    };
    assert_conflict(store.commit(vec![to("a", version + 1)]).await, "the command a");
    assert_conflict(store.commit(vec![to("b", version)]).await, "the command b");
    made(store, [to("a", version)]).await;
    assert_conflict(store.commit(vec![to("a", version)]).await, "the command a");
}

pub(super) async fn a_finished_command_stays_finished(store: &dyn DeviceStore) {
    register(store, [1]).await;
    made(store, [enqueue(command(1, "a"))]).await;
    advance(store, "a", progress(CommandState::Acknowledged)).await;
    let expected = store.command("a").await.unwrap().unwrap().version;
    for state in [CommandState::Queued, CommandState::Sent] {
        let change = Change::Progress { id: "a".to_owned(), expected, progress: progress(state) };
        assert_conflict(store.commit(vec![change]).await, "the command a");
    }
    // A late word on it may still be noted.
    advance(store, "a", progress(CommandState::Failed)).await;
}

pub(super) async fn commands_are_listed_by_pages_and_state(store: &dyn DeviceStore) {
    register(store, [1, 2]).await;
    let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    made(store, names.iter().map(|name| enqueue(command(1, name)))).await;
    made(store, [enqueue(command(2, "other"))]).await;
    for name in names.iter().step_by(2) {
        advance(store, name, progress(CommandState::Acknowledged)).await;
    }
    let done: Vec<_> = names.iter().step_by(2).cloned().collect();
    for (state, expected) in [(None, names), (Some(CommandState::Acknowledged), done)] {
        let mut filter = CommandFilter::of(id(1), 3);
        filter.state = state;
        let mut found = Vec::new();
        loop {
            let page = store.commands(&filter).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = last.entry.position;
            assert!(page.len() <= 3);
            found.extend(ids(page));
        }
        assert_eq!(found, expected);
    }
    let mut end = CommandFilter::of(id(1), 3);
    end.after = u64::MAX;
    assert!(store.commands(&end).await.unwrap().is_empty());
}

pub(super) async fn data_is_read_in_pieces(store: &dyn DeviceStore) {
    register(store, [1]).await;
    let data: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let mut large = command(1, "large");
    large.data = data.clone().into();
    made(store, [enqueue(command(1, "small")), enqueue(large)]).await;
    assert_eq!(load(store, 1, "").await.commands[1].entry.data_len, 300_000);
    let edges = [0, 1, 65_535, 65_536, 65_537, 131_072, 299_999, 300_000, 400_000];
    let within = |at: u64| usize::try_from(at).unwrap().min(data.len());
    for from in edges {
        for to in edges {
            let read = store.read_data("large", from..to).await.unwrap();
            let expected = data.get(within(from)..within(to)).unwrap_or_default();
            assert_eq!(read, expected, "{from}..{to}");
        }
    }
    assert_eq!(store.read_data("large", 0..u64::MAX).await.unwrap(), data);
    assert!(store.read_data("large", u64::MAX - 1..u64::MAX).await.unwrap().is_empty());
    assert!(store.read_data("small", 0..10).await.unwrap().is_empty());
    assert!(store.read_data("none", 0..10).await.unwrap().is_empty());
}

pub(super) async fn finished_commands_are_swept(store: &dyn DeviceStore) {
    register(store, [1]).await;
    for (name, state) in
        [("q", CommandState::Queued), ("s", CommandState::Sent), ("a", CommandState::Acknowledged)]
    {
        let mut with_data = command(1, name);
        with_data.data = vec![1; 10].into();
        made(store, [enqueue(with_data)]).await;
        advance(store, name, progress(state)).await;
    }
    let mut late = progress(CommandState::Failed);
    late.changed = at(10);
    made(store, [enqueue(command(1, "f"))]).await;
    advance(store, "f", late).await;
    let swept = store.sweep(at(0), at(10), 100).await.unwrap();
    assert_eq!((swept.sessions, swept.commands), (0, 1));
    assert_eq!(ids(all(store, 1).await), ["q", "s", "f"]);
    assert!(store.read_data("a", 0..10).await.unwrap().is_empty());
    assert_eq!(store.sweep(at(0), at(11), 100).await.unwrap().commands, 1);
}
