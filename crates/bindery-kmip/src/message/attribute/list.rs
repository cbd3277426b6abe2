//! Attributes and Attribute Reference (KMIP 2.1, sections 4 and 7): the form of 2.x, in the model of 1.x.

use bindery_ttlv::{
    Decode, Decoder, Element, Encode, Error, ErrorKind, ItemType, RawItem, Structure, Tag, Tagged,
    Text, Ttlv, Writer,
};

use super::{Attribute, AttributeValue, Name, TemplateAttribute};

/// Attributes (KMIP 2.1, section 7.1): each under its own tag, in the place of Attribute Name and
/// Attribute Value.
///
/// The attributes are the same values as in a [`TemplateAttribute`]. A tag that no attribute has
/// becomes an [`AttributeValue::Other`] under the tag's name, or under `0x` and six digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// The attributes in their order. There is no Attribute Index in this form; it is not written.
    pub attributes: Vec<Attribute>,
}

impl Attributes {
    /// These attributes.
    pub const fn new(attributes: Vec<Attribute>) -> Self {
        Self { attributes }
    }
}

impl FromIterator<AttributeValue> for Attributes {
    fn from_iter<I: IntoIterator<Item = AttributeValue>>(values: I) -> Self {
        Self::new(values.into_iter().map(Attribute::new).collect())
    }
}

impl Tagged for Attributes {
    const TAG: Tag = Tag::ATTRIBUTES;
}

// By hand: an attribute is told by its tag, and there is a variant for each.
impl Structure for Attributes {
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error> {
        let mut attributes = Vec::new();
        while let Some(element) = fields.next()? {
            attributes.push(Attribute::decode_tagged(element)?);
        }
        Ok(Self { attributes })
    }

    fn encode_fields(&self, writer: &mut Writer<'_>) {
        for attribute in &self.attributes {
            if let AttributeValue::Vendor(vendor) = &attribute.value {
                vendor.encode(Tag::ATTRIBUTE, writer);
            } else if let Some(tag) = tag_of(attribute.name()) {
                attribute.value.encode_value(tag, writer);
            }
        }
    }
}

pub(super) fn decode_tagged(element: Element<'_>) -> Result<AttributeValue, Error> {
    let tag = element.tag();
    if tag == Tag::ATTRIBUTE {
        return match element.decode() {
            Ok(vendor) => Ok(AttributeValue::Vendor(Box::new(vendor))),
            Err(error) if super::is_of_another_form(&error) => keep(element),
            Err(error) => Err(error),
        };
    }
    let Some(name) = tag.title() else { return keep(element) };
    match AttributeValue::decode_named(name, element) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => keep(element),
        // Some attributes have another type in 2.x (a link to an object by an Enumeration), and
        // Locate may ask by a part of a structure.
        Err(error)
            if super::is_of_another_form(&error)
                || matches!(error.kind(), ErrorKind::UnexpectedType { .. }) =>
        {
            keep(element)
        }
        Err(error) => Err(error),
    }
}

fn keep(element: Element<'_>) -> Result<AttributeValue, Error> {
    let tag = element.tag();
    let name = match tag.title() {
        Some(title) => Text::from(title),
        None => Text::from(tag.to_string().as_str()),
    };
    Ok(AttributeValue::Other(name, element.raw()?))
}

impl AttributeValue {
    /// Whether 2.x has a place for it: a tag, or the form of a vendor's attribute.
    pub(crate) fn can_be_said_in_2(&self) -> bool {
        match self {
            Self::Vendor(_) => true,
            Self::Absent(_) => false,
            value => tag_of(value.name()).is_some(),
        }
    }
}

/// The tag that an attribute has in 2.x; `None` for a custom attribute of 1.x, which has none.
fn tag_of(name: &str) -> Option<Tag> {
    let number = || {
        let digits = name.strip_prefix("0x").filter(|digits| digits.len() == 6)?;
        Tag::new(u32::from_str_radix(digits, 16).ok()?)
    };
    Tag::from_title(name).or_else(number)
}

/// The attributes that a new object is to have, in the form of the message's version.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[non_exhaustive]
pub enum ObjectAttributes {
    /// KMIP 1.x.
    TemplateAttribute(TemplateAttribute),
    /// KMIP 2.x.
    Attributes(Attributes),
}

