//! Request Header and Response Header (KMIP 1.4, section 7.2, tables 282 and 284).

use bindery_ttlv::{
    DateTime, Decode, Element, Encode, Error, ItemType, ProtocolVersion, RawItem, Tag, Text, Ttlv,
    Writer,
    registry::{AsynchronousIndicator, AttestationType, BatchErrorContinuationOption},
};
use bytes::Bytes;

use super::Authentication;

/// The Request Header.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_HEADER)]
#[non_exhaustive]
pub struct RequestHeader {
    /// The version of KMIP that the message is written in.
    pub protocol_version: ProtocolVersion,
    /// The longest response that the client can take, in octets of its binary TTLV form.
    #[ttlv(tag = MAXIMUM_RESPONSE_SIZE)]
    pub maximum_response_size: Option<i32>,
    /// What the client calls this request in logs (1.4).
    #[ttlv(tag = CLIENT_CORRELATION_VALUE)]
    pub client_correlation_value: Option<Text>,
    /// What the server calls it, in its own requests to the client (1.4).
    #[ttlv(tag = SERVER_CORRELATION_VALUE)]
    pub server_correlation_value: Option<Text>,
    /// Whether the client can take an answer later.
    #[ttlv(tag = ASYNCHRONOUS_INDICATOR)]
    pub asynchronous_indicator: Option<AsynchronousMode>,
    /// Whether the client can attest itself (1.2).
    #[ttlv(tag = ATTESTATION_CAPABLE_INDICATOR)]
    pub attestation_capable_indicator: Option<bool>,
    /// How it can (1.2).
    #[ttlv(tag = ATTESTATION_TYPE)]
    pub attestation_types: Vec<AttestationType>,
    /// Who the client is, beside what the channel shows.
    pub authentication: Option<Authentication>,
    /// What happens after a failed item of a batch; `Stop` when absent.
    #[ttlv(tag = BATCH_ERROR_CONTINUATION_OPTION)]
    pub batch_error_continuation_option: Option<BatchErrorContinuationOption>,
    /// Whether the items of a batch are to be done in their order; no when absent.
    #[ttlv(tag = BATCH_ORDER_OPTION)]
    pub batch_order_option: Option<bool>,
    /// When the client sent the message.
    #[ttlv(tag = TIME_STAMP)]
    pub time_stamp: Option<DateTime>,
    /// How many batch items follow.
    #[ttlv(tag = BATCH_COUNT)]
    pub batch_count: i32,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RequestHeader {
    /// A header with the required fields.
    pub const fn new(protocol_version: ProtocolVersion, batch_count: i32) -> Self {
        Self {
            protocol_version,
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_types: Vec::new(),
            authentication: None,
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
            batch_count,
            unknown: Vec::new(),
        }
    }

    /// What happens after a failed item: the option, or `Stop`, which the specification says for
    /// its absence.
    pub fn continuation(&self) -> BatchErrorContinuationOption {
        self.batch_error_continuation_option.unwrap_or(BatchErrorContinuationOption::STOP)
    }
}

/// The Asynchronous Indicator (KMIP 1.4, section 6.7; 2.1, section 8.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsynchronousMode {
    /// Whether the client can take an answer later: 1.x.
    Accepted(bool),
    /// Whether it must, may or must not come later: 2.x.
    Asked(AsynchronousIndicator),
}

impl Decode for AsynchronousMode {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        match element.item_type() {
            ItemType::Enumeration => element.decode().map(Self::Asked),
            _ => element.boolean().map(Self::Accepted),
        }
    }
}

impl Encode for AsynchronousMode {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Accepted(accepted) => accepted.encode(tag, writer),
            Self::Asked(asked) => asked.encode(tag, writer),
        }
    }
}

/// The Response Header.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_HEADER)]
#[non_exhaustive]
pub struct ResponseHeader {
    /// The version of KMIP that the message is written in.
    pub protocol_version: ProtocolVersion,
    /// When the server sent the message.
    #[ttlv(tag = TIME_STAMP)]
    pub time_stamp: DateTime,
    /// What the client has to sign when it attests itself (1.2).
    pub nonce: Option<Nonce>,
    /// How it may attest itself (1.2).
    #[ttlv(tag = ATTESTATION_TYPE)]
    pub attestation_types: Vec<AttestationType>,
    /// What the client called the request (1.4).
    #[ttlv(tag = CLIENT_CORRELATION_VALUE)]
    pub client_correlation_value: Option<Text>,
    /// What the server calls it in its log (1.4).
    #[ttlv(tag = SERVER_CORRELATION_VALUE)]
    pub server_correlation_value: Option<Text>,
    /// How many batch items follow.
    #[ttlv(tag = BATCH_COUNT)]
    pub batch_count: i32,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ResponseHeader {
    /// A header with the required fields.
    pub const fn new(
        protocol_version: ProtocolVersion,
        time_stamp: DateTime,
        batch_count: i32,
    ) -> Self {
        Self {
            protocol_version,
            time_stamp,
            nonce: None,
            attestation_types: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
            batch_count,
            unknown: Vec::new(),
        }
    }
}

/// A Nonce (KMIP 1.4, section 2.1.14).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = NONCE)]
#[non_exhaustive]
pub struct Nonce {
    /// What the server calls it.
    #[ttlv(tag = NONCE_ID)]
    pub nonce_id: Bytes,
    /// The random octets.
    #[ttlv(tag = NONCE_VALUE)]
    pub nonce_value: Bytes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
