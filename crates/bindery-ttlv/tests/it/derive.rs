//! Typed messages by `#[derive(Ttlv)]`.

use bindery_ttlv::registry::{CryptographicUsageMask, Operation};
use bindery_ttlv::{Options, Tag, decode, decode_slice, to_bytes};
use bytes::Bytes;

use crate::messages::{AttributeValue, Payload, Request};

/// Create of an AES-256 key with a name, 368 bytes, made for this project.
pub(crate) const CREATE: &str = "42007801000001684200770100000038420069010000002042006a0200000004000000010000000042006b0200000004000000000000000042000d0200000004000000010000000042000f010000012042005c0500000004000000010000000042007901000001084200570500000004000000020000000042009101000000f0420008010000003042000a070000001743727970746f6772617068696320416c676f726974686d0042000b05000000040000000300000000420008010000003042000a070000001443727970746f67726170686963204c656e6774680000000042000b02000000040000010000000000420008010000003042000a070000001843727970746f67726170686963205573616765204d61736b42000b02000000040000000c00000000420008010000004042000a07000000044e616d650000000042000b0100000028420055070000000e62656e63682d6b65792d30303031000042005405000000040000000100000000";

pub(crate) fn bytes(hex: &str) -> Bytes {
    bindery_ttlv::hex::parse(hex).unwrap_or_else(|error| panic!("{error}")).into()
}

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
