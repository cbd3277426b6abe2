//! `--upgrade`, `--proxy`, listeners that become TLS, and `bindery proxy`.

use std::path::Path;

use bindery_tls::pki::{Authority, Leaf};
use tempfile::TempDir;

use crate::support::{Ran, Server, closed_port, file, folder, run, run_with_input, wait_for};

/// All services behind a listener that begins in clear; its keys may be more.
fn configuration(more: &str) -> String {
    format!(
        "[service.kmip]\n[service.omadm]\nregister = true\n\
         [service.taxii.collection.default]\nread = [\"@accounts\"]\nwrite = [\"@accounts\"]\n\
         [store]\nfile = \"serve.db\"\nkek_file = \".bindery-dev/bindery.kek\"\n\
         [listener.main]\naddress = \"127.0.0.1:0\"\nprotocol = \"http-upgrade\"\n\
         certificate = \".bindery-dev/server.pem\"\nkey = \".bindery-dev/server.key\"\n\
         client_authorities = \".bindery-dev/ca.pem\"\n{more}"
    )
}

const IMPLICIT: &str = "[listener.other]\naddress = \"127.0.0.1:0\"\ncertificate = \".bindery-dev/server.pem\"\n\
                        key = \".bindery-dev/server.key\"\nclient_authorities = \".bindery-dev/ca.pem\"\n";

/// A directory with certificates and keys.
fn prepared() -> TempDir {
    let folder = folder();
    assert!(Server::dev(folder.path()).stop().success());
    folder
}

fn serve(path: &Path) -> Server {
    file(path, "serve.toml", configuration(""));
    Server::start(path, "serve --config serve.toml -o json")
}

const OWN: &str = "--cacert .bindery-dev/ca.pem --cert .bindery-dev/client.pem --key .bindery-dev/client.key -o json";

/// One exchange and more of each protocol.
fn all_three(path: &Path, url: impl Fn(&str) -> String, how: &str) {
    let ask = |line: &str, service: &str| -> Ran {
        run(path, &format!("{line} --url {} {OWN} {how}", url(service)))
    };
    let created = ask("kmip create --alg aes --length 256", "kmip").exits(0).json();
    let uid = created["unique_identifier"].as_str().unwrap().to_owned();
    ask(&format!("kmip get-attributes {uid}"), "kmip").exits(0);
    let session = ask("omadm simulate", "omadm").exits(0).json();
    assert_eq!(session["ended"], "finished", "{session}");
    let services = ask("taxii discovery", "taxii").exits(0).json();
    assert_eq!(services.as_array().unwrap().len(), 4, "{services}");
    file(path, "x.txt", "a block\n");
    ask("taxii push --dest default -b urn:example:text x.txt", "taxii").exits(0);
    let polled = ask("taxii poll -c default --count-only", "taxii").exits(0).json();
    assert!(polled["count"].as_u64().unwrap() > 0, "{polled}");
}

/// A proxy for this machine, which is otherwise the last place that it would lead to.
const INSIDE: &str = "--listen 127.0.0.1:0 --allow-address 127.0.0.0/8,::1";

/// A DM client among them: by CONNECT, by an upgrade, and known to a proxy that asks.
///
/// proves: DSDM-HTTP-C-009-O, DSDM-HTTP-C-016-O, DSDM-HTTP-C-033-O, DSDM-HTTP-C-044-O, DSDM-HTTP-S-016-O
#[test]
fn all_protocols_run_over_an_upgraded_connection_and_through_proxies() {
    let folder = prepared();
    let path = folder.path();
    let server = serve(path);
    let upgraded = |service: &str| server.service(service).to_owned();
    assert!(upgraded("kmip").starts_with("http://"));
    all_three(path, upgraded, "--upgrade required");
    let port = upgraded("kmip").rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    // A proxy that asks who it is, and one before it that does not.
    run_with_input(
        path,
        "account set alice --password-file - --accounts proxy.accounts --scheme digest-sha256 --realm bindery",
        b"correct horse",
    )
    .exits(0);
    file(path, "secret", "correct horse\n");
    let far = Server::start(
        path,
        &format!("proxy {INSIDE} --allow-port {port} --accounts proxy.accounts -o json"),
    );
    let far_url = far.ready["proxy"].as_str().unwrap().to_owned();
    let far_port = far_url.rsplit(':').next().unwrap();
    let near = Server::start(path, &format!("proxy {INSIDE} --allow-port {far_port} -o json"));
    let near_url = near.ready["proxy"].as_str().unwrap().to_owned();
    let login = "--proxy-user alice --proxy-password-file secret";
    all_three(path, upgraded, &format!("--upgrade required --proxy {far_url} {login}"));
    let both = format!("--upgrade required --proxy {near_url} --proxy {far_url} {login}");
    all_three(path, upgraded, &both);
    // What a proxy refuses is told as the proxy's.
    let query = format!("kmip query --url {} {OWN} --upgrade required", upgraded("kmip"));
    let error = run(path, &format!("{query} --proxy {far_url}")).exits(4).error();
    assert_eq!(error["layer"], "proxy", "{error}");
    let error = run(path, &format!("{query} --proxy {near_url}")).exits(3).error();
    assert!(error["message"].as_str().unwrap().contains("answers 403"), "{error}");
    let gone = format!("{query} --proxy 127.0.0.1:{}", closed_port());
    assert_eq!(run(path, &gone).exits(3).error()["layer"], "proxy");
    assert!(near.stop().success() && far.stop().success());
    assert!(server.stop().success());
}

