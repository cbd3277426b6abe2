//! Attributes: what a client may say, what it may see, and Get Attributes and Get Attribute List.

use bindery_kmip::AttributeRow;
use bindery_kmip::message::{
    ApplicationSpecificInformation, Attribute, AttributeValue, CryptographicParameters,
    GetAttributeListRequest, GetAttributesRequest, Link, Name, RegisterRequest, TemplateAttribute,
    UsageLimits,
};
use bindery_ttlv::{
    DateTime, ProtocolVersion, RawValue, Text,
    registry::{
        BlockCipherMode, CryptographicUsageMask as Usage, LinkType, ObjectType, ResultReason,
        State, UsageLimitsUnit,
    },
};

use super::{House, START, create, create_of, custom, name, password, refused};

fn names(attributes: &[Attribute]) -> Vec<&str> {
    attributes.iter().map(Attribute::name).collect()
}

fn parameters(mode: BlockCipherMode) -> CryptographicParameters {
    let mut parameters = CryptographicParameters::default();
    parameters.block_cipher_mode = Some(mode);
    parameters
}

/// What test case SKLC-M-1 (KMIP Profiles 1.0 to 1.2) asks of a new key.
#[test]
fn a_new_key_has_what_the_lifecycle_profile_asks_for() {
    let house = House::new();
    let uid = house.create([name("SKLC-M-1-12")]);
    let asked = [
        "State",
        "Cryptographic Usage Mask",
        "Unique Identifier",
        "Object Type",
        "Cryptographic Algorithm",
        "Cryptographic Length",
        "Digest",
        "Initial Date",
        "Last Change Date",
        "Activation Date",
    ];
    for version in bindery_kmip::VERSIONS {
        let request = GetAttributesRequest::new(uid.clone(), asked);
        let answer = house.call_in(version, "alice", request).unwrap();
        assert_eq!(answer.unique_identifier, uid);
        // In the order of the question, and nothing for what is not set.
        assert_eq!(names(&answer.attributes), asked[..9]);
        let digest = answer.attributes.iter().find_map(|attribute| match &attribute.value {
            AttributeValue::Digest(digest) => Some(digest.key_format_type.is_some()),
            _ => None,
        });
        assert_eq!(digest, Some(version >= ProtocolVersion::V1_1), "the field came with 1.1");
    }
    let first = AttributeValue::InitialDate(DateTime(START));
    assert_eq!(house.values(&uid, "Initial Date"), [first]);
}

#[test]
fn unknown_names_are_passed_over_and_doubled_ones_answered_once() {
    let house = House::new();
    let uid = house.create([name("one"), name("two")]);
    let ask = |names: Vec<String>| {
        let request = GetAttributesRequest::new(uid.clone(), names);
        house.call(request).unwrap().attributes
    };
    // Ever so many names that the object does not have hide none that it has.
    let strange = (0..2_000).map(|at| format!("x-{at}"));
    let asked = strange.chain(["state", "State", "Name", "State", "Name"].map(str::to_owned));
    assert_eq!(names(&ask(asked.collect())), ["State", "Name", "Name"]);
    assert!(ask(vec!["state".to_owned(), String::new()]).is_empty());
    let every = AttributeRow::all().iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(ask(every).len(), house.attributes(&uid).len());
}

#[test]
fn the_list_names_every_attribute_once() {
    let house = House::new();
    let uid = house.create([name("one"), name("two"), custom("x-a", "1"), custom("x-a", "2")]);
    let list = house.call(GetAttributeListRequest::new(uid.clone())).unwrap().attribute_names;
    let mut expected: Vec<String> = Vec::new();
    for attribute in house.attributes(&uid) {
        if !expected.iter().any(|name| name == attribute.name()) {
            expected.push(attribute.name().to_owned());
        }
    }
    assert_eq!(list.iter().map(Text::as_str).collect::<Vec<_>>(), expected);
    assert!(expected.len() > 10, "{expected:?}");
}

#[test]
fn an_old_client_does_not_see_younger_attributes() {
    let house = House::new();
    let uid = house.create([AttributeValue::Description(Text::from("new in 1.4"))]);
    let since = [
        (ProtocolVersion::V1_0, &["State", "Digest"][..]),
        (ProtocolVersion::V1_2, &["Original Creation Date"]),
        (ProtocolVersion::V1_4, &["Sensitive", "Extractable", "Never Extractable", "Description"]),
    ];
    for version in bindery_kmip::VERSIONS {
        let seen = house.attributes_in(version, &uid);
        let request = GetAttributeListRequest::new(uid.clone());
        let list = house.call_in(version, "alice", request).unwrap().attribute_names;
        for (first, attributes) in since {
            for attribute in attributes {
                let visible = version >= first;
                assert_eq!(names(&seen).contains(attribute), visible, "{attribute} {version}");
                assert_eq!(
                    list.contains(&Text::from(*attribute)),
                    visible,
                    "{attribute} {version}"
                );
            }
        }
    }
}

