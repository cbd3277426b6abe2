//! Typed messages by `#[derive(Ttlv)]`.

use bindery_ttlv::registry::{CryptographicUsageMask, Operation};
use bindery_ttlv::{
    Encode, Error, ErrorKind, Options, ProtocolVersion, RawItem, RawValue, Tag, Tolerance, Writer,
    decode, decode_slice, encode_within, to_bytes,
};
use bytes::Bytes;

use crate::messages::{AttributeValue, Object, Payload, Request};
use crate::{bytes, write};

/// Create of an AES-256 key with a name, 368 bytes, made for this project.
pub(crate) const CREATE: &str = "42007801000001684200770100000038420069010000002042006a0200000004000000010000000042006b0200000004000000000000000042000d0200000004000000010000000042000f010000012042005c0500000004000000010000000042007901000001084200570500000004000000020000000042009101000000f0420008010000003042000a070000001743727970746f6772617068696320416c676f726974686d0042000b05000000040000000300000000420008010000003042000a070000001443727970746f67726170686963204c656e6774680000000042000b02000000040000010000000000420008010000003042000a070000001843727970746f67726170686963205573616765204d61736b42000b02000000040000000c00000000420008010000004042000a07000000044e616d650000000042000b0100000028420055070000000e62656e63682d6b65792d30303031000042005405000000040000000100000000";

#[test]
fn create() {
    let message = bytes(CREATE);
    let request: Request = decode(&message, &Options::STRICT).unwrap();
    assert_eq!(request.items[0].operation, Operation::CREATE);
    let Payload::Create(create) = &request.items[0].payload else { panic!() };
    let values: Vec<_> =
        create.template.attributes.iter().map(|a| a.value.clone().unwrap()).collect();
    assert_eq!(
        values[2],
        AttributeValue::UsageMask(
            CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
        )
    );
    assert_eq!(to_bytes(&request).unwrap(), message);
    assert_eq!(decode_slice::<Request>(&message, &Options::STRICT).unwrap(), request);
    assert_eq!(Tag::from_title("Cryptographic Algorithm"), Some(Tag::CRYPTOGRAPHIC_ALGORITHM));
}

fn strict(message: &Bytes) -> Result<Request, Error> {
    decode(message, &Options::STRICT)
}

/// A request of header and one batch item, from the fields of each.
fn request(header: impl FnOnce(&mut Writer<'_>), item: impl FnOnce(&mut Writer<'_>)) -> Bytes {
    write(|w| {
        w.structure(Tag::REQUEST_MESSAGE, |w| {
            w.structure(Tag::REQUEST_HEADER, header);
            w.structure(Tag::BATCH_ITEM, item);
        });
    })
}

fn version(w: &mut Writer<'_>) {
    ProtocolVersion::V1_4.encode(Tag::PROTOCOL_VERSION, w);
}

fn count(w: &mut Writer<'_>) {
    w.integer(Tag::BATCH_COUNT, 1);
}

fn ping(w: &mut Writer<'_>) {
    w.enumeration(Tag::OPERATION, Operation::PING.0);
    w.structure(Tag::REQUEST_PAYLOAD, |_| {});
}

const VENDOR: Tag = Tag::from_low_bits(0x54_0001);

#[test]
fn unknown_fields_are_written_back_where_they_stood() {
    let vendor = |w: &mut Writer<'_>| w.text_string(VENDOR, "here");
    let message = request(
        |w| {
            vendor(w);
            version(w);
            vendor(w);
            w.integer(VENDOR, 2);
            w.integer(Tag::MAXIMUM_RESPONSE_SIZE, 256);
            w.enumeration(Tag::ATTESTATION_TYPE, 1);
            vendor(w);
            w.enumeration(Tag::ATTESTATION_TYPE, 0x8000_0000);
            w.structure(VENDOR, |w| w.structure(VENDOR, |w| w.boolean(VENDOR, true)));
            w.enumeration(Tag::ATTESTATION_TYPE, 3);
            count(w);
            vendor(w);
        },
        |w| {
            w.enumeration(Tag::OPERATION, 0x8000_1234);
            vendor(w);
            w.structure(Tag::REQUEST_PAYLOAD, |w| vendor(w));
        },
    );
    let decoded = strict(&message).unwrap();
    assert_eq!(decoded.header.unknown.len(), 6);
    assert_eq!(decoded.header.attestation_types.len(), 3);
    assert_eq!(to_bytes(&decoded).unwrap(), message);
    assert_eq!(decode_slice::<Request>(&message, &Options::LENIENT).unwrap(), decoded);
}

