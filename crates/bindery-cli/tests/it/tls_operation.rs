//! TLS as an operator meets it: what `config check` finds, what `tls probe` says, what a reload ends.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
};

use bindery_tls::{
    Backend as _, ClientConfig, Identity, Policy, Provider, Roots, RustlsBackend,
    pki::{Authority, Leaf, Validity},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    support::{Server, file, folder, run, wait_for},
    tls::{CLIENT, serve, taken},
};

/// A configuration beside the files of `bindery dev`; `listener` and `more` stand where they say.
pub(crate) fn configuration(listener: &str, more: &str) -> String {
    format!(
        "[service.kmip]\n[store]\nfile = \"serve.db\"\nkek_file = \".bindery-dev/bindery.kek\"\n\
         [listener.main]\naddress = \"127.0.0.1:0\"\n{listener}\n{more}"
    )
}

pub(crate) const FILES: &str = "certificate = \".bindery-dev/server.pem\"\nkey = \".bindery-dev/server.key\"\n\
                     client_authorities = \".bindery-dev/ca.pem\"";

pub(crate) fn prepared() -> tempfile::TempDir {
    let folder = folder();
    assert!(Server::dev(folder.path()).stop().success());
    folder
}

/// The problem that `config check` finds: its key, and what it says with its remedy.
#[track_caller]
pub(crate) fn problem(path: &Path, text: &str) -> (String, String) {
    file(path, "bad.toml", text);
    let error = run(path, "config check bad.toml -o json").exits(2).error();
    let [one] = error["problems"].as_array().unwrap().as_slice() else { panic!("{error}") };
    let said = format!("{}; {}", one["message"].as_str().unwrap(), one["hint"].as_str().unwrap());
    (one["key"].as_str().unwrap().to_owned(), said)
}

#[test]
fn a_fault_of_a_policy_is_told_with_its_place_in_the_file() {
    let folder = prepared();
    let path = folder.path();
    let policy = "[tls.policy.plant]\nbased_on = \"modern\"\n\n[tls.policy.plant.suites]\n\
                  permitted = [\n  \"TLS_AES_256_GCM_SHA384\",\n  \"TLS_AES_265_GCM_SHA384\",\n]\n";
    for listener in [FILES.to_owned(), format!("{FILES}\ntls_policy = \"plant\"")] {
        let text = configuration(&listener, policy);
        let line = text.lines().position(|line| line.contains("265")).unwrap() + 1;
        let (key, said) = problem(path, &text);
        assert_eq!(key, format!("tls.policy.plant.suites (line {line}, column 3)"));
        assert!(said.contains("no cipher suite is called \"TLS_AES_265_GCM_SHA384\""), "{said}");
        let shown = run(path, "tls policy plant --config bad.toml").exits(2);
        let place = format!("bad.toml: {key}: ");
        assert!(shown.stderr.contains(&place), "{}", shown.stderr);
    }
    let text = configuration(FILES, "[tls.policy.plant]\nbased_on = \"modern\"\ncolour = 1\n");
    let line = text.lines().count();
    let (key, said) = problem(path, &text);
    assert_eq!(key, format!("tls.policy.plant.colour (line {line}, column 1)"));
    assert!(said.contains("unknown field") && said.contains("tls policy --keys"), "{said}");
    // The keys are at hand, and the example is a policy.
    let keys = run(path, "tls policy --keys").exits(0);
    assert!(keys.text().contains("\nticket_rotation_seconds = "), "{}", keys.text());
}

#[test]
fn a_wrong_way_to_name_accounts_is_answered_with_the_right_ones() {
    let folder = prepared();
    for (value, column) in [("\"email\"", 7), ("[\"uri\", \"email\"]", 15), ("7", 7), ("[]", 7)] {
        let text = configuration(FILES, &format!("[identity]\nmap = {value}\n"));
        let (key, said) = problem(folder.path(), &text);
        let line = text.lines().count();
        assert_eq!(key, format!("identity.map (line {line}, column {column})"), "{value}");
        for name in ["\"subject\"", "\"common-name\"", "\"mail-address\""] {
            assert!(said.contains(name), "{value}: {said}");
        }
        assert!(!said.contains("Identity") && !said.contains("untagged"), "{said}");
    }
}

