//! Ciphers, authenticated ciphers and key wrapping.

use ::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InOutBuf, KeyInit,
    KeyIvInit, StreamCipher,
};
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, array::ArraySize, consts},
};
use aws_lc_rs::{
    aead,
    cipher::{
        self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
    },
    iv::FixedLength,
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded},
};
use bindery_ttlv::registry::{BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm};

use crate::{
    Secret,
    service::{Aead, Cipher, CipherRun, CryptoError},
};

pub(super) fn cipher(cipher: Cipher, run: CipherRun<'_>) -> Result<(), CryptoError> {
    match cipher.algorithm {
        Algorithm::AES if cipher.decrypt => aes_decrypt(cipher.mode, run),
        Algorithm::AES => aes_encrypt(cipher.mode, run),
        Algorithm::DES3 => triple_des(cipher, run),
        Algorithm::CHACHA20 => chacha20(run),
        other => Err(CryptoError::unsupported("cipher", format!("{other:?}"))),
    }
}

fn wrong(what: &str) -> CryptoError {
    CryptoError::refused("cipher", format!("{what} does not have a length that this cipher takes"))
}

fn aes(key: &[u8]) -> Result<UnboundCipherKey, CryptoError> {
    let algorithm = match key.len() {
        16 => &cipher::AES_128,
        24 => &cipher::AES_192,
        32 => &cipher::AES_256,
        _ => return Err(wrong("the key")),
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| wrong("the key"))
}

fn iv(iv: &[u8]) -> Result<FixedLength<16>, CryptoError> {
    FixedLength::try_from(iv).map_err(|_| wrong("the IV"))
}

fn aes_encrypt(mode: Mode, run: CipherRun<'_>) -> Result<(), CryptoError> {
    let key = aes(run.key)?;
    let (key, context) = match mode {
        Mode::ECB => (EncryptingKey::ecb(key), EncryptionContext::None),
        Mode::CBC => (EncryptingKey::cbc(key), EncryptionContext::Iv128(iv(run.iv)?)),
        Mode::CTR => (EncryptingKey::ctr(key), EncryptionContext::Iv128(iv(run.iv)?)),
        Mode::CFB => (EncryptingKey::cfb128(key), EncryptionContext::Iv128(iv(run.iv)?)),
        Mode::OFB => (EncryptingKey::ofb(key), EncryptionContext::Iv128(iv(run.iv)?)),
        other => return Err(CryptoError::unsupported("cipher", format!("AES in {other:?}"))),
    };
    let key = key.map_err(|_| wrong("the key"))?;
    key.less_safe_encrypt(run.data, context).map(drop).map_err(|_| wrong("the data"))
}

fn aes_decrypt(mode: Mode, run: CipherRun<'_>) -> Result<(), CryptoError> {
    let key = aes(run.key)?;
    let (key, context) = match mode {
        Mode::ECB => (DecryptingKey::ecb(key), DecryptionContext::None),
        Mode::CBC => (DecryptingKey::cbc(key), DecryptionContext::Iv128(iv(run.iv)?)),
        Mode::CTR => (DecryptingKey::ctr(key), DecryptionContext::Iv128(iv(run.iv)?)),
        Mode::CFB => (DecryptingKey::cfb128(key), DecryptionContext::Iv128(iv(run.iv)?)),
        Mode::OFB => (DecryptingKey::ofb(key), DecryptionContext::Iv128(iv(run.iv)?)),
        other => return Err(CryptoError::unsupported("cipher", format!("AES in {other:?}"))),
    };
    let key = key.map_err(|_| wrong("the key"))?;
    key.decrypt(run.data, context).map(drop).map_err(|_| wrong("the data"))
}

/// Triple DES with two or three keys, in ECB and CBC.
fn triple_des(cipher: Cipher, run: CipherRun<'_>) -> Result<(), CryptoError> {
    // Two keys are three of which the first comes again.
    let mut key = zeroize::Zeroizing::new(run.key.to_vec());
    if key.len() == 16 {
        let first: Vec<u8> = key.iter().take(8).copied().collect();
        key.extend_from_slice(&first);
    }
    let (blocks, rest) = InOutBuf::from(run.data).into_chunks();
    if !rest.is_empty() {
        return Err(wrong("the data"));
    }
    let bad_key = |_| wrong("the key");
    let bad = |_| wrong("key or IV");
    match (cipher.mode, cipher.decrypt) {
        (Mode::ECB, false) => {
            des::TdesEde3::new_from_slice(&key).map_err(bad_key)?.encrypt_blocks_inout(blocks);
        }
        (Mode::ECB, true) => {
            des::TdesEde3::new_from_slice(&key).map_err(bad_key)?.decrypt_blocks_inout(blocks);
        }
        (Mode::CBC, false) => cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, run.iv)
            .map_err(bad)?
            .encrypt_blocks_inout(blocks),
        (Mode::CBC, true) => cbc::Decryptor::<des::TdesEde3>::new_from_slices(&key, run.iv)
            .map_err(bad)?
            .decrypt_blocks_inout(blocks),
        (other, _) => {
            return Err(CryptoError::unsupported("cipher", format!("triple DES in {other:?}")));
        }
    }
    Ok(())
}

