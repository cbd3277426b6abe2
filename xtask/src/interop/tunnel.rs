//! Proxies: our client through squid (Debian), curl through `bindery proxy` (`tests/interop/tunnel.py`).

use std::path::Path;
use std::process::Command;

use super::kmip::script;
use super::server::build;
use super::upgrade::example;
use super::{Peer, Settings, Tally};
use crate::process::find;

pub(super) const PEER: Peer = Peer {
    name: "tunnel",
    about: "our client through squid (no authentication, Basic, Digest, two in a row), curl through `bindery proxy`",
    missing,
    install: |_| Ok(()),
    run,
};

fn missing(_: &Path) -> Option<String> {
    let needed = [("python3", "python3"), ("curl", "curl")];
    let program = needed.into_iter().find(|(program, _)| find(program).is_none());
    // It is no program for everybody's path.
    let squid = (!Path::new("/usr/sbin/squid").is_file()).then_some(("squid", "squid"));
    program.or(squid).map(|(program, package)| {
        format!("{program} is not installed (Debian: apt-get install {package})")
    })
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    let bindery = build(root, settings)?;
    let program = example(root)?;
    let mut command = Command::new("python3");
    command.arg("-u").arg(root.join("tests/interop/tunnel.py"));
    command.arg(program).arg(bindery).arg(root.join("target/interop/tunnel"));
    script(&mut command)
}
