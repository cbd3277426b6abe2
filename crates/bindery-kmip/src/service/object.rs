//! A managed object as the engine sees it, and how it becomes a store's record.

use bindery_core::{Principal, Timestamp};
use bindery_ttlv::{
    DateTime, Options, ProtocolVersion, RawValue, Text, Ttlv,
    registry::{CryptographicUsageMask, ObjectType, ProtectionStorageMask},
};
use bytes::Bytes;

use super::{
    Fault, IndexEntry, Record, StoreError,
    operation::Scene,
    state::{has_state, state},
};
use crate::{
    Secret,
    form::VENDOR,
    message::{
        Attribute, AttributeValue, KeyBlock, KeyMaterial, KeyValue, ManagedObject,
        TemplateAttribute, TransparentValue,
    },
};

/// A managed object.
///
/// What changes in its life stands in [`Dates`]; what other fields say (Unique Identifier, Object
/// Type, State, the dates) is not repeated in `attributes`.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) uid: String,
    pub(super) owner: Principal,
    pub(super) created: Timestamp,
    pub(super) object_type: ObjectType,
    pub(super) dates: Dates,
    /// The other attributes, in the order in which they were set.
    pub(super) attributes: Vec<Attribute>,
    /// The object itself; `None` when it is destroyed, or when it was found and not loaded.
    pub(super) material: Option<ManagedObject>,
}

/// The dates of an object's life (KMIP 1.4, sections 3.23 to 3.30 and 3.38), in whole seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) initial: DateTime,
    pub(super) last_change: DateTime,
    pub(super) activation: Option<DateTime>,
    pub(super) deactivation: Option<DateTime>,
    pub(super) destroy: Option<DateTime>,
    pub(super) compromise: Option<DateTime>,
    pub(super) compromise_occurrence: Option<DateTime>,
}

/// The material in its place in a record: an item whose tag is never seen by a peer.
#[derive(Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
struct Material {
    #[ttlv(choice)]
    object: ManagedObject,
}

/// What a record's octets can be longer than what they hold, for the buffer's first size.
const OVERHEAD: usize = 1_024;
/// The longest value that a store is asked to index; longer ones are compared after loading.
const INDEXED_OCTETS: usize = 320;

impl Object {
    /// An object at the beginning of its life.
    pub(super) fn new(
        uid: String,
        owner: Principal,
        now: Timestamp,
        material: ManagedObject,
    ) -> Self {
        let second = DateTime(now.unix_seconds());
        Self {
            uid,
            owner,
            created: now,
            object_type: material.object_type(),
            dates: Dates { initial: second, last_change: second, ..Dates::default() },
            attributes: Vec::new(),
            material: Some(material),
        }
    }

    /// All attributes that a client of a version may see at a time, computed ones first.
    pub(super) fn attributes(&self, scene: &Scene<'_>) -> Vec<Attribute> {
        let version = scene.version;
        let computed = self.computed(scene.now).into_iter().chain(self.derived(scene));
        let computed = computed.map(Attribute::new);
        let visible = |attribute: &Attribute| is_visible(attribute, version);
        let mut all: Vec<Attribute> =
            computed.chain(self.attributes.iter().cloned()).filter(visible).collect();
        // The field came with 1.1.
        if version < ProtocolVersion::V1_1 {
            for attribute in &mut all {
                if let AttributeValue::Digest(digest) = &mut attribute.value {
                    digest.key_format_type = None;
                }
            }
        }
        all
    }

    /// What follows from the identifier, the form of the key and the settings.
    fn derived(&self, scene: &Scene<'_>) -> Vec<AttributeValue> {
        let mut all = Vec::new();
        if has_state(self.object_type) {
            all.push(AttributeValue::LeaseTime(scene.config.lease));
        }
        if scene.version >= ProtocolVersion::V2_0 {
            let short = scene.crypto.sha256(self.uid.as_bytes());
            all.push(AttributeValue::ShortUniqueIdentifier(Bytes::copy_from_slice(&short)));
            all.push(ProtectionStorageMask::SOFTWARE.into());
        }
        all
    }

    fn computed(&self, now: Timestamp) -> Vec<AttributeValue> {
        let dates = &self.dates;
        let mut all = vec![
            AttributeValue::UniqueIdentifier(Text::from(self.uid.as_str())),
            AttributeValue::ObjectType(self.object_type),
        ];
        all.extend(state(self, now).map(AttributeValue::State));
        all.push(AttributeValue::InitialDate(dates.initial));
        all.extend(dates.activation.map(AttributeValue::ActivationDate));
        all.extend(dates.deactivation.map(AttributeValue::DeactivationDate));
        all.extend(dates.destroy.map(AttributeValue::DestroyDate));
        let occurrence = dates.compromise_occurrence;
        all.extend(occurrence.map(AttributeValue::CompromiseOccurrenceDate));
        all.extend(dates.compromise.map(AttributeValue::CompromiseDate));
        all.push(AttributeValue::LastChangeDate(dates.last_change));
        all
    }

