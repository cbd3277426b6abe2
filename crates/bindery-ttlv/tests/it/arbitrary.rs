//! Any tree survives; any bytes are answered without a panic, and strict is within lenient.

use bindery_ttlv::{
    Options, RawItem, Reader, Tag, Tree, Value, Walk, Writer, decode_slice, decode_with, to_bytes,
};
use bytes::Bytes;
use proptest::prelude::*;

use crate::derive::CREATE;
use crate::messages::Request;
use crate::{bytes, write};

/// A message as a value, for the tests only.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Structure(Vec<(Tag, Self)>),
    Integer(i32),
    LongInteger(i64),
    BigInteger(Vec<u8>),
    Enumeration(u32),
    Boolean(bool),
    TextString(String),
    ByteString(Vec<u8>),
    DateTime(i64),
    Interval(u32),
    DateTimeExtended(i64),
}

fn tags() -> impl Strategy<Value = Tag> {
    prop_oneof![0x42_0000..=0x42_FFFF_u32, 0x54_0000..=0x54_FFFF_u32].prop_map(Tag::from_low_bits)
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Node::Integer),
        any::<i64>().prop_map(Node::LongInteger),
        (1..4_usize)
            .prop_flat_map(|n| prop::collection::vec(any::<u8>(), 8 * n))
            .prop_map(Node::BigInteger),
        any::<u32>().prop_map(Node::Enumeration),
        any::<bool>().prop_map(Node::Boolean),
        ".{0,40}".prop_map(Node::TextString),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Node::ByteString),
        any::<i64>().prop_map(Node::DateTime),
        any::<u32>().prop_map(Node::Interval),
        any::<i64>().prop_map(Node::DateTimeExtended),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        prop::collection::vec((tags(), inner), 0..6).prop_map(Node::Structure)
    })
}

fn put(tag: Tag, node: &Node, w: &mut Writer<'_>) {
    match node {
        Node::Structure(items) => {
            w.structure(tag, |w| items.iter().for_each(|(tag, node)| put(*tag, node, w)));
        }
        Node::Integer(value) => w.integer(tag, *value),
        Node::LongInteger(value) => w.long_integer(tag, *value),
        Node::BigInteger(value) => w.big_integer(tag, value),
        Node::Enumeration(value) => w.enumeration(tag, *value),
        Node::Boolean(value) => w.boolean(tag, *value),
        Node::TextString(value) => w.text_string(tag, value),
        Node::ByteString(value) => w.byte_string(tag, value),
        Node::DateTime(value) => w.date_time(tag, *value),
        Node::Interval(value) => w.interval(tag, *value),
        Node::DateTimeExtended(value) => w.date_time_extended(tag, *value),
    }
}

fn get(value: Value<'_>) -> Node {
    match value {
        Value::Structure(items) => Node::Structure(
            items
                .map(|item| item.map(|item| (item.tag, get(item.value))))
                .collect::<Result<_, _>>()
                .expect("items"),
        ),
        Value::Integer(value) => Node::Integer(value),
        Value::LongInteger(value) => Node::LongInteger(value),
        Value::BigInteger(value) => Node::BigInteger(value.to_vec()),
        Value::Enumeration(value) => Node::Enumeration(value),
        Value::Boolean(value) => Node::Boolean(value),
        Value::TextString(value) => Node::TextString(value.to_owned()),
        Value::ByteString(value) => Node::ByteString(value.to_vec()),
        Value::DateTime(value) => Node::DateTime(value),
        Value::Interval(value) => Node::Interval(value),
        Value::DateTimeExtended(value) => Node::DateTimeExtended(value),
        other => panic!("{other:?}"),
    }
}

fn raw(message: &Bytes, options: &Options) -> Option<RawItem> {
    decode_with(message, options, |element| element.raw_item()).ok()
}

