//! Why an item of a batch has no success to tell.

use super::{CryptoError, StoreError, config::Observer};
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
