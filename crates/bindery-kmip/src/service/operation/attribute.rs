//! Add, Modify, Delete, Set and Adjust Attribute (KMIP 1.4, sections 4.14 to 4.16; 2.1, sections
//! 6.1.2, 6.1.3, 6.1.13, 6.1.34 and 6.1.49).

use bindery_ttlv::{
    DateTime, Interval,
    registry::{AdjustmentType, ResultReason, State},
};

use super::{Scene, wrong_state};
use crate::{
    AttributeRow, Change, SetBy,
    message::{Attribute, AttributeValue, Failure},
    service::{
        fault::shortened,
        object::{Object, canonical, is_custom},
        template::{check, dates, put},
    },
};

/// Which instances of an attribute an operation means.
#[derive(Clone, Debug)]
pub(in crate::service) enum Instance {
    /// The one with this index; 0 where the request has none (1.x).
    Index(String, i32),
    /// The one with this value (2.x).
    Value(Attribute),
    /// The only one (2.x).
    Only(String),
    /// All of them (2.x).
    All(String),
}

impl Instance {
    fn name(&self) -> &str {
        match self {
            Self::Index(name, _) | Self::Only(name) | Self::All(name) => name,
            Self::Value(attribute) => attribute.name(),
        }
    }
}

/// Gives the object another instance of an attribute; gives it as it is then.
pub(in crate::service) fn add(
    scene: &Scene<'_>,
    object: &Object,
    attribute: &Attribute,
) -> Result<(Object, Attribute), Failure> {
    let mut object = scene.touched(object.clone());
    let before = object.clone();
    writable(attribute.name(), Operation::Add)?;
    check(&object, attribute, scene.version)?;
    let row = attribute.row();
    if let Some(row) = row {
        in_time(scene, &object, row.client_changes, row)?;
    }
    let mut wanted = attribute.clone();
    // The server counts; what a client says of the index of a new instance is no more than a guess.
    wanted.index = None;
    put(&mut object, &wanted)?;
    dates(&object)?;
    count(scene, &object)?;
    follow(&before, &mut object);
    let added = instances(&object, attribute.name()).pop().unwrap_or(wanted);
    Ok((object, added))
}

/// Puts another value in the place of one.
pub(in crate::service) fn modify(
    scene: &Scene<'_>,
    object: &Object,
    instance: &Instance,
    attribute: &Attribute,
) -> Result<(Object, Attribute), Failure> {
    let name = attribute.name();
    if instance.name() != name {
        return Err(Failure::invalid_field("Current and New Attribute are two attributes"));
    }
    writable(name, Operation::Modify)?;
    let mut object = scene.touched(object.clone());
    let before = object.clone();
    let place = one(&object, instance)?;
    if let Some(row) = attribute.row() {
        in_time(scene, &object, row.client_changes, row)?;
    }
    check(&object, attribute, scene.version)?;
    let mut changed = attribute.clone();
    changed.index = place.index;
    replace(&mut object, &place, &changed);
    dates(&object)?;
    follow(&before, &mut object);
    Ok((object, changed))
}

/// Takes instances away; gives what was there.
pub(in crate::service) fn delete(
    scene: &Scene<'_>,
    object: &Object,
    instance: &Instance,
) -> Result<(Object, Option<Attribute>), Failure> {
    let name = instance.name().to_owned();
    writable(&name, Operation::Delete)?;
    let mut object = scene.touched(object.clone());
    if let Some(row) = AttributeRow::by_name(&name) {
        if row.always {
            return Err(read_only(&name, "every object of this type has it"));
        }
        in_time(scene, &object, row.client_deletes, row)?;
    }
    if let Instance::All(_) = instance {
        let first = instances(&object, &name).into_iter().next().ok_or_else(|| missing(&name))?;
        object.attributes.retain(|attribute| attribute.name() != name);
        clear_date(&mut object, &first.value);
        return Ok((object, Some(first)));
    }
    let place = one(&object, instance)?;
    remove(&mut object, &place);
    Ok((object, Some(place)))
}

/// Gives the object the one value of an attribute that it can have once (2.x).
pub(in crate::service) fn set(
    scene: &Scene<'_>,
    object: &Object,
    attribute: &Attribute,
) -> Result<Object, Failure> {
    if attribute.row().is_some_and(|row| row.multiple) {
        let text = format!("{} can be there several times; add or modify one", attribute.name());
        return Err(Failure::new(ResultReason::MULTI_VALUED_ATTRIBUTE, text));
    }
    match instances(object, attribute.name()).len() {
        0 => add(scene, object, attribute).map(|(object, _)| object),
        _ => modify(scene, object, &Instance::Only(attribute.name().to_owned()), attribute)
            .map(|(object, _)| object),
    }
}

