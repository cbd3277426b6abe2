//! Accounts, and what several server processes share of them: credentials, nonces that were used,
//! failures that were counted.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use thiserror::Error;

use crate::{Principal, Timestamp};

/// The future of an account store's call.
pub type AccountFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AccountError>> + Send + 'a>>;

/// Why an account store gave no answer; it never means "no such account".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("accounts cannot be looked up: {reason}")]
#[non_exhaustive]
pub struct AccountError {
    /// What went wrong, for the log; it goes to no peer.
    pub reason: String,
}

impl AccountError {
    /// An error from its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// What an account proves itself with over HTTP.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Account {
    /// The account that services know.
    pub principal: Principal,
    /// The password, hashed for storage: a PHC string of Argon2id. For Basic only: no Digest can be
    /// computed from it.
    pub password: Option<String>,
    /// What Digest is computed from, one for each algorithm and realm. Each is as good as the
    /// password in its realm, so a store keeps them sealed.
    pub digests: Vec<DigestSecret>,
}

impl Account {
    /// An account that nothing opens yet.
    pub const fn new(principal: Principal) -> Self {
        Self { principal, password: None, digests: Vec::new() }
    }
}

/// A digest algorithm (RFC 7616, section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5, for peers that have nothing newer.
    Md5,
    /// SHA-256.
    Sha256,
}

impl DigestAlgorithm {
    /// The name in header fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// H(user ":" realm ":" password), with what it was made by.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DigestSecret {
    /// The algorithm.
    pub algorithm: DigestAlgorithm,
    /// The realm that went into it.
    pub realm: String,
    /// The digest, in lower-case hexadecimal digits.
    pub secret: String,
}

impl DigestSecret {
    /// A secret from its parts.
    pub fn new(
        algorithm: DigestAlgorithm,
        realm: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self { algorithm, realm: realm.into(), secret: secret.into() }
    }
}

impl fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestSecret({} of {:?})", self.algorithm.name(), self.realm)
    }
}

/// Where accounts are kept.
pub trait CredentialStore: fmt::Debug + Send + Sync {
    /// The account of a user name, octet by octet; `None` where there is none.
    fn account<'a>(&'a self, user: &'a str) -> AccountFuture<'a, Option<Account>>;
}

/// Which nonces were used how often: what keeps a recorded request from being sent again.
///
/// Several server processes that take each other's nonces share one.
pub trait ReplayGuard: fmt::Debug + Send + Sync {
    /// Notes a use of a nonce, and tells whether it is the first with this count. What is noted
    /// may be forgotten at `until`, when the nonce itself counts no more, and not before.
    fn is_first<'a>(
        &'a self,
        nonce: &'a str,
        count: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> AccountFuture<'a, bool>;
}

/// How often somebody failed to prove who they are.
pub trait RateLimit: fmt::Debug + Send + Sync {
    /// How long this key has to wait; `None` where it may try.
    fn wait<'a>(&'a self, key: &'a str, now: Timestamp) -> AccountFuture<'a, Option<Duration>>;

    /// Notes a failure.
    fn failed<'a>(&'a self, key: &'a str, now: Timestamp) -> AccountFuture<'a, ()>;

    /// Notes a success: earlier failures of the key count no more.
    fn succeeded<'a>(&'a self, key: &'a str) -> AccountFuture<'a, ()>;
}