#[test]
fn pieces_that_do_not_go_together_are_named() {
    let folder = prepared();
    let path = folder.path();
    let authority = Authority::new("Plant CA", Validity::default()).unwrap();
    let rsa = authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    let client = authority.issue(&Leaf::client("pump-7")).unwrap();
    file(path, "rsa.pem", rsa.certificate_pem());
    file(path, "rsa.key", rsa.key_pem());
    std::process::Command::new("chmod").arg("600").arg(path.join("rsa.key")).status().unwrap();
    file(path, "pump.pem", client.certificate_pem());
    file(path, "plant.crl", authority.revocation_list(&[], Validity::default()).unwrap());
    let with_rsa = "certificate = \"rsa.pem\"\nkey = \"rsa.key\"\n\
                    client_authorities = \".bindery-dev/ca.pem\"\n";
    let old = format!("{with_rsa}tls_versions = [\"TLS 1.2\"]");
    let (key, said) = problem(path, &configuration(&old, ""));
    assert_eq!(key, "listener.main.certificate");
    for part in [
        "certificate file rsa.pem",
        "RSA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDSA P-256",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let leaf = FILES.replace(".bindery-dev/ca.pem", "pump.pem");
    let (key, said) = problem(path, &configuration(&leaf, ""));
    assert_eq!(key, "listener.main.client_authorities");
    for part in [
        "authority file pump.pem",
        "CN=pump-7",
        "no authority",
        "name the certificate of CN=Plant CA",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let foreign = format!("{FILES}\ncrls = [\"plant.crl\"]");
    let (key, said) = problem(path, &configuration(&foreign, ""));
    assert_eq!(key, "listener.main.crls");
    assert!(said.contains("plant.crl is of CN=Plant CA") && said.contains("crl_check"), "{said}");
    // What is allowed and should be known is a warning.
    let warnings = |listener: &str| {
        file(path, "good.toml", configuration(listener, ""));
        let checked = run(path, "config check good.toml -o json").exits(0).json();
        let warnings = checked["warnings"].as_array().unwrap().clone();
        warnings.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let told = warnings(with_rsa);
    assert!(told.iter().any(|one| one.contains("TLS 1.2 is declared and not served")), "{told:?}");
    let told = warnings(&format!("{foreign}\ncrl_check = \"leaf\""));
    assert!(told.iter().any(|one| one.contains("none of the trusted authorities")), "{told:?}");
    assert_eq!(warnings(FILES), [""; 0]);
}

pub(crate) fn address(server: &Server) -> String {
    server.url().trim_start_matches("https://").trim_end_matches("/kmip").to_owned()
}

/// In TLS 1.3 a server judges a client's certificate after the client's side is done.
#[test]
fn a_probe_tells_of_a_refusal_after_the_handshake() {
    let folder = folder();
    let path = folder.path();
    let server = serve(path, "");
    let at = address(&server);
    let stranger = Authority::new("Stranger", Validity::default()).unwrap();
    let stranger = stranger.issue(&Leaf::client("mallory")).unwrap();
    file(path, "mallory.pem", stranger.certificate_pem());
    file(path, "mallory.key", stranger.key_pem());
    for (client, kind) in [
        ("", "no-client-certificate"),
        ("--cert mallory.pem --key mallory.key", "unknown-authority"),
    ] {
        let ran = run(path, &format!("tls probe {at} --tls-policy kmip {client} -o json")).exits(3);
        let probed = ran.json();
        assert_eq!((&probed["version"], &probed["permitted"]), (&"TLS 1.3".into(), &true.into()));
        assert_eq!(probed["refused"]["kind"], kind, "{probed}");
        assert_eq!(probed["client_certificate_asked"], true, "{probed}");
        let said = ran.error()["message"].as_str().unwrap().to_owned();
        assert!(said.contains("the server refuses us"), "{said}");
    }
    let good = run(path, &format!("tls probe {at} --tls-policy kmip {CLIENT} -o json")).exits(0);
    assert_eq!(good.json()["refused"], serde_json::Value::Null);
    // The server's log says who it was.
    let log = fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("CN=mallory") && log.contains("CN=Stranger"), "{log}");
    let identity = Identity::from_pem_files(path.join("mallory.pem"), path.join("mallory.key"));
    assert!(log.contains(&identity.unwrap().certificate().unwrap().fingerprint), "{log}");
}

/// A server that lacks what the policy requires, and one that does not ask whom it has to.
#[test]
fn a_probe_tells_what_a_server_lacks() {
    let folder = folder();
    let path = folder.path();
    let old = serve(path, "tls_versions = [\"TLS 1.2\"]\n");
    let probe = |server: &Server, options: &str| {
        let line = format!("tls probe {} --tls-policy kmip {options} -o json", address(server));
        run(path, &line).exits(3).json()
    };
    assert_eq!(probe(&old, CLIENT)["missing"], serde_json::json!(["TLS 1.3"]));
    let missing = &probe(&old, &format!("--scan {CLIENT}"))["missing"];
    let missing: Vec<_> = missing.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    assert!(
        missing.contains(&"TLS 1.3") && missing.contains(&"TLS_AES_256_GCM_SHA384"),
        "{missing:?}"
    );
    // It refuses in TLS 1.2, within the handshake; a scan goes on all the same.
    let refused = probe(&old, "--scan");
    assert_eq!(refused["refused"]["kind"], "no-client-certificate");
    assert!(taken(&refused).contains(&"TLS 1.2".to_owned()), "{refused}");
    assert_eq!(refused["client_certificate_asked"], true);
    // What it takes is the same, whether it lets us in: no hybrid group is of TLS 1.2.
    let welcome = taken(&probe(&old, &format!("--scan {CLIENT}")));
    assert_eq!(taken(&refused), welcome);
    assert!(welcome.iter().all(|name| !name.contains("MLKEM")), "{welcome:?}");
    assert!(welcome.contains(&"x25519".to_owned()), "{welcome:?}");
    assert!(old.stop().success());
    let open = configuration(
        &format!(
            "{FILES}\nclient_certificates = \"none\"\ntls_policy = \"modern\"\nservices = [\"omadm\"]"
        ),
        "[service.omadm]\n[admin]\naddress = \"127.0.0.1:0\"\n",
    );
    file(path, "open.toml", open);
    let open = Server::start(path, "serve --config open.toml -o json");
    let at = open.service("omadm").trim_start_matches("https://").trim_end_matches("/omadm");
    for client in ["", CLIENT] {
        let line = format!("tls probe {at} --tls-policy kmip {client} -o json");
        let probed = run(path, &line).exits(3).json();
        let missing = probed["missing"].to_string();
        assert!(missing.contains("it did not ask for one"), "{missing}");
        assert_eq!(probed["client_certificate_asked"], false);
    }
}

/// A relay that carries one connection at a time to its end, as `openssl s_server` serves them.
fn one_at_a_time(to: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(&to).unwrap());
            let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let up = std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut into);
                let _ = into.shutdown(Shutdown::Write);
            });
            let (mut from, mut into) = (far, near);
            let _ = std::io::copy(&mut from, &mut into);
            let _ = into.shutdown(Shutdown::Write);
            up.join().unwrap();
        }
    });
    address
}

