//! The key server engine, without IO.

mod crypto;
mod store;

pub use crypto::{Crypto, CryptoError};
pub use store::{
    Change, CommitError, Filter, IndexEntry, KeyStore, Record, StoreError, StoreFuture, Versioned,
};
