//! What ends a command early: the exit code, the layer, what happened and what to do about it.

use std::{fmt, io, process::ExitCode};

use serde_json::{Value, json};

/// The result of a step of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The exit codes that scripts rely on; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The peer answered with a failure of the protocol, or a step gave a wrong answer.
    Protocol = 1,
    /// The command line, the configuration or a local file is not as it should be.
    Usage = 2,
    /// No connection, or no TLS handshake.
    Connection = 3,
    /// The peer knows us, or does not, and does not let us.
    NotAuthorised = 4,
    /// The answer, or the input to decode, is not what it should be.
    Undecodable = 5,
    /// The server could not start.
    Start = 10,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Where it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The command line or a local file.
    Usage,
    /// A configuration file.
    Config,
    /// The connection below TLS.
    Tcp,
    /// A proxy on the way.
    Proxy,
    /// The TLS handshake, certificates, policies.
    Tls,
    /// HTTP.
    Http,
    /// The octets of a message.
    Codec,
    /// The protocol itself.
    Profile,
    /// The store.
    Store,
}

impl Layer {
    /// The name in output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Codec => "codec",
            Self::Profile => "profile",
            Self::Store => "store",
        }
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The program's exit code.
    pub(crate) exit: Exit,
    /// The layer at fault.
    pub(crate) layer: Layer,
    /// What happened.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// More members of the JSON form, such as a KMIP Result Reason.
    details: Vec<(&'static str, Value)>,
}

impl Failure {
    /// A failure of a layer with an exit code.
    pub(crate) fn new(exit: Exit, layer: Layer, message: impl Into<String>) -> Self {
        Self { exit, layer, message: message.into(), hint: None, details: Vec::new() }
    }

    /// A wrong command line, or a local file that cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Layer::Usage, message)
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with one more member of the JSON form.
    #[must_use]
    pub(crate) fn detail(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Whether the failure tells of this KMIP Result Reason.
    pub(crate) fn is_reason(&self, reason: &str) -> bool {
        self.details.iter().any(|(name, value)| *name == "result_reason" && value == reason)
    }

    /// The one JSON object that stands for the failure.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "code": self.exit as u8,
            "layer": self.layer.name(),
            "message": self.message,
            "hint": self.hint,
        });
        if let Value::Object(members) = &mut object {
            for (name, value) in &self.details {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        object
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Writing the result failed.
pub(crate) fn output_failed(error: &io::Error) -> Failure {
    Failure::usage(format!("cannot write the output: {error}"))
        .hint("check the disk, or where standard output goes")
}
