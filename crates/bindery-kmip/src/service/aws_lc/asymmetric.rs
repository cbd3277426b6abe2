//! Signatures and RSA encryption.

use aws_lc_rs::{
    digest::Digest,
    rand::SystemRandom,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
        OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    },
    signature::{self as by, Ed25519KeyPair, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm},
};
use bindery_ttlv::registry::{HashingAlgorithm as Hash, RecommendedCurve as Curve};
use rsa::{
    oaep::{DecryptingKey, EncryptingKey},
    pkcs8::{DecodePrivateKey, DecodePublicKey},
    rand_core::{TryCryptoRng, TryRng},
    sha2::{Digest as Digest2, Sha224, Sha256, Sha384, Sha512},
    traits::{Decryptor, RandomizedEncryptor},
};
use sha1::Sha1;

use super::{hashes, keys};
use crate::{
    Secret,
    service::{CryptoError, Message, RsaScheme, SignatureScheme},
};

fn refused(what: &'static str) -> CryptoError {
    CryptoError::refused("signature", what)
}

fn no_rsa<E>(_: E) -> CryptoError {
    CryptoError::refused("RSA", "this is no RSA key of 2,048 to 8,192 bits")
}

fn unsupported(scheme: &SignatureScheme) -> CryptoError {
    CryptoError::unsupported("signature", format!("{scheme:?} with this key"))
}

/// What is signed, hashed by a function.
fn hashed(hash: Hash, message: Message<'_>) -> Result<Digest, CryptoError> {
    let algorithm = hashes::algorithm(hash)?;
    match message {
        Message::Data(data) => Ok(aws_lc_rs::digest::digest(algorithm, data)),
        Message::Digest(digest) => Digest::import_less_safe(digest, algorithm)
            .map_err(|_| refused("the Digested Data does not have the hash's length")),
    }
}

pub(super) fn sign(
    scheme: &SignatureScheme,
    pkcs8: &[u8],
    message: Message<'_>,
    random: &SystemRandom,
) -> Result<Vec<u8>, CryptoError> {
    let failed = |_| CryptoError::new("signature", "the library made none");
    match *scheme {
        SignatureScheme::Pkcs1(hash) => {
            let encoding = match hash {
                Hash::SHA_256 => &by::RSA_PKCS1_SHA256,
                Hash::SHA_384 => &by::RSA_PKCS1_SHA384,
                Hash::SHA_512 => &by::RSA_PKCS1_SHA512,
                _ => return Err(unsupported(scheme)),
            };
            rsa_sign(encoding, pkcs8, &hashed(hash, message)?)
        }
        SignatureScheme::Pss(hash, None)
            if matches!(hash, Hash::SHA_256 | Hash::SHA_384 | Hash::SHA_512) =>
        {
            let encoding = match hash {
                Hash::SHA_256 => &by::RSA_PSS_SHA256,
                Hash::SHA_384 => &by::RSA_PSS_SHA384,
                _ => &by::RSA_PSS_SHA512,
            };
            rsa_sign(encoding, pkcs8, &hashed(hash, message)?)
        }
        SignatureScheme::Pss(hash, salt) => pss_sign(hash, salt, pkcs8, message),
        SignatureScheme::Ecdsa(hash) => {
            let (curve, pair) = keys::curve_pair(pkcs8)
                .ok_or_else(|| refused("this is no key on a known curve"))?;
            if curve_hash(curve) != hash {
                return Err(unsupported(scheme));
            }
            let signature = match message {
                Message::Data(data) => pair.sign(random, data).map_err(failed)?,
                Message::Digest(_) => pair.sign_digest(&hashed(hash, message)?).map_err(failed)?,
            };
            Ok(signature.as_ref().to_vec())
        }
        SignatureScheme::Ed25519 => {
            let pair =
                Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| refused("this is no Ed25519 key"))?;
            match message {
                Message::Data(data) => Ok(pair.sign(data).as_ref().to_vec()),
                Message::Digest(_) => Err(unsupported(scheme)),
            }
        }
    }
}

