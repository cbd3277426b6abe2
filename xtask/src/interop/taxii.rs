//! TAXII 1.0 and 1.1: cabby and libtaxii as clients of `bindery serve` (`tests/interop/taxii.py`), and `bindery taxii`
//! against OpenTAXII (`tests/interop/taxii_client.py`), which has a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::kmip::script;
use super::server::build;
use super::{Peer, Settings, Tally, python};
use crate::process::run as run_command;

const CLIENTS: [(&str, &str); 2] = [("libtaxii", "1.1.119"), ("cabby", "0.1.23")];

/// OpenTAXII asks for this SQLAlchemy and does not say so.
const SERVER: [&str; 4] =
    ["opentaxii==0.9.3", "gunicorn==27.0.1", "sqlalchemy>=1.4,<2.0", "setuptools"];

pub(super) const PEER: Peer = Peer {
    name: "taxii",
    about: "cabby 0.1.23 and libtaxii 1.1.119 against our feed services, our client against OpenTAXII 0.9.3",
    missing,
    install,
    run,
};

/// Where OpenTAXII is.
fn opentaxii(root: &Path) -> PathBuf {
    root.join("target/interop/opentaxii/bin")
}

fn missing(root: &Path) -> Option<String> {
    let found =
        CLIENTS.iter().find_map(|(package, version)| python::missing(root, package, version));
    let server =
        ["gunicorn", "opentaxii-sync-data"].iter().all(|name| opentaxii(root).join(name).is_file());
    found.or_else(|| {
        (!server).then(|| "OpenTAXII 0.9.3 is not installed (--install does it)".to_owned())
    })
}

fn install(root: &Path) -> Result<(), String> {
    let packages: Vec<String> =
        CLIENTS.iter().map(|(package, version)| format!("{package}=={version}")).collect();
    python::install(root, &packages.iter().map(String::as_str).collect::<Vec<_>>())?;
    let folder = root.join("target/interop/opentaxii");
    if !folder.join("bin/python").is_file() {
        run_command(Command::new(python::interpreter(root)).args(["-m", "venv"]).arg(&folder))?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run_command(Command::new(folder.join("bin/python")).args(pip).args(SERVER))
}

fn run(root: &Path, settings: &Settings) -> Result<Tally, String> {
    let program = build(root, settings)?;
    let mut tally = Tally::default();
    for (name, folder) in [("taxii.py", "taxii"), ("taxii_client.py", "taxii-client")] {
        let mut command = Command::new(python::interpreter(root));
        command.arg("-u").arg(root.join("tests/interop").join(name));
        command.arg(&program).arg(root.join("target/interop").join(folder));
        command.env("OPENTAXII", opentaxii(root));
        let counted = script(&mut command)?;
        tally.passed += counted.passed;
        tally.failed += counted.failed;
    }
    Ok(tally)
}
