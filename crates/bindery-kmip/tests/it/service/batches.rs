//! Batches: Stop, Continue, Undo, and the ID Placeholder.

use bindery_kmip::message::{
    ActivateRequest, AttributeValue, CreateRequest, CreateSplitKeyRequest, DestroyRequest,
    GetAttributeListRequest, GetAttributesRequest, GetRequest, LocateRequest, QueryRequest,
    RegisterRequest, RequestPayload, ResponseBatchItem, ResponsePayload, RevocationReason,
    RevokeRequest, TemplateAttribute, UniqueIdentifier,
};
use bindery_ttlv::registry::{
    BatchErrorContinuationOption as Continuation, CryptographicUsageMask as Usage, QueryFunction,
    ResultReason, ResultStatus, RevocationReasonCode as Code, State,
};

use super::{House, create, name, octets, password, refused, typed};

fn statuses(answers: &[ResponseBatchItem]) -> Vec<ResultStatus> {
    answers.iter().map(|answer| answer.result_status).collect()
}

const OK: ResultStatus = ResultStatus::SUCCESS;
const FAILED: ResultStatus = ResultStatus::OPERATION_FAILED;
const UNDONE: ResultStatus = ResultStatus::OPERATION_UNDONE;

/// An item that fails: there is no such object.
fn failing() -> RequestPayload {
    DestroyRequest::new("nobody").into()
}

/// Creates, an error in the middle, and something behind it.
fn with_an_error_inside(uid: &UniqueIdentifier) -> Vec<RequestPayload> {
    vec![
        create([name("first")]).into(),
        ActivateRequest::new(uid.clone()).into(),
        QueryRequest::new([QueryFunction::QUERY_OBJECTS]).into(),
        failing(),
        create([name("second")]).into(),
    ]
}

#[test]
fn stop_keeps_what_came_before_the_error_and_does_nothing_after() {
    let house = House::new();
    let uid = house.create([]);
    let answers = house.batch(Continuation::STOP, with_an_error_inside(&uid));
    assert_eq!(statuses(&answers), [OK, OK, OK, FAILED]);
    assert_eq!(house.locate([name("first")]).len(), 1);
    assert_eq!(house.state(&uid), Some(State::ACTIVE));
    assert!(house.locate([name("second")]).is_empty());
}

#[test]
fn continue_does_everything_but_the_error() {
    let house = House::new();
    let uid = house.create([]);
    let answers = house.batch(Continuation::CONTINUE, with_an_error_inside(&uid));
    assert_eq!(statuses(&answers), [OK, OK, OK, FAILED, OK]);
    assert_eq!(house.locate([name("first")]).len(), 1);
    assert_eq!(house.locate([name("second")]).len(), 1);
    assert_eq!(house.state(&uid), Some(State::ACTIVE));
}

#[test]
fn undo_does_nothing_at_all() {
    let house = House::new();
    let uid = house.create([]);
    let before = house.store.records();
    let commits = house.store.inner().committed;
    let answers = house.batch(Continuation::UNDO, with_an_error_inside(&uid));
    assert_eq!(statuses(&answers), [UNDONE, UNDONE, UNDONE, FAILED]);
    assert!(answers.iter().all(|answer| answer.payload.is_none()));
    assert_eq!(house.store.records(), before);
    assert_eq!(house.store.inner().committed, commits);
    // Without an error Undo is like any other.
    let payloads = vec![create([]).into(), ActivateRequest::new(uid.clone()).into()];
    assert_eq!(statuses(&house.batch(Continuation::UNDO, payloads)), [OK, OK]);
    assert_eq!(house.state(&uid), Some(State::ACTIVE));
}

/// The absence of the option means Stop (section 6.13).
#[test]
fn stop_is_the_default() {
    let house = House::new();
    let items = [failing(), create([]).into()].map(bindery_kmip::message::RequestBatchItem::new);
    let message = bindery_kmip::message::RequestMessage::new(
        bindery_ttlv::ProtocolVersion::V1_0,
        items.into(),
    );
    assert_eq!(statuses(&house.send(&message).batch_items), [FAILED]);
    assert!(house.store.records().is_empty());
}

