//! What each operation decides, without IO: a file for each.
//!
//! A decision gets the loaded object and gives the answer, and the object as it should be where
//! it changes. Nothing is changed in place, so that a failed item leaves nothing behind.

pub(super) mod activate;
pub(super) mod archive;
pub(super) mod attribute;
pub(super) mod cipher;
pub(super) mod create;
pub(super) mod cryptography;
pub(super) mod derive;
pub(super) mod destroy;
pub(super) mod discover_versions;
pub(super) mod get;
pub(super) mod get_attribute_list;
pub(super) mod get_attributes;
pub(super) mod lease;
pub(super) mod locate;
pub(super) mod pair;
pub(super) mod query;
pub(super) mod register;
pub(super) mod replace;
pub(super) mod revoke;
pub(super) mod split;
pub(super) mod wrap;

use bindery_core::{Principal, Timestamp};
use bindery_ttlv::{
    DateTime, ProtocolVersion, RawValue, Text, Ttlv,
    registry::{HashingAlgorithm, KeyFormatType, ResultReason, RngAlgorithm, State},
};

use super::{
    Crypto, KeyServerConfig,
    object::Object,
    state::{has_state, state},
};
use crate::message::{Attribute, AttributeValue, Digest, Failure, ManagedObject};

/// What every decision may look at.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) config: &'a KeyServerConfig,
    pub(super) crypto: &'a dyn Crypto,
    pub(super) principal: &'a Principal,
    pub(super) version: ProtocolVersion,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// The time in whole seconds, as attributes have it.
    pub(super) fn date(&self) -> DateTime {
        DateTime(self.now.unix_seconds())
    }

    /// The object's State now.
    pub(super) fn state(&self, object: &Object) -> Option<State> {
        state(object, self.now)
    }

    /// The object, changed now; not before its last change where the clock was set back.
    pub(super) fn touched(&self, mut object: Object) -> Object {
        object.dates.last_change = self.date().max(object.dates.last_change);
        object
    }
}

/// What is wrong when an object's State does not allow an operation.
pub(super) fn wrong_state(operation: &str, state: Option<State>) -> Failure {
    let state = state.and_then(|state| state.row()).map_or("without a State", |row| row.title());
    let text = format!("{operation}: the object is {state}");
    Failure::new(ResultReason::WRONG_KEY_LIFECYCLE_STATE, text)
}

/// Gives an object that the server made a key for what says so (sections 3.43 and 3.44). Which
/// generator it was, only the library knows.
pub(super) fn made_here(scene: &Scene<'_>, object: &mut Object) {
    object.set(AttributeValue::OriginalCreationDate(scene.date()));
    let generator = RngParameters { rng_algorithm: RngAlgorithm::UNSPECIFIED };
    let name = Text::from_static("Random Number Generator");
    if !object.attributes.iter().any(|other| other.name() == name.as_str()) {
        object.set(AttributeValue::Other(name, RawValue::of(&generator)));
    }
}

/// RNG Parameters (section 2.1.18), as far as they are said here.
#[derive(Ttlv)]
#[ttlv(tag = RNG_PARAMETERS)]
struct RngParameters {
    rng_algorithm: RngAlgorithm,
}

/// Gives a new object what the server says of every object: Digest, Certificate attributes,
/// Sensitive and Extractable and what follows from them (sections 3.8, 3.9, 3.17, 3.48 to 3.51).
pub(super) fn describe(object: &mut Object, crypto: &dyn Crypto) {
    if let Some(digest) = digest(object, crypto) {
        object.set(digest.into());
    }
    if let Some(ManagedObject::Certificate(certificate)) = &object.material {
        let certificate_type = certificate.certificate_type;
        let length = i32::try_from(certificate.certificate_value.len()).unwrap_or(i32::MAX);
        object.set(certificate_type.into());
        object.set(AttributeValue::CertificateLength(length));
    }
    if let Some(ManagedObject::Certificate(certificate)) = &object.material
        && let Ok(facts) = crypto.certificate(&certificate.certificate_value)
    {
        for (name, value) in facts.names {
            let value = RawValue::of(&Text::from(value.as_str()));
            let value = AttributeValue::Other(Text::from(name.as_str()), value);
            object.attributes.push(Attribute::new(value));
        }
    }
    let format = object.material.as_ref().and_then(ManagedObject::key_block);
    if let Some(format) = format.map(|block| block.key_format_type) {
        object.set(format.into());
    }
    if has_state(object.object_type)
        && object.find(|value| matches!(value, AttributeValue::Fresh(_)).then_some(())).is_none()
    {
        object.set(AttributeValue::Fresh(true));
    }
    let sensitive = object.is_set(|value| match value {
        AttributeValue::Sensitive(sensitive) => Some(*sensitive),
        _ => None,
    });
    let extractable = object
        .find(|value| match value {
            AttributeValue::Extractable(extractable) => Some(*extractable),
            _ => None,
        })
        .unwrap_or(true);
    object.set(AttributeValue::Sensitive(sensitive));
    object.set(AttributeValue::AlwaysSensitive(sensitive));
    object.set(AttributeValue::Extractable(extractable));
    object.set(AttributeValue::NeverExtractable(!extractable));
}

/// The SHA-256 of the key's, the certificate's or the data's octets; none for a Transparent or a
/// wrapped key, whose octets the specification does not define.
fn digest(object: &Object, crypto: &dyn Crypto) -> Option<Digest> {
    let material = object.material.as_ref()?;
    let (octets, format) = match material {
        ManagedObject::OpaqueObject(data) => (data.opaque_data_value.expose(), None),
        ManagedObject::Certificate(certificate) => (&certificate.certificate_value[..], None),
        other => {
            let block = other.key_block()?;
            if block.key_wrapping_data.is_some() {
                return None;
            }
            let plain = block.key_format_type != KeyFormatType::TRANSPARENT_SYMMETRIC_KEY;
            (block.octets().filter(|_| plain)?.expose(), Some(block.key_format_type))
        }
    };
    let mut digest = Digest::new(
        HashingAlgorithm::SHA_256,
        bytes::Bytes::copy_from_slice(&crypto.sha256(octets)),
    );
    digest.key_format_type = format;
    Some(digest)
}
