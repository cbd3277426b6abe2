//! Small message types that the tests share: enough of KMIP 1.x to show every attribute of the derive.

use bindery_ttlv::registry::{
    AttestationType, CryptographicAlgorithm, CryptographicUsageMask, NameType, ObjectType,
    Operation,
};
use bindery_ttlv::{
    Choice, Element, Encode, Error, ProtocolVersion, RawItem, RawValue, Select, Tag, Text, Ttlv,
    Writer,
};
use bytes::Bytes;

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_MESSAGE)]
pub(crate) struct Request {
    pub(crate) header: RequestHeader,
    pub(crate) items: Vec<BatchItem>,
    #[ttlv(unknown)]
    pub(crate) unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_HEADER)]
pub(crate) struct RequestHeader {
    pub(crate) protocol_version: ProtocolVersion,
    #[ttlv(tag = MAXIMUM_RESPONSE_SIZE)]
    pub(crate) maximum_response_size: Option<i32>,
    pub(crate) attestation_types: Vec<AttestationType>,
    #[ttlv(tag = BATCH_COUNT)]
    pub(crate) batch_count: i32,
    #[ttlv(unknown)]
    pub(crate) unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = BATCH_ITEM)]
pub(crate) struct BatchItem {
    pub(crate) operation: Operation,
    #[ttlv(tag = UNIQUE_BATCH_ITEM_ID)]
    pub(crate) id: Option<Bytes>,
    #[ttlv(tag = REQUEST_PAYLOAD, select = operation)]
    pub(crate) payload: Payload,
    #[ttlv(unknown)]
    pub(crate) unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    Create(Create),
    Register(Register),
    Other(RawValue),
}

impl Select<Operation> for Payload {
    fn decode_selected(key: &Operation, element: Element<'_>) -> Result<Self, Error> {
        match *key {
            Operation::CREATE => element.decode().map(Self::Create),
            Operation::REGISTER => element.decode().map(Self::Register),
            _ => element.raw().map(Self::Other),
        }
    }
}

impl Encode for Payload {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Create(payload) => payload.encode(tag, writer),
            Self::Register(payload) => payload.encode(tag, writer),
            Self::Other(payload) => payload.encode(tag, writer),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
pub(crate) struct Create {
    pub(crate) object_type: ObjectType,
    pub(crate) template: TemplateAttribute,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
pub(crate) struct Register {
    pub(crate) object_type: ObjectType,
    pub(crate) template: TemplateAttribute,
    #[ttlv(choice)]
    pub(crate) object: Object,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = TEMPLATE_ATTRIBUTE)]
pub(crate) struct TemplateAttribute {
    pub(crate) attributes: Vec<Attribute>,
    #[ttlv(unknown)]
    pub(crate) unknown: Vec<RawItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ATTRIBUTE)]
pub(crate) struct Attribute {
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub(crate) name: Text,
    #[ttlv(tag = ATTRIBUTE_INDEX)]
    pub(crate) index: Option<i32>,
    #[ttlv(tag = ATTRIBUTE_VALUE, select = name)]
    pub(crate) value: Option<AttributeValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttributeValue {
    Algorithm(CryptographicAlgorithm),
    Length(i32),
    UsageMask(CryptographicUsageMask),
    Name(Name),
    Other(RawValue),
}

impl Select<Text> for AttributeValue {
    fn decode_selected(key: &Text, element: Element<'_>) -> Result<Self, Error> {
        match key.as_str() {
            "Cryptographic Algorithm" => element.decode().map(Self::Algorithm),
            "Cryptographic Length" => element.decode().map(Self::Length),
            "Cryptographic Usage Mask" => element.decode().map(Self::UsageMask),
            "Name" => element.decode().map(Self::Name),
            _ => element.raw().map(Self::Other),
        }
    }
}

impl Encode for AttributeValue {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Algorithm(value) => value.encode(tag, writer),
            Self::Length(value) => value.encode(tag, writer),
            Self::UsageMask(value) => value.encode(tag, writer),
            Self::Name(value) => value.encode(tag, writer),
            Self::Other(value) => value.encode(tag, writer),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = NAME)]
pub(crate) struct Name {
    #[ttlv(tag = NAME_VALUE)]
    pub(crate) value: Text,
    pub(crate) name_type: NameType,
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
pub(crate) enum Object {
    Opaque(OpaqueObject),
    #[ttlv(tag = SECRET_DATA)]
    Secret(RawValue),
}

#[derive(Debug, Clone, PartialEq, Eq, Ttlv)]
#[ttlv(tag = OPAQUE_OBJECT)]
pub(crate) struct OpaqueObject {
    #[ttlv(tag = OPAQUE_DATA_TYPE)]
    pub(crate) data_type: RawValue,
    #[ttlv(tag = OPAQUE_DATA_VALUE)]
    pub(crate) value: Bytes,
}

const _: () = assert!(<Object as Choice>::TAGS.len() == 2);
