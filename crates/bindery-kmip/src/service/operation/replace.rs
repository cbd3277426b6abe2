//! Re-key and Re-key Key Pair (KMIP 1.4, sections 4.4 and 4.5): the replacement takes over the
//! attributes and the names, each points to the other.

use bindery_ttlv::{
    DateTime, Interval,
    registry::{KeyFormatType, LinkType, ObjectType, ResultReason, State},
};

use super::{
    Scene,
    create::{lengths_of, make_key},
    cryptography::algorithm,
    describe, made_here, pair, wrong_state,
};
use crate::{
    message::{Attribute, AttributeValue, Failure, KeyBlock, Link, ManagedObject, SymmetricKey},
    service::{
        Fault,
        object::Object,
        template::{apply, dates},
    },
};

/// A new key in the place of a symmetric one: the old object as it is then, and the new one.
pub(in crate::service) fn key(
    scene: &Scene<'_>,
    old: &Object,
    uid: String,
    offset: Option<Interval>,
    given: &[Attribute],
) -> Result<(Object, Object), Fault> {
    if old.object_type != ObjectType::SYMMETRIC_KEY {
        let text = format!("Re-key replaces symmetric keys, not a {:?}", old.object_type);
        return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text).into());
    }
    replaceable(scene, old)?;
    let algorithm = algorithm(old)
        .ok_or_else(|| Failure::invalid_field("the key has no Cryptographic Algorithm"))?;
    let lengths = lengths_of(algorithm)?;
    let bits = old
        .find(|value| match value {
            AttributeValue::CryptographicLength(bits) => Some(*bits),
            _ => None,
        })
        .unwrap_or_else(|| lengths.usual());
    let octets = make_key(scene, algorithm, &lengths, bits)?;
    let block = KeyBlock::new(KeyFormatType::RAW, octets).with_algorithm(algorithm, bits);
    let material = ManagedObject::SymmetricKey(SymmetricKey::new(block));
    let new = Object::new(uid, scene.principal.clone(), scene.now, material);
    let (old, new) = succeed(scene, old, new, offset, given)?;
    Ok((old, new))
}

/// The public key that belongs to a private one.
pub(in crate::service) fn public_of(private: &Object) -> Result<String, Failure> {
    if private.object_type != ObjectType::PRIVATE_KEY {
        let text = format!("this takes a private key, not a {:?}", private.object_type);
        return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text));
    }
    private
        .find(|value| match value {
            AttributeValue::Link(link) if link.link_type == LinkType::PUBLIC_KEY_LINK => {
                link.linked_object_identifier.as_text().map(str::to_owned)
            }
            _ => None,
        })
        .ok_or_else(|| Failure::invalid_field("the private key has no Public Key Link"))
}

/// A new pair in the place of one: the old private and public key as they are then, and the new.
pub(in crate::service) fn pair(
    scene: &Scene<'_>,
    (private, public): (&Object, &Object),
    uids: (String, String),
    offset: Option<Interval>,
    asked: &pair::Asked,
) -> Result<[Object; 4], Fault> {
    replaceable(scene, private)?;
    let shape = |object: &Object| -> Vec<Attribute> {
        let kept = object.attributes.iter().filter(|attribute| {
            matches!(
                attribute.value,
                AttributeValue::CryptographicAlgorithm(_)
                    | AttributeValue::CryptographicLength(_)
                    | AttributeValue::CryptographicDomainParameters(_)
                    | AttributeValue::CryptographicUsageMask(_)
            )
        });
        kept.cloned().collect()
    };
    let made =
        pair::make(scene, uids, &pair::Asked { private: shape(private), public: shape(public) })?;
    let (mut new_private, mut new_public) = made;
    let keep = |object: &mut Object| {
        object.attributes.retain(|attribute| matches!(attribute.value, AttributeValue::Link(_)));
    };
    keep(&mut new_private);
    keep(&mut new_public);
    let (old_private, new_private) = succeed(scene, private, new_private, offset, &asked.private)?;
    let (old_public, new_public) = succeed(scene, public, new_public, offset, &asked.public)?;
    Ok([old_private, old_public, new_private, new_public])
}

fn replaceable(scene: &Scene<'_>, old: &Object) -> Result<(), Failure> {
    match scene.state(old) {
        Some(State::PRE_ACTIVE | State::ACTIVE | State::DEACTIVATED) => Ok(()),
        state => Err(wrong_state("Re-key", state)),
    }
}

/// The old object without its names and with a link, and the new one with all that it takes over.
fn succeed(
    scene: &Scene<'_>,
    old: &Object,
    mut new: Object,
    offset: Option<Interval>,
    given: &[Attribute],
) -> Result<(Object, Object), Fault> {
    let mut old = scene.touched(old.clone());
    let moved = move_dates(scene, &old, offset);
    new.dates.activation = moved(old.dates.activation);
    new.dates.deactivation = moved(old.dates.deactivation);
    let overridden = |name: &str| given.iter().any(|attribute| attribute.name() == name);
    for attribute in &old.attributes {
        if overridden(attribute.name()) {
            continue;
        }
        let mut attribute = attribute.clone();
        match &mut attribute.value {
            AttributeValue::Link(_)
            | AttributeValue::Digest(_)
            | AttributeValue::RevocationReason(_)
            | AttributeValue::OriginalCreationDate(_)
            | AttributeValue::ArchiveDate(_)
            | AttributeValue::KeyFormatType(_)
            | AttributeValue::Fresh(_)
            | AttributeValue::AlwaysSensitive(_)
            | AttributeValue::NeverExtractable(_) => continue,
            AttributeValue::ProcessStartDate(date) | AttributeValue::ProtectStopDate(date) => {
                *date = moved(Some(*date)).unwrap_or(*date);
            }
            AttributeValue::UsageLimits(limits) => {
                limits.usage_limits_count = Some(limits.usage_limits_total);
            }
            _ => {}
        }
        new.attributes.push(attribute);
    }
    old.attributes.retain(|attribute| !matches!(attribute.value, AttributeValue::Name(_)));
    if overridden("Activation Date") {
        new.dates.activation = None;
    }
    if overridden("Deactivation Date") {
        new.dates.deactivation = None;
    }
    apply(&mut new, given, scene.version, scene.config.attributes)?;
    link(&mut old, LinkType::REPLACEMENT_OBJECT_LINK, &new.uid);
    link(&mut new, LinkType::REPLACED_OBJECT_LINK, &old.uid);
    dates(&new)?;
    made_here(scene, &mut new);
    describe(&mut new, scene.crypto);
    Ok((old, new))
}

/// Dates of the new object from those of the old one (table 172): as far after its activation.
fn move_dates(
    scene: &Scene<'_>,
    old: &Object,
    offset: Option<Interval>,
) -> impl Fn(Option<DateTime>) -> Option<DateTime> + use<> {
    let by = match (offset, old.dates.activation) {
        (Some(offset), Some(activation)) => {
            let new = scene.date().0.saturating_add(i64::from(offset.0));
            new.saturating_sub(activation.0)
        }
        _ => 0,
    };
    move |date| date.map(|date| DateTime(date.0.saturating_add(by)))
}

/// Points an object to another; in the place of an earlier link of this type.
pub(in crate::service) fn link(object: &mut Object, link_type: LinkType, uid: &str) {
    object.attributes.retain(|attribute| {
        !matches!(&attribute.value, AttributeValue::Link(link) if link.link_type == link_type)
    });
    object.attributes.push(Attribute::new(Link::new(link_type, uid)));
}
