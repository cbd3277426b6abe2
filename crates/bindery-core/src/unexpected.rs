//! An answer that is not the protocol's.

use http::StatusCode;
use thiserror::Error;

use crate::{MediaType, Place};

/// Why a response is not an answer of the protocol.
///
/// Any intermediary may answer in the server's place, so such a response is reported by its
/// status, its type and its first octets, and never parsed as the protocol's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unexpected {
    /// A status that carries no message of the protocol.
    #[error(
        "the answer has status {status}{}{}{}: it came from the HTTP layer or an intermediary, \
         not from the protocol",
        .explanation.as_ref().map(|text| format!(" ({text})")).unwrap_or_default(),
        .media_type.as_ref().map(|found| format!(" and content of the type {found}")).unwrap_or_default(),
        start_of(.start)
    )]
    Status {
        /// The status.
        status: StatusCode,
        /// What the server said of its refusal, where it said so in a field.
        explanation: Option<String>,
        /// The declared type of the content, if it could be read.
        media_type: Option<MediaType>,
        /// The first octets of the body.
        start: Vec<u8>,
    },
    /// The protocol's status with content of another type.
    #[error(
        "the answer's content is {}, expected {expected}{}",
        .found.as_ref().map_or_else(|| "of no readable type".to_owned(), ToString::to_string),
        start_of(.start)
    )]
    MediaType {
        /// The type that the profile names.
        expected: MediaType,
        /// The declared type, if it could be read.
        found: Option<MediaType>,
        /// The first octets of the body.
        start: Vec<u8>,
    },
    /// The right type, and not a well-formed message.
    #[error("the answer is not well-formed: {0}")]
    Malformed(Place),
    /// A well-formed message that does not answer the request.
    #[error("the answer does not fit the request: {0}")]
    Mismatch(String),
    /// The body could not be read to its end.
    #[error("the answer's body could not be read: {0}")]
    Body(String),
}

/// How many octets of an unexpected body an error keeps.
pub(crate) const START: usize = 64;

fn start_of(start: &[u8]) -> String {
    if start.is_empty() {
        return String::new();
    }
    format!("; it begins with \"{}\"", start.escape_ascii())
}
