//! What a version does not have, forms of 2.x, and the tolerances of `bindery_ttlv::Tolerance` for them.

use bindery_core::ClientBinding as _;
use bindery_kmip::message::Failure;
use bindery_kmip::{
    Encoding, Envelope, HttpsProfile, KmipHttps, Secret,
    message::{
        AddAttributeRequest, AsynchronousMode, Attribute, AttributeReference, AttributeValue,
        Attributes, CreateKeyPairRequest, CreateRequest, DeleteAttributeRequest,
        DiscoverVersionsRequest, GetAttributesRequest, GetRequest, KeyBlock, KeyValue,
        LocateRequest, ManagedObject, ModifyAttributeRequest, Name, ObjectAttributes,
        PlainKeyValue, RegisterRequest, RequestMessage, RequestPayload, SymmetricKey,
        TemplateAttribute, UniqueIdentifier,
    },
};
use bindery_ttlv::{
    Encode as _, ErrorKind, Options, ProtocolVersion, RawValue, Tag, Tolerance, Writer,
    check_version,
    registry::{
        AsynchronousIndicator, CryptographicAlgorithm, KeyFormatType, ObjectType, Operation,
        ResultReason, State, UniqueIdentifierEnumeration,
    },
};
use bytes::Bytes;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

fn only(tolerance: Tolerance) -> Options {
    Options::STRICT.with_tolerance(tolerance)
}

/// A message as it is, in a version that may not have what is in it.
fn written(version: ProtocolVersion, payloads: Vec<RequestPayload>) -> Bytes {
    let mut message = Envelope::new(ProtocolVersion::V1_0)
        .batch(payloads, bindery_ttlv::registry::BatchErrorContinuationOption::CONTINUE);
    message.header.protocol_version = version;
    message.encode().unwrap()
}

fn read(octets: &Bytes, options: &Options) -> RequestMessage {
    let message = RequestMessage::decode(octets, options).unwrap();
    assert_eq!(message.encode().unwrap(), octets, "it is written as it was");
    message
}

fn attributes_2(names: &[&str]) -> Attributes {
    names.iter().map(|name| Name::text(*name).into()).collect()
}

/// Of a batch in 1.4 only the item in a form of 2.x is refused, with its place; the tolerance lets it pass.
#[test]
fn a_form_of_2_in_1_spoils_its_own_item_unless_it_is_tolerated() {
    let mut young = CreateRequest::new(ObjectType::SYMMETRIC_KEY, TemplateAttribute::default());
    young.attributes = ObjectAttributes::Attributes(attributes_2(&["disk"]));
    let old = GetRequest::new("1");
    let octets = written(V1_4, vec![old.clone().into(), young.clone().into(), old.clone().into()]);
    let message = read(&octets, &Options::STRICT);
    let [first, second, third] = message.batch_items.as_slice() else { panic!() };
    assert_eq!(first.payload, RequestPayload::from(old.clone()));
    assert_eq!(third.payload, RequestPayload::from(old));
    let RequestPayload::Faulty(faulty) = &second.payload else { panic!("{second:?}") };
    assert_eq!(faulty.operation, Operation::CREATE);
    let path = [Tag::REQUEST_MESSAGE, Tag::BATCH_ITEM, Tag::REQUEST_PAYLOAD, Tag::ATTRIBUTES];
    assert_eq!(faulty.error.path(), path);
    assert!(faulty.error.to_string().contains("tolerance other_versions"), "{}", faulty.error);
    assert_eq!(Failure::from(&faulty.error).reason, ResultReason::INVALID_FIELD);
    let tolerant = only(Tolerance::STRICT.with_other_versions(true));
    assert_eq!(
        read(&octets, &tolerant).batch_items[1].payload,
        RequestPayload::from(young.clone())
    );
    let in_2 = written(V2_1, vec![young.clone().into()]);
    assert_eq!(read(&in_2, &Options::STRICT).batch_items[0].payload, RequestPayload::from(young));
}

#[test]
fn an_operation_of_a_later_version_is_not_supported() {
    let octets = written(ProtocolVersion::V1_0, vec![DiscoverVersionsRequest::default().into()]);
    let message = read(&octets, &Options::STRICT);
    let RequestPayload::Faulty(faulty) = &message.batch_items[0].payload else { panic!() };
    assert_eq!(Failure::from(&faulty.error).reason, ResultReason::OPERATION_NOT_SUPPORTED);
}