#[test]
fn an_error_first_and_an_error_last() {
    let house = House::new();
    let made = |count| assert_eq!(house.store.records().len(), count);
    let first = || vec![failing(), create([]).into()];
    let last = || vec![create([]).into(), failing()];
    assert_eq!(statuses(&house.batch(Continuation::STOP, first())), [FAILED]);
    made(0);
    assert_eq!(statuses(&house.batch(Continuation::UNDO, first())), [FAILED]);
    made(0);
    assert_eq!(statuses(&house.batch(Continuation::CONTINUE, first())), [FAILED, OK]);
    made(1);
    assert_eq!(statuses(&house.batch(Continuation::STOP, last())), [OK, FAILED]);
    made(2);
    assert_eq!(statuses(&house.batch(Continuation::UNDO, last())), [UNDONE, FAILED]);
    made(2);
    assert_eq!(
        statuses(&house.batch(Continuation::CONTINUE, [failing(), failing()].into())),
        [FAILED, FAILED]
    );
    made(2);
}

#[test]
fn a_batch_is_one_commit_and_one_version_of_each_object() {
    let house = House::new();
    let uid = house.create([]);
    let commits = house.store.inner().committed;
    let revoked = RevokeRequest::new(uid.clone(), RevocationReason::new(Code::SUPERSEDED));
    let answers = house.batch(
        Continuation::STOP,
        vec![
            create([]).into(),
            ActivateRequest::new(uid.clone()).into(),
            revoked.into(),
            DestroyRequest::new(uid.clone()).into(),
        ],
    );
    assert_eq!(statuses(&answers), [OK; 4]);
    assert_eq!(house.store.inner().committed, commits + 1);
    assert_eq!(house.store.records()[uid.as_text().unwrap()].version, 2);
    assert_eq!(house.state(&uid), Some(State::DESTROYED));
    assert!(house.store.record(uid.as_text().unwrap()).material.is_none());
}

#[test]
fn what_only_reads_commits_nothing() {
    let house = House::new();
    let uid = house.create([]);
    // The first Get takes away that the key is fresh.
    house.call(GetRequest::new(uid.clone())).unwrap();
    let commits = house.store.inner().committed;
    let payloads = vec![
        GetRequest::new(uid.clone()).into(),
        LocateRequest::default().into(),
        GetAttributeListRequest::new(uid.clone()).into(),
    ];
    assert_eq!(statuses(&house.batch(Continuation::UNDO, payloads)), [OK; 3]);
    assert_eq!(house.store.inner().committed, commits);
    assert_eq!(house.store.records()[uid.as_text().unwrap()].version, 2);
}

/// Section 4: Create, Register and Locate set the ID Placeholder, and nothing else does.
#[test]
fn the_placeholder_is_what_was_last_made_or_found() {
    let house = House::new();
    let other = house.create([name("other")]);
    let mask = [Usage::ENCRYPT.into()].into_iter().collect();
    let mut revoke = RevokeRequest::new("", RevocationReason::new(Code::SUPERSEDED));
    revoke.unique_identifier = None;
    let answers = house.batch(
        Continuation::STOP,
        vec![
            create([]).into(),
            GetRequest::default().into(),
            ActivateRequest::default().into(),
            // Naming another object does not change what is meant.
            GetRequest::new(other.clone()).into(),
            GetAttributesRequest::default().into(),
            revoke.into(),
            DestroyRequest::default().into(),
            RegisterRequest::new(password(b"open sesame"), mask).into(),
            GetRequest::default().into(),
            LocateRequest::new([name("other")]).into(),
            GetAttributeListRequest::default().into(),
        ],
    );
    assert_eq!(statuses(&answers), [OK; 11]);
    let created = typed::<CreateRequest>(answers[0].clone()).unwrap().unique_identifier;
    let got = typed::<GetRequest>(answers[1].clone()).unwrap();
    assert_eq!(got.unique_identifier, created);
    let described = typed::<GetAttributesRequest>(answers[4].clone()).unwrap();
    assert_eq!(described.unique_identifier, created);
    assert!(described.attributes.iter().any(|a| a.value == AttributeValue::State(State::ACTIVE)));
    let destroyed = typed::<DestroyRequest>(answers[6].clone()).unwrap();
    assert_eq!(destroyed.unique_identifier, created);
    let secret = typed::<GetRequest>(answers[8].clone()).unwrap();
    assert_eq!(octets(&secret.object), b"open sesame");
    let listed = typed::<GetAttributeListRequest>(answers[10].clone()).unwrap();
    assert_eq!(listed.unique_identifier, other);
    assert_eq!(house.state(&created), Some(State::DESTROYED));
}

