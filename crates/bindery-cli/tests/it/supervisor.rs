//! Sockets that a supervisor opened, and what it is told: as systemd does it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use command_fds::{CommandFdExt as _, FdMapping};
use serde_json::Value;

use crate::support::{bindery, file, folder, run, wait_for};

/// Certificates, a key and a database, as `bindery dev` makes them, and a configuration of them.
fn configuration(path: &Path, address: &str) {
    crate::support::Server::dev(path).stop();
    let dev = ".bindery-dev";
    let text = format!(
        "[service.kmip]\n[store]\nfile = \"served.db\"\nkek_file = \"{dev}/bindery.kek\"\n\
         [listener.main]\naddress = \"{address}\"\ncertificate = \"{dev}/server.pem\"\n\
         key = \"{dev}/server.key\"\nclient_authorities = \"{dev}/ca.pem\"\n"
    );
    file(path, "bindery.toml", text);
}

/// `bindery serve` with sockets as its descriptors from 3 on. The number of the process stands in
/// the environment, so a shell writes it there and becomes the program.
fn serve(path: &Path, sockets: Vec<TcpListener>, notify: &Path) -> Child {
    let plain = bindery(path);
    let mut command = Command::new("sh");
    command.arg("-c").arg("LISTEN_PID=$$ exec \"$0\" serve -o json").arg(plain.get_program());
    command.current_dir(path).env("HOME", path).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("LISTEN_FDS", sockets.len().to_string()).env("NOTIFY_SOCKET", notify);
    let mappings = sockets.into_iter().zip(3..);
    let mappings =
        mappings.map(|(socket, child_fd)| FdMapping { parent_fd: socket.into(), child_fd });
    command.fd_mappings(mappings.collect()).unwrap();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn told(socket: &UnixDatagram) -> String {
    let mut octets = [0; 256];
    let length = socket.recv(&mut octets).unwrap();
    String::from_utf8_lossy(&octets[..length]).into_owned()
}

#[test]
fn a_socket_that_was_opened_before_is_served_and_the_supervisor_is_told() {
    let folder = folder();
    let path = folder.path();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    configuration(path, &address);
    let notify = path.join("notify");
    let supervisor = UnixDatagram::bind(&notify).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut child = serve(path, vec![socket], &notify);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["listeners"][0]["kmip"].as_str().unwrap();
    assert_eq!(url, format!("https://{address}/kmip"));
    assert_eq!(told(&supervisor).trim(), "READY=1");
    let dev = path.join(".bindery-dev");
    let line = format!(
        "kmip query --url {url} --cacert {0}/ca.pem --cert {0}/client.pem --key {0}/client.key",
        dev.display()
    );
    run(path, &line).exits(0);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(told(&supervisor).trim(), "STOPPING=1");
    assert!(wait_for("the end", || child.try_wait().unwrap()).success());
}

#[test]
fn a_socket_that_no_listener_has_is_named() {
    let folder = folder();
    let path = folder.path();
    configuration(path, "127.0.0.1:0");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let child = serve(path, vec![socket], &path.join("nobody"));
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(10), "{said}");
    assert!(said.contains(&address) && said.contains("LISTEN_FDS"), "{said}");
}
