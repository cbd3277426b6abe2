//! Why an item of a batch has no success to tell.

use bindery_ttlv::{ProtocolVersion, registry::ResultReason};

use super::{CryptoError, CryptoErrorKind, StoreError, config::Observer};
use crate::message::Failure;

/// A failure of KMIP, or of what the server stands on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The peer is told all of it.
    Kmip(Failure),
    /// The operator is told, the peer only that it happened.
    Store(StoreError),
    /// Likewise.
    Crypto(CryptoError),
}

impl Fault {
    /// What the peer is told; the observer gets the rest.
    pub(super) fn tell(self, observer: &dyn Observer) -> Failure {
        match self {
            Self::Kmip(failure) => failure,
            Self::Store(error) => {
                observer.store_failed(&error);
                let text = match error {
                    StoreError::Unavailable(_) => {
                        "the server's store is not available now; try again later"
                    }
                    StoreError::Damaged { .. } => {
                        "the object is damaged in the server's store; tell the server's operator"
                    }
                    StoreError::Failed(_) => "the server's store failed; tell its operator",
                };
                Failure::general_failure(text)
            }
            Self::Crypto(error) if error.kind == CryptoErrorKind::Refused => {
                Failure::cryptographic_failure(error.to_string())
            }
            Self::Crypto(error) if error.kind == CryptoErrorKind::Unsupported => {
                Failure::feature_not_supported(error.to_string())
            }
            Self::Crypto(error) => {
                observer.crypto_failed(&error);
                Failure::cryptographic_failure("the server's cryptography failed")
            }
        }
    }

    /// Whether the store as such failed, and asking it for the next object makes no sense.
    pub(super) const fn is_store_down(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable(_) | StoreError::Failed(_)))
    }
}

/// The failure as a version of KMIP can say it: reasons that came with 2.0 have a next best one in
/// 1.x, and some of 1.x are gone.
pub(super) fn in_version(mut failure: Failure, version: ProtocolVersion) -> Failure {
    let reason = failure.reason;
    failure.reason = if version >= ProtocolVersion::V2_0 {
        match reason {
            ResultReason::ILLEGAL_OPERATION => ResultReason::INVALID_OBJECT_TYPE,
            ResultReason::INDEX_OUT_OF_BOUNDS => ResultReason::ATTRIBUTE_INSTANCE_NOT_FOUND,
            other => other,
        }
    } else {
        in_version_1(reason, version)
    };
    failure
}

fn in_version_1(reason: ResultReason, version: ProtocolVersion) -> ResultReason {
    use ResultReason as R;
    let known = |reason: R| reason.row().is_none_or(|row| row.since() <= version);
    match reason {
        reason if known(reason) => reason,
        R::OBJECT_NOT_FOUND
        | R::OBJECT_DESTROYED
        | R::ATTRIBUTE_NOT_FOUND
        | R::WRAPPING_OBJECT_NOT_FOUND
        | R::WRAPPING_OBJECT_DESTROYED
        | R::INVALID_CORRELATION_VALUE
        | R::INVALID_ASYNCHRONOUS_CORRELATION_VALUE => R::ITEM_NOT_FOUND,
        R::WRONG_KEY_LIFECYCLE_STATE
        | R::ATTRIBUTE_READ_ONLY
        | R::READ_ONLY_ATTRIBUTE
        | R::USAGE_LIMIT_EXCEEDED
        | R::SENSITIVE
        | R::NOT_EXTRACTABLE
        | R::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK => R::PERMISSION_DENIED,
        R::ATTRIBUTE_INSTANCE_NOT_FOUND => R::INDEX_OUT_OF_BOUNDS,
        R::OBJECT_ALREADY_EXISTS | R::INVALID_OBJECT_TYPE => R::ILLEGAL_OPERATION,
        R::UNSUPPORTED_CRYPTOGRAPHIC_PARAMETERS | R::KEY_WRAP_TYPE_NOT_SUPPORTED => {
            R::FEATURE_NOT_SUPPORTED
        }
        R::MISSING_INITIALIZATION_VECTOR => R::INVALID_MESSAGE,
        _ => R::INVALID_FIELD,
    }
}

/// As much of a peer's text as goes back to it: an answer is not to grow with what it refuses.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Kmip(failure)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CryptoError> for Fault {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}
