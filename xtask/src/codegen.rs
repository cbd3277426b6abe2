//! `cargo xtask codegen [--check]`: registry tables to checked-in Rust.
//!
//! A table is a CSV file in `registry/` of the crate that owns it. The generated files say so in their first line, are
//! formatted by rustfmt, and are compared byte for byte by `--check`.

mod csv;
mod kmip;
mod names;
mod syncml;
mod taxii;
mod tls;
mod ttlv;
mod wbxml;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The one command that a stale file asks for.
const COMMAND: &str = "cargo xtask codegen";

/// One file to be written: its path under the workspace root, and its text before rustfmt.
pub(crate) struct Generated {
    path: PathBuf,
    text: String,
}

/// Generates every file from its table, or with `check` compares without writing.
///
/// # Errors
/// Says which table or file is at fault; with `check`, names the stale files and the command to run.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let mut stale = Vec::new();
    let files = ttlv::generate(root)?.into_iter().chain(tls::generate(root)?);
    for file in files
        .chain(kmip::generate(root)?)
        .chain(wbxml::generate(root)?)
        .chain(syncml::generate(root)?)
        .chain(taxii::generate(root)?)
    {
        let path = root.join(&file.path);
        let wanted = rustfmt(root, &file)?;
        let found = fs::read_to_string(&path).unwrap_or_default();
        if found == wanted {
            continue;
        }
        if check {
            stale.push(file.path.display().to_string());
        } else {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
            }
            fs::write(&path, wanted).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("generated code is stale: {}\nrun: {COMMAND}", stale.join(", ")))
}

/// Formats with the workspace's rustfmt.toml, so that `cargo fmt --check` has nothing to say.
fn rustfmt(root: &Path, file: &Generated) -> Result<String, String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("rustfmt does not start: {e} (rustup component add rustfmt)"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no standard input")?;
    let text = file.text.clone();
    // A thread feeds it: rustfmt may start to write before it has read everything.
    let feeder = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|e| format!("rustfmt: {e}"))?;
    let fed = feeder.join().map_err(|_| "the thread that feeds rustfmt panicked")?;
    fed.map_err(|e| format!("rustfmt does not read: {e}"))?;
    if !output.status.success() {
        return Err(format!("rustfmt refuses the text generated for {}", file.path.display()));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("rustfmt: {e}"))
}
