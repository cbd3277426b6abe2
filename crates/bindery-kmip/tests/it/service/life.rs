//! The life of an object: every state with every operation, dates, revocation, destruction.

use bindery_kmip::{
    Secret,
    message::{
        ActivateRequest, AttributeValue, DestroyRequest, GetRequest, ManagedObject, OpaqueDataType,
        OpaqueObject, RevocationReason, UniqueIdentifier,
    },
};
use bindery_ttlv::{
    DateTime, Text,
    registry::{ResultReason, RevocationReasonCode as Code, State},
};

use super::{House, START, create, refused, revoke};

/// An object in a state, by every way that leads there.
fn ways(house: &House, state: State) -> Vec<UniqueIdentifier> {
    let active = || {
        let past = AttributeValue::ActivationDate(DateTime(house.now() - 5));
        let born = house.create([past]);
        let activated = house.create([]);
        house.activate(&activated);
        vec![born, activated]
    };
    let each = |uids: Vec<UniqueIdentifier>, act: &dyn Fn(&UniqueIdentifier)| {
        uids.iter().for_each(act);
        uids
    };
    let compromise = |uid: &UniqueIdentifier| house.revoke(uid, Code::KEY_COMPROMISE);
    let destroy = |uid: &UniqueIdentifier| house.destroy(uid);
    match state {
        State::PRE_ACTIVE => {
            let future = AttributeValue::ActivationDate(DateTime(house.now() + 500));
            vec![house.create([]), house.create([future])]
        }
        State::ACTIVE => active(),
        State::DEACTIVATED => {
            let now = house.now();
            let dates = [
                AttributeValue::ActivationDate(DateTime(now - 5)),
                AttributeValue::DeactivationDate(DateTime(now)),
            ];
            let mut uids = each(active(), &|uid| house.revoke(uid, Code::CESSATION_OF_OPERATION));
            uids.push(house.create(dates));
            uids
        }
        State::COMPROMISED => {
            let mut uids = each(ways(house, State::PRE_ACTIVE), &compromise);
            uids.extend(each(ways(house, State::ACTIVE), &compromise));
            uids.extend(each(ways(house, State::DEACTIVATED), &|uid| {
                house.revoke(uid, Code::CA_COMPROMISE);
            }));
            uids
        }
        State::DESTROYED => {
            let mut uids = each(ways(house, State::PRE_ACTIVE), &destroy);
            uids.extend(each(ways(house, State::DEACTIVATED), &destroy));
            uids
        }
        State::DESTROYED_COMPROMISED => {
            let mut uids = each(ways(house, State::COMPROMISED), &destroy);
            uids.extend(each(ways(house, State::DESTROYED), &compromise));
            uids
        }
        other => panic!("{other:?}"),
    }
}

const STATES: [State; 6] = [
    State::PRE_ACTIVE,
    State::ACTIVE,
    State::DEACTIVATED,
    State::COMPROMISED,
    State::DESTROYED,
    State::DESTROYED_COMPROMISED,
];

/// KMIP 1.4, figure 1 of section 3.22, as the states that an operation leads to; 0 for a refusal.
const MATRIX: [[State; 6]; 4] = {
    const NO: State = State(0);
    [
        // Activate
        [State::ACTIVE, NO, NO, NO, NO, NO],
        // Revoke, cessation of operation
        [NO, State::DEACTIVATED, NO, NO, NO, NO],
        // Revoke, key compromise
        [
            State::COMPROMISED,
            State::COMPROMISED,
            State::COMPROMISED,
            NO,
            State::DESTROYED_COMPROMISED,
            NO,
        ],
        // Destroy: not while it is in use (SKLC-M-2)
        [State::DESTROYED, NO, State::DESTROYED, State::DESTROYED_COMPROMISED, NO, NO],
    ]
};

#[test]
fn every_state_with_every_operation() {
    let house = House::new();
    for (from, state) in STATES.into_iter().enumerate() {
        for (operation, row) in MATRIX.iter().enumerate() {
            for uid in ways(&house, state) {
                assert_eq!(house.state(&uid), Some(state));
                house.pass(1);
                let before = house.store.record(uid.as_text().unwrap());
                let outcome = match operation {
                    0 => house.call(ActivateRequest::new(uid.clone())).map(drop),
                    1 => house.call(revoke(&uid, Code::CESSATION_OF_OPERATION)).map(drop),
                    2 => house.call(revoke(&uid, Code::KEY_COMPROMISE)).map(drop),
                    _ => house.call(DestroyRequest::new(uid.clone())).map(drop),
                };
                let to = row[from];
                if to == State(0) {
                    refused(outcome, ResultReason::PERMISSION_DENIED);
                    assert_eq!(house.store.record(uid.as_text().unwrap()), before);
                    assert_eq!(house.state(&uid), Some(state));
                } else {
                    outcome.unwrap();
                    assert_eq!(house.state(&uid), Some(to), "{operation} from {state:?}");
                    let changed = AttributeValue::LastChangeDate(DateTime(house.now()));
                    assert_eq!(house.values(&uid, "Last Change Date"), [changed]);
                }
            }
        }
    }
}

