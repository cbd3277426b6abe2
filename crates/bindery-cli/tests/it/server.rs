//! `bindery dev` and the `kmip` verbs against it, and the demonstration.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    messages::{QUERY, octets},
    support::{Ran, Server, bindery, file, folder, run, run_with_input, wait_for},
};

/// Runs a KMIP verb and reads its JSON.
#[track_caller]
fn verb(folder: &Path, line: &str) -> serde_json::Value {
    kmip(folder, line).exits(0).json()
}

fn kmip(folder: &Path, line: &str) -> Ran {
    run(folder, &format!("kmip {line} -o json"))
}

fn uid(json: &serde_json::Value) -> String {
    json["unique_identifier"].as_str().expect("a Unique Identifier").to_owned()
}

#[test]
fn the_demonstration_succeeds() {
    let folder = folder();
    let json = run(folder.path(), "demo -o json").exits(0).json();
    assert_eq!(json["failed"], 0, "{json}");
    let names: Vec<&str> =
        json["steps"].as_array().unwrap().iter().filter_map(|step| step["name"].as_str()).collect();
    for name in [
        "query",
        "discover versions",
        "create an AES-256 key",
        "get it, twice",
        "destroy",
        "batch with an error inside",
        "client without certificate: refused",
        "wrong content type: refused",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // It leaves nothing behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_demonstration_leaves_nothing_behind_when_it_is_told_to_stop() {
    for signal in ["INT", "TERM"] {
        let folder = folder();
        let mut command = bindery(folder.path());
        command.args(["demo", "-o", "json"]).env("TMPDIR", folder.path());
        let mut demo = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let left = || std::fs::read_dir(folder.path()).unwrap().count();
        wait_for("directory", || (left() > 0).then_some(()));
        let id = demo.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.unwrap().success());
        let status = wait_for("end", || demo.try_wait().unwrap());
        // It may have been done by then; but a signal did not end it.
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        assert_eq!(left(), 0, "{signal}");
    }
}

#[test]
fn the_demonstration_shows_messages_and_octets_but_no_key() {
    let folder = folder();
    let ran = run(folder.path(), "demo -vv").exits(0);
    let text = ran.text();
    for expected in [
        "KeyMaterial (Byte String): (hidden, 32 bytes)",
        "> POST /kmip",
        "< 200 OK",
        " ** **",
        "000000  42 00 78",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    let shown = run(folder.path(), "demo -v --show-secrets").exits(0);
    assert!(!shown.text().contains("hidden, 32 bytes"));
}

#[test]
fn an_object_s_life_by_name() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path.join("").as_path());
    let created = verb(path, "create --alg aes --length 256 --name disk-1 -a x-purpose=backup");
    assert_eq!(created["object_type"], "SymmetricKey");
    let id = uid(&created);
    assert_eq!(verb(path, "locate --name disk-1")["unique_identifiers"], serde_json::json!([id]));
    let found = verb(path, "locate --alg aes --length 256 --state pre-active -a x-purpose=backup");
    assert_eq!(found["unique_identifiers"], serde_json::json!([id]));
    assert_eq!(verb(path, "locate --state active")["unique_identifiers"], serde_json::json!([]));
    let hidden = verb(path, "get disk-1");
    assert_eq!(hidden["key_bits"], 256);
    assert_eq!(hidden["hidden_octets"], 32);
    assert_eq!(hidden["value"], serde_json::Value::Null);
    let key = verb(path, "get disk-1 --show-secrets")["value"].as_str().unwrap().to_owned();
    assert_eq!(key.len(), 64);
    assert_eq!(verb(path, &format!("get {id} --show-secrets"))["value"], key.as_str());
    let raw = run(path, "kmip get disk-1 -o raw --show-secrets").exits(0);
    assert_eq!(raw.stdout, octets(&key));
    assert!(run(path, "kmip get disk-1 -o raw").exits(2).stdout.is_empty());
    let attributes = verb(path, "get-attributes disk-1 -a State -a x-purpose");
    let values: Vec<&str> = attributes["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|attribute| attribute["value"].as_str())
        .collect();
    assert_eq!(values, ["PreActive", "backup"], "{attributes}");
    let names = verb(path, "get-attribute-list disk-1");
    assert!(names["attribute_names"].as_array().unwrap().contains(&"x-purpose".into()));
    assert_eq!(verb(path, "activate disk-1")["result"], "activated");
    let refused = kmip(path, "destroy disk-1").exits(4).error();
    assert_eq!(refused["result_reason"], "PermissionDenied");
    assert_eq!(refused["layer"], "profile");
    assert_eq!(verb(path, "revoke disk-1 --reason key-compromise")["result"], "revoked");
    let state = verb(path, "get-attributes disk-1 -a State");
    assert_eq!(state["attributes"][0]["value"], "Compromised");
    assert_eq!(verb(path, "destroy disk-1")["result"], "destroyed");
    let gone = kmip(path, &format!("get {id}")).exits(1).error();
    assert_eq!(gone["result_reason"], "ItemNotFound");
    assert!(server.stop().success());
}

