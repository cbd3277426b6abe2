//! Makes a given number of TLS connections, for a profiler or an instruction counter: the README shows how.
//!
//! `tls_handshake_once bindery|rustls tls12|tls13 full|resumed COUNT`; with COUNT 0 it only prepares, so that its count
//! can be subtracted.

use std::process::ExitCode;

use bindery_benches::tls::{Bare, Failed, Ours, World};
use bindery_core::TlsVersion;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        _ => usage(),
    }
}

#[expect(clippy::print_stderr, reason = "this is a program")]
fn usage() -> ExitCode {
    eprintln!("usage: tls_handshake_once bindery|rustls tls12|tls13 full|resumed COUNT");
    ExitCode::FAILURE
}

/// Whether the arguments were right and every connection was what it was meant to be.
fn run(arguments: &[&str]) -> Result<bool, Failed> {
    let [implementation, version, kind, count] = *arguments else { return Ok(false) };
    let version = if version == "tls12" { TlsVersion::TLS_1_2 } else { TlsVersion::TLS_1_3 };
    let (resumed, count) = (kind == "resumed", count.parse::<u32>()?);
    let world = World::new()?;
    // Both are set up, so that what is subtracted is the same.
    let ours = Ours::new(&world, version, resumed)?;
    let bare = Bare::new(&world, version, resumed)?;
    let once = || match implementation {
        "bindery" => ours.connection(),
        _ => bare.connection(),
    };
    once()?;
    for _ in 0..count {
        if once()? != resumed {
            return Ok(false);
        }
    }
    Ok(true)
}
