//! `bindery tls`, and what SIGHUP changes.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Server, bindery, closed_port, file, folder, run, wait_for};

fn policy(folder: &Path, line: &str) -> Value {
    run(folder, &format!("tls policy {line} -o json")).exits(0).json()
}

#[test]
fn every_policy_is_listed_with_whether_it_can_be_served() {
    let folder = folder();
    let list = policy(folder.path(), "");
    let served = |name: &str| {
        let rows = list.as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["served"].as_bool().unwrap()
    };
    for (name, expected) in [
        ("kmip", true),
        ("kmip-1.4", false),
        ("kmip-2.1", false),
        ("modern", true),
        ("omadm", true),
        ("omadm-1.3", false),
        ("taxii", true),
    ] {
        assert_eq!(served(name), expected, "{name}");
        let shown = policy(folder.path(), name);
        assert_eq!(shown["served"], expected);
        assert!(!shown["notes"].as_array().unwrap().is_empty());
        run(folder.path(), &format!("tls policy {name}")).exits(0);
    }
}

#[test]
fn a_policy_to_the_letter_says_what_is_missing_and_why_each_row_is_out() {
    let folder = folder();
    let shown = policy(folder.path(), "kmip-1.4");
    let refusal = shown["refusal"].as_str().unwrap();
    assert!(refusal.contains("TLS_RSA_WITH_AES_256_CBC_SHA256"), "{refusal}");
    let text = run(folder.path(), "tls policy kmip-1.4").exits(0);
    assert!(text.text().contains("OpenSSL"), "{}", text.text());
    let one = policy(folder.path(), "modern --suite AES128-SHA,SSL_RSA_WITH_3DES_EDE_CBC_SHA");
    let rows = one["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["used"], false);
        assert!(row["why"].as_str().unwrap().contains("no row"), "{row}");
    }
    run(folder.path(), "tls policy modern --suite NONE").exits(2);
    run(folder.path(), "tls policy --suite NONE").exits(2);
}

#[test]
fn a_policy_of_ones_own_is_shown_and_used() {
    let folder = folder();
    let path = folder.path();
    let server = serve(
        path,
        "tls_policy = \"own\"\n[tls.policy.own]\nbased_on = \"kmip\"\n\
                              trust_anchors = [\"ca.pem\"]\n[tls.policy.own.versions]\nminimum = \"TLS 1.3\"\n",
    );
    let shown = policy(path, "own --config serve.toml");
    assert_eq!(shown["versions"], serde_json::json!(["TLS 1.3"]));
    assert_eq!(shown["served"], true);
    assert_eq!(shown["trust_anchors"], serde_json::json!(["ca.pem"]));
    let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip").to_owned();
    let scan = format!("tls probe {at} --scan --tls-policy own --config serve.toml {CLIENT}");
    let probed = run(path, &format!("{scan} -o json")).exits(0).json();
    assert_eq!(probed["permitted"], true);
    let mut taken = taken(&probed);
    taken.retain(|name| name.starts_with("TLS "));
    assert_eq!(taken, ["TLS 1.3"]);
    // The client trusts whom the policy names, too: no --cacert.
    let own = format!("kmip query --url {} --tls-policy own {CLIENT}", server.url());
    run(path, &own.replace("--tls-policy own", "")).exits(2);
    run(path, &format!("{own} --config serve.toml")).exits(0);
}

pub(crate) const CLIENT: &str = "--cert .bindery-dev/client.pem --key .bindery-dev/client.key";