/// Counts an attribute up or down, or turns it over (2.x).
pub(in crate::service) fn adjust(
    scene: &Scene<'_>,
    object: &Object,
    name: &str,
    adjustment: AdjustmentType,
    by: i64,
) -> Result<Object, Failure> {
    let there = instances(object, name);
    let current = match there.as_slice() {
        [] => return Err(missing(name)),
        [one] => one.value.clone(),
        _ => {
            let text = format!("there are several values of {name:?}");
            return Err(Failure::new(ResultReason::MULTI_VALUED_ATTRIBUTE, text));
        }
    };
    let value = adjusted(current, adjustment, by)?;
    set(scene, object, &Attribute::new(value))
}

fn adjusted(
    value: AttributeValue,
    adjustment: AdjustmentType,
    by: i64,
) -> Result<AttributeValue, Failure> {
    use AttributeValue as V;
    let range = || Failure::new(ResultReason::NUMERIC_RANGE, "the result does not fit");
    let number = |now: i64| {
        match adjustment {
            AdjustmentType::INCREMENT => now.checked_add(by),
            AdjustmentType::DECREMENT => now.checked_sub(by),
            AdjustmentType::NEGATE => now.checked_neg(),
            _ => None,
        }
        .ok_or_else(range)
    };
    let interval =
        |now: Interval| u32::try_from(number(i64::from(now.0))?).map(Interval).map_err(|_| range());
    let date = |now: DateTime| number(now.0).map(DateTime);
    let negate = adjustment == AdjustmentType::NEGATE;
    Ok(match value {
        V::ProtectionPeriod(now) => V::ProtectionPeriod(interval(now)?),
        V::RotateInterval(now) => V::RotateInterval(interval(now)?),
        V::RotateOffset(now) => V::RotateOffset(interval(now)?),
        V::ActivationDate(now) => V::ActivationDate(date(now)?),
        V::ProcessStartDate(now) => V::ProcessStartDate(date(now)?),
        V::ProtectStopDate(now) => V::ProtectStopDate(date(now)?),
        V::DeactivationDate(now) => V::DeactivationDate(date(now)?),
        V::CryptographicUsageMask(now) => {
            let bits = number(i64::from(now.0))?;
            V::CryptographicUsageMask(bindery_ttlv::registry::CryptographicUsageMask(
                i32::try_from(bits).map_err(|_| range())?,
            ))
        }
        V::Sensitive(now) if negate => V::Sensitive(!now),
        V::Extractable(now) if negate => V::Extractable(!now),
        V::QuantumSafe(now) if negate => V::QuantumSafe(!now),
        V::RotateAutomatic(now) if negate => V::RotateAutomatic(!now),
        other => {
            let text = format!("{} is no number", shortened(other.name()));
            return Err(Failure::new(ResultReason::INVALID_DATA_TYPE, text));
        }
    })
}

enum Operation {
    Add,
    Modify,
    Delete,
}

/// Whether clients write the attribute at all.
fn writable(name: &str, operation: Operation) -> Result<(), Failure> {
    let Some(row) = AttributeRow::by_name(name) else {
        if is_custom(name) && !name.starts_with("y-") {
            return Ok(());
        }
        if name.starts_with("y-") {
            return Err(read_only(name, "names that begin with y- are the server's"));
        }
        let text = format!("there is no attribute {:?}", shortened(name));
        return Err(Failure::new(ResultReason::UNSUPPORTED_ATTRIBUTE, text));
    };
    let allowed = match operation {
        Operation::Add => row.set_by != SetBy::Server,
        Operation::Modify => row.client_changes != Change::No,
        Operation::Delete => row.client_deletes != Change::No,
    };
    if allowed { Ok(()) } else { Err(read_only(name, "clients do not change it")) }
}

fn read_only(name: &str, why: &str) -> Failure {
    let text = format!("{}: {why}", shortened(name));
    Failure::new(ResultReason::ATTRIBUTE_READ_ONLY, text)
}

fn missing(name: &str) -> Failure {
    let text = format!("the object has no attribute {:?}", shortened(name));
    Failure::new(ResultReason::ATTRIBUTE_NOT_FOUND, text)
}

/// Whether the attribute may still be changed in the object's State.
fn in_time(
    scene: &Scene<'_>,
    object: &Object,
    rule: Change,
    row: &AttributeRow,
) -> Result<(), Failure> {
    let state = scene.state(object);
    match rule {
        Change::PreActive if !matches!(state, Some(State::PRE_ACTIVE) | None) => {
            Err(wrong_state(row.name, state))
        }
        Change::PreActiveOrActive
            if !matches!(state, Some(State::PRE_ACTIVE | State::ACTIVE) | None) =>
        {
            Err(wrong_state(row.name, state))
        }
        Change::Unallocated if is_allocated(object) => {
            Err(read_only(row.name, "some of it is allocated already"))
        }
        _ => Ok(()),
    }
}

