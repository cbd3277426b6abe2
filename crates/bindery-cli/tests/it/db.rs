//! `bindery db`: what an operator does with the store, while a server runs and while none does.

use std::path::Path;

use crate::support::{Server, file, folder, run};

const DATA: &str = "--data .bindery-dev";

fn create(folder: &Path, name: &str) -> String {
    let made = run(folder, &format!("kmip create --name {name} -o json")).exits(0).json();
    made["unique_identifier"].as_str().unwrap().to_owned()
}

fn material(folder: &Path, uid: &str) -> String {
    let line = format!("kmip get {uid} --by id -o json --show-secrets");
    run(folder, &line).exits(0).json().to_string()
}

#[test]
fn a_backup_is_made_while_the_server_runs_and_put_back_after_a_loss() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let kept = create(path, "kept");
    let before = material(path, &kept);
    let json = run(path, &format!("db backup copy.db {DATA} -o json")).exits(0).json();
    assert!(json["octets"].as_u64().unwrap() > 4096, "{json}");
    let later = create(path, "later");
    let error = run(path, &format!("db backup copy.db {DATA} -o json")).exits(2).error();
    assert_eq!(error["layer"], "store");
    assert!(error["message"].as_str().unwrap().contains("never replaced"), "{error}");
    assert!(server.stop().success());

    // The store is there: it is not written over.
    run(path, &format!("db restore copy.db {DATA}")).exits(2);
    std::fs::remove_file(path.join(".bindery-dev/bindery.db")).unwrap();
    run(path, &format!("db check {DATA}")).exits(2);
    run(path, &format!("db restore copy.db {DATA}")).exits(0);
    let _server = Server::dev(path);
    assert_eq!(material(path, &kept), before);
    run(path, &format!("kmip get {later} --by id")).exits(1);
}

#[test]
fn the_key_is_changed_under_a_server_that_goes_on() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let first = create(path, "first");
    let before = material(path, &first);
    let line = format!("db rekey --new-kek-file new.kek --generate {DATA} -o json");
    let json = run(path, &line).exits(0).json();
    assert_eq!(json["kek"].as_str().unwrap().len(), 16, "{json}");
    // The server that runs has noticed nothing.
    assert_eq!(material(path, &first), before);
    let second = create(path, "second");
    assert!(server.stop().success());

    // The old key does not open the store any more; the new one does.
    let error = run(path, &format!("db check {DATA} -o json")).exits(2).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(json["kek"].as_str().unwrap()), "{message}");
    std::fs::rename(path.join("new.kek"), path.join(".bindery-dev/bindery.kek")).unwrap();
    let server = Server::dev(path);
    assert_eq!(material(path, &first), before);
    let json = run(path, &format!("db rekey --reseal {DATA} -o json")).exits(0).json();
    assert_eq!(json["resealed"], 2);
    assert_eq!(material(path, &first), before);
    material(path, &second);
    create(path, "third");
    assert!(server.stop().success());
    let json = run(path, &format!("db check {DATA} -o json")).exits(0).json();
    assert_eq!(json["records"], 3);
    let json = run(path, &format!("db stats {DATA} -o json")).exits(0).json();
    assert_eq!((&json["rows"]["object"], &json["rows"]["data_key"]), (&3.into(), &1.into()));
}

#[test]
fn rekey_without_a_new_key_changes_nothing() {
    let folder = folder();
    let path = folder.path();
    assert!(Server::dev(path).stop().success());
    let store = path.join(".bindery-dev/bindery.db");
    let before = std::fs::read(&store).unwrap();
    for (options, word) in [
        ("", "nothing to do"),
        ("--new-kek-file none.kek", "does not exist"),
        ("--new-kek-file short.kek", "holds no key"),
        ("--new-kek-env NOT_SET_ANYWHERE", "is not set"),
        ("--new-kek-file short.kek --generate", "cannot be written"),
        ("--generate", "--new-kek-file"),
    ] {
        file(path, "short.kek", "0123");
        let ran = run(path, &format!("db rekey {options} {DATA} -o json")).exits(2);
        let error = ran.error();
        assert!(error["message"].as_str().unwrap().contains(word), "{options}: {error}");
        assert_eq!(std::fs::read(&store).unwrap(), before, "{options}");
    }
}

#[test]
fn migrate_makes_a_store_and_a_dry_run_does_not() {
    let folder = folder();
    let path = folder.path();
    file(path, "bindery.toml", "[store]\nfile = \"keys.db\"\nkek_file = \"bindery.kek\"\n");
    let hex = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
    file(path, "bindery.kek", hex);
    let json = run(path, "db migrate --dry-run -o json").exits(0).json();
    let parts = json["schema"].as_array().unwrap();
    assert!(parts.len() >= 2 && parts.iter().all(|part| part["found"] == 0), "{json}");
    assert!(!path.join("keys.db").exists());
    let error = run(path, "db stats -o json").exits(2).error();
    assert!(error["hint"].as_str().unwrap().contains("bindery db migrate"), "{error}");
    assert!(!path.join("keys.db").exists());
    run(path, "db migrate").exits(0);
    let json = run(path, "db migrate --dry-run -o json").exits(0).json();
    for part in json["schema"].as_array().unwrap() {
        assert_eq!(part["found"], part["newest"], "{json}");
    }
    assert_eq!(run(path, "db stats -o json").exits(0).json()["rows"]["object"], 0);
    let text = run(path, "db check").exits(0);
    assert!(text.text().contains("sound"), "{}", text.text());
}

#[test]
fn check_tells_a_store_that_is_damaged() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    for number in 0..40 {
        create(path, &format!("key-{number}"));
    }
    assert!(server.stop().success());
    let store = path.join(".bindery-dev/bindery.db");
    let mut content = std::fs::read(&store).unwrap();
    // The pages after the first ones, which hold the schema and meta.
    let begin = content.len() / 2;
    content[begin..].fill(0xa5);
    std::fs::write(&store, content).unwrap();
    let error = run(path, &format!("db check {DATA} -o json")).exits(1).error();
    assert!(!error["problems"].as_array().unwrap().is_empty(), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("backup"), "{error}");
    run(path, &format!("db backup copy.db {DATA}")).exits(2);
    assert!(!path.join("copy.db").exists());
}

/// Two servers on one store would both push, expire and clean up: the second says who has it.
#[test]
fn a_store_has_one_server() {
    let folder = folder();
    let path = folder.path();
    let first = crate::tls::serve(path, "");
    let error = run(path, "serve --config serve.toml -o json").exits(10).error();
    let by = format!("serve.db: store in use by pid {}", first.ready["pid"]);
    assert!(error["message"].as_str().unwrap().ends_with(&by), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("stop that server first"), "{error}");
    // What may be done beside it goes on, and what may not is refused.
    run(path, "db check --config serve.toml").exits(0);
    run(path, "db migrate --dry-run --config serve.toml").exits(0);
    for verb in ["migrate", "restore none.db"] {
        let error = run(path, &format!("db {verb} --config serve.toml -o json")).exits(2).error();
        assert!(error["message"].as_str().unwrap().ends_with(&by), "{error}");
    }
    // One that is killed leaves nobody locked out.
    first.signal("KILL");
    assert!(!first.wait().success());
    let second = Server::start(path, "serve --config serve.toml -o json");
    assert!(second.stop().success());
    run(path, "db migrate --config serve.toml").exits(0);
}
