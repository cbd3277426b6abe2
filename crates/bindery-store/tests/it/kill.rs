//! A server that is killed in the middle of its work has everything that it acknowledged afterwards.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use bindery_kmip::service::{Change, KeyStore};

use crate::support::{Place, kek, record, uid};

mod devices;
mod feeds;

const FILE: &str = "BINDERY_STORE_TEST_KILL";

/// The process that is killed: 16 tasks insert pairs of records and tell each pair that was
/// acknowledged.
#[test]
#[ignore = "run by every_acknowledged_commit_outlives_a_kill"]
fn insert_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = bindery_store::SqliteOptions::file(path, kek(1));
        let store = bindery_store::SqliteStore::open(options).await.unwrap();
        let start: usize = store.stats().await.unwrap().rows["object"].try_into().unwrap();
        println!("opened");
        let tasks = (0..16).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for turn in 0.. {
                    let number = start + 2 * (turn * 16 + task);
                    let pair = [number, number + 1].map(|it| Change::Insert(record(it)));
                    match store.commit(pair.to_vec()).await {
                        Ok(()) => println!("made {number}"),
                        // After an earlier kill there are gaps; numbers above one are taken.
                        Err(bindery_kmip::service::CommitError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

/// Runs a test of this program in a process of its own on a store, and kills it when it has told
/// that it made so many; returns all that it told by then.
fn killed(test: &str, file: PathBuf, after: usize) -> Vec<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if output.read_until(b'\n', &mut line).unwrap() == 0 {
            break;
        }
        // A line that was cut off by the kill was not acknowledged to anybody.
        let Some(text) = line.strip_suffix(b"\n") else { break };
        let text = std::str::from_utf8(text).unwrap();
        let Some((_, number)) = text.split_once("made ") else { continue };
        acknowledged.push(number.parse::<usize>().unwrap());
        if acknowledged.len() == after {
            // SIGKILL; what it still wrote before is read on.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

#[tokio::test]
async fn every_acknowledged_commit_outlives_a_kill() {
    let place = Place::new();
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let before = acknowledged.len();
        acknowledged.extend(killed("kill::insert_until_killed", place.file(), 50 + 37 * round));
        assert!(acknowledged.len() > before + 40, "round {round}: the child did not work");

        let store = place.open().await;
        for &number in &acknowledged {
            let loaded = store.load(&[uid(number), uid(number + 1)]).await.unwrap();
            for (loaded, number) in loaded.into_iter().zip(number..) {
                let loaded = loaded.unwrap_or_else(|| panic!("{number} was lost, round {round}"));
                assert_eq!(loaded.record, record(number));
            }
        }
        // Nothing half: records come in pairs, and the index has them all.
        let report = store.check().await.unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
        assert!(report.records >= 2 * acknowledged.len() as u64);
        assert_eq!(report.records % 2, 0);
        store.close().await.unwrap();
    }
}
