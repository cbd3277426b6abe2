//! Upgrade to TLS within HTTP/1.1: CUPS' client (Debian) upgraded by our server, our client upgrading cupsd
//! (`tests/interop/upgrade.py`).

use std::path::Path;
use std::process::Command;

use super::kmip::script;
use super::{Peer, Settings, Tally};
use crate::process::{cargo, find, run as run_command};
use crate::workspace::Metadata;

pub(super) const PEER: Peer = Peer {
    name: "upgrade",
    about: "CUPS' lpstat and ipptool upgraded by our server, our client upgrading cupsd (RFC 2817), 426 both ways",
    missing,
    install: |_| Ok(()),
    run,
};

fn missing(_: &Path) -> Option<String> {
    let needed = [("python3", "python3"), ("lpstat", "cups-client"), ("ipptool", "cups-ipp-utils")];
    let program = needed.into_iter().find(|(program, _)| find(program).is_none());
    // It is no program for everybody's path.
    let daemon = (!Path::new("/usr/sbin/cupsd").is_file()).then_some(("cupsd", "cups-daemon"));
    program.or(daemon).map(|(program, package)| {
        format!("{program} is not installed (Debian: apt-get install {package})")
    })
}

fn run(root: &Path, _settings: &Settings) -> Result<Tally, String> {
    let program = example(root)?;
    let mut command = Command::new("python3");
    command.arg("-u").arg(root.join("tests/interop/upgrade.py"));
    command.arg(program).arg(root.join("target/interop/upgrade"));
    script(&mut command)
}

/// Builds the program that is run beside others.
pub(super) fn example(root: &Path) -> Result<std::path::PathBuf, String> {
    let example = ["build", "--quiet", "--package", "bindery-tests", "--example", "upgrade"];
    run_command(cargo(root).args(example))?;
    Ok(Metadata::members(root)?.target_directory.join("debug/examples/upgrade"))
}
