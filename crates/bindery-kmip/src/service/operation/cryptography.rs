//! What the cryptographic operations have in common: whether a key may do it, and how (KMIP 1.4,
//! sections 3.6, 3.19, 3.21, 3.22, 3.25, 3.26 and 4.29 to 4.36).

use bindery_ttlv::registry::{
    CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    DigitalSignatureAlgorithm as Named, HashingAlgorithm as Hash, KeyFormatType, ObjectType,
    PaddingMethod, ResultReason, State, UsageLimitsUnit,
};

use super::{Scene, cipher::Work, wrong_state};
use crate::{
    Secret,
    message::{
        AttributeValue, CryptographicParameters, Failure, KeyBlock, ManagedObject, UsageLimits,
    },
    service::{Fault, RsaScheme, SignatureScheme, object::Object},
};

/// A use of a key.
#[derive(Clone, Copy)]
pub(in crate::service) struct Use {
    /// The operation's name.
    pub(in crate::service) name: &'static str,
    /// The bit of the Cryptographic Usage Mask that allows it.
    pub(in crate::service) mask: Mask,
    /// Whether it protects data (needs an Active key, counts against Usage Limits), rather than
    /// processing what is protected.
    pub(in crate::service) protects: bool,
}

impl Use {
    pub(in crate::service) const fn protect(name: &'static str, mask: Mask) -> Self {
        Self { name, mask, protects: true }
    }

    pub(in crate::service) const fn process(name: &'static str, mask: Mask) -> Self {
        Self { name, mask, protects: false }
    }

    /// Whether the key may be used so, now.
    pub(in crate::service) fn check(
        self,
        scene: &Scene<'_>,
        object: &Object,
    ) -> Result<(), Failure> {
        if object.material.is_none() {
            return Err(Failure::new(ResultReason::OBJECT_DESTROYED, "the key is destroyed"));
        }
        let state = scene.state(object);
        let allowed = match state {
            Some(State::ACTIVE) | None => true,
            Some(State::DEACTIVATED | State::COMPROMISED) => !self.protects,
            _ => false,
        };
        if !allowed {
            return Err(wrong_state(self.name, state));
        }
        self.in_time(scene, object)?;
        if object.usage_mask().0 & self.mask.0 != self.mask.0 {
            return Err(Failure::new(
                ResultReason::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK,
                format!("{}: the key's Cryptographic Usage Mask does not allow it", self.name),
            ));
        }
        Ok(())
    }

    fn in_time(self, scene: &Scene<'_>, object: &Object) -> Result<(), Failure> {
        let now = scene.date();
        let start = object.find(|value| match value {
            AttributeValue::ProcessStartDate(date) => Some(*date),
            _ => None,
        });
        let stop = object.find(|value| match value {
            AttributeValue::ProtectStopDate(date) => Some(*date),
            _ => None,
        });
        let why = match (self.protects, start, stop) {
            (true, _, Some(stop)) if stop <= now => "the Protect Stop Date has come",
            (false, Some(start), _) if start > now => "the Process Start Date has not come",
            _ => return Ok(()),
        };
        let text = format!("{}: {why}", self.name);
        Err(Failure::new(ResultReason::WRONG_KEY_LIFECYCLE_STATE, text))
    }
}

/// What Usage Limits are left when so many octets are protected; `None` for a key without limits.
///
/// # Errors
/// There is not so much left.
pub(in crate::service) fn spend(
    object: &Object,
    octets: usize,
) -> Result<Option<UsageLimits>, Failure> {
    let limits = object.find(|value| match value {
        AttributeValue::UsageLimits(limits) => Some((**limits).clone()),
        _ => None,
    });
    let Some(mut limits) = limits else { return Ok(None) };
    let cost = match limits.usage_limits_unit {
        UsageLimitsUnit::BYTE => i64::try_from(octets).unwrap_or(i64::MAX),
        _ => 1,
    };
    let left = limits.usage_limits_count.unwrap_or(limits.usage_limits_total);
    let left = left.checked_sub(cost).filter(|left| *left >= 0).ok_or_else(|| {
        Failure::permission_denied("the key's Usage Limits do not allow so much any more")
    })?;
    limits.usage_limits_count = Some(left);
    Ok(Some(limits))
}

