//! The key server engine, without IO, clock or runtime.
//!
//! [`KeyServer`] answers a [`RequestMessage`](crate::message::RequestMessage): it loads what the
//! items of the batch speak of from a [`KeyStore`], decides each operation as a pure function (a
//! file for each in `operation/`), and commits all changes at once. Time comes with the
//! [`Context`](bindery_core::Context), cryptography and randomness through [`Crypto`].
//!
//! # Choices
//!
//! Where KMIP 1.0 to 2.1 leaves a choice, or asks for what is not there yet:
//!
//! - **Owners.** An object belongs to the account that made it. To everybody else it is not found,
//!   as if there were none.
//! - **Versions.** One model serves 1.x and 2.x: a vendor's attribute of 2.x whose vendor is `x` or
//!   `y` is the custom attribute `x-..` or `y-..` of 1.x. Result Reasons that came with 2.0 become
//!   the next best of 1.x.
//! - **Names** need not be unique but within their object. Section 3.2 wants them unique within a
//!   domain; no peer enforces it, and a store has no such constraint. Locate gives all objects of a
//!   name, oldest first.
//! - **Locate** lists in the order of making; the specification sets none, and that of test case
//!   TC-OFFSET-1-13 is this one where it pages. Located Items comes with Offset Items since 1.3,
//!   unless counting would cost too much.
//! - **ID Placeholder.** What makes an object sets it, and Locate where it finds exactly one; they
//!   clear it when they fail, and so does a Check that fails.
//! - **Batches** are done in their order, whatever Batch Order Option says. With Continue and
//!   Stop, what succeeded is committed together; an error of the commit fails every item from the
//!   first change on.
//! - **Asynchronous Indicator**, Time Stamp and attestation are passed over: answers come at once.
//! - **Credentials** in a message must be the certificate of its TLS session; there are no users
//!   with passwords here.
//! - **Templates** are neither kept nor found.
//! - **Archive** puts an object aside in the same storage. Lease Time is the same for all objects,
//!   a setting. The first Get of an object is a change: it is no longer Fresh.
//! - **Certificates** may come without a Cryptographic Usage Mask, and so may Secret Data, as many
//!   clients send them. What a certificate says of itself becomes the Certificate Attributes of 2.x;
//!   the structures of 1.x are not made.
//! - **Dates.** Activation Date is not after Process Start Date and Deactivation Date, Protect Stop
//!   Date not after Deactivation Date. State follows from the dates and is never stored.
//! - **Attributes inside a Key Value** stay in it: they are given back with the key and are no
//!   attributes of the object.
//! - **Cryptography** needs an Active key to protect (Encrypt, Sign, MAC, Derive Key, wrapping), and
//!   one that is or was active to process. Random octets, hashes and key pairs are the library's; a
//!   client's seed is not used. Streams are held in this process and are lost with it; those of
//!   authenticated encryption are held back, when decrypting, until the tag is seen to be good.
//! - **Key wrapping** is done for Get and Export: AES key wrap with and without padding, RSA. What
//!   was registered wrapped is given as it came.
//! - **Split keys** are made and joined by XOR.
//! - **New key pairs** are PKCS#1 for RSA, and PKCS#8 and X.509 for curves, unless a Key Format Type
//!   is asked for.

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
