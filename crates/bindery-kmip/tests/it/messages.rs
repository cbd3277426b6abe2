//! Typed messages: every message comes out as it went in.

use bindery_kmip::{
    Secret,
    message::{
        AttributeValue, CredentialValue, DestroyRequest, KeyMaterial, KeyValue, ManagedObject,
        Name, RequestBatchItem, RequestMessage, RequestPayload, ResponseMessage, ResponsePayload,
        TransparentValue,
    },
};
use bindery_ttlv::{
    ItemType, Options, ProtocolVersion, Tag,
    registry::{
        CredentialType, CryptographicAlgorithm, ObjectType, Operation, QueryFunction, ResultReason,
    },
};
use bytes::Bytes;

use crate::wire::{
    OBJECT_TYPES, OPERATIONS, big_integer, boolean, create, date, enumeration, get_response,
    integer, octets, profile_answer, profile_query, profile_too_large, request, request_in,
    response, structure, text, version,
};

#[track_caller]
fn read(octets: &[u8]) -> RequestMessage {
    let octets = Bytes::copy_from_slice(octets);
    let message = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
    assert_eq!(message.encode().unwrap(), octets);
    message
}

#[track_caller]
fn read_response(octets: &[u8]) -> ResponseMessage {
    let octets = Bytes::copy_from_slice(octets);
    let message = ResponseMessage::decode(&octets, &Options::STRICT).unwrap();
    assert_eq!(message.encode().unwrap(), octets);
    message
}

/// The payload of the only item.
#[track_caller]
fn payload(octets: &[u8]) -> RequestPayload {
    let [item] = <[_; 1]>::try_from(read(octets).batch_items).unwrap();
    item.payload
}

#[test]
fn messages_of_the_profiles_test_case() {
    for (minor, time) in [(0, 0x51ca_afbd), (1, 1_402_387_492), (2, 1_402_387_648)] {
        for maximum in [256, 2048] {
            let message = read(&profile_query(minor, maximum));
            assert_eq!(message.header.protocol_version.minor, minor);
            assert_eq!(message.header.maximum_response_size, Some(maximum));
            let RequestPayload::Query(query) = &message.batch_items[0].payload else { panic!() };
            let asked = [QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_OBJECTS];
            assert_eq!(query.query_functions, asked);
        }
        let message = read_response(&profile_too_large(minor, time));
        assert_eq!(message.header.time_stamp.0, time);
        let failure = message.batch_items[0].failure().unwrap();
        assert_eq!(failure.reason, ResultReason::RESPONSE_TOO_LARGE);
        assert_eq!(failure.message.as_deref(), Some("TOO_LARGE"));

        let message = read_response(&profile_answer(minor, time));
        assert_eq!(message.batch_items[0].failure(), None);
        let Some(ResponsePayload::Query(answer)) = &message.batch_items[0].payload else {
            panic!()
        };
        assert_eq!(answer.operations, OPERATIONS.map(Operation));
        assert_eq!(answer.object_types, OBJECT_TYPES.map(ObjectType));
    }
}

#[test]
fn create_and_its_attributes() {
    let RequestPayload::Create(create) = payload(&create()) else { panic!() };
    assert_eq!(create.object_type, ObjectType::SYMMETRIC_KEY);
    let attributes = create.attributes.attributes().to_vec();
    let values: Vec<&AttributeValue> = attributes.iter().map(|a| &a.value).collect();
    let [algorithm, length, _, name, activation, custom] = values.as_slice() else { panic!() };
    assert_eq!(**algorithm, CryptographicAlgorithm::AES.into());
    assert_eq!(**length, AttributeValue::CryptographicLength(256));
    assert_eq!(**name, Name::text("disk-1").into());
    assert!(matches!(activation, AttributeValue::ActivationDate(date) if date.0 == 1_700_000_000));
    assert_eq!(custom.name(), "x-floor");
    assert!(attributes[5].row().is_none());
    assert_eq!(attributes[0].row().unwrap().section, "3.4");
}

