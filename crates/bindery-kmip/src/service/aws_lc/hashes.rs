//! Hashes, HMAC and what is derived with them.

use std::num::NonZeroU32;

use aws_lc_rs::{
    digest, hkdf, hmac,
    kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac},
    pbkdf2,
};
use bindery_ttlv::registry::HashingAlgorithm as Hash;

use crate::service::{CryptoError, Derivation, Running};

/// The most octets that are derived at once.
const DERIVED: usize = 1 << 16;

pub(super) fn algorithm(function: Hash) -> Result<&'static digest::Algorithm, CryptoError> {
    Ok(match function {
        Hash::SHA_1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::SHA_224 => &digest::SHA224,
        Hash::SHA_256 => &digest::SHA256,
        Hash::SHA_384 => &digest::SHA384,
        Hash::SHA_512 => &digest::SHA512,
        Hash::SHA_512_256 => &digest::SHA512_256,
        Hash::SHA3_256 => &digest::SHA3_256,
        Hash::SHA3_384 => &digest::SHA3_384,
        Hash::SHA3_512 => &digest::SHA3_512,
        other => return Err(CryptoError::unsupported("hash", format!("{other:?}"))),
    })
}

pub(super) fn hash(function: Hash) -> Result<Box<dyn Running>, CryptoError> {
    Ok(Box::new(Hashing(digest::Context::new(algorithm(function)?))))
}

#[derive(Clone)]
struct Hashing(digest::Context);

impl Running for Hashing {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }

    fn copied(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashing")
    }
}

pub(super) fn hmac(function: Hash, key: &[u8]) -> Result<Box<dyn Running>, CryptoError> {
    let key = hmac::Key::new(hmac_algorithm(function)?, key);
    Ok(Box::new(Authenticating(hmac::Context::with_key(&key))))
}

fn hmac_algorithm(function: Hash) -> Result<hmac::Algorithm, CryptoError> {
    Ok(match function {
        Hash::SHA_1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::SHA_224 => hmac::HMAC_SHA224,
        Hash::SHA_256 => hmac::HMAC_SHA256,
        Hash::SHA_384 => hmac::HMAC_SHA384,
        Hash::SHA_512 => hmac::HMAC_SHA512,
        other => return Err(CryptoError::unsupported("HMAC", format!("{other:?}"))),
    })
}

#[derive(Clone)]
struct Authenticating(hmac::Context);

impl Running for Authenticating {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.sign().as_ref().to_vec()
    }

    fn copied(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

impl std::fmt::Debug for Authenticating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticating")
    }
}

pub(super) fn derive(
    derivation: &Derivation<'_>,
    secret: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    if out.is_empty() || out.len() > DERIVED {
        let text = format!("1 to {DERIVED} octets can be derived at once");
        return Err(CryptoError::refused("derivation", text));
    }
    match *derivation {
        Derivation::Pbkdf2(hash, salt, iterations) => {
            let iterations = NonZeroU32::new(iterations)
                .ok_or_else(|| CryptoError::refused("PBKDF2", "no iterations"))?;
            pbkdf2::derive(pbkdf2_algorithm(hash)?, iterations, salt, secret, out);
            Ok(())
        }
        Derivation::Hkdf(hash, salt, info) => {
            let failed = |_| CryptoError::refused("HKDF", "it does not give so many octets");
            let prk = hkdf::Salt::new(hkdf_algorithm(hash)?, salt).extract(secret);
            let info = [info];
            prk.expand(&info, Length(out.len())).map_err(failed)?.fill(out).map_err(failed)
        }
        Derivation::Counter(hash, fixed) => {
            let algorithm = get_kbkdf_ctr_hmac_algorithm(counter_algorithm(hash)?)
                .ok_or_else(|| CryptoError::unsupported("derivation", "counter mode"))?;
            kbkdf_ctr_hmac(algorithm, secret, fixed, out)
                .map_err(|_| CryptoError::refused("derivation", "counter mode gives no such key"))
        }
    }
}

/// How much HKDF is to give.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn pbkdf2_algorithm(hash: Hash) -> Result<pbkdf2::Algorithm, CryptoError> {
    Ok(match hash {
        Hash::SHA_1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::SHA_256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::SHA_384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Hash::SHA_512 => pbkdf2::PBKDF2_HMAC_SHA512,
        other => return Err(CryptoError::unsupported("PBKDF2", format!("{other:?}"))),
    })
}

fn hkdf_algorithm(hash: Hash) -> Result<hkdf::Algorithm, CryptoError> {
    Ok(match hash {
        Hash::SHA_1 => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::SHA_256 => hkdf::HKDF_SHA256,
        Hash::SHA_384 => hkdf::HKDF_SHA384,
        Hash::SHA_512 => hkdf::HKDF_SHA512,
        other => return Err(CryptoError::unsupported("HKDF", format!("{other:?}"))),
    })
}

fn counter_algorithm(hash: Hash) -> Result<KbkdfCtrHmacAlgorithmId, CryptoError> {
    Ok(match hash {
        Hash::SHA_224 => KbkdfCtrHmacAlgorithmId::Sha224,
        Hash::SHA_256 => KbkdfCtrHmacAlgorithmId::Sha256,
        Hash::SHA_384 => KbkdfCtrHmacAlgorithmId::Sha384,
        Hash::SHA_512 => KbkdfCtrHmacAlgorithmId::Sha512,
        other => return Err(CryptoError::unsupported("counter mode", format!("{other:?}"))),
    })
}