#[test]
fn a_header_of_a_later_version_spoils_the_message() {
    let mut message = Envelope::new(ProtocolVersion::V1_3).request(GetRequest::new("1"));
    message.header.client_correlation_value = Some("call 7".into());
    let octets = message.encode().unwrap();
    let error = RequestMessage::decode(&octets, &Options::STRICT).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Version { tag: Tag::CLIENT_CORRELATION_VALUE, value: None, .. }
    ));
    read(&octets, &only(Tolerance::STRICT.with_other_versions(true)));
}

/// A Key Value with a Link and a State of its own, as Cosmian KMS writes it.
fn key_with_attributes(version: ProtocolVersion) -> Bytes {
    let block = KeyBlock::new(KeyFormatType::RAW, Secret::new(vec![7; 16]))
        .with_algorithm(CryptographicAlgorithm::AES, 128);
    let key = ManagedObject::SymmetricKey(SymmetricKey::new(block));
    let register = RegisterRequest::new(key, TemplateAttribute::default());
    let octets = written(version, vec![register.into()]);
    // The Key Value is followed by the algorithm; the items go in between, and five lengths grow.
    let mut extra = Vec::new();
    State::ACTIVE.encode(Tag::STATE, &mut Writer::new(&mut extra));
    Name::text("disk").encode(Tag::NAME, &mut Writer::new(&mut extra));
    let at = octets.windows(3).position(|tag| tag == [0x42, 0x00, 0x28]).unwrap();
    let mut octets = octets.to_vec();
    octets.splice(at..at, extra.iter().copied());
    let structures = [0x78, 0x0f, 0x79, 0x8f, 0x40, 0x45];
    for tag in structures {
        let at = octets.windows(4).position(|four| four == [0x42, 0x00, tag, 0x01]).unwrap() + 4;
        let length = u32::from_be_bytes(octets[at..at + 4].try_into().unwrap());
        let length = length + u32::try_from(extra.len()).unwrap();
        octets[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    octets.into()
}

#[test]
fn attributes_alone_in_a_key_value_are_refused_unless_they_are_tolerated() {
    let octets = key_with_attributes(V1_4);
    let message = read(&octets, &Options::STRICT);
    let RequestPayload::Faulty(faulty) = &message.batch_items[0].payload else { panic!() };
    assert_eq!(*faulty.error.kind(), ErrorKind::UnexpectedField { tag: Tag::STATE });
    assert_eq!(faulty.error.path().last(), Some(&Tag::STATE));
    let tolerant = only(Tolerance::STRICT.with_key_value_attributes(true));
    let message = RequestMessage::decode(&octets, &tolerant).unwrap();
    let RequestPayload::Register(register) = &message.batch_items[0].payload else { panic!() };
    let Some(ManagedObject::SymmetricKey(key)) = &register.object else { panic!() };
    let Some(KeyValue::Plain(plain)) = &key.key_block.key_value else { panic!() };
    let found: Vec<_> = plain.all_attributes().cloned().collect();
    assert_eq!(found, [Attribute::new(State::ACTIVE), Attribute::new(Name::text("disk"))]);
    assert!(plain.unknown.is_empty());
    // What is written is the form of 1.x, which a strict peer reads.
    let canonical = read(&message.encode().unwrap(), &Options::STRICT);
    assert_eq!(canonical, message);
}

#[test]
fn a_key_value_has_attributes_of_2_in_their_structure() {
    let mut plain =
        PlainKeyValue::new(bindery_kmip::message::KeyMaterial::Octets(Secret::new(vec![7; 16])));
    plain.attributes_2 = Some(attributes_2(&["a", "b"]));
    let mut block = KeyBlock::new(KeyFormatType::RAW, Secret::default());
    block.key_value = Some(KeyValue::Plain(plain));
    let key = ManagedObject::SymmetricKey(SymmetricKey::new(block));
    let mut register = RegisterRequest::new(key, TemplateAttribute::default());
    register.attributes = ObjectAttributes::Attributes(Attributes::default());
    let message = read(&written(V2_1, vec![register.clone().into()]), &Options::STRICT);
    assert_eq!(message.batch_items[0].payload, RequestPayload::from(register.clone()));
    let message = read(&written(V1_4, vec![register.into()]), &Options::STRICT);
    assert!(matches!(message.batch_items[0].payload, RequestPayload::Faulty(_)));
}

#[test]
fn a_unique_identifier_is_a_text_an_enumeration_a_number_or_kept() {
    let odd = RawValue::of(&true);
    for (uid, text) in [
        (UniqueIdentifier::from("49a1"), Some("49a1")),
        (UniqueIdentifierEnumeration::ID_PLACEHOLDER.into(), None),
        (UniqueIdentifierEnumeration(0x8000_0001).into(), None),
        ((-1).into(), None),
        (UniqueIdentifier::Other(Box::new(odd)), None),
    ] {
        assert_eq!(uid.as_text(), text);
        let payload = RequestPayload::from(GetRequest::new(uid.clone()));
        let message = read(&written(V2_1, vec![payload]), &Options::STRICT);
        assert_eq!(message.batch_items[0].payload.unique_identifier(), Some(&uid));
    }
    // 1.x has texts only.
    let get = GetRequest::new(UniqueIdentifierEnumeration::ID_PLACEHOLDER);
    let message = read(&written(V1_4, vec![get.into()]), &Options::STRICT);
    assert!(matches!(message.batch_items[0].payload, RequestPayload::Faulty(_)));
}

#[test]
fn the_asynchronous_indicator_is_a_boolean_in_1_and_an_enumeration_in_2() {
    let prohibited = AsynchronousMode::Asked(AsynchronousIndicator::PROHIBITED);
    for (version, mode) in [(V1_4, AsynchronousMode::Accepted(true)), (V2_1, prohibited)] {
        let mut message = Envelope::new(version).request(GetRequest::new("1"));
        message.header.asynchronous_indicator = Some(mode);
        let read = read(&message.encode().unwrap(), &Options::STRICT);
        assert_eq!(read.header.asynchronous_indicator, Some(mode));
    }
    let mut message = Envelope::new(V1_4).request(GetRequest::new("1"));
    message.header.asynchronous_indicator = Some(prohibited);
    RequestMessage::decode(&message.encode().unwrap(), &Options::STRICT).unwrap_err();
}

fn requests_of_1() -> Vec<RequestPayload> {
    let name = || AttributeValue::from(Name::text("disk"));
    let template = || -> TemplateAttribute { [name()].into_iter().collect() };
    let mut pair = CreateKeyPairRequest::default();
    pair.common_attributes = Some(template().into());
    pair.private_key_attributes = Some(template().into());
    let mut add = AddAttributeRequest::new("1");
    add.attribute = Some(Attribute::new(name()).with_index(0));
    let mut delete = DeleteAttributeRequest::new("1");
    delete.attribute_name = Some("x-colour".into());
    vec![
        CreateRequest::new(ObjectType::SYMMETRIC_KEY, template()).into(),
        pair.into(),
        LocateRequest::new([name()]).into(),
        GetAttributesRequest::new("1", ["Name", "x-colour"]).into(),
        add.into(),
        delete.into(),
    ]
}

/// What is written for a version has nothing that it does not have, whichever the form of the request.
#[test]
fn requests_of_1_are_written_in_the_form_of_the_version() {
    for version in bindery_kmip::SERVER_VERSIONS {
        for request in requests_of_1() {
            let octets = Envelope::new(version).request(request.clone()).encode().unwrap();
            assert_eq!(check_version(&octets, version, &Options::STRICT), Ok(()), "{request:?}");
            let mut again = request.clone();
            again.in_form_of(version);
            assert_eq!(again != request, version >= ProtocolVersion::V2_0);
            assert_eq!(
                check_version(&written(version, vec![request.clone()]), version, &Options::STRICT)
                    .is_ok(),
                version < ProtocolVersion::V2_0,
                "{request:?}"
            );
        }
    }
    let mut asked = RequestPayload::from(GetAttributesRequest::new("1", ["Name", "x-colour"]));
    asked.in_form_of(V2_1);
    let RequestPayload::GetAttributes(asked) = asked else { panic!() };
    assert_eq!(asked.attribute_references[0], AttributeReference::Tag(Tag::NAME));
    let names: Vec<_> =
        asked.attribute_references.iter().map(AttributeReference::display_name).collect();
    assert_eq!(names, ["Name", "x-colour"]);
}

/// A filter that cannot be said is no filter that may be left out: what comes back would be everything.
#[test]
fn what_2_x_cannot_say_is_refused_and_not_left_out() {
    let target = "https://kmip.example/kmip".parse().unwrap();
    let other = || AttributeValue::Other("Backup".into(), RawValue::of("a"));
    let absent = || AttributeValue::Absent("x-colour".into());
    let mut modify = ModifyAttributeRequest::new("1");
    modify.attribute = Some(Attribute::new(custom("red")).with_index(3));
    let mut add = AddAttributeRequest::new("1");
    add.attribute = Some(Attribute::new(other()));
    let template = |value: AttributeValue| -> TemplateAttribute { [value].into_iter().collect() };
    let requests: Vec<RequestPayload> = vec![
        LocateRequest::new([other()]).into(),
        LocateRequest::new([custom("red"), absent()]).into(),
        CreateRequest::new(ObjectType::SYMMETRIC_KEY, template(other())).into(),
        modify.into(),
        add.into(),
    ];
    for request in requests {
        let mut again = request.clone();
        again.in_form_of(V2_1);
        assert_eq!(again, request);
        let message = Envelope::new(V2_1).request(request.clone());
        let refused = KmipHttps::default().encode_request(&target, message);
        assert!(refused.is_err(), "{request:?}");
    }
    // An index of 0 is the first and only one.
    let mut modify = ModifyAttributeRequest::new("1");
    modify.attribute = Some(Attribute::new(custom("red")).with_index(0));
    let mut modify = RequestPayload::from(modify);
    modify.in_form_of(V2_1);
    let RequestPayload::ModifyAttribute(modify) = modify else { panic!() };
    assert!(modify.attribute.is_none() && modify.new_attribute.is_some());
}

fn custom(value: &str) -> AttributeValue {
    AttributeValue::Other("x-colour".into(), RawValue::of(value))
}

/// The client is strict in what it sends: what the version does not have is refused before it is sent.
#[test]
fn a_client_does_not_send_what_the_version_does_not_have() {
    let target = "https://kmip.example/kmip".parse().unwrap();
    let mut message = Envelope::new(ProtocolVersion::V1_0).request(LocateRequest::default());
    message.batch_items[0] = bindery_kmip::message::RequestBatchItem::new({
        let mut locate = LocateRequest::default();
        locate.offset_items = Some(1);
        locate
    });
    let error = KmipHttps::default().encode_request(&target, message.clone()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("KMIP 1.0 has no OffsetItems"), "{said}");
    let lenient = KmipHttps::with_options(HttpsProfile::default(), Options::LENIENT);
    lenient.encode_request(&target, message).unwrap();
    // A Template's name cannot be said in 2.x.
    let mut template = TemplateAttribute::default();
    template.names = vec![Name::text("template")];
    let create = CreateRequest::new(ObjectType::SYMMETRIC_KEY, template);
    let message = Envelope::new(V2_1).request(create);
    let error = KmipHttps::default().encode_request(&target, message).unwrap_err().to_string();
    assert!(error.contains("KMIP 2.1 has no TemplateAttribute"), "{error}");
}

#[test]
fn a_client_chooses_the_encoding() {
    let target = "https://kmip.example/kmip".parse().unwrap();
    for (encoding, media_type, begins) in [
        (Encoding::Ttlv, "application/octet-stream", b"\x42\x00\x78\x01".as_slice()),
        (Encoding::Xml, "text/xml", b"<RequestMessage"),
        (Encoding::Json, "application/json", b"{\"tag\":\"RequestMessage\""),
    ] {
        let binding = KmipHttps::default().with_encoding(encoding);
        let message = Envelope::new(V2_1).request(GetRequest::new("1"));
        let (request, _) = binding.encode_request(&target, message).unwrap();
        assert_eq!(request.headers()["content-type"], media_type);
        assert_eq!(request.headers().get_all("content-type").iter().count(), 1);
        let body = request.into_body().into_bytes().unwrap();
        let body = String::from_utf8_lossy(&body).replace(['\n', ' '], "").into_bytes();
        let begins = String::from_utf8_lossy(begins).into_owned().into_bytes();
        assert!(body.starts_with(&begins), "{}", String::from_utf8_lossy(&body));
    }
}

/// A message of nothing but faults is gone through a few times only: with a way through it for each
/// of them this would take minutes.
#[test]
fn faults_by_the_ten_thousand_are_soon_told() {
    let mut young = LocateRequest::default();
    young.attributes_2 = Some(attributes_2(&["x"; 8]));
    let payloads = vec![RequestPayload::from(young); 5_000];
    let message = RequestMessage::decode(&written(V1_4, payloads), &Options::STRICT).unwrap();
    assert_eq!(message.batch_items.len(), 5_000);
    for (place, item) in message.batch_items.iter().enumerate() {
        let RequestPayload::Faulty(faulty) = &item.payload else { panic!("{place}") };
        assert!(matches!(faulty.error.kind(), ErrorKind::Version { .. }));
        assert_eq!(faulty.error.path().is_empty(), place >= 16, "{place}");
    }
    let young = vec![Attribute::new(Name::text("x")).with_index(0); 100_000];
    let mut locate = LocateRequest::default();
    locate.attributes = young;
    let options = Options::STRICT.with_limits(
        bindery_ttlv::Limits::DEFAULT.with_items(u32::MAX).with_message_length(u32::MAX),
    );
    let octets = written(V2_1, vec![locate.into()]);
    let message = RequestMessage::decode(&octets, &options).unwrap();
    assert!(matches!(message.batch_items[0].payload, RequestPayload::Faulty(_)));
}
