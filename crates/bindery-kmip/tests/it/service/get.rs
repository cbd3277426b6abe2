//! Get: forms, wrapping, and objects that must not leave.

use bindery_kmip::{
    Secret,
    message::{
        AttributeValue, GetRequest, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
        KeyWrappingSpecification, ManagedObject, SymmetricKey, UniqueIdentifier,
    },
};
use bindery_ttlv::registry::{
    CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Usage, KeyCompressionType,
    KeyFormatType, KeyWrapType, ResultReason, WrappingMethod,
};

use super::{House, aes_key, octets, password, refused};

fn get(uid: &UniqueIdentifier, change: impl FnOnce(&mut GetRequest)) -> GetRequest {
    let mut request = GetRequest::new(uid.clone());
    change(&mut request);
    request
}

fn wrapped_key(house: &House, more: &[AttributeValue]) -> UniqueIdentifier {
    let mut block =
        KeyBlock::new(KeyFormatType::RAW, Secret::default()).with_algorithm(Algorithm::AES, 128);
    block.key_value = Some(KeyValue::Wrapped(Secret::from(&[9; 24][..])));
    block.key_wrapping_data = Some(Box::new(KeyWrappingData::new(WrappingMethod::ENCRYPT)));
    let attributes: Vec<_> = [Usage::ENCRYPT.into()].into_iter().chain(more.to_vec()).collect();
    house.register(ManagedObject::SymmetricKey(SymmetricKey::new(block)), &attributes)
}

#[test]
fn raw_and_transparent_symmetric_keys_are_turned_into_each_other() {
    let house = House::new();
    let uid = house.register(aes_key(&[7; 16]), &[Usage::ENCRYPT.into()]);
    let transparent = KeyFormatType::TRANSPARENT_SYMMETRIC_KEY;
    let got = house.call(get(&uid, |get| get.key_format_type = Some(transparent))).unwrap().object;
    let block = got.key_block().unwrap();
    assert_eq!(block.key_format_type, transparent);
    let Some(KeyValue::Plain(plain)) = &block.key_value else { panic!("{block:?}") };
    assert!(matches!(plain.key_material, KeyMaterial::Transparent(_)));
    assert_eq!(octets(&got), [7; 16]);
    assert_eq!(block.cryptographic_length, Some(128));
    let other = house.register(got, &[Usage::ENCRYPT.into()]);
    let raw = |get: &mut GetRequest| get.key_format_type = Some(KeyFormatType::RAW);
    let back = house.call(get(&other, raw)).unwrap().object;
    assert_eq!(back, aes_key(&[7; 16]));
    assert_eq!(house.call(get(&uid, raw)).unwrap().object, aes_key(&[7; 16]));
}

#[test]
fn other_forms_would_have_to_be_computed() {
    let house = House::new();
    let mask = [Usage::ENCRYPT.into()];
    let uids = [
        house.register(aes_key(&[7; 16]), &mask),
        house.register(password(b"open sesame"), &mask),
        wrapped_key(&house, &[]),
    ];
    for uid in &uids {
        for format in [KeyFormatType::PKCS_8, KeyFormatType::X_509, KeyFormatType(0x99)] {
            let request = get(uid, |get| get.key_format_type = Some(format));
            refused(house.call(request), ResultReason::KEY_FORMAT_TYPE_NOT_SUPPORTED);
        }
    }
    for (uid, format) in [
        (&uids[1], KeyFormatType::RAW),
        (&uids[1], KeyFormatType::TRANSPARENT_SYMMETRIC_KEY),
        (&uids[2], KeyFormatType::TRANSPARENT_SYMMETRIC_KEY),
    ] {
        let request = get(uid, |get| get.key_format_type = Some(format));
        refused(house.call(request), ResultReason::KEY_FORMAT_TYPE_NOT_SUPPORTED);
    }
    let same = get(&uids[1], |get| get.key_format_type = Some(KeyFormatType::OPAQUE));
    assert_eq!(house.call(same).unwrap().object, password(b"open sesame"));
}

