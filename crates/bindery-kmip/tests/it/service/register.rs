//! Register, for every type of object, and what the server finds out about it itself.

use bindery_kmip::{
    Secret,
    message::{
        AttributeValue, Certificate, Digest, GetRequest, KeyBlock, KeyMaterial, KeyValue,
        KeyWrappingData, ManagedObject, OpaqueDataType, OpaqueObject, PlainKeyValue, PrivateKey,
        PublicKey, RegisterRequest, SymmetricKey, Template, TemplateAttribute, TransparentKey,
        TransparentValue,
    },
};
use bindery_ttlv::{
    Tag,
    registry::{
        CertificateType, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Usage,
        HashingAlgorithm, KeyFormatType, ObjectType, ResultReason, State, WrappingMethod,
    },
};

use super::{House, aes_key, octets, password, refused};

fn mask() -> AttributeValue {
    Usage::ENCRYPT.into()
}

fn symmetric(block: KeyBlock) -> ManagedObject {
    ManagedObject::SymmetricKey(SymmetricKey::new(block))
}

fn rsa(format: KeyFormatType) -> KeyBlock {
    KeyBlock::new(format, Secret::from(&b"\x30\x03\x02\x01\x05"[..]))
        .with_algorithm(Algorithm::RSA, 2_048)
}

fn transparent_rsa() -> KeyBlock {
    let mut block = rsa(KeyFormatType::TRANSPARENT_RSA_PUBLIC_KEY);
    let number =
        |octet: u8| TransparentValue::BigInteger(Secret::from(&[0, 0, 0, 0, 0, 0, 0, octet][..]));
    let key = TransparentKey::default()
        .with(Tag::MODULUS, number(15))
        .with(Tag::PUBLIC_EXPONENT, number(3));
    block.key_value = Some(KeyValue::Plain(PlainKeyValue::new(KeyMaterial::Transparent(key))));
    block
}

fn wrapped(mut block: KeyBlock, value: KeyValue) -> KeyBlock {
    block.key_value = Some(value);
    block.key_wrapping_data = Some(Box::new(KeyWrappingData::new(WrappingMethod::ENCRYPT)));
    block
}

fn certificate() -> ManagedObject {
    ManagedObject::Certificate(Certificate::new(CertificateType::X_509, &b"\x30\x01\x00"[..]))
}

fn opaque(octets: &[u8]) -> ManagedObject {
    let kind = OpaqueDataType(0x8000_0001);
    ManagedObject::OpaqueObject(OpaqueObject::new(kind, Secret::from(octets)))
}

fn every_kind() -> Vec<(ManagedObject, Vec<AttributeValue>)> {
    let aes = || KeyBlock::new(KeyFormatType::RAW, Secret::from(&[7; 16][..]));
    let in_other_words =
        KeyMaterial::Transparent(TransparentKey::symmetric(Secret::from(&[7; 16][..])));
    let mut transparent = aes().with_algorithm(Algorithm::AES, 128);
    transparent.key_format_type = KeyFormatType::TRANSPARENT_SYMMETRIC_KEY;
    transparent.key_value = Some(KeyValue::Plain(PlainKeyValue::new(in_other_words)));
    let octets = || KeyValue::Wrapped(Secret::from(&[9; 24][..]));
    let no_encoding = KeyMaterial::Octets(Secret::from(&[9; 24][..]));
    let no_encoding = KeyValue::Plain(PlainKeyValue::new(no_encoding));
    vec![
        (symmetric(aes().with_algorithm(Algorithm::AES, 128)), vec![mask()]),
        (symmetric(aes()), vec![mask(), Algorithm::AES.into()]),
        (symmetric(transparent), vec![mask()]),
        (symmetric(wrapped(aes().with_algorithm(Algorithm::AES, 128), octets())), vec![mask()]),
        (symmetric(wrapped(aes(), octets())), vec![mask()]),
        (symmetric(wrapped(aes().with_algorithm(Algorithm::AES, 128), no_encoding)), vec![mask()]),
        (ManagedObject::PublicKey(PublicKey::new(rsa(KeyFormatType::X_509))), vec![mask()]),
        (ManagedObject::PublicKey(PublicKey::new(transparent_rsa())), vec![mask()]),
        (ManagedObject::PrivateKey(PrivateKey::new(rsa(KeyFormatType::PKCS_1))), vec![mask()]),
        (password(b"open sesame"), vec![mask()]),
        (certificate(), vec![]),
        (opaque(b""), vec![]),
        (opaque(b"SecretPassword"), vec![]),
    ]
}

