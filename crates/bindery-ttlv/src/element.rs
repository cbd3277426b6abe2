//! One item of a typed decoding.

use std::cell::Cell;
use std::fmt;

use bytes::Bytes;

use crate::header::{self, Header};
use crate::raw::{self, Place};
use crate::{
    Decode, Decoder, Error, ErrorKind, ItemType, Limit, Options, ProtocolVersion, RawItem,
    RawValue, Tag, Text,
};

/// What all cursors of one decoding share.
pub(crate) struct Shared<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) options: &'a Options,
    bytes: Option<&'a Bytes>,
    items: Cell<u32>,
    pub(crate) version: Cell<Option<ProtocolVersion>>,
}

/// The size only: the message may hold secrets.
impl fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({} bytes)", self.data.len())
    }
}

impl<'a> Shared<'a> {
    pub(crate) fn new(data: &'a [u8], bytes: Option<&'a Bytes>, options: &'a Options) -> Self {
        Self {
            data,
            options,
            bytes,
            items: Cell::new(options.limits.items),
            version: Cell::new(None),
        }
    }

    /// Counts one item against the limit.
    #[inline]
    pub(crate) fn count(&self, offset: usize) -> Result<(), Error> {
        let Some(left) = self.items.get().checked_sub(1) else {
            let maximum = u64::from(self.options.limits.items);
            return Err(Error::new(ErrorKind::Limit { limit: Limit::Items, maximum }, offset));
        };
        self.items.set(left);
        Ok(())
    }

    /// Bytes of the message: a slice of the same memory if there is one, else a copy.
    #[inline]
    pub(crate) fn slice(&self, start: usize, end: usize) -> Bytes {
        match self.bytes {
            Some(bytes) if end <= bytes.len() => bytes.slice(start..end),
            _ => Bytes::copy_from_slice(self.data.get(start..end).unwrap_or_default()),
        }
    }
}

/// One item of a typed decoding: its header is checked, its value is checked when it is taken.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    shared: &'a Shared<'a>,
    header: Header,
    depth: u16,
}

impl<'a> Element<'a> {
    #[inline]
    pub(crate) const fn new(shared: &'a Shared<'a>, header: Header, depth: u16) -> Self {
        Self { shared, header, depth }
    }

    /// What the item means.
    #[inline]
    pub const fn tag(&self) -> Tag {
        self.header.tag()
    }

    /// The type of its value.
    #[inline]
    pub const fn item_type(&self) -> ItemType {
        self.header.item_type()
    }

