//! Locate (KMIP 1.4, section 4.9).

use bindery_core::Principal;
use bindery_ttlv::{
    DateTime, ItemType, RawValue,
    registry::{State, StorageStatusMask},
};
use bytes::Bytes;

use super::Scene;
use crate::{
    message::{Attribute, AttributeValue, Failure, LocateRequest},
    service::{
        Filter,
        object::{Object, canonical, index_entry},
    },
};

/// What a Locate asks for, ready to be held against objects.
#[derive(Debug)]
pub(in crate::service) struct Wanted {
    criteria: Vec<Criterion>,
    /// Objects without material are left out unless the request speaks of them.
    destroyed: bool,
    /// Nothing can match: only archived objects are asked for, and there is no archive.
    pub(in crate::service) nothing: bool,
    /// How many matching objects are passed over.
    pub(in crate::service) offset: usize,
    /// How many identifiers are returned at most.
    pub(in crate::service) most: usize,
}

#[derive(Debug)]
enum Criterion {
    /// An instance of the attribute has exactly this value.
    Equal(String, Bytes),
    /// The date lies between two, both included.
    Between(String, DateTime, DateTime),
    /// All of these bits are set.
    Mask(i32),
    /// An instance has at least these fields.
    Part(String, Vec<Vec<u8>>),
}

/// Reads the request.
pub(in crate::service) fn wanted(
    scene: &Scene<'_>,
    request: &LocateRequest,
) -> Result<Wanted, Failure> {
    if request.object_group_member.is_some() {
        return Err(Failure::feature_not_supported("Object Group Member is not known here"));
    }
    let number = |name: &str, value: Option<i32>| match value.map(usize::try_from) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(Failure::invalid_field(format!("{name} is negative"))),
    };
    if request.attributes.len() > scene.config.attributes {
        return Err(Failure::invalid_field("too many attributes"));
    }
    let most = number("Maximum Items", request.maximum_items)?.unwrap_or(usize::MAX);
    let mask = request.storage_status_mask.unwrap_or(StorageStatusMask::ON_LINE_STORAGE);
    let has = |bit: StorageStatusMask| mask.0 & bit.0 != 0;
    let named = |state: &State| matches!(*state, State::DESTROYED | State::DESTROYED_COMPROMISED);
    let by_state = request
        .attributes
        .iter()
        .any(|attribute| matches!(&attribute.value, AttributeValue::State(state) if named(state)));
    Ok(Wanted {
        criteria: criteria(&request.attributes)?,
        destroyed: has(StorageStatusMask::DESTROYED_STORAGE) || by_state,
        nothing: !has(StorageStatusMask::ON_LINE_STORAGE)
            && !has(StorageStatusMask::DESTROYED_STORAGE),
        offset: number("Offset Items", request.offset_items)?.unwrap_or(0),
        most: most.min(scene.config.located),
    })
}

fn criteria(attributes: &[Attribute]) -> Result<Vec<Criterion>, Failure> {
    let mut all: Vec<Criterion> = Vec::new();
    for attribute in attributes {
        let name = attribute.name();
        let criterion = match (&attribute.value, date(&attribute.value)) {
            (AttributeValue::Absent(_), _) => {
                return Err(Failure::invalid_field(format!("the attribute {name} has no value")));
            }
            (AttributeValue::CryptographicUsageMask(mask), _) => Criterion::Mask(mask.0),
            (_, Some(date)) => match all.iter_mut().find(|other| other.is_date(name)) {
                Some(earlier) => {
                    earlier.widen(date)?;
                    continue;
                }
                None => Criterion::Between(name.to_owned(), date, date),
            },
            (AttributeValue::Other(_, raw), None)
                if raw.item_type() == ItemType::Structure && attribute.row().is_some() =>
            {
                Criterion::Part(name.to_owned(), fields(raw.as_bytes()))
            }
            (value, None) => Criterion::Equal(name.to_owned(), canonical(value)),
        };
        all.push(criterion);
    }
    Ok(all)
}

impl Criterion {
    fn is_date(&self, wanted: &str) -> bool {
        matches!(self, Self::Between(name, ..) if name == wanted)
    }

    /// Two values of one date are the ends of a range, in either order; a third makes no sense.
    fn widen(&mut self, date: DateTime) -> Result<(), Failure> {
        match self {
            Self::Between(_, from, to) if from == to => {
                (*from, *to) = ((*from).min(date), (*to).max(date));
                Ok(())
            }
            Self::Between(name, ..) => Err(Failure::invalid_field(format!(
                "{name} is there more than twice; two values are the ends of a range"
            ))),
            _ => Ok(()),
        }
    }

    fn holds(&self, object: &Object, attributes: &[Attribute]) -> bool {
        let instances = |name: &str, fits: &dyn Fn(&AttributeValue) -> bool| {
            attributes.iter().any(|other| other.name() == name && fits(&other.value))
        };
        match self {
            Self::Mask(bits) => object.usage_mask().0 & bits == *bits,
            Self::Equal(name, value) => instances(name, &|other| canonical(other) == *value),
            Self::Between(name, from, to) => instances(name, &|other| {
                date(other).is_some_and(|date| (*from..=*to).contains(&date))
            }),
            Self::Part(name, wanted) => instances(name, &|other| {
                let there = value_fields(other);
                wanted.iter().all(|field| there.contains(field))
            }),
        }
    }
}

impl Wanted {
    /// What the store can look for itself; the rest is looked at afterwards.
    pub(in crate::service) fn filter(
        &self,
        owner: &Principal,
        attributes: &[Attribute],
        page: usize,
    ) -> Filter {
        let mut filter = Filter::owned_by(owner.clone(), page);
        filter.entries = attributes.iter().filter_map(|a| index_entry(&a.value)).collect();
        filter
    }

    /// Whether the object is asked for.
    pub(in crate::service) fn fits(&self, scene: &Scene<'_>, object: &Object) -> bool {
        if object.owner != *scene.principal || (object.dates.destroy.is_some() && !self.destroyed) {
            return false;
        }
        let attributes = object.attributes(scene.version, scene.now);
        self.criteria.iter().all(|criterion| criterion.holds(object, &attributes))
    }
}

/// The value of an attribute that is a date.
const fn date(value: &AttributeValue) -> Option<DateTime> {
    match value {
        AttributeValue::InitialDate(date)
        | AttributeValue::ActivationDate(date)
        | AttributeValue::ProcessStartDate(date)
        | AttributeValue::ProtectStopDate(date)
        | AttributeValue::DeactivationDate(date)
        | AttributeValue::DestroyDate(date)
        | AttributeValue::CompromiseOccurrenceDate(date)
        | AttributeValue::CompromiseDate(date)
        | AttributeValue::ArchiveDate(date)
        | AttributeValue::LastChangeDate(date)
        | AttributeValue::OriginalCreationDate(date) => Some(*date),
        _ => None,
    }
}

/// The encoded items of a structure's value. It was checked when it was read: every item has its
/// whole length and padding.
fn fields(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let [.., a, b, c, d] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = length.saturating_add(8).next_multiple_of(8).min(rest.len());
        let (field, behind) = rest.split_at(end);
        fields.push(field.to_vec());
        rest = behind;
    }
    fields
}

/// The fields of an attribute's value that is a structure.
fn value_fields(value: &AttributeValue) -> Vec<Vec<u8>> {
    let encoded = RawValue::of(&Attribute::new(value.clone()));
    // Attribute Name, then Attribute Value: behind its header stand its fields.
    let items = fields(encoded.as_bytes());
    fields(items.get(1).and_then(|value| value.get(8..)).unwrap_or_default())
}
