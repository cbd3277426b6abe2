//! What a document is made of, in both encodings the same.

use std::fmt;

use bytes::Bytes;

use crate::{Space, Tag, Text};

/// A document is a sequence of these.
///
/// Opaque data is OPAQUE in WBXML and a CDATA section in XML. Namespaces, code pages, comments, processing
/// instructions, the DOCTYPE and the string table are not shown: the name says what they are for.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An element begins.
    Start(Start),
    /// The innermost element ends.
    End,
    /// Text.
    Text(Text),
    /// Octets, or text that was marked as such.
    Opaque(Bytes),
}

/// Of text and octets the length only: they may be secret.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(start) => start.fmt(f),
            Self::End => f.write_str("End"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Opaque(bytes) => write!(f, "Opaque({} bytes)", bytes.len()),
        }
    }
}

/// An element's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The element.
    pub name: Name,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
}

/// The name of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name {
    /// One that the tables have.
    Tag(Tag),
    /// One that they do not have.
    Other(Box<OtherName>),
    /// A token of WBXML without a name. It cannot be written as XML.
    Token {
        /// The code page.
        page: u8,
        /// The token.
        token: u8,
    },
}

impl Name {
    /// The tag, if the tables have the name.
    #[inline]
    pub const fn tag(&self) -> Option<Tag> {
        match self {
            Self::Tag(tag) => Some(*tag),
            Self::Other(_) | Self::Token { .. } => None,
        }
    }

    /// The vocabulary that the element belongs to, if it is one of ours.
    pub fn space(&self) -> Option<Space> {
        match self {
            Self::Tag(tag) => Some(tag.space()),
            Self::Other(name) => name.space,
            Self::Token { .. } => None,
        }
    }
}

/// The name without namespace; a token as `0:0x3F`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Other(name) => name
                .local
                .chars()
                .flat_map(char::escape_debug)
                .take(64)
                .try_for_each(|c| write!(f, "{c}")),
            Self::Token { page, token } => write!(f, "{page}:{token:#04X}"),
        }
    }
}

/// A name that the tables do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherName {
    /// The vocabulary whose namespace it is in, though it does not have the name.
    pub space: Option<Space>,
    /// Any other namespace; empty for none, and beside `space`.
    pub namespace: Text,
    /// The name without prefix.
    pub local: Text,
}

/// An attribute.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its namespace; mostly empty.
    pub namespace: Text,
    /// Its name without prefix.
    pub local: Text,
    /// Its value.
    pub value: Text,
}

/// Of the value the length only: it may be secret.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} bytes", self.local, self.value.len())
    }
}

/// A whole element as its events, from its start to its end: what is kept of elements that a structure does not know.
/// White space between elements is left out, text and opaque data in a row are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element(pub(crate) Vec<Event>);

impl Element {
    /// An element with text.
    pub fn new(name: Name, text: impl Into<Text>) -> Self {
        let text = text.into();
        let mut events = vec![Event::Start(Start { name, attributes: Vec::new() })];
        if !text.is_empty() {
            events.push(Event::Text(text));
        }
        events.push(Event::End);
        Self(events)
    }

    /// Its name.
    pub fn name(&self) -> Option<&Name> {
        match self.0.first() {
            Some(Event::Start(start)) => Some(&start.name),
            _ => None,
        }
    }

    /// Its events.
    pub fn events(&self) -> &[Event] {
        &self.0
    }
}

/// What a structure has beside its fields: unknown elements and attributes. Mostly nothing, and then it costs nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Others(pub(crate) Option<Box<Kept>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) elements: Vec<Other>,
}

/// An unknown element and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// How many known children of the structure stand before it; `usize::MAX`: all.
    pub after: usize,
    /// The element.
    pub element: Element,
}

impl Others {
    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The attributes.
    pub fn attributes(&self) -> &[Attribute] {
        self.0.as_ref().map_or(&[], |kept| &kept.attributes)
    }

    /// The unknown elements, in order.
    pub fn elements(&self) -> &[Other] {
        self.0.as_ref().map_or(&[], |kept| &kept.elements)
    }

    /// Adds an attribute.
    pub fn push_attribute(&mut self, attribute: Attribute) {
        self.0.get_or_insert_default().attributes.push(attribute);
    }

    /// Adds an element behind so many known children.
    pub fn push(&mut self, after: usize, element: Element) {
        let elements = &mut self.0.get_or_insert_default().elements;
        let at = elements.partition_point(|other| other.after <= after);
        elements.insert(at, Other { after, element });
    }

    pub(crate) fn set_attributes(&mut self, attributes: Vec<Attribute>) {
        if !attributes.is_empty() {
            self.0.get_or_insert_default().attributes = attributes;
        }
    }
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(kept) => kept.fmt(f),
            None => f.write_str("none"),
        }
    }
}