#[test]
fn registered_objects_come_back_as_they_were() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let key = octets("000102030405060708090a0b0c0d0e0f");
    file(path, "secret", &key);
    for (name, options) in [
        ("k", "--type symmetric-key --alg aes"),
        ("s", "--type secret-data"),
        ("o", "--type opaque-object"),
    ] {
        verb(path, &format!("register secret --name {name} {options}"));
        let back = run(path, &format!("kmip get {name} -o raw --show-secrets")).exits(0);
        assert_eq!(back.stdout, key, "{name}");
    }
    verb(path, "register .bindery-dev/client.pem --type certificate --name c");
    let der = run(path, "kmip get c -o raw").exits(0).stdout;
    assert_eq!(der.first(), Some(&0x30));
    let key = "register .bindery-dev/client.key --type private-key --alg ec --length 256 --name p";
    verb(path, key);
    assert_eq!(verb(path, "get p")["key_format_type"], "PKCS_8");
    let wrong = "register .bindery-dev/client.pem --type private-key --alg ec --length 256";
    kmip(path, wrong).exits(2);
}

#[test]
fn a_name_that_stands_for_several_objects_is_told() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let ids = [uid(&verb(path, "create --group g")), uid(&verb(path, "create --group g"))];
    assert_ne!(ids[0], ids[1]);
    let named = [uid(&verb(path, "create --name twin")), uid(&verb(path, "create --name twin"))];
    let twins = kmip(path, "get twin").exits(2).error();
    assert_eq!(twins["unique_identifiers"], serde_json::json!(named));
    let unknown = kmip(path, "get nobody").exits(1).error();
    assert_eq!(unknown["result_reason"], "ItemNotFound");
    let by_name = kmip(path, "get nobody --by name").exits(1).error();
    assert!(by_name["message"].as_str().unwrap().contains("no object of yours has the name"));
    verb(path, "create --name one");
    kmip(path, "get one --by id").exits(1);
    verb(path, "get one --by name");
}

#[test]
fn what_the_server_can_do() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let query = verb(path, "query");
    assert!(query["operations"].as_array().unwrap().contains(&"Locate".into()), "{query}");
    let versions = verb(path, "discover-versions");
    let expected = serde_json::json!(["2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"]);
    assert_eq!(versions["protocol_versions"], expected);
    let one = verb(path, "discover-versions 1.2 9.9");
    assert_eq!(one["protocol_versions"], serde_json::json!(["1.2"]));
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
        verb(path, &format!("create --kmip-version {version}"));
    }
    let newer = kmip(path, "query --kmip-version 3.7").exits(1).error();
    assert_eq!(newer["layer"], "profile", "{newer}");
}

