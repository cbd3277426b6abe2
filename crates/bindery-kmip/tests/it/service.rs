//! The key server engine: a server over a store in memory, with a clock that the test turns.

mod attributes;
mod aws_lc;
mod batches;
mod create;
mod faults;
mod get;
mod life;
mod limits;
mod locate;
mod memory;
mod messages;
mod observed;
mod outcome;
mod register;
mod sequences;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering},
};

use bindery_core::{Context, Principal, Timestamp};
use bindery_kmip::{
    Secret,
    message::{
        ActivateRequest, Attribute, AttributeValue, CreateRequest, DestroyRequest, Failure,
        GetAttributesRequest, KeyBlock, LocateRequest, ManagedObject, Name, RegisterRequest,
        Request, RequestBatchItem, RequestMessage, RequestPayload, ResponseBatchItem,
        ResponseMessage, RevocationReason, RevokeRequest, SecretData, SymmetricKey,
        TemplateAttribute, UniqueIdentifier,
    },
    service::{AwsLcCrypto, Crypto, CryptoError, KeyServer, KeyServerConfig, Observer, StoreError},
};
use bindery_ttlv::{
    Options, ProtocolVersion, RawValue, Text, Tolerance,
    registry::{
        BatchErrorContinuationOption as Continuation, CryptographicAlgorithm as Algorithm,
        CryptographicUsageMask as Usage, KeyFormatType, ObjectType, ResultReason, ResultStatus,
        RevocationReasonCode, SecretDataType, State,
    },
};

use crate::support::{context, wait};
use memory::MemoryStore;

/// When the clock of a [`House`] starts.
const START: i64 = 1_700_000_000;

/// A key server, what it stands on, and a client of it.
struct House {
    store: Arc<MemoryStore>,
    crypto: Arc<Counting>,
    told: Arc<Told>,
    server: KeyServer,
    now: AtomicI64,
    /// Objects hold what no version has: answers may, too.
    damaged: AtomicBool,
}

impl House {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut KeyServerConfig)) -> Self {
        let (store, crypto, told) = <(Arc<MemoryStore>, Arc<Counting>, Arc<Told>)>::default();
        let mut config = KeyServerConfig::default();
        config.observer = told.clone();
        change(&mut config);
        let server = KeyServer::new(store.clone(), crypto.clone(), config);
        Self {
            store,
            crypto,
            told,
            server,
            now: AtomicI64::new(START),
            damaged: AtomicBool::new(false),
        }
    }

    /// Another server over the same store and clock, with other settings.
    fn reopened(self, change: impl FnOnce(&mut KeyServerConfig)) -> Self {
        let mut config = KeyServerConfig::default();
        config.observer = self.told.clone();
        change(&mut config);
        let server = KeyServer::new(self.store.clone(), self.crypto.clone(), config);
        Self { server, ..self }
    }

    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn context(&self, owner: Option<&str>) -> Context {
        let mut cx = context().with_principal(owner.map(Principal::new));
        cx.now = Timestamp::from_unix_seconds(self.now());
        cx
    }

    /// One message of a client, over the wire's form both ways.
    fn send_as(&self, owner: Option<&str>, message: &RequestMessage) -> ResponseMessage {
        // The engine copes with what a lenient server lets in; what it answers is strict.
        let options = Options::STRICT.with_tolerance(Tolerance::STRICT.with_other_versions(true));
        let request = RequestMessage::decode(&message.encode().unwrap(), &options).unwrap();
        let response = wait(self.server.respond(&self.context(owner), &request));
        let octets = response.encode().unwrap();
        let strict = if self.damaged.load(Ordering::Relaxed) { options } else { Options::STRICT };
        let read = ResponseMessage::decode(&octets, &strict).unwrap();
        assert_eq!(read, response);
        assert_eq!(usize::try_from(read.header.batch_count), Ok(read.batch_items.len()));
        assert_eq!(read.header.time_stamp.0, self.now());
        read
    }

    fn send(&self, message: &RequestMessage) -> ResponseMessage {
        self.send_as(Some("alice"), message)
    }

    fn call_in<R: Request>(
        &self,
        version: ProtocolVersion,
        owner: &str,
        request: R,
    ) -> Result<R::Response, Failure> {
        let message = RequestMessage::new(version, vec![RequestBatchItem::new(request)]);
        let response = self.send_as(Some(owner), &message);
        assert_eq!(response.header.protocol_version, version);
        let [item] = <[ResponseBatchItem; 1]>::try_from(response.batch_items).unwrap();
        typed::<R>(item)
    }

    fn call<R: Request>(&self, request: R) -> Result<R::Response, Failure> {
        self.call_in(ProtocolVersion::V1_4, "alice", request)
    }

    fn batch(
        &self,
        continuation: Continuation,
        payloads: Vec<RequestPayload>,
    ) -> Vec<ResponseBatchItem> {
        let items = payloads.into_iter().map(RequestBatchItem::new).collect();
        let mut message = RequestMessage::new(ProtocolVersion::V1_4, items);
        message.header.batch_error_continuation_option = Some(continuation);
        let response = self.send(&message);
        for (answer, item) in response.batch_items.iter().zip(&message.batch_items) {
            assert_eq!(answer.operation, Some(item.operation));
            assert_eq!(answer.unique_batch_item_id, item.unique_batch_item_id);
        }
        response.batch_items
    }

    /// A new AES key; what `attributes` say comes on top.
    fn create(&self, attributes: impl IntoIterator<Item = AttributeValue>) -> UniqueIdentifier {
        self.call(create(attributes)).unwrap().unique_identifier
    }

    fn register(&self, object: ManagedObject, attributes: &[AttributeValue]) -> UniqueIdentifier {
        let template = attributes.iter().cloned().collect();
        self.call(RegisterRequest::new(object, template)).unwrap().unique_identifier
    }

    fn attributes_in(&self, version: ProtocolVersion, uid: &UniqueIdentifier) -> Vec<Attribute> {
        let names: [&str; 0] = [];
        let request = GetAttributesRequest::new(uid.clone(), names);
        self.call_in(version, "alice", request).unwrap().attributes
    }

    fn attributes(&self, uid: &UniqueIdentifier) -> Vec<Attribute> {
        self.attributes_in(ProtocolVersion::V1_4, uid)
    }

    /// The values of the instances of an attribute.
    fn values(&self, uid: &UniqueIdentifier, name: &str) -> Vec<AttributeValue> {
        let all = self.attributes(uid).into_iter().filter(|attribute| attribute.name() == name);
        all.map(|attribute| attribute.value).collect()
    }

    fn state(&self, uid: &UniqueIdentifier) -> Option<State> {
        match self.values(uid, "State").as_slice() {
            [AttributeValue::State(state)] => Some(*state),
            [] => None,
            other => panic!("{other:?}"),
        }
    }

    fn locate(
        &self,
        attributes: impl IntoIterator<Item = AttributeValue>,
    ) -> Vec<UniqueIdentifier> {
        self.call(LocateRequest::new(attributes)).unwrap().unique_identifiers
    }

    fn activate(&self, uid: &UniqueIdentifier) {
        self.call(ActivateRequest::new(uid.clone())).unwrap();
    }

    fn revoke(&self, uid: &UniqueIdentifier, code: RevocationReasonCode) {
        self.call(revoke(uid, code)).unwrap();
    }

    fn destroy(&self, uid: &UniqueIdentifier) {
        self.call(DestroyRequest::new(uid.clone())).unwrap();
    }
}

