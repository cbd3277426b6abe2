//! TLS policies by scanners: sslyze, sslscan, openssl and, with `--slow`, testssl.sh (`tests/interop/tls.py`).

use std::fs;
use std::path::Path;
use std::process::Command;

use super::server::build;
use super::{Peer, Settings, Tally, kmip, python};
use crate::process::find;

const PACKAGE: &str = "sslyze";
const VERSION: &str = "6.3.1";
const SCRIPT: &str = "tests/interop/tls.py";

pub(super) const PEER: Peer = Peer {
    name: "tls",
    about: "sslyze 6.3.1, sslscan and openssl (and testssl.sh with --slow) against each TLS policy",
    missing,
    install,
    run,
};

fn missing(root: &Path) -> Option<String> {
    for program in ["openssl", "sslscan"] {
        if find(program).is_none() {
            return Some(format!("{program} is not installed (Debian: apt-get install {program})"));
        }
    }
    python::missing(root, PACKAGE, VERSION)
}

fn install(root: &Path) -> Result<(), String> {
    python::install(root, &[&format!("{PACKAGE}=={VERSION}")])
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    if settings.slow && find("testssl").is_none() {
        return Err("testssl is not installed (Debian: apt-get install testssl.sh)".to_owned());
    }
    let program = build(root, settings)?;
    let folder = root.join("target/interop/tls");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut command = Command::new(python::interpreter(root));
    command.arg("-u").arg(root.join(SCRIPT)).arg(program).arg(folder);
    if settings.slow {
        command.arg("testssl");
    }
    kmip::script(&mut command)
}
