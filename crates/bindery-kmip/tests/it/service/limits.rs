//! Limits: what one object, one message and one search may cost.

use std::time::Duration;

use bindery_kmip::message::{
    ActivateRequest, AttributeValue, CryptographicParameters, GetAttributesRequest, GetRequest,
    LocateRequest, RegisterRequest, RequestPayload, UniqueIdentifier,
};
use bindery_ttlv::{
    DateTime, RawValue,
    registry::{
        BatchErrorContinuationOption as Continuation, BlockCipherMode,
        CryptographicUsageMask as Usage, ObjectType, ResultReason, RevocationReasonCode as Code,
    },
};

use super::{House, START, create, custom, name, password, refused, typed};

fn reasons(answers: &[bindery_kmip::message::ResponseBatchItem]) -> Vec<Option<ResultReason>> {
    answers.iter().map(|answer| answer.failure().map(|failure| failure.reason)).collect()
}

#[test]
fn an_object_has_a_largest_size() {
    let house = House::with(|config| config.object_octets = 2_000);
    let register = |length: usize| {
        let template = [Usage::ENCRYPT.into()].into_iter().collect();
        house.call(RegisterRequest::new(password(&vec![7; length]), template))
    };
    register(1_800).unwrap();
    let text = refused(register(2_000), ResultReason::INVALID_FIELD);
    assert!(text.contains("2000"), "{text}");
    assert_eq!(house.store.records().len(), 1);
}

#[test]
fn attributes_have_a_largest_number_and_a_largest_size() {
    let house = House::with(|config| {
        config.attributes = 10;
        config.attribute_octets = 2_000;
    });
    // Three are the key's own.
    let few = |count: usize| create((0..count).map(|at| name(&at.to_string())));
    house.call(few(7)).unwrap();
    refused(house.call(few(8)), ResultReason::INVALID_FIELD);
    let long = |length: usize| create([custom("x-long", &"v".repeat(length))]);
    house.call(long(500)).unwrap();
    let text = refused(house.call(long(2_000)), ResultReason::INVALID_FIELD);
    assert!(text.contains("2000"), "{text}");
    refused(
        house.call(create([custom(&format!("x-{}", "n".repeat(2_000)), "v")])),
        ResultReason::INVALID_FIELD,
    );
    assert_eq!(house.store.records().len(), 2);
}

/// A limit that was lowered keeps nobody from using and revoking what is there.
#[test]
fn what_is_stored_stays_usable_when_limits_are_lowered() {
    let house = House::new();
    let uid = house.create([custom("x-long", &"v".repeat(5_000))]);
    let secret = house.register(password(&[7; 5_000]), &[Usage::ENCRYPT.into()]);
    let house = house.reopened(|config| {
        config.attributes = 1;
        config.attribute_octets = 100;
        config.object_octets = 100;
    });
    for uid in [uid, secret] {
        house.call(GetRequest::new(uid.clone())).unwrap();
        house.activate(&uid);
        house.revoke(&uid, Code::KEY_COMPROMISE);
        house.destroy(&uid);
    }
}

#[test]
fn a_locate_returns_at_most_so_many() {
    let house = House::with(|config| config.located = 4);
    let made: Vec<UniqueIdentifier> = (0..6).map(|_| house.create([])).collect();
    assert_eq!(house.locate([]), made[..4]);
    let mut request = LocateRequest::default();
    request.maximum_items = Some(i32::MAX);
    assert_eq!(house.call(request).unwrap().unique_identifiers, made[..4]);
    let mut rest = LocateRequest::default();
    rest.offset_items = Some(4);
    let answer = house.call(rest).unwrap();
    assert_eq!((answer.unique_identifiers.as_slice(), answer.located_items), (&made[4..], Some(6)));
}

#[test]
fn a_locate_looks_at_so_many_and_a_batch_of_them_at_no_more() {
    let house = House::with(|config| config.scanned = 10);
    for at in 0..11 {
        house.create([name(&at.to_string())]);
    }
    let text = refused(house.call(LocateRequest::default()), ResultReason::GENERAL_FAILURE);
    assert!(text.contains("10") && text.contains("Name"), "says what to do: {text}");
    assert_eq!(house.locate([name("3")]).len(), 1, "the store finds it by its index");
    // What the first ten answer needs no eleventh.
    let mut first = LocateRequest::default();
    first.maximum_items = Some(6);
    let two: Vec<RequestPayload> = vec![first.clone().into(), first.clone().into()];
    let answers = house.batch(Continuation::CONTINUE, two);
    assert_eq!(reasons(&answers), [None, Some(ResultReason::GENERAL_FAILURE)]);
    // A page that is full is answered; how many there are in all is not known then.
    first.offset_items = Some(2);
    let answer = house.call(first).unwrap();
    assert_eq!((answer.unique_identifiers.len(), answer.located_items), (6, None));
}

