//! Locate: criteria of each kind, ranges, paging, order, what a batch has changed, owners.

use bindery_kmip::message::{
    AlternativeName, ApplicationSpecificInformation, AttributeValue, CryptographicParameters,
    DestroyRequest, GetAttributesRequest, Link, LocateRequest, LocateResponse, Name,
    RequestPayload, UniqueIdentifier,
};
use bindery_ttlv::{
    DateTime, Options, ProtocolVersion, RawValue, Tag, Text, Writer, decode,
    registry::{
        AlternativeNameType, BatchErrorContinuationOption as Continuation, BlockCipherMode,
        CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Usage, HashingAlgorithm,
        LinkType, NameType, ObjectGroupMember, ObjectType, ResultReason,
        RevocationReasonCode as Code, State, StorageStatusMask,
    },
};

use super::{House, START, aes, create, custom, name, password, refused, revoke, typed};

/// Finds with one criterion what has the attribute and nothing else.
#[track_caller]
fn only(
    house: &House,
    with: &UniqueIdentifier,
    criteria: impl IntoIterator<Item = AttributeValue>,
) {
    assert_eq!(house.locate(criteria), std::slice::from_ref(with));
}

fn information(namespace: &str, data: &str) -> AttributeValue {
    ApplicationSpecificInformation::new(namespace, data).into()
}

fn part<T: bindery_ttlv::Encode>(attribute: &str, fields: &T) -> AttributeValue {
    AttributeValue::Other(Text::from(attribute), RawValue::of(fields))
}

fn alternative_name(uri: &str) -> AttributeValue {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    writer.structure(Tag::ALTERNATIVE_NAME, |writer| {
        writer.text_string(Tag::ALTERNATIVE_NAME_VALUE, uri);
        writer.enumeration(Tag::ALTERNATIVE_NAME_TYPE, AlternativeNameType::URI.0);
    });
    writer.finish().unwrap();
    decode::<AlternativeName>(&octets.into(), &Options::STRICT).unwrap().into()
}

/// A structure of one field, as a client sends it that leaves out the others.
#[derive(bindery_ttlv::Ttlv)]
#[ttlv(tag = ATTRIBUTE_VALUE)]
struct NameValueOnly {
    #[ttlv(tag = NAME_VALUE)]
    name_value: Text,
}

#[test]
fn without_criteria_it_finds_everything_oldest_first() {
    let house = House::new();
    let made: Vec<UniqueIdentifier> = (0..5).map(|_| house.create([])).collect();
    assert_eq!(house.locate([]), made);
}

#[test]
fn each_kind_of_attribute_finds_its_object() {
    let house = House::new();
    house.create([name("other")]);
    let kinds: Vec<AttributeValue> = [
        name("disk-1"),
        Name::new("disk-1", NameType::URI).into(),
        AttributeValue::ObjectGroup(Text::from("disks")),
        Link::new(LinkType::NEXT_LINK, "7").into(),
        information("LIBRARY-LTO", "0001"),
        AttributeValue::ContactInformation(Text::from("ops@example.com")),
        custom("x-ID", "TC-1"),
        AttributeValue::Description(Text::from("a disk's key")),
        AttributeValue::Sensitive(true),
        AttributeValue::OperationPolicyName(Text::from("strict")),
        alternative_name("urn:disk"),
    ]
    .into();
    for kind in kinds {
        let uid = house.create([kind.clone()]);
        only(&house, &uid, [kind.clone()]);
        only(&house, &uid, [kind, ObjectType::SYMMETRIC_KEY.into(), Algorithm::AES.into()]);
    }
}

#[test]
fn type_algorithm_length_and_state() {
    let house = House::new();
    let key = house.create([]);
    let secret = house.register(password(b"open sesame"), &[Usage::ENCRYPT.into()]);
    let short = {
        let mut request = create([]);
        let attributes = request.attributes.attributes_mut();
        attributes[1].value = AttributeValue::CryptographicLength(128);
        house.call(request).unwrap().unique_identifier
    };
    house.activate(&short);
    only(&house, &secret, [ObjectType::SECRET_DATA.into()]);
    assert_eq!(house.locate([ObjectType::SYMMETRIC_KEY.into()]), [key.clone(), short.clone()]);
    assert_eq!(house.locate([Algorithm::AES.into()]), [key.clone(), short.clone()]);
    only(&house, &short, [AttributeValue::CryptographicLength(128)]);
    only(&house, &short, [State::ACTIVE.into()]);
    assert_eq!(house.locate([State::PRE_ACTIVE.into()]), [key, secret]);
    assert!(house.locate([State(77).into()]).is_empty());
    assert!(house.locate([Algorithm::DES3.into()]).is_empty());
}

