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
    file(path, "password", PASSWORD);
    let with = "--client-password-file password";
    run(path, &format!("omadm devices --register urn:x:7 {with} --data .bindery-dev")).exits(0);
    let verb = format!("omadm simulate --context dev --device urn:x:7 {with}");
    run(path, &verb).exits(0);
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
    // What proves whose session it is, and what the next proof is made with, is shown to who asks.
    let all = run(path, "decode capture -o json --show-secrets").exits(0).json();
    let secrets = ["RespURI", "NextNonce"].map(|name| values(&all, name));
    assert!(secrets.iter().all(|found| !found.is_empty()), "{secrets:?}");
    for secret in secrets.iter().flatten() {
        let secret = secret.rsplit('?').next().unwrap();
        for (told, place) in [
            (told.stderr.as_str(), "-v"),
            (text.as_str(), "the capture"),
            (shown.text(), "decode"),
            (json.to_string().as_str(), "decode -o json"),
        ] {
            assert!(!told.contains(secret), "{place}: {secret}: {told}");
        }
    }
    file(path, "broken", text + "{\"at\": 1}\n");
    let error = run(path, "decode broken").exits(5).stderr;
    assert!(error.contains(&format!("line {}", heads + 2)), "{error}");
    run(path, &format!("{verb} --capture no/such/folder")).exits(2);
}

/// The texts of all elements of a name, in what `decode -o json` says.
fn values(json: &serde_json::Value, name: &str) -> Vec<String> {
    let inner = |all: &[serde_json::Value]| all.iter().flat_map(|one| values(one, name)).collect();
    match json {
        serde_json::Value::Array(all) => inner(all),
        serde_json::Value::Object(members) if json["name"] == name => {
            let texts = members["items"].as_array().unwrap().iter();
            texts.filter_map(|one| one["value"].as_str().map(str::to_owned)).collect()
        }
        serde_json::Value::Object(members) => {
            members.values().flat_map(|one| values(one, name)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_device_that_has_a_command_keeps_it_from_no_other_one() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    run(path, "omadm simulate --context dev --device urn:y --devices 3").exits(0);
    let queue = |device: &str| {
        let line =
            format!("omadm queue {device} get ./DevInfo/Man --dedup-key man --data .bindery-dev");
        run(path, &line)
    };
    queue("urn:y:2").exits(0);
    let told = queue("urn:y:* -o json").exits(0).json();
    let (mut queued, mut not) = (Vec::new(), Vec::new());
    for one in told.as_array().unwrap() {
        let device = one["device"].as_str().unwrap().to_owned();
        if one["command"].is_string() { queued.push(device) } else { not.push(device) }
    }
    assert_eq!((queued, not), (vec!["urn:y:1".into(), "urn:y:3".into()], vec!["urn:y:2".into()]));
    let text = queue("urn:y:*").exits(0).text().to_owned();
    assert!(text.starts_with("queued for 0 devices, and not for 3\n"), "{text}");
    assert!(text.contains("urn:y:1: not queued: the command"), "{text}");
    // One that is named alone is told as it was.
    assert!(queue("urn:y:1").exits(1).stderr.contains("try again"));
    let table = run(path, "omadm queue urn:y:* --data .bindery-dev").exits(0);
    for said in ["DEVICE", "ATTEMPTS", "urn:y:1", "urn:y:3"] {
        assert!(table.text().contains(said), "{said}: {}", table.text());
    }
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
