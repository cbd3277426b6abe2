//! Python peers live in a virtual environment under `target/`, made and filled only with `--install`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{capture, find, run};

/// The interpreter of the virtual environment, whether it exists or not.
pub(crate) fn interpreter(root: &Path) -> PathBuf {
    root.join("target/interop/venv/bin/python")
}

/// Makes the virtual environment where there is none, and installs the packages at the versions given.
///
/// # Errors
/// There is no Python with `venv`, or pip cannot install.
pub(super) fn install(root: &Path, packages: &[&str]) -> Result<(), String> {
    let python = interpreter(root);
    if !python.is_file() {
        if find("python3").is_none() {
            return Err("python3 is not there: install it (Debian: apt-get install python3-venv)"
                .to_owned());
        }
        let venv = root.join("target/interop/venv");
        run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    }
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages))
}

/// Why a package cannot be used; nothing when it can, at the version asked for.
pub(crate) fn missing(root: &Path, package: &str, version: &str) -> Option<String> {
    let python = interpreter(root);
    if !python.is_file() {
        return Some(format!("{package} {version} is not installed (--install does it)"));
    }
    let code = format!("import importlib.metadata as m; print(m.version('{package}'))");
    match capture(Command::new(&python).args(["-c", &code])) {
        Ok(found) if found.trim() == version => None,
        Ok(found) => {
            Some(format!("{package} is {}, not {version} (--install changes it)", found.trim()))
        }
        Err(_) => Some(format!("{package} {version} is not installed (--install does it)")),
    }
}
