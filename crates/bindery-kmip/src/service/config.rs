//! What the operator decides about the key server.

use std::{fmt, sync::Arc};

use super::StoreError;

/// The key server's settings: limits and what it says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyServerConfig {
    /// What Query answers as Vendor Identification.
    pub vendor_identification: String,
    /// The most items of a batch; a longer one is refused whole.
    pub batch_items: usize,
    /// The most attributes of one object.
    pub attributes: usize,
    /// The most identifiers that one Locate returns, also where the client asks for more or sets
    /// no maximum.
    pub located: usize,
    /// The most records that one Locate looks at; a Locate that would have to look at more fails
    /// rather than give half an answer.
    pub scanned: usize,
    /// How often a decision is made again because somebody else changed the same object meanwhile.
    pub conflicts: usize,
    /// Who is told of failures that a peer must not see.
    pub observer: Arc<dyn Observer>,
}

impl Default for KeyServerConfig {
    fn default() -> Self {
        Self {
            vendor_identification: concat!("bindery ", env!("CARGO_PKG_VERSION")).to_owned(),
            batch_items: 1_000,
            attributes: 256,
            located: 10_000,
            scanned: 100_000,
            conflicts: 16,
            observer: Arc::new(Silent),
        }
    }
}

/// Is told what goes wrong behind the server's back. The peer sees General Failure without any
/// detail; the operator needs the detail.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The store failed.
    fn store_failed(&self, error: &StoreError);

    /// Cryptography or the random generator failed.
    fn crypto_failed(&self, error: &super::CryptoError);
}

/// The observer of a server that has none.
#[derive(Debug)]
struct Silent;

impl Observer for Silent {
    fn store_failed(&self, _error: &StoreError) {}

    fn crypto_failed(&self, _error: &super::CryptoError) {}
}
