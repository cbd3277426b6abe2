//! Unique Identifier (KMIP 1.4, section 3.1; 2.1, section 4.58).

use std::fmt;

use bindery_ttlv::{
    Decode, Element, Encode, Error, ItemType, RawValue, Tag, Text, Writer,
    registry::UniqueIdentifierEnumeration,
};

/// What names an object: a text, and in requests of 2.x also another item of the same batch.
///
/// A short text is held in place ([`Text`]), so that a list of a thousand identifiers costs no
/// thousand allocations.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UniqueIdentifier {
    /// The name that the server gave; the only form in 1.x.
    Text(Text),
    /// The object of the latest item of an operation, or the ID Placeholder (2.x).
    Enumeration(UniqueIdentifierEnumeration),
    /// The n-th identifier that this batch's answers name, from 0 on; a negative number counts back
    /// from the last (2.x).
    Integer(i32),
    /// A type that no version has for it, as it stood.
    Other(Box<RawValue>),
}

impl UniqueIdentifier {
    /// The text, if it is one.
    #[inline]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

impl Decode for UniqueIdentifier {
    #[inline]
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        match element.item_type() {
            ItemType::TextString => element.text().map(Self::Text),
            ItemType::Enumeration => element.decode().map(Self::Enumeration),
            ItemType::Integer => element.integer().map(Self::Integer),
            _ => element.raw().map(Box::new).map(Self::Other),
        }
    }
}

impl Encode for UniqueIdentifier {
    #[inline]
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Text(text) => text.encode(tag, writer),
            Self::Enumeration(value) => value.encode(tag, writer),
            Self::Integer(place) => place.encode(tag, writer),
            Self::Other(value) => value.encode(tag, writer),
        }
    }
}

/// The text as it is; other forms as they are said in words.
impl fmt::Display for UniqueIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Display::fmt(text, f),
            Self::Enumeration(value) => fmt::Display::fmt(value, f),
            Self::Integer(place) => fmt::Display::fmt(place, f),
            Self::Other(value) => fmt::Debug::fmt(value, f),
        }
    }
}

impl fmt::Debug for UniqueIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Enumeration(value) => fmt::Debug::fmt(value, f),
            Self::Integer(place) => fmt::Debug::fmt(place, f),
            Self::Other(value) => fmt::Debug::fmt(value, f),
        }
    }
}

impl PartialEq<str> for UniqueIdentifier {
    fn eq(&self, other: &str) -> bool {
        self.as_text() == Some(other)
    }
}

impl PartialEq<&str> for UniqueIdentifier {
    fn eq(&self, other: &&str) -> bool {
        self.as_text() == Some(*other)
    }
}

impl PartialEq<Text> for UniqueIdentifier {
    fn eq(&self, other: &Text) -> bool {
        self.as_text() == Some(other.as_str())
    }
}

impl From<Text> for UniqueIdentifier {
    #[inline]
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for UniqueIdentifier {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for UniqueIdentifier {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<UniqueIdentifierEnumeration> for UniqueIdentifier {
    fn from(value: UniqueIdentifierEnumeration) -> Self {
        Self::Enumeration(value)
    }
}

impl From<i32> for UniqueIdentifier {
    fn from(place: i32) -> Self {
        Self::Integer(place)
    }
}
