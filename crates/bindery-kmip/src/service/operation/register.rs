//! Register (KMIP 1.4, section 4.3).

use bindery_ttlv::registry::ObjectType;

use super::{Scene, describe, query::OBJECT_TYPES};
use crate::{
    message::{AttributeValue, Failure, KeyBlock, RegisterRequest, RegisterResponse},
    service::{
        Fault,
        object::Object,
        template::{apply, given, lacking},
    },
};

/// An object that the client brings.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    uid: String,
    request: &RegisterRequest,
) -> Result<(RegisterResponse, Object), Fault> {
    let object_type = request.object_type;
    if !OBJECT_TYPES.contains(&object_type) {
        return Err(Failure::invalid_field(format!(
            "this server keeps no objects of the type {object_type:?}; Query lists what it keeps"
        ))
        .into());
    }
    let Some(material) = &request.object else {
        return Err(Failure::invalid_field("the object itself is missing").into());
    };
    if material.object_type() != object_type {
        return Err(Failure::invalid_field(format!(
            "the Object Type is {object_type:?} and the object a {:?}",
            material.object_type()
        ))
        .into());
    }
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material.clone());
    apply(&mut object, &request.template_attribute, scene.version, scene.config.attributes)?;
    // Certificates come without a Usage Mask from many clients, although section 4.3 wants one.
    if let Some(block) = material.key_block() {
        check_key(&mut object, request, block)?;
    }
    describe(&mut object, scene.crypto);
    Ok((RegisterResponse::new(object.uid.as_str()), object))
}

/// Algorithm and length stand in the key block, in the attributes or in both, and agree (sections
/// 2.1.3, 3.4 and 3.5); a Usage Mask is required (section 4.3).
fn check_key(
    object: &mut Object,
    request: &RegisterRequest,
    block: &KeyBlock,
) -> Result<(), Failure> {
    need_usage_mask(object)?;
    if block.key_value.is_none() {
        return Err(Failure::invalid_field("the Key Value is missing"));
    }
    if matches!(object.object_type, ObjectType::SECRET_DATA) {
        return Ok(());
    }
    let wrapped = block.key_wrapping_data.is_some();
    let template = &request.template_attribute;
    let algorithm = given(template, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    });
    let length = given(template, |value| match value {
        AttributeValue::CryptographicLength(length) => Some(*length),
        _ => None,
    });
    agree("Cryptographic Algorithm", algorithm, block.cryptographic_algorithm)?;
    agree("Cryptographic Length", length, block.cryptographic_length)?;
    let algorithm = algorithm.or(block.cryptographic_algorithm);
    let length = length.or(block.cryptographic_length);
    if !wrapped && algorithm.is_none() {
        return Err(lacking("Cryptographic Algorithm", object.object_type));
    }
    check_octets(object.object_type, block, length)?;
    if let Some(algorithm) = algorithm {
        object.set(algorithm.into());
    }
    if let Some(length) = length {
        object.set(AttributeValue::CryptographicLength(length));
    }
    Ok(())
}

/// A symmetric key in clear has as many octets as its length says; DES keys count no parity.
fn check_octets(
    object_type: ObjectType,
    block: &KeyBlock,
    length: Option<i32>,
) -> Result<(), Failure> {
    let (ObjectType::SYMMETRIC_KEY, Some(octets), Some(length)) =
        (object_type, block.octets(), length)
    else {
        return Ok(());
    };
    let bits = octets.len().saturating_mul(8);
    let without_parity = octets.len().saturating_mul(7);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == bits || length == without_parity {
        Ok(())
    } else {
        Err(Failure::invalid_field(format!(
            "the key has {bits} bits and its Cryptographic Length is {length}"
        )))
    }
}

fn need_usage_mask(object: &Object) -> Result<(), Failure> {
    let there = object
        .find(|value| matches!(value, AttributeValue::CryptographicUsageMask(_)).then_some(()));
    there.ok_or_else(|| lacking("Cryptographic Usage Mask", object.object_type))
}

fn agree<T: PartialEq>(name: &str, attribute: Option<T>, block: Option<T>) -> Result<(), Failure> {
    match (attribute, block) {
        (Some(attribute), Some(block)) if attribute != block => Err(Failure::invalid_field(
            format!("{name} is one thing in the attributes and another in the Key Block"),
        )),
        _ => Ok(()),
    }
}
