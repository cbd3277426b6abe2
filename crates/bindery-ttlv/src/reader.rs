//! The borrowed reader: one pass over a byte slice, nothing allocated, nothing copied.

use std::fmt;

use crate::{Error, ItemType, Options, Tag, header};

/// A cursor over the items of a message, or of one structure inside it. Copying it keeps the place.
///
/// Every item it yields is checked: type, length against the structure, padding, Boolean, UTF-8, and the limits on
/// depth, text and bytes. It does not look into a structure until that structure's own reader is used, and allocates
/// nothing, so the limits on items and on the message's length are left to those who build something from it.
/// After an error it yields nothing more.
///
/// ```
/// use bindery_ttlv::{Reader, Tag, Value};
///
/// let bytes = [0x42, 0x00, 0x0D, 0x02, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0];
/// let item = Reader::new(&bytes).next().expect("one item")?;
/// assert_eq!(item.tag, Tag::BATCH_COUNT);
/// assert_eq!(item.value, Value::Integer(1));
/// # Ok::<(), bindery_ttlv::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// From the start of the message to the end of the structure that is read, so that offsets are the message's.
    data: &'a [u8],
    position: usize,
    depth: u16,
    options: &'a Options,
}

/// One item of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item<'a> {
    /// What the item means.
    pub tag: Tag,
    /// Its value.
    pub value: Value<'a>,
    /// Where its header begins, in bytes from the start of the message.
    pub offset: usize,
}

/// The value of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// The items of a structure, not yet read.
    Structure(Reader<'a>),
    /// A signed number.
    Integer(i32),
    /// A signed number.
    LongInteger(i64),
    /// Two's complement, big endian, a multiple of eight bytes.
    BigInteger(&'a [u8]),
    /// A code.
    Enumeration(u32),
    /// A truth value.
    Boolean(bool),
    /// Text.
    TextString(&'a str),
    /// Bytes.
    ByteString(&'a [u8]),
    /// POSIX seconds.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// POSIX microseconds.
    DateTimeExtended(i64),
}

impl Value<'_> {
    /// The type that the value has on the wire.
    pub const fn item_type(&self) -> ItemType {
        match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::TextString(_) => ItemType::TextString,
            Self::ByteString(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }
}

impl<'a> Reader<'a> {
    /// A strict reader with the default limits.
    #[inline]
    pub const fn new(message: &'a [u8]) -> Self {
        Self::with_options(message, &Options::STRICT)
    }

    /// A reader with these limits and tolerances.
    #[inline]
    pub const fn with_options(message: &'a [u8], options: &'a Options) -> Self {
        Self { data: message, position: 0, depth: 0, options }
    }

    /// Where the next item begins, in bytes from the start of the message.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.position
    }

    /// How many structures the cursor is inside of.
    #[inline]
    pub const fn depth(&self) -> u16 {
        self.depth
    }

    /// The bytes that are not read yet: encoded items.
    pub fn rest(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    #[inline(always)]
    fn read(&mut self) -> Result<Item<'a>, Error> {
        let Self { data, position, depth, options } = *self;
        let header = header::read(data, position, depth, options)?;
        header::check_padding(data, &header, options)?;
        let word = header::fixed(data, &header);
        let value = match header.item_type() {
            ItemType::Structure => {
                let depth = header::enter(depth, header.offset, options)?;
                let data = data.get(..header.end()).unwrap_or_default();
                Value::Structure(Reader { data, position: header.value(), depth, options })
            }
            ItemType::Integer => Value::Integer(header::upper(word).cast_signed()),
            ItemType::LongInteger => Value::LongInteger(word.cast_signed()),
            ItemType::BigInteger => Value::BigInteger(header::bytes(data, &header)),
            ItemType::Enumeration => Value::Enumeration(header::upper(word)),
            ItemType::Boolean => Value::Boolean(header::boolean(word, &header, options)?),
            ItemType::TextString => Value::TextString(header::text(data, &header)?),
            ItemType::ByteString => Value::ByteString(header::bytes(data, &header)),
            ItemType::DateTime => Value::DateTime(word.cast_signed()),
            ItemType::Interval => Value::Interval(header::upper(word)),
            ItemType::DateTimeExtended => Value::DateTimeExtended(word.cast_signed()),
        };
        self.position = header.end();
        Ok(Item { tag: header.tag(), value, offset: header.offset })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Item<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.data.len() {
            return None;
        }
        let item = self.read();
        if item.is_err() {
            self.position = self.data.len();
        }
        Some(item)
    }
}

impl std::iter::FusedIterator for Reader<'_> {}

/// The place only: the message may hold secrets.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader(at {}, {} bytes left)", self.position, self.rest().len())
    }
}

/// Of text and bytes the length only: they may be secret.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.item_type().name();
        match self {
            Self::Structure(items) => write!(f, "{name}({items:?})"),
            Self::Integer(value) => write!(f, "{name}({value})"),
            Self::LongInteger(value) => write!(f, "{name}({value})"),
            Self::Enumeration(value) => write!(f, "{name}(0x{value:08x})"),
            Self::Boolean(value) => write!(f, "{name}({value})"),
            Self::DateTime(value) | Self::DateTimeExtended(value) => write!(f, "{name}({value})"),
            Self::Interval(value) => write!(f, "{name}({value})"),
            Self::TextString(value) => write!(f, "{name}({} bytes)", value.len()),
            Self::BigInteger(value) | Self::ByteString(value) => {
                write!(f, "{name}({} bytes)", value.len())
            }
        }
    }
}

/// Readers are equal when the same bytes are left to read.
impl PartialEq for Reader<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rest() == other.rest()
    }
}

impl Eq for Reader<'_> {}
