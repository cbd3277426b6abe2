//! The key server engine, without IO, clock or runtime.
//!
//! [`KeyServer`] answers a [`RequestMessage`](crate::message::RequestMessage): it loads what the
//! items of the batch speak of from a [`KeyStore`], decides each operation as a pure function (a
//! file for each in `operation/`), and commits all changes at once. Time comes with the
//! [`Context`](bindery_core::Context), cryptography and randomness through [`Crypto`].
//!
//! # Choices
//!
//! Where KMIP 1.0 to 1.4 leaves a choice, or asks for what is not there yet:
//!
//! - **Owners.** An object belongs to the account that made it. To everybody else it is Item Not
//!   Found, as if there were none.
//! - **Names** need not be unique. Section 3.2 wants them unique within a domain; no peer enforces
//!   it, and a store has no such constraint. Locate gives all objects of a name, oldest first.
//! - **Locate** lists in the order of making; the specification sets none, and that of test case
//!   TC-OFFSET-1-13 is this one where it pages. Located Items comes with Offset Items since 1.3,
//!   unless counting would cost too much.
//! - **ID Placeholder.** Create, Register and Locate set it, and clear it when they fail.
//! - **Batches** are done in their order, whatever Batch Order Option says. With Continue and
//!   Stop, what succeeded is committed together; an error of the commit fails every item from the
//!   first change on.
//! - **Asynchronous Indicator**, Time Stamp and attestation are passed over: answers come at once.
//! - **Credentials** in a message must be the certificate of its TLS session; there are no users
//!   with passwords here.
//! - **Templates** are neither kept nor found. There is no archive: Archive Date is never set, and
//!   Locate finds nothing in archival storage. Lease Time and Fresh are not given.
//! - **Certificates** may come without a Cryptographic Usage Mask, as many clients send them. Their
//!   Subject, Issuer, Identifier, algorithm and length are not read out of them yet.
//! - **Dates.** Activation Date is not after Process Start Date and Deactivation Date, Protect Stop
//!   Date not after Deactivation Date. State follows from the dates and is never stored.
//! - **Attributes inside a Key Value** stay in it: they are given back with the key and are no
//!   attributes of the object.
//! - **Key wrapping** is not done. What was registered wrapped is given as it came.

mod allowance;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod batch;
mod config;
mod crypto;
mod engine;
mod fault;
mod form;
mod object;
mod operation;
mod state;
mod store;
mod stream;
mod template;
mod uid;
mod working_set;

#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::AwsLcCrypto;
pub use config::{Answered, KeyServerConfig, Observer};
pub use crypto::{
    Aead, CertificateFacts, Cipher, CipherRun, Crypto, CryptoError, CryptoErrorKind, Derivation,
    KeyPairKind, Message, RsaScheme, Running, SignatureScheme,
};
pub use engine::KeyServer;
use fault::Fault;
pub use store::{
    Change, CommitError, Filter, IndexEntry, KeyStore, Record, StoreError, StoreFuture, Versioned,
};
