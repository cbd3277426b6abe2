//! Get (KMIP 1.4, section 4.11).

use bindery_ttlv::registry::{KeyFormatType, KeyWrapType, ResultReason};

use crate::{
    message::{
        AttributeValue, Failure, GetRequest, GetResponse, KeyBlock, KeyMaterial, KeyValue,
        ManagedObject, PlainKeyValue, TransparentKey,
    },
    service::object::Object,
};

/// The object, in the form it was stored in or one that needs no knowledge of the key.
pub(in crate::service) fn decide(
    object: &Object,
    request: &GetRequest,
) -> Result<GetResponse, Failure> {
    let Some(material) = &object.material else {
        return Err(Failure::item_not_found(
            "the object is destroyed; only its attributes are left",
        ));
    };
    if request.key_wrapping_specification.is_some() {
        return Err(Failure::feature_not_supported("this server does not wrap keys"));
    }
    if request
        .key_wrap_type
        .is_some_and(|wrap| wrap != KeyWrapType::NOT_WRAPPED && wrap != KeyWrapType::AS_REGISTERED)
    {
        return Err(Failure::feature_not_supported("this Key Wrap Type is not known here"));
    }
    extractable(object)?;
    let mut material = material.clone();
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
fn extractable(object: &Object) -> Result<(), Failure> {
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
    if sensitive {
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
    let block = match material {
        ManagedObject::SymmetricKey(key) => &mut key.key_block,
        ManagedObject::PublicKey(key) => &mut key.key_block,
        ManagedObject::PrivateKey(key) => &mut key.key_block,
        ManagedObject::SplitKey(key) => &mut key.key_block,
        ManagedObject::SecretData(data) => &mut data.key_block,
        ManagedObject::PgpKey(key) => &mut key.key_block,
        _ => return Err(unsupported()),
    };
    if block.key_format_type == format {
        return Ok(());
    }
    let forms = [KeyFormatType::RAW, KeyFormatType::TRANSPARENT_SYMMETRIC_KEY];
    let both = forms.contains(&format) && forms.contains(&block.key_format_type);
    rewrite(block, format).filter(|()| both).ok_or_else(unsupported)
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
