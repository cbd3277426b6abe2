//! What is wrong with a message, and where.

use std::fmt;

use crate::{ItemType, ProtocolVersion, Tag, header};

/// The longest tag path that an error keeps; deeper levels are counted only.
const PATH: usize = 16;

/// Why bytes are not the message that was expected: kind, offset, tag path and a remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    path: Vec<Tag>,
    cut: usize,
}

/// What is wrong. The numbers are bytes unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside an item.
    Truncated {
        /// What the item needs from its first byte on.
        needed: u64,
        /// What is there.
        available: u64,
    },
    /// An item is longer than what is left of the structure that it stands in.
    Overrun {
        /// What the item needs from its first byte on.
        needed: u64,
        /// What is left of the structure.
        available: u64,
    },
    /// A length that the item's type does not allow.
    Length {
        /// The item's type.
        item_type: ItemType,
        /// The length field.
        found: u32,
    },
    /// A type code that is none of 01 to 0B.
    TypeCode {
        /// The code.
        found: u8,
    },
    /// A tag outside 42xxxx and 54xxxx.
    TagRange {
        /// The tag.
        found: Tag,
    },
    /// A padding byte that is not zero.
    Padding,
    /// A Boolean that is neither 0 nor 1.
    Boolean {
        /// Its eight bytes.
        found: u64,
    },
    /// A Text String that is not UTF-8.
    Utf8,
    /// An item of another type than its field has.
    UnexpectedType {
        /// The field's type.
        expected: ItemType,
        /// The item's type.
        found: ItemType,
    },
    /// An item with another tag than the only one allowed there.
    UnexpectedTag {
        /// The only tag allowed.
        expected: Tag,
        /// The item's tag.
        found: Tag,
    },
    /// A structure without a field that it must have.
    MissingField {
        /// The field's tag.
        tag: Tag,
    },
    /// A structure without a field that may have one of several tags.
    MissingChoice {
        /// The tags.
        tags: &'static [Tag],
    },
    /// A structure with a field that it does not have.
    UnexpectedField {
        /// The field's tag.
        tag: Tag,
    },
    /// A field twice that may stand once.
    DuplicateField {
        /// The field's tag.
        tag: Tag,
    },
    /// A field behind one that it must precede.
    FieldOrder {
        /// The field's tag.
        tag: Tag,
    },
    /// Bytes after the end of the message.
    TrailingData {
        /// How many.
        count: u64,
    },
    /// More than a limit allows.
    Limit {
        /// Which limit.
        limit: Limit,
        /// Its value.
        maximum: u64,
    },
    /// A tag, an enumeration value, a mask bit or a structure's field that the message's version does not have
    /// ([`check_version`](crate::check_version)).
    Version {
        /// The item's tag.
        tag: Tag,
        /// The value or bit at fault; `None` when it is the tag.
        value: Option<u32>,
        /// The structure, when the version has the tag, and not as a field of it.
        within: Option<Tag>,
        /// The first version that has it.
        since: ProtocolVersion,
        /// The last one.
        until: ProtocolVersion,
        /// The message's version.
        version: ProtocolVersion,
    },
    /// A value that its type can carry but its field cannot: a sentence from the field's own decoder.
    Value {
        /// What was expected.
        expected: &'static str,
    },
}

/// One of the limits of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of the message.
    MessageLength,
    /// Structures inside each other.
    Depth,
    /// Items of the message.
    Items,
    /// Bytes of a Text String.
    TextLength,
    /// Bytes of a Byte String or Big Integer.
    BytesLength,
}

impl Limit {
    /// The limit's field in [`Limits`](crate::Limits).
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageLength => "message_length",
            Self::Depth => "depth",
            Self::Items => "items",
            Self::TextLength => "text_length",
            Self::BytesLength => "bytes_length",
        }
    }
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner { kind, offset, path: Vec::new(), cut: 0 }))
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where, in bytes from the start of the message: the item (or its value, its padding) at fault, or the structure
    /// that lacks a field.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The tags from the message down to the fault, at most 16. Empty before [`locate`](Self::locate), which the
    /// typed decoders call themselves.
    pub fn path(&self) -> &[Tag] {
        &self.0.path
    }

    /// Fills in the [`path`](Self::path) by one walk from the start of the message to the offset. It takes time in
    /// proportion to the items before the offset, so call it once, for an error that is shown.
    #[must_use]
    #[cold]
    pub fn locate(mut self, message: &[u8]) -> Self {
        if self.0.path.is_empty() {
            let (path, cut) = path_to(message, self.0.offset);
            self.0.path = path;
            self.0.cut = cut;
        }
        self
    }

    /// What the sender or the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Truncated { .. } => "send the whole message; check Content-Length",
            ErrorKind::Overrun { .. } => "the lengths of the structure and of its items must agree",
            ErrorKind::Length { item_type, .. } => length_rule(item_type),
            ErrorKind::TypeCode { .. } => "KMIP 1.0 to 2.1 has the item types 01 to 0B",
            ErrorKind::TagRange { .. } => {
                "tags begin with 42, a vendor's with 54 (tolerance tag_ranges)"
            }
            ErrorKind::Padding => {
                "fill up to a multiple of eight with zero bytes (tolerance dirty_padding)"
            }
            ErrorKind::Boolean { .. } => "write 0 or 1 in eight bytes (tolerance boolean_values)",
            ErrorKind::Utf8 => "encode text in UTF-8",
            ErrorKind::UnexpectedType { .. } => {
                "send the field in the type that the specification gives it"
            }
            ErrorKind::UnexpectedTag { .. } => "check that this is the message that belongs here",
            ErrorKind::MissingField { .. } | ErrorKind::MissingChoice { .. } => "add the field",
            ErrorKind::UnexpectedField { .. } => "leave the field out (tolerance extra_fields)",
            ErrorKind::DuplicateField { .. } => "send the field once",
            ErrorKind::FieldOrder { .. } => {
                "send the fields in the specification's order (tolerance field_order)"
            }
            ErrorKind::TrailingData { .. } => "send one message only; check its outer length",
            ErrorKind::Limit { .. } => "send less, or raise the limit",
            ErrorKind::Version { .. } => {
                "leave it out, or speak a version that has it (Discover Versions tells; tolerance other_versions)"
            }
            ErrorKind::Value { .. } => "send a value that the field allows",
        }
    }
}

