//! A fleet of devices, whose server is killed in the middle.
//!
//! `BINDERY_FLEET=10000 cargo test --release -p bindery-cli --test it fleet -- --nocapture` runs it with
//! more devices than the sixty that continuous integration has, and prints what it saw.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::support::{Server, bindery, folder, run, wait_for};

/// What stands before the number of each device.
const FLEET: &str = "urn:bindery:device:";

fn devices() -> usize {
    std::env::var("BINDERY_FLEET").ok().and_then(|number| number.parse().ok()).unwrap_or(60)
}

/// The fleet in the background.
fn fleet(folder: &Path, devices: usize, parallel: usize) -> Child {
    let mut command = bindery(folder);
    let line = format!("omadm simulate --devices {devices} --parallel {parallel} -o json");
    command.args(line.split_whitespace()).stdout(Stdio::piped());
    command.spawn().expect("the program runs")
}

/// The commands of all devices.
fn commands(folder: &Path) -> Vec<Value> {
    let line = format!("omadm queue {FLEET}* --all --data .bindery-dev -o json");
    run(folder, &line).exits(0).json().as_array().unwrap().clone()
}

fn acknowledged(commands: &[Value]) -> usize {
    commands.iter().filter(|one| one["state"] == "acknowledged").count()
}

#[test]
fn a_server_that_is_killed_loses_no_command_and_does_none_twice() {
    let (folder, devices) = (folder(), devices());
    let path = folder.path();
    let server = Server::dev(path);
    let (_, port) = server.service("omadm").rsplit_once(':').expect("a port");
    let port = port.split('/').next().unwrap().to_owned();
    // They make themselves known, and get something to do.
    let line = format!("omadm simulate --devices {devices} --parallel 16 -o json");
    assert_eq!(run(path, &line).exits(0).json()["complete"], devices);
    for command in ["get ./DevDetail/SwV", "add ./Mark 1", "get ./DevInfo?list=StructData"] {
        let line = format!("omadm queue {FLEET}* {command} --data .bindery-dev");
        run(path, &line).exits(0);
    }
    let parallel = if devices > 1_000 { 64 } else { 2 };
    let fleet = fleet(path, devices, parallel);
    wait_for("answers", || (acknowledged(&commands(path)) > 0).then_some(()));
    server.signal("KILL");
    assert_eq!(server.wait().code(), None, "it was killed");
    let before = commands(path);
    let done = acknowledged(&before);
    assert!(done < 3 * devices, "the fleet was faster than the signal");
    // The devices meet nobody for a moment.
    std::thread::sleep(Duration::from_millis(300));
    let line = format!("dev --listen 127.0.0.1:{port} --admin 127.0.0.1:0 -o json");
    let server = Server::start(path, &line);
    let ended = fleet.wait_with_output().expect("the fleet ends");
    let summary: Value = serde_json::from_slice(&ended.stdout).expect("a summary");
    assert_eq!(summary["complete"], devices, "{summary}");
    assert!(summary["resent"].as_u64().unwrap() > 0, "nothing was sent again: {summary}");
    judge(path, devices, &before);
    let line = format!("{devices} devices, {done} of {} commands before the end", 3 * devices);
    println!("{line}; then {summary}");
    assert_eq!(server.stop().code(), Some(0));
}

/// Every command was done, and done once; what was acknowledged before still is.
fn judge(path: &Path, devices: usize, before: &[Value]) {
    let after = commands(path);
    assert_eq!((after.len(), acknowledged(&after)), (3 * devices, 3 * devices));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["command"], after["command"]);
        if before["state"] == "acknowledged" {
            assert_eq!(before, after, "an acknowledgement was lost, or came twice");
        }
        assert_eq!(after["attempts"], 1, "{after}");
        // An Add that came twice would find the node.
        assert_eq!(after["status"], "200 (OK)", "{after}");
    }
    let line = format!("omadm results {FLEET}* --data .bindery-dev -o json");
    let results = run(path, &line).exits(0).json();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in results.as_array().unwrap() {
        if let Some(command) = one["command"].as_str() {
            *counts.entry((command, one["kind"].as_str().unwrap())).or_default() += 1;
        }
    }
    for command in &after {
        let (id, what) = (command["command"].as_str().unwrap(), command["what"].as_str().unwrap());
        let count = |kind| counts.get(&(id, kind)).copied().unwrap_or(0);
        assert_eq!(count("status"), 1, "one status for {command}");
        // One value, or DevInfo with the five that are in it.
        let (found, right) = (count("results"), if what == "Get" { &[1, 6][..] } else { &[0] });
        assert!(right.contains(&found), "{found} results for {command}");
    }
}