    /// Sets an attribute that the object then has once; the old value goes.
    pub(super) fn set(&mut self, value: AttributeValue) {
        self.attributes.retain(|attribute| attribute.name() != value.name());
        self.attributes.push(Attribute::new(value));
    }

    /// Whether the object is in archival storage.
    pub(super) fn is_archived(&self) -> bool {
        self.find(|value| matches!(value, AttributeValue::ArchiveDate(_)).then_some(())).is_some()
    }

    /// The first value that `pick` takes.
    pub(super) fn find<T>(&self, pick: impl Fn(&AttributeValue) -> Option<T>) -> Option<T> {
        self.attributes.iter().find_map(|attribute| pick(&attribute.value))
    }

    /// Whether the attribute is set to true; absent is false.
    pub(super) fn is_set(&self, pick: impl Fn(&AttributeValue) -> Option<bool>) -> bool {
        self.find(pick).unwrap_or(false)
    }

    /// The record to store: attributes as a Template-Attribute, material as the one field of a
    /// Response Payload. The tags are the format's version: another form would come under others.
    ///
    /// # Errors
    /// The object is longer than TTLV can say.
    pub(super) fn to_record(&self) -> Result<Record, Fault> {
        let mut attributes = vec![Attribute::new(self.object_type)];
        let dates = self.computed(Timestamp::UNIX_EPOCH).into_iter().filter(is_date);
        attributes.extend(dates.map(Attribute::new));
        attributes.extend(self.attributes.iter().cloned());
        let too_long = |_| Fault::Store(damaged(&self.uid, "it is too long to be stored"));
        let mut record = Record::new(self.uid.clone(), self.owner.clone(), self.created);
        record.index = attributes.iter().filter_map(|a| index_entry(&a.value)).collect();
        record.attributes =
            bindery_ttlv::to_bytes(&TemplateAttribute::new(attributes)).map_err(too_long)?;
        record.material = match &self.material {
            Some(material) => Some(encode_material(material).map_err(too_long)?),
            None => None,
        };
        Ok(record)
    }

    /// The object of a record.
    ///
    /// # Errors
    /// The record is not what [`Object::to_record`] makes.
    pub(super) fn from_record(record: &Record) -> Result<Self, Fault> {
        let bad = |reason: String| Fault::Store(damaged(&record.uid, &reason));
        let stored: TemplateAttribute = bindery_ttlv::decode(&record.attributes, &Options::STRICT)
            .map_err(|error| bad(error.to_string()))?;
        let material = match &record.material {
            Some(octets) => Some(
                bindery_ttlv::decode_slice::<Material>(octets.expose(), &Options::STRICT)
                    .map_err(|error| bad(format!("its material, offset {}", error.offset())))?
                    .object,
            ),
            None => None,
        };
        let mut object = Self {
            uid: record.uid.clone(),
            owner: record.owner.clone(),
            created: record.created,
            object_type: ObjectType(0),
            dates: Dates::default(),
            attributes: Vec::with_capacity(stored.attributes.len()),
            material,
        };
        let mut required = 0;
        for attribute in stored.attributes {
            required += usize::from(is_required(&attribute.value));
            object.take(attribute);
        }
        // Every object has these, each once: without them its state would be made up.
        if required != REQUIRED {
            return Err(bad("its Object Type or its dates are not there".to_owned()));
        }
        let material_type = object.material.as_ref().map(ManagedObject::object_type);
        if material_type.is_some_and(|material_type| material_type != object.object_type) {
            return Err(bad("its material is of another type".to_owned()));
        }
        Ok(object)
    }

    /// The object of a record that came with its material.
    ///
    /// # Errors
    /// As [`Object::from_record`]; and the material is there although it was destroyed, or the
    /// other way round.
    pub(super) fn from_whole_record(record: &Record) -> Result<Self, Fault> {
        let object = Self::from_record(record)?;
        if object.material.is_some() == object.dates.destroy.is_some() {
            let reason = "its material and its Destroy Date do not agree";
            return Err(Fault::Store(damaged(&record.uid, reason)));
        }
        Ok(object)
    }

    /// Puts a stored attribute where it belongs.
    fn take(&mut self, attribute: Attribute) {
        let dates = &mut self.dates;
        match attribute.value {
            AttributeValue::ObjectType(object_type) => self.object_type = object_type,
            AttributeValue::InitialDate(date) => dates.initial = date,
            AttributeValue::LastChangeDate(date) => dates.last_change = date,
            AttributeValue::ActivationDate(date) => dates.activation = Some(date),
            AttributeValue::DeactivationDate(date) => dates.deactivation = Some(date),
            AttributeValue::DestroyDate(date) => dates.destroy = Some(date),
            AttributeValue::CompromiseDate(date) => dates.compromise = Some(date),
            AttributeValue::CompromiseOccurrenceDate(date) => {
                dates.compromise_occurrence = Some(date);
            }
            _ => self.attributes.push(attribute),
        }
    }