/// What holds for any bytes.
fn invariants(message: &Bytes) {
    let (strict, lenient) = (raw(message, &Options::STRICT), raw(message, &Options::LENIENT));
    let walked = Walk::new(message, &Options::STRICT).all(|visit| visit.is_ok());
    if let Some(item) = &strict {
        assert!(walked, "the walk accepts what the typed decoder accepts");
        assert_eq!(strict, lenient, "lenient accepts it with the same values");
        assert_eq!(write(|w| w.raw(item.tag, &item.value)), message, "and it is written as it was");
    }
    if let Some(item) = &lenient {
        let canonical = write(|w| w.raw(item.tag, &item.value));
        assert_eq!(raw(&canonical, &Options::LENIENT).as_ref(), Some(item));
    }
    if let Ok(request) = decode_slice::<Request>(message, &Options::STRICT) {
        assert_eq!(to_bytes(&request).expect("short enough"), message);
    }
    let _ = decode_slice::<Request>(message, &Options::LENIENT);
    assert!(
        Tree::new(message).with_offsets(true).full(true).to_string().len()
            <= 400 * (message.len() + 1)
    );
}

type To = fn(&[u8], &Options, &mut Vec<u8>) -> Result<(), bindery_ttlv::FormError>;
type From = fn(&[u8], &Options, &mut Vec<u8>) -> Result<usize, bindery_ttlv::FormError>;
const FORMS: [(To, From); 2] = [
    (bindery_ttlv::to_xml, bindery_ttlv::from_xml),
    (bindery_ttlv::to_json, bindery_ttlv::from_json),
];

/// A message that a form takes comes back the same.
fn forms(message: &[u8]) {
    for (place, (to, from)) in FORMS.into_iter().enumerate() {
        let mut text = Vec::new();
        if let Err(error) = to(message, &Options::STRICT, &mut text) {
            // Text that XML cannot carry.
            assert!(place == 0 && error.to_string().contains("character"), "{error}");
            continue;
        }
        let mut read = Vec::new();
        from(&text, &Options::STRICT, &mut read).expect("what was written is read");
        assert_eq!(read, message, "{}", String::from_utf8_lossy(&text));
    }
}

proptest! {
    #[test]
    fn trees_survive(tag in tags(), node in nodes()) {
        let message = write(|w| put(tag, &node, w));
        let item = Reader::new(&message).next().expect("an item").expect("well formed");
        prop_assert_eq!((item.tag, get(item.value)), (tag, node));
        invariants(&message);
        forms(&message);
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        let _ = bindery_ttlv::from_xml(text.as_bytes(), &Options::STRICT, &mut Vec::new());
        let _ = bindery_ttlv::from_json(text.as_bytes(), &Options::STRICT, &mut Vec::new());
    }

    #[test]
    fn a_text_with_a_byte_changed(tag in tags(), node in nodes(), at in any::<prop::sample::Index>(), byte: u8) {
        let message = write(|w| put(tag, &node, w));
        for (to, from) in FORMS {
            let mut text = Vec::new();
            if to(&message, &Options::STRICT, &mut text).is_ok() {
                let at = at.index(text.len());
                text[at] = byte;
                let mut read = Vec::new();
                if from(&text, &Options::STRICT, &mut read).is_ok() {
                    invariants(&read.into());
                }
            }
        }
    }

    #[test]
    fn any_bytes(message in prop::collection::vec(any::<u8>(), 0..200)) {
        invariants(&message.into());
    }

    #[test]
    fn a_message_with_bytes_changed(changes in prop::collection::vec((0..368_usize, any::<u8>()), 1..4)) {
        let mut message = bytes(CREATE).to_vec();
        for (at, byte) in changes {
            message[at] = byte;
        }
        invariants(&message.into());
    }

    #[test]
    fn a_tree_with_a_byte_changed(tag in tags(), node in nodes(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut message = write(|w| put(tag, &node, w)).to_vec();
        let at = at.index(message.len());
        message[at] = byte;
        invariants(&message.into());
    }
}
