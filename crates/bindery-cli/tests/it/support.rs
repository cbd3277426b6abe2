//! Running the program, and a server of it in the background.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program with an environment and a directory of its own.
pub(crate) fn bindery(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bindery"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("BINDERY_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    command.stdin(Stdio::null());
    command
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by a signal"),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("UTF-8")
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error as JSON: the last line of standard error.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same run, if it ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} / {}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self
    }
}

/// Runs the program with these arguments, separated by spaces.
pub(crate) fn run(folder: &Path, line: &str) -> Ran {
    Ran::of(bindery(folder).args(line.split_whitespace()).output().expect("the program runs"))
}

/// Runs the program with something on its standard input.
pub(crate) fn run_with_input(folder: &Path, line: &str, input: &[u8]) -> Ran {
    let mut command = bindery(folder);
    command.args(line.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A program that gives up early does not read it all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the input is written");
    Ran::of(output)
}

/// An empty directory.
pub(crate) fn folder() -> TempDir {
    TempDir::with_prefix("bindery-test-").expect("a directory")
}

/// A server in the background; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    /// `bindery dev` in a directory, on free ports.
    pub(crate) fn dev(folder: &Path) -> Self {
        Self::start(folder, "dev --listen 127.0.0.1:0 --admin 127.0.0.1:0 -o json")
    }

    /// A server by its command line; it has to say when it is ready, in JSON.
    pub(crate) fn start(folder: &Path, line: &str) -> Self {
        let mut command = bindery(folder);
        command.args(line.split_whitespace()).stdout(Stdio::piped());
        // A file, so that nobody has to read it for the server to go on.
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log"));
        command.stderr(log.expect("a file"));
        let mut child = command.spawn().expect("the program runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("{error}: {line:?}\n{log}")
        });
        Self { child, ready }
    }

    /// The KMIP service's URL.
    pub(crate) fn url(&self) -> &str {
        self.ready["listeners"][0]["kmip"].as_str().expect("a URL")
    }

    /// The URL of a service, by its name in the configuration.
    pub(crate) fn service(&self, name: &str) -> &str {
        self.ready["listeners"][0][name].as_str().expect("a URL")
    }

    /// The admin listener's address.
    pub(crate) fn admin(&self) -> &str {
        self.ready["admin"].as_str().and_then(|url| url.strip_prefix("http://")).expect("a URL")
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        wait_for("the server's end", || self.child.try_wait().expect("a child"))
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what} in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
fn now() -> Instant {
    Instant::now()
}

/// A loopback port on which nobody listens, as good as that can be known.
pub(crate) fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A file in a directory.
pub(crate) fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("a file");
    path
}
