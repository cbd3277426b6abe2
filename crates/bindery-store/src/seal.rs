//! Encryption at rest: one secret, sealed under a key: a record's under a data key, a data key under the KEK.
//!
//! The format, version 1 (all of it is stored; nothing else is needed but the key):
//!
//! ```text
//! octets   what
//!  0       format version: 1
//!  1..9    the key's id: HKDF-SHA-256(salt = empty, key, info = "bindery-store kek id v1")[..8]
//!  9..41   salt, random for every sealing
//! 41..n    ciphertext of AES-256-GCM (NIST SP 800-38D), as long as the secret
//!  n..n+16 authentication tag
//!
//! key (32) | nonce (12) = HKDF-SHA-256(salt, key, info = "bindery-store record v1")
//! associated data       = "bindery-store record v1" | octets 0..9
//!                         | for the kind, then for each part of the identity:
//!                           length (4 octets, big-endian) | octets
//! ```
//!
//! A key is used once, for its own salt, so the number of records is not bounded by the 2^32
//! random nonces that one GCM key allows. The identity in the associated data binds a secret to
//! its place: moved to another row, it does not open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    constant_time, rand,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Kek, KekId};

const FORMAT: u8 = 1;
const SALT: usize = 32;
const TAG: usize = 16;
const HEADER: usize = 1 + 8 + SALT;
const LABEL: &[u8] = b"bindery-store record v1";
const CHECK_LABEL: &[u8] = b"bindery-store kek check v1";

/// A key that secrets are sealed under.
pub(crate) trait SealingKey {
    /// What names the key in what it sealed.
    fn id(&self) -> [u8; 8];

    /// Derives octets by HKDF-SHA-256 (RFC 5869). `None` only if more than 255 * 32 are asked for.
    fn derive(&self, salt: &[u8], label: &[u8], output: &mut [u8]) -> Option<()>;
}

/// What a secret belongs to: its kind (a constant of the service) and what identifies it there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) kind: &'static str,
    pub(crate) parts: &'a [&'a str],
}

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SealError {
    #[error("the sealed secret has {0} octets, fewer than any has")]
    Short(usize),
    #[error("the sealed secret has format {0}, which this version does not know: update bindery")]
    Format(u8),
    #[error("it is sealed under the key {}, which is not among those given", KekId(*.0))]
    OtherKey([u8; 8]),
    #[error(
        "the sealed secret does not belong here or was altered: restore the record from a backup"
    )]
    Forged,
    #[error("the cryptographic library failed")]
    Library,
}

/// Seals a secret for its identity.
pub(crate) fn seal(
    key: &impl SealingKey,
    identity: Identity<'_>,
    secret: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| SealError::Library)?;
    seal_with(key, identity, secret, &salt)
}

fn seal_with(
    under: &impl SealingKey,
    identity: Identity<'_>,
    secret: &[u8],
    salt: &[u8; SALT],
) -> Result<Vec<u8>, SealError> {
    // All the room at once: growing would leave a copy of the secret behind.
    let mut record = Zeroizing::new(Vec::with_capacity(HEADER + secret.len() + TAG));
    record.push(FORMAT);
    record.extend_from_slice(&under.id());
    record.extend_from_slice(salt);
    record.extend_from_slice(secret);
    let (key, nonce) = record_key(under, salt)?;
    let associated = associated_data(under.id(), identity)?;
    let body = record.get_mut(HEADER..).ok_or(SealError::Library)?;
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(associated), body)
        .map_err(|_| SealError::Library)?;
    record.extend_from_slice(tag.as_ref());
    Ok(std::mem::take(&mut *record))
}

/// Opens what [`seal`] made for the same identity.
pub(crate) fn open(
    under: &impl SealingKey,
    identity: Identity<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (id, rest) = header(sealed)?;
    let short = SealError::Short(sealed.len());
    let (salt, body) = rest.split_first_chunk::<SALT>().ok_or(short)?;
    let length = body.len().checked_sub(TAG).ok_or(short)?;
    if id != under.id() {
        return Err(SealError::OtherKey(id));
    }
    let (key, nonce) = record_key(under, salt)?;
    let associated = associated_data(id, identity)?;
    let mut body = Zeroizing::new(body.to_vec());
    key.open_in_place(nonce, Aad::from(associated), &mut body).map_err(|_| SealError::Forged)?;
    body.truncate(length);
    Ok(body)
}

/// Which key a secret is sealed under.
pub(crate) fn key_of(sealed: &[u8]) -> Result<[u8; 8], SealError> {
    header(sealed).map(|(id, _)| id)
}

/// Format and key of something sealed, and what comes after them.
fn header(sealed: &[u8]) -> Result<([u8; 8], &[u8]), SealError> {
    let short = SealError::Short(sealed.len());
    let (&format, rest) = sealed.split_first().ok_or(short)?;
    if format != FORMAT {
        return Err(SealError::Format(format));
    }
    let (id, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
    Ok((*id, rest))
}

/// The value that a store keeps to recognise its key again.
pub(crate) fn check_value(kek: &Kek) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| SealError::Library)?;
    let mut value = vec![FORMAT];
    value.extend_from_slice(&kek.id().0);
    value.extend_from_slice(&salt);
    let mut check = [0; 32];
    kek.derive(&salt, CHECK_LABEL, &mut check).ok_or(SealError::Library)?;
    value.extend_from_slice(&check);
    Ok(value)
}

/// Compares a stored check value with a key.
pub(crate) fn check(kek: &Kek, value: &[u8]) -> Result<(), SealError> {
    let (id, rest) = header(value)?;
    let short = SealError::Short(value.len());
    let (salt, stored) = rest.split_first_chunk::<SALT>().ok_or(short)?;
    let mut expected = [0; 32];
    kek.derive(salt, CHECK_LABEL, &mut expected).ok_or(SealError::Library)?;
    if id != kek.id().0 {
        return Err(SealError::OtherKey(id));
    }
    constant_time::verify_slices_are_equal(&expected, stored).map_err(|_| SealError::Forged)
}

fn record_key(
    under: &impl SealingKey,
    salt: &[u8; SALT],
) -> Result<(LessSafeKey, Nonce), SealError> {
    let mut derived = Zeroizing::new([0; 32 + 12]);
    under.derive(salt, LABEL, &mut *derived).ok_or(SealError::Library)?;
    let (key, nonce) = derived.split_first_chunk::<32>().ok_or(SealError::Library)?;
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Library)?;
    Ok((LessSafeKey::new(key), nonce))
}

fn associated_data(id: [u8; 8], identity: Identity<'_>) -> Result<Vec<u8>, SealError> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(LABEL);
    data.push(FORMAT);
    data.extend_from_slice(&id);
    for part in [identity.kind].iter().chain(identity.parts) {
        let length = u32::try_from(part.len()).map_err(|_| SealError::Library)?;
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    Ok(data)
}

#[cfg(test)]
mod tests;
