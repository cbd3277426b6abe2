//! A `bindery dev` server for a peer's checks: built, started on a free loopback port, stopped at the end.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::Settings;
use crate::output::{Stopwatch, say};
use crate::process::{cargo, run};

/// How long a server may take to listen, and to stop after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files that `bindery dev` writes into its folder.
const CA: &str = "ca.pem";
const CLIENT_CERTIFICATE: &str = "client.pem";
const CLIENT_KEY: &str = "client.key";

/// A server that runs; dropping it kills the process.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    folder: PathBuf,
}

/// Builds the program, as `cargo run` would, so that nothing is built twice.
///
/// # Errors
/// It does not compile.
pub(super) fn build(root: &Path, settings: &Settings) -> Result<PathBuf, String> {
    let mut command = cargo(root);
    command.args(["build", "--bin", "bindery"]);
    if settings.release {
        command.arg("--release");
    }
    run(&mut command)?;
    let target = crate::workspace::Metadata::members(root)?.target_directory;
    Ok(target.join(if settings.release { "release" } else { "debug" }).join("bindery"))
}

impl Server {
    /// Starts `bindery dev` with new certificates and an empty store in `folder`, and waits until it listens.
    ///
    /// # Errors
    /// It ends, or does not listen in time; what it wrote is in the error.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self, String> {
        let wrong = |e: std::io::Error| format!("{}: {e}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(wrong)?;
        }
        fs::create_dir_all(folder).map_err(wrong)?;
        // Between the look and the server's bind another process may take the port: then it says so and ends.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|e| format!("no free loopback port: {e}"))?;
        let log = File::create(folder.join("server.log")).map_err(wrong)?;
        let mut command = Command::new(program);
        command
            .arg("dev")
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--listen")
            .arg(address.to_string());
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(wrong)?).stderr(log);
        let child = command.spawn().map_err(|e| format!("{}: {e}", program.display()))?;
        let mut server = Self { child, address, folder: folder.to_owned() };
        server.wait_until_ready()?;
        say(format!("{} listens on {}", crate::process::shown(&command), server.address));
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let watch = Stopwatch::start();
        while watch.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return Err(format!("the server ended at start ({status}):\n{}", self.log()));
            }
            let there =
                [CA, CLIENT_CERTIFICATE, CLIENT_KEY].iter().all(|name| self.file(name).is_file());
            if there && TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!(
            "no server on {} after {} s:\n{}",
            self.address,
            PATIENCE.as_secs(),
            self.log()
        ))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join("data").join(name)
    }

    /// What the server wrote.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// What a peer's script finds the server by.
    pub(super) fn environment(&self, path: &str) -> [(&'static str, String); 4] {
        let file = |name| self.file(name).display().to_string();
        [
            ("BINDERY_URL", format!("https://{}{path}", self.address)),
            ("BINDERY_CACERT", file(CA)),
            ("BINDERY_CERT", file(CLIENT_CERTIFICATE)),
            ("BINDERY_KEY", file(CLIENT_KEY)),
        ]
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// It had ended by itself, or does not end in time (it is killed then).
    pub(super) fn stop(mut self) -> Result<ExitStatus, String> {
        if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
            return Err(format!("the server ended during the checks ({status}):\n{}", self.log()));
        }
        let id = self.child.id().to_string();
        run(Command::new("kill").args(["-TERM", &id]))?;
        let watch = Stopwatch::start();
        while watch.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return Ok(status);
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!(
            "the server does not end on SIGTERM within {} s:\n{}",
            PATIENCE.as_secs(),
            self.log()
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
