//! What the operator is told and the peer is not.

use bindery_kmip::service::{Answered, CryptoError, Observer, StoreError};
use bindery_ttlv::registry::{Operation, ResultReason};
use prometheus_client::metrics::{counter::Counter, family::Family};

/// The most characters of an identifier in the log; where there is no such object it is whatever
/// the client has sent. Those made by the server have 36.
const OBJECT: usize = 128;
/// The label of what the registry has no name for: a client cannot make new labels.
const OTHER: &str = "other";

/// How many batch items were answered, by operation and result.
pub(super) type Operations = Family<[(&'static str, &'static str); 2], Counter>;

/// Writes the engine's answers and failures to the log, and counts the answers.
#[derive(Debug)]
pub(super) struct LogObserver {
    operations: Operations,
}

impl LogObserver {
    /// An observer that counts in `operations`.
    pub(super) const fn new(operations: Operations) -> Self {
        Self { operations }
    }
}

impl Observer for LogObserver {
    fn store_failed(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "the store failed; the client was told General Failure");
    }

    fn crypto_failed(&self, error: &CryptoError) {
        tracing::error!(%error, "cryptography failed; the client was told so without details");
    }

    fn answered(&self, answered: &Answered<'_>) {
        let operation = answered.operation.and_then(Operation::name).unwrap_or(OTHER);
        let result = match answered.reason {
            Some(reason) => ResultReason::name(reason),
            None => answered.status.name(),
        };
        let labels = [("operation", operation), ("result", result.unwrap_or(OTHER))];
        self.operations.get_or_create(&labels).inc();
        // Written as strings, so that the log escapes what the client has chosen.
        tracing::info!(
            operation = answered.operation.map(|operation| operation.to_string()),
            object = answered.unique_identifier.map(shortened),
            result = answered.status.to_string(),
            reason = answered.reason.map(|reason| reason.to_string()),
            principal = answered.principal.map(|principal| principal.as_str()),
            "answered"
        );
    }
}

fn shortened(object: &str) -> &str {
    object.char_indices().nth(OBJECT).map_or(object, |(end, _)| object.get(..end).unwrap_or(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_identifiers_are_cut_between_characters() {
        assert_eq!(shortened(""), "");
        let fits = "ü".repeat(OBJECT);
        assert_eq!(shortened(&fits), fits);
        assert_eq!(shortened(&format!("{fits}ü")), fits);
    }
}