/// ChaCha20 with the nonce of RFC 8439 (12 octets) or the original one (8), from block 0 on.
fn chacha20(run: CipherRun<'_>) -> Result<(), CryptoError> {
    let bad = |_| wrong("key or nonce");
    match run.iv.len() {
        8 => chacha20::ChaCha20Legacy::new_from_slices(run.key, run.iv)
            .map_err(bad)?
            .try_apply_keystream(run.data)
            .map_err(|_| wrong("the data")),
        _ => chacha20::ChaCha20::new_from_slices(run.key, run.iv)
            .map_err(bad)?
            .try_apply_keystream(run.data)
            .map_err(|_| wrong("the data")),
    }
}

pub(super) fn seal(seal: Aead<'_>, data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
    if seal.algorithm == Algorithm::AES && seal.nonce.len() != aead::NONCE_LEN {
        return long_nonce(seal, data);
    }
    let algorithm = match (seal.algorithm, seal.key.len()) {
        (Algorithm::AES, 16) => &aead::AES_128_GCM,
        (Algorithm::AES, 24) => &aead::AES_192_GCM,
        (Algorithm::AES, 32) => &aead::AES_256_GCM,
        (Algorithm::CHACHA20POLY1305 | Algorithm::CHACHA20, 32) => &aead::CHACHA20_POLY1305,
        (Algorithm::AES | Algorithm::CHACHA20POLY1305 | Algorithm::CHACHA20, _) => {
            return Err(wrong("the key"));
        }
        (other, _) => {
            return Err(CryptoError::unsupported("authenticated encryption", format!("{other:?}")));
        }
    };
    let key = aead::UnboundKey::new(algorithm, seal.key).map_err(|_| wrong("the key"))?;
    let nonce = aead::Nonce::try_assume_unique_for_key(seal.nonce)
        .map_err(|_| wrong("the nonce (12 octets)"))?;
    let tag = aead::LessSafeKey::new(key)
        .seal_in_place_separate_tag(nonce, aead::Aad::from(seal.additional), data)
        .map_err(|_| wrong("the data"))?;
    Ok(tag.as_ref().to_vec())
}

/// GCM with a nonce of another length than 12, which RustCrypto takes as a type.
fn long_nonce(seal: Aead<'_>, data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
    match seal.nonce.len() {
        8 => by_key::<consts::U8>(seal, data),
        16 => by_key::<consts::U16>(seal, data),
        32 => by_key::<consts::U32>(seal, data),
        60 => by_key::<consts::U60>(seal, data),
        64 => by_key::<consts::U64>(seal, data),
        128 => by_key::<consts::U128>(seal, data),
        _ => Err(wrong("the nonce (12, or 8, 16, 32, 60, 64, 128 octets)")),
    }
}

fn by_key<N: ArraySize>(seal: Aead<'_>, data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
    match seal.key.len() {
        16 => gcm::<AesGcm<aes_gcm::aes::Aes128, N>>(seal, data),
        24 => gcm::<AesGcm<aes_gcm::aes::Aes192, N>>(seal, data),
        32 => gcm::<AesGcm<aes_gcm::aes::Aes256, N>>(seal, data),
        _ => Err(wrong("the key")),
    }
}

fn gcm<A: AeadInOut + KeyInit>(seal: Aead<'_>, data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
    let cipher = A::new_from_slice(seal.key).map_err(|_| wrong("the key"))?;
    let nonce = seal.nonce.try_into().map_err(|_| wrong("the nonce"))?;
    let tag = cipher
        .encrypt_inout_detached(nonce, seal.additional, data.into())
        .map_err(|_| wrong("the data"))?;
    Ok(tag.to_vec())
}

fn kek(key: &[u8]) -> Result<AesKek, CryptoError> {
    let cipher = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        24 => return Err(CryptoError::unsupported("key wrapping", "a wrapping key of 192 bits")),
        _ => return Err(wrong("the wrapping key")),
    };
    AesKek::new(cipher, key).map_err(|_| wrong("the wrapping key"))
}

pub(super) fn wrap(padding: bool, key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut out = vec![0; data.len().saturating_add(24)];
    let key = kek(key)?;
    let wrapped =
        if padding { key.wrap_with_padding(data, &mut out) } else { key.wrap(data, &mut out) };
    let length = wrapped.map_err(|_| wrong("what is to be wrapped"))?.len();
    out.truncate(length);
    Ok(out)
}

pub(super) fn unwrap(padding: bool, key: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = zeroize::Zeroizing::new(vec![0; data.len().saturating_add(16)]);
    let key = kek(key)?;
    let unwrapped =
        if padding { key.unwrap_with_padding(data, &mut out) } else { key.unwrap(data, &mut out) };
    let refused = |_| CryptoError::refused("unwrapping", "not wrapped under this key");
    let unwrapped: &[u8] = unwrapped.map_err(refused)?;
    Ok(Secret::from(unwrapped))
}
