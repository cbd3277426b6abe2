//! Data, and what is said about it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::macros::{field_read, field_rule, field_type, field_write, structure};
use crate::{Attribute, DevInf, Event, MgmtTree, Text};

/// Data: content, and attributes where a peer has them (Windows says `msft:originalerror`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The content.
    pub content: Content,
    /// Its attributes; none in SyncML itself.
    pub attributes: Vec<Attribute>,
}

impl Data {
    /// Text, also of opaque data that is text. `None` for other octets and for elements.
    pub fn as_str(&self) -> Option<&str> {
        self.content.as_str()
    }
}

impl<T: Into<Content>> From<T> for Data {
    fn from(content: T) -> Self {
        Self { content: content.into(), attributes: Vec::new() }
    }
}

/// What Data holds. Text and opaque data are kept apart: in SyncML the difference carries meaning.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Text; mostly what it is. Empty text stands for no content at all.
    Text(Text),
    /// Octets: OPAQUE in WBXML, a CDATA section in XML, which takes only text.
    Opaque(Bytes),
    /// Meta information, such as the anchors in the status of an alert.
    Meta(Box<Meta>),
    /// A DevInf document: elements in XML, a document of its own in WBXML.
    DevInf(Box<DevInf>),
    /// A management tree of the device description framework.
    MgmtTree(Box<MgmtTree>),
    /// Other elements, or elements with text between them.
    Elements(Vec<Event>),
}

impl Content {
    /// Text, also of opaque data that is text. `None` for other octets and for elements.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Opaque(octets) => std::str::from_utf8(octets).ok(),
            _ => None,
        }
    }

    /// The octets that text or opaque data stands for under a Format: text is decoded from base64 if it is `b64`, and
    /// stands for its own octets otherwise; opaque data is never decoded. `None` for elements, and for what is no
    /// base64.
    pub fn octets(&self, format: Option<&str>) -> Option<Bytes> {
        match self {
            Self::Text(text) if format == Some("b64") => {
                let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                STANDARD.decode(digits).ok().map(Bytes::from)
            }
            Self::Text(text) => Some(text.to_bytes()),
            Self::Opaque(octets) => Some(octets.clone()),
            _ => None,
        }
    }

    /// Octets as text in base64, for Format `b64`: the form that both encodings can carry.
    pub fn base64(octets: &[u8]) -> Self {
        Self::Text(STANDARD.encode(octets).into())
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

impl From<Text> for Content {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<crate::StatusCode> for Content {
    fn from(code: crate::StatusCode) -> Self {
        Self::Text(code.into())
    }
}

impl From<crate::AlertCode> for Content {
    fn from(code: crate::AlertCode) -> Self {
        Self::Text(code.into())
    }
}

impl From<Bytes> for Content {
    fn from(octets: Bytes) -> Self {
        Self::Opaque(octets)
    }
}

/// Of text and octets the length only: they may be secret.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Opaque(octets) => write!(f, "Opaque({} bytes)", octets.len()),
            Self::Meta(meta) => meta.fmt(f),
            Self::DevInf(devinf) => devinf.fmt(f),
            Self::MgmtTree(tree) => tree.fmt(f),
            Self::Elements(events) => events.fmt(f),
        }
    }
}

structure! {
    /// Meta: meta information, the elements of `syncml:metinf` (MetInf 1.2).
    Meta = META {
        /// How the data is encoded or what type the value has: `b64`, `chr`, `int`, `node`, `bool`, `xml`, `bin`.
        opt format: text = FORMAT,
        /// A media type, or the kind of an alert, or the scheme of credentials.
        opt kind: text = TYPE,
        /// How urgent or final an alert is; what is deleted.
        opt mark: text = MARK,
        /// Bytes of the whole object; in its first piece.
        opt size: number = SIZE,
        /// Synchronization anchors.
        boxed anchor: [Anchor] = ANCHOR,
        /// The version of the data.
        opt version: text = VERSION,
        /// The nonce for the next digest: base64 text, or raw octets.
        opt next_nonce: content = NEXT_NONCE,
        /// Bytes of the longest message that the sender takes.
        opt max_msg_size: number = MAX_MSG_SIZE,
        /// Bytes of the largest object that the sender takes.
        opt max_obj_size: number = MAX_OBJ_SIZE,
        /// Experimental information.
        many emi: text = EMI,
        /// Free memory.
        boxed mem: [Mem] = MEM,
        /// The data has only some of the fields.
        opt field_level: flag = FIELD_LEVEL,
    }
}

structure! {
    /// Anchor: what the two sides remember of their last synchronization.
    Anchor = ANCHOR {
        /// Of the last one.
        opt last: text = LAST,
        /// Of this one.
        one next: text = NEXT,
    }
}

structure! {
    /// Mem: free memory of a data store.
    Mem = MEM {
        /// The memory is shared between data stores.
        opt shared_mem: flag = SHARED_MEM,
        /// Free bytes.
        opt free_mem: number = FREE_MEM,
        /// Free item identifiers.
        opt free_id: number = FREE_ID,
    }
}
