//! WBXML beside `wbxml2xml` and `xml2wbxml` of libwbxml, by the example `libwbxml` of bindery-wbxml. What is known to
//! differ, and why, is in `tests/interop/wbxml-deviations.toml`.

use std::path::{Path, PathBuf};

use super::kmip::script;
use super::{Peer, Settings, Tally};
use crate::output::say;
use crate::process::{cargo, find, run as run_command};

/// The Debian package with both tools.
const PACKAGE: &str = "libwbxml2-utils";

pub(super) const PEER: Peer = Peer {
    name: "wbxml",
    about: "wbxml2xml and xml2wbxml (Debian libwbxml2-utils) over documents of others and of a generator",
    missing,
    install,
    run,
};

fn missing(_root: &Path) -> Option<String> {
    let tool = ["wbxml2xml", "xml2wbxml"].into_iter().find(|tool| find(tool).is_none())?;
    Some(format!("{tool} is not installed (Debian: apt-get install {PACKAGE})"))
}

/// Debian's package manager needs root; where the tools are there, nothing is done.
fn install(root: &Path) -> Result<(), String> {
    if missing(root).is_none() {
        return Ok(());
    }
    let mut command = std::process::Command::new("apt-get");
    run_command(command.args(["install", "-q", "-y", "--no-install-recommends", PACKAGE]))
}

/// The directories asked for, else those of `BINDERY_VECTORS`.
fn directories(settings: &Settings) -> Result<Vec<PathBuf>, String> {
    if !settings.directories.is_empty() {
        let absolute = |path: &PathBuf| {
            std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
        };
        return settings.directories.iter().map(absolute).collect();
    }
    let Some(vectors) = std::env::var_os("BINDERY_VECTORS").map(PathBuf::from) else {
        say("not run: documents of others (BINDERY_VECTORS is not set, and no DIR given)");
        return Ok(Vec::new());
    };
    let folders = ["wbxml", "omadm"].map(|folder| vectors.join(folder));
    Ok(folders.into_iter().filter(|folder| folder.is_dir()).collect())
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    // Two processes a document.
    let count = if settings.slow { "1000" } else { "100" };
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--package", "bindery-wbxml", "--example", "libwbxml"]);
    if settings.release {
        command.arg("--release");
    }
    command.arg("--").arg(root.join("tests/interop/wbxml-deviations.toml")).arg(count);
    script(command.args(directories(settings)?))
}
