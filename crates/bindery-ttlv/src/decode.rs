//! Typed messages: the traits, the cursor that they decode from, and the entry points.

use std::cell::Cell;

use bytes::Bytes;

use crate::header::{self, Header};
use crate::raw::{self, Place};
use crate::{
    EncodeError, Error, ErrorKind, ItemType, Limit, Options, ProtocolVersion, RawItem, RawValue,
    Tag, Text, Writer,
};

/// A value that is decoded from one item. The tag is the field's business, not the value's.
pub trait Decode: Sized {
    /// Decodes the value of an item.
    ///
    /// # Errors
    /// If the item has another type, or its value does not suit.
    fn decode(element: Element<'_>) -> Result<Self, Error>;
}

/// A value that is encoded as one item.
pub trait Encode {
    /// Writes the value under a tag: one item (or none, if the value has no form in the writer's version).
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>);
}

/// A type whose items have one tag wherever they stand; a field of the type needs no tag of its own.
pub trait Tagged {
    /// The tag.
    const TAG: Tag;
}

/// A structure with known fields: what `#[derive(Ttlv)]` implements for a struct. [`Decode`] and [`Encode`] follow.
pub trait Structure: Sized {
    /// Decodes the fields. What is left of them is an error ([`Decoder::finish`]), which the caller makes.
    ///
    /// # Errors
    /// If a field is missing, out of place or wrong.
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error>;

    /// Writes the fields in the specification's order.
    fn encode_fields(&self, writer: &mut Writer<'_>);
}

impl<T: Structure> Decode for T {
    #[inline]
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        let mut fields = element.structure()?;
        let value = T::decode_fields(&mut fields)?;
        fields.finish()?;
        Ok(value)
    }
}

/// A large structure may stand in its field boxed; nothing else changes.
impl<T: Structure> Structure for Box<T> {
    #[inline]
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error> {
        T::decode_fields(fields).map(Self::new)
    }

    #[inline]
    fn encode_fields(&self, writer: &mut Writer<'_>) {
        T::encode_fields(self, writer);
    }
}

impl<T: Tagged> Tagged for Box<T> {
    const TAG: Tag = T::TAG;
}

impl<T: Structure> Encode for T {
    #[inline]
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.structure(tag, |writer| self.encode_fields(writer));
    }
}

/// One of several items, told apart by their tags (a managed object: Certificate, Symmetric Key, ...): what
/// `#[derive(Ttlv)]` implements for an enum. A field of such a type has the attribute `#[ttlv(choice)]`.
pub trait Choice: Sized {
    /// The tags, at least one.
    const TAGS: &'static [Tag];

