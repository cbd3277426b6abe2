//! Create Split Key and Join Split Key (KMIP 1.4, sections 4.38 and 4.39), by XOR: all parts make
//! the key, and fewer say nothing of it.

use bindery_ttlv::registry::{
    KeyFormatType, LinkType, ObjectType, ResultReason, SecretDataType, SplitKeyMethod,
};

use super::{Scene, cryptography, describe, made_here, replace::link};
use crate::{
    Secret,
    message::{
        Attribute, AttributeValue, CreateSplitKeyRequest, Failure, JoinSplitKeyRequest, KeyBlock,
        ManagedObject, SecretData, SplitKey, SymmetricKey,
    },
    service::{
        Fault,
        object::Object,
        template::{apply, given, lacking},
    },
};

fn by_xor(method: SplitKeyMethod) -> Result<(), Failure> {
    if method == SplitKeyMethod::XOR {
        return Ok(());
    }
    Err(Failure::feature_not_supported(format!("keys are split by XOR here, not by {method:?}")))
}

fn xor(into: &mut [u8], other: &[u8]) {
    into.iter_mut().zip(other).for_each(|(a, b)| *a ^= b);
}

/// The parts of a key, or of a new one where there is none.
pub(in crate::service) fn split(
    scene: &Scene<'_>,
    base: Option<&Object>,
    uids: Vec<String>,
    request: &CreateSplitKeyRequest,
    attributes: &[Attribute],
) -> Result<Vec<Object>, Fault> {
    by_xor(request.split_key_method)?;
    if request.split_key_threshold != request.split_key_parts {
        return Err(Failure::invalid_field(
            "XOR needs all parts: the threshold is the number of parts",
        )
        .into());
    }
    let (key, block) = whole(scene, base, request.object_type, attributes)?;
    let mut rest = zeroize::Zeroizing::new(key.expose().to_vec());
    let mut parts = Vec::with_capacity(uids.len());
    for _ in 1..uids.len() {
        let part = scene.crypto.random_secret(key.len())?;
        xor(&mut rest, part.expose());
        parts.push(part);
    }
    parts.push(Secret::from(rest.as_slice()));
    let mut objects = Vec::with_capacity(parts.len());
    for ((number, uid), part) in (1..).zip(uids).zip(parts) {
        let mut key_block = KeyBlock::new(KeyFormatType::RAW, part);
        key_block.cryptographic_algorithm = block.cryptographic_algorithm;
        key_block.cryptographic_length = block.cryptographic_length;
        let split = SplitKey {
            split_key_parts: request.split_key_parts,
            key_part_identifier: number,
            split_key_threshold: request.split_key_threshold,
            split_key_method: request.split_key_method,
            prime_field_size: None,
            key_block,
            unknown: Vec::new(),
        };
        let material = ManagedObject::SplitKey(split);
        let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
        apply(&mut object, attributes, scene.version, scene.config.attributes)?;
        if let Some(algorithm) = block.cryptographic_algorithm {
            object.set(algorithm.into());
        }
        if let Some(bits) = block.cryptographic_length {
            object.set(AttributeValue::CryptographicLength(bits));
        }
        if let Some(base) = base {
            link(&mut object, LinkType::PARENT_LINK, &base.uid);
        }
        made_here(scene, &mut object);
        describe(&mut object, scene.crypto);
        objects.push(object);
    }
    Ok(objects)
}

/// The key that is split, and what its parts' blocks say.
fn whole(
    scene: &Scene<'_>,
    base: Option<&Object>,
    object_type: ObjectType,
    attributes: &[Attribute],
) -> Result<(Secret, KeyBlock), Fault> {
    if let Some(base) = base {
        let block = cryptography::clear_block(base)?.clone();
        return Ok((cryptography::octets(base)?.clone(), block));
    }
    if object_type != ObjectType::SYMMETRIC_KEY {
        let text = format!("a new {object_type:?} is not split here; name an object");
        return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text).into());
    }
    let algorithm = given(attributes, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Algorithm", object_type))?;
    let lengths = super::create::lengths_of(algorithm)?;
    let bits = given(attributes, |value| match value {
        AttributeValue::CryptographicLength(bits) => Some(*bits),
        _ => None,
    })
    .unwrap_or_else(|| lengths.usual());
    let key = super::create::make_key(scene, algorithm, &lengths, bits)?;
    let block =
        KeyBlock::new(KeyFormatType::RAW, Secret::default()).with_algorithm(algorithm, bits);
    Ok((key, block))
}

/// The key that parts make.
pub(in crate::service) fn join(
    scene: &Scene<'_>,
    parts: &[Object],
    uid: String,
    request: &JoinSplitKeyRequest,
    attributes: &[Attribute],
) -> Result<Object, Fault> {
    let mut joined: Option<zeroize::Zeroizing<Vec<u8>>> = None;
    let mut numbers = std::collections::BTreeSet::new();
    let mut shape = None;
    for part in parts {
        let Some(ManagedObject::SplitKey(split)) = &part.material else {
            let text = format!("an object of the type {:?} is no part of a key", part.object_type);
            return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text).into());
        };
        by_xor(split.split_key_method)?;
        if usize::try_from(split.split_key_parts) != Ok(parts.len())
            || !numbers.insert(split.key_part_identifier)
        {
            return Err(Failure::invalid_field("these are not all the parts, each once").into());
        }
        let octets = cryptography::octets(part)?;
        match &mut joined {
            None => joined = Some(zeroize::Zeroizing::new(octets.expose().to_vec())),
            Some(joined) if joined.len() == octets.len() => xor(joined, octets.expose()),
            Some(_) => {
                return Err(Failure::invalid_field("the parts have different lengths").into());
            }
        }
        let block = &split.key_block;
        shape = Some((block.cryptographic_algorithm, block.cryptographic_length));
    }
    let key = joined.map(|joined| Secret::from(joined.as_slice())).unwrap_or_default();
    let (algorithm, bits) = shape.unwrap_or_default();
    let mut block = KeyBlock::new(KeyFormatType::RAW, key);
    let material = match request.object_type {
        ObjectType::SYMMETRIC_KEY => {
            block.cryptographic_algorithm = algorithm;
            block.cryptographic_length = bits;
            ManagedObject::SymmetricKey(SymmetricKey::new(block))
        }
        ObjectType::SECRET_DATA => {
            let kind = request.secret_data_type.unwrap_or(SecretDataType::SEED);
            ManagedObject::SecretData(SecretData::new(kind, block))
        }
        other => {
            let text = format!("parts are joined to symmetric keys and secret data, not {other:?}");
            return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text).into());
        }
    };
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
    apply(&mut object, attributes, scene.version, scene.config.attributes)?;
    if request.object_type == ObjectType::SYMMETRIC_KEY {
        if let Some(algorithm) = algorithm {
            object.set(algorithm.into());
        }
        if let Some(bits) = bits {
            object.set(AttributeValue::CryptographicLength(bits));
        }
    }
    describe(&mut object, scene.crypto);
    Ok(object)
}
