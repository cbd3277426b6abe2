//! Tags and item types: the first four bytes of an item.

use std::fmt;

use crate::{Item, Value};

/// A tag: what an item means. 24 bits, big endian on the wire (KMIP 1.4, section 9.1.1.1).
///
/// The registry's tags are associated constants, `Tag::UNIQUE_IDENTIFIER` and so on. Any other value survives a round
/// trip; its [`name`](Self::name) is then `None`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(crate) u32);

impl Tag {
    /// A tag from its value, if that fits 24 bits.
    #[inline]
    pub const fn new(value: u32) -> Option<Self> {
        if value <= 0xFF_FFFF { Some(Self(value)) } else { None }
    }

    /// A tag from the low 24 bits of `value`, for constants: `const MINE: Tag = Tag::from_low_bits(0x540001);`
    #[inline]
    pub const fn from_low_bits(value: u32) -> Self {
        Self(value & 0xFF_FFFF)
    }

    /// The value, below 2^24.
    #[inline]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether the tag is a vendor's: 540000 to 54FFFF.
    #[inline]
    pub const fn is_extension(self) -> bool {
        self.0 >> 16 == 0x54
    }

    /// Whether the specification allows the value at all: 42xxxx, or 54xxxx for a vendor's extension.
    #[inline]
    pub const fn is_allowed(self) -> bool {
        // 0x42 and 0x54 are the two values that a range check cannot join.
        matches!(self.0 >> 16, 0x42 | 0x54)
    }
}

/// The CamelCase name, or `0x` and six hexadecimal digits.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("{:#08X}", self.0).replace("0X", "0x")),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The type of an item's value, the fourth byte (KMIP 1.4, section 9.1.1.2; Date-Time Extended: 2.0, section 10.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum ItemType {
    /// 01: items, one after the other.
    Structure = 0x01,
    /// 02: a signed 32-bit number.
    Integer = 0x02,
    /// 03: a signed 64-bit number.
    LongInteger = 0x03,
    /// 04: a two's complement number of a multiple of eight bytes.
    BigInteger = 0x04,
    /// 05: an unsigned 32-bit code.
    Enumeration = 0x05,
    /// 06: eight bytes, 0 or 1.
    Boolean = 0x06,
    /// 07: UTF-8.
    TextString = 0x07,
    /// 08: bytes.
    ByteString = 0x08,
    /// 09: signed 64-bit POSIX seconds.
    DateTime = 0x09,
    /// 0A: unsigned 32-bit seconds.
    Interval = 0x0A,
    /// 0B: signed 64-bit POSIX microseconds; KMIP 2.0 and later.
    DateTimeExtended = 0x0B,
}

impl ItemType {
    /// Every item type, by code.
    pub const ALL: [Self; 11] = [
        Self::Structure,
        Self::Integer,
        Self::LongInteger,
        Self::BigInteger,
        Self::Enumeration,
        Self::Boolean,
        Self::TextString,
        Self::ByteString,
        Self::DateTime,
        Self::Interval,
        Self::DateTimeExtended,
    ];

    /// The type of a code on the wire.
    #[inline]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x01 => Self::Structure,
            0x02 => Self::Integer,
            0x03 => Self::LongInteger,
            0x04 => Self::BigInteger,
            0x05 => Self::Enumeration,
            0x06 => Self::Boolean,
            0x07 => Self::TextString,
            0x08 => Self::ByteString,
            0x09 => Self::DateTime,
            0x0A => Self::Interval,
            0x0B => Self::DateTimeExtended,
            _ => return None,
        })
    }

    /// The code on the wire.
    #[inline]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The specification's name, such as `Text String`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "Long Integer",
            Self::BigInteger => "Big Integer",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "Text String",
            Self::ByteString => "Byte String",
            Self::DateTime => "Date-Time",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "Date-Time Extended",
        }
    }
}

/// The specification's name.
impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The attribute that an Attribute Value behind this item belongs to (KMIP 1.x: Attribute Name, Attribute Index,
/// Attribute Value).
pub(crate) fn named_attribute(item: &Item<'_>, before: Option<Tag>) -> Option<Tag> {
    match (item.tag, item.value) {
        (Tag::ATTRIBUTE_NAME, Value::TextString(name)) => Tag::from_title(name),
        (Tag::ATTRIBUTE_INDEX, _) => before,
        _ => None,
    }
}
