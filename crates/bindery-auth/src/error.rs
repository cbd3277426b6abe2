//! What can be wrong with authentication, by who is at fault.

use thiserror::Error;

/// A field value that is not of HTTP authentication's grammar (RFC 9110, section 11).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} (RFC 9110, section 11)")]
#[non_exhaustive]
pub struct GrammarError(pub &'static str);

/// Why a client cannot authenticate, or does not trust an answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The server's field cannot be read.
    #[error("the server's field {field}: {error}")]
    Malformed {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        error: GrammarError,
    },
    /// The server offers no scheme that this side has.
    #[error("the server offers no authentication that is known here: {offered}; ask its operator")]
    NoScheme {
        /// The schemes that it offers.
        offered: String,
    },
    /// The scheme sends the password itself, and the channel is clear.
    #[error(
        "the server asks for Basic over a clear channel, which would show the password to anybody; \
         use an https URL, or allow it in so many words"
    )]
    InClear,
    /// The server did not take user and password.
    #[error("the server refuses this user name and password for \"{realm}\"")]
    Refused {
        /// The realm that the server named.
        realm: String,
    },
    /// The user name cannot be sent: Basic has no place for a colon in it.
    #[error("a user name with a colon or a control character cannot be sent by this scheme")]
    UserName,
    /// The server asks for a proof of the body, and the body is a stream.
    #[error("the server asks for auth-int only, which covers the body; send the body whole")]
    Streamed,
    /// The server does not prove that it knows the password, though it says so.
    #[error("the server's Authentication-Info does not match: it does not know the password")]
    Impostor,
}
