//! Items that no type knows: checked, kept as bytes, written back.

use std::fmt;

use bytes::Bytes;

use crate::element::Shared;
use crate::header::{self, Header};
use crate::{Decode, Element, Encode, Error, ItemType, Options, Reader, Tag, Writer};

/// A value of any type, kept as its encoded bytes: checked as far down as it goes, and canonical (the padding and the
/// Booleans that a tolerance let pass were repaired; tags outside the ranges are kept as they are).
///
/// Decoded from `Bytes` it is a slice of the message; nothing is copied.
#[derive(Clone, PartialEq, Eq)]
pub struct RawValue {
    item_type: ItemType,
    length: u32,
    /// The value with its padding.
    body: Bytes,
}

/// A value with its tag, and the place in its structure where it stood.
#[derive(Clone, PartialEq, Eq)]
pub struct RawItem {
    /// What the item means.
    pub tag: Tag,
    /// Its value.
    pub value: RawValue,
    place: Place,
}

/// Where an item stood that its structure does not know: behind the `nth` item of the field number `field`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) field: u16,
    pub(crate) nth: u32,
}

impl Place {
    pub(crate) const START: Self = Self { field: 0, nth: 0 };
    pub(crate) const END: Self = Self { field: u16::MAX, nth: u32::MAX };
}

impl RawValue {
    /// The encoded form of a typed value.
    pub fn of<T: Encode + ?Sized>(value: &T) -> Self {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer);
        value.encode(Tag::ATTRIBUTE_VALUE, &mut writer);
        // Without a maximum only 4 GiB can fail; a value of a type that writes nothing is an empty structure.
        let written = writer.finish().unwrap_or(0);
        let (item_type, length) = match header::peek(&buffer, 0) {
            Some((_, code, length)) if written >= 8 => {
                (ItemType::from_code(code).unwrap_or(ItemType::Structure), length)
            }
            _ => (ItemType::Structure, 0),
        };
        let body = Bytes::from(buffer).slice(written.min(8)..written);
        Self { item_type, length, body }
    }

    /// The type on the wire.
    pub const fn item_type(&self) -> ItemType {
        self.item_type
    }

    /// The value's bytes without padding; a structure's are its encoded items.
    pub fn as_bytes(&self) -> &[u8] {
        self.body.get(..self.length as usize).unwrap_or_default()
    }

    /// The value as a type. Offsets in an error count from the value's own (absent) header.
    ///
    /// # Errors
    /// As the type's own decoder.
    pub fn decode<T: Decode>(&self, options: &Options) -> Result<T, Error> {
        let item = self.encoded(Tag::ATTRIBUTE_VALUE);
        crate::decode_with(&item, options, T::decode)
    }

    /// The items of a structure; an empty reader for any other type.
    pub fn items(&self) -> Reader<'_> {
        match self.item_type {
            ItemType::Structure => Reader::with_options(&self.body, &Options::LENIENT),
            _ => Reader::new(&[]),
        }
    }

    /// The whole item under a tag, header included.
    fn encoded(&self, tag: Tag) -> Bytes {
        let mut buffer = Vec::with_capacity(self.body.len() + 8);
        Writer::new(&mut buffer).raw(tag, self);
        Bytes::from(buffer)
    }

    pub(crate) fn parts(&self) -> (ItemType, u32, &[u8]) {
        (self.item_type, self.length, &self.body)
    }
}

impl RawItem {
    /// An item to be written behind the known fields of a structure.
    pub const fn new(tag: Tag, value: RawValue) -> Self {
        Self { tag, value, place: Place::END }
    }

    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn at(element: Element<'_>, place: Place) -> Result<Self, Error> {
        let tag = element.tag();
        Ok(Self { tag, value: element.raw()?, place })
    }
}

/// Decoding keeps the tag and puts the item behind the known fields.
impl Decode for RawItem {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        Self::at(element, Place::END)
    }
}

/// Written under the tag that is asked for; a list of unknown fields asks for each item's own.
impl Encode for RawItem {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.raw(tag, &self.value);
    }
}

impl Decode for RawValue {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        element.raw()
    }
}

impl Encode for RawValue {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.raw(tag, self);
    }
}

/// Type and length only: the value may be a secret.
impl fmt::Debug for RawValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawValue({}, {} bytes)", self.item_type, self.length)
    }
}

/// Tag, type and length only: the value may be a secret.
impl fmt::Debug for RawItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawItem({}, {}, {} bytes)", self.tag, self.value.item_type, self.value.length)
    }
}

/// Checks a value and everything in it, in one loop, and keeps it.
pub(crate) fn keep(shared: &Shared<'_>, header: Header, depth: u16) -> Result<RawValue, Error> {
    let mut repairs = Vec::new();
    check(shared, &header, &mut repairs)?;
    if header.item_type() == ItemType::Structure {
        check_items(shared, &header, depth, &mut repairs)?;
    }
    let (start, end) = (header.value(), header.end());
    let body = if repairs.is_empty() {
        shared.slice(start, end)
    } else {
        let mut copy = shared.data.get(start..end).unwrap_or_default().to_vec();
        for Repair { at, word } in repairs {
            if let Some(bytes) = copy.get_mut(at - start..at - start + 8) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
        }
        Bytes::from(copy)
    };
    Ok(RawValue { item_type: header.item_type(), length: header.length(), body })
}

/// Eight bytes that a tolerance let pass, as they should be.
struct Repair {
    at: usize,
    word: u64,
}

/// The items of a structure, depth first. `ends` holds where the structures around the current one end.
fn check_items(
    shared: &Shared<'_>,
    structure: &Header,
    depth: u16,
    repairs: &mut Vec<Repair>,
) -> Result<(), Error> {
    let mut depth = header::enter(depth, structure.offset, shared.options)?;
    let mut ends = Vec::new();
    let (mut position, mut end) = (structure.value(), structure.end());
    loop {
        while position == end {
            match ends.pop() {
                Some(outer) => end = outer,
                None => return Ok(()),
            }
            depth -= 1;
        }
        let data = shared.data.get(..end).unwrap_or_default();
        let item = header::read(data, position, depth, shared.options)?;
        shared.count(item.offset)?;
        check(shared, &item, repairs)?;
        position = item.end();
        if item.item_type() == ItemType::Structure {
            depth = header::enter(depth, item.offset, shared.options)?;
            ends.push(end);
            (position, end) = (item.value(), item.end());
        }
    }
}

/// Checks the value of one item (not a structure's items), and notes what has to be repaired.
fn check(shared: &Shared<'_>, item: &Header, repairs: &mut Vec<Repair>) -> Result<(), Error> {
    let (data, options) = (shared.data, shared.options);
    header::check_padding(data, item, options)?;
    match item.item_type() {
        ItemType::TextString => _ = header::text(data, item)?,
        ItemType::Boolean => {
            let word = header::fixed(data, item);
            if header::boolean(word, item, options)? && word != 1 {
                repairs.push(Repair { at: item.value(), word: 1 });
            }
        }
        _ => {}
    }
    let unused = item.length() & 7;
    if unused != 0 && options.tolerance.dirty_padding {
        let (at, mask) = (item.end() - 8, u64::MAX >> (8 * unused));
        let word = header::word(data, at);
        if word & mask != 0 {
            repairs.push(Repair { at, word: word & !mask });
        }
    }
    Ok(())
}