pub(crate) fn taken(probed: &Value) -> Vec<String> {
    let rows = probed["scan"].as_array().unwrap().iter();
    let taken = rows.filter(|row| row["taken"] == true);
    taken.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// `bindery serve` with the certificates of `bindery dev`; `more` stands in the listener's table.
pub(crate) fn serve(path: &Path, more: &str) -> Server {
    assert!(Server::dev(path).stop().success());
    for name in ["server.pem", "server.key", "ca.pem"] {
        fs::copy(path.join(".bindery-dev").join(name), path.join(name)).unwrap();
    }
    file(
        path,
        "serve.toml",
        format!(
            "[service.kmip]\n[store]\nfile = \"serve.db\"\nkek_file = \".bindery-dev/bindery.kek\"\n\
             [admin]\naddress = \"127.0.0.1:0\"\n\
             [listener.main]\naddress = \"127.0.0.1:0\"\ncertificate = \"server.pem\"\n\
             key = \"server.key\"\nclient_authorities = \"ca.pem\"\n{more}"
        ),
    );
    Server::start(path, "serve --config serve.toml -o json")
}

#[test]
fn a_probe_tells_what_was_negotiated_and_judges_it() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip").to_owned();
    let probed = run(path, &format!("tls probe {at} --scan {CLIENT} -o json")).exits(0).json();
    assert_eq!(probed["version"], "TLS 1.3");
    assert_eq!(probed["suite"], "TLS_AES_256_GCM_SHA384");
    assert_eq!(probed["group"], "X25519MLKEM768");
    assert_eq!(probed["client_certificate_asked"], true);
    let shown = policy(path, "kmip");
    let declared: Vec<&str> = ["versions", "suites", "groups"]
        .iter()
        .flat_map(|kind| shown[kind].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut accepted = taken(&probed);
    accepted.sort();
    let mut declared: Vec<String> = declared.into_iter().map(str::to_owned).collect();
    declared.sort();
    assert_eq!(accepted, declared);
    // Without a certificate too: that the server wants one says nothing of its suites.
    let probed = run(path, &format!("tls probe {at} --scan -o json")).exits(3).json();
    assert_eq!(probed["permitted"], true);
    let mut accepted = taken(&probed);
    accepted.sort();
    assert_eq!(accepted, declared);
    // What the server has and the policy has not.
    let judged =
        run(path, &format!("tls probe {at} --tls-policy kmip-1.4 {CLIENT} -o json")).exits(3);
    let error = judged.error();
    assert!(error["message"].as_str().unwrap().contains("not permitted by the policy kmip-1.4"));
    let text = run(path, &format!("tls probe {at} {CLIENT}")).exits(0);
    assert!(text.text().contains("permits what was negotiated"), "{}", text.text());
    let nobody = run(path, &format!("tls probe 127.0.0.1:{} -o json", closed_port())).exits(3);
    assert_eq!(nobody.error()["layer"], "tcp");
    let clear = run(path, &format!("tls probe {} -o json", server.admin())).exits(3).error();
    assert_eq!(
        (clear["layer"].clone(), clear["kind"].clone()),
        ("tls".into(), "plain-http".into())
    );
    for bad in ["localhost", "localhost:x", "[::1", "", "a b:1"] {
        assert_eq!(bindery(path).args(["tls", "probe", bad]).status().unwrap().code(), Some(2));
    }
}

/// SIGHUP reads certificates anew; what is broken changes nothing, and says so.
#[test]
fn sighup_takes_a_new_certificate_and_no_broken_one() {
    let folder = folder();
    let path = folder.path();
    let server = serve(path, "");
    let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip").to_owned();
    let shown = || {
        let line = format!("tls probe {at} {CLIENT} -o json");
        run(path, &line).exits(0).json()["certificates"][0].as_str().unwrap().to_owned()
    };
    let reloads = |result: &str| {
        let mut socket = std::net::TcpStream::connect(server.admin()).unwrap();
        std::io::Write::write_all(
            &mut socket,
            format!(
                "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                server.admin()
            )
            .as_bytes(),
        )
        .unwrap();
        let text = std::io::read_to_string(socket).unwrap();
        let name = format!("bindery_tls_reloads_total{{listener=\"main\",result=\"{result}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        assert!(text.contains("bindery_tls_not_after_seconds{listener=\"main\",origin="), "{text}");
        line.unwrap_or_else(|| panic!("{name}\n{text}")).parse::<u64>().unwrap()
    };
    let old = shown();
    // Another server's certificate under the same authority, half of it first.
    let other = crate::support::folder();
    assert!(Server::dev(other.path()).stop().success());
    let from =
        |name: &str| fs::read_to_string(other.path().join(".bindery-dev").join(name)).unwrap();
    let certificate = from("server.pem");
    file(path, "server.pem", &certificate[..certificate.len() / 2]);
    server.signal("HUP");
    wait_for("a failed reload", || (reloads("bad") == 1).then_some(()));
    assert_eq!(shown(), old);
    // Whole, and with a key that belongs to another one.
    file(path, "server.pem", &certificate);
    server.signal("HUP");
    wait_for("a failed reload", || (reloads("bad") == 2).then_some(()));
    assert_eq!(shown(), old);
    file(path, "server.key", from("server.key"));
    server.signal("HUP");
    wait_for("a reload", || (reloads("good") == 1).then_some(()));
    assert_ne!(shown(), old);
    let log = fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("server.pem") && log.contains("nothing was changed"), "{log}");
    assert!(server.stop().success());
}