    /// The Cryptographic Usage Mask, empty when there is none.
    pub(super) fn usage_mask(&self) -> CryptographicUsageMask {
        self.find(|value| match value {
            AttributeValue::CryptographicUsageMask(mask) => Some(*mask),
            _ => None,
        })
        .unwrap_or(CryptographicUsageMask(0))
    }
}

/// How many [`is_required`].
const REQUIRED: usize = 3;

const fn is_required(value: &AttributeValue) -> bool {
    matches!(
        value,
        AttributeValue::ObjectType(_)
            | AttributeValue::InitialDate(_)
            | AttributeValue::LastChangeDate(_)
    )
}

fn is_date(value: &AttributeValue) -> bool {
    !matches!(
        value,
        AttributeValue::UniqueIdentifier(_)
            | AttributeValue::ObjectType(_)
            | AttributeValue::State(_)
    )
}

/// The material's octets. The buffer has its full size before the first octet, so that it does
/// not grow and leave copies of keys behind.
fn encode_material(material: &ManagedObject) -> Result<Secret, bindery_ttlv::EncodeError> {
    let octets = match material {
        ManagedObject::OpaqueObject(object) => object.opaque_data_value.len(),
        ManagedObject::Certificate(certificate) => certificate.certificate_value.len(),
        other => other.key_block().map_or(0, secret_octets),
    };
    let mut buffer = Vec::with_capacity(octets.saturating_add(OVERHEAD));
    let material = Material { object: material.clone() };
    bindery_ttlv::encode(&material, &mut buffer)?;
    Ok(Secret::new(buffer))
}

fn secret_octets(block: &KeyBlock) -> usize {
    match &block.key_value {
        Some(KeyValue::Plain(plain)) => match &plain.key_material {
            KeyMaterial::Octets(octets) => octets.len(),
            KeyMaterial::Transparent(key) => {
                key.fields
                    .iter()
                    .map(|field| match &field.value {
                        TransparentValue::BigInteger(octets)
                        | TransparentValue::ByteString(octets) => octets.len() + 16,
                        TransparentValue::Enumeration(_) | TransparentValue::Other(_) => 16,
                    })
                    .sum()
            }
        },
        Some(KeyValue::Wrapped(octets)) => octets.len(),
        None => 0,
    }
}

/// What a store can find an object by: the value's TTLV form under the attribute's name. Values
/// that time or the server changes are compared after loading, and long ones too.
pub(super) fn index_entry(value: &AttributeValue) -> Option<IndexEntry> {
    let indexed = match value {
        // Without the data it stands for all objects of a namespace.
        AttributeValue::ApplicationSpecificInformation(information) => {
            information.application_data.is_some()
        }
        AttributeValue::Name(_)
        | AttributeValue::ObjectType(_)
        | AttributeValue::CryptographicAlgorithm(_)
        | AttributeValue::CryptographicLength(_)
        | AttributeValue::ObjectGroup(_)
        | AttributeValue::Link(_)
        | AttributeValue::AlternativeName(_)
        | AttributeValue::ContactInformation(_) => true,
        AttributeValue::Other(name, _) => is_custom(name),
        _ => false,
    };
    let octets = indexed.then(|| canonical(value))?;
    (octets.len() <= INDEXED_OCTETS).then(|| IndexEntry::new(value.name(), octets))
}

/// The attribute in one form, its index left out, for comparing.
pub(super) fn canonical(value: &AttributeValue) -> Bytes {
    Bytes::copy_from_slice(RawValue::of(&Attribute::new(value.clone())).as_bytes())
}

/// Whether a client of a version sees the attribute.
fn is_visible(attribute: &Attribute, version: ProtocolVersion) -> bool {
    if version < ProtocolVersion::V2_0 {
        let vendors = attribute.name().contains(VENDOR);
        return !vendors && attribute.row().is_none_or(|row| row.since <= version);
    }
    // What 2.0 no longer has.
    let gone = [
        "Operation Policy Name",
        "Certificate Identifier",
        "Certificate Subject",
        "Certificate Issuer",
    ];
    !gone.contains(&attribute.name()) && attribute.row().is_none_or(|row| row.since <= version)
}

/// Whether a client may make up an attribute of this name (section 3.39): `x-` for the client's
/// own, `y-` for the server's.
pub(super) fn is_custom(name: &str) -> bool {
    name.starts_with("x-") || name.starts_with("y-") || name.contains(VENDOR)
}

fn damaged(uid: &str, reason: &str) -> StoreError {
    StoreError::Damaged { uid: uid.to_owned(), reason: reason.to_owned() }
}
