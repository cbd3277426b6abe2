//! The command line of `bindery account`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `account`.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The file of accounts [default: the one that the configuration names].
    #[arg(long, global = true, env = "BINDERY_ACCOUNTS", value_name = "FILE")]
    pub(crate) accounts: Option<PathBuf>,
    /// The server's configuration file, whose table [accounts] names the file and the realm.
    #[arg(
        long,
        global = true,
        env = "BINDERY_CONFIG",
        default_value = "bindery.toml",
        value_name = "FILE"
    )]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) verb: AccountVerb,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountVerb {
    /// Give an account a password: a new account, or a new password.
    ///
    /// A running server takes the change at SIGHUP.
    Set {
        /// The user name.
        user: String,
        /// The file whose first line is the password; `-` is standard input.
        #[arg(long, env = "BINDERY_PASSWORD_FILE", value_name = "FILE")]
        password_file: PathBuf,
        /// The account that services know, such as that of a certificate [default: the user name].
        #[arg(long, value_name = "NAME")]
        principal: Option<String>,
        /// What the password is for: Basic keeps a hash of it, Digest what is as good as the password.
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [SchemeName::Basic])]
        scheme: Vec<SchemeName>,
        /// The realm of Digest [default: the configuration's].
        #[arg(long, value_name = "NAME")]
        realm: Option<String>,
    },
    /// Take an account away.
    Remove {
        /// The user name.
        user: String,
    },
    /// List the accounts.
    List,
}

/// A way to prove a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemeName {
    /// Basic, over TLS.
    Basic,
    /// Digest with SHA-256.
    DigestSha256,
    /// Digest with MD5, for clients that have nothing newer.
    DigestMd5,
}