#[test]
fn an_old_client_does_not_set_younger_attributes() {
    let house = House::new();
    let description = || create([AttributeValue::Description(Text::from("new in 1.4"))]);
    let outcome = house.call_in(ProtocolVersion::V1_3, "alice", description());
    let text = refused(outcome, ResultReason::INVALID_FIELD);
    assert!(text.contains("1.4"), "{text}");
    house.call(description()).unwrap();
}

#[test]
fn what_only_the_server_sets_is_refused() {
    let house = House::new();
    let date = DateTime(START);
    let mut own: Vec<AttributeValue> = vec![
        AttributeValue::UniqueIdentifier(Text::from("mine")),
        ObjectType::SYMMETRIC_KEY.into(),
        State::ACTIVE.into(),
        AttributeValue::InitialDate(date),
        AttributeValue::DestroyDate(date),
        AttributeValue::CompromiseDate(date),
        AttributeValue::CompromiseOccurrenceDate(date),
        AttributeValue::ArchiveDate(date),
        AttributeValue::LastChangeDate(date),
        AttributeValue::AlwaysSensitive(true),
        AttributeValue::NeverExtractable(true),
        AttributeValue::KeyValuePresent(true),
    ];
    let uid = house.create([]);
    own.extend(house.values(&uid, "Digest"));
    for value in own {
        let name = value.name().to_owned();
        let text = refused(house.call(create([value])), ResultReason::INVALID_FIELD);
        assert!(text.contains("only the server"), "{name}: {text}");
    }
}

#[test]
fn names_that_nobody_knows_begin_with_x() {
    let house = House::new();
    let uid = house.create([custom("x-ID", "TC-1"), custom("x-", "bare")]);
    assert_eq!(house.values(&uid, "x-ID"), [custom("x-ID", "TC-1")]);
    let long = "n".repeat(100_000);
    for name in ["y-server", "X-ID", "ID", "", "name", "Vendor Attribute", &long] {
        let text = refused(house.call(create([custom(name, "v")])), ResultReason::INVALID_FIELD);
        assert!(text.len() < 300, "{}", text.len());
    }
}

#[test]
fn custom_attributes_of_every_type_come_back_as_they_were() {
    let house = House::new();
    let structure = RawValue::of(&Name::text("field"));
    let values = [RawValue::of(&7_i32), RawValue::of(&true), RawValue::of(&DateTime(5)), structure];
    let all: Vec<AttributeValue> =
        values.into_iter().map(|raw| AttributeValue::Other(Text::from("x-any"), raw)).collect();
    let uid = house.create(all.clone());
    assert_eq!(house.values(&uid, "x-any"), all);
}

#[test]
fn instances_are_numbered_and_single_attributes_stay_single() {
    let house = House::new();
    let uid = house.create([name("a"), name("b"), name("c")]);
    let all = house.attributes(&uid);
    let indices: Vec<_> =
        all.iter().filter(|a| a.name() == "Name").map(|attribute| attribute.index).collect();
    assert_eq!(indices, [None, Some(1), Some(2)]);
    let numbered = |indices: [i32; 2]| {
        let names = [(indices[0], "n"), (indices[1], "o")];
        create_of(names.map(|(index, text)| Attribute::new(name(text)).with_index(index)))
    };
    house.call(numbered([0, 1])).unwrap();
    for wrong in [[1, 2], [0, 0], [0, 2], [-1, 0], [0, i32::MAX]] {
        refused(house.call(numbered(wrong)), ResultReason::INDEX_OUT_OF_BOUNDS);
    }
    let date = || AttributeValue::ActivationDate(DateTime(START));
    let twice = [
        [date(), date()],
        [AttributeValue::Sensitive(true), AttributeValue::Sensitive(true)],
        [
            AttributeValue::ContactInformation(Text::from("a")),
            AttributeValue::ContactInformation(Text::from("b")),
        ],
    ];
    for pair in twice {
        refused(house.call(create(pair)), ResultReason::INVALID_FIELD);
    }
    let indexed = create_of([Attribute::new(date()).with_index(3)]);
    refused(house.call(indexed), ResultReason::INDEX_OUT_OF_BOUNDS);
}

#[test]
fn attributes_have_to_fit_the_type_of_the_object() {
    let house = House::new();
    let start = AttributeValue::ProcessStartDate(DateTime(START));
    house.call(create([start.clone()])).unwrap();
    let template = [Usage::ENCRYPT.into(), start].into_iter().collect();
    let text = refused(
        house.call(RegisterRequest::new(password(b"open sesame"), template)),
        ResultReason::INVALID_FIELD,
    );
    assert!(text.contains("Process Start Date"), "{text}");
}

