//! The command line, as clap reads it.

pub(crate) mod account;
pub(crate) mod client;
pub(crate) mod db;
pub(crate) mod kmip;
pub(crate) mod omadm;
pub(crate) mod proxy;
mod span;
pub(crate) mod taxii;

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::{
    config::TlsBackend,
    output::{Format, Output},
};
pub(crate) use span::Span;

/// Application protocols that ride on HTTP: a server, clients and tools. KMIP comes first.
#[derive(Debug, Parser)]
#[command(name = "bindery", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 the peer answered with a failure of the \
protocol; 2 usage; 3 connection or TLS failure; 4 not authorised; 5 something could not be \
decoded; 10 the server could not start.";

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// The form of the output.
    #[arg(short, long, global = true, env = "BINDERY_OUTPUT", value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Say more: -v shows exchanges decoded, -vv their octets too and logs, -vvv more logs.
    /// RUST_LOG beats it for logs.
    #[arg(short, long, global = true, env = "BINDERY_VERBOSE", action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Show key material, which is hidden otherwise.
    #[arg(long, global = true, env = "BINDERY_SHOW_SECRETS")]
    pub(crate) show_secrets: bool,
}

impl Global {
    /// How to print.
    pub(crate) const fn output(&self) -> Output {
        Output { format: self.output, show_secrets: self.show_secrets, verbose: self.verbose }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a temporary server and a client against it over real mutual TLS, step by step.
    ///
    /// Exits 0 only if every step gave the right answer. Needs no files and leaves none.
    Demo(DemoArgs),
    /// Run a server for development: makes its certificates, keys and store in a directory.
    ///
    /// Not for production: the CA's key lies beside the data.
    Dev(DevArgs),
    /// Run the server.
    ///
    /// SIGTERM and SIGINT stop it: requests under way are finished, within a deadline. What it
    /// serves stands in the configuration file; `bindery config init` prints one.
    Serve(ServeArgs),
    /// Speak KMIP with a server.
    Kmip(Box<kmip::KmipArgs>),
    /// Look after managed devices: register them, queue commands, see what came back.
    Omadm(Box<omadm::OmadmArgs>),
    /// Speak TAXII with a server.
    Taxii(Box<taxii::TaxiiArgs>),
    /// Turn a message from one form into another, exactly.
    Convert(ConvertArgs),
    /// Print a message as a readable tree with offsets.
    ///
    /// Takes TTLV, as octets, in hexadecimal digits, in XML or in JSON; WBXML; XML; and captures of
    /// `omadm simulate --capture`. SyncML's codes are explained, TAXII messages checked. On bad input it says the place and what was
    /// expected.
    Decode(DecodeArgs),
    /// Show TLS policies, and what servers negotiate.
    #[command(subcommand)]
    Tls(TlsCommand),
    /// Show the profile cards: how each protocol uses HTTP.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Run a tunnelling proxy: CONNECT to allowed ports, and on request requests for http URLs.
    ///
    /// SIGTERM and SIGINT stop it: tunnels may go on until a deadline.
    Proxy(Box<proxy::ProxyArgs>),
    /// Look after the server's store: migrate, check, back up, restore, change its key.
    Db(db::DbArgs),
    /// Look after accounts that prove a password over HTTP.
    Account(account::AccountArgs),
    /// Make or check the server's configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a shell's completion script.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write the pages of all commands into a directory.
    Man {
        /// The directory.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Ask a server's admin listener whether it is ready.
    Health(HealthArgs),
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The TLS policy of server and client.
    #[arg(long, env = "BINDERY_TLS_POLICY", default_value = "kmip", value_name = "NAME")]
    pub(crate) tls_policy: String,
}

/// Options of `dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Where certificates, keys, the store and the client context are kept.
    #[arg(long, env = "BINDERY_DATA", default_value = ".bindery-dev", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Where to listen; port 0 picks a free one.
    #[arg(
        long,
        env = "BINDERY_LISTEN",
        default_value = "127.0.0.1:8443",
        value_name = "ADDR:PORT"
    )]
    pub(crate) listen: SocketAddr,
    /// Where the admin listener stands [default: the next port, on 127.0.0.1].
    #[arg(long, env = "BINDERY_ADMIN", value_name = "ADDR:PORT")]
    pub(crate) admin: Option<SocketAddr>,
    /// The TLS policy.
    #[arg(long, env = "BINDERY_TLS_POLICY", default_value = "kmip", value_name = "NAME")]
    pub(crate) tls_policy: String,
    #[command(flatten)]
    pub(crate) ready: ReadyArgs,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file.
    #[arg(long, env = "BINDERY_CONFIG", default_value = "bindery.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) ready: ReadyArgs,
}

