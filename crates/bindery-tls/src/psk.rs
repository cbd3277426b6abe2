//! Pre-shared keys (RFC 4279), as data for backends that have PSK suites.

use std::fmt;

use zeroize::Zeroizing;

use crate::{TlsError, TlsErrorKind, pem::configuration};

/// A pre-shared key and the identity that names it.
#[derive(Clone)]
pub struct Psk {
    identity: Box<[u8]>,
    key: Zeroizing<Vec<u8>>,
}

/// The longest identity that every implementation must take (RFC 4279, section 5.3), in octets.
const IDENTITY_LIMIT: usize = 128;
/// The longest key that every implementation must take (RFC 4279, section 5.3), in octets.
const KEY_LIMIT: usize = 64;
/// The shortest key that is taken, in octets: 128 bits.
const KEY_LEAST: usize = 16;

impl Psk {
    /// A key and its identity.
    ///
    /// # Errors
    /// An empty identity, one with a zero octet (libraries take it for the end) or of more than 128
    /// octets; a key of less than 16 or more than 64 octets.
    pub fn new(identity: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Result<Self, TlsError> {
        let (identity, key) = (identity.into(), Zeroizing::new(key.into()));
        if identity.is_empty() || identity.len() > IDENTITY_LIMIT || identity.contains(&0) {
            let message =
                format!("a PSK identity has from 1 to {IDENTITY_LIMIT} octets, none of them zero");
            return Err(configuration(message, "give the identity that the other side sends"));
        }
        if !(KEY_LEAST..=KEY_LIMIT).contains(&key.len()) {
            let message = format!(
                "a pre-shared key has from {KEY_LEAST} to {KEY_LIMIT} octets, this one {}",
                key.len()
            );
            return Err(configuration(message, "make a random key of 32 octets"));
        }
        Ok(Self { identity: identity.into(), key })
    }

    /// The identity.
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// The key; for backends.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Psk({})", self.identity.escape_ascii())
    }
}

/// The pre-shared keys of one side, and the hint that a server gives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PskIdentities {
    /// The keys. A client uses the first.
    pub keys: Vec<Psk>,
    /// What helps a client to choose a key (RFC 4279, section 5.2).
    pub hint: Option<Vec<u8>>,
}

impl PskIdentities {
    /// Fails where there are keys, for a backend that has no PSK suites.
    pub(crate) fn refuse(&self, backend: &str) -> Result<(), TlsError> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} pre-shared keys are configured, and the backend {backend} has no PSK suites",
            self.keys.len()
        );
        let hint = "take the keys out, or use a backend on OpenSSL";
        Err(TlsError::new(TlsErrorKind::PolicyNotMet, message, hint))
    }
}
