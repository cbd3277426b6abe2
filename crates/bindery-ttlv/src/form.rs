//! What the XML and JSON forms have in common: names, numbers, dates, and where an Attribute Value gets its names from
//! (KMIP Additional Message Encodings 1.0, sections 4 and 6; Profiles 2.1, sections 5.4 and 5.5).

mod build;
mod error;

use std::fmt::Write;

pub(crate) use build::{Builder, Scalar};
pub use error::{FormError, FormErrorKind};

use crate::hex::Hex;
use crate::registry::Enumeration;
use crate::tag::named_attribute;
use crate::{Item, ItemType, Tag, Value, date};

impl ItemType {
    /// The name in the XML and JSON forms, such as `TextString`.
    pub const fn form_name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "LongInteger",
            Self::BigInteger => "BigInteger",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "TextString",
            Self::ByteString => "ByteString",
            Self::DateTime => "DateTime",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "DateTimeExtended",
        }
    }

    /// The type of a name in the XML and JSON forms, or of a code in hexadecimal (`0x07`).
    pub fn from_form_name(name: &str) -> Option<Self> {
        let named = Self::ALL.into_iter().find(|item_type| item_type.form_name() == name);
        named.or_else(|| {
            let code = name.strip_prefix("0x").filter(|digits| digits.len() == 2)?;
            Self::from_code(u8::from_str_radix(code, 16).ok()?)
        })
    }
}

/// A tag by its name, or `0x` and six hexadecimal digits.
pub(crate) fn tag(name: &str) -> Option<Tag> {
    match name.strip_prefix("0x") {
        Some(digits) if digits.len() == 6 => Tag::new(u32::from_str_radix(digits, 16).ok()?),
        Some(_) => None,
        None => Tag::from_name(name),
    }
}

/// What gives the values of an item their names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codes {
    Table(&'static Enumeration),
    /// The values are tags: Attribute Reference of 2.x.
    Tags,
}

impl Codes {
    pub(crate) fn name(self, value: u32) -> Option<&'static str> {
        match self {
            Self::Table(table) if !table.is_mask() => table.row(value).map(|row| row.name()),
            Self::Table(_) => None,
            Self::Tags => Tag::new(value)?.name(),
        }
    }

    pub(crate) fn value(self, name: &str) -> Option<u32> {
        match self {
            Self::Table(table) => table.row_by_name(name).map(|row| row.value()),
            Self::Tags => Tag::from_name(name).map(Tag::value),
        }
    }
}

/// Which attribute an Attribute Value belongs to (KMIP 1.x), level by level.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    outer: Vec<Option<Tag>>,
    current: Option<Tag>,
}

impl Attributes {
    pub(crate) fn enter(&mut self) {
        self.outer.push(self.current.take());
    }

    pub(crate) fn leave(&mut self) {
        // What stands behind a structure is behind an item that names no attribute.
        self.outer.pop();
        self.current = None;
    }

    /// Looks at an item that is no structure.
    pub(crate) fn see(&mut self, tag: Tag, value: Value<'_>) {
        let item = Item { tag, value, offset: 0 };
        self.current = named_attribute(&item, self.current);
    }

    pub(crate) fn codes(&self, tag: Tag) -> Option<Codes> {
        let tag = if tag == Tag::ATTRIBUTE_VALUE { self.current? } else { tag };
        if tag == Tag::ATTRIBUTE_REFERENCE {
            return Some(Codes::Tags);
        }
        tag.enumeration().map(Codes::Table)
    }
}

/// A mask's value as names joined by a separator; bits without a name in hexadecimal behind them. `None` where it has
/// no names.
pub(crate) fn mask(codes: Option<Codes>, value: i32, separator: char) -> Option<String> {
    let Some(Codes::Table(table)) = codes.filter(|_| value != 0) else { return None };
    if !table.is_mask() {
        return None;
    }
    let bits = value.cast_unsigned();
    let (mut text, mut rest) = (String::new(), bits);
    for row in table.rows().iter().filter(|row| bits & row.value() == row.value()) {
        if !text.is_empty() {
            text.push(separator);
        }
        text.push_str(row.name());
        rest &= !row.value();
    }
    if text.is_empty() {
        return None;
    }
    if rest != 0 {
        // Writing to a String does not fail.
        let _ = write!(text, "{separator}0x{rest:08x}");
    }
    Some(text)
}

/// A date as ISO 8601, or as 16 hexadecimal digits where its year has no four digits.
pub(crate) fn date_time(value: Value<'_>) -> Option<String> {
    let (text, number) = match value {
        Value::DateTime(seconds) => (date::seconds(seconds), seconds),
        Value::DateTimeExtended(micros) => (date::micros(micros), micros),
        _ => return None,
    };
    Some(text.unwrap_or_else(|| format!("0x{number:016x}")))
}

/// Octets as hexadecimal digits, without a mark in front.
pub(crate) fn octets(bytes: &[u8]) -> Hex<'_> {
    Hex(bytes)
}