#[test]
fn every_kind_of_object_comes_back_as_it_was() {
    let house = House::new();
    for (object, attributes) in every_kind() {
        let uid = house.register(object.clone(), &attributes);
        let got = house.call(GetRequest::new(uid.clone())).unwrap();
        assert_eq!(got.object, object);
        assert_eq!(got.object_type, object.object_type());
        let kinds = house.values(&uid, "Object Type");
        assert_eq!(kinds, [object.object_type().into()]);
        let state =
            (object.object_type() != ObjectType::OPAQUE_OBJECT).then_some(State::PRE_ACTIVE);
        assert_eq!(house.state(&uid), state);
        // From the record, that is: after the server was started again.
        let record = house.store.record(uid.as_text().unwrap());
        assert!(record.material.is_some());
    }
}

/// Section 3.17; the values are those of `printf ... | sha256sum`.
#[test]
fn digests_are_the_known_ones() {
    let house = House::new();
    let known = [
        (
            aes_key(b"0123456789abcdef"),
            vec![mask()],
            Some(KeyFormatType::RAW),
            "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f",
        ),
        (
            password(b"SecretPassword"),
            vec![mask()],
            Some(KeyFormatType::OPAQUE),
            "d4bc96e4b923770d7501e89f89a8e6e4d87bb61f1d2a7939de772a77a221a4db",
        ),
        (
            opaque(b"abc"),
            vec![],
            None,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            certificate(),
            vec![],
            None,
            "edc8c1efa9b3a9dc08b95dd0236472be2167c4eb4994fc1edda33e8deefc1a45",
        ),
    ];
    for (object, attributes, format, hash) in known {
        let uid = house.register(object.clone(), &attributes);
        let values = house.values(&uid, "Digest");
        let [AttributeValue::Digest(digest)] = values.as_slice() else { panic!("{values:?}") };
        let Digest { hashing_algorithm, digest_value, key_format_type, .. } = &**digest;
        assert_eq!((*hashing_algorithm, *key_format_type), (HashingAlgorithm::SHA_256, format));
        let hex: String =
            digest_value.as_ref().unwrap().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, hash, "{object:?}");
    }
}

/// The octets of a wrapped or a Transparent key are not the key's own.
#[test]
fn what_has_no_defined_octets_has_no_digest() {
    let house = House::new();
    for (object, attributes) in every_kind() {
        let uid = house.register(object.clone(), &attributes);
        let plain = object.key_block().is_none_or(|block| {
            block.key_wrapping_data.is_none()
                && !matches!(
                    block.key_format_type,
                    KeyFormatType::TRANSPARENT_SYMMETRIC_KEY
                        | KeyFormatType::TRANSPARENT_RSA_PUBLIC_KEY
                )
        });
        assert_eq!(house.values(&uid, "Digest").len(), usize::from(plain), "{object:?}");
    }
}

#[test]
fn certificates_get_their_type_and_length() {
    let house = House::new();
    let uid = house.register(certificate(), &[]);
    assert_eq!(house.values(&uid, "Certificate Type"), [CertificateType::X_509.into()]);
    let length = AttributeValue::CertificateLength(3);
    assert_eq!(house.values(&uid, "Certificate Length"), std::slice::from_ref(&length));
    let same = house.register(certificate(), &[CertificateType::X_509.into(), length]);
    assert_eq!(house.values(&same, "Certificate Length").len(), 1);
    for lie in [CertificateType::PGP.into(), AttributeValue::CertificateLength(4)] {
        let request = RegisterRequest::new(certificate(), [lie].into_iter().collect());
        refused(house.call(request), ResultReason::INVALID_FIELD);
    }
}

