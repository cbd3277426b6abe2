//! Bytes that are no message: each is refused with its kind and place, and each tolerance lets its own pass.

use bindery_ttlv::{
    Error, ErrorKind, ItemType, Limit, Limits, Options, RawItem, RawValue, Reader, Tag, Tolerance,
    Tree, Value, Walk, decode, decode_slice, decode_with, to_bytes,
};
use bytes::Bytes;

use crate::derive::CREATE;
use crate::messages::Request;
use crate::{bytes, write};

/// The error of a typed decoding that keeps any item.
#[track_caller]
fn refused(message: &Bytes, options: &Options) -> Error {
    let raw = decode_with(message, options, |element| element.raw_item()).unwrap_err();
    let walked = Walk::new(message, options).find_map(Result::err);
    assert!(
        walked.is_none_or(|walked| walked.kind() == raw.kind() && walked.offset() == raw.offset()),
        "the walk and the typed decoder agree"
    );
    raw
}

#[track_caller]
fn check(hex: &str, kind: ErrorKind, offset: usize) {
    let error = refused(&bytes(hex), &Options::STRICT);
    assert_eq!((error.kind(), error.offset()), (&kind, offset), "{error}");
}

/// Refused by the strict reader with this kind, and accepted with one tolerance, then written canonically.
#[track_caller]
fn tolerated(hex: &str, kind: ErrorKind, offset: usize, tolerance: Tolerance, canonical: &str) {
    check(hex, kind, offset);
    let options = Options::STRICT.with_tolerance(tolerance);
    let item = decode_with(&bytes(hex), &options, |element| element.raw_item()).unwrap();
    assert_eq!(write(|w| w.raw(item.tag, &item.value)), bytes(canonical));
}

#[test]
fn truncated_at_every_byte() {
    let nested = "42002001000000204200040500000004000000fe000000004200050200000004000000ff00000000";
    let text = "420020070000000b48656c6c6f20576f726c640000000000";
    for message in [bytes(CREATE), bytes(nested), bytes(text)] {
        for length in 0..message.len() {
            let cut = message.slice(..length);
            let error = refused(&cut, &Options::STRICT);
            assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{length}: {error}");
            assert_eq!(error.offset(), 0);
            assert!(refused(&cut, &Options::LENIENT).offset() == 0);
            // With the outer length made to fit, the fault is inside.
            if length >= 8 && message[3] == 1 {
                let mut shorter = cut.to_vec();
                shorter[4..8].copy_from_slice(&u32::try_from(length - 8).unwrap().to_be_bytes());
                let inside = decode_with(&shorter.into(), &Options::STRICT, |e| e.raw_item());
                assert!(inside.is_err() || length % 8 == 0);
            }
        }
        assert!(decode_with(&message, &Options::STRICT, |e| e.raw_item()).is_ok());
    }
}

/// Every length field of a message set to every wrong small value and to the extremes: never accepted as it was.
#[test]
fn every_wrong_length() {
    let message = bytes(CREATE);
    let options = Options::STRICT;
    let offsets: Vec<usize> =
        Walk::new(&message, &options).map(|visit| visit.unwrap().item.offset).collect();
    assert_eq!(offsets.len(), 25);
    for offset in offsets {
        let field = offset + 4..offset + 8;
        let right = u32::from_be_bytes(message[field.clone()].try_into().unwrap());
        for wrong in
            (0..=400).chain([0x7FFF_FFF8, 0xFFFF_FFF8, u32::MAX]).filter(|&wrong| wrong != right)
        {
            let mut changed = message.to_vec();
            changed[field.clone()].copy_from_slice(&wrong.to_be_bytes());
            match decode_slice::<Request>(&changed, &options) {
                // A text that leaves out or takes in padding is another text; it is at least still the same bytes.
                Ok(request) => assert_eq!(to_bytes(&request).unwrap(), changed),
                Err(error) => assert!(error.offset() >= offset.saturating_sub(160), "{error}"),
            }
        }
    }
}

#[test]
fn lengths_of_each_type() {
    let integer = |found| ErrorKind::Length { item_type: ItemType::Integer, found };
    check("42002002000000080000000800000000", integer(8), 0);
    check("4200200200000003000000080000000042002002", integer(3), 0);
    let kind = ErrorKind::Length { item_type: ItemType::BigInteger, found: 4 };
    check("42002004000000040000000800000000", kind, 0);
    check("4200200400000000", ErrorKind::Length { item_type: ItemType::BigInteger, found: 0 }, 0);
    check(
        "42002006000000040000000100000000",
        ErrorKind::Length { item_type: ItemType::Boolean, found: 4 },
        0,
    );
    let kind = ErrorKind::Length { item_type: ItemType::Structure, found: 12 };
    check("420020010000000c420004050000000400000000", kind, 0);
}

