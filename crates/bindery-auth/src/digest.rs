//! Digest's arithmetic (RFC 7616, section 3.4; RFC 2617, section 3.2.2).

use bindery_core::{DigestAlgorithm, DigestSecret};
use md5::Md5;
use sha2::Sha256;
use zeroize::Zeroizing;

/// An algorithm as header fields name it: a digest, and whether the nonces go into its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Algorithm {
    /// The digest.
    pub digest: DigestAlgorithm,
    /// `-sess`: the secret is made anew for each session from the server's and the client's nonce.
    pub session: bool,
}

impl Algorithm {
    /// MD5, which a field without a name means.
    pub const MD5: Self = Self { digest: DigestAlgorithm::Md5, session: false };
    /// MD5-sess.
    pub const MD5_SESS: Self = Self { digest: DigestAlgorithm::Md5, session: true };
    /// SHA-256.
    pub const SHA_256: Self = Self { digest: DigestAlgorithm::Sha256, session: false };
    /// SHA-256-sess.
    pub const SHA_256_SESS: Self = Self { digest: DigestAlgorithm::Sha256, session: true };
    /// All of them, strongest first.
    pub const ALL: [Self; 4] = [Self::SHA_256_SESS, Self::SHA_256, Self::MD5_SESS, Self::MD5];

    /// The name in header fields.
    pub const fn name(self) -> &'static str {
        match (self.digest, self.session) {
            (DigestAlgorithm::Sha256, false) => "SHA-256",
            (DigestAlgorithm::Sha256, true) => "SHA-256-sess",
            (_, false) => "MD5",
            (_, true) => "MD5-sess",
        }
    }

    /// The algorithm of a name, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

/// What a response protects (RFC 7616, section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Qop {
    /// Method and target.
    Auth,
    /// The body as well.
    AuthInt,
}

impl Qop {
    /// The name in header fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The value of a name, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

/// What an account keeps for Digest: H(user ":" realm ":" password).
pub fn secret(algorithm: DigestAlgorithm, user: &str, realm: &str, password: &str) -> DigestSecret {
    let digits = hash(algorithm, &[user, ":", realm, ":", password]);
    DigestSecret::new(algorithm, realm, digits.as_str())
}

/// What one request or answer is digested with.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) nonce: &'a str,
    /// Count, client's nonce and protection; `None` is RFC 2069's form, without them.
    pub(crate) session: Option<(&'a str, &'a str, Qop)>,
    pub(crate) uri: &'a str,
}

impl Exchange<'_> {
    /// The proof for a request (`method`) or an answer (an empty one), in hexadecimal digits.
    pub(crate) fn proof(&self, secret: &str, method: &str, body: &[u8]) -> Zeroizing<String> {
        let digest = self.algorithm.digest;
        let secret = match self.session {
            Some((_, cnonce, _)) if self.algorithm.session => {
                hash(digest, &[secret, ":", self.nonce, ":", cnonce])
            }
            _ => Zeroizing::new(secret.to_owned()),
        };
        let second = match self.session {
            Some((_, _, Qop::AuthInt)) => {
                let body = octets(digest, body);
                hash(digest, &[method, ":", self.uri, ":", &body])
            }
            _ => hash(digest, &[method, ":", self.uri]),
        };
        match self.session {
            Some((count, cnonce, qop)) => {
                let parts = [
                    &secret,
                    ":",
                    self.nonce,
                    ":",
                    count,
                    ":",
                    cnonce,
                    ":",
                    qop.name(),
                    ":",
                    &second,
                ];
                hash(digest, &parts)
            }
            None => hash(digest, &[&secret, ":", self.nonce, ":", &second]),
        }
    }
}

fn hash(algorithm: DigestAlgorithm, parts: &[&str]) -> Zeroizing<String> {
    match algorithm {
        DigestAlgorithm::Sha256 => of::<Sha256>(parts.iter().map(|part| part.as_bytes())),
        _ => of::<Md5>(parts.iter().map(|part| part.as_bytes())),
    }
}

fn octets(algorithm: DigestAlgorithm, octets: &[u8]) -> Zeroizing<String> {
    match algorithm {
        DigestAlgorithm::Sha256 => of::<Sha256>([octets].into_iter()),
        _ => of::<Md5>([octets].into_iter()),
    }
}

fn of<'a, D: sha2::Digest>(parts: impl Iterator<Item = &'a [u8]>) -> Zeroizing<String> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    let mut digits = Zeroizing::new(String::with_capacity(64));
    for octet in hasher.finalize() {
        for digit in [octet >> 4, octet & 0xF] {
            digits.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    digits
}

#[cfg(test)]
mod tests;