#[test]
fn all_criteria_have_to_hold() {
    let house = House::new();
    let both = house.create([name("a"), name("b"), AttributeValue::ObjectGroup(Text::from("g"))]);
    house.create([name("a")]);
    house.create([name("b"), AttributeValue::ObjectGroup(Text::from("g"))]);
    only(&house, &both, [name("a"), name("b")]);
    only(&house, &both, [name("a"), AttributeValue::ObjectGroup(Text::from("g"))]);
    assert!(house.locate([name("a"), name("c")]).is_empty());
}

/// Long values are in no index, and of many only some are.
#[test]
fn long_values_and_many_of_them_are_found_like_others() {
    let house = House::new();
    let long = || custom("x-long", &"v".repeat(1_000));
    let many = || (0..20).map(|at| name(&format!("n{at}"))).chain([long()]);
    let uid = house.create(many());
    house.create((0..19).map(|at| name(&format!("n{at}"))));
    house.create([custom("x-long", &"v".repeat(999))]);
    only(&house, &uid, [long()]);
    only(&house, &uid, many());
    only(&house, &uid, [name("n19")]);
    let mut nearly: Vec<AttributeValue> = many().collect();
    nearly[19] = name("n20");
    assert!(house.locate(nearly).is_empty());
}

/// Names are compared octet by octet: no case, no Unicode form, no type is alike.
#[test]
fn names_are_compared_octet_by_octet() {
    let house = House::new();
    let uid = house.create([name("Disk \u{e9}")]);
    only(&house, &uid, [name("Disk \u{e9}")]);
    for other in
        ["disk \u{e9}", "Disk e\u{301}", "Disk \u{e9} ", " Disk \u{e9}", "Disk", "", "%", "*"]
    {
        assert!(house.locate([name(other)]).is_empty(), "{other:?}");
    }
    assert!(house.locate([Name::new("Disk \u{e9}", NameType::URI).into()]).is_empty());
}

#[test]
fn masks_ask_for_at_least_these_bits() {
    let house = House::new();
    let all = house.create([]);
    let mut request = create([]);
    request.attributes.attributes_mut()[2].value = Usage::ENCRYPT.into();
    let one = house.call(request).unwrap().unique_identifier;
    assert_eq!(house.locate([Usage::ENCRYPT.into()]), [all.clone(), one.clone()]);
    only(&house, &all, [(Usage::ENCRYPT | Usage::DECRYPT).into()]);
    only(&house, &all, [Usage::DECRYPT.into()]);
    assert!(house.locate([Usage::SIGN.into()]).is_empty());
    assert!(house.locate([Usage(-1).into()]).is_empty());
    assert_eq!(house.locate([Usage(0).into()]), [all, one]);
}

#[test]
fn dates_are_points_or_ranges() {
    use AttributeValue as V;
    let house = House::new();
    let made: Vec<UniqueIdentifier> = (0..5)
        .map(|_| {
            house.pass(10);
            house.create([])
        })
        .collect();
    let at = |offset: i64| DateTime(START + offset);
    let initial = |offsets: &[i64]| house.locate(offsets.iter().map(|o| V::InitialDate(at(*o))));
    assert_eq!(initial(&[20]), made[1..2]);
    assert!(initial(&[21]).is_empty());
    assert_eq!(initial(&[20, 40]), made[1..4]);
    assert_eq!(initial(&[40, 20]), made[1..4], "in either order");
    assert_eq!(initial(&[30, 30]), made[2..3]);
    assert_eq!(initial(&[-1_000, 1_000]), made);
    assert!(initial(&[41, 49]).is_empty());
    let whole = [V::LastChangeDate(DateTime(i64::MIN)), V::LastChangeDate(DateTime(i64::MAX))];
    assert_eq!(house.locate(whole), made);
    // Two dates of different kinds are two points.
    assert_eq!(house.locate([V::InitialDate(at(20)), V::OriginalCreationDate(at(20))]), made[1..2]);
    assert!(house.locate([V::InitialDate(at(20)), V::OriginalCreationDate(at(30))]).is_empty());
    // Three, also when two of them are the same.
    for three in [[1, 2, 3], [5, 5, 5], [5, 5, 9]] {
        let request = LocateRequest::new(three.map(|o| V::InitialDate(at(o))));
        refused(house.call(request), ResultReason::INVALID_FIELD);
    }
    house.activate(&made[0]);
    assert_eq!(house.locate([V::ActivationDate(at(50))]), made[..1]);
    assert!(house.locate([V::DestroyDate(at(50))]).is_empty());
}