#[test]
fn an_item_that_leaves_its_structure() {
    let kind = ErrorKind::Overrun { needed: 16, available: 8 };
    check("42000f01000000084200040500000004", kind, 8);
    let kind = ErrorKind::Overrun { needed: 24, available: 16 };
    check("42000f010000001042009407000000100000000000000000", kind, 8);
}

#[test]
fn four_gibibytes_are_neither_read_nor_reserved() {
    let limit = |limit, maximum| ErrorKind::Limit { limit, maximum };
    check("42007801fffffff8", ErrorKind::Truncated { needed: 1 << 32, available: 8 }, 0);
    check("42009407ffffffff", limit(Limit::TextLength, 1 << 20), 0);
    check("42000f010000000842009408ffffffff", limit(Limit::BytesLength, 16 << 20), 8);
}

#[test]
fn a_depth_bomb_is_refused_at_the_limit() {
    const LEVELS: usize = 1_000_000;
    let mut message = Vec::with_capacity(8 * LEVELS);
    for level in (0..LEVELS).rev() {
        message.extend_from_slice(&[0x42, 0x00, 0x0F, 0x01]);
        message.extend_from_slice(&u32::try_from(8 * level).unwrap().to_be_bytes());
    }
    let message = Bytes::from(message);
    let error = refused(&message, &Options::STRICT);
    assert_eq!(error.kind(), &ErrorKind::Limit { limit: Limit::Depth, maximum: 64 });
    assert_eq!(error.offset(), 8 * 64);
    assert_eq!(error.path().len(), 16);
    let text = error.to_string();
    assert!(text.contains("BatchItem/... (49 more): the limit depth is 64; send less"), "{text}");
    assert!(decode::<Request>(&message, &Options::LENIENT).is_err());
    // Even with the limits opened it ends, without recursion.
    let open = Limits::DEFAULT.with_depth(u16::MAX).with_items(u32::MAX);
    let error = refused(&message, &Options::STRICT.with_limits(open));
    assert_eq!(error.offset(), 8 * usize::from(u16::MAX));
    assert!(Tree::new(&message).to_string().lines().count() == 65);
}

#[test]
fn limits() {
    let message = bytes(CREATE);
    let with = |limits| refused(&message, &Options::STRICT.with_limits(limits));
    let fits = |limits| decode::<Request>(&message, &Options::STRICT.with_limits(limits)).is_ok();
    let limits = Limits::DEFAULT;
    for (short, exact, limit, maximum) in [
        (
            limits.with_message_length(367),
            limits.with_message_length(368),
            Limit::MessageLength,
            367,
        ),
        (limits.with_depth(5), limits.with_depth(6), Limit::Depth, 5),
        (limits.with_items(24), limits.with_items(25), Limit::Items, 24),
        (limits.with_text_length(23), limits.with_text_length(24), Limit::TextLength, 23),
    ] {
        assert_eq!(with(short).kind(), &ErrorKind::Limit { limit, maximum });
        assert!(decode::<Request>(&message, &Options::STRICT.with_limits(short)).is_err());
        assert!(fits(exact), "{limit:?}");
    }
    let key = write(|w| w.byte_string(Tag::KEY, &[0; 9]));
    let short = Options::STRICT.with_limits(limits.with_bytes_length(8));
    assert_eq!(
        refused(&key, &short).kind(),
        &ErrorKind::Limit { limit: Limit::BytesLength, maximum: 8 }
    );
}

#[test]
fn padding() {
    let tolerance = {
        let mut t = Tolerance::STRICT;
        t.dirty_padding = true;
        t
    };
    tolerated(
        "42002002000000040000000800000001",
        ErrorKind::Padding,
        12,
        tolerance,
        "42002002000000040000000800000000",
    );
    tolerated(
        "42002008000000030102030000000100",
        ErrorKind::Padding,
        11,
        tolerance,
        "42002008000000030102030000000000",
    );
    tolerated(
        "42000f01000000204200200700000001ff00000000000000420020070000000161ffffffffffffff"
            .replace("01ff", "0161")
            .as_str(),
        ErrorKind::Padding,
        33,
        tolerance,
        "42000f0100000020420020070000000161000000000000004200200700000001 6100000000000000",
    );
}