#[test]
fn algorithm_and_length_come_from_either_side_and_agree() {
    let house = House::new();
    let block = || KeyBlock::new(KeyFormatType::RAW, Secret::from(&[7; 24][..]));
    let register = |block: KeyBlock, more: Vec<AttributeValue>| {
        let template = more.into_iter().chain([mask()]).collect();
        house.call(RegisterRequest::new(symmetric(block), template))
    };
    let length = AttributeValue::CryptographicLength;
    let cases = [
        (block().with_algorithm(Algorithm::AES, 192), vec![], 192),
        (block(), vec![Algorithm::AES.into(), length(192)], 192),
        (block(), vec![Algorithm::AES.into()], 192),
        (block(), vec![Algorithm::DES3.into()], 168),
        (block().with_algorithm(Algorithm::DES3, 168), vec![], 168),
        (block().with_algorithm(Algorithm::DES3, 192), vec![length(192)], 192),
    ];
    for (block, more, bits) in cases {
        let uid = register(block, more).unwrap().unique_identifier;
        assert_eq!(house.values(&uid, "Cryptographic Length"), [length(bits)]);
        assert_eq!(house.values(&uid, "Cryptographic Algorithm").len(), 1);
    }
    let bad = [
        (block(), vec![]),
        (block().with_algorithm(Algorithm::AES, 192), vec![Algorithm::DES3.into()]),
        (block().with_algorithm(Algorithm::AES, 192), vec![length(168)]),
        // Only DES has parity bits that may go uncounted.
        (block().with_algorithm(Algorithm::AES, 168), vec![]),
        (block().with_algorithm(Algorithm::AES, 256), vec![]),
        (block().with_algorithm(Algorithm::AES, -192), vec![]),
        (
            KeyBlock::new(KeyFormatType::RAW, Secret::default()).with_algorithm(Algorithm::AES, 0),
            vec![],
        ),
    ];
    for (block, more) in bad {
        refused(register(block, more), ResultReason::INVALID_FIELD);
    }
}

#[test]
fn keys_need_a_usage_mask() {
    let house = House::new();
    for (object, _) in every_kind() {
        let request = RegisterRequest::new(object.clone(), TemplateAttribute::default());
        // Secrets may come without one (case SASED-M-2).
        let secret = matches!(object, ManagedObject::SecretData(_));
        match object.key_block().filter(|_| !secret) {
            Some(_) => {
                let text = refused(house.call(request), ResultReason::INVALID_FIELD);
                // Without an algorithm it is one of two things that lack.
                assert!(text.contains("Cryptographic"), "{text}");
            }
            None => drop(house.call(request).unwrap()),
        }
    }
}

#[test]
fn a_key_without_a_value_or_with_half_a_wrapping_is_refused() {
    let house = House::new();
    let register =
        |block| house.call(RegisterRequest::new(symmetric(block), [mask()].into_iter().collect()));
    let block = || KeyBlock::new(KeyFormatType::RAW, Secret::from(&[7; 16][..]));
    let mut without = block().with_algorithm(Algorithm::AES, 128);
    without.key_value = None;
    refused(register(without), ResultReason::INVALID_FIELD);
    let mut half = block().with_algorithm(Algorithm::AES, 128);
    half.key_value = Some(KeyValue::Wrapped(Secret::from(&[9; 24][..])));
    refused(register(half), ResultReason::INVALID_FIELD);
}

#[test]
fn the_object_has_to_be_there_and_of_the_type_that_is_said() {
    let house = House::new();
    let whole = || RegisterRequest::new(aes_key(&[7; 16]), [mask()].into_iter().collect());
    let mut without = whole();
    without.object = None;
    refused(house.call(without), ResultReason::INVALID_FIELD);
    let mut other = whole();
    other.object_type = ObjectType::SECRET_DATA;
    refused(house.call(other), ResultReason::INVALID_FIELD);
    let template = ManagedObject::Template(Template::new(Vec::new()));
    let text = refused(
        house.call(RegisterRequest::new(template, TemplateAttribute::default())),
        ResultReason::INVALID_FIELD,
    );
    assert!(text.contains("Query"), "{text}");
    for object_type in [ObjectType::SPLIT_KEY, ObjectType::PGP_KEY, ObjectType(0), ObjectType(99)] {
        let mut other = whole();
        other.object_type = object_type;
        refused(house.call(other), ResultReason::INVALID_FIELD);
    }
    assert!(house.store.records().is_empty());
}

#[test]
fn octets_are_as_they_were_to_the_last_bit() {
    let house = House::new();
    for length in [1_usize, 7, 8, 9, 255, 256, 65_535, 1_000_000] {
        let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let uid = house.register(password(&content), &[mask()]);
        let got = house.call(GetRequest::new(uid)).unwrap().object;
        assert!(octets(&got) == content, "{length}");
    }
}