/// How a script learns that the server is up.
#[derive(Debug, Default, Args)]
pub(crate) struct ReadyArgs {
    /// Write a JSON object with the addresses and the process id to this file once ready.
    #[arg(long, env = "BINDERY_READY_FILE", value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

/// The forms of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// TTLV, octets.
    Ttlv,
    /// TTLV in hexadecimal digits; white space is ignored.
    TtlvHex,
    /// TTLV in XML.
    TtlvXml,
    /// TTLV in JSON.
    TtlvJson,
    /// WBXML, octets.
    Wbxml,
    /// XML: what WBXML stands for.
    Xml,
}

/// Options of `convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The form of the input.
    #[arg(long, env = "BINDERY_FROM", value_enum, value_name = "FORM")]
    #[arg(required_unless_present = "list_languages")]
    pub(crate) from: Option<Form>,
    /// The form of the output. The forms of TTLV turn into each other, and so do WBXML and XML.
    #[arg(long, env = "BINDERY_TO", value_enum, value_name = "FORM")]
    #[arg(required_unless_present = "list_languages")]
    pub(crate) to: Option<Form>,
    /// The WBXML language by its name, such as syncml12, or one of your own in a file NAME.toml
    /// [default: what the document says].
    ///
    /// Such a file has the document element (root), and tables with tokens as numbers: [[tag]]
    /// page, token, name, form (text, base64, by-type, date-time, wv-date-time, wv-integer);
    /// [[attribute]] page, token, name, value; [[value]] page, token, text; [[extension]] number,
    /// text; [[namespace]] page, name. Optional: number, fpi, system_id, id, page (0), form (text).
    #[arg(long, env = "BINDERY_WBXML_LANG", value_name = "NAME")]
    pub(crate) lang: Option<String>,
    /// List the WBXML languages instead.
    #[arg(long, env = "BINDERY_LIST_LANGUAGES", conflicts_with_all = ["from", "to", "lang"])]
    pub(crate) list_languages: bool,
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

/// Options of `decode`.
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// The form of the input [default: recognised].
    #[arg(long, env = "BINDERY_FROM", value_enum, value_name = "FORM")]
    pub(crate) from: Option<Form>,
    /// The WBXML language by its name, or one of your own in a file NAME.toml, as for convert
    /// [default: what the document says].
    #[arg(long, env = "BINDERY_WBXML_LANG", value_name = "NAME")]
    pub(crate) lang: Option<String>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

/// A message from a file or standard input.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Accept the deviations that real peers are known for.
    #[arg(long, env = "BINDERY_LENIENT")]
    pub(crate) lenient: bool,
    /// The file; `-` is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `tls`.
#[derive(Debug, Subcommand)]
pub(crate) enum TlsCommand {
    /// List the policies, or show one: versions, suites, groups, and why each is in or out.
    ///
    /// A policy of your own is a table [tls.policy.NAME] of the server's configuration file; with
    /// --config it counts here too. --keys shows every key that such a table may have, as an example
    /// that is good as it stands.
    Policy {
        /// The policy to show.
        name: Option<String>,
        /// Show every key of a policy of your own, with its meaning.
        #[arg(long, exclusive = true)]
        keys: bool,
        /// Say only what becomes of these suites, by IANA's or OpenSSL's name.
        #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "name")]
        suite: Vec<String>,
        /// The library that would serve it.
        #[arg(long, env = "BINDERY_TLS_BACKEND", value_enum, default_value_t)]
        tls_backend: TlsBackend,
        /// The configuration file whose policies count too.
        #[arg(long, env = "BINDERY_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Connect to a TLS port, say what was negotiated, and what a policy says of it.
    ///
    /// Whoever answers is taken for the server: its certificate is shown, not checked. Exits with 3
    /// if the policy does not permit what was negotiated.
    Probe(Box<ProbeArgs>),
}

/// How a connection that begins in clear becomes TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StartTls {
    /// An HTTP/1.1 upgrade (RFC 2817, 3.1).
    Http,
}

