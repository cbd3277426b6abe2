//! What the operator decides about the key server.

use std::{fmt, sync::Arc};

use super::StoreError;

/// The key server's settings: limits and what it says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyServerConfig {
    /// What Query answers as Vendor Identification.
    pub vendor_identification: String,
    /// The most items of a batch; a longer one is refused whole. Default 1,000.
    pub batch_items: usize,
    /// The most octets of stored objects and of answers that one batch holds in memory; an item
    /// that would need more fails. It has to be larger than two objects of the largest size are
    /// together. Default 64 MiB.
    pub batch_octets: usize,
    /// The most attributes that a client may give a new object. Default 256.
    pub attributes: usize,
    /// The most octets of a new object's attributes, encoded, and of what a Locate asks for.
    /// Default 64 KiB: what a page of a Locate holds is 256 times this.
    pub attribute_octets: usize,
    /// The most octets of a new object itself, encoded. Default 1 MiB.
    pub object_octets: usize,
    /// The most identifiers that one Locate returns, also where the client asks for more or sets
    /// no maximum. Default 10,000.
    pub located: usize,
    /// The most records that the Locates of one batch look at, together; a Locate that would have
    /// to look at more fails rather than give half an answer. A record with long attributes, or
    /// held against many criteria, counts more than once. Default 100,000.
    pub scanned: usize,
    /// How often a decision is made again because somebody else changed the same object meanwhile.
    /// Default 16.
    pub conflicts: usize,
    /// Who is told of failures that a peer must not see. By default nobody.
    pub observer: Arc<dyn Observer>,
}

impl Default for KeyServerConfig {
    fn default() -> Self {
        Self {
            vendor_identification: concat!("bindery ", env!("CARGO_PKG_VERSION")).to_owned(),
            batch_items: 1_000,
            batch_octets: 64 << 20,
            attributes: 256,
            attribute_octets: 64 << 10,
            object_octets: 1 << 20,
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
