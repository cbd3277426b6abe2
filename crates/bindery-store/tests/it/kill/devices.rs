//! Sessions of devices, killed between their messages.

use std::num::NonZeroU32;

use bindery_core::{Principal, Timestamp};
use bindery_omadm::service::{
    Ask, Change, CommandState, Device, DeviceStore, Loaded, NewCommand, Progress, ResultEntry,
    ResultFilter, ResultKind, Session,
};
use bindery_store::{SqliteOptions, SqliteStore};

use super::{FILE, killed};
use crate::support::{Place, kek};

/// How many devices have a session at the same time.
const DEVICES: usize = 8;

const ZERO: Timestamp = Timestamp::UNIX_EPOCH;

fn name(device: usize) -> String {
    format!("device-{device}")
}

async fn load(store: &SqliteStore, device: usize) -> Loaded {
    store.load(&Ask::new(name(device), Some("1"), 10)).await.unwrap()
}

/// What answering the next message of a session comes to: the session moves on, the command that
/// was sent is acknowledged with its result, the next one is queued.
fn step(device: usize, loaded: Loaded) -> (u32, Vec<Change>) {
    let found = loaded.session.unwrap();
    let (expected, mut session) = (found.version, found.entry);
    session.msg_id += 1;
    let turn = session.msg_id;
    session.reply = format!("reply {turn}").into_bytes().into();
    let mut changes = vec![Change::PutSession { session, expected: Some(expected) }];
    for open in loaded.commands {
        let progress = Progress::new(CommandState::Acknowledged, ZERO);
        let id = open.entry.id;
        let mut result = ResultEntry::new(name(device), ZERO, "1", turn, ResultKind::Results);
        result.command = Some(id.clone());
        changes.push(Change::Progress { id, expected: open.version, progress });
        changes.push(Change::Record { result, keep: NonZeroU32::MAX });
    }
    let command = NewCommand::new(format!("{device}-{turn}"), name(device), "do", ZERO);
    changes.push(Change::Enqueue { command, at_most: 1 });
    (turn, changes)
}

/// The process that is killed: each device has its session moved on and on; each message that was
/// answered is told as its device and number.
#[test]
#[ignore = "run by every_answered_message_outlives_a_kill"]
fn answer_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(SqliteOptions::file(path, kek(1))).await.unwrap();
        let tasks = (0..DEVICES).map(|device| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..u32::MAX {
                    let loaded = load(&store, device).await;
                    if loaded.device.is_none() {
                        let owner = Principal::new("alice");
                        let session = Session::new(name(device), "1", ZERO, ZERO);
                        let changes = vec![
                            Change::InsertDevice(Device::new(name(device), owner, ZERO)),
                            Change::PutSession { session, expected: None },
                        ];
                        DeviceStore::commit(&store, changes).await.unwrap();
                        continue;
                    }
                    let (turn, changes) = step(device, loaded);
                    DeviceStore::commit(&store, changes).await.unwrap();
                    println!("made {}", turn as usize * DEVICES + device);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

#[tokio::test]
async fn every_answered_message_outlives_a_kill() {
    let place = Place::new();
    let mut answered = [0; DEVICES];
    for round in 0..4 {
        let told = killed("kill::devices::answer_until_killed", place.file(), 60 + 31 * round);
        assert!(told.len() > 40, "round {round}: the child did not work");
        for number in told {
            let (turn, device) = (number / DEVICES, number % DEVICES);
            assert_eq!(turn, answered[device] + 1, "round {round}: a message was answered twice");
            answered[device] = turn;
        }
        let store = place.open().await;
        for (device, answered) in answered.iter_mut().enumerate() {
            let loaded = load(&store, device).await;
            let Some(session) = loaded.session else { continue };
            let turn = session.entry.msg_id as usize;
            // One more may have been made, whose acknowledgement nobody read.
            assert!(turn == *answered || turn == *answered + 1, "{turn} after {answered}");
            *answered = turn;
            // Each commit is there whole: one command is open, all before it have a result.
            if turn > 0 {
                assert_eq!(session.entry.reply, format!("reply {turn}"));
                let [open] = &loaded.commands[..] else { panic!("{:?}", loaded.commands) };
                assert_eq!(open.entry.id, format!("{device}-{turn}"));
            }
            let filter = ResultFilter::of(name(device), 1_000_000);
            let results = store.results(&filter).await.unwrap();
            let found: Vec<_> = results.into_iter().filter_map(|it| it.command).collect();
            let expected: Vec<_> = (1..turn).map(|turn| format!("{device}-{turn}")).collect();
            assert_eq!(found, expected);
        }
        let report = store.check().await.unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
        store.close().await.unwrap();
    }
}
