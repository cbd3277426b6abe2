//! Create, and the Unique Identifiers of what it makes.

use bindery_kmip::message::{
    AttributeValue, CreateRequest, GetRequest, ManagedObject, RequestBatchItem, RequestMessage,
    UniqueIdentifier,
};
use bindery_ttlv::{
    ProtocolVersion,
    registry::{
        CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Usage, KeyFormatType,
        ObjectType, ResultReason, State,
    },
};

use super::{House, create, name, octets, refused};

fn request(algorithm: Algorithm, length: Option<i32>) -> CreateRequest {
    let length = length.map(AttributeValue::CryptographicLength);
    let attributes = [algorithm.into(), Usage::ENCRYPT.into()];
    CreateRequest::new(ObjectType::SYMMETRIC_KEY, attributes.into_iter().chain(length).collect())
}

#[test]
fn a_key_is_made_kept_and_given() {
    let house = House::new();
    let answer = house.call(create([name("disk")])).unwrap();
    assert_eq!(answer.object_type, ObjectType::SYMMETRIC_KEY);
    assert_eq!(answer.template_attribute, None, "nothing was set that was not asked for");
    let uid = answer.unique_identifier;
    let got = house.call(GetRequest::new(uid.clone())).unwrap();
    assert_eq!((got.unique_identifier, got.object_type), (uid.clone(), ObjectType::SYMMETRIC_KEY));
    let block = got.object.key_block().unwrap();
    assert_eq!(block.key_format_type, KeyFormatType::RAW);
    assert_eq!(block.cryptographic_algorithm, Some(Algorithm::AES));
    assert_eq!(block.cryptographic_length, Some(256));
    assert_eq!(octets(&got.object), [1; 32], "the second draw; the first is the identifier's");
    assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
    assert_eq!(house.store.inner().committed, 2, "made, and no longer fresh");
}

#[test]
fn lengths_follow_from_the_algorithm() {
    let good = [
        (Algorithm::AES, 128, 16),
        (Algorithm::AES, 192, 24),
        (Algorithm::AES, 256, 32),
        (Algorithm::DES3, 112, 16),
        (Algorithm::DES3, 168, 24),
        (Algorithm::CHACHA20, 256, 32),
        (Algorithm::HMAC_SHA256, 112, 14),
        (Algorithm::HMAC_SHA512, 8_192, 1_024),
        (Algorithm::BLOWFISH, 136, 17),
    ];
    let house = House::new();
    for (algorithm, bits, expected) in good {
        let uid = house.call(request(algorithm, Some(bits))).unwrap().unique_identifier;
        let key = house.call(GetRequest::new(uid)).unwrap().object;
        assert_eq!(octets(&key).len(), expected, "{algorithm:?} {bits}");
        let length = key.key_block().unwrap().cryptographic_length;
        assert_eq!(length, Some(bits));
    }
    let bad = [
        (Algorithm::AES, 0),
        (Algorithm::AES, -256),
        (Algorithm::AES, 255),
        (Algorithm::AES, 512),
        (Algorithm::DES3, 128),
        (Algorithm::DES3, 192),
        (Algorithm::HMAC_SHA256, 104),
        (Algorithm::HMAC_SHA256, 113),
        (Algorithm::HMAC_SHA256, i32::MAX),
        (Algorithm::HMAC_SHA256, i32::MIN),
        (Algorithm::RSA, 2_048),
        (Algorithm::DES, 56),
        (Algorithm(0x7777), 128),
        (Algorithm(0), 128),
    ];
    let made = house.store.records().len();
    for (algorithm, bits) in bad {
        refused(house.call(request(algorithm, Some(bits))), ResultReason::INVALID_FIELD);
    }
    assert_eq!(house.store.records().len(), made);
}

/// Section 4.1 does not require the length; what the server chose it says.
#[test]
fn a_length_that_nobody_said_is_chosen_and_told() {
    let house = House::new();
    let usual = [
        (Algorithm::AES, 256),
        (Algorithm::DES3, 168),
        (Algorithm::HMAC_SHA384, 384),
        (Algorithm::POLY1305, 256),
    ];
    for (algorithm, bits) in usual {
        let answer = house.call(request(algorithm, None)).unwrap();
        let told = answer.template_attribute.unwrap().attributes;
        let [told] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(told.value, AttributeValue::CryptographicLength(bits));
        let kept = house.values(&answer.unique_identifier, "Cryptographic Length");
        assert_eq!(kept, [AttributeValue::CryptographicLength(bits)]);
    }
}

