//! Register (KMIP 1.4, section 4.3).

use bindery_ttlv::registry::{CryptographicAlgorithm, KeyFormatType, ObjectType};

use super::{Scene, describe, query::OBJECT_TYPES};
use crate::{
    message::{
        Attribute, AttributeValue, Failure, KeyBlock, KeyValue, ManagedObject, RegisterRequest,
        RegisterResponse,
    },
    service::{
        Fault,
        form::given_attributes,
        object::Object,
        template::{apply, given, lacking, no_templates},
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
    no_templates(request.attributes.names())?;
    let given = given_attributes(Some(&request.attributes), scene.version)?;
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material.clone());
    apply(&mut object, &given, scene.version, scene.config.attributes)?;
    // Certificates come without a Usage Mask from many clients, although section 4.3 wants one.
    if let Some(block) = material.key_block() {
        check_key(&mut object, &given, block)?;
    }
    check_certificate(material, &given)?;
    describe(&mut object, scene.crypto);
    Ok((RegisterResponse::new(object.uid.as_str()), object))
}

/// Algorithm and length stand in the key block, in the attributes or in both, and agree (sections
/// 2.1.3, 3.4 and 3.5); a Usage Mask is required (section 4.3).
pub(in crate::service) fn check_key(
    object: &mut Object,
    template: &[Attribute],
    block: &KeyBlock,
) -> Result<(), Failure> {
    // Secrets come without one in the cases SASED-M-2 and BL-M-4.
    if object.object_type != ObjectType::SECRET_DATA {
        need_usage_mask(object)?;
    }
    let wrapped = block.key_wrapping_data.is_some();
    match &block.key_value {
        None => return Err(Failure::invalid_field("the Key Value is missing")),
        Some(KeyValue::Wrapped(_)) if !wrapped => {
            return Err(Failure::invalid_field(
                "the Key Value is wrapped and the Key Wrapping Data is missing",
            ));
        }
        Some(_) => {}
    }
    if matches!(object.object_type, ObjectType::SECRET_DATA) {
        return Ok(());
    }
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
    let length = check_octets(object.object_type, block, algorithm, length)?;
    if let Some(algorithm) = algorithm {
        object.set(algorithm.into());
    }
    if let Some(length) = length {
        object.set(AttributeValue::CryptographicLength(length));
    }
    Ok(())
}

/// A symmetric key in clear has as many octets as its length says, and without a length says it
/// itself; DES keys may count their parity or not. Gives the length, if there is one.
fn check_octets(
    object_type: ObjectType,
    block: &KeyBlock,
    algorithm: Option<CryptographicAlgorithm>,
    length: Option<i32>,
) -> Result<Option<i32>, Failure> {
    let in_clear = block.key_wrapping_data.is_none()
        && matches!(
            block.key_format_type,
            KeyFormatType::RAW | KeyFormatType::TRANSPARENT_SYMMETRIC_KEY
        );
    let octets = block.octets().filter(|_| in_clear && object_type == ObjectType::SYMMETRIC_KEY);
    let Some(octets) = octets else { return Ok(length) };
    if octets.is_empty() {
        return Err(Failure::invalid_field("the key has no octets"));
    }
    let parity =
        matches!(algorithm, Some(CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3));
    let times = |bits: usize| i32::try_from(octets.len().saturating_mul(bits)).ok();
    let (all, without_parity) = (times(8), times(7).filter(|_| parity));
    match length {
        None => Ok(without_parity.or(all)),
        Some(_) if length == all || length == without_parity => Ok(length),
        Some(length) => Err(Failure::invalid_field(format!(
            "the key has {} octets and its Cryptographic Length is {length}",
            octets.len()
        ))),
    }
}

/// What a client says of a certificate is what the certificate is.
pub(in crate::service) fn check_certificate(
    material: &ManagedObject,
    template: &[Attribute],
) -> Result<(), Failure> {
    let ManagedObject::Certificate(certificate) = material else { return Ok(()) };
    let certificate_type = given(template, |value| match value {
        AttributeValue::CertificateType(certificate_type) => Some(*certificate_type),
        _ => None,
    });
    let length = given(template, |value| match value {
        AttributeValue::CertificateLength(length) => Some(*length),
        _ => None,
    });
    agree("Certificate Type", certificate_type, Some(certificate.certificate_type))?;
    agree("Certificate Length", length, i32::try_from(certificate.certificate_value.len()).ok())
}

fn need_usage_mask(object: &Object) -> Result<(), Failure> {
    let there = object
        .find(|value| matches!(value, AttributeValue::CryptographicUsageMask(_)).then_some(()));
    there.ok_or_else(|| lacking("Cryptographic Usage Mask", object.object_type))
}

fn agree<T: PartialEq>(name: &str, attribute: Option<T>, object: Option<T>) -> Result<(), Failure> {
    match (attribute, object) {
        (Some(attribute), Some(object)) if attribute != object => Err(Failure::invalid_field(
            format!("{name} is one thing in the attributes and another in the object"),
        )),
        _ => Ok(()),
    }
}

/// What an Import can take over of what an Export gave: what a client may say.
pub(in crate::service) fn importable(attributes: Vec<Attribute>) -> Vec<Attribute> {
    let may = |attribute: &Attribute| attribute.row().is_none_or(|row| row.template);
    attributes.into_iter().filter(may).collect()
}
