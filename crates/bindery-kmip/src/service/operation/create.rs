//! Create (KMIP 1.4, section 4.1).

use bindery_ttlv::{
    ProtocolVersion,
    registry::{CryptographicAlgorithm, KeyFormatType, ObjectType},
};

use super::{Scene, describe, made_here};
use crate::{
    message::{
        Attribute, AttributeValue, CreateRequest, CreateResponse, Failure, KeyBlock, ManagedObject,
        SymmetricKey, TemplateAttribute,
    },
    service::{
        Fault,
        form::given_attributes,
        object::Object,
        template::{apply, given, lacking, no_templates},
    },
};

/// The lengths in bits that keys of an algorithm may have.
pub(in crate::service) enum Lengths {
    /// These and no others.
    Only(&'static [i32]),
    /// Whole octets between two lengths.
    Octets { from: i32, to: i32, usual: i32 },
    /// DES: eight bits of each 64 are parity, and count in the octets and not in the length.
    Parity(&'static [i32]),
}

impl Lengths {
    /// The length of a key whose length nobody said: the longest, or the hash's.
    pub(in crate::service) fn usual(&self) -> i32 {
        match self {
            Self::Only(lengths) | Self::Parity(lengths) => {
                lengths.last().copied().unwrap_or_default()
            }
            Self::Octets { usual, .. } => *usual,
        }
    }
}

/// The symmetric algorithms that a key can be made for. MD5 and single DES are left out: a new
/// key for them does nobody good; they can be registered.
const fn lengths(algorithm: CryptographicAlgorithm) -> Option<Lengths> {
    use CryptographicAlgorithm as A;
    Some(match algorithm {
        A::AES | A::CAMELLIA | A::TWOFISH => Lengths::Only(&[128, 192, 256]),
        A::DES3 => Lengths::Parity(&[112, 168]),
        A::CHACHA20 | A::CHACHA20POLY1305 | A::POLY1305 => Lengths::Only(&[256]),
        A::IDEA | A::SEED | A::SM4 => Lengths::Only(&[128]),
        A::ARIA => Lengths::Only(&[128, 192, 256]),
        A::BLOWFISH => Lengths::Octets { from: 128, to: 448, usual: 448 },
        A::CAST5 => Lengths::Only(&[128]),
        A::HMAC_SHA1 => hmac(160),
        A::HMAC_SHA224 | A::HMAC_SHA3_224 => hmac(224),
        A::HMAC_SHA256 | A::HMAC_SHA3_256 => hmac(256),
        A::HMAC_SHA384 | A::HMAC_SHA3_384 => hmac(384),
        A::HMAC_SHA512 | A::HMAC_SHA3_512 => hmac(512),
        _ => return None,
    })
}

/// RFC 2104 advises at least the hash's length; SP 800-107 asks for 112 bits.
const fn hmac(usual: i32) -> Lengths {
    Lengths::Octets { from: 112, to: 8_192, usual }
}

/// A new symmetric key from the server's random generator.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    uid: String,
    request: &CreateRequest,
) -> Result<(CreateResponse, Object), Fault> {
    if request.object_type != ObjectType::SYMMETRIC_KEY {
        return Err(Failure::invalid_field(format!(
            "Create makes objects of the type SymmetricKey, not {:?}",
            request.object_type
        ))
        .into());
    }
    no_templates(request.attributes.names())?;
    let template = &given_attributes(Some(&request.attributes), scene.version)?;
    quantum_safe(template)?;
    let object_type = request.object_type;
    let algorithm = given(template, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Algorithm", object_type))?;
    let asked = given(template, |value| match value {
        AttributeValue::CryptographicLength(length) => Some(*length),
        _ => None,
    });
    let lengths = lengths_of(algorithm)?;
    let length = asked.unwrap_or_else(|| lengths.usual());
    if given(template, |value| {
        matches!(value, AttributeValue::CryptographicUsageMask(_)).then_some(())
    })
    .is_none()
    {
        return Err(lacking("Cryptographic Usage Mask", object_type).into());
    }
    let key = make_key(scene, algorithm, &lengths, length)?;
    let block = KeyBlock::new(KeyFormatType::RAW, key).with_algorithm(algorithm, length);
    let material = ManagedObject::SymmetricKey(SymmetricKey::new(block));
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
    apply(&mut object, template, scene.version, scene.config.attributes)?;
    made_here(scene, &mut object);
    let mut response = CreateResponse::new(object_type, object.uid.as_str());
    if asked.is_none() {
        let chosen = AttributeValue::CryptographicLength(length);
        object.set(chosen.clone());
        // 2.x has no place for it in the answer.
        response.template_attribute =
            (scene.version < ProtocolVersion::V2_0).then(|| TemplateAttribute::from_iter([chosen]));
    }
    describe(&mut object, scene.crypto);
    Ok((response, object))
}

pub(in crate::service) fn lengths_of(
    algorithm: CryptographicAlgorithm,
) -> Result<Lengths, Failure> {
    lengths(algorithm).ok_or_else(|| {
        Failure::invalid_field(format!("this server makes no keys for the algorithm {algorithm:?}"))
    })
}

pub(in crate::service) fn make_key(
    scene: &Scene<'_>,
    algorithm: CryptographicAlgorithm,
    lengths: &Lengths,
    length: i32,
) -> Result<crate::Secret, Fault> {
    let (fits, octets) = match lengths {
        Lengths::Only(lengths) => (lengths.contains(&length), length / 8),
        Lengths::Octets { from, to, .. } => {
            ((*from..=*to).contains(&length) && length % 8 == 0, length / 8)
        }
        Lengths::Parity(lengths) => (lengths.contains(&length), length / 7),
    };
    let octets = usize::try_from(octets).ok().filter(|_| fits).ok_or_else(|| {
        Failure::invalid_field(format!("{algorithm:?} keys do not have {length} bits"))
    })?;
    let key = scene.crypto.random_secret(octets)?;
    Ok(match lengths {
        Lengths::Parity(_) => with_odd_parity(&key),
        Lengths::Only(_) | Lengths::Octets { .. } => key,
    })
}

/// The lowest bit of each octet makes the number of ones odd (FIPS 46-3).
fn with_odd_parity(key: &crate::Secret) -> crate::Secret {
    let odd = |octet: &u8| (octet & 0xFE) | u8::from((octet >> 1).count_ones().is_multiple_of(2));
    crate::Secret::new(key.expose().iter().map(odd).collect())
}

/// A key that has to be safe from quantum computers has at least 256 bits (NIST IR 8105).
pub(in crate::service) fn quantum_safe(template: &[Attribute]) -> Result<(), Failure> {
    let wanted = given(template, |value| match value {
        AttributeValue::QuantumSafe(wanted) => Some(*wanted),
        _ => None,
    });
    let length = given(template, |value| match value {
        AttributeValue::CryptographicLength(length) => Some(*length),
        _ => None,
    });
    if wanted == Some(true) && length.is_some_and(|length| length < 256) {
        return Err(Failure::general_failure(
            "a key of less than 256 bits is not safe from quantum computers",
        ));
    }
    Ok(())
}
