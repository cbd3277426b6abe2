//! Get (KMIP 1.4, section 4.11).

use bindery_ttlv::registry::{KeyFormatType, KeyWrapType, ResultReason};

use super::Scene;
use crate::{
    message::{
        AttributeValue, Failure, GetRequest, GetResponse, KeyBlock, KeyMaterial, KeyValue,
        ManagedObject, PlainKeyValue, TransparentKey,
    },
    service::object::Object,
};

/// Whether the object may be given; nothing is copied yet.
///
/// # Errors
/// It is gone, must not leave, or is asked for in a form that this server cannot make.
pub(in crate::service) fn check<'o>(
    object: &'o Object,
    request: &GetRequest,
) -> Result<&'o ManagedObject, Failure> {
    let Some(material) = &object.material else {
        return Err(Failure::new(
            ResultReason::OBJECT_DESTROYED,
            "the object is destroyed; only its attributes are left",
        ));
    };
    let wrapped = material.key_block().is_some_and(|block| block.key_wrapping_data.is_some());
    match request.key_wrap_type {
        None | Some(KeyWrapType::AS_REGISTERED) => {}
        Some(KeyWrapType::NOT_WRAPPED) if !wrapped => {}
        Some(KeyWrapType::NOT_WRAPPED) => {
            return Err(Failure::feature_not_supported(
                "the key was registered wrapped, and this server does not unwrap keys",
            ));
        }
        Some(_) => {
            return Err(Failure::feature_not_supported("this Key Wrap Type is not known here"));
        }
    }
    extractable(object, wrapped || request.key_wrapping_specification.is_some())?;
    Ok(material)
}

/// The object as it is once a client has seen it: it is no longer fresh (section 3.34).
pub(in crate::service) fn seen(object: &Object) -> Option<Object> {
    let fresh = object.is_set(|value| match value {
        AttributeValue::Fresh(fresh) => Some(*fresh),
        _ => None,
    });
    fresh.then(|| {
        let mut object = object.clone();
        object.set(AttributeValue::Fresh(false));
        object
    })
}

/// The object, in the form it was stored in or one that needs no knowledge of the key.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &GetRequest,
) -> Result<GetResponse, Failure> {
    let mut material = check(object, request)?.clone();
    if let Some(format) = request.key_format_type {
        convert(scene, &mut material, format)?;
    }
    if let Some(compression) = request.key_compression_type
        && material.key_block().and_then(|block| block.key_compression_type) != Some(compression)
    {
        return Err(Failure::key_compression_type_not_supported(
            "the key is not given in another compression than it was registered in",
        ));
    }
    Ok(GetResponse::new(object.uid.as_str(), material))
}

/// Sections 3.48 and 3.50: a sensitive object leaves the server only wrapped, one that is not
/// extractable never.
fn extractable(object: &Object, wrapped: bool) -> Result<(), Failure> {
    let sensitive = object.is_set(|value| match value {
        AttributeValue::Sensitive(sensitive) => Some(*sensitive),
        _ => None,
    });
    let kept = object.is_set(|value| match value {
        AttributeValue::Extractable(extractable) => Some(!*extractable),
        _ => None,
    });
    if kept {
        return Err(Failure::new(ResultReason::NOT_EXTRACTABLE, "the object is not extractable"));
    }
    if sensitive && !wrapped {
        return Err(Failure::new(
            ResultReason::SENSITIVE,
            "the object is sensitive and leaves the server only wrapped",
        ));
    }
    Ok(())
}

/// Raw and Transparent Symmetric Key are two ways to write the same octets; every other form
/// would have to be computed.
fn convert(
    scene: &Scene<'_>,
    material: &mut ManagedObject,
    format: KeyFormatType,
) -> Result<(), Failure> {
    let unsupported = || {
        Failure::key_format_type_not_supported(
            "the object is given only in the form that it was registered in",
        )
    };
    if material.key_block().is_some_and(|block| block.key_format_type == format) {
        return Ok(());
    }
    match material {
        ManagedObject::PrivateKey(key) => {
            return asymmetric(scene, &mut key.key_block, format, true);
        }
        ManagedObject::PublicKey(key) => {
            return asymmetric(scene, &mut key.key_block, format, false);
        }
        _ => {}
    }
    let ManagedObject::SymmetricKey(key) = material else { return Err(unsupported()) };
    let block = &mut key.key_block;
    if block.key_wrapping_data.is_some() {
        return Err(unsupported());
    }
    let forms = [KeyFormatType::RAW, KeyFormatType::TRANSPARENT_SYMMETRIC_KEY];
    let both = forms.contains(&format) && forms.contains(&block.key_format_type);
    if both { rewrite(block, format).ok_or_else(unsupported) } else { Err(unsupported()) }
}

fn rewrite(block: &mut KeyBlock, format: KeyFormatType) -> Option<()> {
    let octets = block.octets()?.clone();
    let Some(KeyValue::Plain(plain)) = &mut block.key_value else { return None };
    let key_material = match format {
        KeyFormatType::RAW => KeyMaterial::Octets(octets),
        _ => KeyMaterial::Transparent(TransparentKey::symmetric(octets)),
    };
    let attributes = std::mem::take(&mut plain.attributes);
    *plain = PlainKeyValue::new(key_material);
    plain.attributes = attributes;
    block.key_format_type = format;
    Some(())
}

/// A private or public key in another of the forms that are octets.
fn asymmetric(
    scene: &Scene<'_>,
    block: &mut KeyBlock,
    format: KeyFormatType,
    private: bool,
) -> Result<(), Failure> {
    let unsupported = |why: String| {
        Failure::key_format_type_not_supported(format!("the key is not given so: {why}"))
    };
    let octets = block.octets().filter(|_| block.key_wrapping_data.is_none());
    let Some(octets) = octets else {
        return Err(unsupported("it is not kept as octets".to_owned()));
    };
    let (crypto, own) = (scene.crypto, block.key_format_type);
    let octets = if private {
        let pkcs8 = crypto.private_key(own, octets.expose());
        pkcs8.and_then(|pkcs8| crypto.private_key_as(format, pkcs8.expose()))
    } else {
        let spki = crypto.public_key(own, octets.expose());
        spki.and_then(|spki| crypto.public_key_as(format, &spki)).map(crate::Secret::new)
    };
    let octets = octets.map_err(|error| unsupported(error.to_string()))?;
    let Some(KeyValue::Plain(plain)) = &mut block.key_value else {
        return Err(unsupported("it has no Key Value".to_owned()));
    };
    plain.key_material = KeyMaterial::Octets(octets);
    block.key_format_type = format;
    Ok(())
}