/// Section 4.9: a structure may leave out fields.
#[test]
fn structures_are_found_by_a_part() {
    let house = House::new();
    let mut gcm = CryptographicParameters::default();
    gcm.block_cipher_mode = Some(BlockCipherMode::GCM);
    let mut whole = gcm.clone();
    whole.hashing_algorithm = Some(HashingAlgorithm::SHA_256);
    whole.tag_length = Some(16);
    let uid = house.create([name("disk"), whole.clone().into(), information("ssl", "a")]);
    let other = house.create([Name::new("disk", NameType::URI).into(), information("ssl", "b")]);
    let named = part("Name", &NameValueOnly { name_value: Text::from("disk") });
    assert_eq!(house.locate([named]), [uid.clone(), other.clone()]);
    let nobody = part("Name", &NameValueOnly { name_value: Text::from("dis") });
    assert!(house.locate([nobody]).is_empty());
    only(&house, &uid, [gcm.clone().into()]);
    only(&house, &uid, [whole.into()]);
    gcm.tag_length = Some(12);
    assert!(house.locate([gcm.into()]).is_empty());
    let mut namespace = ApplicationSpecificInformation::new("ssl", "");
    namespace.application_data = None;
    assert_eq!(house.locate([namespace.clone().into()]), [uid.clone(), other]);
    namespace.application_namespace = Text::from("tls");
    assert!(house.locate([namespace.into()]).is_empty());
    // The empty structure is a part of every one that is there.
    let empty = CryptographicParameters::default();
    only(&house, &uid, [empty.into()]);
}

/// Of a custom attribute nobody knows whether its fields may be left out.
#[test]
fn custom_structures_are_found_whole() {
    let house = House::new();
    // A short one is in the store's index, a long one is not.
    for length in [5, 1_000] {
        let text = "f".repeat(length);
        let whole = part("x-any", &Name::text(text.as_str()));
        let uid = house.create([whole.clone()]);
        only(&house, &uid, [whole]);
        let half = part("x-any", &NameValueOnly { name_value: Text::from(text) });
        assert!(house.locate([half]).is_empty());
    }
}

#[test]
fn a_unique_identifier_finds_its_object_without_a_search() {
    let house = House::new();
    let uid = house.create([name("disk")]);
    house.create([name("disk")]);
    let by_uid = || AttributeValue::UniqueIdentifier(uid.as_text().unwrap().into());
    let searches = house.store.inner().found;
    only(&house, &uid, [by_uid()]);
    only(&house, &uid, [by_uid(), name("disk")]);
    assert!(house.locate([by_uid(), name("other")]).is_empty());
    let another = AttributeValue::UniqueIdentifier(Text::from("another"));
    assert!(house.locate([another.clone()]).is_empty());
    assert!(house.locate([by_uid(), another]).is_empty());
    assert_eq!(house.store.inner().found, searches);
    let bobs = LocateRequest::new([by_uid()]);
    let answer = house.call_in(ProtocolVersion::V1_0, "bob", bobs).unwrap();
    assert!(answer.unique_identifiers.is_empty());
    house.destroy(&uid);
    assert!(house.locate([by_uid()]).is_empty());
}

#[test]
fn destroyed_objects_are_found_only_when_they_are_asked_for() {
    let house = House::new();
    let here = house.create([name("a")]);
    let gone = house.create([name("a")]);
    house.destroy(&gone);
    let spoilt = house.create([name("a")]);
    house.revoke(&spoilt, Code::KEY_COMPROMISE);
    house.destroy(&spoilt);
    only(&house, &here, [name("a")]);
    only(&house, &gone, [State::DESTROYED.into()]);
    only(&house, &spoilt, [State::DESTROYED_COMPROMISED.into()]);
    let masked = |mask: StorageStatusMask| {
        let mut request = LocateRequest::new([name("a")]);
        request.storage_status_mask = Some(mask);
        house.call(request).unwrap().unique_identifiers
    };
    let (on_line, archived) =
        (StorageStatusMask::ON_LINE_STORAGE, StorageStatusMask::ARCHIVAL_STORAGE);
    let destroyed = StorageStatusMask::DESTROYED_STORAGE;
    assert_eq!(masked(on_line), std::slice::from_ref(&here));
    assert_eq!(masked(on_line | archived), std::slice::from_ref(&here));
    assert!(masked(archived).is_empty() && masked(StorageStatusMask(0)).is_empty());
    assert_eq!(masked(destroyed), [gone.clone(), spoilt.clone()]);
    assert_eq!(masked(on_line | destroyed), [here, gone, spoilt]);
}