    /// Decodes an item whose tag is one of [`TAGS`](Self::TAGS).
    ///
    /// # Errors
    /// If the item does not suit its tag.
    fn decode_choice(element: Element<'_>) -> Result<Self, Error>;

    /// Writes the item under its own tag.
    fn encode_choice(&self, writer: &mut Writer<'_>);
}

/// A value whose form another field selects: a payload by its Operation, an Attribute Value by its Attribute Name. A
/// field of such a type has the attribute `#[ttlv(select = that_field)]`, and `Key` is the type of that field as it is
/// declared (`Operation`, or `Option<Operation>`).
pub trait Select<Key: ?Sized>: Encode + Sized {
    /// Decodes the value of an item, knowing the other field.
    ///
    /// # Errors
    /// If the item does not suit.
    fn decode_selected(key: &Key, element: Element<'_>) -> Result<Self, Error>;
}

/// What all cursors of one decoding share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) options: &'a Options,
    bytes: Option<&'a Bytes>,
    items: Cell<u32>,
    version: Cell<Option<ProtocolVersion>>,
}

impl<'a> Shared<'a> {
    fn new(data: &'a [u8], bytes: Option<&'a Bytes>, options: &'a Options) -> Self {
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
    /// What the item means.
    #[inline]
    pub const fn tag(&self) -> Tag {
        self.header.tag
    }

    /// The type of its value.
    #[inline]
    pub const fn item_type(&self) -> ItemType {
        self.header.item_type
    }

    /// Where its header begins, in bytes from the start of the message.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.header.offset
    }

    /// The length field: bytes of the value without padding.
    #[inline]
    pub const fn len(&self) -> u32 {
        self.header.length
    }

    /// Whether the value has no bytes: an empty structure, text or byte string.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.header.length == 0
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

    #[inline]
    fn expect(&self, expected: ItemType) -> Result<(), Error> {
        let found = self.header.item_type;
        if found != expected {
            return Err(self.error(ErrorKind::UnexpectedType { expected, found }));
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
        self.expect(ItemType::TextString)?;
        match Text::from_utf8(self.slice()) {
            Some(text) => Ok(text),
            None => Err(self.not_utf8()),
        }
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
        let found = self.header.item_type;
        if found != ItemType::Structure {
            return Err(
                self.error(ErrorKind::UnexpectedType { expected: ItemType::Structure, found })
            );
        }
        let depth = header::enter(self.depth, self.header.offset, self.shared.options)?;
        let data = self.shared.data.get(..self.header.end()).unwrap_or_default();
        Ok(Decoder {
            shared: self.shared,
            data,
            position: self.header.value(),
            offset: self.header.offset,
            depth,
        })
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
        self.shared.slice(start, start + self.header.length as usize)
    }
}

/// A cursor over the fields of one structure.
///
/// A hand-written [`Structure`] takes the fields in the specification's order with [`required`](Self::required),
/// [`optional`](Self::optional) and [`repeated`](Self::repeated), or goes through them with [`next`](Self::next).
#[derive(Debug)]
pub struct Decoder<'a> {
    shared: &'a Shared<'a>,
    /// From the start of the message to the end of the structure.
    data: &'a [u8],
    position: usize,
    offset: usize,
    depth: u16,
}

impl<'a> Decoder<'a> {
    /// Where the structure's header begins, in bytes from the start of the message.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The limits and tolerances of this decoding.
    pub const fn options(&self) -> &'a Options {
        self.shared.options
    }

    /// The version of the message, once [`set_version`](Self::set_version) has said it.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.shared.version.get()
    }

    /// Says the version of the message to everything that is decoded after this (a header does it).
    pub fn set_version(&self, version: ProtocolVersion) {
        self.shared.version.set(Some(version));
    }

    /// Whether no field is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.position >= self.data.len()
    }

    /// The tag of the next field, if there is one.
    #[inline]
    pub fn peek_tag(&self) -> Option<Tag> {
        if self.is_empty() {
            None
        } else {
            header::peek(self.data, self.position).map(|(tag, ..)| tag)
        }
    }

    /// The next field.
    ///
    /// # Errors
    /// If its header is malformed, or the limit on items is reached.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not be asked for what is left"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Element<'a>>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let header = header::read(self.data, self.position, self.depth, self.shared.options)?;
        self.shared.count(header.offset)?;
        self.position = header.end();
        Ok(Some(Element { shared: self.shared, header, depth: self.depth }))
    }

    /// The next field, if it has this tag.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[inline]
    pub fn next_if(&mut self, tag: Tag) -> Result<Option<Element<'a>>, Error> {
        if self.peek_tag() == Some(tag) { self.next() } else { Ok(None) }
    }

    /// The next field, which must have this tag.
    ///
    /// # Errors
    /// If it has another tag ([`ErrorKind::MissingField`]), or does not decode.
    pub fn required<T: Decode>(&mut self, tag: Tag) -> Result<T, Error> {
        match self.next_if(tag)? {
            Some(element) => T::decode(element),
            None => Err(self.missing(tag)),
        }
    }

    /// The next field, if it has this tag.
    ///
    /// # Errors
    /// If it does not decode.
    pub fn optional<T: Decode>(&mut self, tag: Tag) -> Result<Option<T>, Error> {
        self.next_if(tag)?.map(T::decode).transpose()
    }

    /// The next fields as long as they have this tag.
    ///
    /// # Errors
    /// If one does not decode.
    pub fn repeated<T: Decode>(&mut self, tag: Tag) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        while let Some(element) = self.next_if(tag)? {
            values.push(T::decode(element)?);
        }
        Ok(values)
    }

    /// Every field that is left, as it stands.
    ///
    /// # Errors
    /// If one is malformed.
    pub fn rest(&mut self) -> Result<Vec<RawItem>, Error> {
        let mut items = Vec::new();
        while let Some(element) = self.next()? {
            items.push(element.raw_item()?);
        }
        Ok(items)
    }

    /// The error that this structure lacks a field.
    #[cold]
    pub fn missing(&self, tag: Tag) -> Error {
        Error::new(ErrorKind::MissingField { tag }, self.offset)
    }

    /// The error that this structure lacks a field that may have one of several tags.
    #[cold]
    pub fn missing_choice(&self, tags: &'static [Tag]) -> Error {
        Error::new(ErrorKind::MissingChoice { tags }, self.offset)
    }

    /// Ends the structure.
    ///
    /// # Errors
    /// If a field is left that nobody took and the tolerance `extra_fields` is off; or if such a field is malformed.
    #[inline]
    pub fn finish(mut self) -> Result<(), Error> {
        while let Some(element) = self.next()? {
            extra(&element)?;
        }
        Ok(())
    }
}

