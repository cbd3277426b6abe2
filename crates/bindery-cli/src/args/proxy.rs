//! The command line of `bindery proxy`.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use bindery_transport::{Network, Tunnels};
use clap::{Args, ValueEnum};

use super::{ReadyArgs, Span};

/// Options of `proxy`.
#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// Where to listen; port 0 picks a free one.
    #[arg(
        long,
        env = "BINDERY_LISTEN",
        default_value = "127.0.0.1:3128",
        value_name = "ADDR:PORT"
    )]
    pub(crate) listen: SocketAddr,
    /// The ports that it leads to.
    #[arg(long, value_delimiter = ',', default_values_t = Tunnels::PORTS, value_name = "PORT")]
    pub(crate) allow_port: Vec<u16>,
    /// The networks that it leads to beside public addresses: an address or a prefix, such as 10.1.0.0/16. Without it no
    /// loopback, link-local or private address is led to, whatever name it has.
    #[arg(long, value_delimiter = ',', value_name = "NETWORK")]
    pub(crate) allow_address: Vec<Network>,
    /// Forward requests for http URLs too, and not only tunnels.
    #[arg(long)]
    pub(crate) forward: bool,
    /// The proxy behind this one; given more than once, each is reached through the one before it.
    #[arg(long, value_delimiter = ',', value_name = "URL")]
    pub(crate) next: Vec<String>,
    /// The user name for the proxies behind this one.
    #[arg(long, value_name = "NAME")]
    pub(crate) next_user: Option<String>,
    /// The file whose first line is the password for the proxies behind this one.
    #[arg(long, value_name = "FILE")]
    pub(crate) next_password_file: Option<PathBuf>,
    /// The file of accounts that may use it, as `bindery account set` writes it. SIGHUP does not read it anew.
    #[arg(long, env = "BINDERY_ACCOUNTS", value_name = "FILE")]
    pub(crate) accounts: Option<PathBuf>,
    /// The realm that clients are told; Digest's secrets hold for one realm.
    #[arg(long, default_value = "bindery", value_name = "NAME")]
    pub(crate) realm: String,
    /// How clients may prove an account.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ProxyScheme::Digest])]
    pub(crate) auth: Vec<ProxyScheme>,
    /// Whoever reaches it may use it, though others than this machine do. Dangerous: an open proxy.
    #[arg(long)]
    pub(crate) dangerous_open: bool,
    /// Connections at once.
    #[arg(long, default_value = "1024", value_name = "N")]
    pub(crate) connections: NonZeroUsize,
    /// Connecting to a server, its name's resolving included.
    #[arg(long, default_value = "10s", value_name = "SPAN")]
    pub(crate) connect: Span,
    /// A tunnel without an octet in either direction.
    #[arg(long, default_value = "10m", value_name = "SPAN")]
    pub(crate) idle: Span,
    /// A tunnel's age.
    #[arg(long, default_value = "24h", value_name = "SPAN")]
    pub(crate) age: Span,
    /// How long tunnels may go on when it is told to stop.
    #[arg(long, default_value = "30s", value_name = "SPAN")]
    pub(crate) drain: Span,
    #[command(flatten)]
    pub(crate) ready: ReadyArgs,
}

/// A way to prove an account to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProxyScheme {
    /// Digest.
    Digest,
    /// Basic, in clear: whoever listens has the password.
    DangerousBasic,
}
