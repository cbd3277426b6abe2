//! Content blocks.

use bindery_xml::{Event, Fragment, Inside};

use super::ContentBinding;
use crate::dialect::Dialect;
use crate::error::WriteFault;
use crate::node::{Held, Item, Node, Value as _, one, opt};
use crate::registry::Field;
use crate::timestamp::Timestamp;
use crate::walker::STIX;

/// A content block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentBlock<'a> {
    /// What the content is, with at most one subtype (1.1). The draft says it once for the whole message.
    pub binding: ContentBinding,
    /// The content, untouched.
    pub content: Content<'a>,
    /// `Timestamp_Label`.
    pub timestamp_label: Option<Timestamp>,
    /// A message for people (1.1).
    pub message: Option<String>,
    /// `Padding`: what has no meaning.
    pub padding: Option<String>,
    /// The signature over the block, untouched.
    pub signature: Option<Fragment<'a>>,
}

/// The content of a block as it stands in the document, with the namespaces in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// What stands inside `Content`: text and elements in any mixture (1.0, 1.1).
    Inside(Inside<'a>),
    /// A `STIX` element (draft). The writer puts it into `Content` for the other dialects.
    Element(Fragment<'a>),
}

impl Content<'_> {
    /// Its characters as they stand in the document.
    pub fn raw(&self) -> &str {
        match self {
            Self::Inside(inside) => inside.raw(),
            Self::Element(element) => element.raw(),
        }
    }

    /// Whether the draft can carry it: one element `STIX` of its namespace.
    pub fn is_draft_stix(&self) -> bool {
        let Self::Element(element) = self else { return false };
        let mut reader = element.reader(&bindery_xml::Options::STRICT);
        matches!(reader.next_event(), Ok(Some(Event::Start(start))) if start.name().is(STIX, "STIX"))
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Content<'static> {
        match self {
            Self::Inside(inside) => Content::Inside(inside.into_owned()),
            Self::Element(element) => Content::Element(element.into_owned()),
        }
    }
}

impl<'a> ContentBlock<'a> {
    /// A block of a binding and content, and nothing else.
    pub fn new(binding: ContentBinding, content: Content<'a>) -> Self {
        let (timestamp_label, message, padding, signature) = (None, None, None, None);
        Self { binding, content, timestamp_label, message, padding, signature }
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> ContentBlock<'static> {
        ContentBlock {
            binding: self.binding,
            content: self.content.into_owned(),
            timestamp_label: self.timestamp_label,
            message: self.message,
            padding: self.padding,
            signature: self.signature.map(Fragment::into_owned),
        }
    }

    /// Reads a block; that of the draft has the binding of its message.
    pub(crate) fn read(item: Item<'a>, binding: Option<&str>, d: Dialect) -> Option<Self> {
        let mut node = match item {
            Item::Node(node) => node,
            Item::Element(element) => {
                let binding = ContentBinding::new(binding.unwrap_or_default());
                return Some(Self::new(binding, Content::Element(element.into_value())));
            }
            Item::Text(_) | Item::Inside(_) => return None,
        };
        let content = match node.take(Field::Content)? {
            Item::Node(mut content) => match content.take(Field::Inside)? {
                Item::Inside(inside) => Content::Inside(inside.into_value()),
                Item::Text(_) | Item::Node(_) | Item::Element(_) => return None,
            },
            Item::Text(_) | Item::Inside(_) | Item::Element(_) => return None,
        };
        let signature = match node.take(Field::Signature) {
            Some(Item::Element(element)) => Some(element.into_value()),
            _ => None,
        };
        Some(Self {
            binding: one::take(&mut node, Field::ContentBinding, d)?,
            content,
            timestamp_label: opt::take(&mut node, Field::TimestampLabel, d)?,
            message: opt::take(&mut node, Field::Message, d)?,
            padding: opt::take(&mut node, Field::Padding, d)?,
            signature,
        })
    }

    /// The block as a node; for the draft it is an element, and the binding that of the message.
    pub(crate) fn write(&self, binding: Option<&str>, d: Dialect) -> Result<Item<'_>, WriteFault> {
        if d == Dialect::Draft {
            let expected = "blocks with the message's content binding and one STIX element only";
            let bare = Self::new(self.binding.clone(), self.content.clone()) == *self;
            return match &self.content {
                Content::Element(element)
                    if bare
                        && binding == Some(&self.binding.id)
                        && self.content.is_draft_stix() =>
                {
                    Ok(Item::Element(Held::Written(element)))
                }
                Content::Element(_) | Content::Inside(_) => Err(WriteFault::Block { expected }),
            };
        }
        let mut node = Node::default();
        let binding = match (d, self.binding.subtypes.as_slice()) {
            (Dialect::V1_1, [] | [_]) => Item::Node(self.binding.write_node(d)?),
            (_, []) => self.binding.write(d)?,
            _ => {
                return Err(WriteFault::Block { expected: "at most one subtype, and none in 1.0" });
            }
        };
        node.push(Field::ContentBinding, binding);
        let mut content = Node::default();
        content.push(
            Field::Inside,
            match &self.content {
                Content::Inside(inside) => Item::Inside(Held::Written(inside)),
                Content::Element(element) => Item::Element(Held::Written(element)),
            },
        );
        node.push(Field::Content, Item::Node(content));
        opt::put(&self.timestamp_label, &mut node, Field::TimestampLabel, d)?;
        opt::put(&self.message, &mut node, Field::Message, d)?;
        opt::put(&self.padding, &mut node, Field::Padding, d)?;
        if let Some(signature) = &self.signature {
            node.push(Field::Signature, Item::Element(Held::Written(signature)));
        }
        Ok(Item::Node(node))
    }
}