#[test]
fn all_protocols_run_over_https_through_a_proxy() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let url = |service: &str| server.service(service).to_owned();
    let port = url("kmip").rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let proxy = Server::start(path, &format!("proxy {INSIDE} --allow-port {port} -o json"));
    let proxy_url = proxy.ready["proxy"].as_str().unwrap();
    all_three(path, url, &format!("--proxy {proxy_url}"));
    // What only the proxy's machine reaches is not led to unless that is said.
    let careful = "proxy --listen 127.0.0.1:0 --allow-address 10.0.0.0/8";
    let careful = Server::start(path, &format!("{careful} --allow-port {port} -o json"));
    let careful_url = careful.ready["proxy"].as_str().unwrap();
    let query = format!("kmip query --url {} {OWN} --proxy {careful_url}", url("kmip"));
    let error = run(path, &query).exits(3).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("answers 403") && message.contains("public addresses"), "{error}");
    // A loopback address is not looked for behind a proxy that the environment names.
    let mut command = crate::support::bindery(path);
    command.args(format!("kmip query --url {} {OWN}", url("kmip")).split_whitespace());
    command.env("https_proxy", "http://127.0.0.1:1");
    assert!(command.output().unwrap().status.success());
}

#[test]
fn without_an_upgrade_nothing_is_answered_and_without_agreement_nothing_is_sent() {
    let folder = prepared();
    let path = folder.path();
    let server = serve(path);
    let url = server.service("taxii");
    // 426, by a client that asks for no upgrade.
    let error = run(path, &format!("taxii discovery --url {url} {OWN}")).exits(1).error();
    assert!(error["message"].as_str().unwrap().contains("HTTP 426"), "{error}");
    run(path, &format!("taxii discovery --url {url} {OWN} --upgrade optional")).exits(2);
    // One that takes what is offered goes through the upgrade that the server asks for.
    let line = format!("omadm simulate --url {} {OWN} --upgrade optional", server.service("omadm"));
    let optional = run(path, &line).exits(0);
    assert!(optional.stderr.contains("may go out in clear"), "{}", optional.stderr);
    let shown = "--cert .bindery-dev/client.pem --key .bindery-dev/client.key";
    let probe = url.trim_start_matches("http://").split('/').next().unwrap();
    let probed =
        run(path, &format!("tls probe {probe} --starttls http --tls-policy kmip {shown} -o json"))
            .exits(0)
            .json();
    assert_eq!(probed["permitted"], true, "{probed}");
    drop(server);
    // A server of clear HTTP does not agree.
    let clear = Server::dev(path);
    let error = run(
        path,
        &format!("kmip query --url http://{}/kmip {OWN} --upgrade required", clear.admin()),
    )
    .exits(3)
    .error();
    assert!(error["message"].as_str().unwrap().contains("does not become TLS"), "{error}");
}

