//! Where settings come from, seen by what would be sent.

use std::path::Path;

use crate::{
    messages::octets,
    support::{bindery, closed_port, file, folder, run, run_with_input},
};

const CONTEXTS: &str = "\
default = \"one\"
[context.one]
url = \"https://one.example/kmip\"
cacert = \"one.pem\"
[context.two]
url = \"https://two.example/kmip\"
";

/// The URL that a command line comes to.
fn url(folder: &Path, variables: &[(&str, &str)], line: &str) -> String {
    let mut command = bindery(folder);
    command.args(["kmip", "query", "--dry-run", "-o", "json"]).args(line.split_whitespace());
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    json["url"].as_str().unwrap().to_owned()
}

#[test]
fn an_option_beats_its_variable_which_beats_the_context_which_beats_the_file() {
    let folder = folder();
    let path = folder.path();
    file(path, "contexts", CONTEXTS);
    file(path, "bindery.toml", "[client]\nurl = \"https://file.example/kmip\"\n");
    let variable = ("BINDERY_URL", "https://variable.example/kmip");
    let contexts = ("BINDERY_CONTEXT_FILE", "contexts");
    let config = ("BINDERY_CONFIG", "bindery.toml");
    let all = [variable, contexts, config];
    let option = "--url https://option.example/kmip";
    assert_eq!(url(path, &all, option), "https://option.example/kmip");
    assert_eq!(url(path, &all, ""), "https://variable.example/kmip");
    assert_eq!(url(path, &[contexts, config], ""), "https://one.example/kmip");
    assert_eq!(url(path, &[contexts, config], "--context two"), "https://two.example/kmip");
    let named = [contexts, ("BINDERY_CONTEXT", "two")];
    assert_eq!(url(path, &named, ""), "https://two.example/kmip");
    assert_eq!(url(path, &[config], ""), "https://file.example/kmip");
}

#[test]
fn a_context_is_found_in_the_directory_and_in_the_user_s_own() {
    let folder = folder();
    let path = folder.path();
    std::fs::create_dir_all(path.join(".config/bindery")).unwrap();
    file(path, ".config/bindery/contexts.toml", CONTEXTS.replace("one.", "user."));
    assert_eq!(url(path, &[], ""), "https://user.example/kmip");
    std::fs::create_dir(path.join(".bindery-dev")).unwrap();
    file(path, ".bindery-dev/contexts.toml", CONTEXTS);
    assert_eq!(url(path, &[], ""), "https://one.example/kmip");
    let unknown = run(path, "kmip query --context three -o json").exits(2).error();
    assert!(unknown["message"].as_str().unwrap().contains("known: one, two"), "{unknown}");
}

#[cfg(unix)]
#[test]
fn a_context_that_others_can_write_is_not_used_by_itself() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    let folder = folder();
    let path = folder.path();
    std::fs::create_dir(path.join(".bindery-dev")).unwrap();
    let contexts = file(path, ".bindery-dev/contexts.toml", CONTEXTS);
    std::fs::set_permissions(&contexts, Permissions::from_mode(0o666)).unwrap();
    let ran = run(path, "kmip query --dry-run").exits(2);
    assert!(ran.stderr.contains("can be written by others"), "{}", ran.stderr);
    let named = "--context-file .bindery-dev/contexts.toml";
    assert_eq!(url(path, &[], named), "https://one.example/kmip");
}

#[test]
fn nothing_to_talk_to_is_a_usage_error() {
    let folder = folder();
    let none = run(folder.path(), "kmip query -o json").exits(2).error();
    assert!(none["hint"].as_str().unwrap().contains("--url"), "{none}");
    for url in ["ftp://a/", "https://u:p@h/", "nonsense", "http://127.0.0.1:1/kmip"] {
        run(folder.path(), &format!("kmip query --insecure --url {url}")).exits(2);
    }
    let roots = "kmip query --url https://127.0.0.1:1/kmip -o json";
    let error = run(folder.path(), roots).exits(2).error();
    assert_eq!(error["layer"], "tls");
    assert!(error["hint"].as_str().unwrap().contains("--cacert"), "{error}");
    let halves = "kmip query --insecure --url https://127.0.0.1:1/ --cert x.pem";
    assert!(run(folder.path(), halves).exits(2).stderr.contains("--key"));
}

