//! The specifications' tables: tags, enumerations, bit masks, with the version in which each row appeared.
//!
//! Every enumeration is a newtype over its number with a constant per row, so a value without a row survives decoding
//! and encoding. Look-ups are by table and binary search; there is no global state. The tables come from
//! `registry/*.csv` by `cargo xtask codegen`.

mod enumerations;
pub(crate) mod fields;
mod tags;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::enumerations::*;
use crate::{ProtocolVersion, Tag};

/// One row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    value: u32,
    name: &'static str,
    title: &'static str,
    since: (u8, u8),
    until: (u8, u8),
}

impl Row {
    const fn new(
        value: u32,
        name: &'static str,
        title: &'static str,
        since: (u8, u8),
        until: (u8, u8),
    ) -> Self {
        Self { value, name, title, since, until }
    }

    /// The number on the wire.
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// The normalised (CamelCase) name, as the XML and JSON forms write it: `X_509CertificateIssuer`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name as the specification's text writes it: `X.509 Certificate Issuer`.
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// The first version whose tables list the row.
    pub const fn since(&self) -> ProtocolVersion {
        ProtocolVersion::new(self.since.0 as i32, self.since.1 as i32)
    }

    /// The newest version (of 1.0 to 3.0) whose tables list the row.
    pub const fn until(&self) -> ProtocolVersion {
        ProtocolVersion::new(self.until.0 as i32, self.until.1 as i32)
    }
}

/// A field that its structure does not have in every version that has both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldRow {
    structure: Tag,
    /// The operation that a payload is of; 0 for other structures.
    operation: u32,
    field: Tag,
    since: (u8, u8),
    until: (u8, u8),
}

impl FieldRow {
    const fn new(
        structure: Tag,
        operation: u32,
        field: Tag,
        since: (u8, u8),
        until: (u8, u8),
    ) -> Self {
        Self { structure, operation, field, since, until }
    }

    const fn key(&self) -> (Tag, u32, Tag) {
        (self.structure, self.operation, self.field)
    }

    /// The first version that has the field there.
    pub(crate) const fn since(&self) -> ProtocolVersion {
        ProtocolVersion::new(self.since.0 as i32, self.since.1 as i32)
    }

    /// The newest version (of 1.0 to 3.0) that has.
    pub(crate) const fn until(&self) -> ProtocolVersion {
        ProtocolVersion::new(self.until.0 as i32, self.until.1 as i32)
    }
}

/// One enumeration or bit mask as data, for printing and for the forms that write names.
#[derive(Debug)]
pub struct Enumeration {
    name: &'static str,
    mask: bool,
    rows: &'static [Row],
    by_name: &'static [u16],
}

impl Enumeration {
    /// The CamelCase name of the enumeration, such as `ObjectType`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is a bit mask: an Integer on the wire, each row one bit.
    pub const fn is_mask(&self) -> bool {
        self.mask
    }

    /// Every row, by value.
    pub const fn rows(&self) -> &'static [Row] {
        self.rows
    }

    /// The row of a value (of one bit, for a mask).
    pub fn row(&self, value: u32) -> Option<&'static Row> {
        by_value(self.rows, value)
    }

    /// The row with this normalised name; capitals count.
    pub fn row_by_name(&self, name: &str) -> Option<&'static Row> {
        by_key(self.rows, self.by_name, name, |row| row.name)
    }
}

fn by_value(rows: &'static [Row], value: u32) -> Option<&'static Row> {
    rows.binary_search_by_key(&value, |row| row.value).ok().and_then(|at| rows.get(at))
}

fn by_key(
    rows: &'static [Row],
    order: &[u16],
    key: &str,
    of: impl Fn(&Row) -> &'static str,
) -> Option<&'static Row> {
    let row = |at: &u16| rows.get(usize::from(*at));
    let at = order.binary_search_by(|at| row(at).map_or("", &of).cmp(key)).ok()?;
    order.get(at).and_then(row)
}

impl Tag {
    /// Every tag of the registry, by value.
    pub fn rows() -> &'static [Row] {
        &tags::ROWS
    }

    /// The tag's row, if the registry has it.
    pub fn row(self) -> Option<&'static Row> {
        by_value(&tags::ROWS, self.value())
    }

    /// The normalised (CamelCase) name, such as `UniqueIdentifier`.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(Row::name)
    }

    /// The name as the specification's text writes it, such as `Unique Identifier`; an attribute's tag has the
    /// attribute's name of KMIP 1.x here.
    pub fn title(self) -> Option<&'static str> {
        self.row().map(Row::title)
    }

    /// The version in which the tag appeared.
    pub fn since(self) -> Option<ProtocolVersion> {
        self.row().map(Row::since)
    }

    /// The tag with this normalised name; capitals count.
    pub fn from_name(name: &str) -> Option<Self> {
        by_key(&tags::ROWS, &tags::BY_NAME, name, |row| row.name).map(|row| Self(row.value))
    }

    /// The tag with this name as the specification's text writes it (`Cryptographic Algorithm`); capitals count.
    pub fn from_title(title: &str) -> Option<Self> {
        by_key(&tags::ROWS, &tags::BY_TITLE, title, |row| row.title).map(|row| Self(row.value))
    }

    /// The enumeration or bit mask that the value of this tag belongs to.
    pub fn enumeration(self) -> Option<&'static Enumeration> {
        let table = &tags::ENUMERATIONS;
        let at = table.binary_search_by_key(&self, |(tag, _)| *tag).ok()?;
        table.get(at).map(|(_, enumeration)| *enumeration)
    }
}

