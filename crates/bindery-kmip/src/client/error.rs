//! What can go wrong in a call, by who is at fault.

use bindery_core::{EncodeError, Unexpected};
use bindery_transport::TransportError;
use bindery_ttlv::{ProtocolVersion, registry::Operation};
use thiserror::Error;

use crate::call::OperationFailed;

/// Why a call came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The request cannot be sent: our caller's fault. Nothing was sent.
    #[error(transparent)]
    Request(#[from] EncodeError),
    /// The connection: names, TCP, TLS, HTTP framing, time limits.
    #[error("the KMIP request was not answered: {0}")]
    Transport(#[from] TransportError),
    /// The answer is not KMIP, or not the answer to the request.
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
    /// The server answered in KMIP, and said no.
    #[error(transparent)]
    Failed(Box<OperationFailed>),
    /// The server says that the operation succeeded and does not say what came of it.
    #[error("the answer to {0} is a success without a payload; report it to the server's operator")]
    NoPayload(Operation),
    /// Server and client have no version of KMIP in common.
    #[error(
        "the server speaks {}, this client {}; use a server or a client of another version",
        list(.theirs),
        list(.ours)
    )]
    NoCommonVersion {
        /// What this client speaks.
        ours: Vec<ProtocolVersion>,
        /// What the server said it speaks.
        theirs: Vec<ProtocolVersion>,
    },
}

impl From<OperationFailed> for ClientError {
    fn from(failed: OperationFailed) -> Self {
        Self::Failed(Box::new(failed))
    }
}

impl ClientError {
    /// What the server said, if it answered in KMIP.
    pub const fn failed(&self) -> Option<&OperationFailed> {
        match self {
            Self::Failed(failed) => Some(failed),
            _ => None,
        }
    }

    /// Whether the server says that the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.failed().is_some_and(OperationFailed::is_not_found)
    }

    /// Whether it is certain that the server did not act on the request. When this is false, look
    /// before sending it again.
    pub const fn is_unsent(&self) -> bool {
        match self {
            Self::Request(_) => true,
            Self::Transport(error) => error.is_unsent(),
            _ => false,
        }
    }
}

fn list(versions: &[ProtocolVersion]) -> String {
    if versions.is_empty() {
        return "no version that it shares".to_owned();
    }
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
