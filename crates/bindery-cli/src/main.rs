//! The `bindery` program: server, clients and tools for protocols that ride on HTTP.

mod account;
mod args;
mod config;
mod context;
mod db;
mod decode;
mod demo;
mod dev;
mod error;
mod files;
mod health;
mod kmip;
mod lock;
mod log;
mod manual;
mod omadm;
mod output;
mod preview;
mod profile;
mod proxy;
mod serve;
mod server;
mod settings;
mod taxii;
mod tls;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, error::ErrorKind};

use crate::{
    args::{Cli, Command, ConfigCommand, ProfileCommand},
    error::{Exit, Failure, Layer, Result},
    output::Format,
};

fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let output = cli.global.output();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure, output.format);
            failure.exit.into()
        }
    }
}

/// Reads the command line; help, version and usage errors end here.
fn parse() -> Result<Cli, ExitCode> {
    let command = args::environment(Cli::command());
    let read = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    read.map_err(|error| {
        let informs = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if informs || args::asked_format() != Some(Format::Json) {
            // Nothing can be told where the stream itself is gone.
            let _ = error.print();
        } else {
            let failure = Failure::usage(args::one_line(&error)).hint("see bindery --help");
            tell(&failure, Format::Json);
        }
        if informs { ExitCode::SUCCESS } else { Exit::Usage.into() }
    })
}

fn run(cli: Cli) -> Result<()> {
    let output = cli.global.output();
    match cli.command {
        Command::Convert(args) => decode::convert(&args, &output),
        Command::Decode(args) => decode::decode(&args, &output),
        Command::Profile(ProfileCommand::List) => profile::list(&output),
        Command::Profile(ProfileCommand::Show { name }) => profile::show(&name, &output),
        Command::Config(ConfigCommand::Init) => output::write_stdout(config::TEMPLATE.as_bytes()),
        Command::Config(ConfigCommand::Check { file }) => serve::check(&file, &output),
        Command::Demo(args) => on_threads(demo::run(&args, output)),
        Command::Dev(args) => on_threads(dev::run(&args, output)),
        Command::Serve(args) => on_threads(serve::run(&args, output)),
        Command::Proxy(args) => on_threads(proxy::run(&args, output)),
        Command::Db(args) => on_one_thread(db::run(&args, &output)),
        Command::Account(args) => account::run(&args, &output),
        Command::Health(args) => on_one_thread(health::run(&args, &output)),
        Command::Kmip(args) => {
            log::start(log::level(cli.global.verbose), config::LogFormat::Text)?;
            on_one_thread(kmip::run(&args, output))
        }
        Command::Omadm(args) => on_one_thread(omadm::run(&args, &output)),
        Command::Taxii(args) => {
            log::start(log::level(cli.global.verbose), config::LogFormat::Text)?;
            on_one_thread(taxii::run(&args, output))
        }
        Command::Tls(command) => on_one_thread(tls::run(command, output)),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { dir } => manual::pages(dir.as_deref()),
    }
}

/// Runs a client's command, which has no use for more threads.
fn on_one_thread(command: impl Future<Output = Result<()>>) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().map_err(|error| no_runtime(&error))?.block_on(command)
}

/// Runs a server's command.
fn on_threads(command: impl Future<Output = Result<()>>) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().map_err(|error| no_runtime(&error))?.block_on(command)
}

fn no_runtime(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Start, Layer::Usage, format!("the runtime does not start: {error}"))
        .hint("check the limits on open files and threads")
}

/// Tells why a command failed, on standard error.
fn tell(failure: &Failure, format: Format) {
    if format == Format::Json {
        output::note(&failure.to_json().to_string());
        return;
    }
    let style = anstyle::AnsiColor::Red.on_default().bold();
    output::note(&format!("{style}error:{style:#} {}", output::clean_lines(&failure.message)));
    if let Some(hint) = &failure.hint {
        output::note(&format!("  hint: {}", output::clean_lines(hint)));
    }
}
