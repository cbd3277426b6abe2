//! What a message's version does not have.

use bindery_ttlv::{
    ErrorKind, Misfits, Options, ProtocolVersion, Tag, check_version,
    registry::{CryptographicUsageMask, Operation, ResultReason},
};
use bytes::Bytes;

use crate::write;

const OPTIONS: &Options = &Options::STRICT;

fn batch_item(operation: Operation) -> Bytes {
    write(|writer| {
        writer.structure(Tag::REQUEST_MESSAGE, |writer| {
            writer.structure(Tag::BATCH_ITEM, |writer| {
                writer.enumeration(Tag::OPERATION, operation.0);
            });
        });
    })
}

fn field(tag: Tag) -> Bytes {
    write(|writer| {
        writer.structure(Tag::REQUEST_HEADER, |writer| {
            writer.integer(Tag::BATCH_COUNT, 1);
            writer.text_string(tag, "x");
        });
    })
}

#[test]
fn a_younger_field_is_refused_with_its_place() {
    let message = field(Tag::CLIENT_CORRELATION_VALUE);
    assert_eq!(check_version(&message, ProtocolVersion::V1_4, OPTIONS), Ok(()));
    assert_eq!(check_version(&message, ProtocolVersion::V2_1, OPTIONS), Ok(()));
    let error = check_version(&message, ProtocolVersion::V1_3, OPTIONS).unwrap_err();
    assert_eq!(error.offset(), 24);
    assert_eq!(error.path(), [Tag::REQUEST_HEADER, Tag::CLIENT_CORRELATION_VALUE]);
    let text = error.to_string();
    assert!(text.contains("KMIP 1.3 has no ClientCorrelationValue; KMIP 1.4 to 3.0"), "{text}");
    assert!(text.contains("Discover Versions"), "{text}");
}

#[test]
fn a_field_that_is_gone_is_refused() {
    let message = field(Tag::TEMPLATE_ATTRIBUTE);
    assert_eq!(check_version(&message, ProtocolVersion::V1_4, OPTIONS), Ok(()));
    for version in [ProtocolVersion::V2_0, ProtocolVersion::V2_1, ProtocolVersion::new(3, 0)] {
        let error = check_version(&message, version, OPTIONS).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Version { until, .. } if *until == ProtocolVersion::V1_4)
        );
    }
}

#[test]
fn a_younger_operation_is_refused_and_an_older_one_is_not() {
    for row in Operation::REGISTRY.rows() {
        let message = batch_item(Operation(row.value()));
        assert_eq!(check_version(&message, row.since(), OPTIONS), Ok(()), "{}", row.name());
        if row.since() > ProtocolVersion::V1_0 {
            let error = check_version(&message, ProtocolVersion::V1_0, OPTIONS).unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Version { value, .. } if *value == Some(row.value())),
                "{error}"
            );
        }
    }
}

/// A payload of an operation with one field.
fn payload(operation: Operation, payload: Tag, field: Tag) -> Bytes {
    write(|writer| {
        writer.structure(Tag::REQUEST_MESSAGE, |writer| {
            writer.structure(Tag::BATCH_ITEM, |writer| {
                writer.enumeration(Tag::OPERATION, operation.0);
                writer.structure(payload, |writer| writer.structure(field, |_| {}));
            });
        });
    })
}

/// Version by version, fields whose tags are older or younger than their places.
#[test]
fn a_field_is_looked_at_in_its_structure_and_operation() {
    let versions = [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1)]
        .map(|(major, minor)| ProtocolVersion::new(major, minor));
    let cases = [
        // In Get Attributes' answer until 1.4, in Export's in 1.4 alone, in Get's never told apart.
        (Operation::GET_ATTRIBUTES, Tag::RESPONSE_PAYLOAD, Tag::ATTRIBUTE, 0..=4),
        (Operation::EXPORT, Tag::RESPONSE_PAYLOAD, Tag::ATTRIBUTE, 4..=4),
        (Operation::GET_ATTRIBUTES, Tag::REQUEST_PAYLOAD, Tag::ATTRIBUTE_NAME, 0..=4),
        (Operation::CREATE_SPLIT_KEY, Tag::RESPONSE_PAYLOAD, Tag::OBJECT_TYPE, 2..=2),
        (Operation::CREATE_SPLIT_KEY, Tag::REQUEST_PAYLOAD, Tag::OBJECT_TYPE, 0..=6),
        (Operation::CREATE, Tag::RESPONSE_PAYLOAD, Tag::OBJECT_TYPE, 0..=6),
    ];
    for (operation, structure, field, has) in cases {
        let message = payload(operation, structure, field);
        for (place, version) in versions.into_iter().enumerate() {
            let fault = Misfits::new(&message, version, OPTIONS)
                .find(|error| matches!(error.kind(), ErrorKind::Version { within: Some(_), .. }));
            assert_eq!(fault.is_none(), has.contains(&place), "{operation} {field} {version}");
        }
    }
}