/// An operation, the fields of a payload, and what must be true of it once it is read.
type Case = (u32, Vec<Vec<u8>>, fn(&RequestPayload) -> bool);

#[test]
fn every_known_operation_has_its_type() {
    let uid = || text(0x94, "1");
    let reason = || structure(0x81, [enumeration(0x82, 2), text(0x80, "lost")]);
    let list: [Case; 9] = [
        (0x0a, vec![uid(), enumeration(0x42, 1)], |p| matches!(p, RequestPayload::Get(_))),
        (
            0x0b,
            vec![uid(), text(0x0a, "State"), text(0x0a, "Name")],
            |p| matches!(p, RequestPayload::GetAttributes(get) if get.attribute_names.len() == 2),
        ),
        (0x0c, vec![uid()], |p| matches!(p, RequestPayload::GetAttributeList(_))),
        (0x12, vec![uid()], |p| matches!(p, RequestPayload::Activate(_))),
        (0x12, vec![], |p| p.unique_identifier().is_none()),
        (0x13, vec![uid(), reason(), date(0x21, 1)], |p| {
            matches!(p, RequestPayload::Revoke(revoke)
                if revoke.compromise_occurrence_date.is_some())
        }),
        (0x14, vec![uid()], |p| p.unique_identifier().is_some_and(|uid| uid == "1")),
        (0x18, vec![enumeration(0x74, 3)], |p| matches!(p, RequestPayload::Query(_))),
        (
            0x1e,
            vec![version(4), version(0)],
            |p| matches!(p, RequestPayload::DiscoverVersions(d) if d.protocol_versions.len() == 2),
        ),
    ];
    for (operation, fields, check) in list {
        let payload = payload(&request(operation, &fields));
        assert!(check(&payload), "{payload:?}");
        assert_eq!(payload.operation(), Operation(operation));
    }
}

#[test]
fn managed_objects_of_every_type() {
    let raw = || structure(0x45, [octets(0x43, b"0123456789abcdef")]);
    let block = || structure(0x40, [enumeration(0x42, 1), raw()]);
    let attribute = structure(0x08, [text(0x0a, "Object Group"), text(0x0b, "g")]);
    let split =
        [integer(0x8b, 3), integer(0x44, 1), integer(0x8c, 2), enumeration(0x8a, 1), block()];
    let objects: [(u32, Vec<u8>); 9] = [
        (1, structure(0x13, [enumeration(0x1d, 1), octets(0x1e, b"\x30\x00")])),
        (2, structure(0x8f, [block()])),
        (3, structure(0x6d, [block()])),
        (4, structure(0x64, [block()])),
        (5, structure(0x89, split)),
        (6, structure(0x90, [attribute])),
        (7, structure(0x85, [enumeration(0x86, 1), block()])),
        (8, structure(0x5b, [enumeration(0x59, 0x8000_0001), octets(0x5a, &[7; 5])])),
        (9, structure(0xbd, [integer(0xbe, 4), block()])),
    ];
    for (object_type, object) in objects {
        let fields = [enumeration(0x57, object_type), structure(0x91, []), object];
        let RequestPayload::Register(register) = payload(&request(3, &fields)) else { panic!() };
        let object = register.object.unwrap();
        assert_eq!(object.object_type(), ObjectType(object_type));
        if let Some(block) = object.key_block() {
            assert_eq!(block.octets().unwrap().expose(), b"0123456789abcdef");
        }
    }
}

fn registered(block: Vec<u8>) -> bindery_kmip::message::KeyBlock {
    let object = structure(0x64, [block]);
    let fields = [enumeration(0x57, 4), structure(0x91, []), object];
    let RequestPayload::Register(register) = payload(&request(3, &fields)) else { panic!() };
    register.object.unwrap().key_block().unwrap().clone()
}

