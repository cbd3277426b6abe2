//! Automation of the workspace, called as `cargo xtask` (an alias in `.cargo/config.toml`).
//!
//! Needs cargo and rustc, and git; what a command needs beyond that it says, and installs nothing unless told to.
//! Progress goes to standard error, results to standard output.

mod bench;
mod ci;
mod codegen;
mod conformance;
mod fuzz;
mod interop;
mod oasis;
mod output;
mod process;
mod source;
mod tidy;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Automation of the bindery workspace
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the jobs of continuous integration, all or those named
    Ci(ci::Options),
    /// Write the Rust that is generated from the registry tables
    Codegen {
        /// Write nothing; fail when a file is stale
        #[arg(long)]
        check: bool,
    },
    /// Check what neither the compiler nor clippy checks (rules in xtask/tidy.toml)
    Tidy,
    /// Report which requirement rows are proved by tests that ran and passed
    Conformance(conformance::Options),
    /// Run bindery against software by others; exit status 2 when it is not installed
    #[command(after_help = format!("Peers:\n{}", interop::list()))]
    Interop {
        /// The peer
        name: String,
        #[command(flatten)]
        settings: interop::Settings,
    },
    /// Read the OASIS test cases of KMIP into types and every form, and back
    Oasis(oasis::Options),
    /// Run the benchmarks and print ours beside each peer, as a ratio
    Bench(bench::Options),
    /// Run a fuzz target from its checked-in corpus and write fuzz/records/TARGET.json
    Fuzz(fuzz::Options),
}

/// A peer that was asked for by name is not installed.
const SKIPPED: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = root();
    let result = match &arguments.command {
        Task::Ci(options) => ci::run(&root, options),
        Task::Codegen { check } => codegen::run(&root, *check),
        Task::Tidy => tidy::run(&root),
        Task::Conformance(options) => conformance::run(&root, options),
        Task::Interop { name, settings } => match interop::run(&root, name, settings) {
            Ok(interop::Ending::Skipped(_)) => return ExitCode::from(SKIPPED),
            Ok(interop::Ending::Passed) => Ok(()),
            Err(error) => Err(error),
        },
        Task::Oasis(options) => oasis::run(&root, options),
        Task::Bench(options) => bench::run(&root, options),
        Task::Fuzz(options) => fuzz::run(&root, options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(error);
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace: the folder above this crate's.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new(".")).to_owned()
}
