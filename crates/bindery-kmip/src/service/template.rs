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
    message::{Attribute, AttributeValue, Failure, ObjectAttributes},
};

/// Checks a client's attributes against the registry and gives them to the object: dates to its
/// life, the others to its list.
///
/// # Errors
/// An attribute that is unknown, that the client may not set, that the object's type does not
/// have, that is there too often, or that does not agree with another.
pub(super) fn apply(
    object: &mut Object,
    template: &ObjectAttributes,
    version: ProtocolVersion,
    most: usize,
) -> Result<(), Failure> {
    if matches!(template, ObjectAttributes::Attributes(_)) {
        return Err(form_of_2());
    }
    if let Some(name) = template.names().first() {
        return Err(Failure::item_not_found(format!(
            "there is no template with the name {:?}; name the attributes themselves",
            shortened(name.name_value.as_str())
        )));
    }
    if template.attributes().len() > most {
        return Err(Failure::invalid_field(format!("more than {most} attributes")));
    }
    for attribute in template.attributes() {
        check(object, attribute, version)?;
        put(object, attribute)?;
    }
    dates(object)
}

/// What a request of KMIP 1.x is told that gives attributes in the form of 2.x.
pub(super) fn form_of_2() -> Failure {
    Failure::invalid_field(
        "Attributes and Attribute References are of KMIP 2.x; in 1.x send a Template-Attribute, \
         Attributes one by one, or Attribute Names",
    )
}

/// The order of an object's dates (sections 3.24 to 3.27). A time in which the key protects nothing
/// is allowed: Process Start Date may come after Protect Stop Date.
fn dates(object: &Object) -> Result<(), Failure> {
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

fn check(object: &Object, attribute: &Attribute, version: ProtocolVersion) -> Result<(), Failure> {
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
    if !row.applies_to(object.object_type) {
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

fn put(object: &mut Object, attribute: &Attribute) -> Result<(), Failure> {
    let name = attribute.name();
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
        return Err(Failure::invalid_field(format!("{name} is there twice")));
    }
    // Section 3: the instances of an attribute are numbered from 0 on.
    let index = i32::try_from(instances).unwrap_or(i32::MAX);
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

/// The value that a template gives a single attribute.
pub(super) fn given<T>(
    template: &ObjectAttributes,
    pick: impl Fn(&AttributeValue) -> Option<T>,
) -> Option<T> {
    template.attributes().iter().find_map(|attribute| pick(&attribute.value))
}

/// What is wrong when a new object lacks something.
pub(super) fn lacking(name: &str, object_type: ObjectType) -> Failure {
    Failure::invalid_field(format!("a new {object_type:?} needs the attribute {name}"))
}
