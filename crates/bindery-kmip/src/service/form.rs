//! Attributes as the versions of KMIP write them, and as the engine has them: custom attributes are
//! `x-NAME` and `y-NAME` in 1.x and have a vendor beside the name in 2.x.

use bindery_ttlv::{ProtocolVersion, Text};

pub(super) use crate::form::{outgoing, reference};
use crate::{
    form::{CUSTOM, VENDOR},
    message::{
        Attribute, AttributeReference, AttributeValue, Attributes, Failure, ObjectAttributes,
    },
};

/// What a request of KMIP 1.x is told that gives attributes in the form of 2.x.
pub(super) fn form_of_2() -> Failure {
    Failure::invalid_field(
        "Attributes and Attribute References are of KMIP 2.x; in 1.x send a Template-Attribute, \
         Attributes one by one, or Attribute Names",
    )
}

/// The engine's name of a vendor's attribute.
fn internal(vendor: &str, name: &str) -> String {
    if CUSTOM.contains(&vendor) {
        format!("{vendor}-{name}")
    } else {
        format!("{vendor}{VENDOR}{name}")
    }
}

/// An attribute as the engine has it.
pub(super) fn incoming(attribute: &Attribute) -> Attribute {
    let mut attribute = attribute.clone();
    if let AttributeValue::Vendor(vendor) = &attribute.value {
        let name = internal(vendor.vendor_identification.as_str(), vendor.attribute_name.as_str());
        attribute.value =
            AttributeValue::Other(Text::from(name.as_str()), vendor.attribute_value.clone());
    }
    attribute
}

/// The attributes of a new object, whatever their form.
///
/// # Errors
/// The form is not the version's.
pub(super) fn given_attributes(
    template: Option<&ObjectAttributes>,
    version: ProtocolVersion,
) -> Result<Vec<Attribute>, Failure> {
    let Some(template) = template else { return Ok(Vec::new()) };
    if matches!(template, ObjectAttributes::Attributes(_)) && version < ProtocolVersion::V2_0 {
        return Err(form_of_2());
    }
    Ok(template.attributes().iter().map(incoming).collect())
}

/// The attributes of a 2.x structure.
///
/// # Errors
/// The version is not 2.x.
pub(super) fn attributes_2(
    attributes: &Attributes,
    version: ProtocolVersion,
) -> Result<Vec<Attribute>, Failure> {
    if version < ProtocolVersion::V2_0 {
        return Err(form_of_2());
    }
    Ok(attributes.attributes.iter().map(incoming).collect())
}

/// The one attribute of a 2.x structure.
///
/// # Errors
/// The version is not 2.x, or there is not one.
pub(super) fn single_attribute(
    attributes: &Attributes,
    version: ProtocolVersion,
) -> Result<Attribute, Failure> {
    let [one] = <[Attribute; 1]>::try_from(attributes_2(attributes, version)?).map_err(|all| {
        Failure::invalid_field(format!("{} attributes where one goes", all.len()))
    })?;
    Ok(one)
}

/// The engine's name of what a reference means.
pub(super) fn referred(reference: &AttributeReference) -> Option<String> {
    match reference {
        AttributeReference::Tag(tag) => tag.title().map(str::to_owned),
        AttributeReference::Vendor(vendor) => {
            Some(internal(vendor.vendor_identification.as_str(), vendor.attribute_name.as_str()))
        }
    }
}