#[test]
fn values_have_to_be_whole_and_there() {
    let house = House::new();
    let half = AttributeValue::Other(
        Text::from("Name"),
        RawValue::of(&CryptographicParameters::default()),
    );
    let absent = AttributeValue::Absent(Text::from("Name"));
    let wrong = AttributeValue::Other(Text::from("Random Number Generator"), RawValue::of(&7_i32));
    for value in [half, absent, wrong] {
        refused(house.call(create([value])), ResultReason::INVALID_FIELD);
    }
}

/// Test case TC-RNG-ATTR-1-13 registers one.
#[test]
fn a_structure_without_a_type_here_is_kept_as_it_stood() {
    let house = House::new();
    let generator = AttributeValue::Other(
        Text::from("Random Number Generator"),
        RawValue::of(&parameters(BlockCipherMode::CBC)),
    );
    let uid = house.create([generator.clone()]);
    assert_eq!(house.values(&uid, "Random Number Generator"), [generator]);
}

#[test]
fn the_server_makes_no_application_data() {
    let house = House::new();
    let mut information = ApplicationSpecificInformation::new("LIBRARY-LTO", "1");
    house.call(create([information.clone().into()])).unwrap();
    information.application_data = None;
    refused(
        house.call(create([information.into()])),
        ResultReason::APPLICATION_NAMESPACE_NOT_SUPPORTED,
    );
}

#[test]
fn the_server_counts_what_usage_limits_leave() {
    let house = House::new();
    let limits = UsageLimits::new(1 << 40, UsageLimitsUnit::BYTE);
    let uid = house.create([limits.clone().into()]);
    let mut kept = limits.clone();
    kept.usage_limits_count = Some(1 << 40);
    assert_eq!(house.values(&uid, "Usage Limits"), [kept.clone().into()]);
    let negative = UsageLimits::new(-1, UsageLimitsUnit::BYTE);
    for wrong in [kept, negative] {
        refused(house.call(create([wrong.into()])), ResultReason::INVALID_FIELD);
    }
}

/// There are no templates: their attributes would silently be missing.
#[test]
fn templates_are_not_found() {
    let house = House::new();
    let mut request = create([]);
    let mut template = TemplateAttribute::new(request.attributes.attributes().to_vec());
    template.names = vec![Name::text("t".repeat(100_000))];
    request.attributes = template.into();
    let text = refused(house.call(request), ResultReason::ITEM_NOT_FOUND);
    assert!(text.len() < 300, "{}", text.len());
}

/// Sections 3.24 to 3.27. A period without protection is allowed, and so test CS-BC-M-5 has it.
#[test]
fn dates_have_to_be_in_order() {
    use AttributeValue as V;
    let house = House::new();
    let at = |offset: i64| DateTime(START + offset);
    let fine = [
        vec![V::ActivationDate(at(0)), V::DeactivationDate(at(0))],
        vec![
            V::ActivationDate(at(-3600)),
            V::ProcessStartDate(at(3600)),
            V::ProtectStopDate(at(-3600)),
        ],
        vec![
            V::ActivationDate(at(1)),
            V::ProcessStartDate(at(1)),
            V::ProtectStopDate(at(2)),
            V::DeactivationDate(at(2)),
        ],
        vec![V::DeactivationDate(at(-5))],
        vec![V::ActivationDate(DateTime(i64::MIN)), V::DeactivationDate(DateTime(i64::MAX))],
    ];
    for dates in fine {
        house.call(create(dates)).unwrap();
    }
    let wrong = [
        vec![V::ActivationDate(at(1)), V::DeactivationDate(at(0))],
        vec![V::ActivationDate(at(1)), V::ProcessStartDate(at(0))],
        vec![V::DeactivationDate(at(0)), V::ProtectStopDate(at(1))],
    ];
    for dates in wrong {
        refused(house.call(create(dates)), ResultReason::INVALID_FIELD);
    }
}

#[test]
fn structures_come_back_as_they_were() {
    let house = House::new();
    let link = Link::new(LinkType::NEXT_LINK, "7");
    let all: [AttributeValue; 4] = [
        link.into(),
        parameters(BlockCipherMode::GCM).into(),
        ApplicationSpecificInformation::new("ssl", "www.example.com").into(),
        AttributeValue::ObjectGroup(Text::from("Gruppe \u{1F511}")),
    ];
    let uid = house.create(all.clone());
    for value in all {
        assert_eq!(house.values(&uid, value.name()), [value]);
    }
}
