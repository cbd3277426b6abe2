//! Sends a given number of requests over a kept connection, for a profiler or an instruction counter: the README shows how.
//!
//! `http_echo_once bindery|hyper|canned clear|tls OCTETS COUNT`; with COUNT 0 it only prepares, so that its count can be
//! subtracted.

use std::process::ExitCode;

use bindery_benches::http::{Kept, Who};
use bindery_benches::tls::Failed;

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
    eprintln!("usage: http_echo_once bindery|hyper|canned clear|tls OCTETS COUNT");
    ExitCode::FAILURE
}

/// Whether the arguments were right and every request was answered.
fn run(arguments: &[&str]) -> Result<bool, Failed> {
    let [who, channel, octets, count] = *arguments else { return Ok(false) };
    let who = match who {
        "bindery" => Who::Bindery,
        "hyper" => Who::Hyper,
        _ => Who::Canned,
    };
    let mut kept = Kept::open(who, channel == "tls", octets.parse()?)?;
    for _ in 0..count.parse::<u32>()? {
        kept.exchange()?;
    }
    Ok(true)
}
