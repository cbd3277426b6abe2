//! KMIP over HTTPS: PyKMIP makes and reads the messages, curl carries them (`tests/interop/kmip_https.py`). KMIP on
//! TLS without HTTP: PyKMIP's own client, whole (`tests/interop/kmip_tls.py`).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::server::{Server, build};
use super::{Peer, Settings, Tally, python};
use crate::output::say;
use crate::process::{find, shown};

pub(super) const PACKAGE: &str = "PyKMIP";
pub(super) const VERSION: &str = "0.11.0";
const SCRIPTS: [&str; 2] = ["tests/interop/kmip_https.py", "tests/interop/kmip_tls.py"];

pub(super) const PEER: Peer = Peer {
    name: "kmip",
    about: "PyKMIP 0.11.0, by curl and by itself, against `bindery dev`, KMIP 1.0 to 1.4 over mutual TLS",
    missing,
    install,
    run,
};

fn missing(root: &Path) -> Option<String> {
    if find("curl").is_none() {
        return Some("curl is not installed (Debian: apt-get install curl)".to_owned());
    }
    python::missing(root, PACKAGE, VERSION)
}

fn install(root: &Path) -> Result<(), String> {
    python::install(root, &[&format!("{PACKAGE}=={VERSION}")])
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    let program = build(root, settings)?;
    let server = Server::start(&program, &root.join("target/interop/kmip"))?;
    let mut tally = Tally::default();
    for name in SCRIPTS {
        let mut command = Command::new(python::interpreter(root));
        command.arg("-u").arg(root.join(name)).envs(server.environment("/kmip"));
        let counted = script(&mut command)?;
        tally.passed += counted.passed;
        tally.failed += counted.failed;
    }
    if tally.failed > 0 {
        say(format!("the server's log:\n{}", server.log()));
    }
    let status = server.stop()?;
    if status.success() {
        Ok(tally)
    } else {
        Err(format!("the server ended with {status} after SIGTERM"))
    }
}

/// Runs a script that writes a line per check, `ok NAME` or `FAIL NAME: why`, and counts them.
///
/// # Errors
/// It does not start, ends with an error though no check failed, or the other way round.
pub(super) fn script(command: &mut Command) -> Result<Tally, String> {
    say(format!("$ {}", shown(command)));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", shown(command)))?;
    let mut tally = Tally::default();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(|e| format!("{}: {e}", shown(command)))?;
        match line.split_whitespace().next() {
            Some("ok") => tally.passed += 1,
            Some("FAIL") => tally.failed += 1,
            _ => {}
        }
        say(format!("  {line}"));
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    match (status.success(), tally.failed) {
        (true, 0) | (false, 1..) => Ok(tally),
        (false, 0) => {
            Err(format!("the script ended with {status}, though it names no failed check"))
        }
        (true, failed) => {
            Err(format!("the script ended well, though it names {failed} failed checks"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, script};
    use std::process::Command;

    fn check(text: &str) -> Result<Tally, String> {
        script(Command::new("sh").args(["-c", text]))
    }

    #[test]
    fn checks_are_counted() {
        assert_eq!(check("echo ok a; echo ok b; echo other"), Ok(Tally { passed: 2, failed: 0 }));
        assert_eq!(
            check("echo ok a; echo FAIL b: why; exit 1"),
            Ok(Tally { passed: 1, failed: 1 })
        );
    }

    #[test]
    fn lines_and_exit_status_must_agree() {
        assert!(check("echo ok a; exit 1").is_err());
        assert!(check("echo FAIL a: why").is_err());
    }
}
