//! The eight bytes before every value, and the checks that every reader makes (KMIP 1.4, section 9.1).
//!
//! ```text
//! | tag: 3 | type: 1 | length: 4 | value: length | padding: to a multiple of 8 |
//! ```
//!
//! An Integer, an Enumeration and an Interval have length 4 and four bytes of padding; a structure's length is the
//! sum of its items with their padding.

use crate::{Error, ErrorKind, ItemType, Limit, Options, Tag};

/// A checked header: the value lies inside its structure, and its length suits its type.
///
/// The eight bytes stay one word: parts of it that were stored one by one would be slow to load together again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    word: u64,
    /// Where the header begins.
    pub(crate) offset: usize,
}

impl Header {
    #[inline]
    pub(crate) const fn tag(&self) -> Tag {
        split(self.word).0
    }

    /// The type. (Only checked headers are made, so the last arm is not reached.)
    #[inline]
    pub(crate) const fn item_type(&self) -> ItemType {
        match ItemType::from_code(split(self.word).1) {
            Some(item_type) => item_type,
            None => ItemType::Structure,
        }
    }

    /// Whether the type is this one.
    #[inline]
    pub(crate) const fn is(&self, item_type: ItemType) -> bool {
        split(self.word).1 == item_type.code()
    }

    /// The length field.
    #[inline]
    pub(crate) const fn length(&self) -> u32 {
        split(self.word).2
    }

    /// Where the value begins.
    #[inline]
    pub(crate) const fn value(&self) -> usize {
        self.offset + 8
    }

    /// Where the next item begins.
    #[inline]
    pub(crate) const fn end(&self) -> usize {
        self.offset + 8 + padded(self.length())
    }
}

/// A length with its padding. Where usize has 32 bits a length near 2^32 becomes one that fits no slice.
#[inline]
pub(crate) const fn padded(length: u32) -> usize {
    (length as usize).saturating_add(7) & !7
}

/// Eight bytes as a number, big endian; 0 past the end, which the caller has excluded by a check of the length.
#[inline]
pub(crate) fn word(data: &[u8], at: usize) -> u64 {
    match data.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => 0,
    }
}

/// Tag, type code and length at `at` without any check but that they are there.
pub(crate) fn peek(data: &[u8], at: usize) -> Option<(Tag, u8, u32)> {
    let bytes = data.get(at..)?.first_chunk::<8>()?;
    Some(split(u64::from_be_bytes(*bytes)))
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the parts of a 64-bit header are 24, 8 and 32 bits wide"
)]
const fn split(word: u64) -> (Tag, u8, u32) {
    (Tag((word >> 40) as u32), (word >> 32) as u8, word as u32)
}

/// Reads and checks the header at `at` of an item that must end where `data` ends. `data` begins with the message and
/// ends with the structure that is read, `depth` structures down.
#[inline(always)]
pub(crate) fn read(data: &[u8], at: usize, depth: u16, options: &Options) -> Result<Header, Error> {
    let available = data.len().saturating_sub(at);
    if available < 8 {
        return Err(short(depth, at, available, 8));
    }
    let word = word(data, at);
    let (tag, code, length) = split(word);
    if !tag.is_allowed() && !options.tolerance.tag_ranges {
        return Err(Error::new(ErrorKind::TagRange { found: tag }, at));
    }
    let Some(item_type) = ItemType::from_code(code) else {
        return Err(Error::new(ErrorKind::TypeCode { found: code }, at));
    };
    let suits = match item_type {
        ItemType::Integer | ItemType::Enumeration | ItemType::Interval => length == 4,
        ItemType::LongInteger
        | ItemType::Boolean
        | ItemType::DateTime
        | ItemType::DateTimeExtended => length == 8,
        ItemType::Structure => length & 7 == 0,
        ItemType::TextString => length <= options.limits.text_length,
        ItemType::ByteString => length <= options.limits.bytes_length,
        ItemType::BigInteger => {
            length & 7 == 0 && length > 0 && length <= options.limits.bytes_length
        }
    };
    if !suits {
        return Err(unsuitable(item_type, length, at, options));
    }
    if padded(length) > available - 8 {
        return Err(short(depth, at, available, padded(length).saturating_add(8)));
    }
    Ok(Header { word, offset: at })
}

