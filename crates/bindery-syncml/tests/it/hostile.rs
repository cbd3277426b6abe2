//! Input that wants to hurt.

use bindery_syncml::{Error, ErrorKind, Limit, Limits, Options, SyncMl};
use bytes::Bytes;

use crate::{encoded, lenient, message};

fn refused(document: Vec<u8>) -> Error {
    SyncMl::decode(&document.into(), &Options::LENIENT).unwrap_err()
}

#[test]
fn a_million_nested_elements() {
    for tag in ["Atomic", "Item", "Data", "x"] {
        let error = refused(message(&format!("<{tag}>").repeat(1_000_000)).into_bytes());
        assert!(
            matches!(error.kind(), ErrorKind::Xml(_) | ErrorKind::Limit { .. } | ErrorKind::Text),
            "{error}"
        );
    }
    for token in [0x48_u8, 0x54, 0x4f, 0x7f] {
        let mut document = b"\x02\xa4\x01\x6a\x00\x6d\x6b".to_vec();
        document.resize(1_000_000, token);
        let error = refused(document);
        assert!(matches!(error.kind(), ErrorKind::Wbxml(_) | ErrorKind::Limit { .. }), "{error}");
    }
}

#[test]
fn nesting_of_commands_is_bounded() {
    let nested = |depth: usize| {
        message(&format!(
            "{}{}",
            "<Atomic><CmdID>1</CmdID>".repeat(depth),
            "</Atomic>".repeat(depth)
        ))
    };
    assert!(lenient(&nested(8)).is_ok());
    let error = lenient(&nested(9)).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { limit: Limit::Nesting, maximum: 8 }),
        "{error}"
    );
}

#[test]
fn the_number_of_elements_is_bounded() {
    let limits = Limits::DEFAULT.with_elements(20);
    let options = Options::STRICT.with_limits(limits);
    let text = message(&"<Alert><CmdID>1</CmdID></Alert>".repeat(10));
    let error = SyncMl::decode(&text.into(), &options).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { limit: Limit::Elements, maximum: 20 }),
        "{error}"
    );
}

#[test]
fn the_length_is_bounded() {
    let options = Options::LENIENT.with_limits(Limits::DEFAULT.with_message_length(100));
    let error = SyncMl::decode(&message("").into(), &options).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { limit: Limit::MessageLength, .. }),
        "{error}"
    );
}

#[test]
fn every_truncation_is_an_error() {
    let text = message(
        "<Atomic><CmdID>1</CmdID><Add><CmdID>2</CmdID><Item><Data><DevInf xmlns='syncml:devinf'>\
         <VerDTD>1.2</VerDTD></DevInf></Data></Item></Add></Atomic><Final/>",
    );
    let value = lenient(&text).unwrap();
    for form in [bindery_syncml::WriteOptions::XML, bindery_syncml::WriteOptions::WBXML] {
        let whole = encoded(&value, &form);
        for length in 0..whole.len() {
            let cut: Bytes = whole.slice(..length);
            assert!(
                SyncMl::decode(&cut, &Options::LENIENT).is_err(),
                "{length} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn a_switch_page_storm_and_endless_numbers() {
    let mut storm = b"\x02\xa4\x01\x6a\x00\x6d".to_vec();
    storm.extend(b"\x00\x01".repeat(100_000));
    assert!(matches!(refused(storm).kind(), ErrorKind::Wbxml(_)));
    let endless = [&b"\x02\xa4\x01\x6a\x00\x6d\x4f\xc3"[..], &[0xff; 64]].concat();
    assert!(matches!(refused(endless).kind(), ErrorKind::Wbxml(_)));
    let reference = b"\x02\xa4\x01\x6a\x00\x6d\x6c\x71\x83\x05\x01".to_vec();
    assert!(matches!(refused(reference).kind(), ErrorKind::Wbxml(_)));
}

#[test]
fn documents_inside_documents_share_the_limits() {
    // A DevInf whose elements, with those outside, pass the limit.
    let mut inner = b"\x02\xa4\x03\x6a\x00\x4a".to_vec();
    inner.extend([0x28; 200]);
    inner.push(1);
    let mut outer = b"\x02\xa4\x01\x6a\x00\x6d\x6b\x45\x54\x4f\xc3\x81\x4f".to_vec();
    assert_eq!(inner.len(), 0xcf);
    outer.extend(&inner);
    outer.extend([1; 5]);
    let message = Bytes::from(outer);
    assert!(SyncMl::decode(&message, &Options::LENIENT).is_ok());
    let options = Options::LENIENT.with_limits(Limits::DEFAULT.with_elements(100));
    let error = SyncMl::decode(&message, &options).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { limit: Limit::Elements, .. }), "{error}");
    assert!(error.place().offset > 100, "{error}");
}

#[test]
fn document_types_are_not_expanded() {
    let text = message("").replace("?><SyncML", "?><!DOCTYPE SyncML [<!ENTITY a 'b'>]><SyncML");
    assert!(lenient(&text).is_err());
}
