//! Completion scripts and manual pages, made from the command line's own definition.

use std::path::Path;

use clap::CommandFactory;

use crate::{
    args::{self, Cli},
    error::{Failure, Result},
    output::write_stdout,
};

/// Prints a shell's completion script.
///
/// # Errors
/// Writing failed.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bindery", &mut script);
    write_stdout(&script)
}

/// Prints the program's manual page, or writes the pages of all commands into a directory.
///
/// # Errors
/// Writing failed.
pub(crate) fn pages(folder: Option<&Path>) -> Result<()> {
    let command = args::environment(Cli::command());
    match folder {
        Some(folder) => clap_mangen::generate_to(command, folder).map_err(|error| {
            Failure::usage(format!("cannot write the pages to {}: {error}", folder.display()))
                .hint("name a directory that exists and can be written")
        }),
        None => {
            let mut page = Vec::new();
            // Writing to memory does not fail.
            let _ = clap_mangen::Man::new(command).render(&mut page);
            write_stdout(&page)
        }
    }
}
