//! What can go wrong in a call, by who is at fault.

use bindery_core::{EncodeError, Unexpected};
use bindery_taxii_xml::{ServiceType, StatusMessage, StatusType};
use bindery_tls::TlsErrorKind;
use bindery_transport::TransportError;
use thiserror::Error;

use crate::Origin;

/// Why a call came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The request cannot be sent: our caller's fault. Nothing was sent.
    #[error(transparent)]
    Request(#[from] EncodeError),
    /// The connection: names, TCP, TLS, HTTP framing, time limits.
    #[error("the TAXII request was not answered: {0}")]
    Transport(#[from] TransportError),
    /// The answer is no TAXII message, or not the answer to the request.
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
    /// The service said no; or the HTTP layer did, and this is what the specification takes that for.
    #[error("{}", said(.status, *.origin))]
    Status {
        /// What was said.
        status: Box<StatusMessage>,
        /// Who said it.
        origin: Origin,
    },
    /// A limit of this client was reached: everything before it was given.
    #[error("the limit of {limit} {what} is reached; raise it, or ask for less")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: u64,
    },
    /// Whoever watches the client did not want the request sent ([`WatchCalls`](crate::WatchCalls)).
    #[error("nothing was sent")]
    Withheld,
    /// Discovery names no service that this client can use.
    #[error("discovery names no {service:?} service that this client can use: {reason}")]
    NoService {
        /// The service.
        service: ServiceType,
        /// What there is instead.
        reason: String,
    },
}

fn said(status: &StatusMessage, origin: Origin) -> String {
    let who = match origin {
        Origin::Service => "the service answered",
        Origin::Http => "the HTTP layer answered, which counts as",
    };
    let mut text = format!("{who} {:?}", status.status_type);
    for detail in &status.details {
        let value = detail.value.as_text().unwrap_or_default();
        text.push_str(&format!(", {} {value}", detail.name));
    }
    if let Some(detail) = &status.detail_text {
        text.push_str(&format!(", {detail}"));
    }
    if let Some(message) = &status.message {
        text.push_str(&format!(": {message}"));
    }
    text
}

impl ClientError {
    /// A status other than success.
    pub(super) fn status(status: StatusMessage, origin: Origin) -> Self {
        Self::Status { status: Box::new(status), origin }
    }

    /// The status type that stands for what happened, as the HTTP binding maps it: what a service said; what an HTTP status
    /// counts as; UNAUTHORIZED for a handshake that failed over a certificate or for want of common suites, FAILURE for any other
    /// failure of the connection. Nothing where the fault is not the service's.
    pub fn status_type(&self) -> Option<StatusType> {
        match self {
            Self::Status { status, .. } => Some(status.status_type.clone()),
            Self::Transport(error) => Some(match error.tls_kind() {
                // The alerts 40 to 43, 48 and 49.
                Some(
                    TlsErrorKind::NoSharedSuite
                    | TlsErrorKind::NoClientCertificate
                    | TlsErrorKind::BadCertificate
                    | TlsErrorKind::UnknownAuthority,
                ) => StatusType::Unauthorized,
                _ => StatusType::Failure,
            }),
            _ => None,
        }
    }

    /// Whether it is certain that nothing of the request was sent.
    pub const fn is_unsent(&self) -> bool {
        match self {
            Self::Request(_) | Self::Withheld => true,
            Self::Transport(error) => error.is_unsent(),
            _ => false,
        }
    }
}
