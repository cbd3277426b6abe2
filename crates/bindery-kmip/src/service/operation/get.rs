//! Get (KMIP 1.4, section 4.11).

use bindery_ttlv::registry::{KeyFormatType, KeyWrapType, ResultReason};

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
        return Err(Failure::item_not_found(
            "the object is destroyed; only its attributes are left",
        ));
    };
    if request.key_wrapping_specification.is_some() {
        return Err(Failure::feature_not_supported("this server does not wrap keys"));
    }
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
    extractable(object, wrapped)?;
    Ok(material)
}

/// The object, in the form it was stored in or one that needs no knowledge of the key.
pub(in crate::service) fn decide(
    object: &Object,
    request: &GetRequest,
) -> Result<GetResponse, Failure> {
    let mut material = check(object, request)?.clone();
    if let Some(format) = request.key_format_type {
        convert(&mut material, format)?;
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
fn convert(material: &mut ManagedObject, format: KeyFormatType) -> Result<(), Failure> {
    let unsupported = || {
        Failure::key_format_type_not_supported(
            "the object is given only in the form that it was registered in",
        )
    };
    if material.key_block().is_some_and(|block| block.key_format_type == format) {
        return Ok(());
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
