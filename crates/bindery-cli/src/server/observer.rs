//! What the operator is told and the peer is not.

use bindery_kmip::service::{CryptoError, Observer, StoreError};

/// Writes the engine's failures to the log.
#[derive(Debug)]
pub(super) struct LogObserver;

impl Observer for LogObserver {
    fn store_failed(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "the store failed; the client was told General Failure");
    }

    fn crypto_failed(&self, error: &CryptoError) {
        tracing::error!(%error, "cryptography failed; the client was told so without details");
    }
}