#[test]
fn get_works_until_destruction() {
    let house = House::new();
    for state in STATES {
        let gone = matches!(state, State::DESTROYED | State::DESTROYED_COMPROMISED);
        for uid in ways(&house, state) {
            let outcome = house.call(GetRequest::new(uid.clone()));
            if gone {
                let text = refused(outcome, ResultReason::ITEM_NOT_FOUND);
                assert!(text.contains("destroyed"), "{text}");
            } else {
                outcome.unwrap();
            }
            let material = house.store.record(uid.as_text().unwrap()).material;
            assert_eq!(material.is_none(), gone, "a destroyed object's material is in no record");
        }
    }
}

#[test]
fn an_object_is_active_when_its_date_comes_and_deactivated_when_that_comes() {
    let house = House::new();
    let uid = house.create([
        AttributeValue::ActivationDate(DateTime(START + 10)),
        AttributeValue::DeactivationDate(DateTime(START + 20)),
    ]);
    let before = house.store.records();
    for (second, state) in [
        (9, State::PRE_ACTIVE),
        (10, State::ACTIVE),
        (19, State::ACTIVE),
        (20, State::DEACTIVATED),
        (10_000, State::DEACTIVATED),
    ] {
        house.now.store(START + second, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(house.state(&uid), Some(state), "{second}");
    }
    assert_eq!(house.store.records(), before, "nobody writes for it");
}

#[test]
fn activation_brings_the_date_forward() {
    let house = House::new();
    let uid = house.create([AttributeValue::ActivationDate(DateTime(START + 500))]);
    house.pass(3);
    house.activate(&uid);
    let date = AttributeValue::ActivationDate(DateTime(START + 3));
    assert_eq!(house.values(&uid, "Activation Date"), [date]);
}

#[test]
fn what_is_over_before_it_began_is_not_activated() {
    let house = House::new();
    let uid = house.create([AttributeValue::DeactivationDate(DateTime(START + 5))]);
    assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
    house.pass(5);
    assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
    let text =
        refused(house.call(ActivateRequest::new(uid.clone())), ResultReason::PERMISSION_DENIED);
    assert!(text.contains("Deactivation Date"), "{text}");
    house.destroy(&uid);
}

/// A server whose clock is set back must not forget what it has acknowledged.
#[test]
fn a_clock_that_goes_back_undoes_nothing() {
    let house = House::new();
    house.pass(100);
    let active = house.create([]);
    house.activate(&active);
    let over = house.create([AttributeValue::ActivationDate(DateTime(START))]);
    house.revoke(&over, Code::SUPERSEDED);
    house.pass(-90);
    assert_eq!(house.state(&active), Some(State::ACTIVE));
    assert_eq!(house.state(&over), Some(State::DEACTIVATED));
    house.revoke(&active, Code::SUPERSEDED);
    assert_eq!(house.state(&active), Some(State::DEACTIVATED));
    let date = AttributeValue::LastChangeDate(DateTime(START + 100));
    assert_eq!(house.values(&active, "Last Change Date"), [date]);
}

#[test]
fn dates_tell_the_life() {
    let house = House::new();
    let uid = house.create([]);
    house.pass(10);
    house.activate(&uid);
    house.pass(10);
    house.revoke(&uid, Code::SUPERSEDED);
    house.pass(10);
    house.revoke(&uid, Code::KEY_COMPROMISE);
    house.pass(10);
    house.destroy(&uid);
    let at = |offset| DateTime(START + offset);
    let life = [
        AttributeValue::InitialDate(at(0)),
        AttributeValue::OriginalCreationDate(at(0)),
        AttributeValue::ActivationDate(at(10)),
        AttributeValue::DeactivationDate(at(20)),
        AttributeValue::CompromiseDate(at(30)),
        AttributeValue::CompromiseOccurrenceDate(at(0)),
        AttributeValue::DestroyDate(at(40)),
        AttributeValue::LastChangeDate(at(40)),
    ];
    for date in life {
        assert_eq!(house.values(&uid, date.name()), [date]);
    }
    let reason = RevocationReason::new(Code::KEY_COMPROMISE);
    assert_eq!(house.values(&uid, "Revocation Reason"), [reason.into()], "the last one");
}

#[test]
fn every_reason_but_compromise_deactivates() {
    let house = House::new();
    for code in [1, 4, 5, 6, 7, 0x8000_0001] {
        let uid = house.create([AttributeValue::ActivationDate(DateTime(START))]);
        let mut request = revoke(&uid, Code(code));
        request.revocation_reason.revocation_message = Some(Text::from("moved on"));
        let kept = request.revocation_reason.clone();
        house.call(request).unwrap();
        assert_eq!(house.state(&uid), Some(State::DEACTIVATED), "{code}");
        assert_eq!(house.values(&uid, "Revocation Reason"), [kept.into()]);
    }
}

#[test]
fn the_occurrence_of_a_compromise_is_the_clients_to_say() {
    let house = House::new();
    let occurred = |code, date| {
        let uid = house.create([AttributeValue::ActivationDate(DateTime(START))]);
        let mut request = revoke(&uid, code);
        request.compromise_occurrence_date = Some(DateTime(date));
        (uid, house.call(request))
    };
    // SKLC-M-2 says 1970-01-01T00:00:06Z.
    for date in [6, i64::MIN, START] {
        let (uid, outcome) = occurred(Code::KEY_COMPROMISE, date);
        outcome.unwrap();
        let kept = house.values(&uid, "Compromise Occurrence Date");
        assert_eq!(kept, [AttributeValue::CompromiseOccurrenceDate(DateTime(date))]);
    }
    for (code, date) in [(Code::KEY_COMPROMISE, START + 1), (Code::SUPERSEDED, 6)] {
        let (uid, outcome) = occurred(code, date);
        refused(outcome, ResultReason::INVALID_FIELD);
        assert_eq!(house.state(&uid), Some(State::ACTIVE));
    }
}

#[test]
fn a_revocation_message_has_a_limit() {
    let house = House::new();
    let uid = house.create([]);
    let long = |length: usize| {
        let mut request = revoke(&uid, Code::KEY_COMPROMISE);
        request.revocation_reason.revocation_message = Some(Text::from("m".repeat(length)));
        request
    };
    refused(house.call(long(4_097)), ResultReason::INVALID_FIELD);
    house.call(long(3_500)).unwrap();
}

/// Opaque Objects have no State (section 3.22), and can be destroyed and compromised all the same.
#[test]
fn opaque_objects() {
    let house = House::new();
    let make = || {
        let data = OpaqueObject::new(OpaqueDataType(0x8000_0001), Secret::from(&b"data"[..]));
        house.register(ManagedObject::OpaqueObject(data), &[])
    };
    let uid = make();
    assert_eq!(house.state(&uid), None);
    refused(house.call(ActivateRequest::new(uid.clone())), ResultReason::ILLEGAL_OPERATION);
    house.revoke(&uid, Code::SUPERSEDED);
    house.revoke(&uid, Code::KEY_COMPROMISE);
    for code in [Code::KEY_COMPROMISE, Code::SUPERSEDED] {
        refused(house.call(revoke(&uid, code)), ResultReason::PERMISSION_DENIED);
    }
    house.destroy(&uid);
    refused(house.call(DestroyRequest::new(uid.clone())), ResultReason::PERMISSION_DENIED);
    assert!(house.store.record(uid.as_text().unwrap()).material.is_none());
    let other = make();
    house.destroy(&other);
    refused(house.call(revoke(&other, Code::SUPERSEDED)), ResultReason::PERMISSION_DENIED);
    house.revoke(&other, Code::KEY_COMPROMISE);
}

/// Somebody else's object is not told apart from none.
#[test]
fn owners_are_kept_apart() {
    let house = House::new();
    let uid = house.create([]);
    let before = house.store.records();
    let version = bindery_ttlv::ProtocolVersion::V1_4;
    for owner in ["bob", "Alice", "alice ", ""] {
        let names: [&str; 0] = [];
        let attributes = bindery_kmip::message::GetAttributesRequest::new(uid.clone(), names);
        let list = bindery_kmip::message::GetAttributeListRequest::new(uid.clone());
        let texts = [
            refused(
                house.call_in(version, owner, GetRequest::new(uid.clone())),
                ResultReason::ITEM_NOT_FOUND,
            ),
            refused(house.call_in(version, owner, attributes), ResultReason::ITEM_NOT_FOUND),
            refused(house.call_in(version, owner, list), ResultReason::ITEM_NOT_FOUND),
            refused(
                house.call_in(version, owner, ActivateRequest::new(uid.clone())),
                ResultReason::ITEM_NOT_FOUND,
            ),
            refused(
                house.call_in(version, owner, revoke(&uid, Code::KEY_COMPROMISE)),
                ResultReason::ITEM_NOT_FOUND,
            ),
            refused(
                house.call_in(version, owner, DestroyRequest::new(uid.clone())),
                ResultReason::ITEM_NOT_FOUND,
            ),
        ];
        let unknown = uid.as_text().unwrap().replace('0', "1");
        let none = refused(
            house.call_in(version, owner, GetRequest::new(unknown.clone())),
            ResultReason::ITEM_NOT_FOUND,
        );
        for text in texts {
            assert_eq!(text.replace(uid.as_text().unwrap(), &unknown), none);
        }
    }
    assert_eq!(house.store.records(), before);
    house.call(create([])).unwrap();
    house.activate(&uid);
}
