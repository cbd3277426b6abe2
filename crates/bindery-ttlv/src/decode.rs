//! Typed messages: the traits, and the entry points.

use bytes::Bytes;

use crate::element::Shared;
use crate::header::{self, Header};
use crate::{Decoder, Element, EncodeError, Error, ErrorKind, Limit, Options, Tag, Writer};

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
    Ok(Element::new(shared, header, 0))
}

/// Room for most messages, in bytes; those with lists or large values grow from there.
const TYPICAL: usize = 512;

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
    // A new buffer would else grow by four steps before it holds a small message.
    buffer.reserve(TYPICAL.min(maximum as usize));
    let mut writer = Writer::with_maximum(buffer, maximum);
    message.encode(T::TAG, &mut writer);
    writer.finish()
}

/// A message as bytes.
///
/// # Errors
/// As [`encode`].
pub fn to_bytes<T: Structure + Tagged>(message: &T) -> Result<Bytes, EncodeError> {
    let mut buffer = Vec::new();
    encode(message, &mut buffer)?;
    Ok(Bytes::from(buffer))
}
