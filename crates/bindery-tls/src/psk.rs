//! Pre-shared keys (RFC 4279), as data for backends that have PSK suites.

use std::{fmt, path::Path};

use zeroize::Zeroizing;

use crate::{
    Setting, TlsError, TlsErrorKind,
    pem::{self, configuration},
};

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

    fn from_line(line: &[u8]) -> Result<Self, TlsError> {
        // A key has no colon in it, an identity may.
        let colon = line.iter().rposition(|octet| *octet == b':');
        let parts = colon.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?)));
        let key = parts.and_then(|(_, digits)| unhex(digits));
        let (Some((identity, _)), Some(key)) = (parts, key) else {
            let message = "not an identity, a colon and a key in hexadecimal digits";
            return Err(configuration(message, "psktool -u IDENTITY -p FILE writes such a line"));
        };
        // The key moves on into wiped memory.
        Self::new(identity, key)
    }

    /// The identity.
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// Whether another has the same key, in the same time whichever octet differs.
    pub fn is_same_key(&self, other: &Self) -> bool {
        let octets = self.key.iter().zip(other.key.iter());
        let differ = octets.fold(0, |differ, (one, other)| differ | (one ^ other));
        self.key.len() == other.key.len() && differ == 0
    }

    /// The key; for backends.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16);
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
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
    /// Reads keys from a file as GnuTLS's `psktool` writes it: a line for each key, with the
    /// identity, a colon, and the key in hexadecimal digits. Empty lines and those that begin with
    /// `#` are skipped.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not of that form; the message names file and line, and
    /// no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        let text = Zeroizing::new(pem::read_file(path, "pre-shared key")?);
        let mut keys = Vec::new();
        for (index, line) in text.split(|octet| *octet == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let place = format!("pre-shared key file {}, line {}", path.display(), index + 1);
            let key = Psk::from_line(line).map_err(|error| {
                configuration(format!("{place}: {}", error.message()), error.hint().to_owned())
            })?;
            if keys.iter().any(|one: &Psk| one.identity == key.identity) {
                let identity = key.identity().escape_ascii();
                let message = format!("{place}: the identity {identity} has a key already");
                return Err(configuration(message, "leave one of the two"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            let message = format!("pre-shared key file {}: no key in it", path.display());
            return Err(configuration(message, "write lines of IDENTITY:KEY, the key in hex"));
        }
        Ok(Self { keys, hint: None })
    }

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
        let error = TlsError::new(TlsErrorKind::PolicyNotMet, message, hint);
        Err(error.about(Setting::PresharedKeys))
    }
}

#[cfg(test)]
mod tests;