/// Otherwise `Create, Create (fails), Destroy` would destroy the first object.
#[test]
fn a_failed_create_leaves_no_placeholder_behind() {
    let house = House::new();
    let mut bad_locate = LocateRequest::default();
    bad_locate.maximum_items = Some(-1);
    let bad_create = CreateRequest::new(
        bindery_ttlv::registry::ObjectType::SYMMETRIC_KEY,
        TemplateAttribute::default(),
    );
    for bad in [RequestPayload::from(bad_create), bad_locate.into()] {
        let payloads = vec![create([]).into(), bad, DestroyRequest::default().into()];
        let answers = house.batch(Continuation::CONTINUE, payloads);
        assert_eq!(statuses(&answers), [OK, FAILED, FAILED]);
        refused(typed::<DestroyRequest>(answers[2].clone()), ResultReason::ITEM_NOT_FOUND);
        let uid = typed::<CreateRequest>(answers[0].clone()).unwrap().unique_identifier;
        assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
    }
}

#[test]
fn the_placeholder_does_not_outlive_its_batch() {
    let house = House::new();
    house.create([]);
    refused(house.call(GetRequest::default()), ResultReason::ITEM_NOT_FOUND);
    refused(house.call(DestroyRequest::default()), ResultReason::ITEM_NOT_FOUND);
}

#[test]
fn later_items_see_what_earlier_ones_did() {
    let house = House::new();
    let uid = house.create([]);
    let twice =
        || vec![DestroyRequest::new(uid.clone()).into(), DestroyRequest::new(uid.clone()).into()];
    let answers = house.batch(Continuation::CONTINUE, twice());
    assert_eq!(statuses(&answers), [OK, FAILED]);
    refused(typed::<DestroyRequest>(answers[1].clone()), ResultReason::PERMISSION_DENIED);
    let other = house.create([]);
    let destroy_then_get =
        vec![DestroyRequest::new(other.clone()).into(), GetRequest::new(other.clone()).into()];
    let answers = house.batch(Continuation::CONTINUE, destroy_then_get);
    refused(typed::<GetRequest>(answers[1].clone()), ResultReason::ITEM_NOT_FOUND);
}

