//! TTLV written and read by a few lines of its own (KMIP 1.4, section 9.1), so that the codec is not its own judge.
//!
//! Tags are given without their leading `42`.

/// A request message's tag.
pub const REQUEST_MESSAGE: u16 = 0x78;
/// A response message's tag.
pub const RESPONSE_MESSAGE: u16 = 0x7b;

/// The operations of [`OPERATIONS`] that our client has a method for.
pub const CLIENT_OPERATIONS: [u32; 11] =
    [0x01, 0x03, 0x08, 0x0a, 0x0b, 0x0c, 0x12, 0x13, 0x14, 0x18, 0x1e];

/// The operations that the key server has in KMIP 1.4, by number.
pub const OPERATIONS: [u32; 36] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12,
    0x13, 0x14, 0x15, 0x16, 0x18, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
    0x28, 0x29, 0x2a, 0x2b,
];

/// An item: tag, type, length, value, padding.
#[must_use]
pub fn item(tag: u16, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x42];
    octets.extend(tag.to_be_bytes());
    octets.push(kind);
    octets.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(8), 0);
    octets
}

/// A Structure.
#[must_use]
pub fn structure(tag: u16, items: &[Vec<u8>]) -> Vec<u8> {
    item(tag, 0x01, &items.concat())
}

/// An Integer.
#[must_use]
pub fn integer(tag: u16, value: i32) -> Vec<u8> {
    item(tag, 0x02, &value.to_be_bytes())
}

/// An Enumeration.
#[must_use]
pub fn enumeration(tag: u16, value: u32) -> Vec<u8> {
    item(tag, 0x05, &value.to_be_bytes())
}

/// A Text String.
#[must_use]
pub fn text(tag: u16, value: &str) -> Vec<u8> {
    item(tag, 0x07, value.as_bytes())
}

/// A Byte String.
#[must_use]
pub fn octets(tag: u16, value: &[u8]) -> Vec<u8> {
    item(tag, 0x08, value)
}

/// A Date-Time.
#[must_use]
pub fn date(tag: u16, seconds: i64) -> Vec<u8> {
    item(tag, 0x09, &seconds.to_be_bytes())
}

/// A Protocol Version.
#[must_use]
pub fn version(major: i32, minor: i32) -> Vec<u8> {
    structure(0x69, &[integer(0x6a, major), integer(0x6b, minor)])
}

/// A request message of one operation in a version; `fields` stand between version and Batch Count.
#[must_use]
pub fn request_in(
    version: Vec<u8>,
    fields: &[Vec<u8>],
    operation: u32,
    payload: &[Vec<u8>],
) -> Vec<u8> {
    let header = [vec![version], fields.to_vec(), vec![integer(0x0d, 1)]].concat();
    let batch_item = [enumeration(0x5c, operation), structure(0x79, payload)];
    structure(REQUEST_MESSAGE, &[structure(0x77, &header), structure(0x0f, &batch_item)])
}

/// A request message of one operation in version 1.4.
#[must_use]
pub fn request(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    request_in(version(1, 4), &[], operation, payload)
}

/// A Query for operations and objects.
#[must_use]
pub fn query() -> Vec<u8> {
    request(0x18, &[enumeration(0x74, 1), enumeration(0x74, 2)])
}

/// A Create of a 256-bit AES key called `name`.
#[must_use]
pub fn create(name: &str) -> Vec<u8> {
    request(0x01, &create_payload(name))
}

/// What a Create of a 256-bit AES key called `name` asks.
#[must_use]
pub fn create_payload(name: &str) -> [Vec<u8>; 2] {
    let attribute = |name: &str, value| structure(0x08, &[text(0x0a, name), value]);
    let attributes = [
        attribute("Cryptographic Algorithm", enumeration(0x0b, 3)),
        attribute("Cryptographic Length", integer(0x0b, 256)),
        attribute("Cryptographic Usage Mask", integer(0x0b, 0x0c)),
        attribute("Name", structure(0x0b, &[text(0x55, name), enumeration(0x54, 1)])),
    ];
    [enumeration(0x57, 2), structure(0x91, &attributes)]
}

/// A response message in version 1.4 that answers one operation with success.
#[must_use]
pub fn response(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    let header = structure(0x7a, &[version(1, 4), date(0x92, 1_700_000_000), integer(0x0d, 1)]);
    let payload = structure(0x7c, payload);
    let batch_item = [enumeration(0x5c, operation), enumeration(0x7f, 0), payload];
    structure(RESPONSE_MESSAGE, &[header, structure(0x0f, &batch_item)])
}

