//! Ways to the server that `bindery tls probe` looks at.

use crate::{
    support::{Server, closed_port, file, folder, run, run_with_input},
    tls::CLIENT,
    tls_operation::address,
};

#[test]
fn a_context_names_server_certificate_and_policy() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let probed = run(path, "tls probe --context dev -o json").exits(0).json();
    assert_eq!(probed["server"], address(&server));
    assert_eq!(
        (&probed["refused"], &probed["policy"]),
        (&serde_json::Value::Null, &"modern".into())
    );
    // An option beats it.
    let probed = run(path, "tls probe --context dev --tls-policy kmip -o json").exits(0).json();
    assert_eq!(probed["policy"], "kmip");
    let dev = path.join(".bindery-dev");
    file(
        path,
        "contexts.toml",
        format!(
            "[context.clear]\nurl = \"http://127.0.0.1:1/kmip\"\n[context.none]\n\
             [context.plant]\nomadm_url = \"https://{}/omadm\"\ntls_policy = \"kmip\"\n\
             cert = {:?}\nkey = {:?}\n",
            address(&server),
            dev.join("client.pem"),
            dev.join("client.key"),
        ),
    );
    let with =
        |rest: &str| run(path, &format!("tls probe --context-file contexts.toml {rest} -o json"));
    assert_eq!(with("--context plant").exits(0).json()["policy"], "kmip");
    for (context, says) in
        [("clear", "in clear"), ("none", "names no server"), ("other", "no context")]
    {
        let error = with(&format!("--context {context}")).exits(2).error();
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    run(path, "tls probe -o json").exits(2);
}

#[test]
fn a_proxy_leads_to_the_server() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let at = address(&server);
    let port = at.rsplit(':').next().unwrap();
    run_with_input(
        path,
        "account set alice --password-file - --accounts proxy.accounts --scheme digest-sha256 --realm bindery",
        b"correct horse",
    )
    .exits(0);
    file(path, "secret", "correct horse\n");
    let start = format!(
        "proxy --listen 127.0.0.1:0 --allow-address 127.0.0.0/8 --allow-port {port} --accounts proxy.accounts -o json"
    );
    let proxy = Server::start(path, &start);
    let url = proxy.ready["proxy"].as_str().unwrap();
    let line = format!("tls probe {at} --tls-policy kmip {CLIENT} -o json --proxy {url}");
    let login = "--proxy-user alice --proxy-password-file secret";
    let probed = run(path, &format!("{line} {login}")).exits(0).json();
    assert_eq!(probed["version"], "TLS 1.3");
    assert_eq!(run(path, &line).exits(4).error()["layer"], "proxy");
    let gone = format!("tls probe {at} --proxy http://127.0.0.1:{} -o json", closed_port());
    assert_eq!(run(path, &gone).exits(3).error()["layer"], "proxy");
}

#[test]
fn the_wrong_beginning_is_answered_with_the_right_one() {
    let folder = folder();
    let path = folder.path();
    let server = Server::dev(path);
    let error = run(path, &format!("tls probe {} --starttls http -o json", address(&server)));
    let error = error.exits(3).error();
    assert!(error["hint"].as_str().unwrap().contains("leave --starttls out"), "{error}");
    let clear = run(path, &format!("tls probe {} -o json", server.admin())).exits(3).error();
    assert!(clear["hint"].as_str().unwrap().contains("--starttls http"), "{clear}");
}