#[test]
fn owners_find_their_own() {
    let house = House::new();
    let uid = house.create([name("shared name")]);
    for owner in ["bob", "Alice", ""] {
        for request in [LocateRequest::default(), LocateRequest::new([name("shared name")])] {
            let answer = house.call_in(ProtocolVersion::V1_4, owner, request).unwrap();
            assert_eq!(answer, LocateResponse::default());
        }
    }
    only(&house, &uid, [name("shared name")]);
}

fn page(house: &House, offset: Option<i32>, most: Option<i32>) -> LocateResponse {
    let mut request = LocateRequest::new([ObjectType::SYMMETRIC_KEY.into()]);
    (request.offset_items, request.maximum_items) = (offset, most);
    house.call(request).unwrap()
}

/// More objects than the engine asks the store for at once.
#[test]
fn pages_go_through_everything_once() {
    let house = House::new();
    let made: Vec<UniqueIdentifier> = (0..600).map(|_| house.create([])).collect();
    assert_eq!(house.locate([]), made);
    assert_eq!(page(&house, None, None).unique_identifiers, made);
    let (mut seen, mut offset) = (Vec::new(), 0);
    loop {
        let answer = page(&house, Some(offset), Some(101));
        assert_eq!(answer.located_items, Some(600));
        if answer.unique_identifiers.is_empty() {
            break;
        }
        offset += 101;
        seen.extend(answer.unique_identifiers);
    }
    assert_eq!(seen, made);
}

/// Test case TC-OFFSET-1-13: Located Items comes with Offset Items, since 1.3.
#[test]
fn offset_maximum_and_located_items() {
    let house = House::new();
    let made: Vec<UniqueIdentifier> = (0..5).map(|_| house.create([])).collect();
    let cases = [
        (None, Some(1), &made[..1], None),
        (None, None, &made[..], None),
        (Some(0), None, &made[..], Some(5)),
        (Some(1), Some(1), &made[1..2], Some(5)),
        (Some(3), Some(2), &made[3..], Some(5)),
        (Some(4), Some(9), &made[4..], Some(5)),
        (Some(5), None, &[], Some(5)),
        (Some(i32::MAX), Some(i32::MAX), &[], Some(5)),
        (None, Some(0), &[], None),
        (Some(0), Some(0), &[], Some(5)),
    ];
    for (offset, most, expected, located) in cases {
        let answer = page(&house, offset, most);
        assert_eq!(answer.unique_identifiers, expected, "{offset:?} {most:?}");
        assert_eq!(answer.located_items, located, "{offset:?} {most:?}");
    }
    for (offset, most) in [(Some(-1), None), (None, Some(-1)), (Some(i32::MIN), Some(1))] {
        let mut request = LocateRequest::default();
        (request.offset_items, request.maximum_items) = (offset, most);
        refused(house.call(request), ResultReason::INVALID_FIELD);
    }
    let mut old = LocateRequest::default();
    old.offset_items = Some(1);
    let answer = house.call_in(ProtocolVersion::V1_2, "alice", old).unwrap();
    assert_eq!((answer.located_items, answer.unique_identifiers), (None, made[1..].to_vec()));
}

/// What an earlier item made, changed or destroyed is what a later item finds, in its place.
#[test]
fn a_batch_sees_what_it_did_in_the_order_of_the_listing() {
    let house = House::new();
    let old: Vec<UniqueIdentifier> = (0..300).map(|_| house.create([])).collect();
    let mut paged = LocateRequest::default();
    (paged.offset_items, paged.maximum_items) = (Some(1), Some(3));
    let mut first = LocateRequest::default();
    first.maximum_items = Some(2);
    let answers = house.batch(
        Continuation::STOP,
        vec![
            create([name("new")]).into(),
            bindery_kmip::message::ActivateRequest::new(old[1].clone()).into(),
            DestroyRequest::new(old[2].clone()).into(),
            LocateRequest::default().into(),
            LocateRequest::new([State::ACTIVE.into()]).into(),
            LocateRequest::new([name("new")]).into(),
            paged.into(),
            first.into(),
        ],
    );
    let found = |at: usize| typed::<LocateRequest>(answers[at].clone()).unwrap();
    let new = typed::<bindery_kmip::message::CreateRequest>(answers[0].clone()).unwrap();
    let new = new.unique_identifier;
    let expected: Vec<UniqueIdentifier> =
        old[..2].iter().chain(&old[3..]).chain([&new]).cloned().collect();
    assert_eq!(found(3).unique_identifiers, expected);
    assert_eq!(found(4).unique_identifiers, old[1..2]);
    assert_eq!(found(5).unique_identifiers, [new]);
    assert_eq!(found(6).unique_identifiers, expected[1..4]);
    assert_eq!(found(6).located_items, Some(300));
    assert_eq!(found(7).unique_identifiers, old[..2]);
    assert_eq!(house.locate([]), expected);
}

