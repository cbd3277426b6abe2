//! `bindery omadm`: devices, their queues and their results.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{client::ClientArgs, db::PlaceArgs};

/// `omadm`.
#[derive(Debug, Args)]
pub(crate) struct OmadmArgs {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs. Those that look after devices work on the server's store, also while the server runs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the devices, or register, change and remove one.
    Devices(DevicesArgs),
    /// Queue a command for a device, or list its queue.
    Queue(QueueArgs),
    /// List what came back from a device.
    Results {
        #[command(flatten)]
        place: PlaceArgs,
        /// The device; with `*` at its end all whose identifiers begin so.
        device: String,
        /// Only what answers this command.
        #[arg(long, value_name = "ID")]
        command: Option<String>,
        /// Only what stands behind this position.
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        after: u64,
        /// The most rows, of each device.
        #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
        limit: usize,
    },
    /// Write the octets of a notification (package 0) that makes a device begin a session.
    Notify(NotifyArgs),
    /// Be a device, or a fleet of them: each runs a whole session with a server.
    ///
    /// A device answers from a management tree: ./DevInfo, ./DevDetail, and what --tree names. With several devices
    /// each has its own tree, and the summary tells latencies. -v shows each message decoded; --dry-run and --curl show
    /// the first one and send nothing.
    Simulate(Box<SimulateArgs>),
}

/// Options of `devices`.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Register this device, or give it other credentials.
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["remove", "lock", "unlock"])]
    pub(crate) register: Option<String>,
    /// Remove this device, with its queue and results.
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["lock", "unlock"])]
    pub(crate) remove: Option<String>,
    /// Let this device have no sessions.
    #[arg(long, value_name = "DEVICE", conflicts_with = "unlock")]
    pub(crate) lock: Option<String>,
    /// Let this device have sessions again.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) unlock: Option<String>,
    /// The account that manages the device [default: the device's own].
    #[arg(long, requires = "register", value_name = "ACCOUNT")]
    pub(crate) owner: Option<String>,
    /// The name by which the device proves itself [default: the device].
    #[arg(long, requires = "register", value_name = "NAME")]
    pub(crate) client_name: Option<String>,
    /// The file whose first line is the device's password; `-` is standard input. Without it the channel proves who
    /// the device is.
    #[arg(long, requires = "register", value_name = "FILE")]
    pub(crate) client_password_file: Option<PathBuf>,
    /// The name by which the server proves itself to the device.
    #[arg(long, requires = "server_password_file", value_name = "NAME")]
    pub(crate) server_name: Option<String>,
    /// The file whose first line is the server's password at the device.
    #[arg(long, requires = "server_name", value_name = "FILE")]
    pub(crate) server_password_file: Option<PathBuf>,
}

/// Options of `queue`.
#[derive(Debug, Args)]
pub(crate) struct QueueArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// The device; with `*` at its end all whose identifiers begin so.
    pub(crate) device: String,
    /// The command; without one, the queue is listed.
    #[arg(value_enum)]
    pub(crate) command: Option<CommandName>,
    /// The node, such as ./DevDetail/SwV.
    #[arg(requires = "command", value_name = "URI")]
    pub(crate) uri: Option<String>,
    /// The value; `@FILE` takes it from a file.
    #[arg(requires = "uri", value_name = "VALUE")]
    pub(crate) value: Option<String>,
    /// The value's format: chr, int, bool, node, xml, b64, bin.
    #[arg(long, requires = "value", value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// The value's media type.
    #[arg(long, requires = "value", value_name = "TYPE")]
    pub(crate) media_type: Option<String>,
    /// What tells the command from others that mean the same: while one with this key is open, no other is taken.
    #[arg(long = "dedup-key", requires = "command", value_name = "TEXT")]
    pub(crate) dedup_key: Option<String>,
    /// List finished commands too.
    #[arg(long, conflicts_with = "command")]
    pub(crate) all: bool,
}

/// A command for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CommandName {
    /// Read a node, or list what is below an interior one.
    Get,
    /// Give a node another value.
    Replace,
    /// Make a node.
    Add,
    /// Take a node away.
    Delete,
    /// Do what a node stands for.
    Exec,
}

/// Options of `notify`.
#[derive(Debug, Args)]
pub(crate) struct NotifyArgs {
    /// The server's identifier, which the device knows.
    #[arg(long, value_name = "ID")]
    pub(crate) server_id: String,
    /// The server's name at the device.
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: String,
    /// The file whose first line is the server's password at the device.
    #[arg(long, value_name = "FILE")]
    pub(crate) server_password_file: PathBuf,
    /// The device's nonce for the server, in hexadecimal digits.
    #[arg(long, default_value = "", value_name = "HEX")]
    pub(crate) nonce: String,
    /// The session that the device is to begin.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) session_id: u16,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The device's identifier; of a fleet, what stands before each one's number.
    #[arg(long, default_value = "urn:bindery:device", value_name = "ID")]
    pub(crate) device: String,
    /// How many devices.
    #[arg(long, default_value = "1", value_name = "NUMBER")]
    pub(crate) devices: NonZeroU32,
    /// How many of them at once.
    #[arg(long, default_value = "64", value_name = "NUMBER")]
    pub(crate) parallel: NonZeroU32,
    /// Speak XML [default: WBXML].
    #[arg(long, conflicts_with = "wbxml")]
    pub(crate) xml: bool,
    /// Speak WBXML.
    #[arg(long)]
    pub(crate) wbxml: bool,
    /// How the device proves itself in its messages.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) auth: AuthName,
    /// The name by which it does [default: its identifier].
    #[arg(long, value_name = "NAME")]
    pub(crate) client_name: Option<String>,
    /// The file whose first line is the device's password. Without it the channel proves who the device is.
    #[arg(long, value_name = "FILE")]
    pub(crate) client_password_file: Option<PathBuf>,
    /// The server's identifier at the device.
    #[arg(long, default_value = "bindery", value_name = "ID")]
    pub(crate) server_id: String,
    /// The name by which the server has to prove itself.
    #[arg(long, requires = "server_password_file", value_name = "NAME")]
    pub(crate) server_name: Option<String>,
    /// The file whose first line is the server's password.
    #[arg(long, requires = "server_name", value_name = "FILE")]
    pub(crate) server_password_file: Option<PathBuf>,
    /// Write every message into this file, which `bindery decode` shows. It holds credentials; only its owner may read
    /// it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "curl"])]
    pub(crate) capture: Option<PathBuf>,
    /// The device's management tree: a file that is read if it is there, and written after the session (one device).
    #[arg(long, value_name = "FILE")]
    pub(crate) tree: Option<PathBuf>,
}

/// How a device proves itself in its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthName {
    /// The password itself.
    Basic,
    /// A digest over a nonce.
    #[default]
    Md5,
    /// A digest over each message and a nonce.
    Mac,
}