#[test]
fn raw_messages_are_sent_as_they_are() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    file(path, "query.hex", QUERY);
    let answer = run(path, "kmip raw query.hex -o json").exits(0).json();
    assert_eq!(answer["status"], 200);
    assert_eq!(answer["message"][0]["name"], "ResponseMessage");
    let answer = run(path, "kmip raw query.hex -o raw").exits(0);
    run_with_input(path, "decode -", &answer.stdout).exits(0);
    // Operation 0x17 is Validate.
    file(path, "validate.hex", QUERY.replace("0000001800000000", "0000001700000000"));
    let refused = run(path, "kmip raw validate.hex -o json").exits(1).error();
    assert_eq!(refused["result_reason"], "OperationNotSupported");
    file(path, "half.hex", "4200780100000078");
    run(path, "kmip raw half.hex").exits(5);
    file(path, "half.bin", octets("4200780100000078"));
    let half = run(path, "kmip raw --unchecked half.bin -o json").exits(1).error();
    assert_eq!((half["layer"].clone(), half["status"].clone()), ("http".into(), 400.into()));
    assert!(half["message"].as_str().unwrap().contains("offset 0"), "{half}");
}

#[test]
fn peers_that_do_not_fit_are_told_apart() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let url = server.url();
    let data = ".bindery-dev";
    let identity = format!("--cert {data}/client.pem --key {data}/client.key");
    let bare = format!("query --url {url} --cacert {data}/ca.pem");
    let anonymous = kmip(path, &bare).exits(3).error();
    assert_eq!(anonymous["layer"], "tls");
    assert!(anonymous["message"].as_str().unwrap().contains("certificate"), "{anonymous}");
    kmip(path, &format!("{bare} {identity}")).exits(0);
    // A client that trusts another authority.
    let other = folder_with_other_authority();
    let stranger = other.path().join(".bindery-dev/ca.pem");
    let strange = format!("query --url {url} --cacert {} {identity}", stranger.display());
    let error = kmip(path, &strange).exits(3).error();
    assert_eq!(error["layer"], "tls");
    let insecure = format!("{strange} --insecure");
    let ran = kmip(path, &insecure).exits(0);
    assert!(ran.stderr.contains("warning: --insecure"), "{}", ran.stderr);
    // Only one of the policy's suites, and one that the policy has not.
    let suite = "TLS_CHACHA20_POLY1305_SHA256";
    let ran = run(path, &format!("kmip query --suite {suite} -v")).exits(0);
    assert!(ran.stderr.contains(suite), "{}", ran.stderr);
    kmip(path, "query --suite TLS_RSA_WITH_AES_128_CBC_SHA").exits(2);
    // Another name than the certificate's.
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    kmip(path, &format!("query --url {elsewhere} --cacert {data}/ca.pem {identity}")).exits(3);
    let path_error =
        kmip(path, &format!("query --url {url}/none --cacert {data}/ca.pem {identity}"));
    let error = path_error.exits(1).error();
    assert_eq!((error["layer"].clone(), error["status"].clone()), ("http".into(), 404.into()));
    // TLS to a port that speaks plain HTTP.
    let clear = format!("query --insecure --url https://{}/kmip", server.admin());
    assert_eq!(kmip(path, &clear).exits(3).error()["layer"], "tls");
}

/// A directory in which `bindery dev` has made an authority of its own.
fn folder_with_other_authority() -> tempfile::TempDir {
    let folder = folder();
    assert!(Server::dev(folder.path()).stop().success());
    folder
}

#[test]
fn verbose_exchanges_are_shown_without_the_key() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    verb(path, "create --name disk-1");
    let ran = run(path, "kmip get disk-1 -vv --show-secrets -o json").exits(0);
    let key = ran.json()["value"].as_str().unwrap().to_owned();
    assert!(ran.stderr.contains(&key));
    let ran = run(path, "kmip get disk-1 -vv").exits(0);
    assert!(ran.stderr.contains("KeyMaterial (Byte String): (hidden, 32 bytes)"));
    let spaced: Vec<&str> = (0..64).step_by(2).filter_map(|at| key.get(at..at + 2)).collect();
    for shown in [&ran.stderr, ran.text()] {
        assert!(!shown.contains(&key));
        assert!(!shown.contains(&spaced.get(..8).unwrap().join(" ")));
    }
}

