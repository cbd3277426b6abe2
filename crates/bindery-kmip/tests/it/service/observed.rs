//! What the operator sees of each item: once, in order, and as it was committed.

use std::sync::{Arc, Mutex};

use bindery_kmip::{
    message::{ActivateRequest, GetRequest, QueryRequest, RequestBatchItem, RequestMessage},
    service::{Answered, CryptoError, Observer, StoreError},
};
use bindery_ttlv::{
    ProtocolVersion,
    registry::{
        BatchErrorContinuationOption as Continuation, CryptographicUsageMask as Usage,
        QueryFunction, ResultReason,
    },
};

use super::{House, create, password, refused};

/// Who, operation, object, status and reason of each item.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<[String; 5]>>);

impl Heard {
    fn take(&self) -> Vec<[String; 5]> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Heard {
    fn store_failed(&self, _: &StoreError) {}

    fn crypto_failed(&self, _: &CryptoError) {}

    fn answered(&self, answered: &Answered<'_>) {
        let none = || "-".to_owned();
        self.0.lock().unwrap().push([
            answered.principal.map_or_else(none, ToString::to_string),
            answered.operation.map_or_else(none, |operation| operation.to_string()),
            answered.unique_identifier.map_or_else(none, str::to_owned),
            answered.status.to_string(),
            answered.reason.map_or_else(none, |reason| reason.to_string()),
        ]);
    }
}

fn house() -> (House, Arc<Heard>) {
    let heard = Arc::<Heard>::default();
    let house = House::with(|config| config.observer = heard.clone());
    (house, heard)
}

fn line(operation: &str, object: &str, status: &str, reason: &str) -> [String; 5] {
    ["alice", operation, object, status, reason].map(str::to_owned)
}

#[test]
fn every_item_is_told_with_its_object() {
    let (house, heard) = house();
    let made = house.create([]);
    assert_eq!(heard.take(), [line("Create", &made.to_string(), "Success", "-")]);
    let registered = house.register(password(b"swordfish"), &[Usage::ENCRYPT.into()]);
    assert_eq!(heard.take(), [line("Register", &registered.to_string(), "Success", "-")]);
    house.call(GetRequest::new(made.clone())).unwrap();
    assert_eq!(heard.take(), [line("Get", &made.to_string(), "Success", "-")]);
    refused(house.call(GetRequest::new("nothing")), ResultReason::ITEM_NOT_FOUND);
    assert_eq!(heard.take(), [line("Get", "nothing", "OperationFailed", "ItemNotFound")]);
    house.call(QueryRequest::new([QueryFunction::QUERY_OPERATIONS])).unwrap();
    assert_eq!(heard.take(), [line("Query", "-", "Success", "-")]);
}

#[test]
fn the_id_placeholder_is_told_as_the_object_it_means() {
    let (house, heard) = house();
    let payloads = vec![create([]).into(), ActivateRequest::default().into()];
    house.batch(Continuation::STOP, payloads);
    let [created, activated] = <[_; 2]>::try_from(heard.take()).unwrap();
    assert_eq!(created, line("Create", &created[2], "Success", "-"));
    assert_ne!(created[2], "-");
    assert_eq!(activated, line("Activate", &created[2], "Success", "-"));
}

#[test]
fn what_was_undone_or_not_committed_is_never_told_as_success() {
    let (house, heard) = house();
    let payloads = || vec![create([]).into(), GetRequest::new("nothing").into()];
    house.batch(Continuation::UNDO, payloads());
    let failed = line("Get", "nothing", "OperationFailed", "ItemNotFound");
    assert_eq!(heard.take(), [line("Create", "-", "OperationUndone", "-"), failed.clone()]);

    house.store.inner().unknown = true;
    house.batch(Continuation::CONTINUE, payloads());
    let unknown = line("Create", "-", "OperationFailed", "GeneralFailure");
    assert_eq!(heard.take(), [unknown, failed]);
}

/// The batch is decided twice and answered once.
#[test]
fn a_decision_that_is_overtaken_is_not_told() {
    let (house, heard) = house();
    let uid = house.create([]);
    heard.take();
    let (other, mut once) = (uid.clone(), true);
    house.store.before_commit(move |records| {
        if std::mem::take(&mut once) {
            records.get_mut(other.as_text().unwrap()).unwrap().version += 1;
        }
    });
    house.activate(&uid);
    assert_eq!(heard.take(), [line("Activate", &uid.to_string(), "Success", "-")]);
}

#[test]
fn a_message_that_is_refused_whole_is_told_once() {
    let (house, heard) = house();
    let items = [create([]), create([])].map(RequestBatchItem::new).to_vec();
    let mut message = RequestMessage::new(ProtocolVersion::V1_4, items);
    message.header.batch_error_continuation_option = Some(Continuation(9));
    house.send(&message);
    assert_eq!(heard.take(), [line("-", "-", "OperationFailed", "InvalidField")]);
    house.send_as(None, &message);
    let [told] = <[_; 1]>::try_from(heard.take()).unwrap();
    assert_eq!(told[0], "-");
    assert_eq!(told[4], "AuthenticationNotSuccessful");
}
