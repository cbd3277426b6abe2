//! `config init`, `config check`, and `serve` with what they are about.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Server, file, folder, run};

/// A configuration that works beside the files of `bindery dev`.
const GOOD: &str = "\
[listener.main]
address = \"127.0.0.1:0\"
certificate = \".bindery-dev/server.pem\"
key = \".bindery-dev/server.key\"
client_authorities = \".bindery-dev/ca.pem\"

[service.kmip]

[store]
file = \"serve.db\"
kek_file = \".bindery-dev/bindery.kek\"

[admin]
address = \"127.0.0.1:0\"
";

/// A directory with the certificates and keys that [`GOOD`] names.
fn prepared() -> TempDir {
    let folder = folder();
    assert!(Server::dev(folder.path()).stop().success());
    folder
}

/// What `config check` says of a configuration that is not good.
#[track_caller]
fn problems(folder: &Path, text: &str) -> String {
    file(folder, "bad.toml", text);
    let error = run(folder, "config check bad.toml -o json").exits(2).error();
    assert_eq!(error["layer"], "config", "{error}");
    for problem in error["problems"].as_array().unwrap() {
        assert_eq!(problem["file"], "bad.toml");
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
    }
    let rows = error["problems"].as_array().unwrap().iter();
    let rows = rows.map(|row| format!("{}: {}\n", row["key"], row["message"]));
    rows.collect()
}

#[test]
fn what_init_prints_is_checked_and_misses_only_its_files() {
    let folder = folder();
    let path = folder.path();
    let init = run(path, "config init").exits(0);
    let found = problems(path, init.text());
    for key in ["listener.main.certificate", "listener.main.client_authorities", "store.kek_file"] {
        assert!(found.contains(key), "{key}: {found}");
    }
    assert_eq!(found.lines().count(), 3, "{found}");
    // With the files that it names it is good as it is.
    assert!(Server::dev(path).stop().success());
    for (from, to) in [
        ("server.pem", "server.pem"),
        ("server.key", "server.key"),
        ("ca.pem", "clients-ca.pem"),
        ("bindery.kek", "bindery.kek"),
    ] {
        std::fs::copy(path.join(".bindery-dev").join(from), path.join(to)).unwrap();
    }
    file(path, "bindery.toml", &init.stdout);
    let good = run(path, "config check bindery.toml -o json").exits(0).json();
    assert_eq!(good["listeners"], serde_json::json!(["main"]));
    assert!(!path.join("bindery.db").exists(), "checking changes nothing");
}

#[test]
fn each_wrong_key_is_named() {
    let folder = prepared();
    let path = folder.path();
    file(path, "good.toml", GOOD);
    file(path, "bad.accounts", "[account.alice]\npassword = \"secret\"\n");
    run(path, "config check good.toml").exits(0);
    for (from, to, expected) in wrong_keys() {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let found = problems(path, &text);
        assert!(found.contains(expected), "{from} -> {to}: {found}");
    }
    let bare = GOOD.replacen("[service.kmip]", "protocol = \"both\"\n[service]", 1);
    assert!(problems(path, &bare).contains("listener.main.protocol"));
    let twice = GOOD.replace("127.0.0.1:0", "127.0.0.1:5696");
    assert!(problems(path, &twice).contains("admin.address"));
    assert!(problems(path, "[admin]\n").lines().count() >= 3);
}