/// The scheme says TLS and no more: which suite and which certificate are options.
///
/// proves: SUB-SCHEME-2
#[test]
fn suites_and_certificates_are_options_and_not_in_the_url() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let base = format!("kmip query --url {} --cacert .bindery-dev/ca.pem -v", server.url());
    for suite in ["TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] {
        let ran = run(path, &format!("{base} {CLIENT} --suite {suite}")).exits(0);
        assert!(ran.stderr.contains(suite), "{}", ran.stderr);
    }
    run(path, &base).exits(3);
    run(path, &format!("{base} {CLIENT} --tls-policy kmip-1.4")).exits(2);
}

/// Two servers that trust different authorities, and a context for each with its own key.
///
/// proves: SUB-SEC-3
#[test]
fn each_server_gets_its_own_client_key() {
    let (one, two) = (folder(), folder());
    let servers = [Server::dev(one.path()), Server::dev(two.path())];
    let context = |name: &str, server: &Server, trusted: &Path, own: &Path| {
        let file = |folder: &Path, name| folder.join(".bindery-dev").join(name);
        format!(
            "[context.{name}]\nurl = {:?}\ncacert = {:?}\ncert = {:?}\nkey = {:?}\n",
            server.url(),
            file(trusted, "ca.pem"),
            file(own, "client.pem"),
            file(own, "client.key"),
        )
    };
    let contexts = [
        context("one", &servers[0], one.path(), one.path()),
        context("two", &servers[1], two.path(), two.path()),
        context("mixed", &servers[1], two.path(), one.path()),
    ];
    file(one.path(), "contexts.toml", contexts.concat());
    let query = |name: &str| {
        run(
            one.path(),
            &format!("kmip query --context-file contexts.toml --context {name} -o json"),
        )
    };
    query("one").exits(0);
    query("two").exits(0);
    assert_eq!(query("mixed").exits(3).error()["layer"], "tls");
}

/// A relay that does the upgrade of RFC 2817 and splices; it takes so many connections.
fn upgrading(to: String, answer: &'static str, connections: usize) -> std::net::SocketAddr {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().take(connections) {
            let mut socket = socket.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                socket.read_exact(&mut octet).unwrap();
                head.extend(octet);
            }
            let head = String::from_utf8(head).unwrap();
            assert!(head.starts_with("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:"), "{head}");
            assert!(head.contains("Connection: Upgrade\r\n") && head.contains("Upgrade: TLS/"));
            socket.write_all(answer.as_bytes()).unwrap();
            let server = std::net::TcpStream::connect(&to).unwrap();
            let (mut from, mut into) = (socket.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            let (mut from, mut into) = (server, socket);
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        }
    });
    address
}

#[test]
fn a_probe_may_begin_in_clear() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip").to_owned();
    let switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n\
                     Connection: Upgrade\r\n\r\n";
    let relay = upgrading(at.clone(), switching, 1);
    let line = format!("tls probe {relay} --starttls http {CLIENT} -o json");
    let probed = run(path, &line).exits(0).json();
    assert_eq!(probed["version"], "TLS 1.3");
    let relay = upgrading(at, "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", 1);
    let refused = run(path, &format!("tls probe {relay} --starttls http -o json")).exits(3);
    assert!(refused.stderr.contains("answers HTTP/1.1 426 Upgrade Required"), "{}", refused.stderr);
}