/// The request's parameters, and where it leaves one out the key's own.
pub(in crate::service) fn parameters(
    object: &Object,
    request: Option<&CryptographicParameters>,
) -> CryptographicParameters {
    let own = object.find(|value| match value {
        AttributeValue::CryptographicParameters(own) => Some((**own).clone()),
        _ => None,
    });
    let own = own.unwrap_or_default();
    let Some(request) = request else { return own };
    let mut all = request.clone();
    macro_rules! or {
        ($($field:ident)*) => { $(if all.$field.is_none() { all.$field = own.$field; })* };
    }
    or! {
        block_cipher_mode padding_method hashing_algorithm key_role_type
        digital_signature_algorithm cryptographic_algorithm random_iv iv_length tag_length
        salt_length mask_generator mask_generator_hashing_algorithm p_source trailer_field
    }
    all
}

/// The key block, in clear.
pub(in crate::service) fn clear_block(object: &Object) -> Result<&KeyBlock, Failure> {
    let block = object.material.as_ref().and_then(ManagedObject::key_block);
    let Some(block) = block else {
        return Err(Failure::new(
            ResultReason::INVALID_OBJECT_TYPE,
            format!("an object of the type {:?} is no key", object.object_type),
        ));
    };
    if block.key_wrapping_data.is_some() {
        return Err(Failure::invalid_field(
            "the key was registered wrapped; the server cannot use it",
        ));
    }
    Ok(block)
}

/// The octets of a key that is written as octets.
pub(in crate::service) fn octets(object: &Object) -> Result<&Secret, Failure> {
    clear_block(object)?.octets().ok_or_else(|| {
        Failure::key_format_type_not_supported(
            "the key is not kept as octets; it cannot be used so",
        )
    })
}

fn of_type(object: &Object, wanted: ObjectType) -> Result<(), Failure> {
    if object.object_type == wanted {
        return Ok(());
    }
    Err(Failure::new(
        ResultReason::INVALID_OBJECT_TYPE,
        format!("this takes a {wanted:?}, and the object is a {:?}", object.object_type),
    ))
}

/// The private key as PKCS#8.
pub(in crate::service) fn private(scene: &Scene<'_>, object: &Object) -> Result<Secret, Fault> {
    of_type(object, ObjectType::PRIVATE_KEY)?;
    let format = clear_block(object)?.key_format_type;
    Ok(scene.crypto.private_key(format, octets(object)?.expose())?)
}

/// The public key as `SubjectPublicKeyInfo`; that of a private key, too, where it may verify.
pub(in crate::service) fn public(scene: &Scene<'_>, object: &Object) -> Result<Vec<u8>, Fault> {
    of_type(object, ObjectType::PUBLIC_KEY)?;
    let format = clear_block(object)?.key_format_type;
    Ok(scene.crypto.public_key(format, octets(object)?.expose())?)
}

/// The algorithm that the object is for.
pub(in crate::service) fn algorithm(object: &Object) -> Option<Algorithm> {
    object.find(|value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    })
}

/// A symmetric cipher at work with a key.
pub(in crate::service) fn work(
    object: &Object,
    parameters: CryptographicParameters,
    decrypt: bool,
) -> Result<Work, Failure> {
    let own = algorithm(object);
    // A key may be for a family, of which the parameters name the member.
    let algorithm = match (own, parameters.cryptographic_algorithm) {
        (Some(Algorithm::CHACHA20), Some(Algorithm::CHACHA20POLY1305)) => {
            Algorithm::CHACHA20POLY1305
        }
        (Some(own), _) => own,
        (None, Some(asked)) => asked,
        (None, None) => return Err(Failure::invalid_field("the key has no algorithm")),
    };
    Ok(Work { algorithm, parameters, key: octets(object)?.clone(), decrypt })
}

fn bad(text: impl Into<bindery_ttlv::Text>) -> Failure {
    Failure::new(ResultReason::BAD_CRYPTOGRAPHIC_PARAMETERS, text)
}

/// How RSA encrypts by these parameters.
pub(in crate::service) fn rsa_scheme(
    parameters: &CryptographicParameters,
) -> Result<RsaScheme<'_>, Failure> {
    match parameters.padding_method {
        Some(PaddingMethod::OAEP) => {
            let hash = parameters.hashing_algorithm.unwrap_or(Hash::SHA_1);
            // Section 3.6: SHA-1 unless said.
            let mask = parameters.mask_generator_hashing_algorithm.unwrap_or(Hash::SHA_1);
            Ok(RsaScheme::Oaep(hash, mask, parameters.p_source.as_deref()))
        }
        Some(PaddingMethod::PKCS1_V1_5) => Ok(RsaScheme::Pkcs1),
        Some(other) => Err(bad(format!("RSA with the padding {other:?} is not offered"))),
        None => Err(bad("RSA needs a Padding Method: OAEP or PKCS1 v1.5")),
    }
}

