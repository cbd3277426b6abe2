//! The KMIP 1.0 messages, in our types.
//!
//! Shapes and sizes are those at which the peers were first measured, so that the numbers can be compared.

pub mod peer;
#[cfg(test)]
mod tests;

use bindery_kmip::Secret;
use bindery_kmip::message::{
    Attribute, AttributeValue, CreateRequest, CreateResponse, GetResponse, KeyBlock,
    LocateResponse, ManagedObject, Name, OpaqueDataType, OpaqueObject, QueryRequest,
    RegisterRequest, RequestBatchItem, RequestMessage, RequestPayload, ResponseBatchItem,
    ResponseMessage, ResponsePayload, SymmetricKey, TemplateAttribute,
};
use bindery_ttlv::registry::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType, QueryFunction,
};
use bindery_ttlv::{DateTime, ProtocolVersion};

/// The Time Stamp of every response: 2023-11-14, in POSIX seconds.
pub const TIME_STAMP: i64 = 0x6553_F100;

/// The Unique Identifier of every object: 36 characters.
pub const UNIQUE_IDENTIFIER: &str = "49a1ca88-6bea-4fb2-b450-7e58802c3038";

/// How many objects the Locate response names.
pub const LOCATED: u32 = 1000;

/// The length of a large value, in octets.
pub const LARGE: usize = 1 << 20;

/// A Query request with two functions, 136 octets.
pub fn query_request() -> RequestMessage {
    let functions = [QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_OBJECTS];
    request(QueryRequest::new(functions))
}

/// A Create request for a 256-bit AES key with four attributes, 368 octets.
pub fn create_request() -> RequestMessage {
    let usage = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
    let attributes = [
        CryptographicAlgorithm::AES.into(),
        AttributeValue::CryptographicLength(256),
        usage.into(),
        Name::text("bench-key-0001").into(),
    ];
    request(CreateRequest::new(ObjectType::SYMMETRIC_KEY, attributes.into_iter().collect()))
}

/// The response to the Create request, 200 octets.
pub fn create_response() -> ResponseMessage {
    response(CreateResponse::new(ObjectType::SYMMETRIC_KEY, UNIQUE_IDENTIFIER))
}

/// A Get response with a 256-bit AES key, 312 octets.
pub fn get_response() -> ResponseMessage {
    get_response_of(&key(32))
}

/// A Locate response with [`LOCATED`] Unique Identifiers, 48,136 octets.
pub fn locate_response() -> ResponseMessage {
    response(LocateResponse::new(unique_identifiers().map(Into::into).collect()))
}

/// A Register request of an Opaque Object of [`LARGE`] octets.
pub fn register_opaque_request() -> RequestMessage {
    let data = Secret::new(key(LARGE));
    let object = OpaqueObject::new(OpaqueDataType(0x8000_0000), data);
    register(ManagedObject::OpaqueObject(object))
}

/// A Register request of a Symmetric Key of [`LARGE`] octets: the peer has no Opaque Object.
pub fn register_key_request() -> RequestMessage {
    register(symmetric_key(&key(LARGE)))
}

/// A Get response with a Symmetric Key of [`LARGE`] octets.
pub fn get_large_response() -> ResponseMessage {
    get_response_of(&key(LARGE))
}

fn request(payload: impl Into<RequestPayload>) -> RequestMessage {
    RequestMessage::new(ProtocolVersion::V1_0, vec![RequestBatchItem::new(payload)])
}

fn response(payload: impl Into<ResponsePayload>) -> ResponseMessage {
    let items = vec![ResponseBatchItem::succeeded(payload, None)];
    ResponseMessage::new(ProtocolVersion::V1_0, DateTime(TIME_STAMP), items)
}

fn register(object: ManagedObject) -> RequestMessage {
    let name = Attribute::new(Name::text(BLOB_NAME));
    request(RegisterRequest::new(object, TemplateAttribute::new(vec![name])))
}

fn get_response_of(key: &[u8]) -> ResponseMessage {
    response(GetResponse::new(UNIQUE_IDENTIFIER, symmetric_key(key)))
}

fn symmetric_key(key: &[u8]) -> ManagedObject {
    let block = KeyBlock::new(KeyFormatType::RAW, Secret::from(key))
        .with_algorithm(CryptographicAlgorithm::AES, bits(key));
    ManagedObject::SymmetricKey(SymmetricKey::new(block))
}

/// The name that a registered object gets.
pub(crate) const BLOB_NAME: &str = "bench-blob-0001";

/// Octets that count up from 0: not one value, which a copy could treat specially.
pub(crate) fn key(octets: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(octets).collect()
}

/// The length of a key as a Cryptographic Length.
pub(crate) fn bits(key: &[u8]) -> i32 {
    i32::try_from(key.len() * 8).unwrap_or(i32::MAX)
}

/// The Unique Identifiers of the Locate response, all different.
pub(crate) fn unique_identifiers() -> impl Iterator<Item = String> {
    (0..LOCATED).map(|n| format!("49a1ca88-6bea-4fb2-b450-{n:012x}"))
}
