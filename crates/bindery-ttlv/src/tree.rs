//! A readable form of a message: a line for every item.

use std::fmt::{self, Write};

use crate::date::civil;
use crate::hex::Hex;
use crate::registry::{self, Enumeration};
use crate::tag::named_attribute;
use crate::{Error, Item, Options, Tag, Value, Walk};

#[cfg(test)]
mod tests;

/// Bytes of a value that are shown unless the tree is [`full`](Tree::full).
const SHOWN: usize = 64;

/// Levels that are indented: deeper ones stand below each other, so that the output stays linear in the message.
const INDENTED: u16 = 64;

/// Prints a message as a tree, for people: tag names, types, values with the names of enumerations.
///
/// Key material, passwords and plain data are hidden unless asked for ([`Tag::is_secret`]). Text is escaped, so a
/// message cannot write control characters to a terminal. The message need not be canonical: what no tolerance
/// forgives ends the tree with an error.
///
/// ```
/// use bindery_ttlv::{Tree, hex};
///
/// let message = hex::parse("42000D 02 00000004 00000001 00000000").expect("hex");
/// assert_eq!(Tree::new(&message).with_offsets(true).to_string(), "     0  BatchCount (Integer): 1\n");
/// ```
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    message: &'a [u8],
    options: Options,
    offsets: bool,
    full: bool,
    hidden: fn(Tag) -> bool,
}

/// Why a tree was not printed to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The message is malformed from some offset on; what stands before it was printed.
    #[error(transparent)]
    Message(#[from] Error),
    /// The output does not take more.
    #[error("the output of the tree failed")]
    Output(#[from] fmt::Error),
}

impl Tag {
    /// Whether the values under this tag are key material, credentials, or data that was or will be encrypted.
    pub const fn is_secret(self) -> bool {
        matches!(
            self,
            Self::KEY_MATERIAL
                | Self::KEY_VALUE
                // The secret fields of Key Material, which may be all that somebody pastes.
                | Self::KEY
                | Self::D
                | Self::X
                | Self::P
                | Self::Q
                | Self::PRIVATE_EXPONENT
                | Self::PRIME_EXPONENT_P
                | Self::PRIME_EXPONENT_Q
                | Self::CRT_COEFFICIENT
                | Self::OPAQUE_DATA_VALUE
                | Self::CREDENTIAL_VALUE
                | Self::PASSWORD
                | Self::HASHED_USERNAME_PASSWORD
                | Self::HASHED_PASSWORD_USERNAME
                | Self::DATA
                | Self::DERIVATION_DATA
                | Self::HASHED_PASSWORD
                | Self::SERVER_HASHED_PASSWORD
                | Self::ONE_TIME_PASSWORD
                | Self::SALTED_PASSWORD
                | Self::OTP_SEED
                | Self::TICKET_VALUE
                // The PIN of C_Login among them.
                | Self::PKCS_11_INPUT_PARAMETERS
                | Self::PKCS_11_OUTPUT_PARAMETERS
        )
    }
}

impl<'a> Tree<'a> {
    /// A tree of a message (or of several items), read leniently with the default limits.
    pub const fn new(message: &'a [u8]) -> Self {
        Self {
            message,
            options: Options::LENIENT,
            offsets: false,
            full: false,
            hidden: Tag::is_secret,
        }
    }

    /// The same, read with these limits and tolerances.
    #[must_use]
    pub const fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Whether each line begins with the item's offset in the message.
    #[must_use]
    pub const fn with_offsets(mut self, offsets: bool) -> Self {
        self.offsets = offsets;
        self
    }

    /// Whether long values are printed to their end.
    #[must_use]
    pub const fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Which values are hidden: those under a tag for which `hidden` is true, and everything inside a structure with
    /// such a tag. The structures Key Value and Credential Value hide only those of their items that
    /// are hidden themselves.
    #[must_use]
    pub const fn hiding(mut self, hidden: fn(Tag) -> bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// Shows everything, keys too.
    #[must_use]
    pub const fn with_secrets(self) -> Self {
        self.hiding(|_| false)
    }

    /// Prints line by line.
    ///
    /// # Errors
    /// If the message is malformed, after what stands before the fault; or if `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), TreeError> {
        // Hidden from this depth on: the depth of the structure that hides.
        let mut hides: Option<u16> = None;
        let mut attribute = None;
        for visit in Walk::new(self.message, &self.options) {
            let visit = visit?;
            let item = visit.item;
            if hides.is_some_and(|depth| visit.depth <= depth) {
                hides = None;
            }
            let structure = matches!(item.value, Value::Structure(_));
            let envelope = structure && matches!(item.tag, Tag::KEY_VALUE | Tag::CREDENTIAL_VALUE);
            let secret = (self.hidden)(item.tag) && !envelope;
            let hide = hides.is_some() || secret;
            if self.offsets {
                write!(out, "{:>6}  ", item.offset)?;
            }
            let indent = 2 * usize::from(visit.depth.min(INDENTED));
            write!(out, "{:indent$}{} ({}", "", item.tag, item.value.item_type())?;
            if structure {
                writeln!(out, ")")?;
                if secret {
                    hides = hides.or(Some(visit.depth));
                }
                continue;
            }
            write!(out, "): ")?;
            if hide {
                writeln!(out, "(hidden, {} bytes)", length(&item.value))?;
            } else {
                self.value(&item, attribute, out)?;
                writeln!(out)?;
            }
            attribute = named_attribute(&item, attribute);
        }
        Ok(())
    }

    fn value(&self, item: &Item<'_>, attribute: Option<Tag>, out: &mut dyn Write) -> fmt::Result {
        let tag =
            if item.tag == Tag::ATTRIBUTE_VALUE { attribute.unwrap_or(item.tag) } else { item.tag };
        match item.value {
            Value::Structure(_) => Ok(()),
            Value::Integer(value) => integer(tag, value, out),
            Value::LongInteger(value) => write!(out, "{value}"),
            Value::Boolean(value) => write!(out, "{value}"),
            Value::Enumeration(value) => enumeration(tag, value, out),
            Value::Interval(value) => write!(out, "{value} s"),
            Value::DateTime(value) => date_time(value, None, out),
            Value::DateTimeExtended(value) => {
                date_time(value.div_euclid(1_000_000), Some(value.rem_euclid(1_000_000)), out)
            }
            Value::TextString(value) => self.text(value, out),
            Value::ByteString(value) | Value::BigInteger(value) => self.bytes(value, out),
        }
    }

    fn text(&self, value: &str, out: &mut dyn Write) -> fmt::Result {
        if self.full || value.len() <= 4 * SHOWN {
            return write!(out, "{value:?}");
        }
        let end = (0..=4 * SHOWN).rev().find(|&end| value.is_char_boundary(end)).unwrap_or(0);
        let shown = value.get(..end).unwrap_or_default();
        write!(out, "{shown:?}... ({} bytes)", value.len())
    }

    fn bytes(&self, value: &[u8], out: &mut dyn Write) -> fmt::Result {
        match value.get(..SHOWN) {
            Some(shown) if !self.full && value.len() > SHOWN => {
                write!(out, "{}... ({} bytes)", Hex(shown), value.len())
            }
            _ => write!(out, "{}", Hex(value)),
        }
    }
}

/// The size only: `Debug` hides nothing by tag.
impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} bytes)", self.message.len())
    }
}

