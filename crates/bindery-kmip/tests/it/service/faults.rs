//! What the server stands on fails: conflicts, a store that is gone, a damaged record. The peer
//! learns that it happened, the operator what, and nobody a secret.

use bindery_kmip::message::{
    ActivateRequest, Attribute, AttributeValue, DestroyRequest, Failure, GetAttributesRequest,
    GetRequest, LocateRequest, QueryRequest, RegisterRequest, ResponseBatchItem,
};
use bindery_ttlv::{
    ProtocolVersion, Text,
    registry::{
        BatchErrorContinuationOption as Continuation, CryptographicUsageMask as Usage,
        QueryFunction, ResultReason, RevocationReasonCode as Code, State,
    },
};
use bytes::Bytes;

use super::{
    House, aes_key, create, custom, memory::Mishap, name, password, refused, revoke, typed,
};

/// The failure tells the peer nothing of the inside; the operator was told once.
#[track_caller]
fn general<T: std::fmt::Debug>(house: &House, outcome: Result<T, Failure>) -> String {
    let text = refused(outcome, ResultReason::GENERAL_FAILURE);
    assert!(!text.contains("tablespace") && !text.contains("/var"), "{text}");
    let told = house.told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("tablespace 7"), "{told:?}");
    text
}

#[test]
fn a_conflict_repeats_the_decision_on_what_is_there_now() {
    let house = House::new();
    let uid = house.create([]);
    let mut times = 3;
    let other = uid.clone();
    // Somebody else changes the object between the decision and the commit, three times.
    house.store.before_commit(move |records| {
        if times > 0 {
            times -= 1;
            records.get_mut(other.as_text().unwrap()).unwrap().version += 1;
        }
    });
    house.activate(&uid);
    assert_eq!(house.state(&uid), Some(State::ACTIVE));
    assert_eq!(house.store.inner().committed, 1 + 4);
    assert_eq!(house.store.records()[uid.as_text().unwrap()].version, 1 + 3 + 1);
    assert!(house.told.take().is_empty(), "a conflict is no failure");
}

/// The second decision differs from the first one: the answer is the second one's.
#[test]
fn a_decision_that_is_overtaken_is_not_answered() {
    let house = House::new();
    let uid = house.create([]);
    let destroyed = {
        let rival = House::new();
        rival.store.inner().records = house.store.records();
        rival.destroy(&uid);
        rival.store.records()
    };
    house.store.before_commit(move |records| records.clone_from(&destroyed));
    let outcome = house.call(ActivateRequest::new(uid.clone()));
    let text = refused(outcome, ResultReason::PERMISSION_DENIED);
    assert!(text.contains("Destroyed"), "{text}");
    assert_eq!(house.state(&uid), Some(State::DESTROYED));
}

#[test]
fn conflicts_without_end_come_to_an_end() {
    let house = House::with(|config| config.conflicts = 5);
    let uid = house.create([]);
    let other = uid.clone();
    house.store.before_commit(move |records| {
        records.get_mut(other.as_text().unwrap()).unwrap().version += 1;
    });
    let commits = house.store.inner().committed;
    let answers = house.batch(
        Continuation::CONTINUE,
        vec![
            QueryRequest::new([QueryFunction::QUERY_OBJECTS]).into(),
            GetRequest::new("nobody").into(),
            ActivateRequest::new(uid.clone()).into(),
            create([]).into(),
            GetRequest::new(uid.clone()).into(),
        ],
    );
    assert_eq!(house.store.inner().committed, commits + 6, "the first time and five more");
    let reasons: Vec<_> =
        answers.iter().map(|a| a.failure().map(|failure| failure.reason)).collect();
    let again = Some(ResultReason::GENERAL_FAILURE);
    assert_eq!(reasons, [None, Some(ResultReason::ITEM_NOT_FOUND), again, again, again]);
    assert!(answers[2].failure().unwrap().to_string().contains("try again"));
    house.store.before_commit(|_| {});
    assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
    assert_eq!(house.locate([]), [uid]);
}