#[test]
fn key_values_in_clear_wrapped_transparent_and_absent() {
    let number = |tag| big_integer(tag, &[0, 0, 0, 0, 0, 1, 0, 1]);
    let material = structure(0x43, [number(0x52), number(0x63), number(0x6c)]);
    let block = registered(structure(
        0x40,
        [enumeration(0x42, 0x0a), structure(0x45, [material]), enumeration(0x28, 4)],
    ));
    let Some(KeyValue::Plain(plain)) = &block.key_value else { panic!() };
    let KeyMaterial::Transparent(key) = &plain.key_material else { panic!() };
    assert_eq!(key.fields.len(), 3);
    assert_eq!(
        key.field(Tag::MODULUS),
        Some(&TransparentValue::BigInteger(Secret::from(&[0, 0, 0, 0, 0, 1, 0, 1][..])))
    );
    assert!(block.octets().is_none());

    let information = structure(0x36, [text(0x94, "kek")]);
    let wrapping = structure(0x46, [enumeration(0x9e, 1), information, enumeration(0xa3, 1)]);
    let block =
        registered(structure(0x40, [enumeration(0x42, 1), octets(0x45, &[9; 40]), wrapping]));
    assert!(matches!(&block.key_value, Some(KeyValue::Wrapped(octets)) if octets.len() == 40));
    let data = block.key_wrapping_data.unwrap();
    assert_eq!(data.encryption_key_information.unwrap().unique_identifier, "kek");

    let block = registered(structure(0x40, [enumeration(0x42, 1)]));
    assert_eq!(block.key_value, None);
}

#[test]
fn what_is_not_known_is_kept_where_it_stood() {
    // A vendor's field and a field of a later version, inside header, item and payload.
    let strange = || text(0x7ff, "from a later version");
    let header = structure(0x77, [version(4), strange(), integer(0x0d, 1), boolean(0x7fe, true)]);
    let payload = structure(0x79, [text(0x94, "1"), strange()]);
    let item = structure(0x0f, [enumeration(0x5c, 0x14), strange(), payload, strange()]);
    let message = read(&structure(0x78, [header, item, strange()]));
    assert_eq!(message.header.unknown.len(), 2);
    assert_eq!(message.batch_items[0].unknown.len(), 2);
    assert_eq!(message.unknown.len(), 1);
    let RequestPayload::Destroy(destroy) = &message.batch_items[0].payload else { panic!() };
    assert_eq!(destroy.unknown[0].value.item_type(), ItemType::TextString);
    // Enumeration values without a name.
    let RequestPayload::Query(query) = payload_of_query(0x8000_0001) else { panic!() };
    assert_eq!(query.query_functions, [QueryFunction(0x8000_0001)]);
}

fn payload_of_query(function: u32) -> RequestPayload {
    payload(&request(0x18, &[enumeration(0x74, function)]))
}

#[test]
fn an_unknown_operation_keeps_its_payload() {
    let strange = request(0x7f, &[text(0x94, "1"), octets(0xc2, b"plain")]);
    let RequestPayload::Unknown(unknown) = payload(&strange) else { panic!() };
    assert_eq!(unknown.operation, Operation(0x7f));
    let answer = response(0x7f, &[octets(0xc2, b"cipher")]);
    let message = read_response(&answer);
    assert!(matches!(&message.batch_items[0].payload, Some(ResponsePayload::Unknown(_))));
}