#[test]
fn a_field_of_another_version_is_refused_with_its_structure() {
    let message = write(|writer| {
        writer.structure(Tag::DIGEST, |writer| {
            writer.enumeration(Tag::HASHING_ALGORITHM, 6);
            writer.enumeration(Tag::KEY_FORMAT_TYPE, 1);
        });
    });
    assert_eq!(check_version(&message, ProtocolVersion::V1_1, OPTIONS), Ok(()));
    let error = check_version(&message, ProtocolVersion::V1_0, OPTIONS).unwrap_err();
    assert_eq!(
        (error.offset(), error.path()),
        (24, [Tag::DIGEST, Tag::KEY_FORMAT_TYPE].as_slice())
    );
    let text = error.to_string();
    assert!(text.contains("KMIP 1.0 has no KeyFormatType in this Digest; KMIP 1.1 to"), "{text}");
}

/// The operation is that of the item, and a structure's fields are told apart from those of what is inside it.
#[test]
fn one_item_does_not_answer_for_another() {
    let message = write(|writer| {
        writer.structure(Tag::REQUEST_MESSAGE, |writer| {
            for operation in [Operation::GET_ATTRIBUTES, Operation::LOCATE] {
                writer.structure(Tag::BATCH_ITEM, |writer| {
                    writer.enumeration(Tag::OPERATION, operation.0);
                    writer.structure(Tag::REQUEST_PAYLOAD, |writer| {
                        writer.structure(Tag::ATTRIBUTES, |writer| {
                            writer.text_string(Tag::ATTRIBUTE_NAME, "no field of the payload");
                        });
                        writer.text_string(Tag::ATTRIBUTE_NAME, "x");
                    });
                });
            }
            writer.structure(Tag::BATCH_ITEM, |writer| {
                writer.structure(Tag::REQUEST_PAYLOAD, |writer| {
                    writer.text_string(Tag::ATTRIBUTE_NAME, "of no operation");
                });
            });
        });
    });
    let misfits = Misfits::new(&message, ProtocolVersion::V2_1, OPTIONS);
    let offsets: Vec<usize> = misfits.map(|error| error.offset()).collect();
    let first = message.windows(16).position(|octets| octets.ends_with(b"x\0\0\0\0\0\0\0"));
    assert_eq!(offsets, [first.unwrap()], "Get Attributes' own, and not Locate's");
}

#[test]
fn versions_before_the_first_have_no_tables() {
    let message = field(Tag::CLIENT_CORRELATION_VALUE);
    assert_eq!(check_version(&message, ProtocolVersion::new(0, 9), OPTIONS), Ok(()));
}

#[test]
fn each_bit_of_a_mask_is_looked_at() {
    let mask = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::AUTHENTICATE;
    let message = write(|writer| writer.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask.0));
    assert_eq!(check_version(&message, ProtocolVersion::V2_0, OPTIONS), Ok(()));
    let error = check_version(&message, ProtocolVersion::V1_4, OPTIONS).unwrap_err();
    assert!(error.to_string().contains("CryptographicUsageMask 00100000"), "{error}");
}

#[test]
fn numbers_without_a_row_pass() {
    let message = write(|writer| {
        writer.enumeration(Tag::OPERATION, 0x8000_0001);
        writer.integer(Tag::from_low_bits(0x54_00_01), 7);
        writer.enumeration(Tag::RESULT_REASON, ResultReason::ITEM_NOT_FOUND.0);
    });
    assert_eq!(check_version(&message, ProtocolVersion::V1_0, OPTIONS), Ok(()));
}

#[test]
fn a_malformed_message_is_refused_as_such() {
    let message = field(Tag::BATCH_COUNT);
    let error =
        check_version(&message[..message.len() - 1], ProtocolVersion::V1_0, OPTIONS).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{error}");
}