/// A malformed message ends with a line that begins with `!`.
impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.write(f) {
            Ok(()) => Ok(()),
            Err(TreeError::Message(error)) => writeln!(f, "! {error}"),
            Err(TreeError::Output(error)) => Err(error),
        }
    }
}

fn length(value: &Value<'_>) -> usize {
    match value {
        Value::TextString(text) => text.len(),
        Value::ByteString(bytes) | Value::BigInteger(bytes) => bytes.len(),
        Value::Integer(_) | Value::Enumeration(_) | Value::Interval(_) => 4,
        _ => 8,
    }
}

fn integer(tag: Tag, value: i32, out: &mut dyn Write) -> fmt::Result {
    match tag.enumeration() {
        Some(mask) if mask.is_mask() => {
            registry::write_mask(mask, value.cast_unsigned(), out)?;
            write!(out, " (0x{value:08x})")
        }
        Some(codes) => named(codes, value.cast_unsigned(), out),
        None => write!(out, "{value}"),
    }
}

fn enumeration(tag: Tag, value: u32, out: &mut dyn Write) -> fmt::Result {
    match tag.enumeration() {
        Some(codes) if !codes.is_mask() => named(codes, value, out),
        _ => write!(out, "0x{value:08x}"),
    }
}

fn named(codes: &Enumeration, value: u32, out: &mut dyn Write) -> fmt::Result {
    match codes.row(value) {
        Some(row) => write!(out, "{} (0x{value:08x})", row.name()),
        None => write!(out, "0x{value:08x}"),
    }
}

/// ISO 8601 in UTC, and the number; for years outside 0 to 9999 the number alone.
fn date_time(seconds: i64, micros: Option<i64>, out: &mut dyn Write) -> fmt::Result {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // 0000-01-01 is day -719528.
    if (-719_528..=2_932_896).contains(&days) {
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if let Some(micros) = micros {
            write!(out, ".{micros:06}")?;
        }
        write!(out, "Z ")?;
    }
    match micros {
        Some(micros) => write!(out, "({seconds}.{micros:06})"),
        None => write!(out, "({seconds})"),
    }
}