/// An identifier that is taken is drawn anew.
#[test]
fn a_taken_identifier_is_no_failure() {
    let house = House::new();
    let mut once = true;
    house.store.before_commit(move |records| {
        if std::mem::take(&mut once) {
            // As if another server had made an object with every identifier of this second.
            let owner = bindery_core::Principal::new("bob");
            for octet in 0..8_u8 {
                let mut record = bindery_kmip::service::Record::new(
                    uid_of(octet),
                    owner.clone(),
                    bindery_core::Timestamp::from_unix_seconds(super::START),
                );
                record.attributes = Bytes::new();
                let versioned = bindery_kmip::service::Versioned::new(record, 1);
                records.insert(uid_of(octet), versioned);
            }
        }
    });
    let uid = house.create([]);
    assert!(house.store.inner().committed > 1, "the first one was taken");
    assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE));
}

/// The identifier that the deterministic generator leads to.
fn uid_of(octet: u8) -> String {
    let millis = super::START * 1_000;
    let tail = u64::from_be_bytes([octet; 8]) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
    let middle = u16::from_be_bytes([octet; 2]) & 0x0FFF | 0x7000;
    let hex = format!("{millis:012x}{middle:04x}{tail:016x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[test]
fn a_commit_that_fails_acknowledges_nothing() {
    for mishap in [Mishap::Unavailable, Mishap::Failed, Mishap::Damaged] {
        let house = House::new();
        let uid = house.create([]);
        house.call(GetRequest::new(uid.clone())).unwrap();
        let before = house.store.records();
        house.store.inner().commits.push_back(Some(mishap));
        general(&house, house.call(create([])));
        house.store.inner().commits.push_back(Some(mishap));
        let answers = house.batch(
            Continuation::CONTINUE,
            vec![
                GetRequest::new(uid.clone()).into(),
                create([]).into(),
                ActivateRequest::new(uid.clone()).into(),
                LocateRequest::default().into(),
            ],
        );
        typed::<GetRequest>(answers[0].clone()).expect("it does not rest on the commit");
        let texts: Vec<_> = answers[1..].iter().map(|a| a.failure().unwrap().to_string()).collect();
        assert!(texts.iter().all(|text| !text.contains("tablespace")), "{texts:?}");
        assert_eq!(house.told.take().len(), 1);
        assert_eq!(house.store.records(), before);
    }
}

#[test]
fn a_load_or_a_search_that_fails_fails_its_item() {
    for mishap in [Mishap::Unavailable, Mishap::Failed, Mishap::Damaged] {
        let house = House::new();
        let uid = house.create([]);
        house.store.inner().loads.push_back(Some(mishap));
        general(&house, house.call(DestroyRequest::new(uid.clone())));
        house.store.inner().finds.push_back(Some(mishap));
        general(&house, house.call(LocateRequest::default()));
        house.store.inner().loads.push_back(Some(mishap));
        let by_uid =
            LocateRequest::new([AttributeValue::UniqueIdentifier(uid.as_text().unwrap().into())]);
        general(&house, house.call(by_uid));
        assert_eq!(house.state(&uid), Some(State::PRE_ACTIVE), "and the server goes on");
    }
}

/// A batch does not wait a thousand times for a store that is gone.
#[test]
fn a_store_that_is_gone_is_asked_once_in_a_batch() {
    let house = House::new();
    let uid = house.create([]);
    let other = house.create([]);
    let loads = house.store.inner().loaded;
    house.store.inner().loads.push_back(Some(Mishap::Unavailable));
    let answers = house.batch(
        Continuation::CONTINUE,
        vec![
            GetRequest::new(uid.clone()).into(),
            GetRequest::new(other).into(),
            LocateRequest::default().into(),
            QueryRequest::new([QueryFunction::QUERY_OBJECTS]).into(),
        ],
    );
    let failures: Vec<_> = answers.iter().map(ResponseBatchItem::failure).collect();
    assert_eq!(failures[0].as_ref().unwrap().reason, ResultReason::GENERAL_FAILURE);
    assert_eq!((&failures[1], &failures[2]), (&failures[0], &failures[0]));
    assert_eq!(failures[3], None, "it needs no store");
    assert_eq!(house.store.inner().loaded, loads + 1);
    assert_eq!(house.told.take().len(), 1);
    house.call(GetRequest::new(uid)).expect("the next message asks again");
}

/// One object that is damaged does not spoil the items about others.
#[test]
fn a_damaged_object_does_not_stop_the_batch() {
    let house = House::new();
    let (uid, other) = (house.create([]), house.create([]));
    house.store.inner().loads.push_back(Some(Mishap::Damaged));
    let payloads = vec![GetRequest::new(uid).into(), GetRequest::new(other).into()];
    let answers = house.batch(Continuation::CONTINUE, payloads);
    assert_eq!(answers[0].failure().unwrap().reason, ResultReason::GENERAL_FAILURE);
    assert_eq!(answers[1].failure(), None);
}

/// A record that is not what the engine wrote: every octet of it, cut off and turned over.
#[test]
fn damaged_records_are_told_to_the_operator_and_never_believed() {
    let house = House::new();
    let uid = house.register(aes_key(b"SECRETSECRETSECR"), &[Usage::ENCRYPT.into(), name("disk")]);
    house.damaged.store(true, std::sync::atomic::Ordering::Relaxed);
    let whole = house.store.record(&uid.to_string());
    let length = whole.attributes.len();
    let ask = || {
        let names: [&str; 0] = [];
        house.call(GetAttributesRequest::new(uid.clone(), names))
    };
    let mut broken = 0;
    for at in 0..length {
        let mut cut = whole.clone();
        cut.attributes = whole.attributes.slice(..at);
        house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record = cut;
        let text = refused(ask(), ResultReason::GENERAL_FAILURE);
        assert!(text.contains("damaged"), "{text}");
        assert!(house.told.take()[0].contains(uid.as_text().unwrap()));
        let mut turned = whole.clone();
        let mut octets = whole.attributes.to_vec();
        octets[at] ^= 0x80;
        turned.attributes = octets.into();
        house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record = turned;
        // Some turned octets are other values; none may bring the server down.
        broken += usize::from(ask().is_err());
        house.told.take();
    }
    assert!(broken > length / 4, "{broken} of {length}");
    // A search comes across it as well: half an answer would be a wrong one.
    let mut cut = whole.clone();
    cut.attributes = whole.attributes.slice(..8);
    house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record = cut;
    let text = refused(house.call(LocateRequest::default()), ResultReason::GENERAL_FAILURE);
    assert!(text.contains("damaged"), "{text}");
    house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record = whole;
    house.call(GetRequest::new(uid)).unwrap();
}

#[test]
fn damaged_material_is_not_given_and_not_shown() {
    let house = House::new();
    let uid = house.register(aes_key(b"SECRETSECRETSECR"), &[Usage::ENCRYPT.into()]);
    let whole = house.store.record(&uid.to_string());
    let material = whole.material.clone().unwrap();
    for at in 0..material.len() {
        let mut cut = whole.clone();
        cut.material = Some(material.expose()[..at].into());
        house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record = cut;
        let text = refused(house.call(GetRequest::new(uid.clone())), ResultReason::GENERAL_FAILURE);
        let told = house.told.take().concat();
        for text in [text, told] {
            assert_no_secret(&text);
        }
    }
}

/// Octets that can be read and say what cannot be.
#[test]
fn records_that_contradict_themselves_are_damaged() {
    let house = House::new();
    let key = house.create([]);
    let secret = house.register(password(b"open sesame"), &[Usage::ENCRYPT.into()]);
    let gone = house.create([]);
    house.destroy(&gone);
    let (key, secret, gone) =
        (key.as_text().unwrap(), secret.as_text().unwrap(), gone.as_text().unwrap());
    let of = |uid: &str| house.store.record(uid);
    let mut lost = of(key);
    lost.material = None;
    let mut kept = of(gone);
    kept.material = of(key).material;
    let mut exchanged = of(key);
    exchanged.material = of(secret).material;
    let renamed = |from: &str, to: &str| {
        let mut octets = of(key).attributes.to_vec();
        let at = octets.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        octets[at..at + from.len()].copy_from_slice(to.as_bytes());
        let mut record = of(key);
        record.attributes = octets.into();
        record
    };
    let others = [
        renamed("Object Type", "x-ject Type"),
        renamed("Initial Date", "x-itial Date"),
        renamed("Last Change Date", "x-st Change Date"),
    ];
    for record in [lost, kept, exchanged].into_iter().chain(others) {
        let uid = record.uid.clone();
        let whole = of(&uid);
        house.store.inner().records.get_mut(&uid).unwrap().record = record;
        let outcome = house.call(GetRequest::new(uid.clone()));
        let text = refused(outcome, ResultReason::GENERAL_FAILURE);
        assert!(text.contains("damaged"), "{text}");
        assert!(house.told.take()[0].contains(&uid));
        house.store.inner().records.get_mut(&uid).unwrap().record = whole;
    }
}

/// Of a damaged object its owner is told; anybody else there is none.
#[test]
fn somebody_elses_damaged_object_is_none() {
    let house = House::new();
    let uid = house.create([]);
    house.store.inner().records.get_mut(uid.as_text().unwrap()).unwrap().record.attributes =
        Bytes::new();
    let outcome = house.call_in(ProtocolVersion::V1_4, "bob", GetRequest::new(uid));
    refused(outcome, ResultReason::ITEM_NOT_FOUND);
    assert!(house.told.take().is_empty());
}

/// In clear, as hexadecimal digits and as a list of numbers.
#[track_caller]
fn assert_no_secret(text: &str) {
    let lower = text.to_lowercase();
    for form in ["secret", "534543", "53, 45, 43", "83, 69, 67", "0x53, 0x45"] {
        // The word itself stands in the names of types.
        let found = lower.replace("secret(", "").replace("secretdata", "");
        let found = found.replace("secret_data", "");
        assert!(!found.contains(form), "{form} in {text}");
    }
}

#[test]
fn no_debug_form_and_no_failure_shows_a_secret() {
    let house = House::new();
    let objects = [aes_key(b"SECRETSECRETSECR"), password(b"SECRETSECRETSECRET")];
    for object in objects {
        let template = [Usage::ENCRYPT.into()].into_iter().collect();
        let request = RegisterRequest::new(object, template);
        assert_no_secret(&format!("{request:?} {request:#?}"));
        let uid = house.call(request.clone()).unwrap().unique_identifier;
        let got = house.call(GetRequest::new(uid.clone())).unwrap();
        assert_no_secret(&format!("{got:?} {got:#?}"));
        assert_no_secret(&format!("{:?}", house.store.record(&uid.to_string())));
        assert_no_secret(&format!("{:?}", house.attributes(&uid)));
        let bad: [(AttributeValue, ResultReason); 3] = [
            (AttributeValue::CryptographicLength(7), ResultReason::INVALID_FIELD),
            (custom("z-unknown", "v"), ResultReason::INVALID_FIELD),
            (AttributeValue::Absent(Text::from("Name")), ResultReason::INVALID_FIELD),
        ];
        for (value, reason) in bad {
            let mut request = request.clone();
            request.attributes.attributes_mut().push(Attribute::new(value));
            assert_no_secret(&refused(house.call(request), reason));
        }
    }
    assert_no_secret(&format!("{:?} {:#?}", house.server, house.server));
    assert_no_secret(&format!("{:?}", house.store));
}

/// What a client of 2.x, or of tomorrow, would store is not dropped by a change of today's server.
#[test]
fn what_a_record_holds_beyond_today_survives_a_change() {
    let house = House::new();
    let uid = house.create([custom("x-a", "kept"), name("n"), custom("x-b", "kept too")]);
    let before = house.attributes(&uid);
    house.activate(&uid);
    house.revoke(&uid, Code::SUPERSEDED);
    let after = house.attributes(&uid);
    for attribute in before {
        let changes = ["State", "Last Change Date"].contains(&attribute.name());
        assert!(changes || after.contains(&attribute), "{attribute:?}");
    }
    assert_eq!(house.call(revoke(&uid, Code::KEY_COMPROMISE)).map(|_| ()), Ok(()));
}
