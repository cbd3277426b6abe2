//! The ten examples of KMIP 1.4, section 9.1.2 (the same in 1.0 to 2.1), and what the section says of each type.

use bindery_ttlv::{
    BigInteger, DateTime, DateTimeExtended, Decode, Encode, Interval, Options, Reader, Tag, Text,
    Tree, Value, Walk, Writer, decode_with,
};
use bytes::Bytes;

use crate::{bytes, write};

const TAG: Tag = Tag::COMPROMISE_DATE; // 420020, the tag of the examples

/// An example reads as the value, as the typed value, and both are written as the example.
#[track_caller]
fn check<T: Decode + Encode + PartialEq + std::fmt::Debug>(hex: &str, value: Value<'_>, typed: T) {
    let message = bytes(hex);
    let mut reader = Reader::new(&message);
    let item = reader.next().expect("an item").expect("well formed");
    assert_eq!((item.tag, item.value, item.offset), (TAG, value, 0));
    assert_eq!(reader.next(), None);
    assert_eq!(item.value.item_type().code(), message[3]);
    assert_eq!(decode_with(&message, &Options::STRICT, T::decode).expect("decodes"), typed);
    assert_eq!(write(|w| typed.encode(TAG, w)), message);
}

#[test]
fn integer() {
    check("42002002000000040000000800000000", Value::Integer(8), 8_i32);
    check("4200200200000004fffffffe00000000", Value::Integer(-2), -2_i32);
}

#[test]
fn long_integer() {
    let value = 123_456_789_000_000_000;
    check("420020030000000801b69b4ba5749200", Value::LongInteger(value), value);
}

#[test]
fn big_integer() {
    let number = bytes("0000000003fd35eb6bc2df4618080000");
    check(
        "42002004000000100000000003fd35eb6bc2df4618080000",
        Value::BigInteger(&number),
        BigInteger::from_signed_bytes(number.clone()),
    );
    let value: i128 = i128::from_be_bytes((*number).try_into().unwrap());
    assert_eq!(value, 1_234_567_890_000_000_000_000_000_000);
}

#[test]
fn enumeration() {
    use bindery_ttlv::registry::State;
    check("4200200500000004000000ff00000000", Value::Enumeration(255), State(255));
}

#[test]
fn boolean() {
    check("42002006000000080000000000000001", Value::Boolean(true), true);
    check("42002006000000080000000000000000", Value::Boolean(false), false);
}

#[test]
fn text_string() {
    let hex = "420020070000000b48656c6c6f20576f726c640000000000";
    check(hex, Value::TextString("Hello World"), Text::from_static("Hello World"));
    check("4200200700000000", Value::TextString(""), Text::from_static(""));
}

#[test]
fn byte_string() {
    let hex = "42002008000000030102030000000000";
    check(hex, Value::ByteString(&[1, 2, 3]), Bytes::from_static(&[1, 2, 3]));
    let hex = "42002008000000080102030405060708";
    check(hex, Value::ByteString(&[1, 2, 3, 4, 5, 6, 7, 8]), bytes("0102030405060708"));
}

#[test]
fn date_time() {
    // Friday, March 14, 2008, 11:56:40 GMT
    check(
        "42002009000000080000000047da67f8",
        Value::DateTime(1_205_495_800),
        DateTime(1_205_495_800),
    );
}

#[test]
fn date_time_extended() {
    let micros = 1_205_495_800_123_456;
    check(
        "4200200b00000008000448645cf1d040",
        Value::DateTimeExtended(micros),
        DateTimeExtended(micros),
    );
}

#[test]
fn interval() {
    check("4200200a00000004000d2f0000000000", Value::Interval(864_000), Interval(864_000));
    check("4200200a00000004ffffffff00000000", Value::Interval(u32::MAX), Interval(u32::MAX));
}

