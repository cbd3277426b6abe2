//! Locate (KMIP 1.4, section 4.9).

use std::{cell::OnceCell, collections::BTreeSet};

use bindery_core::Principal;
use bindery_ttlv::{
    DateTime,
    registry::{State, StorageStatusMask},
};
use bytes::Bytes;

use super::Scene;
use crate::{
    message::{Attribute, AttributeValue, Failure, LocateRequest},
    service::{
        Filter, IndexEntry,
        fault::shortened,
        form::{attributes_2, incoming},
        object::{Object, canonical, index_entry},
    },
};

/// The most attributes that a Locate may ask for.
const CRITERIA: usize = 64;
/// How many of them the store is asked to compare; the rest is compared afterwards.
const INDEXED: usize = 8;

/// What a Locate asks for, ready to be held against objects.
#[derive(Debug)]
pub(in crate::service) struct Wanted {
    criteria: Vec<Criterion>,
    entries: Vec<IndexEntry>,
    /// Objects with material are asked for.
    on_line: bool,
    /// Destroyed objects are asked for, by the mask or by their State.
    destroyed: bool,
    /// The one object that can match.
    pub(in crate::service) uid: Option<String>,
    /// Archived objects are asked for.
    archived: bool,
    /// Nothing can match.
    pub(in crate::service) nothing: bool,
    /// How many matching objects are passed over.
    pub(in crate::service) offset: Option<usize>,
    /// How many identifiers are returned at most.
    pub(in crate::service) most: usize,
}

#[derive(Debug)]
enum Criterion {
    /// An instance of the attribute has exactly this value.
    Equal(String, Bytes),
    /// The date is this one.
    At(String, DateTime),
    /// The date lies between two, both included.
    Between(String, DateTime, DateTime),
    /// All of these bits are set.
    Mask(i32),
    /// An instance has at least these fields.
    Part(String, Vec<Bytes>),
}

impl Wanted {
    /// Reads the request.
    ///
    /// # Errors
    /// It asks for what cannot be, or for too much.
    pub(in crate::service) fn read(
        scene: &Scene<'_>,
        request: &LocateRequest,
    ) -> Result<Self, Failure> {
        if request.object_group_member.is_some() {
            return Err(Failure::feature_not_supported("Object Group Member is not known here"));
        }
        let number = |name: &str, value: Option<i32>| match value.map(usize::try_from) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err(Failure::invalid_field(format!("{name} is negative"))),
        };
        let mut attributes: Vec<Attribute> = request.attributes.iter().map(incoming).collect();
        if let Some(more) = &request.attributes_2 {
            attributes.extend(attributes_2(more, scene.version)?);
        }
        let attributes = &attributes;
        if attributes.len() > CRITERIA {
            let text = format!("a Locate asks for at most {CRITERIA} attributes here");
            return Err(Failure::invalid_field(text));
        }
        let most = number("Maximum Items", request.maximum_items)?.unwrap_or(usize::MAX);
        let mask = request.storage_status_mask.unwrap_or(StorageStatusMask::ON_LINE_STORAGE);
        let has = |bit: StorageStatusMask| mask.0 & bit.0 != 0;
        let by_state = attributes.iter().any(|attribute| {
            matches!(
                attribute.value,
                AttributeValue::State(State::DESTROYED | State::DESTROYED_COMPROMISED)
            )
        });
        let on_line = has(StorageStatusMask::ON_LINE_STORAGE);
        let destroyed = has(StorageStatusMask::DESTROYED_STORAGE) || by_state;
        let archived = has(StorageStatusMask::ARCHIVAL_STORAGE);
        let entries = attributes.iter().filter_map(|attribute| index_entry(&attribute.value));
        Ok(Self {
            criteria: criteria(scene, attributes)?,
            entries: entries.take(INDEXED).collect(),
            on_line,
            destroyed,
            uid: attributes.iter().find_map(|attribute| match &attribute.value {
                AttributeValue::UniqueIdentifier(uid) => Some(uid.as_str().to_owned()),
                _ => None,
            }),
            archived,
            nothing: !on_line && !destroyed && !archived,
            offset: number("Offset Items", request.offset_items)?,
            most: most.min(scene.config.located),
        })
    }

    /// What the store can look for itself; the rest is looked at afterwards.
    pub(in crate::service) fn filter(&self, owner: &Principal, page: usize) -> Filter {
        let mut filter = Filter::owned_by(owner.clone(), page);
        filter.entries.clone_from(&self.entries);
        filter
    }

    /// What it costs to look at an object: 1 for a usual one.
    pub(in crate::service) fn cost(&self, octets: usize, attributes: usize) -> usize {
        let compared = attributes.saturating_mul(self.criteria.len());
        1_usize.saturating_add(octets / 1_024).saturating_add(compared / 64)
    }

    /// Whether the object is asked for.
    pub(in crate::service) fn fits(&self, scene: &Scene<'_>, object: &Object) -> bool {
        let storage = match object.dates.destroy {
            Some(_) => self.destroyed,
            None if object.is_archived() => self.archived,
            None => self.on_line,
        };
        if !storage || object.owner != *scene.principal {
            return false;
        }
        let attributes = object.attributes(scene);
        let attributes: Vec<Seen<'_>> = attributes.iter().map(Seen::new).collect();
        self.criteria.iter().all(|criterion| criterion.holds(object, &attributes))
    }
}

