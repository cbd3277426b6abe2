//! HTTP and its authentication: curl and python-requests against our server, our client against nginx and Apache httpd
//! (`tests/interop/http_auth.py`).

use std::path::Path;
use std::process::Command;

use super::kmip::script;
use super::{Peer, Settings, Tally, python};
use crate::process::{cargo, find, run as run_command};
use crate::workspace::Metadata;

const PACKAGE: &str = "requests";
const VERSION: &str = "2.34.2";

pub(super) const PEER: Peer = Peer {
    name: "http",
    about: "curl, requests 2.34.2 and slowhttptest against our server, our client against nginx and Apache httpd: Basic and Digest",
    missing,
    install: |root| python::install(root, &[&format!("{PACKAGE}=={VERSION}")]),
    run,
};

fn missing(root: &Path) -> Option<String> {
    let needed = [
        ("curl", "curl"),
        ("nginx", "nginx-light"),
        ("apache2", "apache2-bin"),
        ("htpasswd", "apache2-utils"),
        ("slowhttptest", "slowhttptest"),
    ];
    for (program, package) in needed {
        if find(program).is_none() {
            return Some(format!("{program} is not installed (Debian: apt-get install {package})"));
        }
    }
    python::missing(root, PACKAGE, VERSION)
}

fn run(root: &Path, _settings: &Settings) -> Result<Tally, String> {
    let example = ["build", "--quiet", "--package", "bindery-tests", "--example", "http_auth"];
    run_command(cargo(root).args(example))?;
    let target = Metadata::members(root)?.target_directory;
    let mut command = Command::new(python::interpreter(root));
    command.arg("-u").arg(root.join("tests/interop/http_auth.py"));
    command.arg(target.join("debug/examples/http_auth")).arg(root.join("target/interop/http"));
    script(&mut command)
}
