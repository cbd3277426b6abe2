//! The same messages in the types of `kmip-protocol`, which encodes only requests and decodes only responses.
//!
//! Requests are made as the peer's own `request::to_vec` makes them, but once: it takes the payload by value, and a copy
//! of the payload in each iteration would be charged to the peer. So is the Protocol Version set here, since the peer
//! itself chooses 1.2 for Query.

use kmip_protocol::types::common::{
    AttributeName, AttributeValue, CryptographicAlgorithm, CryptographicLength,
    CryptographicUsageMask, KeyFormatType, KeyMaterial, NameType, NameValue, ObjectType, Operation,
    UniqueIdentifier,
};
pub use kmip_protocol::types::request::RequestMessage;
pub use kmip_protocol::types::response::ResponseMessage;
use kmip_protocol::types::{request, response};

use super::{
    BLOB_NAME, LARGE, TIME_STAMP, UNIQUE_IDENTIFIER, bits, key as octets, unique_identifiers,
};

/// [`query_request`](super::query_request) of the peer.
pub fn query_request() -> RequestMessage {
    message(request::RequestPayload::Query(vec![
        request::QueryFunction::QueryOperations,
        request::QueryFunction::QueryObjects,
    ]))
}

/// [`create_request`](super::create_request) of the peer.
pub fn create_request() -> RequestMessage {
    let usage = CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt;
    let attributes = vec![
        request::Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        request::Attribute::CryptographicLength(256),
        request::Attribute::CryptographicUsageMask(usage),
        name("bench-key-0001"),
    ];
    message(request::RequestPayload::Create(
        ObjectType::SymmetricKey,
        request::TemplateAttribute::unnamed(attributes),
    ))
}

/// [`register_key_request`](super::register_key_request) of the peer.
pub fn register_key_request() -> RequestMessage {
    let key = octets(LARGE);
    let length = CryptographicLength(bits(&key));
    let block = request::KeyBlock(
        KeyFormatType::Raw,
        None,
        Some(request::KeyValue(KeyMaterial::Bytes(key), None)),
        Some(CryptographicAlgorithm::AES),
        Some(length),
        None,
    );
    message(request::RequestPayload::Register(
        ObjectType::SymmetricKey,
        request::TemplateAttribute::unnamed(vec![name(BLOB_NAME)]),
        Some(request::ManagedObject::SymmetricKey(request::SymmetricKey(block))),
    ))
}

/// What the peer must decode [`create_response`](super::create_response) to.
pub fn create_response() -> ResponseMessage {
    let payload = response::CreateResponsePayload {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: UniqueIdentifier(UNIQUE_IDENTIFIER.to_owned()),
        object_attributes: None,
    };
    answer(Operation::Create, response::ResponsePayload::Create(payload))
}

/// What the peer must decode [`get_response`](super::get_response) to.
pub fn get_response() -> ResponseMessage {
    get_response_of(octets(32))
}

/// What the peer must decode [`get_large_response`](super::get_large_response) to.
pub fn get_large_response() -> ResponseMessage {
    get_response_of(octets(LARGE))
}

/// What the peer must decode [`locate_response`](super::locate_response) to.
pub fn locate_response() -> ResponseMessage {
    let unique_identifiers = unique_identifiers().map(UniqueIdentifier).collect();
    let payload = response::LocateResponsePayload { unique_identifiers };
    answer(Operation::Locate, response::ResponsePayload::Locate(payload))
}

/// The peer's encoder: into a new `Vec`, there is no other.
///
/// # Errors
/// As the peer's.
pub fn encode(message: &RequestMessage) -> Result<Vec<u8>, kmip_ttlv::error::Error> {
    kmip_ttlv::ser::to_vec(message)
}

/// The peer's decoder.
///
/// # Errors
/// As the peer's.
pub fn decode(message: &[u8]) -> Result<ResponseMessage, kmip_ttlv::error::Error> {
    kmip_protocol::response::from_slice(message)
}

fn message(payload: request::RequestPayload) -> RequestMessage {
    let version = request::ProtocolVersion(
        request::ProtocolVersionMajor(1),
        request::ProtocolVersionMinor(0),
    );
    let header = request::RequestHeader(version, None, None, request::BatchCount(1));
    let item = request::BatchItem(payload.operation(), None, payload);
    RequestMessage(header, vec![item])
}

fn name(name: &str) -> request::Attribute {
    let value = AttributeValue::Name(NameValue(name.to_owned()), NameType::UninterpretedTextString);
    request::Attribute(AttributeName("Name".to_owned()), None, value)
}

fn get_response_of(key: Vec<u8>) -> ResponseMessage {
    let key_block = response::KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(bits(&key)),
        key_value: response::KeyValue { key_material: KeyMaterial::Bytes(key), attributes: None },
        key_wrapping_data: None,
    };
    let payload = response::GetResponsePayload {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: UniqueIdentifier(UNIQUE_IDENTIFIER.to_owned()),
        cryptographic_object: response::ManagedObject::SymmetricKey(response::SymmetricKey {
            key_block,
        }),
    };
    answer(Operation::Get, response::ResponsePayload::Get(payload))
}

fn answer(operation: Operation, payload: response::ResponsePayload) -> ResponseMessage {
    let item = response::BatchItem {
        operation: Some(operation),
        unique_batch_item_id: None,
        result_status: response::ResultStatus::Success,
        result_reason: None,
        result_message: None,
        payload: Some(payload),
        message_extension: None,
    };
    let header = response::ResponseHeader {
        protocol_version: response::ProtocolVersion { major: 1, minor: 0 },
        timestamp: TIME_STAMP,
        batch_count: 1,
    };
    ResponseMessage { header, batch_items: vec![item] }
}