#[test]
fn a_refused_connection_exits_with_3() {
    let folder = folder();
    let line =
        format!("kmip query --insecure --url https://127.0.0.1:{}/kmip -o json", closed_port());
    let ran = run(folder.path(), &line).exits(3);
    assert!(ran.stderr.contains("warning: --insecure"), "{}", ran.stderr);
    let error = ran.error();
    assert_eq!(error["code"], 3);
    assert_eq!(error["layer"], "tcp");
    assert!(!error["hint"].as_str().unwrap().is_empty());
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let folder = folder();
    let path = folder.path();
    let line = "kmip create --name disk-1 --dry-run --url https://h.example:5696/kmip";
    let text = run(path, line).exits(0);
    for expected in [
        "POST /kmip HTTP/1.1",
        "host: h.example:5696",
        "content-type: application/octet-stream",
        "cache-control: no-cache",
        "content-length: ",
        "\"disk-1\"",
        "AES (0x00000003)",
    ] {
        assert!(text.text().contains(expected), "{expected}\n{}", text.text());
    }
    let json = run(path, &format!("{line} -o json")).exits(0).json();
    let raw = run(path, &format!("{line} -o raw")).exits(0);
    assert_eq!(json["body_octets"], raw.stdout.len());
    assert_eq!(json["body"][0]["name"], "RequestMessage");
    let hex = run(path, &format!("{line} -o hex")).exits(0);
    assert_eq!(octets(hex.text()), raw.stdout);
    run_with_input(path, "decode -", &raw.stdout).exits(0);
}

#[test]
fn a_curl_command_holds_the_same_octets() {
    let folder = folder();
    let path = folder.path();
    let line =
        "kmip query --url https://h.example:5696/kmip --cacert ca.pem --cert c.pem --key c.key";
    let curl = run(path, &format!("{line} --curl")).exits(0);
    for expected in ["--cacert ca.pem", "--cert c.pem", "--key c.key", "--data-binary @-"] {
        assert!(curl.text().contains(expected), "{expected}\n{}", curl.text());
    }
    assert!(curl.text().contains("content-type: application/octet-stream"));
    let raw = run(path, &format!("{line} --dry-run -o raw")).exits(0);
    // The shell's own printf makes the octets again.
    let printf = curl.text().split(" | ").next().unwrap();
    let made = std::process::Command::new("sh").args(["-c", printf]).output().unwrap();
    assert_eq!(made.stdout, raw.stdout);
}

#[test]
fn a_request_with_a_key_in_it_is_shown_only_when_asked_for() {
    let folder = folder();
    let path = folder.path();
    file(path, "key", octets("00112233445566778899aabbccddeeff"));
    let line = "kmip register --type symmetric-key --alg aes key --url https://h.example/kmip";
    let hidden = run(path, &format!("{line} --dry-run")).exits(0);
    assert!(!hidden.text().contains("00112233"), "{}", hidden.text());
    assert!(hidden.text().contains("hidden, 16 bytes"), "{}", hidden.text());
    for more in ["--dry-run -o raw", "--dry-run -o hex", "--curl"] {
        let refused = run(path, &format!("{line} {more}")).exits(2);
        assert!(refused.stdout.is_empty(), "{more}");
    }
    let shown = run(path, &format!("{line} --dry-run --show-secrets")).exits(0);
    assert!(shown.text().contains("00112233"), "{}", shown.text());
    run(path, &format!("{line} --curl --show-secrets")).exits(0);
}
