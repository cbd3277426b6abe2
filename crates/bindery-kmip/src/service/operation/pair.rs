//! Create Key Pair (KMIP 1.4, section 4.2).

use bindery_ttlv::registry::{
    CryptographicAlgorithm as Algorithm, KeyFormatType, LinkType, ObjectType, RecommendedCurve,
};

use super::{Scene, cryptography::pair_forms, describe, made_here};
use crate::{
    Secret,
    message::{
        Attribute, AttributeValue, Failure, KeyBlock, Link, ManagedObject, PrivateKey, PublicKey,
    },
    service::{
        Fault, KeyPairKind,
        object::Object,
        template::{apply, given, lacking},
    },
};

/// What is asked for: the attributes of each half, those of both included.
pub(in crate::service) struct Asked {
    pub(in crate::service) private: Vec<Attribute>,
    pub(in crate::service) public: Vec<Attribute>,
}

/// A new pair: the private and the public key, linked to each other.
pub(in crate::service) fn make(
    scene: &Scene<'_>,
    (private_uid, public_uid): (String, String),
    asked: &Asked,
) -> Result<(Object, Object), Fault> {
    let algorithm = given(&asked.private, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Algorithm", ObjectType::PRIVATE_KEY))?;
    let (kind, bits) = kind(algorithm, &asked.private)?;
    need_mask(&asked.private, ObjectType::PRIVATE_KEY)?;
    need_mask(&asked.public, ObjectType::PUBLIC_KEY)?;
    let rsa = matches!(kind, KeyPairKind::Rsa(_));
    let (private_form, public_form) = pair_forms(rsa);
    let private_form = form(&asked.private).unwrap_or(private_form);
    let public_form = form(&asked.public).unwrap_or(public_form);
    let (pkcs8, spki) = scene.crypto.generate_key_pair(kind)?;
    let private = scene.crypto.private_key_as(private_form, pkcs8.expose())?;
    let public = Secret::new(scene.crypto.public_key_as(public_form, &spki)?);
    let block = |form, octets| KeyBlock::new(form, octets).with_algorithm(algorithm, bits);
    let private = ManagedObject::PrivateKey(PrivateKey::new(block(private_form, private)));
    let public = ManagedObject::PublicKey(PublicKey::new(block(public_form, public)));
    let private_link = Link::new(LinkType::PUBLIC_KEY_LINK, public_uid.as_str());
    let public_link = Link::new(LinkType::PRIVATE_KEY_LINK, private_uid.as_str());
    let private = half(scene, private_uid, private, &asked.private, (bits, private_link))?;
    let public = half(scene, public_uid, public, &asked.public, (bits, public_link))?;
    Ok((private, public))
}

fn half(
    scene: &Scene<'_>,
    uid: String,
    material: ManagedObject,
    attributes: &[Attribute],
    (bits, link): (i32, Link),
) -> Result<Object, Fault> {
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
    apply(&mut object, attributes, scene.version, scene.config.attributes)?;
    object.set(AttributeValue::CryptographicLength(bits));
    object.attributes.push(Attribute::new(link));
    made_here(scene, &mut object);
    describe(&mut object, scene.crypto);
    Ok(object)
}

fn form(attributes: &[Attribute]) -> Option<KeyFormatType> {
    given(attributes, |value| match value {
        AttributeValue::KeyFormatType(form) => Some(*form),
        _ => None,
    })
}

fn need_mask(attributes: &[Attribute], object_type: ObjectType) -> Result<(), Failure> {
    let there = given(attributes, |value| {
        matches!(value, AttributeValue::CryptographicUsageMask(_)).then_some(())
    });
    there.ok_or_else(|| lacking("Cryptographic Usage Mask", object_type))
}

/// The kind of pair and the length of its keys.
fn kind(algorithm: Algorithm, attributes: &[Attribute]) -> Result<(KeyPairKind, i32), Failure> {
    let bits = given(attributes, |value| match value {
        AttributeValue::CryptographicLength(bits) => Some(*bits),
        _ => None,
    });
    let curve = given(attributes, |value| match value {
        AttributeValue::CryptographicDomainParameters(domain) => domain.recommended_curve,
        _ => None,
    });
    match algorithm {
        Algorithm::RSA => {
            let bits = bits.unwrap_or(2048);
            Ok((KeyPairKind::Rsa(bits), bits))
        }
        Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::ECMQV => {
            let by_length = match bits {
                None | Some(256) => Some(RecommendedCurve::P_256),
                Some(384) => Some(RecommendedCurve::P_384),
                Some(521) => Some(RecommendedCurve::P_521),
                Some(_) => None,
            };
            let curve = curve.or(by_length).ok_or_else(|| {
                Failure::invalid_field("no curve has this length; name one of P-256, P-384, P-521")
            })?;
            let length = match curve {
                RecommendedCurve::P_384 => 384,
                RecommendedCurve::P_521 => 521,
                _ => 256,
            };
            if bits.is_some_and(|bits| bits != length) {
                return Err(Failure::invalid_field("the curve has another Cryptographic Length"));
            }
            Ok((KeyPairKind::Curve(curve), length))
        }
        Algorithm::ED25519 => Ok((KeyPairKind::Ed25519, 256)),
        other => {
            Err(Failure::invalid_field(format!("this server makes no key pairs for {other:?}")))
        }
    }
}