/// An older clock, or another server's, gives an object an identifier before those that are there.
#[test]
fn what_a_batch_made_stands_in_its_place_also_before_others() {
    let house = House::new();
    house.pass(100);
    let later = house.create([]);
    let house = house.reopened(|_| {});
    house.pass(-100);
    let mut first = LocateRequest::default();
    first.maximum_items = Some(1);
    let payloads = vec![create([]).into(), LocateRequest::default().into(), first.into()];
    let answers = house.batch(Continuation::STOP, payloads);
    let found = |at: usize| typed::<LocateRequest>(answers[at].clone()).unwrap().unique_identifiers;
    let new = typed::<bindery_kmip::message::CreateRequest>(answers[0].clone()).unwrap();
    let new = new.unique_identifier;
    assert_eq!(found(1), [new.clone(), later]);
    assert_eq!(found(2), [new]);
}

/// Section 4.9: the ID Placeholder is the one object that was found, and nothing if there are more.
#[test]
fn what_is_found_alone_is_what_the_next_item_means() {
    let house = House::new();
    let one = house.create([name("one"), name("both")]);
    let two = house.create([name("two"), name("both")]);
    let after = |locate: LocateRequest| {
        let get: RequestPayload = GetAttributesRequest::default().into();
        let answers = house.batch(Continuation::CONTINUE, vec![locate.into(), get]);
        typed::<GetAttributesRequest>(answers[1].clone()).map(|answer| answer.unique_identifier)
    };
    assert_eq!(after(LocateRequest::new([name("two")])), Ok(two));
    let mut first = LocateRequest::new([name("both")]);
    first.maximum_items = Some(1);
    assert_eq!(after(first), Ok(one));
    for nothing in ["both", "nobody"] {
        refused(after(LocateRequest::new([name(nothing)])), ResultReason::ITEM_NOT_FOUND);
    }
}

#[test]
fn what_cannot_be_looked_for_is_refused() {
    let house = House::new();
    let mut member = LocateRequest::default();
    member.object_group_member = Some(ObjectGroupMember::GROUP_MEMBER_FRESH);
    refused(house.call(member), ResultReason::FEATURE_NOT_SUPPORTED);
    let absent = LocateRequest::new([AttributeValue::Absent(Text::from("Name"))]);
    refused(house.call(absent), ResultReason::INVALID_FIELD);
}

#[test]
fn attributes_that_nobody_has_find_nothing() {
    let house = House::new();
    house.create([]);
    for strange in [custom("Unheard Of", "v"), custom("x-none", "v"), custom("y-none", "v")] {
        assert!(house.locate([strange]).is_empty());
    }
    assert!(house.locate([AttributeValue::ArchiveDate(DateTime(START))]).is_empty());
    // To a client of 1.0 there is no attribute Sensitive.
    let request = LocateRequest::new([AttributeValue::Sensitive(false)]);
    let answer = house.call_in(ProtocolVersion::V1_0, "alice", request.clone()).unwrap();
    assert!(answer.unique_identifiers.is_empty());
    assert_eq!(house.call(request).unwrap().unique_identifiers.len(), 1);
    let all: Vec<AttributeValue> = aes().to_vec();
    assert_eq!(house.locate(all).len(), 1);
}

#[test]
fn what_changed_is_found_by_what_it_is_now() {
    let house = House::new();
    let uid = house.create([]);
    let by_reason = || {
        LocateRequest::new([
            bindery_kmip::message::RevocationReason::new(Code::KEY_COMPROMISE).into()
        ])
    };
    assert!(house.call(by_reason()).unwrap().unique_identifiers.is_empty());
    house.call(revoke(&uid, Code::KEY_COMPROMISE)).unwrap();
    assert_eq!(house.call(by_reason()).unwrap().unique_identifiers, [uid]);
}