fn is_allocated(object: &Object) -> bool {
    object
        .find(|value| match value {
            AttributeValue::UsageLimits(limits) => Some(
                limits.usage_limits_count.is_some_and(|left| left != limits.usage_limits_total),
            ),
            _ => None,
        })
        .unwrap_or(false)
}

/// How many attributes an object has at most: what a client may give a new one.
fn count(scene: &Scene<'_>, object: &Object) -> Result<(), Failure> {
    let most = scene.config.attributes.saturating_add(32);
    if object.attributes.len() > most {
        return Err(Failure::invalid_field(format!("more than {most} attributes")));
    }
    Ok(())
}

/// What is stored under a name, dates of the object's life included.
fn instances(object: &Object, name: &str) -> Vec<Attribute> {
    let dates = [
        object.dates.activation.map(AttributeValue::ActivationDate),
        object.dates.deactivation.map(AttributeValue::DeactivationDate),
    ];
    let dates = dates.into_iter().flatten().map(Attribute::new);
    dates
        .chain(object.attributes.iter().cloned())
        .filter(|attribute| attribute.name() == name)
        .collect()
}

fn one(object: &Object, instance: &Instance) -> Result<Attribute, Failure> {
    let name = instance.name();
    let there = instances(object, name);
    if there.is_empty() {
        return Err(missing(name));
    }
    let wrong = || {
        let text = format!("the object has no such instance of {:?}", shortened(name));
        Failure::new(ResultReason::ATTRIBUTE_INSTANCE_NOT_FOUND, text)
    };
    match instance {
        Instance::Index(_, index) => {
            there.into_iter().find(|other| other.index.unwrap_or(0) == *index).ok_or_else(wrong)
        }
        Instance::Value(value) => {
            let form = canonical(&value.value);
            there.into_iter().find(|other| canonical(&other.value) == form).ok_or_else(wrong)
        }
        Instance::Only(_) | Instance::All(_) => match <[Attribute; 1]>::try_from(there) {
            Ok([one]) => Ok(one),
            Err(_) => {
                let text = format!("there are several values of {:?}; say which", shortened(name));
                Err(Failure::new(ResultReason::MULTI_VALUED_ATTRIBUTE, text))
            }
        },
    }
}

fn replace(object: &mut Object, place: &Attribute, changed: &Attribute) {
    match changed.value {
        AttributeValue::ActivationDate(date) => object.dates.activation = Some(date),
        AttributeValue::DeactivationDate(date) => object.dates.deactivation = Some(date),
        _ => {
            let mut changed = changed.clone();
            if let AttributeValue::UsageLimits(limits) = &mut changed.value {
                limits.usage_limits_count = Some(limits.usage_limits_total);
            }
            if let Some(slot) = object.attributes.iter_mut().find(|other| *other == place) {
                *slot = changed;
            }
        }
    }
}

fn remove(object: &mut Object, place: &Attribute) {
    clear_date(object, &place.value);
    if let Some(at) = object.attributes.iter().position(|other| other == place) {
        object.attributes.remove(at);
    }
}

fn clear_date(object: &mut Object, value: &AttributeValue) {
    match value {
        AttributeValue::ActivationDate(_) => object.dates.activation = None,
        AttributeValue::DeactivationDate(_) => object.dates.deactivation = None,
        _ => {}
    }
}

/// Always Sensitive and Never Extractable follow what was once set (sections 3.49 and 3.51).
fn follow(before: &Object, object: &mut Object) {
    let flag = |object: &Object, pick: fn(&AttributeValue) -> Option<bool>| object.is_set(pick);
    let sensitive = |value: &AttributeValue| match value {
        AttributeValue::Sensitive(set) => Some(*set),
        _ => None,
    };
    let always = |value: &AttributeValue| match value {
        AttributeValue::AlwaysSensitive(set) => Some(*set),
        _ => None,
    };
    let extractable = |value: &AttributeValue| match value {
        AttributeValue::Extractable(set) => Some(*set),
        _ => None,
    };
    let never = |value: &AttributeValue| match value {
        AttributeValue::NeverExtractable(set) => Some(*set),
        _ => None,
    };
    if flag(before, always) && !flag(object, sensitive) {
        object.set(AttributeValue::AlwaysSensitive(false));
    }
    if flag(before, never) && flag(object, extractable) {
        object.set(AttributeValue::NeverExtractable(false));
    }
}