/// What stands in [`GOOD`], what is written in its place, and what is said of it.
fn wrong_keys() -> Vec<(&'static str, &'static str, &'static str)> {
    let own = ".bindery-dev/server.pem";
    vec![
        ("[service.kmip]", "[service]", "service"),
        ("[service.kmip]", "[service.kmip]\npath = \"kmip\"", "service.kmip.path"),
        ("[service.kmip]", "[service.kmip]\nrequest_limit = 8", "service.kmip.request_limit"),
        (
            "[service.kmip]",
            "[service.kmip]\ntolerances = [\"field_order\", \"all\"]",
            "service.kmip.tolerances",
        ),
        ("[service.kmip]", "[service.kmip]\nbatch_items = 0", "service.kmip.batch_items"),
        ("[service.kmip]", "[service.surprise]", "unknown field `surprise`"),
        (
            "[service.kmip]",
            "[service.taxii.push]\nhosts = [\"inbox.example:any\"]\nclear = true\n[service.kmip]",
            "service.taxii.push.hosts",
        ),
        ("[service.kmip]", "services = [\"surprise\"]\n[service.kmip]", "unknown variant"),
        ("[service.kmip]", "client_certificates = \"some\"\n[service.kmip]", "unknown variant"),
        (own, "", "listener.main.certificate"),
        ("certificate = \".bindery-dev/server.pem\"\n", "", "listener.main.certificate"),
        ("key = \".bindery-dev/server.key\"\n", "", "listener.main.key\""),
        ("[service.kmip]", "protocol = \"dangerous-clear-http\"\n[service.kmip]", "in clear"),
        ("[admin]", "[accounts]\nfile = \"none.toml\"\n[admin]", "accounts.file"),
        ("[admin]", "[accounts]\nfile = \".bindery-dev/ca.pem\"\n[admin]", "accounts.file"),
        (
            "[admin]",
            "[accounts]\nfile = \"bad.accounts\"\n[admin]",
            "account.alice: password is no hash",
        ),
        (own, "none.pem", "listener.main.certificate"),
        (own, ".bindery-dev/server.key", "listener.main.certificate"),
        (own, ".bindery-dev/client.pem", "listener.main.certificate"),
        (".bindery-dev/server.key", "none.key", "listener.main.key\""),
        (".bindery-dev/server.key", own, "listener.main.key\""),
        (".bindery-dev/server.key", ".bindery-dev/bindery.kek", "listener.main.key\""),
        (".bindery-dev/server.key", ".bindery-dev/client.key", "does not belong"),
        (".bindery-dev/ca.pem", "none.pem", "listener.main.client_authorities"),
        ("127.0.0.1:0", "localhost", "invalid socket address"),
        ("serve.db", "no/such/serve.db", "store.file"),
        ("serve.db", ".bindery-dev", "store.file"),
        (".bindery-dev/bindery.kek", "none.kek", "store.kek_file"),
        (".bindery-dev/bindery.kek", own, "store.kek_file"),
        ("kek_file = \".bindery-dev/bindery.kek\"", "", "store.kek_file"),
        ("kek_file", "kek_env = \"X\"\nkek_file", "store.kek_env"),
        ("kek_file = \".bindery-dev/bindery.kek\"", "kek_env = \"NO_SUCH\"", "store.kek_env"),
        ("[admin]", "[log]\nlevel = \"a=b=c\"\n[admin]", "log.level"),
        ("[admin]", "[client]\nurl = \"ftp://x\"\n[admin]", "client.url"),
        ("[admin]", "[limits]\nidle = \"-1s\"\n[admin]", "limits.idle"),
        ("[admin]", "[surprise]\n[admin]", "unknown field `surprise`"),
    ]
}

/// Without authorities of its own a listener takes those of its policy, whose paths are relative to
/// the configuration's file.
#[test]
fn the_authorities_may_be_those_of_the_policy() {
    let folder = prepared();
    let path = folder.path();
    let none = GOOD.replacen("client_authorities = \".bindery-dev/ca.pem\"\n", "", 1);
    assert_ne!(none, GOOD);
    let found = problems(path, &none);
    assert!(found.contains("listener.main.client_authorities"), "{found}");
    assert!(found.contains("kmip has no trust_anchors"), "{found}");
    let policy = |file: &str| {
        let own = format!(
            "tls_policy = \"own\"\n[tls.policy.own]\nbased_on = \"kmip\"\n\
             trust_anchors = [\"{file}\"]\n[service.kmip]"
        );
        none.replacen("[service.kmip]", &own, 1)
    };
    file(path, "good.toml", policy(".bindery-dev/ca.pem"));
    run(path, "config check good.toml").exits(0);
    let found = problems(path, &policy("none.pem"));
    let key = "tls.policy.own.trust_anchors";
    assert!(found.contains(key) && found.contains("none.pem"), "{found}");
}

#[test]
fn each_wrong_key_of_tls_is_named() {
    let folder = prepared();
    for (from, to, expected) in [
        ("[service.kmip]", "tls_policy = \"x\"\n[service.kmip]", "listener.main.tls_policy"),
        ("[service.kmip]", "tls_suites = [\"X\"]\n[service.kmip]", "listener.main.tls_suites"),
        ("[service.kmip]", "tls_policy = \"kmip-1.4\"\n[service.kmip]", "CBC_SHA256 (KMIP"),
        (
            "[service.kmip]",
            "tls_versions = [\"1.3\"]\n[service.kmip]",
            "listener.main.tls_versions",
        ),
        ("[service.kmip]", "tls_groups = [\"P-256\"]\n[service.kmip]", "listener.main.tls_groups"),
        (
            "[service.kmip]",
            "proxy_protocol = [\"balancer\"]\n[service.kmip]",
            "listener.main.proxy_protocol",
        ),
        ("[service.kmip]", "crls = [\"none.crl\"]\n[service.kmip]", "listener.main.crls"),
        ("[service.kmip]", "crl_check = \"some\"\n[service.kmip]", "unknown variant"),
        (
            "[service.kmip]",
            "key_passphrase_file = \"none\"\n[service.kmip]",
            "listener.main.key_passphrase_file",
        ),
        (
            "[service.kmip]",
            "tls_policy = \"own\"\n[tls.policy.own]\nbased_on = \"x\"\n[service.kmip]",
            "TLS policy own: based_on",
        ),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let found = problems(folder.path(), &text);
        assert!(found.contains(expected), "{from} -> {to}: {found}");
    }
}

