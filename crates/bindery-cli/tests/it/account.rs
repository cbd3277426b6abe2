//! `bindery account`.

use std::fs;

use serde_json::json;

use crate::support::{file, folder, run, run_with_input};

#[test]
fn accounts_are_made_changed_listed_and_removed() {
    let folder = folder();
    let path = folder.path();
    file(path, "alice.password", "correct horse\nnot this\n");
    let set = "account set alice --password-file alice.password --accounts accounts.toml -o json";
    assert_eq!(run(path, set).exits(0).json()["new"], true);
    let first = fs::read_to_string(path.join("accounts.toml")).unwrap();
    assert!(first.contains("$argon2id$") && !first.contains("correct horse"), "{first}");
    assert_eq!(run(path, set).exits(0).json()["new"], false);
    assert_ne!(fs::read_to_string(path.join("accounts.toml")).unwrap(), first, "another salt");
    let line = "account set bob --password-file - --accounts accounts.toml \
                --scheme digest-sha256,digest-md5 --realm devices --principal CN=bob";
    run_with_input(path, line, b"tr0ub4dor\n").exits(0);
    let listed = run(path, "account list --accounts accounts.toml -o json").exits(0).json();
    let expected = json!([
        { "user": "alice", "principal": "alice", "schemes": ["Basic"] },
        { "user": "bob", "principal": "CN=bob",
          "schemes": ["Digest SHA-256 in devices", "Digest MD5 in devices"] },
    ]);
    assert_eq!(listed, expected);
    // bob:devices:tr0ub4dor, as md5sum and sha256sum have it.
    let written = fs::read_to_string(path.join("accounts.toml")).unwrap();
    for secret in [
        "17fddf87cb0a3a57836077209ea44e6f",
        "7ba36f5c8b8f54c963243f6ffb3d9f0a9d3abfd8cc9f2403571911e20e82db83",
    ] {
        assert!(written.contains(secret), "{written}");
    }
    run(path, "account remove alice --accounts accounts.toml").exits(0);
    let error = run(path, "account remove alice --accounts accounts.toml -o json").exits(2).error();
    assert!(error["hint"].as_str().unwrap().contains("bob"), "{error}");
}

/// One scheme after the other: what the password proves stays, what another one proved does not.
#[test]
fn a_scheme_is_added_to_those_that_are_there() {
    let folder = folder();
    let path = folder.path();
    let set = |scheme: &str, password: &[u8]| {
        let line =
            format!("account set alice --password-file - --accounts a.toml {scheme} -o json");
        run_with_input(path, &line, password).exits(0)
    };
    let schemes = |ran: &crate::support::Ran| ran.json()["schemes"].clone();
    let first = set("--scheme digest-sha256", b"correct horse");
    assert_eq!(schemes(&first), json!(["Digest SHA-256 in bindery"]));
    let second = set("--scheme digest-md5", b"correct horse");
    assert_eq!(schemes(&second), json!(["Digest MD5 in bindery", "Digest SHA-256 in bindery"]));
    let third = set("", b"correct horse");
    let all = json!(["Basic", "Digest MD5 in bindery", "Digest SHA-256 in bindery"]);
    assert_eq!(schemes(&third), all);
    assert_eq!(schemes(&set("--scheme digest-md5", b"correct horse")), all);
    let changed = set("--scheme digest-sha256", b"another");
    assert_eq!(schemes(&changed), json!(["Digest SHA-256 in bindery"]));
    assert!(changed.stderr.contains("Basic, Digest MD5 in bindery"), "{}", changed.stderr);
    // Whoever has Basic alone is told what that is not good for.
    let line = "account set bob --password-file - --accounts b.toml";
    let bob = run_with_input(path, line, b"correct horse").exits(0);
    assert!(bob.stderr.contains("--scheme digest-sha256"), "{}", bob.stderr);
    assert!(bob.text().contains("proved by Basic"), "{}", bob.text());
}

/// A proxy that asks for Digest refuses accounts that could never pass, and says what makes them.
#[test]
fn a_proxy_says_which_accounts_could_never_pass() {
    let folder = folder();
    let path = folder.path();
    let line = "account set bob --password-file - --accounts b.toml";
    run_with_input(path, line, b"correct horse").exits(0);
    let start = "proxy --listen 127.0.0.1:0 --accounts b.toml -o json";
    let error = run(path, start).exits(10).error();
    assert!(error["message"].as_str().unwrap().contains("no secret for it: bob"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--scheme digest-sha256"), "{error}");
    let line = "account set alice --password-file - --accounts b.toml --scheme digest-sha256";
    run_with_input(path, line, b"correct horse").exits(0);
    let proxy = crate::support::Server::start(path, start);
    assert!(proxy.stop().success());
    let log = fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("no secret for it: bob"), "{log}");
}

#[test]
fn hints_are_of_the_file_of_accounts() {
    let folder = folder();
    let path = folder.path();
    file(path, "bad.toml", "[account.a]\ncolour = 1\n");
    file(path, "good", "secret\n");
    for line in [
        "account list --accounts bad.toml",
        "proxy --listen 127.0.0.1:0 --accounts bad.toml",
        "proxy --listen 127.0.0.1:0 --accounts none.toml",
    ] {
        let ran = run(path, &format!("{line} -o json"));
        let hint = ran.error()["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("account set") && !hint.contains("config init"), "{line}: {hint}");
    }
    let error = run(path, "account set a --password-file good -o json").exits(2).error();
    assert!(error["hint"].as_str().unwrap().contains("--accounts"), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let path = folder.path();
    run_with_input(path, "account set a --password-file - --accounts a.toml", b"x\n").exits(0);
    let mode = fs::metadata(path.join("a.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_cannot_be_an_account_is_refused_and_nothing_changes() {
    let folder = folder();
    let path = folder.path();
    file(path, "empty", "\n");
    file(path, "latin", [0xe4, b'\n']);
    file(path, "long", vec![b'x'; 1025]);
    file(path, "good", "secret\n");
    for (line, said) in [
        ("account set a:b --password-file good --accounts a.toml", "no user name"),
        ("account set a --password-file empty --accounts a.toml", "empty"),
        ("account set a --password-file latin --accounts a.toml", "not UTF-8"),
        ("account set a --password-file long --accounts a.toml", "more than 1024"),
        ("account set a --password-file none --accounts a.toml", "none"),
        ("account set a --password-file good", "bindery.toml"),
    ] {
        let error = run(path, &format!("{line} -o json")).exits(2).error();
        assert!(error["message"].as_str().unwrap().contains(said), "{line}: {error}");
    }
    assert!(!path.join("a.toml").exists());
}
