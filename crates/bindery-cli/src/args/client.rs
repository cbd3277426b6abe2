//! Options that every client command has.

use std::path::PathBuf;

use bindery_transport::UpgradeMode;
use clap::{
    Arg, Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use serde::{Deserialize, Serialize};

use super::Span;
use crate::{
    config::TlsBackend,
    error::{Failure, Result},
};

/// Where the server is, who we are, and how to talk.
///
/// An option beats its environment variable, which beats the context, which beats the
/// configuration file's `[client]`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ClientArgs {
    /// The server, such as https://kmip.example.com:5696/kmip.
    #[arg(long, global = true, env = "BINDERY_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The certificates (PEM) of the authorities that may have signed the server's.
    #[arg(long, global = true, env = "BINDERY_CACERT", value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Our own certificate chain (PEM).
    #[arg(long, global = true, env = "BINDERY_CERT", value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key (PEM) of our own certificate.
    #[arg(long, global = true, env = "BINDERY_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The file whose first line is the passphrase of an encrypted private key.
    #[arg(long, global = true, env = "BINDERY_KEY_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,
    /// The user name for HTTP authentication.
    #[arg(long, global = true, env = "BINDERY_USER", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The file whose first line is the password of the user; `-` is standard input.
    #[arg(long, global = true, env = "BINDERY_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Do not check the server's certificate. Dangerous: whoever answers gets what is sent.
    #[arg(long, global = true, env = "BINDERY_INSECURE")]
    pub(crate) insecure: bool,
    /// The TLS policy.
    #[arg(long, global = true, env = "BINDERY_TLS_POLICY", value_name = "NAME")]
    pub(crate) tls_policy: Option<String>,
    /// Only these of the policy's cipher suites, by IANA name; may be given more than once.
    #[arg(long = "suite", global = true, env = "BINDERY_SUITE", value_delimiter = ',')]
    #[arg(value_name = "NAME")]
    pub(crate) suites: Vec<String>,
    /// The library that does TLS.
    #[arg(long, global = true, env = "BINDERY_TLS_BACKEND", value_enum, default_value_t)]
    pub(crate) tls_backend: TlsBackend,
    /// The file whose first pre-shared key is used, as psktool writes it; needs OpenSSL.
    #[arg(long, global = true, env = "BINDERY_PSK_FILE", value_name = "FILE")]
    pub(crate) psk_file: Option<PathBuf>,
    /// Whether a connection to an http URL becomes TLS (RFC 2817) [default: never].
    #[arg(long, global = true, env = "BINDERY_UPGRADE", value_enum, value_name = "MODE")]
    pub(crate) upgrade: Option<UpgradeName>,
    /// The proxy that leads to the server, such as http://proxy.example.com:3128; given more than once (or with commas
    /// between), each is reached through the one before it; `none` for no proxy [default: what https_proxy, http_proxy and
    /// no_proxy say].
    #[arg(long, global = true, env = "BINDERY_PROXY", value_delimiter = ',', value_name = "URL")]
    pub(crate) proxy: Vec<String>,
    #[command(flatten)]
    pub(crate) proxy_login: ProxyLogin,
    /// The longest time for the whole exchange, connecting included.
    #[arg(long, global = true, env = "BINDERY_TIMEOUT", value_name = "SPAN")]
    pub(crate) timeout: Option<Span>,
    /// The name of the context: client settings in a file.
    #[arg(long, global = true, env = "BINDERY_CONTEXT", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The file of contexts [default: .bindery-dev/contexts.toml here, then
    /// bindery/contexts.toml in the user's configuration directory].
    #[arg(long, global = true, env = "BINDERY_CONTEXT_FILE", value_name = "FILE")]
    pub(crate) context_file: Option<PathBuf>,
    /// The configuration file of which [client] is read.
    #[arg(long, global = true, env = "BINDERY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the HTTP request and the decoded body, and send nothing.
    #[arg(long, global = true, env = "BINDERY_DRY_RUN")]
    pub(crate) dry_run: bool,
    /// Print a curl command that does the same, and send nothing.
    #[arg(long, global = true, env = "BINDERY_CURL", conflicts_with = "dry_run")]
    pub(crate) curl: bool,
}

/// Who we are to the proxies.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ProxyLogin {
    /// The user name for the proxies.
    #[arg(long, global = true, env = "BINDERY_PROXY_USER", value_name = "NAME")]
    pub(crate) proxy_user: Option<String>,
    /// The file whose first line is the password for the proxies; `-` is standard input.
    #[arg(long, global = true, env = "BINDERY_PROXY_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) proxy_password_file: Option<PathBuf>,
    /// Take Basic where a proxy asks for it. Dangerous: proxies are reached in clear, so whoever listens on the way there
    /// has the password.
    #[arg(long, global = true, env = "BINDERY_DANGEROUS_PROXY_BASIC")]
    pub(crate) dangerous_proxy_basic: bool,
}

/// Whether a connection to an http URL becomes TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UpgradeName {
    /// It does not.
    #[default]
    Never,
    /// It is offered, and answers in clear are taken: only for what everybody may read and change.
    Optional,
    /// It is asked for before anything else, and nothing is sent without it.
    Required,
}

/// The option `--upgrade` of a protocol that has nothing to say in clear.
pub(crate) fn all_or_nothing(arg: Arg) -> Arg {
    let modes = [UpgradeName::Never, UpgradeName::Required];
    let names = modes.iter().filter_map(ValueEnum::to_possible_value);
    arg.value_parser(
        PossibleValuesParser::new(names).try_map(|name| UpgradeName::from_str(&name, false)),
    )
}

impl UpgradeName {
    /// The same in the words of the transport.
    pub(crate) const fn mode(self) -> UpgradeMode {
        match self {
            Self::Never => UpgradeMode::Never,
            Self::Optional => UpgradeMode::Optional,
            Self::Required => UpgradeMode::Required,
        }
    }
}

impl ClientArgs {
    /// Refuses what asks for nothing to be sent, for a verb whose messages follow from what others say.
    ///
    /// # Errors
    /// `--dry-run` or `--curl`.
    pub(crate) fn sends(&self, what: &str) -> Result<()> {
        if self.dry_run || self.curl {
            let reason = format!("--dry-run and --curl show nothing of {what}");
            return Err(Failure::usage(reason).hint("what it sends follows from what comes"));
        }
        Ok(())
    }
}