    /// Where its header begins, in bytes from the start of the message.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.header.offset
    }

    /// The length field: bytes of the value without padding.
    #[inline]
    pub const fn len(&self) -> u32 {
        self.header.length()
    }

    /// Whether the value has no bytes: an empty structure, text or byte string.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.header.length() == 0
    }

    /// The version of the message, once [`Decoder::set_version`] has said it.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.shared.version.get()
    }

    /// The limits and tolerances of this decoding.
    pub const fn options(&self) -> &'a Options {
        self.shared.options
    }

    /// The value as a type; the same as `T::decode(element)`.
    ///
    /// # Errors
    /// As the type's decoder.
    #[inline]
    pub fn decode<T: Decode>(self) -> Result<T, Error> {
        T::decode(self)
    }

    /// An error at this item: its value is not what the field allows. `expected` completes "expected ...".
    #[cold]
    pub fn invalid(&self, expected: &'static str) -> Error {
        Error::new(ErrorKind::Value { expected }, self.header.offset)
    }

    /// An error at this item.
    #[cold]
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.header.offset)
    }

    #[cold]
    #[inline(never)]
    fn mistyped(&self, expected: ItemType) -> Error {
        self.error(ErrorKind::UnexpectedType { expected, found: self.header.item_type() })
    }

    #[inline]
    fn expect(&self, expected: ItemType) -> Result<(), Error> {
        if !self.header.is(expected) {
            return Err(self.mistyped(expected));
        }
        header::check_padding(self.shared.data, &self.header, self.shared.options)
    }

    #[inline]
    fn fixed(&self, expected: ItemType) -> Result<u64, Error> {
        self.expect(expected)?;
        Ok(header::fixed(self.shared.data, &self.header))
    }

    /// An Integer.
    ///
    /// # Errors
    /// If the item is of another type or badly padded, as with every method of this kind.
    #[inline]
    pub fn integer(&self) -> Result<i32, Error> {
        self.fixed(ItemType::Integer).map(|word| header::upper(word).cast_signed())
    }

    /// A Long Integer.
    ///
    /// # Errors
    /// If the item is of another type.
    #[inline]
    pub fn long_integer(&self) -> Result<i64, Error> {
        self.fixed(ItemType::LongInteger).map(u64::cast_signed)
    }

    /// A Big Integer: two's complement, big endian, as it stands in the message.
    ///
    /// # Errors
    /// If the item is of another type.
    pub fn big_integer(&self) -> Result<Bytes, Error> {
        self.expect(ItemType::BigInteger)?;
        Ok(self.slice())
    }

    /// An Enumeration.
    ///
    /// # Errors
    /// If the item is of another type or badly padded.
    #[inline]
    pub fn enumeration(&self) -> Result<u32, Error> {
        self.fixed(ItemType::Enumeration).map(header::upper)
    }

    /// A Boolean.
    ///
    /// # Errors
    /// If the item is of another type, or is neither 0 nor 1.
    #[inline]
    pub fn boolean(&self) -> Result<bool, Error> {
        let word = self.fixed(ItemType::Boolean)?;
        header::boolean(word, &self.header, self.shared.options)
    }

    /// A Text String, borrowed.
    ///
    /// # Errors
    /// If the item is of another type, badly padded, or not UTF-8.
    #[inline]
    pub fn text_str(&self) -> Result<&'a str, Error> {
        self.expect(ItemType::TextString)?;
        header::text(self.shared.data, &self.header)
    }

    /// A Text String that may outlive the decoding.
    ///
    /// # Errors
    /// As [`text_str`](Self::text_str).
    #[inline]
    pub fn text(&self) -> Result<Text, Error> {
        if Text::is_short(self.len() as usize)
            && let Some(text) = Text::short(self.text_str()?)
        {
            return Ok(text);
        }
        self.expect(ItemType::TextString)?;
        Text::from_utf8(self.slice()).ok_or_else(|| self.not_utf8())
    }

    #[cold]
    fn not_utf8(&self) -> Error {
        match header::text(self.shared.data, &self.header) {
            Err(error) => error,
            Ok(_) => self.error(ErrorKind::Utf8),
        }
    }

    /// A Byte String, borrowed.
    ///
    /// # Errors
    /// If the item is of another type or badly padded.
    #[inline]
    pub fn byte_slice(&self) -> Result<&'a [u8], Error> {
        self.expect(ItemType::ByteString)?;
        Ok(header::bytes(self.shared.data, &self.header))
    }

    /// A Byte String that may outlive the decoding.
    ///
    /// # Errors
    /// As [`byte_slice`](Self::byte_slice).
    #[inline]
    pub fn byte_string(&self) -> Result<Bytes, Error> {
        self.expect(ItemType::ByteString)?;
        Ok(self.slice())
    }

    /// A Date-Time, in POSIX seconds.
    ///
    /// # Errors
    /// If the item is of another type.
    #[inline]
    pub fn date_time(&self) -> Result<i64, Error> {
        self.fixed(ItemType::DateTime).map(u64::cast_signed)
    }

    /// An Interval, in seconds.
    ///
    /// # Errors
    /// If the item is of another type or badly padded.
    #[inline]
    pub fn interval(&self) -> Result<u32, Error> {
        self.fixed(ItemType::Interval).map(header::upper)
    }

    /// A Date-Time Extended, in POSIX microseconds.
    ///
    /// # Errors
    /// If the item is of another type.
    #[inline]
    pub fn date_time_extended(&self) -> Result<i64, Error> {
        self.fixed(ItemType::DateTimeExtended).map(u64::cast_signed)
    }

    /// The fields of a structure.
    ///
    /// # Errors
    /// If the item is of another type, or the limit on depth is reached.
    #[inline]
    pub fn structure(&self) -> Result<Decoder<'a>, Error> {
        if !self.header.is(ItemType::Structure) {
            return Err(self.mistyped(ItemType::Structure));
        }
        let depth = header::enter(self.depth, self.header.offset, self.shared.options)?;
        let data = self.shared.data.get(..self.header.end()).unwrap_or_default();
        Ok(Decoder::new(self.shared, data, &self.header, depth))
    }

    /// The value as it stands, whatever its type, checked as far down as it goes.
    ///
    /// # Errors
    /// If anything in it is malformed or passes a limit.
    pub fn raw(&self) -> Result<RawValue, Error> {
        raw::keep(self.shared, self.header, self.depth)
    }

    /// The same with the tag; see [`RawItem`].
    ///
    /// # Errors
    /// As [`raw`](Self::raw).
    pub fn raw_item(&self) -> Result<RawItem, Error> {
        RawItem::at(*self, Place::END)
    }

    #[inline]
    fn slice(&self) -> Bytes {
        let start = self.header.value();
        self.shared.slice(start, start + self.header.length() as usize)
    }
}
