//! `bindery taxii`: a verb per exchange.

use std::{net::SocketAddr, path::PathBuf};

use bindery_taxii_xml::Dialect;
use clap::{Args, Subcommand, ValueEnum};

use super::client::ClientArgs;

/// Options of every TAXII verb, and the verb.
#[derive(Debug, Args)]
pub(crate) struct TaxiiArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The TAXII version to speak.
    #[arg(short = 't', long, global = true, env = "BINDERY_TAXII_VERSION", value_enum)]
    #[arg(default_value_t, value_name = "VERSION", help_heading = "Connection")]
    pub(crate) taxii_version: Version,
    /// The URL of the very service that the verb speaks to; without it, --url is that of discovery, which is asked
    /// for the service first.
    #[arg(long, global = true, env = "BINDERY_SERVICE_URL", value_name = "URL")]
    #[arg(help_heading = "Connection")]
    pub(crate) service_url: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// A version of TAXII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// The draft of November 2012.
    Draft,
    /// 1.0.
    #[value(name = "1.0")]
    V1_0,
    /// 1.1.
    #[default]
    #[value(name = "1.1")]
    V1_1,
}

impl Version {
    /// The dialect.
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Draft => Dialect::Draft,
            Self::V1_0 => Dialect::V1_0,
            Self::V1_1 => Dialect::V1_1,
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the services of a server.
    Discovery,
    /// List the collections (before 1.1: feeds) of a server.
    Collections,
    /// Fetch content of a collection.
    ///
    /// Follows result parts. The content goes to standard output, block after block, or into files with --dest-dir.
    Poll(PollArgs),
    /// Send content to an inbox.
    Push(PushArgs),
    /// Subscribe to a collection, and look after subscriptions.
    Subscription(SubscriptionArgs),
    /// Receive what servers push, until it is told to stop.
    ///
    /// With --cert and --key over TLS, otherwise in clear, which has to be asked for.
    Inbox(InboxArgs),
    /// Copy a collection into one of another server, and go on where the last run ended.
    Mirror(MirrorArgs),
}

/// Options of `poll`.
#[derive(Debug, Args)]
pub(crate) struct PollArgs {
    /// The collection's name.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Later than this timestamp, exclusively, such as 2026-11-27T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) begin: Option<String>,
    /// Up to this timestamp, inclusively.
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// A content binding that is wanted; may be given more than once [default: all].
    #[arg(short, long = "binding", value_name = "ID")]
    pub(crate) bindings: Vec<String>,
    /// The subscription whose terms hold.
    #[arg(short, long, value_name = "ID")]
    pub(crate) subscription_id: Option<String>,
    /// The most blocks.
    #[arg(short, long, value_name = "NUMBER")]
    pub(crate) limit: Option<u64>,
    /// A file with the Default_Query that blocks must meet (1.1).
    #[arg(long, value_name = "FILE")]
    pub(crate) query: Option<PathBuf>,
    /// The answer may come later (1.1): it is waited for.
    #[arg(long)]
    pub(crate) later: bool,
    /// Only how many blocks there are (1.1).
    #[arg(long)]
    pub(crate) count_only: bool,
    /// The directory that each block is written into, as a file of its own; made where there is none.
    #[arg(long, value_name = "DIR")]
    pub(crate) dest_dir: Option<PathBuf>,
    /// The file that says how far each collection was read: the poll goes on there, and notes how far it came.
    #[arg(long, value_name = "FILE", conflicts_with = "begin")]
    pub(crate) cursor_file: Option<PathBuf>,
}

/// Options of `push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// A collection that the content is for; may be given more than once (1.1).
    #[arg(short, long = "dest", value_name = "NAME")]
    pub(crate) destinations: Vec<String>,
    /// The content binding.
    #[arg(short, long, default_value = "urn:stix.mitre.org:xml:1.1.1", value_name = "ID")]
    pub(crate) binding: String,
    /// The content binding's subtype (1.1).
    #[arg(long, value_name = "ID")]
    pub(crate) subtype: Option<String>,
    /// The content is text, whatever it looks like; otherwise what is a whole XML document is sent as XML.
    #[arg(long)]
    pub(crate) text: bool,
    /// The files, a block each; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Options of `subscription`.
#[derive(Debug, Args)]
pub(crate) struct SubscriptionArgs {
    /// What to do.
    #[arg(value_enum)]
    pub(crate) action: ActionName,
    /// The collection's name.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: String,
    /// The subscription's id.
    #[arg(short, long, value_name = "ID")]
    pub(crate) subscription_id: Option<String>,
    /// A content binding that is wanted; may be given more than once [default: all].
    #[arg(short, long = "binding", value_name = "ID")]
    pub(crate) bindings: Vec<String>,
    /// A file with the Default_Query that blocks must meet (1.1).
    #[arg(long, value_name = "FILE")]
    pub(crate) query: Option<PathBuf>,
    /// The inbox that content is pushed to, such as that of `bindery taxii inbox` [default: it is polled].
    #[arg(long, value_name = "URL")]
    pub(crate) inbox: Option<String>,
}

/// Options of `inbox`.
#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    pub(crate) listen: SocketAddr,
    /// The path.
    #[arg(long, default_value = "/inbox", value_name = "PATH")]
    pub(crate) path: String,
    /// Listen in clear.
    #[arg(long, conflicts_with_all = ["cert", "key"])]
    pub(crate) clear: bool,
    /// The directory that each block is written into, as a file of its own; made where there is none.
    #[arg(long, value_name = "DIR")]
    pub(crate) dest_dir: Option<PathBuf>,
    /// End after so many messages.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) messages: Option<u64>,
}

/// Options of `mirror`.
#[derive(Debug, Args)]
pub(crate) struct MirrorArgs {
    /// The collection's name.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Discovery of the server that it is copied to.
    #[arg(long, value_name = "URL", required_unless_present = "to_inbox")]
    pub(crate) to: Option<String>,
    /// The inbox of that server, without asking discovery.
    #[arg(long, value_name = "URL", conflicts_with = "to")]
    pub(crate) to_inbox: Option<String>,
    /// The collection there [default: the same name; before 1.1 the server's choice].
    #[arg(long, value_name = "NAME")]
    pub(crate) to_collection: Option<String>,
    /// The user name there [default: none, also where --user is given, which is for the source].
    #[arg(long, value_name = "NAME", requires = "to_password_file")]
    pub(crate) to_user: Option<String>,
    /// The file whose first line is the password there.
    #[arg(long, value_name = "FILE", requires = "to_user")]
    pub(crate) to_password_file: Option<PathBuf>,
    /// A content binding that is wanted; may be given more than once [default: all].
    #[arg(short, long = "binding", value_name = "ID")]
    pub(crate) bindings: Vec<String>,
    /// The file that says how far the collection was copied: it goes on there, and notes how far it came.
    #[arg(long, value_name = "FILE")]
    pub(crate) cursor_file: PathBuf,
}

/// What to do with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActionName {
    /// Make one.
    Subscribe,
    /// Show one, or all.
    Status,
    /// Deliver nothing for a while.
    Pause,
    /// Deliver again.
    Resume,
    /// End it.
    Unsubscribe,
}