#[test]
fn a_scan_waits_for_no_connection_of_its_own() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let relay = one_at_a_time(address(&server));
    let scan = |at: &str| {
        let line = format!("tls probe {at} --scan --timeout 20s {CLIENT} -o json");
        run(path, &line).exits(0).json()["scan"].clone()
    };
    assert_eq!(scan(&relay.to_string()), scan(&address(&server)));
}

/// A server that greets once and answers nobody else: the scan ends, and says so.
#[test]
fn a_scan_of_a_server_that_stops_answering_ends() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let (to, listener) = (address(&server), TcpListener::bind("127.0.0.1:0").unwrap());
    let relay = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut far = TcpStream::connect(to).unwrap();
        let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        let _ = std::io::copy(&mut far, &mut near);
        let _ = near.shutdown(Shutdown::Both);
        // From now on connections are taken by the kernel alone.
        std::thread::park();
        drop(listener);
    });
    let ran =
        run(path, &format!("tls probe {relay} --scan --timeout 2s {CLIENT} -o json")).exits(3);
    let error = ran.error();
    assert_eq!(error["layer"], "tcp");
    assert!(error["message"].as_str().unwrap().contains("3 times in a row"), "{error}");
}

/// An open connection of a client, over which requests can be sent.
fn connected(path: &Path, server: &Server) -> (tokio::runtime::Runtime, bindery_tls::BoxIo) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dev = path.join(".bindery-dev");
    let identity =
        Identity::from_pem_files(dev.join("client.pem"), dev.join("client.key")).unwrap();
    let roots = Roots::from_pem_file(dev.join("ca.pem")).unwrap();
    let backend = RustlsBackend::new(Provider::aws_lc_rs());
    let config = ClientConfig::new(roots).with_identity(identity);
    let connector = backend.connector(&Policy::kmip(), config).unwrap();
    let io = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(address(server)).await.unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        connector.connect(name, Box::new(socket)).await.unwrap().io
    });
    (runtime, io)
}