/// How a key signs by these parameters.
pub(in crate::service) fn signature_scheme(
    object: &Object,
    parameters: &CryptographicParameters,
) -> Result<SignatureScheme, Failure> {
    let salt = parameters.salt_length.map(u16::try_from).transpose();
    let salt = salt.map_err(|_| bad("there is no such Salt Length"))?;
    if let Some(named) = parameters.digital_signature_algorithm {
        return Ok(match named {
            Named::SHA_1_WITH_RSA_ENCRYPTION => SignatureScheme::Pkcs1(Hash::SHA_1),
            Named::SHA_256_WITH_RSA_ENCRYPTION => SignatureScheme::Pkcs1(Hash::SHA_256),
            Named::SHA_384_WITH_RSA_ENCRYPTION => SignatureScheme::Pkcs1(Hash::SHA_384),
            Named::SHA_512_WITH_RSA_ENCRYPTION => SignatureScheme::Pkcs1(Hash::SHA_512),
            Named::RSASSA_PSS => {
                let hash = parameters.hashing_algorithm.unwrap_or(Hash::SHA_1);
                SignatureScheme::Pss(hash, salt)
            }
            Named::ECDSA_WITH_SHA256 => SignatureScheme::Ecdsa(Hash::SHA_256),
            Named::ECDSA_WITH_SHA384 => SignatureScheme::Ecdsa(Hash::SHA_384),
            Named::ECDSA_WITH_SHA512 => SignatureScheme::Ecdsa(Hash::SHA_512),
            other => return Err(bad(format!("the signature {other:?} is not offered"))),
        });
    }
    let hash = parameters.hashing_algorithm;
    match (algorithm(object), parameters.padding_method) {
        (Some(Algorithm::RSA) | None, Some(PaddingMethod::PSS)) => {
            Ok(SignatureScheme::Pss(hash.unwrap_or(Hash::SHA_256), salt))
        }
        (Some(Algorithm::RSA) | None, Some(PaddingMethod::PKCS1_V1_5) | None) => {
            let hash = hash.ok_or_else(|| bad("RSA signatures need a Hashing Algorithm"))?;
            Ok(SignatureScheme::Pkcs1(hash))
        }
        (Some(Algorithm::ED25519), _) => Ok(SignatureScheme::Ed25519),
        (Some(Algorithm::ECDSA | Algorithm::EC), _) => {
            let bits = object.find(|value| match value {
                AttributeValue::CryptographicLength(bits) => Some(*bits),
                _ => None,
            });
            let usual = match bits {
                Some(384) => Hash::SHA_384,
                Some(521) => Hash::SHA_512,
                _ => Hash::SHA_256,
            };
            Ok(SignatureScheme::Ecdsa(hash.unwrap_or(usual)))
        }
        (other, padding) => {
            Err(bad(format!("{other:?} does not sign with the padding {padding:?} here")))
        }
    }
}

/// The hash of the HMAC that a key makes by these parameters.
pub(in crate::service) fn mac_hash(
    object: &Object,
    parameters: &CryptographicParameters,
) -> Result<Hash, Failure> {
    let by_algorithm = |algorithm: Algorithm| {
        Some(match algorithm {
            Algorithm::HMAC_SHA1 => Hash::SHA_1,
            Algorithm::HMAC_SHA224 => Hash::SHA_224,
            Algorithm::HMAC_SHA256 => Hash::SHA_256,
            Algorithm::HMAC_SHA384 => Hash::SHA_384,
            Algorithm::HMAC_SHA512 => Hash::SHA_512,
            _ => return None,
        })
    };
    let asked = parameters.cryptographic_algorithm.and_then(by_algorithm);
    let own = || algorithm(object).and_then(by_algorithm);
    asked.or_else(own).or(parameters.hashing_algorithm).ok_or_else(|| {
        bad("say which HMAC: the Cryptographic Algorithm of the parameters, for instance HMAC-SHA256")
    })
}

/// The forms that a new private and a new public key have: PKCS#1 for RSA, and for curves the ones
/// that most software reads.
pub(in crate::service) const fn pair_forms(rsa: bool) -> (KeyFormatType, KeyFormatType) {
    if rsa {
        (KeyFormatType::PKCS_1, KeyFormatType::PKCS_1)
    } else {
        (KeyFormatType::PKCS_8, KeyFormatType::X_509)
    }
}
