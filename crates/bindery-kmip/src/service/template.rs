//! The attributes that a client gives a new object (KMIP 1.4, sections 3 and 4.1, 4.3).

use bindery_ttlv::{
    DateTime, ProtocolVersion,
    registry::{ObjectType, ResultReason},
};

use super::{
    fault::shortened,
    object::{Object, is_custom},
};
use crate::{
    AttributeRow,
    message::{Attribute, AttributeValue, Failure, Name},
};

/// Checks a client's attributes against the registry and gives them to the object: dates to its
/// life, the others to its list.
///
/// # Errors
/// An attribute that is unknown, that the client may not set, that the object's type does not
/// have, that is there too often, or that does not agree with another.
pub(super) fn apply(
    object: &mut Object,
    attributes: &[Attribute],
    version: ProtocolVersion,
    most: usize,
) -> Result<(), Failure> {
    if attributes.len() > most {
        return Err(Failure::invalid_field(format!("more than {most} attributes")));
    }
    for attribute in attributes {
        check(object, attribute, version)?;
        put(object, attribute)?;
    }
    dates(object)
}

/// There are no templates here, so that nothing can be taken over from one.
pub(super) fn no_templates(names: &[Name]) -> Result<(), Failure> {
    match names.first() {
        None => Ok(()),
        Some(name) => Err(Failure::item_not_found(format!(
            "there is no template with the name {:?}; name the attributes themselves",
            shortened(name.name_value.as_str())
        ))),
    }
}

/// The order of an object's dates (sections 3.24 to 3.27). A time in which the key protects nothing
/// is allowed: Process Start Date may come after Protect Stop Date.
pub(super) fn dates(object: &Object) -> Result<(), Failure> {
    let activation = object.dates.activation;
    let deactivation = object.dates.deactivation;
    let process_start = object.find(|value| match value {
        AttributeValue::ProcessStartDate(date) => Some(*date),
        _ => None,
    });
    let protect_stop = object.find(|value| match value {
        AttributeValue::ProtectStopDate(date) => Some(*date),
        _ => None,
    });
    in_order(("Activation Date", activation), ("Process Start Date", process_start))?;
    in_order(("Protect Stop Date", protect_stop), ("Deactivation Date", deactivation))?;
    in_order(("Activation Date", activation), ("Deactivation Date", deactivation))
}

