//! What the operator decides about the key server.

use std::{fmt, sync::Arc};

use bindery_core::Principal;
use bindery_ttlv::{
    Interval,
    registry::{Operation, ResultReason, ResultStatus},
};

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
    /// How long a client may use what it got without asking again: Lease Time (KMIP 1.4, section
    /// 3.20). Default an hour.
    pub lease: Interval,
    /// The most streams (Encrypt, Hash and the like with Init Indicator) that may be open at once,
    /// all clients together, and the most octets that one of them may hold back. Default 1,000 and
    /// 1 MiB.
    pub streams: usize,
    /// See [`streams`](Self::streams).
    pub stream_octets: usize,
    /// How often a decision is made again because somebody else changed the same object meanwhile.
    /// Default 16.
    pub conflicts: usize,
    /// Who is told what is answered, and of failures that a peer must not see. By default nobody.
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
            lease: Interval(3_600),
            streams: 1_000,
            stream_octets: 1 << 20,
            conflicts: 16,
            observer: Arc::new(Silent),
        }
    }
}

/// Is told what the server does, and what goes wrong behind its back. The peer sees General Failure
/// without any detail; the operator needs the detail.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The store failed.
    fn store_failed(&self, error: &StoreError);

    /// Cryptography or the random generator failed.
    fn crypto_failed(&self, error: &super::CryptoError);

    /// A batch item is answered: called once for each item of a response, in their order, when it
    /// is known what was committed. A message that is refused whole counts as one item without an
    /// operation. Not told: items that a batch did not come to, requests that cannot be read, and
    /// those whose connection ends before the store answers.
    ///
    /// It is called before the response is sent and must not wait.
    fn answered(&self, _answered: &Answered<'_>) {}

    /// A client asks the server to log a message of its own (KMIP 2.1, section 6.1.32).
    fn logged(&self, _principal: &Principal, _message: &str) {}
}

/// What was asked and what came of it, without anything secret.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The client's account; `None` for one that is not identified.
    pub principal: Option<&'a Principal>,
    /// The operation, which may be one that the registry does not have; `None` where the whole
    /// message is refused.
    pub operation: Option<Operation>,
    /// The object that was made, or that the item is about; it can be the client's words, of any
    /// length, where there is no such object. `None` for an operation that is about no single
    /// object, and for a failure where only the ID Placeholder said which.
    pub unique_identifier: Option<&'a str>,
    /// Result Status (KMIP 1.4, section 6.9).
    pub status: ResultStatus,
    /// Result Reason (KMIP 1.4, section 6.10) of a failure.
    pub reason: Option<ResultReason>,
}

/// The observer of a server that has none.
#[derive(Debug)]
struct Silent;

impl Observer for Silent {
    fn store_failed(&self, _error: &StoreError) {}

    fn crypto_failed(&self, _error: &super::CryptoError) {}
}
