//! What a message's version does not have.

use bindery_ttlv::{
    ErrorKind, Options, ProtocolVersion, Tag, check_version,
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