#[test]
fn structure() {
    let hex = "42002001000000204200040500000004000000fe000000004200050200000004000000ff00000000";
    let message = bytes(hex);
    let item = Reader::new(&message).next().unwrap().unwrap();
    let Value::Structure(inner) = item.value else { panic!("{item:?}") };
    let inner: Vec<_> =
        inner.map(|item| item.map(|i| (i.tag, i.value, i.offset)).unwrap()).collect();
    assert_eq!(
        inner,
        [
            (Tag::APPLICATION_SPECIFIC_INFORMATION, Value::Enumeration(254), 8),
            (Tag::ARCHIVE_DATE, Value::Integer(255), 24),
        ]
    );
    let written = write(|w| {
        w.structure(TAG, |w| {
            w.enumeration(Tag::APPLICATION_SPECIFIC_INFORMATION, 254);
            w.integer(Tag::ARCHIVE_DATE, 255);
        });
    });
    assert_eq!(written, message);
}

#[test]
fn big_integers_are_extended_by_their_sign() {
    let number = |value: &[u8]| write(|w| w.big_integer(TAG, value)).slice(8..);
    assert_eq!(number(&[0x7F]), bytes("000000000000007f"));
    assert_eq!(number(&[0x80]), bytes("ffffffffffffff80"));
    assert_eq!(number(&[]), bytes("0000000000000000"));
    assert_eq!(number(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), bytes("00000000000000010203040506070809"));
    assert_eq!(number(&[0xFF; 8]), bytes("ffffffffffffffff"));
    let unsigned = BigInteger::from_unsigned_bytes(&[0xFF; 8]);
    assert!(!unsigned.is_negative());
    assert_eq!(number(unsigned.as_bytes()), bytes("0000000000000000ffffffffffffffff"));
    assert!(BigInteger::from_signed_bytes(Bytes::from_static(&[0x80])).is_negative());
}

#[test]
fn the_maximum_is_kept_and_the_buffer_restored() {
    let mut buffer = b"before".to_vec();
    let fill = |w: &mut Writer<'_>| {
        w.structure(TAG, |w| {
            w.text_string(Tag::COMMENT, "twelve bytes");
            w.raw(Tag::COMMENT, &bindery_ttlv::RawValue::of(&7_i32));
            w.byte_string(Tag::KEY, &[1]);
        });
    };
    for maximum in 0..64 {
        let mut writer = Writer::with_maximum(&mut buffer, maximum);
        fill(&mut writer);
        assert_eq!(writer.finish().map_err(|e| e.maximum()), Err(maximum));
        assert_eq!(buffer, b"before");
    }
    let mut writer = Writer::with_maximum(&mut buffer, 64);
    fill(&mut writer);
    assert_eq!((writer.len(), writer.is_empty()), (64, false));
    assert_eq!(writer.finish(), Ok(64));
    assert_eq!(buffer.len(), 70);
}

/// Whoever logs a cursor, a writer or a value with `{:?}` gives no key away.
#[test]
fn debug_shows_no_text_and_no_bytes() {
    let message = write(|w| {
        w.structure(Tag::CREDENTIAL_VALUE, |w| {
            w.text_string(Tag::PASSWORD, "xyzzy");
            w.byte_string(Tag::KEY, &[0xAB; 16]);
            w.big_integer(Tag::D, &[0xAB; 8]);
        });
    });
    let mut shown = String::new();
    let mut show = |thing: &dyn std::fmt::Debug| shown += &format!("{thing:?} {thing:#?}\n");
    let mut walk = Walk::new(&message, &Options::STRICT);
    show(&walk);
    while let Some(visit) = walk.next() {
        show(&visit);
        show(&walk);
    }
    show(&Reader::new(&message));
    show(&Tree::new(&message));
    let mut buffer = message.to_vec();
    show(&Writer::new(&mut buffer));
    let read = decode_with(&message, &Options::STRICT, |element| {
        show(&element);
        show(&element.raw_item()?);
        let mut fields = element.structure()?;
        show(&fields);
        while let Some(field) = fields.next()? {
            show(&field);
        }
        Ok(())
    });
    read.unwrap();
    assert!(shown.contains("Byte String(16 bytes)"), "{shown}");
    for secret in ["xyzzy", "120, 121", "171", "0xab", "abab", "ABAB"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
