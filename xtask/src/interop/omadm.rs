//! Device management: SyncEvolution's client (Debian) and curl against our server (`tests/interop/omadm.py`).

use std::path::Path;
use std::process::Command;

use super::kmip::script;
use super::{Peer, Settings, Tally};
use crate::process::{cargo, find, run as run_command};
use crate::workspace::Metadata;

pub(super) const PEER: Peer = Peer {
    name: "omadm",
    about: "SyncEvolution's client (WBXML and XML, basic and MD5) and curl (HTTP Basic and Digest) against our server",
    missing,
    install: |_| Ok(()),
    run,
};

fn missing(_: &Path) -> Option<String> {
    let needed = [
        ("python3", "python3"),
        ("curl", "curl"),
        ("gcc", "gcc"),
        ("syncevolution", "syncevolution"),
        ("dbus-run-session", "dbus-daemon"),
    ];
    needed.into_iter().find(|(program, _)| find(program).is_none()).map(|(program, package)| {
        format!("{program} is not installed (Debian: apt-get install {package})")
    })
}

fn run(root: &Path, _settings: &Settings) -> Result<Tally, String> {
    let example = ["build", "--quiet", "--package", "bindery-tests", "--example", "omadm"];
    run_command(cargo(root).args(example))?;
    let target = Metadata::members(root)?.target_directory;
    let mut command = Command::new("python3");
    command.arg("-u").arg(root.join("tests/interop/omadm.py"));
    command.arg(target.join("debug/examples/omadm")).arg(root.join("target/interop/omadm"));
    script(&mut command)
}
