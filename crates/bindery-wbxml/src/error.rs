//! What is wrong with a document, and where.

use std::fmt;

use crate::{Charset, Name, Version};

/// The longest element path that an error keeps; deeper levels are counted only.
const PATH: usize = 16;

/// The longest name in a path, in characters.
const NAME: usize = 64;

/// Why bytes are not a WBXML document: kind, offset, code page, token, the elements around it, and a remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    page: Option<(Space, u8)>,
    token: Option<u8>,
    path: Vec<String>,
    cut: usize,
}

/// A code space: tags and attributes have their own code pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Space {
    /// Tags and content.
    Tag,
    /// Attributes and their values.
    Attribute,
}

/// What is wrong. The numbers are bytes unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside this.
    Truncated {
        /// What was begun.
        what: &'static str,
    },
    /// A version byte that is none of 00 to 03.
    Version {
        /// The byte.
        found: u8,
    },
    /// A number (`mb_u_int32`) of more than five bytes or beyond 2^32 - 1.
    Number,
    /// A character set that this library does not read.
    Charset {
        /// Its MIBenum.
        number: u32,
        /// Its name, if it is a known one.
        name: Option<&'static str>,
    },
    /// The string table is longer than the rest of the document.
    StringTable {
        /// The length that the document says.
        length: u32,
        /// What is there.
        available: u64,
    },
    /// A reference beyond the string table.
    Reference {
        /// The reference.
        index: u32,
        /// The table's length.
        length: u32,
    },
    /// A string whose bytes are none of the document's character set.
    Encoding {
        /// The character set.
        charset: Charset,
    },
    /// An entity that is no Unicode scalar value.
    Entity {
        /// Its number.
        number: u32,
    },
    /// A token where the grammar has none such.
    Unexpected {
        /// What may stand there.
        expected: &'static str,
    },
    /// What the document's version does not have.
    Forbidden {
        /// What it is.
        what: &'static str,
        /// The document's version.
        version: Version,
        /// The first version that has it.
        since: Version,
    },
    /// A tag that says it has attributes and has none.
    NoAttributes,
    /// No document element.
    Empty,
    /// Bytes after the document.
    TrailingData {
        /// How many.
        count: u64,
    },
    /// More than a limit allows.
    Limit {
        /// Which limit.
        limit: Limit,
        /// Its value.
        maximum: u32,
    },
}

/// One of the limits of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Elements inside each other.
    Depth,
    /// Attributes of one element.
    Attributes,
    /// Events of the document.
    Events,
    /// Bytes of one string.
    TextLength,
    /// Bytes of one piece of opaque data.
    OpaqueLength,
    /// Bytes of the string table.
    StringTable,
    /// Bytes that references into the string table give.
    Expansion,
    /// Switches of the page in a row.
    PageSwitches,
}