macro_rules! both_forms {
    ($($type:ident),+) => {$(
        impl $type {
            /// The attributes, whatever the form.
            pub fn attributes(&self) -> &[Attribute] {
                match self {
                    Self::TemplateAttribute(template) => &template.attributes,
                    Self::Attributes(attributes) => &attributes.attributes,
                }
            }

            /// The same, to be changed.
            pub const fn attributes_mut(&mut self) -> &mut Vec<Attribute> {
                match self {
                    Self::TemplateAttribute(template) => &mut template.attributes,
                    Self::Attributes(attributes) => &mut attributes.attributes,
                }
            }

            /// The names of Templates whose attributes are to be taken over; 2.x has none.
            pub fn names(&self) -> &[Name] {
                match self {
                    Self::TemplateAttribute(template) => &template.names,
                    Self::Attributes(_) => &[],
                }
            }
        }

        impl From<TemplateAttribute> for $type {
            fn from(template: TemplateAttribute) -> Self {
                Self::TemplateAttribute(template)
            }
        }

        impl From<Attributes> for $type {
            fn from(attributes: Attributes) -> Self {
                Self::Attributes(attributes)
            }
        }
    )+};
}

macro_rules! of_key_pairs {
    ($($(#[$doc:meta])* $type:ident $template:ident $attributes:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
        #[non_exhaustive]
        pub enum $type {
            /// KMIP 1.x.
            #[ttlv(tag = $template)]
            TemplateAttribute(TemplateAttribute),
            /// KMIP 2.x.
            #[ttlv(tag = $attributes)]
            Attributes(Attributes),
        }
    )+};
}

of_key_pairs! {
    /// The attributes that both keys of a pair are to have, in the form of the message's version.
    CommonAttributes COMMON_TEMPLATE_ATTRIBUTE COMMON_ATTRIBUTES;
    /// The attributes that the private key is to have, in the form of the message's version.
    PrivateKeyAttributes PRIVATE_KEY_TEMPLATE_ATTRIBUTE PRIVATE_KEY_ATTRIBUTES;
    /// The attributes that the public key is to have, in the form of the message's version.
    PublicKeyAttributes PUBLIC_KEY_TEMPLATE_ATTRIBUTE PUBLIC_KEY_ATTRIBUTES;
}

both_forms!(ObjectAttributes, CommonAttributes, PrivateKeyAttributes, PublicKeyAttributes);

/// Attribute Reference (KMIP 2.1, section 7.2): which attribute, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeReference {
    /// One of the specification's, by its tag.
    Tag(Tag),
    /// A vendor's.
    Vendor(VendorAttributeReference),
}

impl AttributeReference {
    /// The attribute's name as KMIP 1.x writes it; `None` for a tag that has none.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Tag(tag) => tag.title(),
            Self::Vendor(vendor) => Some(&vendor.attribute_name),
        }
    }

    /// The name as KMIP 1.x writes it, with a vendor's attribute as `VENDOR-NAME` (custom attributes
    /// of 1.x are those of the vendors x and y), and a tag without a name in hex.
    pub fn display_name(&self) -> Text {
        match self {
            Self::Tag(tag) => match tag.title() {
                Some(title) => title.into(),
                None => tag.to_string().into(),
            },
            Self::Vendor(vendor) => {
                format!("{}-{}", vendor.vendor_identification, vendor.attribute_name).into()
            }
        }
    }
}

impl Tagged for AttributeReference {
    const TAG: Tag = Tag::ATTRIBUTE_REFERENCE;
}

impl Decode for AttributeReference {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        if element.item_type() != ItemType::Enumeration {
            return element.decode().map(Self::Vendor);
        }
        let tag = Tag::new(element.enumeration()?);
        tag.map(Self::Tag).ok_or_else(|| element.invalid("the tag of an attribute"))
    }
}

impl Encode for AttributeReference {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Tag(attribute) => writer.enumeration(tag, attribute.value()),
            Self::Vendor(vendor) => vendor.encode(tag, writer),
        }
    }
}

/// A vendor's attribute in an [`AttributeReference`].
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ATTRIBUTE_REFERENCE)]
#[non_exhaustive]
pub struct VendorAttributeReference {
    /// The vendor.
    #[ttlv(tag = VENDOR_IDENTIFICATION)]
    pub vendor_identification: Text,
    /// The attribute's name.
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_name: Text,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl VendorAttributeReference {
    /// A vendor's attribute.
    pub fn new(vendor_identification: impl Into<Text>, attribute_name: impl Into<Text>) -> Self {
        Self {
            vendor_identification: vendor_identification.into(),
            attribute_name: attribute_name.into(),
            unknown: Vec::new(),
        }
    }
}
