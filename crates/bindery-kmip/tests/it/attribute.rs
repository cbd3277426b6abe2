//! The rules of the structure Attribute, whose decoder is written by hand.

use bindery_kmip::message::{Attribute, AttributeValue};
use bindery_ttlv::{Error, ErrorKind, Options, Tag, Writer, decode_slice};

fn attribute(fields: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    writer.structure(Tag::ATTRIBUTE, fields);
    writer.finish().unwrap();
    octets
}

fn name(w: &mut Writer<'_>) {
    w.text_string(Tag::ATTRIBUTE_NAME, "Cryptographic Length");
}

fn index(w: &mut Writer<'_>) {
    w.integer(Tag::ATTRIBUTE_INDEX, 0);
}

fn value(w: &mut Writer<'_>) {
    w.integer(Tag::ATTRIBUTE_VALUE, 256);
}

fn strict(octets: &[u8]) -> Result<Attribute, Error> {
    decode_slice(octets, &Options::STRICT)
}

#[test]
fn fields_out_of_order_are_refused_unless_tolerated() {
    let value_first = attribute(|w| {
        value(w);
        name(w);
    });
    let kind = strict(&value_first).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::FieldOrder { tag } if *tag == Tag::ATTRIBUTE_NAME));
    let index_last = attribute(|w| {
        name(w);
        value(w);
        index(w);
    });
    let kind = strict(&index_last).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::FieldOrder { tag } if *tag == Tag::ATTRIBUTE_INDEX));
    for octets in [value_first, index_last] {
        let read: Attribute = decode_slice(&octets, &Options::LENIENT).unwrap();
        assert_eq!(read.value, AttributeValue::CryptographicLength(256));
    }
}

#[test]
fn a_field_twice_is_refused() {
    for twice in [name as fn(&mut Writer<'_>), index, value] {
        let octets = attribute(|w| {
            for field in [name as fn(&mut Writer<'_>), index, value] {
                field(w);
                if std::ptr::fn_addr_eq(field, twice) {
                    field(w);
                }
            }
        });
        for options in [Options::STRICT, Options::LENIENT] {
            let error = decode_slice::<Attribute>(&octets, &options).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::DuplicateField { .. }), "{error}");
        }
    }
}

#[test]
fn unknown_fields_stay_where_they_stood() {
    let extension = Tag::new(0x0054_0001).unwrap();
    let octets = attribute(|w| {
        w.integer(extension, 1);
        name(w);
        w.integer(extension, 2);
        index(w);
        w.integer(extension, 3);
        value(w);
        w.integer(extension, 4);
    });
    let read = strict(&octets).unwrap();
    assert_eq!(read.unknown.len(), 4);
    assert_eq!(bindery_ttlv::to_bytes(&read).unwrap(), octets);
}

#[test]
fn a_name_is_needed_and_a_value_is_not() {
    let error = strict(&attribute(value)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MissingField { tag } if *tag == Tag::ATTRIBUTE_NAME));
    let absent = strict(&attribute(name)).unwrap();
    assert_eq!(absent.value, AttributeValue::Absent("Cryptographic Length".into()));
}
