//! What the program shows of sessions of device management.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Server, file, folder, run};

const PASSWORD: &str = "the device's password";

#[test]
fn the_first_message_is_shown_and_not_sent() {
    let folder = folder();
    let path = folder.path();
    file(path, "password", PASSWORD);
    // Nobody listens there, so nothing can be sent.
    let verb = "omadm simulate --url http://127.0.0.1:1/dm --device urn:x:1 --xml";
    let shown = run(path, &format!("{verb} --dry-run")).exits(0);
    let text = shown.text();
    assert!(text.starts_with("POST /dm HTTP/1.1\n"), "{text}");
    assert!(text.contains("content-type: application/vnd.syncml.dm+xml"), "{text}");
    assert!(text.contains("\"1201\"  -- Client-initiated management"), "{text}");
    assert!(text.contains("urn:x:1"), "{text}");
    let json = run(path, &format!("{verb} --dry-run -o json")).exits(0).json();
    assert_eq!(json["method"], "POST");
    assert!(json["body"].to_string().contains("./DevInfo/DevId"), "{json}");
    let curl = run(path, &format!("{verb} --curl")).exits(0);
    assert!(curl.text().contains("| curl ") && curl.text().contains("http://127.0.0.1:1/dm"));
    // A password goes nowhere unasked.
    let with = format!("{verb} --auth basic --client-password-file password");
    let hidden = run(path, &format!("{with} --dry-run")).exits(0);
    assert!(!hidden.text().contains("dXJuOng6MTp0aGU"), "{}", hidden.text());
    assert!(run(path, &format!("{with} --curl")).exits(2).stderr.contains("--show-secrets"));
    let asked = run(path, &format!("{with} --dry-run --show-secrets")).exits(0);
    assert!(asked.text().contains("dXJuOng6MTp0aGU"), "base64 of name and password");
    run(path, &format!("{verb} --dry-run --devices 2")).exits(2);
}

#[test]
fn a_session_is_told_while_it_runs_and_can_be_looked_at_later() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let verb = "omadm simulate --context dev --device urn:x:7";
    run(path, verb).exits(0);
    run(path, "omadm queue urn:x:7 get ./DevDetail/SwV --data .bindery-dev").exits(0);
    // One that was there, for everybody to read.
    let before = file(path, "capture", "old");
    std::fs::set_permissions(&before, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = run(path, &format!("{verb} -v --capture capture -o json")).exits(0);
    assert_eq!(told.json()["commands_done"], 1);
    for expected in ["> POST ", "< 200 OK", "./DevDetail/SwV", "WBXML 1.2"] {
        assert!(told.stderr.contains(expected), "{expected}: {}", told.stderr);
    }
    let capture = path.join("capture");
    let mode = std::fs::metadata(&capture).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "it may hold credentials");
    let shown = run(path, "decode capture").exits(0);
    let heads = shown.text().lines().filter(|line| line.starts_with(['<', '>'])).count();
    assert!(heads >= 4, "a line for each message: {}", shown.text());
    assert!(shown.text().contains("./DevDetail/SwV") && shown.text().contains("urn:x:7"));
    assert!(shown.text().contains("200\"  -- OK"), "{}", shown.text());
    let json = run(path, "decode capture -o json").exits(0).json();
    assert_eq!(json.as_array().unwrap().len(), heads);
    assert_eq!((&json[0]["from"], &json[1]["from"]), (&"device".into(), &"server".into()));
    assert!(json[1]["body"].to_string().contains("SyncHdr"));
    let text = std::fs::read_to_string(&capture).unwrap();
    file(path, "broken", text + "{\"at\": 1}\n");
    let error = run(path, "decode broken").exits(5).stderr;
    assert!(error.contains(&format!("line {}", heads + 2)), "{error}");
    run(path, &format!("{verb} --capture no/such/folder")).exits(2);
}

#[test]
fn several_devices_are_named_at_once() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    run(path, "omadm simulate --context dev --device urn:y --devices 3").exits(0);
    run(path, "omadm simulate --context dev --device urn:z").exits(0);
    let queued = "omadm queue urn:y:* get ./DevInfo/Man --data .bindery-dev -o json";
    let json = run(path, queued).exits(0).json();
    assert_eq!(json.as_array().unwrap().len(), 3, "{json}");
    let listed = run(path, "omadm queue urn:* --data .bindery-dev -o json").exits(0).json();
    let devices: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["device"]).collect();
    assert_eq!(devices, ["urn:y:1", "urn:y:2", "urn:y:3"]);
    run(path, "omadm simulate --context dev --device urn:y --devices 3").exits(0);
    let results = run(path, "omadm results urn:y:* --data .bindery-dev -o json").exits(0).json();
    let found = results.as_array().unwrap().iter().filter(|one| one["uri"] == "./DevInfo/Man");
    // Once told by the device itself, once asked for.
    assert_eq!(found.filter(|one| one["kind"] == "results").count(), 3, "{results}");
    let none = run(path, "omadm queue urn:none:* --data .bindery-dev").exits(1);
    assert!(none.stderr.contains("begins with"), "{}", none.stderr);
}