#[test]
fn a_missing_file_is_told() {
    let folder = folder();
    let ran = run(folder.path(), "config check none.toml -o json").exits(2).error();
    assert!(ran["message"].as_str().unwrap().contains("none.toml"), "{ran}");
    let ran = run(folder.path(), "serve --config none.toml -o json").exits(10).error();
    assert_eq!(ran["code"], 10);
}

#[cfg(unix)]
#[test]
fn a_private_key_that_others_can_reach_is_warned_of() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    let folder = prepared();
    let path = folder.path();
    // Two listeners with one key: one warning.
    let (head, _) = GOOD.split_once("[service.kmip]").unwrap();
    file(path, "bindery.toml", GOOD.to_owned() + &head.replace("main", "other"));
    let check = || run(path, "config check bindery.toml -o json").exits(0);
    assert_eq!(check().json()["warnings"], serde_json::json!([]));
    let key = path.join(".bindery-dev/server.key");
    for mode in [0o640, 0o604] {
        std::fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let checked = check();
        let warnings = checked.json()["warnings"].clone();
        let [warning] = warnings.as_array().unwrap().as_slice() else { panic!("{warnings}") };
        let warning = warning.as_str().unwrap();
        assert!(warning.contains("server.key"), "{warning}");
        assert!(warning.contains(&format!("mode {mode:04o}")), "{warning}");
        assert!(checked.stderr.contains("chmod 600"), "{checked:?}");
    }
    assert!(Server::start(path, "serve -o json").stop().success());
    let log = std::fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("server.key has mode 0604"), "{log}");
}

#[test]
fn serve_serves_what_the_file_says() {
    let folder = prepared();
    let path = folder.path();
    file(path, "bindery.toml", GOOD);
    let server = Server::start(path, "serve -o json");
    let client = "--cacert .bindery-dev/ca.pem --cert .bindery-dev/client.pem \
                  --key .bindery-dev/client.key";
    let ours = format!("--url {} {client}", server.url());
    run(path, &format!("kmip create --name k {ours}")).exits(0);
    run(path, &format!("health --admin {}", server.admin())).exits(0);
    assert!(server.stop().success());
    // The same store again, and another path.
    let moved = GOOD.replace("[service.kmip]", "[service.kmip]\npath = \"/keys\"");
    file(path, "bindery.toml", moved);
    let server = Server::start(path, "serve -o json");
    assert!(server.url().ends_with("/keys"));
    run(path, &format!("kmip get k --url {} {client}", server.url())).exits(0);
    // A policy without client certificates does not let anybody in without one.
    assert!(server.stop().success());
    let modern = GOOD.replace("[service.kmip]", "tls_policy = \"modern\"\n[service.kmip]");
    file(path, "bindery.toml", modern);
    let server = Server::start(path, "serve -o json");
    let anonymous =
        format!("kmip query --url {} --cacert .bindery-dev/ca.pem -o json", server.url());
    let anonymous = format!("{anonymous} --tls-policy modern");
    assert_eq!(run(path, &anonymous).exits(3).error()["layer"], "tls");
    let known = format!("kmip get k --url {} {client} --tls-policy modern", server.url());
    run(path, &known).exits(0);
}

#[test]
fn a_server_that_cannot_start_exits_with_10() {
    let folder = prepared();
    let path = folder.path();
    file(path, "bindery.toml", GOOD);
    assert!(Server::start(path, "serve -o json").stop().success());
    // A port that is taken.
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    file(path, "taken.toml", GOOD.replacen("127.0.0.1:0", &taken, 1));
    let error = run(path, "serve --config taken.toml -o json").exits(10).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&taken), "{error}");
    let cause = std::net::TcpListener::bind(&taken).unwrap_err().to_string();
    assert_eq!(message.matches(&cause).count(), 1, "{error}");
    assert_eq!(error["layer"], "tcp");
    // Another key than the store was made with.
    file(path, "other.kek", "a".repeat(63) + "b");
    let other = GOOD.replace(".bindery-dev/bindery.kek", "other.kek");
    file(path, "other.toml", other);
    let before = std::fs::read(path.join("serve.db")).unwrap();
    let error = run(path, "serve --config other.toml -o json").exits(10).error();
    assert_eq!(error["layer"], "store");
    assert!(error["message"].as_str().unwrap().contains("nothing was changed"), "{error}");
    assert_eq!(std::fs::read(path.join("serve.db")).unwrap(), before);
    // A configuration that is wrong.
    file(path, "wrong.toml", "[listener.main]\n");
    run(path, "serve --config wrong.toml").exits(10);
}