fn pss_sign(
    hash: Hash,
    salt: Option<u16>,
    pkcs8: &[u8],
    message: Message<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let digest = hashed(hash, message)?;
    let key = rsa::PrivateKey::from_pkcs8_der(pkcs8).map_err(no_rsa)?;
    let hashed = digest.as_ref();
    let salt = salt.map_or(hashed.len(), usize::from);
    let signed = match hash {
        Hash::SHA_1 => key.sign(rsa::Pss::<Sha1>::new_blinded_with_salt(salt), hashed),
        Hash::SHA_224 => key.sign(rsa::Pss::<Sha224>::new_blinded_with_salt(salt), hashed),
        Hash::SHA_256 => key.sign(rsa::Pss::<Sha256>::new_blinded_with_salt(salt), hashed),
        Hash::SHA_384 => key.sign(rsa::Pss::<Sha384>::new_blinded_with_salt(salt), hashed),
        Hash::SHA_512 => key.sign(rsa::Pss::<Sha512>::new_blinded_with_salt(salt), hashed),
        other => return Err(CryptoError::unsupported("signature", format!("PSS with {other:?}"))),
    };
    signed.map_err(|_| refused("the key is too short for this hash and salt"))
}

fn rsa_sign(
    encoding: &'static by::RsaSignatureEncoding,
    pkcs8: &[u8],
    digest: &Digest,
) -> Result<Vec<u8>, CryptoError> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(no_rsa)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, digest, &mut signature)
        .map_err(|_| CryptoError::new("signature", "the library made none"))?;
    Ok(signature)
}

/// The hash that signatures on a curve are made with here.
pub(super) const fn curve_hash(curve: Curve) -> Hash {
    match curve {
        Curve::P_384 => Hash::SHA_384,
        Curve::P_521 => Hash::SHA_512,
        _ => Hash::SHA_256,
    }
}

pub(super) fn verify(
    scheme: &SignatureScheme,
    spki: &[u8],
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let algorithms: &[&'static dyn VerificationAlgorithm] = match *scheme {
        SignatureScheme::Pkcs1(Hash::SHA_1) => &[&by::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY],
        SignatureScheme::Pkcs1(Hash::SHA_256) => {
            &[&by::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY]
        }
        SignatureScheme::Pkcs1(Hash::SHA_384) => &[&by::RSA_PKCS1_2048_8192_SHA384],
        SignatureScheme::Pkcs1(Hash::SHA_512) => {
            &[&by::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY]
        }
        SignatureScheme::Pss(hash, salt) => {
            return pss_verify(hash, salt, spki, message, signature);
        }
        SignatureScheme::Ecdsa(Hash::SHA_256) => {
            &[&by::ECDSA_P256_SHA256_ASN1, &by::ECDSA_P256K1_SHA256_ASN1]
        }
        SignatureScheme::Ecdsa(Hash::SHA_384) => {
            &[&by::ECDSA_P384_SHA384_ASN1, &by::ECDSA_P256_SHA384_ASN1]
        }
        SignatureScheme::Ecdsa(Hash::SHA_512) => &[&by::ECDSA_P521_SHA512_ASN1],
        SignatureScheme::Ed25519 => &[&by::ED25519],
        SignatureScheme::Pkcs1(_) | SignatureScheme::Ecdsa(_) => return Err(unsupported(scheme)),
    };
    let digest = match (message, scheme.hash()) {
        (Message::Digest(_), Some(hash)) => Some(hashed(hash, message)?),
        (Message::Digest(_), None) => return Err(unsupported(scheme)),
        (Message::Data(_), _) => None,
    };
    Ok(algorithms.iter().any(|algorithm| {
        let key = UnparsedPublicKey::new(*algorithm, spki);
        match (&digest, message) {
            (Some(digest), _) => key.verify_digest(digest, signature).is_ok(),
            (None, Message::Data(data)) => key.verify(data, signature).is_ok(),
            (None, Message::Digest(_)) => false,
        }
    }))
}

