//! Logs: on standard error, never with secrets.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::LogFormat,
    error::{Exit, Failure, Layer, Result},
};

/// Starts logging. RUST_LOG beats the level that is given.
///
/// # Errors
/// The directives cannot be read.
pub(crate) fn start(level: &str, format: LogFormat) -> Result<()> {
    let directives = std::env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
    let source = if directives.is_some() { "RUST_LOG" } else { "log.level" };
    let directives = directives.unwrap_or_else(|| level.to_owned());
    let filter = EnvFilter::try_new(&directives).map_err(|error| {
        Failure::new(Exit::Usage, Layer::Config, format!("{source}: {error}"))
            .hint("write a level (error, warn, info, debug, trace) or TARGET=LEVEL,..")
    })?;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    // A second call has no effect: the first one's subscriber stays.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}

/// The level of a client command's logs, from how often -v was given.
pub(crate) const fn level(verbose: u8) -> &'static str {
    match verbose {
        0 => "error",
        1 => "warn",
        2 => "info",
        3 => "debug",
        _ => "trace",
    }
}

/// The level of a development server's logs, from how often -v was given.
pub(crate) const fn server_level(verbose: u8) -> &'static str {
    match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    }
}