#[test]
fn unknown_fields_stay_in_order_when_the_message_is_changed() {
    let message = request(
        |w| {
            version(w);
            w.integer(VENDOR, 1);
            w.enumeration(Tag::ATTESTATION_TYPE, 1);
            w.integer(VENDOR, 2);
            count(w);
        },
        ping,
    );
    let mut decoded = strict(&message).unwrap();
    decoded.header.attestation_types.clear();
    decoded.header.unknown.push(RawItem::new(VENDOR, RawValue::of(&3_i32)));
    let written = to_bytes(&decoded).unwrap();
    let again = strict(&written).unwrap();
    let values: Vec<i32> = again
        .header
        .unknown
        .iter()
        .map(|item| item.value.decode(&Options::STRICT).unwrap())
        .collect();
    assert_eq!(values, [1, 2, 3]);
}

#[test]
fn order() {
    let message = request(
        |w| {
            count(w);
            version(w);
        },
        ping,
    );
    let error = strict(&message).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::FieldOrder { tag: Tag::PROTOCOL_VERSION });
    assert_eq!(error.path(), [Tag::REQUEST_MESSAGE, Tag::REQUEST_HEADER, Tag::PROTOCOL_VERSION]);
    let mut tolerance = Tolerance::STRICT;
    tolerance.field_order = true;
    let decoded: Request = decode(&message, &Options::STRICT.with_tolerance(tolerance)).unwrap();
    // What is written is in the specification's order.
    assert_eq!(
        to_bytes(&decoded).unwrap(),
        request(
            |w| {
                version(w);
                count(w);
            },
            ping
        )
    );
}

/// The library's own structures obey the tolerance as derived ones of others do.
#[test]
fn order_inside_a_protocol_version() {
    let message = write(|w| {
        w.structure(Tag::PROTOCOL_VERSION, |w| {
            w.integer(Tag::PROTOCOL_VERSION_MINOR, 4);
            w.integer(Tag::PROTOCOL_VERSION_MAJOR, 1);
        });
    });
    let error = decode::<ProtocolVersion>(&message, &Options::STRICT).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::FieldOrder { tag: Tag::PROTOCOL_VERSION_MAJOR });
    let mut tolerance = Tolerance::STRICT;
    tolerance.field_order = true;
    let options = Options::STRICT.with_tolerance(tolerance);
    assert_eq!(decode::<ProtocolVersion>(&message, &options).unwrap(), ProtocolVersion::V1_4);
}

#[test]
fn a_payload_before_its_operation_is_still_selected() {
    let swapped = request(
        |w| {
            version(w);
            count(w);
        },
        |w| {
            w.structure(Tag::REQUEST_PAYLOAD, |w| {
                w.enumeration(Tag::OBJECT_TYPE, 2);
                w.structure(Tag::TEMPLATE_ATTRIBUTE, |_| {});
            });
            w.enumeration(Tag::OPERATION, Operation::CREATE.0);
        },
    );
    assert!(matches!(strict(&swapped).unwrap_err().kind(), ErrorKind::FieldOrder { .. }));
    let decoded: Request = decode(&swapped, &Options::LENIENT).unwrap();
    assert!(matches!(decoded.items[0].payload, Payload::Create(_)));
}

#[test]
fn a_single_field_twice_is_refused_even_leniently() {
    let message = request(
        |w| {
            version(w);
            count(w);
            count(w);
        },
        ping,
    );
    for options in [Options::STRICT, Options::LENIENT] {
        let error = decode::<Request>(&message, &options).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::DuplicateField { tag: Tag::BATCH_COUNT });
    }
}

#[test]
fn missing_fields() {
    let error = strict(&request(version, ping)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::MissingField { tag: Tag::BATCH_COUNT });
    assert_eq!(
        error.to_string(),
        "TTLV: at offset 8, RequestMessage/RequestHeader: the field BatchCount is missing; add the field"
    );
    let empty = request(
        |w| {
            version(w);
            count(w);
        },
        |_| {},
    );
    assert_eq!(
        strict(&empty).unwrap_err().kind(),
        &ErrorKind::MissingField { tag: Tag::OPERATION }
    );
    let register = |object: fn(&mut Writer<'_>)| {
        request(
            |w| {
                version(w);
                count(w);
            },
            |w| {
                w.enumeration(Tag::OPERATION, Operation::REGISTER.0);
                w.structure(Tag::REQUEST_PAYLOAD, |w| {
                    w.enumeration(Tag::OBJECT_TYPE, 8);
                    w.structure(Tag::TEMPLATE_ATTRIBUTE, |_| {});
                    object(w);
                });
            },
        )
    };
    let error = strict(&register(|_| {})).unwrap_err();
    assert!(
        error.to_string().contains("one field of OpaqueObject, SecretData is missing"),
        "{error}"
    );
    let whole = register(|w| w.structure(Tag::SECRET_DATA, |w| w.integer(VENDOR, 1)));
    let decoded = strict(&whole).unwrap();
    let Payload::Register(payload) = &decoded.items[0].payload else { panic!("{decoded:?}") };
    assert!(matches!(payload.object, Object::Secret(_)));
    assert_eq!(to_bytes(&decoded).unwrap(), whole);
}

