//! Attribute and Template-Attribute (KMIP 1.4, sections 2.1.1, 2.1.8 and 3).

mod list;
mod structures;
mod value;

use bindery_ttlv::{
    Decode, Decoder, Element, Encode, Error, ErrorKind, RawItem, Structure, Tag, Tagged, Text,
    Ttlv, Writer,
    derived::{Order, Unknown, fill, keep, single},
};

pub use list::{
    AttributeReference, Attributes, CommonAttributes, ObjectAttributes, PrivateKeyAttributes,
    PublicKeyAttributes, VendorAttributeReference,
};
pub use structures::{
    AlternativeName, ApplicationSpecificInformation, CryptographicDomainParameters,
    CryptographicParameters, Digest, KeyValueLocation, Link, Name, RevocationReason, UsageLimits,
    VendorAttribute,
};
pub use value::AttributeValue;

use crate::registry::AttributeRow;

/// An Attribute: a name, which instance of it, and its value.
///
/// The name follows from the value, so that the two cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// Which instance; the first has 0, and so has an attribute without an index.
    pub index: Option<i32>,
    /// The value, and with it the name.
    pub value: AttributeValue,
    /// Fields that an Attribute does not have, where they stood.
    pub unknown: Vec<RawItem>,
}

impl Attribute {
    /// An attribute without an index: `Attribute::new(State::ACTIVE)`,
    /// `Attribute::new(AttributeValue::CryptographicLength(256))`.
    pub fn new(value: impl Into<AttributeValue>) -> Self {
        Self { index: None, value: value.into(), unknown: Vec::new() }
    }

    /// The same attribute as the instance `index`.
    #[must_use]
    pub const fn with_index(mut self, index: i32) -> Self {
        self.index = Some(index);
        self
    }

    /// An attribute from an item under its own tag, as 2.x writes it.
    pub(super) fn decode_tagged(element: Element<'_>) -> Result<Self, Error> {
        list::decode_tagged(element).map(Self::new)
    }

    /// The Attribute Name.
    pub fn name(&self) -> &str {
        self.value.name()
    }

    /// What the specification says of the attribute; `None` for a custom or unknown one.
    pub fn row(&self) -> Option<&'static AttributeRow> {
        AttributeRow::by_name(self.name())
    }
}

impl Tagged for Attribute {
    const TAG: Tag = Tag::ATTRIBUTE;
}

// By hand rather than derived: a known name is matched in the message and not kept as a text.
impl Structure for Attribute {
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error> {
        let mut order = Order::new();
        let (mut name, mut index, mut value) = (None, None, None);
        let mut unknown = Vec::new();
        while let Some(element) = fields.next()? {
            match element.tag() {
                Tag::ATTRIBUTE_NAME => {
                    single(&element, &mut order, 1, name.is_some())?;
                    name = Some(element);
                }
                Tag::ATTRIBUTE_INDEX => fill(element, &mut order, 2, &mut index)?,
                Tag::ATTRIBUTE_VALUE => {
                    single(&element, &mut order, 3, value.is_some())?;
                    value = Some(element);
                }
                _ => keep(element, &order, &mut unknown)?,
            }
        }
        let name = name.ok_or_else(|| fields.missing(Tag::ATTRIBUTE_NAME))?;
        let value = match value {
            Some(element) => decode_value(name, name.text_str()?, element)?,
            None => AttributeValue::Absent(name.text()?),
        };
        Ok(Self { index, value, unknown })
    }

    fn encode_fields(&self, writer: &mut Writer<'_>) {
        let mut unknown = Unknown::new(&self.unknown);
        unknown.upto(writer, 0, 0);
        writer.text_string(Tag::ATTRIBUTE_NAME, self.name());
        unknown.upto(writer, 1, 1);
        self.index.iter().for_each(|index| index.encode(Tag::ATTRIBUTE_INDEX, writer));
        unknown.upto(writer, 2, 1);
        self.value.encode_value(Tag::ATTRIBUTE_VALUE, writer);
        unknown.rest(writer);
    }
}

fn decode_value(
    name: Element<'_>,
    text: &str,
    element: Element<'_>,
) -> Result<AttributeValue, Error> {
    match AttributeValue::decode_named(text, element) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Ok(AttributeValue::Other(name.text()?, element.raw()?)),
        // Locate may ask by a part of a structure (section 4.9).
        Err(error) if is_of_another_form(&error) => {
            Ok(AttributeValue::Other(name.text()?, element.raw()?))
        }
        Err(error) => Err(error),
    }
}

/// Whether a value is one that the attribute's type has no place for, and is kept as it stands.
pub(super) fn is_of_another_form(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::MissingField { .. })
}

/// A Template-Attribute: attributes for a new object, directly and by the names of Templates
/// (deprecated since 1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = TEMPLATE_ATTRIBUTE)]
#[non_exhaustive]
pub struct TemplateAttribute {
    /// Names of Templates whose attributes are to be taken over.
    #[ttlv(tag = NAME)]
    pub names: Vec<Name>,
    /// The attributes.
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl TemplateAttribute {
    /// These attributes and no Templates.
    pub const fn new(attributes: Vec<Attribute>) -> Self {
        Self { names: Vec::new(), attributes, unknown: Vec::new() }
    }
}

impl FromIterator<AttributeValue> for TemplateAttribute {
    fn from_iter<I: IntoIterator<Item = AttributeValue>>(values: I) -> Self {
        Self::new(values.into_iter().map(Attribute::new).collect())
    }
}

/// A value on its own, to be read by the attribute's name.
impl AttributeValue {
    /// Reads the Attribute Value of the attribute `name` from an item of any tag: what a store or
    /// another form of the message kept.
    ///
    /// # Errors
    /// The item is not of the attribute's type.
    pub fn decode(name: &str, element: Element<'_>) -> Result<Self, Error> {
        match Self::decode_named(name, element)? {
            Some(value) => Ok(value),
            None => Ok(Self::Other(Text::from(name), Decode::decode(element)?)),
        }
    }
}
