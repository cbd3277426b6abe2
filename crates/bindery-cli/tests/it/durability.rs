//! What was acknowledged is there, however the server ended.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::support::{Server, folder, run, wait_for};

/// How many creates are acknowledged before the signal.
const ACKNOWLEDGED: usize = 12;
const CLIENTS: usize = 4;

/// Lets clients create keys, ends the server in the middle of it by a signal, starts it again, and
/// looks for every key that was acknowledged. Gives how the server ended.
fn creates_and(signal: &str) -> Option<i32> {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let (acknowledged, count) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let over = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        // The clients end also when this fails.
        let _end = End(&over);
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    if let Some(uid) = create(path) {
                        acknowledged.lock().unwrap().push(uid);
                        count.fetch_add(1, Relaxed);
                    }
                }
            });
        }
        wait_for("acknowledged keys", || (count.load(Relaxed) >= ACKNOWLEDGED).then_some(()));
        server.signal(signal);
        server.wait()
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= ACKNOWLEDGED, "{acknowledged:?}");
    let _server = Server::dev(path);
    for uid in &acknowledged {
        let json = run(path, &format!("kmip get {uid} --by id -o json")).exits(0).json();
        assert_eq!(json["hidden_octets"], 32, "{uid}");
    }
    let found = run(path, "kmip locate -o json").exits(0).json();
    assert!(found["unique_identifiers"].as_array().unwrap().len() >= acknowledged.len());
    ended.code()
}

/// Says that it is over when it goes.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// One create by a client of its own; `None` if it was not acknowledged.
fn create(path: &Path) -> Option<String> {
    let ran = run(path, "kmip create -o json");
    if ran.code != 0 {
        return None;
    }
    ran.json()["unique_identifier"].as_str().map(str::to_owned)
}

#[test]
fn a_server_that_is_killed_has_everything_that_it_acknowledged() {
    assert_eq!(creates_and("KILL"), None);
}

#[test]
fn a_server_that_is_told_to_stop_finishes_and_has_everything() {
    assert_eq!(creates_and("TERM"), Some(0));
}

#[test]
fn a_server_that_is_interrupted_stops_in_order() {
    let folder = folder();
    let server = Server::dev(folder.path());
    server.signal("HUP");
    thread::sleep(Duration::from_millis(100));
    run(folder.path(), "kmip query").exits(0);
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(0));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("SIGHUP"), "{log}");
}
