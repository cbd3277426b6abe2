//! The TTLV codec: what holds for any octets.

use bindery_ttlv::registry::{
    AttestationType, CryptographicAlgorithm, NameType, ObjectType, Operation,
};
use bindery_ttlv::{
    Element, Encode, Error, Options, ProtocolVersion, RawItem, RawValue, Reader, Select, Tag, Text,
    Tree, Ttlv, Value, Walk, Writer, decode, decode_slice, decode_with, message_length, to_bytes,
};
use bytes::Bytes;

/// The strict readers: none panics, they agree with each other, and what they accept is written as it was.
pub fn strict(data: &[u8]) {
    let options = Options::STRICT;
    let message = Bytes::copy_from_slice(data);
    let item = decode_with(&message, &options, |element| element.raw_item());
    let copied = walk(data, &options);
    match (&item, &copied) {
        (Ok(item), Some(copied)) => {
            assert_eq!(write(item), data, "a raw item is written as it was");
            assert_eq!(copied, data, "the walked values are written as they were");
        }
        (Ok(_), None) => panic!("the walk refuses what the typed decoder accepts"),
        (Err(error), _) => {
            assert!(error.offset() <= data.len(), "an error lies in the message");
            assert!(!error.to_string().is_empty() && error.path().len() <= 16);
        }
    }
    if let Some(head) = data.first_chunk::<8>()
        && let Ok(length) = message_length(head, &options.limits)
        && item.is_ok()
    {
        assert_eq!(length, data.len(), "the frame is as long as the message");
    }
    // A line for every item, each bounded by what it shows.
    let printed = Tree::new(data).with_offsets(true).to_string();
    assert!(printed.len() <= 2048 * (data.len() / 8 + 2), "the tree is linear in the message");
}

/// The lenient readers: they accept all that the strict ones accept, with the same values, and write it canonically.
pub fn lenient(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    let strict = decode_with(&message, &Options::STRICT, |element| element.raw_item());
    let lenient = decode_with(&message, &Options::LENIENT, |element| element.raw_item());
    if let Ok(strict) = &strict {
        assert_eq!(lenient.as_ref().ok(), Some(strict), "lenient accepts what strict accepts");
    }
    if let Ok(item) = &lenient {
        assert!(
            walk(data, &Options::LENIENT).is_some(),
            "the walk accepts what the typed decoder accepts"
        );
        let canonical = write(item);
        assert_eq!(canonical.len(), data.len(), "no tolerance changes a length");
        let again =
            decode_with(&canonical.clone().into(), &Options::LENIENT, |element| element.raw_item());
        assert_eq!(again.as_ref().ok(), Some(item), "the canonical form has the same value");
        assert_eq!(write(item), canonical);
    }
    if let Ok(strict) = decode::<Message>(&message, &Options::STRICT) {
        assert_eq!(decode::<Message>(&message, &Options::LENIENT).ok(), Some(strict));
    }
}

/// Typed messages: octets to value to octets to value.
pub fn decode_encode_decode(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    if let Ok(value) = decode::<Message>(&message, &Options::STRICT) {
        assert_eq!(
            to_bytes(&value).expect("as short as before"),
            message,
            "a strict message is written as it was"
        );
        assert_eq!(
            decode_slice::<Message>(data, &Options::STRICT).ok(),
            Some(value),
            "borrowed or not is the same"
        );
    }
    if let Ok(value) = decode::<Message>(&message, &Options::LENIENT) {
        let written = to_bytes(&value).expect("no longer than before");
        let again =
            decode::<Message>(&written, &Options::LENIENT).expect("what was written is read");
        assert_eq!(to_bytes(&again).expect("as short as before"), written, "writing is stable");
    }
}

fn write(item: &RawItem) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer);
    writer.raw(item.tag, &item.value);
    writer.finish().expect("as short as the message it came from");
    buffer
}

/// Walks a message and writes every value again; `None` if it is malformed.
fn walk(data: &[u8], options: &Options) -> Option<Vec<u8>> {
    for visit in Walk::new(data, options) {
        visit.ok()?;
    }
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer);
    copy(Reader::with_options(data, options), &mut writer)?;
    writer.finish().ok()?;
    Some(buffer)
}

/// The depth limit of the reader bounds the recursion.
fn copy(items: Reader<'_>, writer: &mut Writer<'_>) -> Option<()> {
    for item in items {
        let item = item.ok()?;
        match item.value {
            Value::Structure(inner) => {
                let mut done = None;
                writer.structure(item.tag, |writer| done = copy(inner, writer));
                done?;
            }
            Value::Integer(value) => writer.integer(item.tag, value),
            Value::LongInteger(value) => writer.long_integer(item.tag, value),
            Value::BigInteger(value) => writer.big_integer(item.tag, value),
            Value::Enumeration(value) => writer.enumeration(item.tag, value),
            Value::Boolean(value) => writer.boolean(item.tag, value),
            Value::TextString(value) => writer.text_string(item.tag, value),
            Value::ByteString(value) => writer.byte_string(item.tag, value),
            Value::DateTime(value) => writer.date_time(item.tag, value),
            Value::Interval(value) => writer.interval(item.tag, value),
            Value::DateTimeExtended(value) => writer.date_time_extended(item.tag, value),
            other => panic!("a value of no known type: {other:?}"),
        }
    }
    Some(())
}

/// A message that uses every attribute of the derive: required, optional, repeated, selected and unknown fields, and
/// a choice.
#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_MESSAGE)]
struct Message {
    header: Header,
    items: Vec<BatchItem>,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_HEADER)]
struct Header {
    protocol_version: ProtocolVersion,
    #[ttlv(tag = MAXIMUM_RESPONSE_SIZE)]
    maximum_response_size: Option<i32>,
    attestation_types: Vec<AttestationType>,
    #[ttlv(tag = BATCH_ORDER_OPTION)]
    batch_order: Option<bool>,
    #[ttlv(tag = BATCH_COUNT)]
    batch_count: i32,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = BATCH_ITEM)]
struct BatchItem {
    operation: Operation,
    #[ttlv(tag = UNIQUE_BATCH_ITEM_ID)]
    id: Option<Bytes>,
    #[ttlv(tag = REQUEST_PAYLOAD, select = operation)]
    payload: Payload,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Payload {
    Create(Create),
    Other(RawValue),
}

impl Select<Operation> for Payload {
    fn decode_selected(key: &Operation, element: Element<'_>) -> Result<Self, Error> {
        match *key {
            Operation::CREATE => element.decode().map(Self::Create),
            _ => element.raw().map(Self::Other),
        }
    }
}

impl Encode for Payload {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Create(payload) => payload.encode(tag, writer),
            Self::Other(payload) => payload.encode(tag, writer),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
struct Create {
    object_type: ObjectType,
    #[ttlv(choice)]
    parts: Vec<Part>,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
enum Part {
    Algorithm(CryptographicAlgorithm),
    Name(Name),
    #[ttlv(tag = TEMPLATE_ATTRIBUTE)]
    Template(RawValue),
}

/// Without a place for unknown fields: strict refuses them, lenient drops them.
#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = NAME)]
struct Name {
    #[ttlv(tag = NAME_VALUE)]
    value: Text,
    name_type: NameType,
}
