//! Encryption at rest: one record's secret, sealed under the key-encryption key.
//!
//! The format, version 1 (all of it is stored; nothing else is needed but the KEK):
//!
//! ```text
//! octets   what
//!  0       format version: 1
//!  1..9    KekId: HKDF-SHA-256(salt = empty, key = KEK, info = "bindery-store kek id v1")[..8]
//!  9..41   salt, random for every sealing
//! 41..n    ciphertext of AES-256-GCM (NIST SP 800-38D), as long as the secret
//!  n..n+16 authentication tag
//!
//! key (32) | nonce (12) = HKDF-SHA-256(salt, key = KEK, info = "bindery-store record v1")
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
    #[error("the secret is sealed under the key {0}: open the store with that key")]
    OtherKek(KekId),
    #[error(
        "the sealed secret does not belong here or was altered: restore the record from a backup"
    )]
    Forged,
    #[error("the cryptographic library failed")]
    Library,
}

/// Seals a secret for its identity.
pub(crate) fn seal(kek: &Kek, identity: Identity<'_>, secret: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| SealError::Library)?;
    seal_with(kek, identity, secret, &salt)
}

fn seal_with(
    kek: &Kek,
    identity: Identity<'_>,
    secret: &[u8],
    salt: &[u8; SALT],
) -> Result<Vec<u8>, SealError> {
    // All the room at once: growing would leave a copy of the secret behind.
    let mut record = Zeroizing::new(Vec::with_capacity(HEADER + secret.len() + TAG));
    record.push(FORMAT);
    record.extend_from_slice(&kek.id().0);
    record.extend_from_slice(salt);
    record.extend_from_slice(secret);
    let (key, nonce) = record_key(kek, salt)?;
    let associated = associated_data(kek.id(), identity)?;
    let body = record.get_mut(HEADER..).ok_or(SealError::Library)?;
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(associated), body)
        .map_err(|_| SealError::Library)?;
    record.extend_from_slice(tag.as_ref());
    Ok(std::mem::take(&mut *record))
}

/// Opens what [`seal`] made for the same identity.
pub(crate) fn open(
    kek: &Kek,
    identity: Identity<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let short = SealError::Short(sealed.len());
    let (&format, rest) = sealed.split_first().ok_or(short)?;
    if format != FORMAT {
        return Err(SealError::Format(format));
    }
    let (id, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
    let (salt, body) = rest.split_first_chunk::<SALT>().ok_or(short)?;
    let length = body.len().checked_sub(TAG).ok_or(short)?;
    if *id != kek.id().0 {
        return Err(SealError::OtherKek(KekId(*id)));
    }
    let (key, nonce) = record_key(kek, salt)?;
    let associated = associated_data(kek.id(), identity)?;
    let mut body = Zeroizing::new(body.to_vec());
    key.open_in_place(nonce, Aad::from(associated), &mut body).map_err(|_| SealError::Forged)?;
    body.truncate(length);
    Ok(body)
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
    let short = SealError::Short(value.len());
    let (&format, rest) = value.split_first().ok_or(short)?;
    if format != FORMAT {
        return Err(SealError::Format(format));
    }
    let (id, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
    let (salt, stored) = rest.split_first_chunk::<SALT>().ok_or(short)?;
    let mut expected = [0; 32];
    kek.derive(salt, CHECK_LABEL, &mut expected).ok_or(SealError::Library)?;
    if *id != kek.id().0 {
        return Err(SealError::OtherKek(KekId(*id)));
    }
    constant_time::verify_slices_are_equal(&expected, stored).map_err(|_| SealError::Forged)
}

fn record_key(kek: &Kek, salt: &[u8; SALT]) -> Result<(LessSafeKey, Nonce), SealError> {
    let mut derived = Zeroizing::new([0; 32 + 12]);
    kek.derive(salt, LABEL, &mut *derived).ok_or(SealError::Library)?;
    let (key, nonce) = derived.split_first_chunk::<32>().ok_or(SealError::Library)?;
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Library)?;
    Ok((LessSafeKey::new(key), nonce))
}

fn associated_data(id: KekId, identity: Identity<'_>) -> Result<Vec<u8>, SealError> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(LABEL);
    data.push(FORMAT);
    data.extend_from_slice(&id.0);
    for part in [identity.kind].iter().chain(identity.parts) {
        let length = u32::try_from(part.len()).map_err(|_| SealError::Library)?;
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    Ok(data)
}

#[cfg(test)]
mod tests;