/// The typed answer of one item.
fn typed<R: Request>(item: ResponseBatchItem) -> Result<R::Response, Failure> {
    match item.failure() {
        Some(failure) => {
            assert!(item.payload.is_none());
            assert!(failure.message.is_some(), "a failure says what to do: {failure:?}");
            Err(failure)
        }
        None => {
            assert_eq!(item.result_status, ResultStatus::SUCCESS);
            Ok(R::response(item.payload.unwrap()).expect("the payload of the operation"))
        }
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>, reason: ResultReason) -> String {
    let failure = outcome.expect_err("a refusal");
    assert_eq!(failure.reason, reason, "{failure}");
    failure.message.unwrap().as_str().to_owned()
}

fn aes() -> [AttributeValue; 3] {
    [
        Algorithm::AES.into(),
        AttributeValue::CryptographicLength(256),
        (Usage::ENCRYPT | Usage::DECRYPT).into(),
    ]
}

fn create(attributes: impl IntoIterator<Item = AttributeValue>) -> CreateRequest {
    let template = aes().into_iter().chain(attributes).collect();
    CreateRequest::new(ObjectType::SYMMETRIC_KEY, template)
}

fn create_of(attributes: impl IntoIterator<Item = Attribute>) -> CreateRequest {
    let all = aes().into_iter().map(Attribute::new).chain(attributes).collect();
    CreateRequest::new(ObjectType::SYMMETRIC_KEY, TemplateAttribute::new(all))
}

fn revoke(uid: &UniqueIdentifier, code: RevocationReasonCode) -> RevokeRequest {
    RevokeRequest::new(uid.clone(), RevocationReason::new(code))
}

fn name(text: &str) -> AttributeValue {
    Name::text(text).into()
}

fn custom(name: &str, value: &str) -> AttributeValue {
    AttributeValue::Other(Text::from(name), RawValue::of(&Text::from(value)))
}

fn aes_key(octets: &[u8]) -> ManagedObject {
    let bits = i32::try_from(octets.len() * 8).unwrap();
    let block = KeyBlock::new(KeyFormatType::RAW, Secret::from(octets));
    ManagedObject::SymmetricKey(SymmetricKey::new(block.with_algorithm(Algorithm::AES, bits)))
}

fn password(octets: &[u8]) -> ManagedObject {
    let block = KeyBlock::new(KeyFormatType::OPAQUE, Secret::from(octets));
    ManagedObject::SecretData(SecretData::new(SecretDataType::PASSWORD, block))
}

/// The octets of a key that came with Get.
fn octets(object: &ManagedObject) -> &[u8] {
    object.key_block().unwrap().octets().unwrap().expose()
}

/// Cryptography that can be foretold: random octets are all alike, other ones with each call.
#[derive(Debug, Default)]
struct Counting {
    calls: AtomicU8,
    fails: AtomicBool,
}

impl Crypto for Counting {
    fn fill_random(&self, buffer: &mut [u8]) -> Result<(), CryptoError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(CryptoError::new("random octets", "the dice are lost"));
        }
        buffer.fill(self.calls.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }

    fn sha256(&self, octets: &[u8]) -> [u8; 32] {
        AwsLcCrypto::new().sha256(octets)
    }
}

/// What the operator was told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Told {
    fn store_failed(&self, error: &StoreError) {
        self.0.lock().unwrap().push(error.to_string());
    }

    fn crypto_failed(&self, error: &CryptoError) {
        self.0.lock().unwrap().push(error.to_string());
    }
}