#[test]
fn long_records_and_many_criteria_count_more_than_once() {
    let house = House::with(|config| config.scanned = 100);
    for _ in 0..3 {
        house.create([custom("x-long", &"v".repeat(50 << 10))]);
    }
    refused(house.call(LocateRequest::default()), ResultReason::GENERAL_FAILURE);
    let mut one = LocateRequest::default();
    one.maximum_items = Some(1);
    house.call(one).unwrap();
    let house = House::with(|config| config.scanned = 100);
    for _ in 0..3 {
        house.create((0..100).map(|at| custom("x-a", &at.to_string())));
    }
    house.call(LocateRequest::default()).unwrap();
    let many = LocateRequest::new((0..64).map(|at| custom("x-a", &at.to_string())));
    refused(house.call(many), ResultReason::GENERAL_FAILURE);
}

#[test]
fn a_locate_asks_for_so_much() {
    let house = House::with(|config| config.attribute_octets = 2_000);
    let of = |count: usize| LocateRequest::new((0..count).map(|_| name("n")));
    house.call(of(20)).unwrap();
    refused(house.call(of(65)), ResultReason::INVALID_FIELD);
    let long = LocateRequest::new([custom("x-a", &"v".repeat(2_000))]);
    refused(house.call(long), ResultReason::INVALID_FIELD);
}

#[test]
fn the_answers_of_a_batch_have_a_largest_size() {
    let house = House::with(|config| config.batch_octets = 100_000);
    let uid = house.register(password(&[7; 20_000]), &[Usage::ENCRYPT.into()]);
    let gets = |count: usize| (0..count).map(|_| GetRequest::new(uid.clone()).into()).collect();
    // Once for the object in the batch, and once for each answer.
    let answers = house.batch(Continuation::CONTINUE, gets(8));
    let too_large = Some(ResultReason::RESPONSE_TOO_LARGE);
    assert_eq!(reasons(&answers)[..3], [None; 3]);
    assert_eq!(reasons(&answers)[3..], [too_large; 5]);
    assert!(answers[7].failure().unwrap().to_string().contains("100000"));
    house.call(GetRequest::new(uid)).expect("alone it is well");
}

#[test]
fn attributes_and_identifiers_count_as_answers() {
    let house = House::with(|config| config.batch_octets = 100_000);
    let uid = house.create([custom("x-long", &"v".repeat(20_000))]);
    let all = || {
        let names: [&str; 0] = [];
        GetAttributesRequest::new(uid.clone(), names).into()
    };
    let answers = house.batch(Continuation::STOP, (0..8).map(|_| all()).collect());
    assert_eq!(reasons(&answers).last(), Some(&Some(ResultReason::RESPONSE_TOO_LARGE)));
    for _ in 0..200 {
        house.create([]);
    }
    let locates = (0..50).map(|_| LocateRequest::default().into()).collect();
    let answers = house.batch(Continuation::STOP, locates);
    assert_eq!(reasons(&answers).last(), Some(&Some(ResultReason::RESPONSE_TOO_LARGE)));
    assert!(answers.len() < 20, "{}", answers.len());
}

#[test]
fn what_a_batch_loads_has_a_largest_size() {
    let house = House::with(|config| config.batch_octets = 100_000);
    let uids: Vec<UniqueIdentifier> =
        (0..8).map(|_| house.register(password(&[7; 20_000]), &[Usage::ENCRYPT.into()])).collect();
    let all = uids.iter().map(|uid| ActivateRequest::new(uid.clone()).into()).collect();
    let answers = house.batch(Continuation::CONTINUE, all);
    let failed = Some(ResultReason::GENERAL_FAILURE);
    assert_eq!(reasons(&answers)[3..], [None, failed, failed, failed, failed]);
    // The ones that went through did, and the others are as they were.
    for (at, uid) in uids.iter().enumerate() {
        let active = house.state(uid) == Some(bindery_ttlv::registry::State::ACTIVE);
        assert_eq!(active, at < 4, "{at}");
    }
}

