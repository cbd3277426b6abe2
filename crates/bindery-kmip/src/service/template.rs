//! The attributes that a client gives a new object (KMIP 1.4, sections 3 and 4.1, 4.3).

use bindery_ttlv::{ProtocolVersion, registry::ObjectType};

use super::object::{Object, is_custom};
use crate::{
    AttributeRow,
    message::{Attribute, AttributeValue, Failure, TemplateAttribute},
};

/// Checks a client's attributes against the registry and gives them to the object: dates to its
/// life, the others to its list.
///
/// # Errors
/// An attribute that is unknown, that the client may not set, that the object's type does not
/// have, or that is there too often.
pub(super) fn apply(
    object: &mut Object,
    template: &TemplateAttribute,
    version: ProtocolVersion,
    most: usize,
) -> Result<(), Failure> {
    if let Some(name) = template.names.first() {
        return Err(Failure::item_not_found(format!(
            "there is no template with the name {:?}; name the attributes themselves",
            name.name_value.as_str()
        )));
    }
    if template.attributes.len() > most {
        return Err(Failure::invalid_field(format!("more than {most} attributes")));
    }
    for attribute in &template.attributes {
        check(object, attribute, version)?;
        put(object, attribute)?;
    }
    Ok(())
}

fn check(object: &Object, attribute: &Attribute, version: ProtocolVersion) -> Result<(), Failure> {
    let name = attribute.name();
    if let AttributeValue::Absent(_) = attribute.value {
        return Err(Failure::invalid_field(format!("the attribute {name} has no value")));
    }
    let Some(row) = attribute.row() else {
        if is_custom(name) && !name.starts_with("y-") {
            return Ok(());
        }
        return Err(Failure::invalid_field(format!(
            "there is no attribute {name:?} that a client may set; names of its own begin with x-"
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
    let malformed = matches!(attribute.value, AttributeValue::Other(..));
    if malformed && has_variant(row) {
        return Err(Failure::invalid_field(format!("the value of {name} is incomplete")));
    }
    Ok(())
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
    let twice = |there: bool| match there {
        true => Err(Failure::invalid_field(format!("{} is there twice", attribute.name()))),
        false => Ok(()),
    };
    let dates = &mut object.dates;
    match attribute.value {
        AttributeValue::ActivationDate(date) => {
            return twice(dates.activation.replace(date).is_some());
        }
        AttributeValue::DeactivationDate(date) => {
            return twice(dates.deactivation.replace(date).is_some());
        }
        _ => {}
    }
    let name = attribute.name();
    let instances = object.attributes.iter().filter(|other| other.name() == name).count();
    let multiple = attribute.row().is_none_or(|row| row.multiple);
    if instances > 0 && !multiple {
        return twice(true);
    }
    // Section 3: the instances of an attribute are numbered from 0 on.
    let index = i32::try_from(instances).unwrap_or(i32::MAX);
    if attribute.index.is_some_and(|given| given != index) {
        return Err(Failure::index_out_of_bounds(format!(
            "the Attribute Index of {name} has to be {index} here"
        )));
    }
    let mut kept = Attribute::new(attribute.value.clone());
    if multiple {
        kept.index = Some(index).filter(|index| *index > 0);
    }
    object.attributes.push(kept);
    Ok(())
}

/// The value that a template gives a single attribute.
pub(super) fn given<T>(
    template: &TemplateAttribute,
    pick: impl Fn(&AttributeValue) -> Option<T>,
) -> Option<T> {
    template.attributes.iter().find_map(|attribute| pick(&attribute.value))
}

/// What is wrong when a new object lacks something.
pub(super) fn lacking(name: &str, object_type: ObjectType) -> Failure {
    Failure::invalid_field(format!("a new {object_type:?} needs the attribute {name}"))
}
