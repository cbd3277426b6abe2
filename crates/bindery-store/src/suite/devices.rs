//! What every device store does.

mod concurrent;
mod history;
mod queue;
mod registry;
mod sessions;

use bindery_core::{Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest,
    service::{
        AppAuth, Ask, Change, Command, CommandFilter, CommandState, CommitError, Device,
        DeviceStore, Loaded, NewCommand, Progress, Session, Versioned,
    },
};

use super::{cases, drop_after};

cases! {
    dyn DeviceStore;
    registry:
        what_was_registered_is_loaded,
        a_device_is_registered_once,
        any_text_and_nonce_survives,
        a_replacement_raises_the_version,
        a_stale_device_is_a_conflict,
        versions_never_come_twice,
        devices_are_listed_by_pages_and_owner,
        a_deleted_device_takes_everything_with_it;
    sessions:
        a_session_needs_its_device,
        a_session_is_put_and_loaded,
        sessions_of_devices_are_kept_apart,
        a_stale_session_is_a_conflict,
        a_session_begins_once,
        the_sessions_used_last_are_kept,
        a_large_object_grows_to_its_limit,
        a_large_object_goes_with_its_session,
        what_is_over_is_swept;
    queue:
        commands_come_in_the_order_of_queueing,
        a_queue_needs_its_device,
        an_identifier_is_taken_once,
        an_open_key_is_taken_once,
        a_queue_has_a_limit,
        progress_is_kept_and_leaves_the_queue,
        a_stale_progress_is_a_conflict,
        a_finished_command_stays_finished,
        commands_are_listed_by_pages_and_state,
        data_is_read_in_pieces,
        finished_commands_are_swept;
    history:
        results_come_in_order_and_by_pages,
        results_of_a_command_are_found,
        the_oldest_results_go,
        results_need_their_device;
    concurrent:
        no_message_is_answered_twice,
        a_limit_holds_against_many,
        one_of_many_with_a_key_is_taken,
        loads_see_whole_commits,
        a_commit_is_made_whole_or_not_at_all,
        a_dropped_commit_is_whole_or_nothing,
        dropped_reads_do_no_harm;
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 + second)
}

fn id(number: usize) -> String {
    format!("IMEI:{number:015}")
}

/// A device with something in every field.
fn device(number: usize) -> Device {
    let mut device = Device::new(id(number), Principal::new("alice"), at(0));
    let digest = CredentialDigest::new("user", &format!("secret of {number}"));
    let mut client = AppAuth::new("user", digest);
    client.nonce = vec![0, 255, 7].into();
    device.client = Some(client);
    let digest = CredentialDigest::new("server", &format!("secret for {number}"));
    device.server = Some(AppAuth::new("server", digest));
    device.dev_info.insert("Man".to_owned(), "Maker".to_owned());
    device.dev_info.insert("DmV".to_owned(), "1.2".to_owned());
    device.last_seen = Some(at(1));
    device
}

fn session(number: usize, session_id: &str) -> Session {
    let mut session = Session::new(id(number), session_id, at(0), at(60));
    session.state = format!("state of {session_id}").into_bytes().into();
    session.reply = format!("reply in {session_id}").into_bytes().into();
    session
}

fn command(number: usize, name: &str) -> NewCommand {
    NewCommand::new(name, id(number), format!("body of {name}").into_bytes(), at(2))
}

fn begin(session: Session) -> Change {
    Change::PutSession { session, expected: None }
}

const fn enqueue(command: NewCommand) -> Change {
    Change::Enqueue { command, at_most: 100 }
}

fn progress(state: CommandState) -> Progress {
    Progress::new(state, at(3))
}

async fn made(store: &dyn DeviceStore, changes: impl IntoIterator<Item = Change>) {
    store.commit(changes.into_iter().collect()).await.unwrap();
}

async fn register(store: &dyn DeviceStore, numbers: impl IntoIterator<Item = usize>) {
    made(store, numbers.into_iter().map(|number| Change::InsertDevice(device(number)))).await;
}

async fn load(store: &dyn DeviceStore, number: usize, session_id: &str) -> Loaded {
    store.load(&Ask::new(id(number), Some(session_id), 1000)).await.unwrap()
}

async fn stored(store: &dyn DeviceStore, number: usize) -> Option<Versioned<Device>> {
    store.load(&Ask::new(id(number), None::<String>, 0)).await.unwrap().device
}

/// The open commands of a device.
async fn open(store: &dyn DeviceStore, number: usize) -> Vec<String> {
    ids(load(store, number, "").await.commands)
}

async fn all(store: &dyn DeviceStore, number: usize) -> Vec<Versioned<Command>> {
    store.commands(&CommandFilter::of(id(number), 1000)).await.unwrap()
}

fn ids(commands: Vec<Versioned<Command>>) -> Vec<String> {
    commands.into_iter().map(|command| command.entry.id).collect()
}

/// Moves a command on from wherever it is.
async fn advance(store: &dyn DeviceStore, name: &str, progress: Progress) {
    let expected = store.command(name).await.unwrap().unwrap().version;
    made(store, [Change::Progress { id: name.to_owned(), expected, progress }]).await;
}

#[track_caller]
fn assert_conflict(outcome: Result<(), CommitError>, names: &str) {
    match outcome {
        Err(CommitError::Conflict { entry }) => {
            assert!(entry.contains(names), "a conflict over {entry}, not {names}");
        }
        other => panic!("expected a conflict over {names}, got {other:?}"),
    }
}

#[track_caller]
fn assert_full(outcome: Result<(), CommitError>, expected: u64) {
    match outcome {
        Err(CommitError::Full { limit, .. }) => assert_eq!(limit, expected),
        other => panic!("expected a limit of {expected}, got {other:?}"),
    }
}