/// The head and body of a GET on the admin listener.
fn get(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.admin()).unwrap();
    let host = server.admin();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_admin_listener_tells_health_and_metrics() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    verb(path, "create");
    assert!(get(&server, "/livez").starts_with("HTTP/1.1 200"));
    assert!(get(&server, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&server, "/none").starts_with("HTTP/1.1 404"));
    let metrics = get(&server, "/metrics");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.contains("bindery_requests_total{status=\"200\"} 1\n"), "{metrics}");
    assert!(metrics.contains("bindery_store_commits_total 2\n"), "{metrics}");
    let created = "bindery_kmip_operations_total{operation=\"Create\",result=\"Success\"} 1\n";
    assert!(metrics.contains(created), "{metrics}");
    let health = run(path, &format!("health --admin {} -o json", server.admin())).exits(0).json();
    assert_eq!(health["ready"], true);
    let admin = server.admin().to_owned();
    assert!(server.stop().success());
    let gone = run(path, &format!("health --admin {admin} -o json")).exits(3).error();
    assert_eq!(gone["layer"], "tcp");
}

#[cfg(unix)]
#[test]
fn dev_keeps_its_data_to_itself_and_over_a_restart() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let id = uid(&verb(path, "create --name kept"));
    let authority = std::fs::read(path.join(".bindery-dev/ca.pem")).unwrap();
    let client = std::fs::read(path.join(".bindery-dev/client.pem")).unwrap();
    for name in ["ca.key", "server.key", "client.key", "bindery.kek", "bindery.db"] {
        let mode = std::fs::metadata(path.join(".bindery-dev").join(name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    assert!(server.stop().success());
    let _server = Server::dev(path);
    assert_eq!(uid(&verb(path, "get kept")), id);
    assert_eq!(std::fs::read(path.join(".bindery-dev/ca.pem")).unwrap(), authority);
    assert_eq!(std::fs::read(path.join(".bindery-dev/client.pem")).unwrap(), client);
}

#[test]
fn dev_is_refused_on_data_in_use_and_changes_nothing() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let data = path.join(".bindery-dev");
    let kept = |name: &str| std::fs::read(data.join(name)).unwrap();
    let before = ["server.pem", "contexts.toml", "bindery.lock"].map(kept);
    // An address that the certificate is not for: it would be made anew.
    let error = run(path, "dev --listen 127.0.0.2:0 -o json").exits(10).error();
    let message = error["message"].as_str().unwrap();
    let by = format!("data in use by pid {}", server.ready["pid"]);
    assert!(message.ends_with(&by), "{error}");
    assert_eq!(error["hint"], "stop it or choose another --data");
    assert_eq!(["server.pem", "contexts.toml", "bindery.lock"].map(kept), before);
    verb(path, "create --name still-there");
    // The file of a server that was killed is in nobody's way.
    server.signal("KILL");
    assert!(!server.wait().success());
    assert!(data.join("bindery.lock").exists());
    let _server = Server::dev(path);
    verb(path, "get still-there");
}

#[test]
fn dev_does_not_start_on_a_store_whose_key_is_gone() {
    let folder = folder();
    let path = folder.path();
    assert!(Server::dev(path).stop().success());
    std::fs::remove_file(path.join(".bindery-dev/bindery.kek")).unwrap();
    let ran = run(path, "dev --listen 127.0.0.1:0 -o json").exits(10);
    assert!(ran.stderr.contains("bindery.kek"), "{}", ran.stderr);
    assert!(!path.join(".bindery-dev/bindery.kek").exists());
}

#[test]
fn dev_prints_what_to_paste() {
    let folder = folder();
    let path = folder.path();
    let log = path.join("out");
    let mut command = bindery(path);
    command.args(["dev", "--listen", "127.0.0.1:0", "--ready-file", "ready"]);
    command.stdout(std::fs::File::create(&log).unwrap()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_for("ready file", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        path.join("ready").exists().then_some(())
    });
    let ready: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path.join("ready")).unwrap()).unwrap();
    assert_eq!(ready["pid"], child.id());
    let url = ready["listeners"][0]["kmip"].as_str().unwrap().to_owned();
    let text = wait_for("ready line", || {
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines().any(|line| line.starts_with("ready ")).then_some(text)
    });
    for expected in ["DO NOT USE IN PRODUCTION", "SHA-256", "CN=alice", &url] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    // The commands that it prints do what they say.
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("bindery "))
        .filter(|line| line.contains("--context"))
        .collect();
    assert_eq!(commands.len(), 3, "{text}");
    for command in commands {
        run(path, command).exits(0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