const fn length_rule(item_type: ItemType) -> &'static str {
    match item_type {
        ItemType::Structure => "a structure's length is the sum of its items, a multiple of eight",
        ItemType::Integer | ItemType::Enumeration | ItemType::Interval => {
            "the length of this type is 4"
        }
        ItemType::LongInteger
        | ItemType::Boolean
        | ItemType::DateTime
        | ItemType::DateTimeExtended => "the length of this type is 8",
        ItemType::BigInteger => {
            "extend the number by its sign to a multiple of eight bytes, at least eight"
        }
        ItemType::TextString | ItemType::ByteString => {
            "the length counts the bytes without padding"
        }
    }
}

/// The tags of the items around `offset`, outermost first, and how many more there are.
fn path_to(message: &[u8], offset: usize) -> (Vec<Tag>, usize) {
    let mut path = Vec::new();
    let mut cut = 0;
    let mut position = 0;
    while let Some((tag, code, length)) = header::peek(message, position) {
        let end = position.saturating_add(8).saturating_add(header::padded(length));
        if end <= offset && end > position {
            position = end;
            continue;
        }
        if path.len() < PATH {
            path.push(tag);
        } else {
            cut += 1;
        }
        if code != ItemType::Structure.code() || offset < position.saturating_add(8) {
            break;
        }
        position += 8;
    }
    (path, cut)
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { needed, available } => {
                write!(f, "the item needs {needed} bytes and the message ends after {available}")
            }
            Self::Overrun { needed, available } => {
                write!(f, "the item needs {needed} bytes and its structure has {available} left")
            }
            Self::Length { item_type, found } => {
                write!(f, "a length of {found} is wrong for {item_type}")
            }
            Self::TypeCode { found } => write!(f, "{found:02X} is no item type"),
            Self::TagRange { found } => {
                write!(f, "the tag {:06X} is in no range of tags", found.value())
            }
            Self::Padding => write!(f, "a padding byte is not zero"),
            Self::Boolean { found } => write!(f, "expected a Boolean, found {found:016X}"),
            Self::Utf8 => write!(f, "the Text String is not UTF-8"),
            Self::UnexpectedType { expected, found } => {
                write!(f, "expected {expected}, found {found}")
            }
            Self::UnexpectedTag { expected, found } => {
                write!(f, "expected {expected}, found {found}")
            }
            Self::MissingField { tag } => write!(f, "the field {tag} is missing"),
            Self::MissingChoice { tags } => {
                for (i, tag) in tags.iter().enumerate() {
                    write!(f, "{}{tag}", if i == 0 { "one field of " } else { ", " })?;
                }
                write!(f, " is missing")
            }
            Self::UnexpectedField { tag } => write!(f, "the structure has no field {tag}"),
            Self::DuplicateField { tag } => write!(f, "the field {tag} stands there twice"),
            Self::FieldOrder { tag } => write!(f, "the field {tag} stands too late"),
            Self::TrailingData { count } => write!(f, "{count} bytes follow the message"),
            Self::Limit { limit, maximum } => write!(f, "the limit {} is {maximum}", limit.name()),
            Self::Version { tag, value, within, since, until, version } => {
                write!(f, "KMIP {version} has no {tag}")?;
                if let Some(value) = value {
                    write!(f, " {value:08X}")?;
                }
                if let Some(structure) = within {
                    write!(f, " in this {structure}")?;
                }
                write!(f, "; KMIP {since} to {until} have")
            }
            Self::Value { expected } => write!(f, "expected {expected}"),
        }
    }
}

/// `TTLV: at offset 40, RequestMessage/BatchItem/Operation: expected Enumeration, found Text String; send ...`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TTLV: at offset {}", self.0.offset)?;
        for (i, tag) in self.0.path.iter().enumerate() {
            write!(f, "{}{tag}", if i == 0 { ", " } else { "/" })?;
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
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}