/// An item that needs more bytes than there are: the message is cut off, or the item leaves its structure.
#[cold]
#[inline(never)]
fn short(depth: u16, at: usize, available: usize, needed: usize) -> Error {
    let (needed, available) = (needed as u64, available as u64);
    let kind = if depth == 0 {
        ErrorKind::Truncated { needed, available }
    } else {
        ErrorKind::Overrun { needed, available }
    };
    Error::new(kind, at)
}

#[cold]
#[inline(never)]
fn unsuitable(item_type: ItemType, length: u32, at: usize, options: &Options) -> Error {
    let limits = &options.limits;
    let kind = match item_type {
        ItemType::TextString => {
            ErrorKind::Limit { limit: Limit::TextLength, maximum: u64::from(limits.text_length) }
        }
        ItemType::ByteString => {
            ErrorKind::Limit { limit: Limit::BytesLength, maximum: u64::from(limits.bytes_length) }
        }
        ItemType::BigInteger if length & 7 == 0 && length > 0 => {
            ErrorKind::Limit { limit: Limit::BytesLength, maximum: u64::from(limits.bytes_length) }
        }
        _ => ErrorKind::Length { item_type, found: length },
    };
    Error::new(kind, at)
}

/// Checks the padding of an item whose header was read (nothing to check for a structure).
#[inline(always)]
pub(crate) fn check_padding(data: &[u8], header: &Header, options: &Options) -> Result<(), Error> {
    let unused = header.length() & 7;
    if unused != 0 && !options.tolerance.dirty_padding {
        let mask = u64::MAX >> (8 * unused);
        if word(data, header.end() - 8) & mask != 0 {
            return Err(Error::new(ErrorKind::Padding, header.value() + header.length() as usize));
        }
    }
    Ok(())
}

/// The value of a type of length 4 or 8 as eight bytes: a 4-byte value stands in the upper half.
#[inline]
pub(crate) fn fixed(data: &[u8], header: &Header) -> u64 {
    word(data, header.value())
}

/// The upper half of a fixed value: Integer, Enumeration, Interval.
#[inline]
pub(crate) const fn upper(word: u64) -> u32 {
    (word >> 32) as u32
}

/// A Boolean's eight bytes.
#[inline]
pub(crate) fn boolean(word: u64, header: &Header, options: &Options) -> Result<bool, Error> {
    match word {
        0 => Ok(false),
        1 => Ok(true),
        _ if options.tolerance.boolean_values => Ok(true),
        found => Err(Error::new(ErrorKind::Boolean { found }, header.value())),
    }
}

/// The bytes of a string or number whose header was read.
#[inline]
pub(crate) fn bytes<'a>(data: &'a [u8], header: &Header) -> &'a [u8] {
    let start = header.value();
    data.get(start..start + header.length() as usize).unwrap_or_default()
}

/// The text of a Text String whose header was read.
#[inline]
pub(crate) fn text<'a>(data: &'a [u8], header: &Header) -> Result<&'a str, Error> {
    std::str::from_utf8(bytes(data, header))
        .map_err(|e| Error::new(ErrorKind::Utf8, header.value() + e.valid_up_to()))
}

/// The error of entering a structure at `offset` when `depth` structures are already entered; `None` if it may be.
#[inline]
pub(crate) fn enter(depth: u16, offset: usize, options: &Options) -> Result<u16, Error> {
    if depth >= options.limits.depth {
        let maximum = u64::from(options.limits.depth);
        return Err(Error::new(ErrorKind::Limit { limit: Limit::Depth, maximum }, offset));
    }
    Ok(depth + 1)
}
