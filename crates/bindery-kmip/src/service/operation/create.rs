//! Create (KMIP 1.4, section 4.1).

use bindery_ttlv::{
    ProtocolVersion,
    registry::{CryptographicAlgorithm, KeyFormatType, ObjectType},
};

use super::{Scene, describe};
use crate::{
    message::{
        AttributeValue, CreateRequest, CreateResponse, Failure, KeyBlock, ManagedObject,
        SymmetricKey,
    },
    service::{
        Fault,
        object::Object,
        template::{apply, given, lacking},
    },
};

/// The lengths in bits that keys of an algorithm may have.
enum Lengths {
    /// These and no others.
    Only(&'static [i32]),
    /// Whole octets between two lengths.
    Octets(i32, i32),
    /// DES: eight bits of each 64 are parity, and count in the octets and not in the length.
    Parity(&'static [i32]),
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
        A::BLOWFISH => Lengths::Octets(128, 448),
        A::CAST5 => Lengths::Only(&[128]),
        // RFC 2104 advises at least the hash's length; SP 800-107 asks for 112 bits.
        A::HMAC_SHA1
        | A::HMAC_SHA224
        | A::HMAC_SHA256
        | A::HMAC_SHA384
        | A::HMAC_SHA512
        | A::HMAC_SHA3_224
        | A::HMAC_SHA3_256
        | A::HMAC_SHA3_384
        | A::HMAC_SHA3_512 => Lengths::Octets(112, 8_192),
        _ => return None,
    })
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
    let template = &request.template_attribute;
    let object_type = request.object_type;
    let algorithm = given(template, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Algorithm", object_type))?;
    let length = given(template, |value| match value {
        AttributeValue::CryptographicLength(length) => Some(*length),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Length", object_type))?;
    if given(template, |value| {
        matches!(value, AttributeValue::CryptographicUsageMask(_)).then_some(())
    })
    .is_none()
    {
        return Err(lacking("Cryptographic Usage Mask", object_type).into());
    }
    let key = make_key(scene, algorithm, length)?;
    let block = KeyBlock::new(KeyFormatType::RAW, key).with_algorithm(algorithm, length);
    let material = ManagedObject::SymmetricKey(SymmetricKey::new(block));
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
    apply(&mut object, template, scene.version, scene.config.attributes)?;
    object.set(AttributeValue::OriginalCreationDate(scene.date()));
    describe(&mut object, scene.crypto);
    Ok((CreateResponse::new(object_type, object.uid.as_str()), object))
}

fn make_key(
    scene: &Scene<'_>,
    algorithm: CryptographicAlgorithm,
    length: i32,
) -> Result<crate::Secret, Fault> {
    let known = algorithm.since().is_some_and(|since| since <= ProtocolVersion::V2_1);
    let Some(lengths) = lengths(algorithm).filter(|_| known) else {
        return Err(Failure::invalid_field(format!(
            "this server makes no keys for the algorithm {algorithm:?}"
        ))
        .into());
    };
    let (fits, octets) = match lengths {
        Lengths::Only(lengths) => (lengths.contains(&length), length / 8),
        Lengths::Octets(from, to) => ((from..=to).contains(&length) && length % 8 == 0, length / 8),
        Lengths::Parity(lengths) => (lengths.contains(&length), length / 7),
    };
    let octets = usize::try_from(octets).ok().filter(|_| fits).ok_or_else(|| {
        Failure::invalid_field(format!("{algorithm:?} keys do not have {length} bits"))
    })?;
    let key = scene.crypto.random_secret(octets)?;
    Ok(match lengths {
        Lengths::Parity(_) => with_odd_parity(&key),
        Lengths::Only(_) | Lengths::Octets(..) => key,
    })
}

/// The lowest bit of each octet makes the number of ones odd (FIPS 46-3).
fn with_odd_parity(key: &crate::Secret) -> crate::Secret {
    let odd = |octet: &u8| (octet & 0xFE) | u8::from((octet >> 1).count_ones().is_multiple_of(2));
    crate::Secret::new(key.expose().iter().map(odd).collect())
}