#[test]
fn a_faulty_payload_spoils_only_its_own_item() {
    let good = structure(
        0x0f,
        [enumeration(0x5c, 0x14), octets(0x93, b"2"), structure(0x79, [text(0x94, "1")])],
    );
    // A Key Format Type that is a text.
    let bad = structure(
        0x0f,
        [
            enumeration(0x5c, 0x0a),
            octets(0x93, b"1"),
            structure(0x79, [text(0x94, "7"), text(0x42, "Raw")]),
        ],
    );
    let header = structure(0x77, [version(4), integer(0x0d, 2)]);
    let message = read(&structure(0x78, [header, bad, good]));
    let RequestPayload::Faulty(faulty) = &message.batch_items[0].payload else { panic!() };
    assert_eq!(faulty.operation, Operation::GET);
    let said = faulty.error.to_string();
    assert!(said.contains("RequestMessage/BatchItem/RequestPayload/KeyFormatType"), "{said}");
    assert!(said.contains("expected Enumeration, found Text String"), "{said}");
    assert!(matches!(message.batch_items[1].payload, RequestPayload::Destroy(_)));
}

#[test]
fn the_same_field_twice_is_a_fault() {
    let RequestPayload::Faulty(faulty) =
        payload(&request(0x14, &[text(0x94, "1"), text(0x94, "2")]))
    else {
        panic!()
    };
    assert!(faulty.error.to_string().contains("twice"), "{}", faulty.error);
}

#[test]
fn locate_may_ask_by_a_part_of_a_structure() {
    let link = structure(0x0b, [text(0x4c, "42")]);
    let attribute = structure(0x08, [text(0x0a, "Link"), link]);
    let RequestPayload::Locate(locate) = payload(&request(8, &[integer(0x4f, 5), attribute]))
    else {
        panic!()
    };
    assert_eq!(locate.maximum_items, Some(5));
    let AttributeValue::Other(name, raw) = &locate.attributes[0].value else { panic!() };
    assert_eq!(name, "Link");
    assert_eq!(raw.items().count(), 1);
    // An attribute of a known name and another type is no attribute.
    let wrong = structure(0x08, [text(0x0a, "State"), text(0x0b, "Active")]);
    assert!(matches!(payload(&request(8, &[wrong])), RequestPayload::Faulty(_)));
}

#[test]
fn credentials() {
    let credential = |kind, value| structure(0x23, [enumeration(0x24, kind), value]);
    let password =
        credential(1, structure(0x25, [text(0x99, "anna"), text(0xa1, "correct horse")]));
    let device = credential(2, structure(0x25, [text(0xb0, "SN-1"), text(0xa9, "host")]));
    let certificate = credential(8, structure(0x25, [octets(0x1e, b"DER")]));
    let ticket = credential(6, text(0x25, "any"));
    let authentication = structure(0x0c, [password, device, certificate, ticket]);
    let two = structure(0x69, [integer(0x6a, 2), integer(0x6b, 1)]);
    let header = structure(0x77, [two, authentication, integer(0x0d, 0)]);
    let message = read(&structure(0x78, [header]));
    let credentials = &message.header.authentication.as_ref().unwrap().credentials;
    let CredentialValue::UsernameAndPassword(user) = &credentials[0].credential_value else {
        panic!()
    };
    assert_eq!(user.username, "anna");
    assert_eq!(user.password.as_ref().unwrap().expose(), "correct horse");
    assert!(matches!(credentials[1].credential_value, CredentialValue::Device(_)));
    assert_eq!(credentials[2].credential_type, CredentialType::CERTIFICATE);
    assert_eq!(credentials[2].certificate_value().unwrap(), "DER");
    assert_eq!(credentials[3].certificate_value(), None);
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", read_response(&get_response(&[0xAB; 32])));
    assert!(shown.contains("Secret(32 octets)"), "{shown}");
    assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
    let value = structure(0x25, [text(0x99, "anna"), text(0xa1, "correct horse")]);
    let credential = structure(0x23, [enumeration(0x24, 1), value]);
    let header = structure(0x77, [version(4), structure(0x0c, [credential]), integer(0x0d, 0)]);
    let shown = format!("{:?}", read(&structure(0x78, [header])));
    assert!(shown.contains("anna") && !shown.contains("horse"), "{shown}");
}