#[test]
fn an_upgrade_beside_tls_has_to_be_said() {
    let folder = prepared();
    let path = folder.path();
    let check = |text: String| {
        file(path, "serve.toml", text);
        run(path, "config check serve.toml -o json")
    };
    let warned = check(configuration("")).exits(0);
    assert!(warned.stderr.contains("CVE-2025-49812"), "{}", warned.stderr);
    let error = check(configuration(IMPLICIT)).exits(2).error().to_string();
    assert!(
        error.contains("listener.main.certificate") && error.contains("CVE-2025-49812"),
        "{error}"
    );
    let start = run(path, "serve --config serve.toml -o json").exits(10);
    assert!(start.stderr.contains("CVE-2025-49812"), "{}", start.stderr);
    let told = format!("dangerous_upgrade_beside_tls = true\n{IMPLICIT}");
    let warned = check(configuration(&told)).exits(0);
    assert!(warned.stderr.contains("dangerous_upgrade_beside_tls"), "{}", warned.stderr);
    for key in
        ["upgrade_by_any_request", "dangerous_upgrade_optional", "dangerous_upgrade_beside_tls"]
    {
        let idle =
            configuration(&format!("{key} = true\n")).replace("\"http-upgrade\"", "\"https\"");
        assert!(check(idle).exits(2).error().to_string().contains(key));
    }
    let optional =
        configuration("dangerous_upgrade_optional = true\nupgrade_by_any_request = true\n");
    assert!(check(optional).exits(0).stderr.contains("in clear"));
}

#[test]
fn an_open_proxy_has_to_be_said() {
    let folder = folder();
    let path = folder.path();
    let port = closed_port();
    let error = run(path, &format!("proxy --listen 0.0.0.0:{port} -o json")).exits(10).error();
    assert!(error["hint"].as_str().unwrap().contains("--dangerous-open"), "{error}");
    run(path, &format!("proxy --listen 127.0.0.1:{port} --accounts none.toml")).exits(10);
    run(path, &format!("proxy --listen 127.0.0.1:{port} --next https://a:1")).exits(2);
    let open =
        Server::start(path, "proxy --listen 0.0.0.0:0 --dangerous-open -o json --ready-file ready");
    let told = std::fs::read_to_string(path.join("ready")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), open.ready);
    assert!(open.stop().success());
    // Options that name proxies.
    for (line, said) in [
        ("--proxy https://a:1", "without TLS"),
        ("--proxy http://alice:secret@a:1", "user's name"),
        ("--proxy a:1 --proxy-user alice", "--proxy-password-file"),
        ("--proxy-user alice --proxy-password-file ready", "--proxy-user needs --proxy"),
    ] {
        let error =
            run(path, &format!("kmip query --insecure --url https://127.0.0.1:1/ {line} -o json"))
                .exits(2)
                .error();
        assert!(error["message"].as_str().unwrap().contains(said), "{line}: {error}");
    }
}

/// A running listener is what it was at the start: a reload brings it together with no implicit TLS, whatever the file
/// says of the two by then.
#[test]
fn a_reload_brings_no_upgrade_beside_implicit_tls() {
    let folder = prepared();
    let path = folder.path();
    let dev = path.join(".bindery-dev");
    let read = |name: &str| std::fs::read_to_string(dev.join(name)).unwrap();
    let authority = Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap();
    let issued = authority.issue(&Leaf::server("other.example")).unwrap();
    file(&dev, "other.pem", issued.certificate_pem());
    file(&dev, "other.key", issued.key_pem());
    let other = IMPLICIT.replace("server.", "other.");
    let good = configuration(&other);
    file(path, "serve.toml", &good);
    let server = Server::start(path, "serve --config serve.toml -o json");
    // The one that becomes TLS would show the certificate of the other one, which the file calls https now.
    let as_https = configuration(&other).replace("\"http-upgrade\"", "\"https\"");
    let as_https = as_https.replace("server.", "other.");
    // It is gone from the file, and the other one would show its certificate.
    let services = &good[..good.find("[listener.main]").unwrap()];
    let gone = format!("{services}{IMPLICIT}");
    // The file allows it now, which counts at the next start.
    let allowed = format!("dangerous_upgrade_beside_tls = true\n{IMPLICIT}");
    let refused = |count: usize| {
        wait_for("a reload that is refused", || {
            let log = std::fs::read_to_string(path.join("log")).unwrap();
            (log.matches("nothing was changed").count() == count).then_some(log)
        })
    };
    for (number, text) in [as_https, gone, configuration(&allowed)].iter().enumerate() {
        file(path, "serve.toml", text);
        run(path, "config check serve.toml").exits(0);
        server.signal("HUP");
        let log = refused(number + 1);
        assert!(log.contains("the listener runs as it was started"), "{log}");
    }
    file(path, "serve.toml", &good);
    server.signal("HUP");
    wait_for("a reload", || {
        let log = std::fs::read_to_string(path.join("log")).unwrap();
        log.contains("were read anew").then_some(())
    });
    assert!(server.stop().success());
}