fn in_order(
    (first_name, first): (&str, Option<DateTime>),
    (then_name, then): (&str, Option<DateTime>),
) -> Result<(), Failure> {
    match (first, then) {
        (Some(first), Some(then)) if first > then => {
            Err(Failure::invalid_field(format!("the {first_name} is later than the {then_name}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check(
    object: &Object,
    attribute: &Attribute,
    version: ProtocolVersion,
) -> Result<(), Failure> {
    let name = attribute.name();
    if let AttributeValue::Absent(_) = attribute.value {
        let text = format!("the attribute {:?} has no value", shortened(name));
        return Err(Failure::invalid_field(text));
    }
    let Some(row) = attribute.row() else {
        if is_custom(name) && !name.starts_with("y-") {
            return Ok(());
        }
        return Err(Failure::invalid_field(format!(
            "there is no attribute {:?} that a client may set; names of its own begin with x-",
            shortened(name)
        )));
    };
    if row.since > version {
        return Err(Failure::invalid_field(format!(
            "the attribute {name} came with KMIP {}; the message is written in {version}",
            row.since
        )));
    }
    if !row.template {
        return Err(Failure::invalid_field(format!("only the server sets the attribute {name}")));
    }
    // In 2.x most attributes are of all objects.
    let everywhere = version >= ProtocolVersion::V2_0 && !name.starts_with("Certificate ");
    if !everywhere && !row.applies_to(object.object_type) {
        return Err(Failure::invalid_field(format!(
            "an object of the type {:?} has no attribute {name}",
            object.object_type
        )));
    }
    check_value(row, &attribute.value)
}

/// What the value itself may say.
fn check_value(row: &AttributeRow, value: &AttributeValue) -> Result<(), Failure> {
    let name = row.name;
    match value {
        AttributeValue::Other(_, raw) if has_variant(row) || raw.item_type() != row.item_type => {
            Err(Failure::invalid_field(format!("the value of {name} is incomplete")))
        }
        // Section 3.36: the server would have to know the namespace to make data for it.
        AttributeValue::ApplicationSpecificInformation(information)
            if information.application_data.is_none() =>
        {
            Err(Failure::new(
                ResultReason::APPLICATION_NAMESPACE_NOT_SUPPORTED,
                format!("{name}: this server makes no Application Data; give it"),
            ))
        }
        AttributeValue::UsageLimits(limits)
            if limits.usage_limits_total < 0 || limits.usage_limits_count.is_some() =>
        {
            Err(Failure::invalid_field(format!(
                "{name}: the client says Total, not below 0, and Unit; the server counts"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether values of the attribute are typed, so that one that was kept as it stood is faulty.
fn has_variant(row: &AttributeRow) -> bool {
    !matches!(
        row.name,
        "Certificate Identifier"
            | "Certificate Subject"
            | "Certificate Issuer"
            | "X.509 Certificate Identifier"
            | "X.509 Certificate Subject"
            | "X.509 Certificate Issuer"
            | "Random Number Generator"
    )
}

pub(super) fn put(object: &mut Object, attribute: &Attribute) -> Result<(), Failure> {
    let name = attribute.name();
    let next = next_index(object, name);
    let dates = &mut object.dates;
    let (instances, date) = match attribute.value {
        AttributeValue::ActivationDate(date) => {
            (usize::from(dates.activation.is_some()), Some((&mut dates.activation, date)))
        }
        AttributeValue::DeactivationDate(date) => {
            (usize::from(dates.deactivation.is_some()), Some((&mut dates.deactivation, date)))
        }
        _ => (object.attributes.iter().filter(|other| other.name() == name).count(), None),
    };
    let multiple = attribute.row().is_none_or(|row| row.multiple);
    if instances > 0 && !multiple {
        let text = format!("the object can have {name} only once");
        return Err(Failure::new(ResultReason::ATTRIBUTE_SINGLE_VALUED, text));
    }
    if let AttributeValue::Name(_) = &attribute.value
        && object.attributes.iter().any(|other| other.value == attribute.value)
    {
        let text = "the object has this Name already";
        return Err(Failure::new(ResultReason::NON_UNIQUE_NAME_ATTRIBUTE, text));
    }
    // Section 3: the instances of an attribute are numbered from 0 on.
    let index = next;
    if attribute.index.is_some_and(|given| given != index) {
        return Err(Failure::index_out_of_bounds(format!(
            "the Attribute Index of {:?} has to be {index} here",
            shortened(name)
        )));
    }
    if let Some((place, date)) = date {
        *place = Some(date);
        return Ok(());
    }
    let mut kept = Attribute::new(attribute.value.clone());
    if multiple {
        kept.index = Some(index).filter(|index| *index > 0);
    }
    if let AttributeValue::UsageLimits(limits) = &mut kept.value {
        // Section 3.21: the Count starts at the Total.
        limits.usage_limits_count = Some(limits.usage_limits_total);
    }
    object.attributes.push(kept);
    Ok(())
}

/// The index of another instance: one more than the largest; those of deleted ones are not used
/// again while there is a later one (section 3).
fn next_index(object: &Object, name: &str) -> i32 {
    let there = object.attributes.iter().filter(|other| other.name() == name);
    let largest = there.map(|other| other.index.unwrap_or(0)).max();
    largest.map_or(0, |largest| largest.saturating_add(1))
}

/// The value that a template gives a single attribute.
pub(super) fn given<T>(
    attributes: &[Attribute],
    pick: impl Fn(&AttributeValue) -> Option<T>,
) -> Option<T> {
    attributes.iter().find_map(|attribute| pick(&attribute.value))
}

/// What is wrong when a new object lacks something.
pub(super) fn lacking(name: &str, object_type: ObjectType) -> Failure {
    Failure::invalid_field(format!("a new {object_type:?} needs the attribute {name}"))
}