/// What an enumeration and a mask have in common: the constants and the look-ups.
macro_rules! common {
    ($type:ident, $name:literal, $mask:literal, [$($tag:ident)?], [$($order:literal),*],
     $($(#[$doc:meta])* $row:ident = $value:literal, $camel:literal, $title:literal, $since:expr, $until:expr;)*) => {
        impl $type {
            $($(#[$doc])* pub const $row: Self = Self($value);)*

            /// The table of this type.
            pub const REGISTRY: &'static $crate::registry::Enumeration = {
                static ROWS: &[$crate::registry::Row] =
                    &[$($crate::registry::Row::new($value, $camel, $title, $since, $until)),*];
                static REGISTRY: $crate::registry::Enumeration = $crate::registry::Enumeration {
                    name: $name,
                    mask: $mask,
                    rows: ROWS,
                    by_name: &[$($order),*],
                };
                &REGISTRY
            };
        }

        $(impl $crate::Tagged for $type {
            const TAG: $crate::Tag = $crate::Tag::$tag;
        })?
    };
}

macro_rules! enumeration {
    ($(#[$about:meta])* $type:ident $name:literal [$($tag:ident)?] by_name [$($order:literal),*] $($rows:tt)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u32);

        $crate::registry::common!($type, $name, false, [$($tag)?], [$($order),*], $($rows)*);

        impl $type {
            /// The table's row of this value.
            pub fn row(self) -> Option<&'static $crate::registry::Row> {
                Self::REGISTRY.row(self.0)
            }

            /// The normalised (CamelCase) name, if the table has the value.
            pub fn name(self) -> Option<&'static str> {
                self.row().map($crate::registry::Row::name)
            }

            /// The value with this normalised (CamelCase) name; capitals count.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::REGISTRY.row_by_name(name).map(|row| Self(row.value()))
            }

            /// The version in which the value appeared, if the table has it.
            pub fn since(self) -> Option<$crate::ProtocolVersion> {
                self.row().map($crate::registry::Row::since)
            }

            /// Whether the value is a vendor's extension: 8XXXXXXX.
            pub const fn is_extension(self) -> bool {
                self.0 >> 28 == 8
            }
        }

        /// The name, or the number in hexadecimal.
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, "0x{:08X}", self.0),
                }
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::Decode for $type {
            #[inline]
            fn decode(element: $crate::Element<'_>) -> Result<Self, $crate::Error> {
                element.enumeration().map(Self)
            }
        }

        impl $crate::Encode for $type {
            #[inline]
            fn encode(&self, tag: $crate::Tag, writer: &mut $crate::Writer<'_>) {
                writer.enumeration(tag, self.0);
            }
        }
    };
}

macro_rules! mask {
    ($(#[$about:meta])* $type:ident $name:literal [$($tag:ident)?] by_name [$($order:literal),*] $($rows:tt)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub i32);

        $crate::registry::common!($type, $name, true, [$($tag)?], [$($order),*], $($rows)*);

        impl $type {
            /// The bit with this normalised (CamelCase) name; capitals count.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::REGISTRY.row_by_name(name).map(|row| Self(row.value().cast_signed()))
            }

            /// No bit.
            pub const fn empty() -> Self {
                Self(0)
            }

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether every bit of `other` is set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether some bit of `other` is set.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The rows whose bits are set, lowest bit first. Bits without a row are not among them.
            pub fn rows(self) -> impl Iterator<Item = &'static $crate::registry::Row> {
                Self::REGISTRY.rows().iter().filter(move |row| self.0.cast_unsigned() & row.value() != 0)
            }
        }

        $crate::registry::bit_operators!($type);

        /// The names of the bits joined by `|`, then what has no name in hexadecimal.
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::registry::write_mask(Self::REGISTRY, self.0.cast_unsigned(), f)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::Decode for $type {
            #[inline]
            fn decode(element: $crate::Element<'_>) -> Result<Self, $crate::Error> {
                element.integer().map(Self)
            }
        }

        impl $crate::Encode for $type {
            #[inline]
            fn encode(&self, tag: $crate::Tag, writer: &mut $crate::Writer<'_>) {
                writer.integer(tag, self.0);
            }
        }
    };
}

macro_rules! bit_operators {
    ($type:ident) => {
        impl std::ops::BitOr for $type {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl std::ops::BitOrAssign for $type {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }

        impl std::ops::BitAnd for $type {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl std::ops::Not for $type {
            type Output = Self;
            fn not(self) -> Self {
                Self(!self.0)
            }
        }
    };
}

use {bit_operators, common, enumeration, mask};

/// Writes a mask's value: names joined by `|`, the rest in hexadecimal; `0` when nothing is set.
pub(crate) fn write_mask(
    registry: &Enumeration,
    value: u32,
    f: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut rest = value;
    let mut separator = "";
    for row in registry.rows().iter().filter(|row| value & row.value() != 0) {
        write!(f, "{separator}{}", row.name())?;
        separator = "|";
        rest &= !row.value();
    }
    if rest != 0 {
        write!(f, "{separator}0x{rest:08X}")?;
    } else if value == 0 {
        f.write_str("0")?;
    }
    Ok(())
}