#[test]
fn a_key_is_copied_once_and_the_rest_is_not() {
    let octets = Bytes::from(get_response(&[0xAB; 32]));
    let message = ResponseMessage::decode(&octets, &Options::STRICT).unwrap();
    let Some(ResponsePayload::Get(get)) = &message.batch_items[0].payload else { panic!() };
    let inside = |part: &[u8]| octets.as_ptr_range().contains(&part.as_ptr());
    let ManagedObject::SymmetricKey(key) = &get.object else { panic!() };
    assert!(!inside(key.key_block.octets().unwrap().expose()));
}

#[test]
fn a_long_text_is_a_slice_of_the_message_and_a_short_one_stands_in_place() {
    for (length, shared) in [(40, false), (41, true)] {
        let request = RequestMessage::new(
            ProtocolVersion::V1_0,
            vec![RequestBatchItem::new(DestroyRequest::new("u".repeat(length)))],
        );
        let octets = request.encode().unwrap();
        let message = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
        let RequestPayload::Destroy(destroy) = &message.batch_items[0].payload else { panic!() };
        let uid = destroy.unique_identifier.as_ref().unwrap().as_text().unwrap();
        assert_eq!(octets.as_ptr_range().contains(&uid.as_ptr()), shared, "{length}");
    }
}

#[test]
fn every_truncation_is_refused() {
    for whole in [create(), profile_query(0, 256), get_response(&[1; 32])] {
        for end in 0..whole.len() {
            let part = Bytes::copy_from_slice(&whole[..end]);
            let request = RequestMessage::decode(&part, &Options::STRICT);
            let response = ResponseMessage::decode(&part, &Options::STRICT);
            assert!(request.is_err() && response.is_err(), "{end} of {}", whole.len());
        }
    }
}

#[test]
fn every_changed_octet_is_read_or_refused_and_comes_out_as_it_went_in() {
    for whole in [create(), get_response(&[1; 32])] {
        for at in 0..whole.len() {
            for octet in [0x00, 0x01, 0x42, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = octet;
                let changed = Bytes::from(changed);
                if let Ok(message) = RequestMessage::decode(&changed, &Options::STRICT) {
                    assert_eq!(message.encode().unwrap(), changed, "octet {at} = {octet:02x}");
                }
                if let Ok(message) = ResponseMessage::decode(&changed, &Options::STRICT) {
                    assert_eq!(message.encode().unwrap(), changed, "octet {at} = {octet:02x}");
                }
            }
        }
    }
}

#[test]
fn a_version_that_is_not_spoken_is_still_read() {
    let two = structure(0x69, [integer(0x6a, 2), integer(0x6b, 1)]);
    let message = read(&request_in(two, 0x18, &[enumeration(0x74, 1)]));
    assert_eq!(message.header.protocol_version, ProtocolVersion::V2_1);
}

#[test]
fn messages_of_the_shared_vectors() {
    let Some(vectors) = std::env::var_os("BINDERY_VECTORS") else {
        eprintln!("not run: messages_of_the_shared_vectors (BINDERY_VECTORS is not set)");
        return;
    };
    let folder = std::path::Path::new(&vectors).join("kmip/ttlv");
    let mut seen = 0;
    for file in ["https_profile_messages.tsv", "pykmip_unit_messages.tsv", "bench_messages.tsv"] {
        let table = std::fs::read_to_string(folder.join(file)).unwrap();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            // PyKMIP's own test of a malformed message: its lengths disagree.
            if line.contains("response_no_payload") {
                continue;
            }
            let hex = line.rsplit('\t').next().unwrap();
            let octets = bindery_ttlv::hex::parse(hex).unwrap();
            match octets.get(..3) {
                Some([0x42, 0, 0x78]) => drop(read(&octets)),
                Some([0x42, 0, 0x7b]) => drop(read_response(&octets)),
                _ => continue,
            }
            seen += 1;
        }
    }
    assert!(seen >= 29, "{seen} messages in {}", folder.display());
}