/// Takes far less of a processor than this, also in a debug build; what these tests look for takes
/// many minutes.
const SOON: Duration = Duration::from_secs(60);

#[track_caller]
fn soon(work: impl FnOnce()) {
    let start = spent();
    work();
    let took = spent().saturating_sub(start);
    assert!(took < SOON, "{took:?}");
}

/// The processor time of this thread, which a busy machine does not stretch as it does that of the
/// clock. Linux only: elsewhere nothing is measured, and only what the tests ask for is looked at.
fn spent() -> Duration {
    let octets = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = octets.split_whitespace().next().and_then(|first| first.parse().ok());
    nanoseconds.map_or(Duration::ZERO, Duration::from_nanos)
}

/// A thousand questions for thousands of names each, about one object.
#[test]
fn long_lists_of_names_are_no_burden() {
    let house = House::new();
    let uid = house.create((0..200).map(|at| custom(&format!("x-{at}"), "v")));
    let names: Vec<String> = (0..1_000).map(|at| format!("x-{at}")).collect();
    let ask = || RequestPayload::from(GetAttributesRequest::new(uid.clone(), names.clone()));
    let asked: Vec<RequestPayload> = (0..100).map(|_| ask()).collect();
    soon(|| {
        let answers = house.batch(Continuation::CONTINUE, asked);
        let first = typed::<GetAttributesRequest>(answers[0].clone()).unwrap();
        assert_eq!(first.attributes.len(), 200);
    });
}

/// Everything that a search can be made to compare, as often as a batch may ask.
#[test]
fn searches_are_no_burden() {
    let house = House::new();
    let rich = |seed: usize| {
        let parameters = (0..100).map(move |at| {
            let mut parameters = CryptographicParameters::default();
            parameters.block_cipher_mode = Some(BlockCipherMode::CBC);
            parameters.tag_length = i32::try_from(seed * 1_000 + at).ok();
            AttributeValue::from(parameters)
        });
        parameters.chain((0..100).map(move |at| custom("x-a", &format!("{seed}-{at}"))))
    };
    for seed in 0..100 {
        house.create(rich(seed));
    }
    // None of them is indexed, and the last one decides.
    let criteria = (0..63).map(|at| {
        let mut parameters = CryptographicParameters::default();
        parameters.tag_length = Some(at);
        AttributeValue::from(parameters)
    });
    let criteria = criteria.chain([AttributeValue::InitialDate(DateTime(START + 1))]);
    let request = LocateRequest::new(criteria);
    let locates = (0..200).map(|_| request.clone().into()).collect();
    soon(|| {
        let answers = house.batch(Continuation::CONTINUE, locates);
        assert_eq!(answers.len(), 200);
        assert_eq!(reasons(&answers).last(), Some(&Some(ResultReason::GENERAL_FAILURE)));
    });
}

/// Thousands of fields in one structure, stored and asked for.
#[test]
fn structures_with_many_fields_are_no_burden() {
    let house = House::new();
    let mut wide = CryptographicParameters::default();
    wide.unknown = (0..3_000)
        .map(|at| {
            bindery_ttlv::RawItem::new(
                bindery_ttlv::Tag::from_low_bits(0x54_0000 + at),
                RawValue::of(&7_i32),
            )
        })
        .collect();
    for _ in 0..20 {
        house.create([wide.clone().into()]);
    }
    let request = LocateRequest::new([wide.into()]);
    let locates = (0..50).map(|_| request.clone().into()).collect();
    soon(|| {
        let answers = house.batch(Continuation::CONTINUE, locates);
        let first = typed::<LocateRequest>(answers[0].clone()).unwrap();
        assert_eq!(first.unique_identifiers.len(), 20);
    });
}

#[test]
fn a_full_batch_is_no_burden() {
    let house = House::new();
    let creates: Vec<RequestPayload> = (0..1_000).map(|_| create([]).into()).collect();
    soon(|| {
        let answers = house.batch(Continuation::UNDO, creates);
        assert_eq!(reasons(&answers), vec![None; 1_000]);
        assert_eq!(house.store.inner().committed, 1);
        assert_eq!(house.locate([ObjectType::SYMMETRIC_KEY.into()]).len(), 1_000);
    });
}
