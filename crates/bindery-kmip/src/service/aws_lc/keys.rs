//! Key pairs, and the forms of their halves.

use aws_lc_rs::{
    encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
        ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair, RsaSubjectPublicKey,
    },
};
use bindery_ttlv::registry::{KeyFormatType as Form, RecommendedCurve as Curve};
use rsa::{
    pkcs1::ALGORITHM_ID,
    pkcs8::{
        PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
        der::{
            Decode, Encode,
            asn1::{BitStringRef, OctetStringRef},
        },
    },
};

use crate::{
    Secret,
    service::{CryptoError, KeyPairKind},
};

/// The curves, each with the algorithm that keys of it are read by.
const CURVES: [(Curve, &EcdsaSigningAlgorithm); 4] = [
    (Curve::P_256, &ECDSA_P256_SHA256_ASN1_SIGNING),
    (Curve::P_384, &ECDSA_P384_SHA384_ASN1_SIGNING),
    (Curve::P_521, &ECDSA_P521_SHA512_ASN1_SIGNING),
    (Curve::SECP256K1, &ECDSA_P256K1_SHA256_ASN1_SIGNING),
];

fn refused(what: &'static str) -> CryptoError {
    CryptoError::refused("key", what)
}

fn failed<E>(_: E) -> CryptoError {
    CryptoError::new("key pair", "the library gave none")
}

pub(super) fn generate(kind: KeyPairKind) -> Result<(Secret, Vec<u8>), CryptoError> {
    match kind {
        KeyPairKind::Rsa(bits) => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                4096 => KeySize::Rsa4096,
                8192 => KeySize::Rsa8192,
                _ => {
                    let text = format!("RSA with {bits} bits");
                    return Err(CryptoError::unsupported("key pair", text));
                }
            };
            let pair = RsaKeyPair::generate(size).map_err(failed)?;
            let private: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
            Ok((Secret::from(private.as_ref()), public.as_ref().to_vec()))
        }
        KeyPairKind::Curve(curve) => {
            let algorithm = CURVES.iter().find(|(known, _)| *known == curve);
            let Some((_, algorithm)) = algorithm else {
                return Err(CryptoError::unsupported("key pair", format!("{curve:?}")));
            };
            let pair = EcdsaKeyPair::generate(algorithm).map_err(failed)?;
            let private = pair.to_pkcs8v1().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
            Ok((Secret::from(private.as_ref()), public.as_ref().to_vec()))
        }
        KeyPairKind::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            let private = pair.to_pkcs8v1().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
            Ok((Secret::from(private.as_ref()), public.as_ref().to_vec()))
        }
    }
}

/// The key pair of a private key on one of the known curves, whether PKCS#8 or `ECPrivateKey`.
pub(super) fn curve_pair(octets: &[u8]) -> Option<(Curve, EcdsaKeyPair)> {
    CURVES.iter().find_map(|(curve, algorithm)| {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, octets)
            .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, octets));
        Some((*curve, pair.ok()?))
    })
}

pub(super) fn private_key(form: Form, octets: &[u8]) -> Result<Secret, CryptoError> {
    match form {
        Form::PKCS_8 => {
            PrivateKeyInfoRef::from_der(octets).map_err(|_| refused("it is no PKCS#8 key"))?;
            Ok(Secret::from(octets))
        }
        Form::PKCS_1 => {
            rsa::pkcs1::RsaPrivateKeyRef::from_der(octets)
                .map_err(|_| refused("it is no PKCS#1 private key"))?;
            let key = OctetStringRef::new(octets).map_err(|_| refused("it is too long"))?;
            let info = PrivateKeyInfoRef::new(ALGORITHM_ID, key);
            info.to_der().map(Secret::new).map_err(|_| refused("it cannot be written as PKCS#8"))
        }
        Form::EC_PRIVATE_KEY => {
            let (_, pair) = curve_pair(octets)
                .ok_or_else(|| refused("it is no ECPrivateKey on a curve that is known here"))?;
            let private = pair.to_pkcs8v1().map_err(failed)?;
            Ok(Secret::from(private.as_ref()))
        }
        other => Err(CryptoError::unsupported("private key", format!("{other:?}"))),
    }
}

pub(super) fn public_key(form: Form, octets: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match form {
        Form::X_509 => {
            SubjectPublicKeyInfoRef::from_der(octets)
                .map_err(|_| refused("it is no SubjectPublicKeyInfo"))?;
            Ok(octets.to_vec())
        }
        Form::PKCS_1 => {
            rsa::pkcs1::RsaPublicKeyRef::from_der(octets)
                .map_err(|_| refused("it is no PKCS#1 public key"))?;
            let key = BitStringRef::from_bytes(octets).map_err(|_| refused("it is too long"))?;
            let info = SubjectPublicKeyInfoRef { algorithm: ALGORITHM_ID, subject_public_key: key };
            info.to_der().map_err(|_| refused("it cannot be written as SubjectPublicKeyInfo"))
        }
        other => Err(CryptoError::unsupported("public key", format!("{other:?}"))),
    }
}

pub(super) fn private_key_as(form: Form, pkcs8: &[u8]) -> Result<Secret, CryptoError> {
    let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(|_| refused("it is no PKCS#8 key"))?;
    match form {
        Form::PKCS_8 => Ok(Secret::from(pkcs8)),
        Form::PKCS_1 if info.algorithm.oid == ALGORITHM_ID.oid => {
            Ok(Secret::from(info.private_key.as_bytes()))
        }
        Form::EC_PRIVATE_KEY => {
            let (_, pair) = curve_pair(pkcs8)
                .ok_or_else(|| CryptoError::unsupported("private key", "this form of this key"))?;
            let private: EcPrivateKeyRfc5915Der<'_> =
                pair.private_key().as_der().map_err(failed)?;
            Ok(Secret::from(private.as_ref()))
        }
        other => Err(CryptoError::unsupported("private key", format!("{other:?} of this key"))),
    }
}

pub(super) fn public_key_as(form: Form, spki: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match form {
        Form::X_509 => Ok(spki.to_vec()),
        Form::PKCS_1 => {
            let key = RsaSubjectPublicKey::from_der(spki)
                .map_err(|_| CryptoError::unsupported("public key", "PKCS#1 of this key"))?;
            Ok(key.as_ref().to_vec())
        }
        other => Err(CryptoError::unsupported("public key", format!("{other:?} of this key"))),
    }
}
