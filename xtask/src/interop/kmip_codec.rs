//! KMIP's binary messages: PyKMIP and bindery's types read and write the same octets, in both directions
//! (`tests/interop/kmip_codec.py`). No server, no sockets.

use std::path::Path;
use std::process::Command;

use super::kmip::{PACKAGE, VERSION, script};
use super::{Peer, Settings, Tally, python};
use crate::process::{cargo, run as run_command};
use crate::workspace::Metadata;

pub(super) const PEER: Peer = Peer {
    name: "kmip-codec",
    about: "PyKMIP 0.11.0 and bindery's types read and write the same messages, KMIP 1.0 to 1.4 and 2.0",
    missing: |root| python::missing(root, PACKAGE, VERSION),
    install: |root| python::install(root, &[&format!("{PACKAGE}=={VERSION}")]),
    run,
};

fn run(root: &Path, _settings: &Settings) -> Result<Tally, String> {
    let example = ["build", "--quiet", "--package", "bindery-tests", "--example", "kmip_codec"];
    run_command(cargo(root).args(example))?;
    let target = Metadata::members(root)?.target_directory;
    let mut command = Command::new(python::interpreter(root));
    command.arg("-u").arg(root.join("tests/interop/kmip_codec.py"));
    command.env("BINDERY_CODEC", target.join("debug/examples/kmip_codec"));
    command.env("BINDERY_MESSAGES", root.join("fuzz/corpus/kmip_typed"));
    script(&mut command)
}