#[test]
fn booleans() {
    let tolerance = {
        let mut t = Tolerance::STRICT;
        t.boolean_values = true;
        t
    };
    let (hex, canonical) = ("42002006000000080000000000000002", "42002006000000080000000000000001");
    tolerated(hex, ErrorKind::Boolean { found: 2 }, 8, tolerance, canonical);
    let hex = "42002006000000080100000000000000";
    tolerated(hex, ErrorKind::Boolean { found: 1 << 56 }, 8, tolerance, canonical);
    let options = Options::STRICT.with_tolerance(tolerance);
    assert!(decode_with(&bytes(hex), &options, |e| e.boolean()).unwrap());
    assert_eq!(
        Reader::with_options(&bytes(hex), &options).next().unwrap().unwrap().value,
        Value::Boolean(true)
    );
}

#[test]
fn tags_and_types() {
    let tolerance = {
        let mut t = Tolerance::STRICT;
        t.tag_ranges = true;
        t
    };
    let found = Tag::from_low_bits(0x43_0020);
    let hex = "43002002000000040000000800000000";
    tolerated(hex, ErrorKind::TagRange { found }, 0, tolerance, hex);
    check("42002000000000040000000800000000", ErrorKind::TypeCode { found: 0 }, 0);
    check("4200200c000000040000000800000000", ErrorKind::TypeCode { found: 12 }, 0);
    check(
        "42000f0100000010420020ff000000040000000800000000",
        ErrorKind::TypeCode { found: 255 },
        8,
    );
    let vendor = bytes("54ffff02000000040000000800000000");
    assert!(decode_with(&vendor, &Options::STRICT, |e| e.integer()).is_ok());
}

#[test]
fn text_must_be_utf8() {
    check("420020070000000361ff620000000000", ErrorKind::Utf8, 9);
    let message = bytes("420020070000000361ff620000000000");
    for options in [Options::STRICT, Options::LENIENT] {
        assert_eq!(
            decode_with(&message, &options, |e| e.text()).unwrap_err().kind(),
            &ErrorKind::Utf8
        );
        assert_eq!(
            decode_with(&message, &options, |e| e.text_str().map(drop)).unwrap_err().offset(),
            9
        );
    }
}

#[test]
fn trailing_data() {
    let message = [bytes(CREATE), bytes("00")].concat();
    let error = decode_slice::<Request>(&message, &Options::STRICT).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (&ErrorKind::TrailingData { count: 1 }, 368));
    assert!(decode_slice::<Request>(&message, &Options::LENIENT).is_err());
}

#[test]
fn another_type_than_the_field_has() {
    let mut message = bytes(CREATE).to_vec();
    // Operation, at offset 80, as an Integer.
    assert_eq!(message[80..84], [0x42, 0x00, 0x5C, 0x05]);
    message[83] = 0x02;
    let error = decode_slice::<Request>(&message, &Options::STRICT).unwrap_err();
    assert_eq!(
        error.to_string(),
        "TTLV: at offset 80, RequestMessage/BatchItem/Operation: expected Enumeration, found Integer; send the field \
         in the type that the specification gives it"
    );
    assert_eq!(error.path(), [Tag::REQUEST_MESSAGE, Tag::BATCH_ITEM, Tag::OPERATION]);
}

#[test]
fn a_reader_stops_at_an_error() {
    let message = bytes(
        "42000d020000000400000001000000004200200c00000004000000080000000042000d02000000040000000100000000",
    );
    let mut reader = Reader::new(&message);
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().is_err());
    assert_eq!((reader.next(), reader.next()), (None, None));
    let options = Options::STRICT;
    let mut walk = Walk::new(&message, &options);
    assert!(walk.next().unwrap().is_ok() && walk.next().unwrap().is_err() && walk.next().is_none());
}

#[test]
fn raw_values_are_canonical_and_decode() {
    let raw = RawValue::of(&7_i32);
    assert_eq!((raw.item_type(), raw.as_bytes()), (ItemType::Integer, &[0, 0, 0, 7][..]));
    assert_eq!(raw.decode::<i32>(&Options::STRICT).unwrap(), 7);
    assert!(raw.decode::<bool>(&Options::STRICT).is_err());
    assert_eq!(raw.items().count(), 0);
    let structure = RawValue::of(&bindery_ttlv::ProtocolVersion::V1_2);
    assert_eq!(
        structure.items().map(|item| item.unwrap().value).collect::<Vec<_>>(),
        [Value::Integer(1), Value::Integer(2)]
    );
    let item = RawItem::new(Tag::COMMENT, RawValue::of("secret"));
    assert_eq!(format!("{item:?}"), "RawItem(Comment, Text String, 6 bytes)");
}
