//! TAXII messages that bindery-taxii-xml writes: valid by the schemas, which are data by others, and read by libtaxii
//! (`tests/interop/taxii_xml.py`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::kmip::script;
use super::{Peer, Settings, Tally, python};
use crate::process::{cargo, run as run_command};

const PACKAGE: &str = "libtaxii";
const VERSION: &str = "1.1.119";

pub(super) const PEER: Peer = Peer {
    name: "taxii-xml",
    about: "lxml with the schemas and libtaxii 1.1.119 read what bindery-taxii-xml writes",
    missing,
    install,
    run,
};

/// The schemas of the vectors.
fn schemas() -> Option<PathBuf> {
    let root = std::env::var_os("BINDERY_VECTORS")?;
    Some(Path::new(&root).join("taxii/xsd")).filter(|folder| folder.is_dir())
}

fn missing(root: &Path) -> Option<String> {
    if schemas().is_none() {
        return Some("BINDERY_VECTORS names no folder with taxii/xsd".to_owned());
    }
    python::missing(root, PACKAGE, VERSION)
}

fn install(root: &Path) -> Result<(), String> {
    python::install(root, &[&format!("{PACKAGE}=={VERSION}")])
}

fn run(root: &Path, _settings: &Settings) -> Result<Tally, String> {
    // The test writes every sample into the folder for temporary files.
    let test = "round_trip::every_message_of_every_dialect_reads_back_equal";
    run_command(cargo(root).args([
        "test",
        "--quiet",
        "-p",
        "bindery-taxii-xml",
        "--test",
        "it",
        test,
    ]))?;
    let mut command = Command::new(python::interpreter(root));
    command.arg("-u").arg(root.join("tests/interop/taxii_xml.py"));
    command.env("SAMPLES", root.join("target/tmp/taxii-samples"));
    command.env("SCHEMAS", schemas().unwrap_or_default());
    script(&mut command)
}
