//! The TLS backend on OpenSSL by openssl, sslyze, gnutls-cli, curl and, with `--slow`, tlslite-ng against a build of
//! its own (`tests/interop/tls_legacy.py`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Peer, Settings, Tally, kmip, python};
use crate::process::{cargo, find, has_openssl, run as run_command};

const SSLYZE: &str = "sslyze";
const SSLYZE_VERSION: &str = "6.3.1";
const TLSLITE: &str = "tlslite-ng";
const TLSLITE_VERSION: &str = "0.8.2";
const SCRIPT: &str = "tests/interop/tls_legacy.py";

pub(super) const PEER: Peer = Peer {
    name: "tls-legacy",
    about: "openssl, sslyze, gnutls-cli and curl (and tlslite-ng with --slow) against the backend on OpenSSL",
    missing,
    install,
    run,
};

fn missing(root: &Path) -> Option<String> {
    for (program, package) in
        [("openssl", "openssl"), ("gnutls-cli", "gnutls-bin"), ("curl", "curl")]
    {
        if find(program).is_none() {
            return Some(format!("{program} is not installed (Debian: apt-get install {package})"));
        }
    }
    if !has_openssl() {
        return Some("OpenSSL's headers are not here (Debian: libssl-dev, pkg-config)".to_owned());
    }
    python::missing(root, SSLYZE, SSLYZE_VERSION)
}

fn install(root: &Path) -> Result<(), String> {
    let packages = [(SSLYZE, SSLYZE_VERSION), (TLSLITE, TLSLITE_VERSION)]
        .map(|(name, version)| format!("{name}=={version}"));
    python::install(root, &packages.each_ref().map(String::as_str))
}

/// The program with OpenSSL, in a folder of its own: the plain one stays as it is.
fn build(root: &Path, slow: bool) -> Result<PathBuf, String> {
    let target = root.join("target/legacy");
    let mut command = cargo(root);
    let feature = if slow { "legacy-tls-vendored" } else { "legacy-tls" };
    command.args(["build", "--bin", "bindery", "--features", feature, "--target-dir"]).arg(&target);
    run_command(&mut command)?;
    Ok(target.join("debug/bindery"))
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    if settings.slow
        && let Some(missing) = python::missing(root, TLSLITE, TLSLITE_VERSION)
    {
        return Err(missing);
    }
    let program = build(root, settings.slow)?;
    let folder = root.join("target/interop/tls-legacy");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut command = Command::new(python::interpreter(root));
    command.arg("-u").arg(root.join(SCRIPT)).arg(program).arg(folder);
    if settings.slow {
        command.arg("vendored");
    }
    kmip::script(&mut command)
}
