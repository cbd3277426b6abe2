//! Wrapping a key for a client (KMIP 1.4, sections 2.1.5, 2.1.6 and 4.11).

use bindery_ttlv::registry::{BlockCipherMode, EncodingOption, ObjectType, WrappingMethod};

use super::{Scene, cryptography};
use crate::{
    Secret,
    message::{
        CryptographicParameters, Failure, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
        KeyWrappingSpecification, ManagedObject, PlainKeyValue, UniqueIdentifier,
    },
    service::{Fault, object::Object},
};

/// The key that a specification wraps with.
pub(in crate::service) fn wrapping_key(
    specification: &KeyWrappingSpecification,
) -> Result<&UniqueIdentifier, Failure> {
    if specification.wrapping_method != WrappingMethod::ENCRYPT
        || specification.mac_signature_key_information.is_some()
    {
        return Err(Failure::feature_not_supported("keys are wrapped by encryption only"));
    }
    let information = specification.encryption_key_information.as_ref();
    let information =
        information.ok_or_else(|| Failure::invalid_field("the wrapping key is not named"))?;
    Ok(&information.unique_identifier)
}

/// Wraps what an answer holds.
pub(in crate::service) fn wrap(
    scene: &Scene<'_>,
    object: &Object,
    wrapping: &Object,
    specification: &KeyWrappingSpecification,
    material: &mut ManagedObject,
) -> Result<(), Fault> {
    let Some(block) = block_mut(material) else {
        return Err(Failure::illegal_operation("an object of this type is not wrapped").into());
    };
    if block.key_wrapping_data.is_some() {
        return Err(Failure::illegal_operation("the key is wrapped already").into());
    }
    let Some(KeyValue::Plain(plain)) = &block.key_value else {
        return Err(Failure::invalid_field("the object has no Key Value").into());
    };
    let encoding = specification.encoding_option.unwrap_or(EncodingOption::TTLV_ENCODING);
    let clear = match encoding {
        EncodingOption::NO_ENCODING if !specification.attribute_names.is_empty() => {
            return Err(Failure::invalid_field(
                "attributes are wrapped with the key in the TTLV encoding only",
            )
            .into());
        }
        EncodingOption::NO_ENCODING => match &plain.key_material {
            KeyMaterial::Octets(octets) => octets.clone(),
            KeyMaterial::Transparent(_) => {
                return Err(Failure::invalid_field("the key is not kept as octets").into());
            }
        },
        _ => encoded(scene, object, plain, specification)?,
    };
    let information = specification.encryption_key_information.clone();
    let asked = information.as_ref().and_then(|own| own.cryptographic_parameters.as_ref());
    let parameters = cryptography::parameters(wrapping, asked);
    let wrapped = encrypt(scene, wrapping, &parameters, &clear)?;
    block.key_value = Some(KeyValue::Wrapped(Secret::new(wrapped)));
    let mut data = KeyWrappingData::new(specification.wrapping_method);
    data.encryption_key_information = information;
    data.encoding_option = specification.encoding_option;
    block.key_wrapping_data = Some(Box::new(data));
    Ok(())
}

/// The Key Value with its header, and with the attributes that are to go with it.
fn encoded(
    scene: &Scene<'_>,
    object: &Object,
    plain: &PlainKeyValue,
    specification: &KeyWrappingSpecification,
) -> Result<Secret, Fault> {
    let mut plain = plain.clone();
    if !specification.attribute_names.is_empty() {
        let named =
            |name: &str| specification.attribute_names.iter().any(|wanted| wanted.as_str() == name);
        plain.attributes =
            object.attributes(scene).into_iter().filter(|other| named(other.name())).collect();
    }
    let mut buffer = Vec::with_capacity(4_096);
    bindery_ttlv::encode(&plain, &mut buffer)
        .map_err(|_| Failure::invalid_field("the key is too long to be wrapped"))?;
    Ok(Secret::new(buffer))
}

fn encrypt(
    scene: &Scene<'_>,
    wrapping: &Object,
    parameters: &CryptographicParameters,
    clear: &Secret,
) -> Result<Vec<u8>, Fault> {
    if wrapping.object_type == ObjectType::PUBLIC_KEY {
        let scheme = cryptography::rsa_scheme(parameters)?;
        let spki = cryptography::public(scene, wrapping)?;
        return Ok(scene.crypto.rsa_encrypt(&scheme, &spki, clear.expose())?);
    }
    let padding = match parameters.block_cipher_mode {
        Some(BlockCipherMode::NIST_KEY_WRAP) => false,
        Some(BlockCipherMode::AES_KEY_WRAP_PADDING) => true,
        other => {
            let text = format!(
                "keys are wrapped with NISTKeyWrap or AESKeyWrapPadding, or RSA, not {other:?}"
            );
            return Err(Failure::feature_not_supported(text).into());
        }
    };
    let kek = cryptography::octets(wrapping)?;
    Ok(scene.crypto.wrap(padding, kek.expose(), clear.expose())?)
}

fn block_mut(material: &mut ManagedObject) -> Option<&mut KeyBlock> {
    match material {
        ManagedObject::SymmetricKey(key) => Some(&mut key.key_block),
        ManagedObject::PublicKey(key) => Some(&mut key.key_block),
        ManagedObject::PrivateKey(key) => Some(&mut key.key_block),
        ManagedObject::SplitKey(key) => Some(&mut key.key_block),
        ManagedObject::SecretData(data) => Some(&mut data.key_block),
        ManagedObject::PgpKey(key) => Some(&mut key.key_block),
        ManagedObject::Certificate(_)
        | ManagedObject::Template(_)
        | ManagedObject::OpaqueObject(_) => None,
    }
}
