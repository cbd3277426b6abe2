//! Result Status, Result Reason and Result Message (KMIP 1.4, sections 6.9 to 6.11 and 11).

use std::fmt;

use bindery_ttlv::{Error, ErrorKind, Tag, Text, registry::ResultReason};

/// Why an operation failed, as a response tells it: an ordinary value, not an HTTP refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The reason, for programs.
    pub reason: ResultReason,
    /// The same for people, with what to do about it; it reaches the peer, so it holds no secret.
    pub message: Option<Text>,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident: $reason:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(message: impl Into<Text>) -> Self {
                Self::new(ResultReason::$reason, message)
            }
        )*
    };
}

impl Failure {
    /// A failure from its reason and an explanation for people.
    pub fn new(reason: ResultReason, message: impl Into<Text>) -> Self {
        Self { reason, message: Some(message.into()) }
    }

    /// A failure that gives nothing but its reason.
    pub const fn from_reason(reason: ResultReason) -> Self {
        Self { reason, message: None }
    }

    reasons! {
        /// A requested object was not found or did not exist.
        item_not_found: ITEM_NOT_FOUND;
        /// The authentication information could not be validated, or was not found.
        authentication_not_successful: AUTHENTICATION_NOT_SUCCESSFUL;
        /// The request message was not understood.
        invalid_message: INVALID_MESSAGE;
        /// The operation is not supported.
        operation_not_supported: OPERATION_NOT_SUPPORTED;
        /// The operation needs something that the request does not say.
        missing_data: MISSING_DATA;
        /// Some data item in the request has an invalid value.
        invalid_field: INVALID_FIELD;
        /// An optional feature in the request is not supported.
        feature_not_supported: FEATURE_NOT_SUPPORTED;
        /// The operation failed in cryptography.
        cryptographic_failure: CRYPTOGRAPHIC_FAILURE;
        /// The operation cannot be done with these parameters, or on an object in this state.
        illegal_operation: ILLEGAL_OPERATION;
        /// The client may not do this.
        permission_denied: PERMISSION_DENIED;
        /// The client set more instances of an attribute than are supported.
        index_out_of_bounds: INDEX_OUT_OF_BOUNDS;
        /// The object cannot be given in the Key Format Type that was asked for.
        key_format_type_not_supported: KEY_FORMAT_TYPE_NOT_SUPPORTED;
        /// The object cannot be given in the Key Compression Type that was asked for.
        key_compression_type_not_supported: KEY_COMPRESSION_TYPE_NOT_SUPPORTED;
        /// Any other failure.
        general_failure: GENERAL_FAILURE;
    }

    /// The response passes the request's Maximum Response Size. The text is the one of the HTTPS
    /// profile's own test case (MSGENC-HTTPS-M-1).
    pub fn response_too_large() -> Self {
        Self::new(ResultReason::RESPONSE_TOO_LARGE, Text::from_static("TOO_LARGE"))
    }
}

/// What section 11.1 of the specification gives for a message that cannot be read: an unknown
/// choice, a value that its field does not allow and what the version does not have are an Invalid
/// Field (an operation of another version is Operation Not Supported), all else (what cannot be
/// parsed, a field twice or missing) an Invalid Message.
impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::Version { tag: Tag::OPERATION, .. } => ResultReason::OPERATION_NOT_SUPPORTED,
            ErrorKind::Value { .. }
            | ErrorKind::UnexpectedField { .. }
            | ErrorKind::Version { .. } => ResultReason::INVALID_FIELD,
            _ => ResultReason::INVALID_MESSAGE,
        };
        Self::new(reason, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.row().map_or("an unnamed reason", |row| row.title());
        write!(f, "{reason}")?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