/// PSS with a salt of a length that is said, or else of any: the signature tells it.
fn pss_verify(
    hash: Hash,
    salt: Option<u16>,
    spki: &[u8],
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let digest = hashed(hash, message)?;
    let key = rsa::PublicKey::from_public_key_der(spki).map_err(no_rsa)?;
    let hashed = digest.as_ref();
    let verified = match hash {
        Hash::SHA_1 => key.verify(pss::<Sha1>(salt), hashed, signature),
        Hash::SHA_224 => key.verify(pss::<Sha224>(salt), hashed, signature),
        Hash::SHA_256 => key.verify(pss::<Sha256>(salt), hashed, signature),
        Hash::SHA_384 => key.verify(pss::<Sha384>(salt), hashed, signature),
        Hash::SHA_512 => key.verify(pss::<Sha512>(salt), hashed, signature),
        other => return Err(CryptoError::unsupported("signature", format!("PSS with {other:?}"))),
    };
    Ok(verified.is_ok())
}

fn pss<D: Digest2>(salt: Option<u16>) -> rsa::Pss<D> {
    let mut scheme = rsa::Pss::<D>::new();
    scheme.salt_len = salt.map(usize::from);
    scheme
}

/// OAEP as AWS-LC has it: one hash for both.
const fn oaep(hash: Hash, mask: Hash) -> Option<&'static OaepAlgorithm> {
    match (hash, mask) {
        (Hash::SHA_1, Hash::SHA_1) => Some(&OAEP_SHA1_MGF1SHA1),
        (Hash::SHA_256, Hash::SHA_256) => Some(&OAEP_SHA256_MGF1SHA256),
        (Hash::SHA_384, Hash::SHA_384) => Some(&OAEP_SHA384_MGF1SHA384),
        (Hash::SHA_512, Hash::SHA_512) => Some(&OAEP_SHA512_MGF1SHA512),
        _ => None,
    }
}

pub(super) fn encrypt(
    scheme: &RsaScheme<'_>,
    spki: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let too_long = |_| CryptoError::refused("RSA encryption", "the data is too long for the key");
    let key = || PublicEncryptingKey::from_der(spki).map_err(no_rsa);
    match *scheme {
        RsaScheme::Pkcs1 => {
            let key = Pkcs1PublicEncryptingKey::new(key()?).map_err(no_rsa)?;
            let mut out = vec![0; key.ciphertext_size()];
            let length = key.encrypt(data, &mut out).map_err(too_long)?.len();
            out.truncate(length);
            Ok(out)
        }
        RsaScheme::Oaep(hash, mask, label) => match oaep(hash, mask) {
            Some(algorithm) => {
                let key = OaepPublicEncryptingKey::new(key()?).map_err(no_rsa)?;
                let mut out = vec![0; key.ciphertext_size()];
                let encrypted = key.encrypt(algorithm, data, &mut out, label);
                let length = encrypted.map_err(too_long)?.len();
                out.truncate(length);
                Ok(out)
            }
            None => mixed_encrypt((hash, mask), label.unwrap_or_default(), spki, data),
        },
    }
}

pub(super) fn decrypt(
    scheme: &RsaScheme<'_>,
    pkcs8: &[u8],
    data: &[u8],
) -> Result<Secret, CryptoError> {
    let refused =
        |_| CryptoError::refused("RSA decryption", "the data was not encrypted for this key so");
    let key = || PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(no_rsa);
    match *scheme {
        RsaScheme::Pkcs1 => {
            let key = Pkcs1PrivateDecryptingKey::new(key()?).map_err(no_rsa)?;
            let mut out = zeroize::Zeroizing::new(vec![0; key.min_output_size()]);
            let plain: &[u8] = key.decrypt(data, &mut out).map_err(refused)?;
            Ok(Secret::from(plain))
        }
        RsaScheme::Oaep(hash, mask, label) => match oaep(hash, mask) {
            Some(algorithm) => {
                let key = OaepPrivateDecryptingKey::new(key()?).map_err(no_rsa)?;
                let mut out = zeroize::Zeroizing::new(vec![0; key.min_output_size()]);
                let plain: &[u8] =
                    key.decrypt(algorithm, data, &mut out, label).map_err(refused)?;
                Ok(Secret::from(plain))
            }
            None => mixed_decrypt((hash, mask), label.unwrap_or_default(), pkcs8, data),
        },
    }
}