/// A response message in version 1.4 that refuses the whole request, whatever it asked: General Failure.
#[must_use]
pub fn failure() -> Vec<u8> {
    let header = structure(0x7a, &[version(1, 4), date(0x92, 1_700_000_000), integer(0x0d, 1)]);
    let batch_item = [enumeration(0x7f, 1), enumeration(0x7e, 0x100), text(0x7d, "not today")];
    structure(RESPONSE_MESSAGE, &[header, structure(0x0f, &batch_item)])
}

/// The answer to a Query, with so many operations that coding it is worth while.
#[must_use]
pub fn query_response() -> Vec<u8> {
    let operations: Vec<_> =
        OPERATIONS.iter().map(|operation| enumeration(0x5c, *operation)).collect();
    response(0x18, &operations)
}

/// An item that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Where it begins in the message.
    pub offset: usize,
    /// The tag without its leading `42`.
    pub tag: u16,
    /// The type.
    pub kind: u8,
    /// The value without padding; empty for a Structure.
    pub value: Vec<u8>,
    /// The items of a Structure.
    pub items: Vec<Self>,
}

impl Item {
    /// The first item at a path of tags below this one.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn at(&self, path: &[u16]) -> &Self {
        self.get(path).unwrap_or_else(|| panic!("nothing at {path:x?} of {self:x?}"))
    }

    /// The first item at a path of tags below this one, if there is one.
    #[must_use]
    pub fn get(&self, path: &[u16]) -> Option<&Self> {
        path.iter().try_fold(self, |item, tag| item.items.iter().find(|item| item.tag == *tag))
    }

    /// The items with a tag in this Structure.
    pub fn all(&self, tag: u16) -> impl Iterator<Item = &Self> {
        self.items.iter().filter(move |item| item.tag == tag)
    }

    /// The number that an Integer, Enumeration, Boolean, Date-Time or Interval holds.
    #[must_use]
    pub fn number(&self) -> i64 {
        match *self.value.as_slice() {
            [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
            [a, b, c, d, e, f, g, h] => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => panic!("no number: {self:x?}"),
        }
    }

    /// The text that a Text String holds.
    #[must_use]
    pub fn text(&self) -> &str {
        assert_eq!(self.kind, 0x07, "no text: {self:x?}");
        std::str::from_utf8(&self.value).unwrap()
    }

    /// This item and all below it, in the order of their beginnings.
    #[must_use]
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while next < all.len() {
            all.extend(&all[next].items);
            next += 1;
        }
        all.sort_by_key(|item| item.offset);
        all
    }
}

/// Reads octets that are exactly one message with this tag, in canonical form.
///
/// # Errors
/// What is wrong, and at which offset.
pub fn message(octets: &[u8], tag: u16) -> Result<Item, String> {
    let mut items = read(octets, 0)?;
    match (items.pop(), items.len()) {
        (Some(only), 0) if only.tag == tag && only.kind == 0x01 => Ok(only),
        (Some(other), 0) => Err(format!("another item than the message: {other:x?}")),
        (_, more) => Err(format!("{} items where one message belongs", more)),
    }
}

/// Reads octets that are exactly one response message.
///
/// # Panics
/// They are not.
#[must_use]
pub fn response_message(octets: &[u8]) -> Item {
    message(octets, RESPONSE_MESSAGE).unwrap_or_else(|fault| panic!("{fault}: {octets:02x?}"))
}

fn read(mut octets: &[u8], mut offset: usize) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while !octets.is_empty() {
        let Some((head, rest)) = octets.split_first_chunk::<8>() else {
            return Err(format!("{} octets at {offset} are no item", octets.len()));
        };
        let [0x42, tag @ .., kind, a, b, c, d] = *head else {
            return Err(format!("no tag at {offset}: {head:02x?}"));
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let padded = length.next_multiple_of(8);
        let (Some(value), Some(padding)) = (rest.get(..length), rest.get(length..padded)) else {
            return Err(format!("the item at {offset} is longer than what is left"));
        };
        if padding.iter().any(|octet| *octet != 0) {
            return Err(format!("the padding of the item at {offset} is not zero"));
        }
        let (value, below) = match kind {
            0x01 => (Vec::new(), read(value, offset + 8)?),
            0x02..=0x0b => (value.to_vec(), Vec::new()),
            _ => return Err(format!("the item at {offset} has the type {kind:#04x}")),
        };
        let tag = u16::from_be_bytes(tag);
        items.push(Item { offset, tag, kind, value, items: below });
        offset += 8 + padded;
        octets = &rest[padded..];
    }
    Ok(items)
}