fn criteria(scene: &Scene<'_>, attributes: &[Attribute]) -> Result<Vec<Criterion>, Failure> {
    let mut all: Vec<Criterion> = Vec::new();
    let mut left = scene.config.attribute_octets;
    for attribute in attributes {
        let name = attribute.name();
        let criterion = match (&attribute.value, date(&attribute.value)) {
            (AttributeValue::Absent(_), _) => {
                let text = format!("the attribute {:?} has no value", shortened(name));
                return Err(Failure::invalid_field(text));
            }
            (AttributeValue::CryptographicUsageMask(mask), _) => Criterion::Mask(mask.0),
            (_, Some(date)) => match all.iter_mut().find(|other| other.is_date(name)) {
                Some(earlier) => {
                    earlier.widen(date)?;
                    continue;
                }
                None => Criterion::At(name.to_owned(), date),
            },
            (value, None) => {
                let form = canonical(value);
                left = left.checked_sub(form.len()).ok_or_else(|| {
                    Failure::invalid_field("the attributes are longer than any object's")
                })?;
                match value_fields(&form).filter(|_| attribute.row().is_some()) {
                    // Section 4.9: a structure may leave out fields.
                    Some(fields) => Criterion::Part(name.to_owned(), fields),
                    None => Criterion::Equal(name.to_owned(), form),
                }
            }
        };
        all.push(criterion);
    }
    Ok(all)
}

impl Criterion {
    fn is_date(&self, wanted: &str) -> bool {
        matches!(self, Self::At(name, _) | Self::Between(name, ..) if name == wanted)
    }

    /// Two values of one date are the ends of a range, in either order; a third makes no sense.
    fn widen(&mut self, date: DateTime) -> Result<(), Failure> {
        match self {
            Self::At(name, first) => {
                let (from, to) = ((*first).min(date), (*first).max(date));
                *self = Self::Between(std::mem::take(name), from, to);
                Ok(())
            }
            Self::Between(name, ..) => Err(Failure::invalid_field(format!(
                "{name} is there more than twice; two values are the ends of a range"
            ))),
            Self::Equal(..) | Self::Mask(_) | Self::Part(..) => Ok(()),
        }
    }

    fn holds(&self, object: &Object, attributes: &[Seen<'_>]) -> bool {
        let instances = |name: &str, fits: &dyn Fn(&Seen<'_>) -> bool| {
            attributes.iter().any(|other| other.attribute.name() == name && fits(other))
        };
        match self {
            Self::Mask(bits) => object.usage_mask().0 & bits == *bits,
            Self::Equal(name, value) => instances(name, &|other| other.form() == value),
            Self::At(name, at) => instances(name, &|other| other.date() == Some(*at)),
            Self::Between(name, from, to) => instances(name, &|other| {
                other.date().is_some_and(|date| (*from..=*to).contains(&date))
            }),
            Self::Part(name, wanted) => instances(name, &|other| {
                let there = other.fields();
                wanted.iter().all(|field| there.contains(field))
            }),
        }
    }
}

/// An object's attribute, with its forms for comparing, each made once and only if it is needed.
struct Seen<'a> {
    attribute: &'a Attribute,
    form: OnceCell<Bytes>,
    fields: OnceCell<BTreeSet<Bytes>>,
}

impl<'a> Seen<'a> {
    const fn new(attribute: &'a Attribute) -> Self {
        Self { attribute, form: OnceCell::new(), fields: OnceCell::new() }
    }

    fn form(&self) -> &Bytes {
        self.form.get_or_init(|| canonical(&self.attribute.value))
    }

    fn fields(&self) -> &BTreeSet<Bytes> {
        self.fields
            .get_or_init(|| value_fields(self.form()).unwrap_or_default().into_iter().collect())
    }

    const fn date(&self) -> Option<DateTime> {
        date(&self.attribute.value)
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

/// The type code of a structure (section 9.1.1.2).
const STRUCTURE: u8 = 0x01;

/// The fields of the value in an attribute's canonical form; `None` if the value is no structure.
fn value_fields(form: &Bytes) -> Option<Vec<Bytes>> {
    // Attribute Name, then Attribute Value: behind its header stand its fields.
    let value = fields(form).into_iter().nth(1)?;
    (value.get(3) == Some(&STRUCTURE)).then(|| fields(&value.slice(8..)))
}

/// The items that octets hold, each with its header. They were encoded here: every item has its
/// whole length and padding.
fn fields(octets: &Bytes) -> Vec<Bytes> {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(head) = octets.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let [.., a, b, c, d] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let whole = length.saturating_add(8).checked_next_multiple_of(8).unwrap_or(usize::MAX);
        let end = at.saturating_add(whole).min(octets.len());
        fields.push(octets.slice(at..end));
        at = end;
    }
    fields
}