/// One arm for each pair of hash functions that differ.
macro_rules! mixed {
    ($hashes:expr, $run:ident, $key:expr, $label:expr) => {
        match $hashes {
            (Hash::SHA_1, Hash::SHA_256) => $run!(Sha1, Sha256, $key, $label),
            (Hash::SHA_256, Hash::SHA_1) => $run!(Sha256, Sha1, $key, $label),
            (Hash::SHA_256, Hash::SHA_384) => $run!(Sha256, Sha384, $key, $label),
            (Hash::SHA_256, Hash::SHA_512) => $run!(Sha256, Sha512, $key, $label),
            (Hash::SHA_384, Hash::SHA_1) => $run!(Sha384, Sha1, $key, $label),
            (Hash::SHA_384, Hash::SHA_256) => $run!(Sha384, Sha256, $key, $label),
            (Hash::SHA_384, Hash::SHA_512) => $run!(Sha384, Sha512, $key, $label),
            (Hash::SHA_512, Hash::SHA_1) => $run!(Sha512, Sha1, $key, $label),
            (Hash::SHA_512, Hash::SHA_256) => $run!(Sha512, Sha256, $key, $label),
            (Hash::SHA_512, Hash::SHA_384) => $run!(Sha512, Sha384, $key, $label),
            (hash, mask) => {
                let text = format!("OAEP with {hash:?} and MGF1 with {mask:?}");
                return Err(CryptoError::unsupported("RSA encryption", text));
            }
        }
    };
}

fn mixed_encrypt(
    hashes: (Hash, Hash),
    label: &[u8],
    spki: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = rsa::PublicKey::from_public_key_der(spki).map_err(no_rsa)?;
    let mut random = Randomness;
    macro_rules! run {
        ($hash:ty, $mask:ty, $key:expr, $label:expr) => {
            EncryptingKey::<$hash, $mask>::new_with_label($key, $label)
                .encrypt_with_rng(&mut random, data)
        };
    }
    mixed!(hashes, run, key, label)
        .map_err(|_| CryptoError::refused("RSA encryption", "the data is too long for the key"))
}

fn mixed_decrypt(
    hashes: (Hash, Hash),
    label: &[u8],
    pkcs8: &[u8],
    data: &[u8],
) -> Result<Secret, CryptoError> {
    let key = rsa::PrivateKey::from_pkcs8_der(pkcs8).map_err(no_rsa)?;
    macro_rules! run {
        ($hash:ty, $mask:ty, $key:expr, $label:expr) => {
            DecryptingKey::<$hash, $mask>::new_with_label($key, $label).decrypt(data)
        };
    }
    let refused =
        |_| CryptoError::refused("RSA decryption", "the data was not encrypted for this key so");
    mixed!(hashes, run, key, label).map(Secret::new).map_err(refused)
}

/// AWS-LC's generator as RustCrypto takes one.
struct Randomness;

impl TryRng for Randomness {
    type Error = CryptoError;

    fn try_next_u32(&mut self) -> Result<u32, CryptoError> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_ne_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, CryptoError> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_ne_bytes(octets))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
        aws_lc_rs::rand::fill(buffer)
            .map_err(|_| CryptoError::new("random octets", "the generator gave none"))
    }
}

impl TryCryptoRng for Randomness {}
