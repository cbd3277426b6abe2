//! Cryptography and randomness, passed in.

use std::fmt;

use thiserror::Error;

use crate::Secret;

/// What the key server needs of cryptography. The program passes an implementation on aws-lc-rs;
/// tests pass a deterministic one.
///
/// Calls may take long (an RSA key, one day): the driver runs the engine where that is allowed.
pub trait Crypto: fmt::Debug + Send + Sync {
    /// Fills a buffer with random octets fit for keys.
    ///
    /// # Errors
    /// The generator failed; nothing may be made from what the buffer then holds.
    fn fill_random(&self, buffer: &mut [u8]) -> Result<(), CryptoError>;

    /// The SHA-256 hash (FIPS 180-4) of octets, for the attribute Digest.
    fn sha256(&self, octets: &[u8]) -> [u8; 32];

    /// A random symmetric key.
    ///
    /// # Errors
    /// The generator failed.
    fn random_secret(&self, octets: usize) -> Result<Secret, CryptoError> {
        let mut buffer = zeroize::Zeroizing::new(vec![0; octets]);
        self.fill_random(&mut buffer)?;
        Ok(Secret::new(std::mem::take(&mut *buffer)))
    }
}

/// A failed cryptographic operation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operation} failed: {reason}")]
#[non_exhaustive]
pub struct CryptoError {
    /// What was tried.
    pub operation: &'static str,
    /// Why it failed, without any secret.
    pub reason: String,
}

impl CryptoError {
    /// An error from what was tried and why it failed.
    pub fn new(operation: &'static str, reason: impl Into<String>) -> Self {
        Self { operation, reason: reason.into() }
    }
}
