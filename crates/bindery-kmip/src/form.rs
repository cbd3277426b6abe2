//! Attributes and requests in the form of KMIP 2.x, from that of 1.x.

use bindery_ttlv::{ProtocolVersion, Tag};

use crate::message::{
    Attribute, AttributeReference, AttributeValue, Attributes, CommonAttributes, ObjectAttributes,
    PrivateKeyAttributes, PublicKeyAttributes, RequestPayload, VendorAttribute,
    VendorAttributeReference,
};

/// The vendors that custom attributes of 1.x belong to.
pub(crate) const CUSTOM: [&str; 2] = ["x", "y"];

/// What stands between vendor and name in the name of an attribute of 2.x that is neither the
/// clients' (`x`) nor the server's (`y`).
pub(crate) const VENDOR: char = '\u{1f}';

/// The vendor and the name in 2.x of a custom attribute.
fn external(name: &str) -> Option<(&str, &str)> {
    if let Some(parts) = name.split_once(VENDOR) {
        return Some(parts);
    }
    name.split_once('-').filter(|(vendor, _)| CUSTOM.contains(vendor))
}

/// Attributes as 2.x writes them; those that it has no name for are left out, which is for answers alone.
pub(crate) fn outgoing(attributes: Vec<Attribute>) -> Attributes {
    Attributes::new(attributes.into_iter().map(outgoing_one).collect())
}

/// The attributes of a request as 2.x writes them, or back again if it cannot say one of them: a filter or a property that is
/// silently gone makes another request of it.
fn converted(attributes: Vec<Attribute>) -> Result<Attributes, Vec<Attribute>> {
    let said = |attribute: &Attribute| match &attribute.value {
        AttributeValue::Absent(_) => false,
        AttributeValue::Other(name, _) if external(name.as_str()).is_some() => true,
        value => value.can_be_said_in_2(),
    };
    match attributes.iter().all(said) {
        true => Ok(outgoing(attributes)),
        false => Err(attributes),
    }
}

fn outgoing_one(mut attribute: Attribute) -> Attribute {
    attribute.index = None;
    if let AttributeValue::Other(name, value) = &attribute.value
        && let Some((vendor, name)) = external(name.as_str())
    {
        let vendor = VendorAttribute::new(vendor, name, value.clone());
        attribute.value = AttributeValue::Vendor(Box::new(vendor));
    }
    attribute
}

/// The reference to an attribute by its name; `None` for one that 2.x cannot name.
pub(crate) fn reference(name: &str) -> Option<AttributeReference> {
    match external(name) {
        Some((vendor, name)) => {
            Some(AttributeReference::Vendor(VendorAttributeReference::new(vendor, name)))
        }
        None => Tag::from_title(name).map(AttributeReference::Tag),
    }
}

macro_rules! rewrite {
    ($($rewrite:ident $type:ident;)+) => {$(
        /// Templates by their names stay: 2.x has none, and whoever checks the message says so.
        fn $rewrite(given: &mut $type) {
            if let $type::TemplateAttribute(template) = given
                && template.names.is_empty()
                && template.unknown.is_empty()
            {
                match converted(std::mem::take(&mut template.attributes)) {
                    Ok(attributes) => *given = attributes.into(),
                    Err(attributes) => template.attributes = attributes,
                }
            }
        }
    )+};
}

rewrite! {
    object ObjectAttributes;
    common CommonAttributes;
    private PrivateKeyAttributes;
    public PublicKeyAttributes;
}

impl RequestPayload {
    /// Writes a request in the form that a version has for it: for 2.x attributes become
    /// [`Attributes`] and Attribute References in the place of Template-Attributes and Attribute
    /// Names. What is in that form already, what 2.x cannot say (a Template's name, an Attribute Index above 0, an attribute
    /// without a value or with a name that has no tag) and requests of 1.x stay as they are, which who checks the message
    /// then refuses.
    pub fn in_form_of(&mut self, version: ProtocolVersion) {
        if version < ProtocolVersion::V2_0 {
            return;
        }
        match self {
            Self::Create(request) => object(&mut request.attributes),
            Self::Register(request) => object(&mut request.attributes),
            Self::ReKey(request) => request.attributes.iter_mut().for_each(object),
            Self::DeriveKey(request) => request.attributes.iter_mut().for_each(object),
            Self::CreateSplitKey(request) => request.attributes.iter_mut().for_each(object),
            Self::JoinSplitKey(request) => request.attributes.iter_mut().for_each(object),
            Self::Certify(request) => {
                request.attributes.iter_mut().for_each(object);
                if let Some(asked) = request.certificate_request.take() {
                    request.certificate_request_value.get_or_insert(asked);
                }
            }
            Self::ReCertify(request) => {
                request.attributes.iter_mut().for_each(object);
                if let Some(asked) = request.certificate_request.take() {
                    request.certificate_request_value.get_or_insert(asked);
                }
            }
            Self::CreateKeyPair(request) => {
                request.common_attributes.iter_mut().for_each(common);
                request.private_key_attributes.iter_mut().for_each(private);
                request.public_key_attributes.iter_mut().for_each(public);
            }
            Self::ReKeyKeyPair(request) => {
                request.common_attributes.iter_mut().for_each(common);
                request.private_key_attributes.iter_mut().for_each(private);
                request.public_key_attributes.iter_mut().for_each(public);
            }
            other => other.attributes_in_form_of_2(),
        }
    }

    /// The requests that are about attributes.
    fn attributes_in_form_of_2(&mut self) {
        match self {
            Self::Locate(request) => gather(&mut request.attributes, &mut request.attributes_2),
            Self::Import(request) => gather(&mut request.attributes, &mut request.attributes_2),
            Self::GetAttributes(request) => {
                let known = request.attribute_names.iter().map(|name| reference(name.as_str()));
                if let Some(references) = known.collect::<Option<Vec<_>>>() {
                    request.attribute_references.extend(references);
                    request.attribute_names.clear();
                }
            }
            Self::AddAttribute(request) => {
                one(&mut request.attribute, &mut request.new_attribute);
            }
            Self::ModifyAttribute(request) => {
                let index = request.attribute.as_ref().and_then(|attribute| attribute.index);
                // 2.x tells instances apart by their values: which one is meant cannot be said.
                if index.is_none_or(|index| index == 0) {
                    one(&mut request.attribute, &mut request.new_attribute);
                }
            }
            Self::DeleteAttribute(request) => {
                let first = request.attribute_index.is_none_or(|index| index == 0);
                let name = request.attribute_name.as_ref().filter(|_| first);
                if let Some(reference) = name.and_then(|name| reference(name.as_str())) {
                    request.attribute_reference.get_or_insert(reference);
                    (request.attribute_name, request.attribute_index) = (None, None);
                }
            }
            _ => {}
        }
    }
}

/// One attribute into the structure of 2.x, where none stands there.
fn one(attribute: &mut Option<Attribute>, new: &mut Option<Attributes>) {
    let Some(taken) = attribute.take() else { return };
    match converted(vec![taken]) {
        Ok(attributes) => {
            new.get_or_insert(attributes);
        }
        Err(back) => *attribute = back.into_iter().next(),
    }
}

/// Attributes one by one into the one structure of 2.x.
fn gather(attributes: &mut Vec<Attribute>, attributes_2: &mut Option<Attributes>) {
    if attributes.is_empty() {
        return;
    }
    match converted(std::mem::take(attributes)) {
        Ok(said) => {
            attributes_2.get_or_insert_default().attributes.splice(0..0, said.attributes);
        }
        Err(back) => *attributes = back,
    }
}
