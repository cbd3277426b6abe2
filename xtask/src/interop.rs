//! `cargo xtask interop NAME`: bindery against software by others.
//!
//! A peer is a module with one entry in [`PEERS`]. It says what it needs, can install it with `--install` (and only
//! then), and runs its checks. What is not there is skipped with the reason, never silently.

mod http;
mod kmip;
mod kmip_codec;
mod omadm;
pub(crate) mod python;
mod server;
mod taxii;
mod taxii_xml;
mod tls;
mod tls_legacy;
mod tunnel;
mod upgrade;
mod wbxml;

use std::path::{Path, PathBuf};

use crate::output::{Stopwatch, say, seconds};

/// How a peer is run.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Settings {
    /// Install what the peer needs (Python packages into target/interop/venv)
    #[arg(long)]
    pub(crate) install: bool,
    /// Test the optimised program
    #[arg(long)]
    pub(crate) release: bool,
    /// Run the peer's slow checks too (tls: testssl.sh, half a minute a listener; wbxml: 1,000 documents a language, not
    /// 100)
    #[arg(long)]
    pub(crate) slow: bool,
    /// Directories with documents (wbxml: every NAME.wbxml, with the NAME.xml beside it), not those of BINDERY_VECTORS
    #[arg(value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
}

/// Software by others that bindery is run against.
pub(crate) struct Peer {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// What is run against what, in a line.
    about: &'static str,
    /// What is missing, as a reason to skip; nothing when all is there.
    missing: fn(&Path) -> Option<String>,
    /// Installs what can be installed without being root.
    install: fn(&Path) -> Result<(), String>,
    run: fn(&Path, &Settings) -> Result<Tally, String>,
}

/// Every peer.
pub(crate) const PEERS: [Peer; 11] = [
    http::PEER,
    kmip::PEER,
    kmip_codec::PEER,
    omadm::PEER,
    tls::PEER,
    tls_legacy::PEER,
    taxii::PEER,
    taxii_xml::PEER,
    tunnel::PEER,
    upgrade::PEER,
    wbxml::PEER,
];

/// How many checks passed, and how many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

/// How a peer's run ended, when nothing went wrong.
pub(crate) enum Ending {
    Passed,
    Skipped(String),
}

/// The list of peers, for `--help` and for a name that is none.
pub(crate) fn list() -> String {
    PEERS
        .iter()
        .map(|peer| format!("  {}  {}", peer.name, peer.about))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs a peer by name.
///
/// # Errors
/// There is no such peer, a check failed, or the peer cannot be installed or run.
pub(crate) fn run(root: &Path, name: &str, settings: &Settings) -> Result<Ending, String> {
    let peer = PEERS.iter().find(|peer| peer.name == name);
    let peer = peer.ok_or_else(|| format!("there is no peer {name}; there are:\n{}", list()))?;
    let watch = Stopwatch::start();
    if settings.install {
        (peer.install)(root).map_err(|e| format!("interop {name}: cannot install: {e}"))?;
    }
    if let Some(reason) = (peer.missing)(root) {
        say(format!("interop {name}: skipped: {reason}"));
        return Ok(Ending::Skipped(reason));
    }
    let tally = (peer.run)(root, settings).map_err(|e| format!("interop {name}: {e}"))?;
    let Tally { passed, failed } = tally;
    say(format!(
        "interop {name}: {passed} passed, {failed} failed, in {}",
        seconds(watch.elapsed())
    ));
    match (passed, failed) {
        (0, 0) => Err(format!("interop {name}: no check ran")),
        (_, 0) => Ok(Ending::Passed),
        _ => Err(format!(
            "interop {name}: {failed} failed; to repeat it: cargo xtask interop {name}"
        )),
    }
}