pub(crate) fn metrics(server: &Server) -> String {
    let mut socket = TcpStream::connect(server.admin()).unwrap();
    let head =
        format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.admin());
    socket.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

/// The whole way of an operator: a certificate is taken back, the list is written, SIGHUP.
#[test]
fn a_client_whose_certificate_is_taken_back_loses_its_open_connection() {
    let folder = folder();
    let path = folder.path();
    let server = serve(path, "");
    assert!(server.stop().success());
    let dev = path.join(".bindery-dev");
    let read = |name: &str| fs::read_to_string(dev.join(name)).unwrap();
    let authority = Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap();
    let list = |revoked: &[&bindery_tls::pki::Issued]| {
        authority.revocation_list(revoked, Validity::default()).unwrap()
    };
    file(path, "ca.crl", list(&[]));
    let text = fs::read_to_string(path.join("serve.toml")).unwrap();
    file(
        path,
        "serve.toml",
        text.replace("[listener.main]\n", "[listener.main]\ncrls = [\"ca.crl\"]\n"),
    );
    let server = Server::start(path, "serve --config serve.toml -o json");
    let (runtime, mut io) = connected(path, &server);
    let request = b"OPTIONS /kmip HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let ask = |io: &mut bindery_tls::BoxIo| {
        runtime.block_on(async {
            let mut answer = vec![0; 4096];
            if io.write_all(request).await.is_err() || io.flush().await.is_err() {
                return String::new();
            }
            let read = io.read(&mut answer).await.unwrap_or(0);
            String::from_utf8_lossy(&answer[..read]).into_owned()
        })
    };
    assert!(ask(&mut io).starts_with("HTTP/1.1 "));
    let reloads = |count: usize| {
        let log = fs::read_to_string(path.join("log")).unwrap();
        (log.matches("were read anew").count() == count).then_some(log)
    };
    server.signal("HUP");
    wait_for("a reload", || reloads(1));
    assert!(ask(&mut io).starts_with("HTTP/1.1 "), "nothing was taken back yet");
    let serial = Identity::from_pem_files(dev.join("client.pem"), dev.join("client.key")).unwrap();
    let revoked = bindery_tls::pki::Issued::from_pem(&read("client.pem"), &read("client.key"));
    file(path, "ca.crl", list(&[&revoked]));
    server.signal("HUP");
    wait_for("a reload", || reloads(2));
    let log = wait_for("the end of the connection", || {
        let log = fs::read_to_string(path.join("log")).unwrap();
        log.contains("the client would not be taken any more").then_some(log)
    });
    assert_eq!(ask(&mut io), "");
    let fingerprint = serial.certificate().unwrap().fingerprint;
    assert!(log.contains(&fingerprint) && log.contains("certificate-revoked"), "{log}");
    let metrics = metrics(&server);
    let line = "bindery_connections_withdrawn_total{reason=\"certificate-revoked\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    // Nor does it get another.
    let again = format!("kmip query --url {} --cacert .bindery-dev/ca.pem {CLIENT}", server.url());
    run(path, &again).exits(3);
    assert!(server.stop().success());
}
