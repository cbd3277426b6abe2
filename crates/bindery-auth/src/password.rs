//! Passwords as they are kept (Argon2id, RFC 9106).

use argon2::{
    Argon2, PasswordVerifier as _,
    password_hash::{PasswordHasher as _, phc::PasswordHash},
};
use thiserror::Error;

/// Why a password cannot be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the password cannot be hashed: {0}")]
#[non_exhaustive]
pub struct PasswordError(String);

/// A password as it is kept: the PHC string of Argon2id with this salt (16 random octets) and the
/// parameters that OWASP recommends (19 MiB, 2 passes, one lane).
///
/// # Errors
/// The library refuses; it does so for a salt of less than 8 octets.
pub fn hash(password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    hashed.map(|phc| phc.to_string()).map_err(|error| PasswordError(error.to_string()))
}

/// Whether a text is a password as [`hash`] gives it, or another of Argon2 in the PHC form.
pub fn is_hash(text: &str) -> bool {
    PasswordHash::new(text)
        .is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some())
}

/// Whether a password is the one that was hashed. It takes tens of milliseconds, on purpose.
pub fn is_hash_of(phc: &str, password: &str) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
}