impl Limit {
    /// The limit's field in [`Limits`](crate::Limits).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Attributes => "attributes",
            Self::Events => "events",
            Self::TextLength => "text_length",
            Self::OpaqueLength => "opaque_length",
            Self::StringTable => "string_table",
            Self::Expansion => "expansion",
            Self::PageSwitches => "page_switches",
        }
    }
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner { kind, offset, page: None, token: None, path: Vec::new(), cut: 0 }))
    }

    /// Adds the place in the body.
    #[cold]
    pub(crate) fn at(
        mut self,
        space: Space,
        page: u8,
        token: Option<u8>,
        open: &[Name<'_>],
    ) -> Self {
        self.0.page = Some((space, page));
        self.0.token = token;
        self.0.path = open.iter().take(PATH).map(shown).collect();
        self.0.cut = open.len().saturating_sub(PATH);
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where, in bytes from the start of the document: the token, field or reference at fault.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The code space and the code page in force there; `None` before the body.
    pub fn page(&self) -> Option<(Space, u8)> {
        self.0.page
    }

    /// The token at fault, if the fault is in the body and there is a byte.
    pub fn token(&self) -> Option<u8> {
        self.0.token
    }

    /// The names of the open elements, outermost first, at most 16; without a name as `page:token`.
    pub fn path(&self) -> &[String] {
        &self.0.path
    }

    /// What the sender or the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Truncated { .. } => "send the whole document; check Content-Length",
            ErrorKind::Version { .. } => "send WBXML 1.0 to 1.3; check that this is WBXML at all",
            ErrorKind::Number => "write a number in at most five bytes, below 2^32",
            ErrorKind::Charset { .. } => "send UTF-8 (MIBenum 106)",
            ErrorKind::StringTable { .. } => "the length counts the bytes of the table",
            ErrorKind::Reference { .. } => "refer to a byte of the string table",
            ErrorKind::Encoding { .. } => {
                "encode strings in the character set that the document names"
            }
            ErrorKind::Entity { .. } => "an entity is a Unicode character, no surrogate",
            ErrorKind::Unexpected { .. } => "check the encoder against the grammar",
            ErrorKind::Forbidden { .. } => {
                "raise the version in the first byte (tolerance version_rules)"
            }
            ErrorKind::NoAttributes => {
                "clear the attribute bit of the tag (tolerance empty_attributes)"
            }
            ErrorKind::Empty => "send a document element",
            ErrorKind::TrailingData { .. } => "send one document only (tolerance trailing_data)",
            ErrorKind::Limit { .. } => "send less, or raise the limit",
        }
    }
}

/// A name as a path shows it: a literal comes from the peer, so it is cut and its control characters are escaped.
fn shown(name: &Name<'_>) -> String {
    match name.as_str() {
        Some(text) => text.chars().flat_map(char::escape_debug).take(NAME).collect(),
        None => name.to_string(),
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { what } => write!(f, "the bytes end inside {what}"),
            Self::Version { found } => write!(f, "the version byte is {found:#04X}"),
            Self::Number => write!(f, "a number takes more than 32 bits"),
            Self::Charset { number, name: Some(name) } => {
                write!(f, "the character set is {name} (MIBenum {number})")
            }
            Self::Charset { number, name: None } => {
                write!(f, "the character set has the unknown MIBenum {number}")
            }
            Self::StringTable { length, available } => {
                write!(f, "the string table is {length} bytes long, {available} are there")
            }
            Self::Reference { index, length } => {
                write!(f, "a reference to byte {index} of a string table of {length}")
            }
            Self::Encoding { charset } => write!(f, "a string is not {charset}"),
            Self::Entity { number } => write!(f, "the entity {number:#X} is no character"),
            Self::Unexpected { expected } => write!(f, "expected {expected}"),
            Self::Forbidden { what, version, since } => {
                write!(f, "WBXML {version} has no {what}, {since} is the first that does")
            }
            Self::NoAttributes => write!(f, "the attribute list is empty"),
            Self::Empty => write!(f, "there is no document element"),
            Self::TrailingData { count } => write!(f, "{count} bytes follow the document"),
            Self::Limit { limit, maximum } => write!(f, "the limit {} is {maximum}", limit.name()),
        }
    }
}

/// `WBXML: at offset 40, tag page 1, token 0x13, SyncML/SyncBody: a string is not UTF-8; encode ...`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WBXML: at offset {}", self.0.offset)?;
        match self.0.page {
            Some((Space::Tag, page)) => write!(f, ", tag page {page}")?,
            Some((Space::Attribute, page)) => write!(f, ", attribute page {page}")?,
            None => {}
        }
        if let Some(token) = self.0.token {
            write!(f, ", token {token:#04X}")?;
        }
        for (i, name) in self.0.path.iter().enumerate() {
            write!(f, "{}{name}", if i == 0 { ", " } else { "/" })?;
        }
        if self.0.cut > 0 {
            write!(f, "/... ({} more)", self.0.cut)?;
        }
        write!(f, ": {}; {}", self.0.kind, self.remedy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("offset", &self.0.offset)
            .field("page", &self.0.page)
            .field("token", &self.0.token)
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}