/// Options of `tls probe`.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The server, as HOST:PORT [default: that of the context's URL].
    #[arg(value_name = "HOST:PORT", required_unless_present_any = ["context", "context_file"])]
    pub(crate) server: Option<String>,
    /// The policy that judges [default: the context's, or modern].
    #[arg(long, env = "BINDERY_TLS_POLICY", value_name = "NAME")]
    pub(crate) tls_policy: Option<String>,
    /// Try each version, suite and group that this program has, one handshake each.
    #[arg(long)]
    pub(crate) scan: bool,
    /// Begin in clear and ask for an upgrade to TLS: `http` as RFC 2817 says.
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub(crate) starttls: Option<StartTls>,
    /// The library that does TLS.
    #[arg(long, env = "BINDERY_TLS_BACKEND", value_enum, default_value_t)]
    pub(crate) tls_backend: TlsBackend,
    /// The file whose first pre-shared key is used, as psktool writes it; needs OpenSSL.
    #[arg(long, env = "BINDERY_PSK_FILE", value_name = "FILE")]
    pub(crate) psk_file: Option<PathBuf>,
    /// Our own certificate chain (PEM), for a server that asks.
    #[arg(long, env = "BINDERY_CERT", value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key (PEM) of our own certificate.
    #[arg(long, env = "BINDERY_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The file whose first line is the passphrase of an encrypted private key.
    #[arg(long, env = "BINDERY_KEY_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,
    /// The proxy that leads to the server, such as http://proxy.example.com:3128; given more than once (or with commas
    /// between), each is reached through the one before it; `none` for no proxy [default: the context's, or what
    /// https_proxy and no_proxy say].
    #[arg(long, env = "BINDERY_PROXY", value_delimiter = ',', value_name = "URL")]
    pub(crate) proxy: Vec<String>,
    #[command(flatten)]
    pub(crate) proxy_login: client::ProxyLogin,
    /// The name of the context whose server, certificate, policy and proxies are taken where no option says otherwise.
    #[arg(long, env = "BINDERY_CONTEXT", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The file of contexts [default: .bindery-dev/contexts.toml here, then
    /// bindery/contexts.toml in the user's configuration directory].
    #[arg(long, env = "BINDERY_CONTEXT_FILE", value_name = "FILE")]
    pub(crate) context_file: Option<PathBuf>,
    /// How long to wait for each handshake [default: the context's, or 10s].
    #[arg(long, env = "BINDERY_TIMEOUT", value_name = "SPAN")]
    pub(crate) timeout: Option<Span>,
    /// The configuration file whose policies count too.
    #[arg(long, env = "BINDERY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles.
    List,
    /// Show a profile's card.
    Show {
        /// The profile's name.
        name: String,
    },
}

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a configuration file with every key, its meaning and its default.
    Init,
    /// Check a configuration file and everything that it names, without starting.
    Check {
        /// The file.
        #[arg(env = "BINDERY_CONFIG", default_value = "bindery.toml")]
        file: PathBuf,
    },
}

/// Options of `health`.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The admin listener.
    #[arg(long, env = "BINDERY_ADMIN", default_value = "127.0.0.1:8444", value_name = "ADDR:PORT")]
    pub(crate) admin: SocketAddr,
    /// How long to wait for the answer.
    #[arg(long, env = "BINDERY_TIMEOUT", default_value = "5s", value_name = "SPAN")]
    pub(crate) timeout: Span,
}

/// Gives every option an environment variable: those that have none get `BINDERY_`, the commands
/// above, and the option's name, such as `BINDERY_KMIP_CREATE_ALG`.
pub(crate) fn environment(command: clap::Command) -> clap::Command {
    let command = with_environment(command, "BINDERY");
    // Neither has anything that may go in clear.
    ["kmip", "taxii"].into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |one| one.mut_arg("upgrade", client::all_or_nothing))
    })
}

// As deep as the commands nest.
fn with_environment(command: clap::Command, prefix: &str) -> clap::Command {
    let command = command.mut_args(|arg| {
        let reserved = matches!(arg.get_id().as_str(), "help" | "version");
        match arg.get_long() {
            Some(long) if !reserved && arg.get_env().is_none() => {
                let name = format!("{prefix}_{long}").to_uppercase().replace('-', "_");
                arg.env(name)
            }
            _ => arg,
        }
    });
    command.mut_subcommands(|sub| {
        let prefix = format!("{prefix}_{}", sub.get_name());
        with_environment(sub, &prefix)
    })
}

/// The output form that an unreadable command line asks for, so that its error comes in that form.
pub(crate) fn asked_format() -> Option<Format> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut asked = std::env::var("BINDERY_OUTPUT").ok();
    for (position, argument) in arguments.iter().enumerate() {
        let value = match argument.as_str() {
            "-o" | "--output" => arguments.get(position + 1).cloned(),
            "--" => break,
            other => {
                let attached = other.strip_prefix("--output=").or_else(|| {
                    other.strip_prefix("-o").map(|value| value.trim_start_matches('='))
                });
                attached.map(str::to_owned)
            }
        };
        asked = value.or(asked);
    }
    asked.and_then(|value| Format::from_str(&value, true).ok())
}

/// clap's error without its colours, usage and line breaks.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        environment(Cli::command()).debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable_of_ours() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
                if matches!(arg.get_id().as_str(), "help" | "version") {
                    continue;
                }
                let name = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert!(name.starts_with("BINDERY_"), "{}: {}", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&environment(Cli::command()));
    }
}