#[test]
fn extra_fields_without_a_place() {
    let message = request(
        |w| {
            version(w);
            count(w);
        },
        |w| {
            w.enumeration(Tag::OPERATION, Operation::CREATE.0);
            w.structure(Tag::REQUEST_PAYLOAD, |w| {
                w.enumeration(Tag::OBJECT_TYPE, 2);
                w.structure(Tag::TEMPLATE_ATTRIBUTE, |_| {});
                w.text_string(VENDOR, "extra");
            });
        },
    );
    let error = strict(&message).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::UnexpectedField { tag: VENDOR });
    let mut tolerance = Tolerance::STRICT;
    tolerance.extra_fields = true;
    let options = Options::STRICT.with_tolerance(tolerance);
    assert!(decode::<Request>(&message, &options).is_ok());
    // What is dropped is checked all the same.
    let mut broken = message.to_vec();
    let end = broken.len();
    broken[end - 8] = 0xFF;
    let error = decode_slice::<Request>(&broken, &options).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Utf8);
}

#[test]
fn another_message() {
    let message = write(|w| w.structure(Tag::RESPONSE_MESSAGE, |_| {}));
    let error = strict(&message).unwrap_err();
    let expected = Tag::REQUEST_MESSAGE;
    assert_eq!(error.kind(), &ErrorKind::UnexpectedTag { expected, found: Tag::RESPONSE_MESSAGE });
}

#[test]
fn a_large_value_is_a_slice_of_the_message() {
    let large = vec![0xA5; 1 << 20];
    let message = request(
        |w| {
            version(w);
            count(w);
        },
        |w| {
            w.enumeration(Tag::OPERATION, Operation::REGISTER.0);
            w.structure(Tag::REQUEST_PAYLOAD, |w| {
                w.enumeration(Tag::OBJECT_TYPE, 8);
                w.structure(Tag::TEMPLATE_ATTRIBUTE, |_| {});
                w.structure(Tag::OPAQUE_OBJECT, |w| {
                    w.enumeration(Tag::OPAQUE_DATA_TYPE, 0x8000_0000);
                    w.byte_string(Tag::OPAQUE_DATA_VALUE, &large);
                });
            });
        },
    );
    let value = |request: &Request| match &request.items[0].payload {
        Payload::Register(register) => match &register.object {
            Object::Opaque(object) => object.value.clone(),
            Object::Secret(_) => panic!("an opaque object"),
        },
        _ => panic!("a Register"),
    };
    let decoded = strict(&message).unwrap();
    assert!(message.as_ptr_range().contains(&value(&decoded).as_ptr()), "not copied");
    assert_eq!(value(&decoded), large);
    assert_eq!(to_bytes(&decoded).unwrap(), message);
    let copied = value(&decode_slice(&message, &Options::STRICT).unwrap());
    assert!(!message.as_ptr_range().contains(&copied.as_ptr()), "copied");
}

#[test]
fn the_maximum_response_size() {
    let decoded = strict(&bytes(CREATE)).unwrap();
    let mut buffer = Vec::new();
    assert_eq!(encode_within(&decoded, &mut buffer, 367).unwrap_err().maximum(), 367);
    assert!(buffer.is_empty());
    assert_eq!(encode_within(&decoded, &mut buffer, 368), Ok(368));
}

/// The codec under another name, as a facade has it.
mod facade {
    pub(crate) use bindery_ttlv as codec;
}

#[derive(Debug, PartialEq, Eq, bindery_ttlv::Ttlv)]
#[ttlv(tag = NAME, crate = facade::codec)]
struct Elsewhere {
    #[ttlv(tag = NAME_VALUE)]
    name_value: bindery_ttlv::Text,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

#[test]
fn the_codec_may_stand_elsewhere() {
    let value = Elsewhere { name_value: "somewhere".into(), unknown: Vec::new() };
    let octets = to_bytes(&value).unwrap();
    assert_eq!(decode::<Elsewhere>(&octets, &Options::STRICT).unwrap(), value);
}