/// FIPS 46-3: every octet of a DES key has an odd number of ones.
#[test]
fn triple_des_keys_have_odd_parity() {
    let house = House::new();
    for _ in 0..16 {
        let uid = house.call(request(Algorithm::DES3, Some(168))).unwrap().unique_identifier;
        let key = house.call(GetRequest::new(uid)).unwrap().object;
        assert!(octets(&key).iter().all(|octet| octet.count_ones() % 2 == 1), "{key:?}");
    }
}

#[test]
fn only_symmetric_keys_are_created() {
    let house = House::new();
    for object_type in [1, 3, 4, 5, 6, 7, 8, 9, 0, 99] {
        let mut request = create([]);
        request.object_type = ObjectType(object_type);
        refused(house.call(request), ResultReason::INVALID_FIELD);
    }
}

#[test]
fn algorithm_and_usage_mask_are_required() {
    let house = House::new();
    for missing in [0, 2] {
        let mut request = create([]);
        let gone = request.attributes.attributes_mut().remove(missing);
        let text = refused(house.call(request), ResultReason::INVALID_FIELD);
        assert!(text.contains(gone.name()), "{text}");
    }
}

#[test]
fn a_generator_that_fails_makes_nothing() {
    let house = House::new();
    house.crypto.fails.store(true, std::sync::atomic::Ordering::Relaxed);
    let text = refused(house.call(create([])), ResultReason::CRYPTOGRAPHIC_FAILURE);
    assert!(!text.contains("dice"), "{text}");
    assert_eq!(house.told.take(), ["random octets failed: the dice are lost"]);
    assert!(house.store.records().is_empty());
    assert_eq!(house.store.inner().committed, 0);
}

/// RFC 9562, section 5.7: the first 48 bits are the milliseconds since 1970.
#[test]
fn identifiers_are_uuids_of_version_7_in_the_order_of_their_making() {
    let house = House::new();
    let mut made: Vec<UniqueIdentifier> = Vec::new();
    for step in [0, 0, 5, -3, 1] {
        house.pass(step);
        let items = (0..300).map(|_| RequestBatchItem::new(create([]))).collect();
        let answers = house.send(&RequestMessage::new(ProtocolVersion::V1_4, items)).batch_items;
        for answer in answers {
            let answer = super::typed::<CreateRequest>(answer).unwrap();
            made.push(answer.unique_identifier);
        }
    }
    assert!(made.is_sorted_by(|one, next| one.as_text().unwrap() < next.as_text().unwrap()));
    for uid in &made {
        let hex = uid.as_text().unwrap().replace('-', "");
        assert_eq!((uid.as_text().unwrap().len(), hex.len()), (36, 32));
        let bits = u128::from_str_radix(&hex, 16).unwrap();
        assert_eq!((bits >> 76 & 0xF, bits >> 62 & 0b11), (7, 0b10), "{uid}");
        let seconds = i64::try_from(bits >> 80).unwrap() / 1_000;
        assert!((super::START..=super::START + 5).contains(&seconds), "{uid}");
    }
}

#[test]
fn what_is_made_is_found_under_its_own_record() {
    let house = House::new();
    let uid = house.create([name("disk")]);
    let record = house.store.record(uid.as_text().unwrap());
    assert_eq!(record.owner.as_str(), "alice");
    assert_eq!(record.created.unix_seconds(), super::START);
    assert!(record.material.is_some());
    let names: Vec<&str> = record.index.iter().map(|entry| entry.name.as_str()).collect();
    for name in ["Name", "Object Type", "Cryptographic Algorithm", "Cryptographic Length"] {
        assert!(names.contains(&name), "{names:?}");
    }
    // State follows from the clock, so nobody could keep an index of it.
    assert!(!names.contains(&"State"), "{names:?}");
    let ManagedObject::SymmetricKey(_) = house.call(GetRequest::new(uid)).unwrap().object else {
        panic!("another type")
    };
}