#[test]
fn what_has_no_key_has_no_key_format() {
    let house = House::new();
    let data = bindery_kmip::message::OpaqueObject::new(
        bindery_kmip::message::OpaqueDataType(0x8000_0001),
        Secret::from(&b"data"[..]),
    );
    let uid = house.register(ManagedObject::OpaqueObject(data), &[]);
    let request = get(&uid, |get| get.key_format_type = Some(KeyFormatType::RAW));
    refused(house.call(request), ResultReason::KEY_FORMAT_TYPE_NOT_SUPPORTED);
}

#[test]
fn a_wrapping_needs_a_key_and_what_came_wrapped_stays_so() {
    let house = House::new();
    let uid = house.create([]);
    let specification = Box::new(KeyWrappingSpecification::new(WrappingMethod::ENCRYPT));
    let request = get(&uid, |get| get.key_wrapping_specification = Some(specification));
    refused(house.call(request), ResultReason::INVALID_FIELD);
    let wrapped = wrapped_key(&house, &[]);
    let of = |uid, wrap| get(uid, |get: &mut GetRequest| get.key_wrap_type = Some(wrap));
    let fine = [
        (&uid, KeyWrapType::NOT_WRAPPED),
        (&uid, KeyWrapType::AS_REGISTERED),
        (&wrapped, KeyWrapType::AS_REGISTERED),
    ];
    for (uid, wrap) in fine {
        house.call(of(uid, wrap)).unwrap();
    }
    for (uid, wrap) in [(&wrapped, KeyWrapType::NOT_WRAPPED), (&uid, KeyWrapType(7))] {
        refused(house.call(of(uid, wrap)), ResultReason::FEATURE_NOT_SUPPORTED);
    }
}

#[test]
fn keys_are_not_compressed() {
    let house = House::new();
    let uid = house.create([]);
    let compressed = Some(KeyCompressionType::EC_PUBLIC_KEY_TYPE_X9_62_COMPRESSED_PRIME);
    let request = get(&uid, |get| get.key_compression_type = compressed);
    refused(house.call(request), ResultReason::KEY_COMPRESSION_TYPE_NOT_SUPPORTED);
}

/// Sections 3.48 and 3.50.
#[test]
fn sensitive_objects_leave_only_wrapped_and_others_never() {
    let house = House::new();
    let sensitive = AttributeValue::Sensitive(true);
    let kept = AttributeValue::Extractable(false);
    let clear = house.create([sensitive.clone()]);
    refused(house.call(GetRequest::new(clear)), ResultReason::SENSITIVE);
    let wrapped = wrapped_key(&house, std::slice::from_ref(&sensitive));
    house.call(GetRequest::new(wrapped)).unwrap();
    for uid in [house.create([kept.clone()]), wrapped_key(&house, &[sensitive, kept])] {
        refused(house.call(GetRequest::new(uid)), ResultReason::NOT_EXTRACTABLE);
    }
    let usual = house.create([AttributeValue::Sensitive(false), AttributeValue::Extractable(true)]);
    house.call(GetRequest::new(usual)).unwrap();
}

#[test]
fn what_is_not_there_is_not_found() {
    let house = House::new();
    let long = "9".repeat(500_000);
    for uid in ["", "1", "00000000-0000-7000-8000-000000000000", "\u{1F511}", &long] {
        let text = refused(house.call(GetRequest::new(uid)), ResultReason::ITEM_NOT_FOUND);
        assert!(text.len() < 200, "an answer does not grow with what it refuses: {}", text.len());
    }
    // The store is not asked for what cannot be there.
    assert_eq!(house.store.inner().loaded, 4);
    let text = refused(house.call(GetRequest::default()), ResultReason::ITEM_NOT_FOUND);
    assert!(text.contains("Unique Identifier"), "{text}");
}