/// A payload that its operation does not have spoils its own item only, and the answer does not
/// repeat what it held.
#[test]
fn a_faulty_payload_fails_alone() {
    let house = House::new();
    let key: RequestPayload =
        RegisterRequest::new(super::aes_key(b"SECRETSECRETSECR"), TemplateAttribute::default())
            .into();
    let mut message = bindery_kmip::message::RequestMessage::new(
        bindery_ttlv::ProtocolVersion::V1_4,
        vec![
            bindery_kmip::message::RequestBatchItem::new(key),
            bindery_kmip::message::RequestBatchItem::new(create([])),
        ],
    );
    message.header.batch_error_continuation_option = Some(Continuation::CONTINUE);
    // Key Format Type becomes a field that no Key Block has, then Key Material an Integer's tag.
    let octets = message.encode().unwrap();
    let tag = [0x42, 0x00, 0x42];
    let at = octets.windows(3).position(|window| window == tag).unwrap();
    let mut broken = octets.to_vec();
    broken[at..at + 3].copy_from_slice(&[0x42, 0x00, 0x43]);
    let request = bindery_kmip::message::RequestMessage::decode(
        &broken.into(),
        &bindery_ttlv::Options::STRICT,
    )
    .unwrap();
    let cx = house.context(Some("alice"));
    let answers = crate::support::wait(house.server.respond(&cx, &request)).batch_items;
    assert_eq!(statuses(&answers), [FAILED, OK]);
    let failure = answers[0].failure().unwrap();
    assert!([ResultReason::INVALID_MESSAGE, ResultReason::INVALID_FIELD].contains(&failure.reason));
    let text = failure.to_string();
    assert!(
        text.contains("KeyFormatType") || text.contains("KeyMaterial"),
        "names the place: {text}"
    );
    assert!(!text.contains("SECRET"), "{text}");
    assert_eq!(house.store.records().len(), 1);
}

/// An item of 2.x may name what earlier items answered (KMIP 2.1, sections 4.58 and 11.58).
#[test]
fn items_of_2_name_what_the_batch_has_made() {
    use bindery_ttlv::{ProtocolVersion, registry::UniqueIdentifierEnumeration as By};
    let house = House::new();
    let ask = |version, uid: UniqueIdentifier| {
        let xor = bindery_ttlv::registry::SplitKeyMethod::XOR;
        let object_type = bindery_ttlv::registry::ObjectType::SYMMETRIC_KEY;
        let split = CreateSplitKeyRequest::new(object_type, 2, 2, xor);
        let payloads: Vec<RequestPayload> = vec![
            create([name("first")]).into(),
            create([name("second")]).into(),
            split.into(),
            GetRequest::new(uid).into(),
        ];
        let mut message =
            bindery_kmip::Envelope::new(version).batch(payloads, Continuation::CONTINUE);
        message.header.batch_order_option = Some(true);
        let answers = house.send(&message).batch_items;
        let named: Vec<String> = answers[..3]
            .iter()
            .flat_map(|answer| {
                match answer.payload.as_ref().unwrap_or_else(|| panic!("{answer:?}")) {
                    ResponsePayload::Create(made) => vec![made.unique_identifier.to_string()],
                    ResponsePayload::CreateSplitKey(made) => {
                        made.unique_identifiers.iter().map(ToString::to_string).collect()
                    }
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        let found = match answers[3].payload.as_ref() {
            Some(ResponsePayload::Get(got)) => Ok(got.unique_identifier.to_string()),
            _ => Err(answers[3].failure().unwrap().reason),
        };
        found.map(|uid| named.iter().position(|made| *made == uid).unwrap())
    };
    let v2 = ProtocolVersion::V2_1;
    assert_eq!(ask(v2, By::CREATE.into()), Ok(1), "the latest");
    let unset = ask(v2, By::ID_PLACEHOLDER.into());
    assert_eq!(unset, Err(ResultReason::OBJECT_NOT_FOUND), "Create Split Key clears it");
    let several = ask(v2, By::CREATE_SPLIT_KEY.into());
    assert_eq!(several, Err(ResultReason::FEATURE_NOT_SUPPORTED));
    for (place, expected) in [(0, 0), (3, 3), (-1, 3), (-4, 0)] {
        assert_eq!(ask(v2, place.into()), Ok(expected), "{place}");
    }
    for place in [4, -5, i32::MAX, i32::MIN] {
        assert_eq!(ask(v2, place.into()), Err(ResultReason::OBJECT_NOT_FOUND), "{place}");
    }
    assert_eq!(ask(v2, By::REGISTER.into()), Err(ResultReason::OBJECT_NOT_FOUND));
    assert_eq!(ask(ProtocolVersion::V1_4, 0.into()), Err(ResultReason::INVALID_FIELD));
    assert_eq!(ask(ProtocolVersion::V1_4, By::CREATE.into()), Err(ResultReason::INVALID_FIELD));
}
