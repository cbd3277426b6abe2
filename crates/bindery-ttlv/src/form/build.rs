//! From the values of a text form to binary TTLV.

use super::{Attributes, Codes, FormErrorKind};
use crate::writer::Begun;
use crate::{EncodeError, ItemType, Options, Tag, Value, Writer, date};

/// A value as a text form has it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "json"), expect(dead_code, reason = "XML has text only"))]
pub(crate) enum Scalar<'t> {
    /// An attribute of XML, or a string of JSON.
    Text(&'t str),
    /// A number of JSON.
    Number(&'t str),
    /// A truth value of JSON.
    Truth(bool),
}

/// Writes the items of a text form, under the limits of a reader.
pub(crate) struct Builder<'b, 'o> {
    writer: Writer<'b>,
    options: &'o Options,
    attributes: Attributes,
    open: Vec<(Tag, Begun)>,
    items: u32,
    /// What stands between the names of a mask.
    separator: char,
    /// Whether the form is one in which numbers are no text, and Big Integers have `0x` in front: JSON.
    marked: bool,
}

impl<'b, 'o> Builder<'b, 'o> {
    #[cfg(feature = "xml")]
    pub(crate) fn xml(out: &'b mut Vec<u8>, options: &'o Options) -> Self {
        Self::new(out, options, ' ', false)
    }

    #[cfg(feature = "json")]
    pub(crate) fn json(out: &'b mut Vec<u8>, options: &'o Options) -> Self {
        Self::new(out, options, '|', true)
    }

    fn new(out: &'b mut Vec<u8>, options: &'o Options, separator: char, marked: bool) -> Self {
        let writer = Writer::with_maximum(out, options.limits.message_length);
        let attributes = Attributes::default();
        let open = Vec::new();
        Self { writer, options, attributes, open, items: 0, separator, marked }
    }

    /// The tags of the open structures, for an error.
    pub(crate) fn path(&self) -> String {
        let names: Vec<String> =
            self.open.iter().take(16).map(|(tag, _)| tag.to_string()).collect();
        names.join("/")
    }

    #[cfg(feature = "xml")]
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn begin(&mut self, tag: Tag) -> Result<(), FormErrorKind> {
        self.count(tag)?;
        if self.open.len() >= usize::from(self.options.limits.depth) {
            return Err(FormErrorKind::Limit("depth", self.options.limits.depth.into()));
        }
        self.attributes.enter();
        let begun = self.writer.begin(tag);
        self.open.push((tag, begun));
        Ok(())
    }

    /// Ends the innermost structure, if there is one.
    pub(crate) fn end(&mut self) {
        if let Some((_, begun)) = self.open.pop() {
            self.writer.end(begun);
            self.attributes.leave();
        }
    }

    pub(crate) fn finish(self) -> Result<usize, EncodeError> {
        self.writer.finish()
    }

    fn count(&mut self, tag: Tag) -> Result<(), FormErrorKind> {
        if !tag.is_allowed() && !self.options.tolerance.tag_ranges {
            let what = format!("the tag {tag} is neither 42xxxx nor a vendor's 54xxxx");
            return Err(FormErrorKind::Content(what));
        }
        self.items = self.items.saturating_add(1);
        if self.items > self.options.limits.items {
            return Err(FormErrorKind::Limit("items", self.options.limits.items.into()));
        }
        Ok(())
    }

    /// An item that is no structure.
    pub(crate) fn value(
        &mut self,
        tag: Tag,
        item_type: ItemType,
        scalar: Scalar<'_>,
    ) -> Result<(), FormErrorKind> {
        self.count(tag)?;
        let codes = self.attributes.codes(tag);
        let wrong = || expected(item_type, scalar);
        match item_type {
            ItemType::Structure => return Err(wrong()),
            ItemType::Integer => {
                let value = self.integer(codes, scalar).ok_or_else(wrong)?;
                self.writer.integer(tag, value);
            }
            ItemType::LongInteger => {
                let value = long(scalar).ok_or_else(wrong)?;
                self.writer.long_integer(tag, value);
            }
            ItemType::BigInteger => {
                let octets = self.big(scalar).ok_or_else(wrong)?;
                self.fits("bytes_length", octets.len(), self.options.limits.bytes_length)?;
                self.writer.big_integer(tag, &octets);
            }
            ItemType::Enumeration => {
                let value = enumeration(codes, scalar).ok_or_else(wrong)?;
                self.writer.enumeration(tag, value);
            }
            ItemType::Boolean => {
                let value = boolean(scalar).ok_or_else(wrong)?;
                self.writer.boolean(tag, value);
            }
            ItemType::TextString => return self.text(tag, scalar),
            ItemType::ByteString => {
                let Scalar::Text(digits) = scalar else { return Err(wrong()) };
                let octets = octets(digits).ok_or_else(wrong)?;
                self.fits("bytes_length", octets.len(), self.options.limits.bytes_length)?;
                self.writer.byte_string(tag, &octets);
            }
            ItemType::DateTime => {
                let micros = date_time(scalar, 1_000_000).ok_or_else(wrong)?;
                self.writer.date_time(tag, micros);
            }
            ItemType::Interval => {
                let value = interval(scalar).ok_or_else(wrong)?;
                self.writer.interval(tag, value);
            }
            ItemType::DateTimeExtended => {
                let micros = date_time(scalar, 1).ok_or_else(wrong)?;
                self.writer.date_time_extended(tag, micros);
            }
        }
        self.attributes.see(tag, Value::Integer(0));
        Ok(())
    }

    fn text(&mut self, tag: Tag, scalar: Scalar<'_>) -> Result<(), FormErrorKind> {
        let Scalar::Text(text) = scalar else {
            return Err(expected(ItemType::TextString, scalar));
        };
        self.fits("text_length", text.len(), self.options.limits.text_length)?;
        self.writer.text_string(tag, text);
        self.attributes.see(tag, Value::TextString(text));
        Ok(())
    }

    fn fits(&self, name: &'static str, length: usize, maximum: u32) -> Result<(), FormErrorKind> {
        if length > maximum as usize {
            return Err(FormErrorKind::Limit(name, maximum.into()));
        }
        Ok(())
    }

    /// A number, 8 hexadecimal digits, or the names of a mask's bits.
    fn integer(&self, codes: Option<Codes>, scalar: Scalar<'_>) -> Option<i32> {
        let text = match scalar {
            Scalar::Number(text) => return text.parse().ok(),
            Scalar::Text(text) => text,
            Scalar::Truth(_) => return None,
        };
        if let Some(value) = hex(text, 8) {
            return u32::try_from(value).ok().map(u32::cast_signed);
        }
        // In XML all values are text; in JSON a number is no text.
        if !self.marked
            && let Ok(value) = text.parse()
        {
            return Some(value);
        }
        if text.trim().is_empty() {
            return None;
        }
        let mut value = 0;
        // The OASIS cases have several spaces in a row.
        for name in text.split([self.separator, '|']).filter(|name| !name.is_empty()) {
            let bit = match hex(name, 8) {
                Some(rest) => u32::try_from(rest).ok()?,
                None => codes?.value(name)?,
            };
            value |= bit;
        }
        Some(value.cast_signed())
    }

    /// Two's complement in hexadecimal digits, in XML without `0x` and in JSON with it; a small number in JSON as such.
    fn big(&self, scalar: Scalar<'_>) -> Option<Vec<u8>> {
        match scalar {
            Scalar::Number(text) => {
                let value: i64 = text.parse().ok()?;
                Some(value.to_be_bytes().to_vec())
            }
            Scalar::Text(text) => {
                let digits = match text.strip_prefix("0x") {
                    Some(digits) => digits,
                    None if self.marked => return None,
                    None => text,
                };
                octets(digits).filter(|octets| !octets.is_empty() && octets.len() % 8 == 0)
            }
            Scalar::Truth(_) => None,
        }
    }
}

#[cold]
fn expected(item_type: ItemType, scalar: Scalar<'_>) -> FormErrorKind {
    let what = match item_type {
        ItemType::Structure => "a structure has items and no value",
        ItemType::Integer => "an Integer: a number, 0x and 8 digits, or the names of bits",
        ItemType::LongInteger => "a Long Integer: a number, or 0x and 16 digits",
        ItemType::BigInteger => "a Big Integer: 16 hexadecimal digits or a multiple of that",
        ItemType::Enumeration => "an Enumeration: a name of the registry, or 0x and 8 digits",
        ItemType::Boolean => "a Boolean: true, false, or 0x and 16 digits",
        ItemType::TextString => "a Text String",
        ItemType::ByteString => "a Byte String: pairs of hexadecimal digits, without 0x",
        ItemType::DateTime | ItemType::DateTimeExtended => {
            "a date such as 2012-04-27T08:12:21+00:00, or 0x and 16 digits"
        }
        ItemType::Interval => "an Interval: a number of seconds, or 0x and 8 digits",
    };
    // The value may be a secret: only its kind is told.
    let found = match scalar {
        Scalar::Text(text) => format!("{} characters of something else", text.chars().count()),
        Scalar::Number(_) => "a number".to_owned(),
        Scalar::Truth(_) => "a truth value".to_owned(),
    };
    FormErrorKind::Content(format!("expected {what}; found {found}"))
}

/// `0x` and exactly so many hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u64> {
    let text = text.strip_prefix("0x").filter(|text| text.len() == digits)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

/// Octets from pairs of hexadecimal digits: all room at once, so that no copy of a key stays behind where it grew.
fn octets(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let mut octets = Vec::with_capacity(pairs.len());
    let mut seen = 0;
    octets.extend(pairs.iter().map(|&[high, low]| {
        let (high, low) = (digit(high), digit(low));
        seen |= high | low;
        high << 4 | low & 0xF
    }));
    (seen <= 0xF).then_some(octets)
}

/// No digit: above every digit's value, also after any number of them are put together.
const NO_DIGIT: u8 = 0xF0;

/// What each octet is worth as a hexadecimal digit of either case.
#[expect(clippy::indexing_slicing, reason = "an index out of range in a constant does not compile")]
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        digits[digit as usize] = value;
        digits[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    digits
};

fn long(scalar: Scalar<'_>) -> Option<i64> {
    match scalar {
        Scalar::Number(text) => text.parse().ok(),
        Scalar::Text(text) => match hex(text, 16) {
            Some(value) => Some(value.cast_signed()),
            None => text.parse().ok(),
        },
        Scalar::Truth(_) => None,
    }
}

fn enumeration(codes: Option<Codes>, scalar: Scalar<'_>) -> Option<u32> {
    match scalar {
        Scalar::Number(text) => text.parse().ok(),
        Scalar::Text(text) => match hex(text, 8) {
            Some(value) => u32::try_from(value).ok(),
            None => codes.and_then(|codes| codes.value(text)).or_else(|| text.parse().ok()),
        },
        Scalar::Truth(_) => None,
    }
}

fn boolean(scalar: Scalar<'_>) -> Option<bool> {
    match scalar {
        Scalar::Truth(value) => Some(value),
        Scalar::Text("true" | "1") => Some(true),
        Scalar::Text("false" | "0") => Some(false),
        Scalar::Text(text) => match hex(text, 16)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Scalar::Number(_) => None,
    }
}

/// In units of so many microseconds.
fn date_time(scalar: Scalar<'_>, unit: i64) -> Option<i64> {
    let Scalar::Text(text) = scalar else { return None };
    if let Some(value) = hex(text, 16) {
        return Some(value.cast_signed());
    }
    let micros = date::parse(text)?;
    // A fraction of what the type can say would be lost.
    (micros % unit == 0).then(|| micros.div_euclid(unit))
}

fn interval(scalar: Scalar<'_>) -> Option<u32> {
    match scalar {
        Scalar::Number(text) => text.parse().ok(),
        Scalar::Text(text) => match hex(text, 8) {
            Some(value) => u32::try_from(value).ok(),
            None => text.parse().ok(),
        },
        Scalar::Truth(_) => None,
    }
}
