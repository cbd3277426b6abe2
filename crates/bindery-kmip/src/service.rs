//! The key server engine, without IO, clock or runtime.
//!
//! [`KeyServer`] answers a [`RequestMessage`](crate::message::RequestMessage): it loads what the
//! items of the batch speak of from a [`KeyStore`], decides each operation as a pure function (a
//! file for each in `operation/`), and commits all changes at once. Time comes with the
//! [`Context`](bindery_core::Context), cryptography and randomness through [`Crypto`].

mod allowance;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod batch;
mod config;
mod crypto;
mod engine;
mod fault;
mod object;
mod operation;
mod state;
mod store;
mod template;
mod uid;
mod working_set;

#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::AwsLcCrypto;
pub use config::{KeyServerConfig, Observer};
pub use crypto::{Crypto, CryptoError};
pub use engine::KeyServer;
use fault::Fault;
pub use store::{
    Change, CommitError, Filter, IndexEntry, KeyStore, Record, StoreError, StoreFuture, Versioned,
};