/// A field that its structure has no place for.
#[cold]
pub(crate) fn extra(element: &Element<'_>) -> Result<(), Error> {
    if !element.options().tolerance.extra_fields {
        return Err(element.error(ErrorKind::UnexpectedField { tag: element.tag() }));
    }
    element.raw().map(drop)
}

/// Decodes a message. Text and byte strings of the result are slices of `message`; nothing is copied.
///
/// # Errors
/// If the bytes are malformed, are not this message, pass a limit, or go on behind the message.
pub fn decode<T: Structure + Tagged>(message: &Bytes, options: &Options) -> Result<T, Error> {
    run(message, Some(message), options, tagged::<T>)
}

/// Decodes a message from bytes that are only borrowed: text and byte strings are copied.
///
/// # Errors
/// As [`decode`].
pub fn decode_slice<T: Structure + Tagged>(message: &[u8], options: &Options) -> Result<T, Error> {
    run(message, None, options, tagged::<T>)
}

/// Decodes one item of any tag by a function, for a message whose type its tag decides.
///
/// # Errors
/// As [`decode`], and as the function.
pub fn decode_with<T>(
    message: &Bytes,
    options: &Options,
    decode: impl FnOnce(Element<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    run(message, Some(message), options, decode)
}

fn tagged<T: Structure + Tagged>(element: Element<'_>) -> Result<T, Error> {
    if element.tag() != T::TAG {
        return Err(
            element.error(ErrorKind::UnexpectedTag { expected: T::TAG, found: element.tag() })
        );
    }
    T::decode(element)
}

fn run<T>(
    data: &[u8],
    bytes: Option<&Bytes>,
    options: &Options,
    decode: impl FnOnce(Element<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let shared = Shared::new(data, bytes, options);
    root(&shared).and_then(decode).map_err(|error| error.locate(data))
}

/// The outermost item, which must be all there is.
fn root<'a>(shared: &'a Shared<'a>) -> Result<Element<'a>, Error> {
    let Shared { data, options, .. } = *shared;
    let maximum = options.limits.message_length;
    let header = header::read(data, 0, 0, options);
    let length = header.as_ref().map_or(data.len(), Header::end);
    if length > maximum as usize {
        let kind = ErrorKind::Limit { limit: Limit::MessageLength, maximum: u64::from(maximum) };
        return Err(Error::new(kind, 0));
    }
    let header = header?;
    shared.count(0)?;
    if data.len() > header.end() {
        let count = (data.len() - header.end()) as u64;
        return Err(Error::new(ErrorKind::TrailingData { count }, header.end()));
    }
    Ok(Element { shared, header, depth: 0 })
}

/// Appends a message to a buffer and gives its length in bytes.
///
/// # Errors
/// If it is longer than a length field can say; the buffer is then as it was.
pub fn encode<T: Structure + Tagged>(
    message: &T,
    buffer: &mut Vec<u8>,
) -> Result<usize, EncodeError> {
    encode_within(message, buffer, u32::MAX)
}

/// Appends a message of at most `maximum` bytes (KMIP's Maximum Response Size).
///
/// # Errors
/// If it is longer; the buffer is then as it was.
pub fn encode_within<T: Structure + Tagged>(
    message: &T,
    buffer: &mut Vec<u8>,
    maximum: u32,
) -> Result<usize, EncodeError> {
    let mut writer = Writer::with_maximum(buffer, maximum);
    message.encode(T::TAG, &mut writer);
    writer.finish()
}

/// A message as bytes.
///
/// # Errors
/// As [`encode`].
pub fn to_bytes<T: Structure + Tagged>(message: &T) -> Result<Bytes, EncodeError> {
    let mut buffer = Vec::with_capacity(512);
    encode(message, &mut buffer)?;
    Ok(Bytes::from(buffer))
}
