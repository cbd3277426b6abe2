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
