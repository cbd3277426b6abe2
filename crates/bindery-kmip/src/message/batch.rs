//! Batch Item (KMIP 1.4, sections 6.15, 6.16 and 7.2, tables 283 and 285).

use bindery_ttlv::{
    RawItem, RawValue, Text, Ttlv,
    registry::{Operation, ResultReason, ResultStatus},
};
use bytes::Bytes;

use super::{Failure, RequestPayload, ResponsePayload};

/// One operation of a request.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = BATCH_ITEM)]
#[non_exhaustive]
pub struct RequestBatchItem {
    /// The operation; agrees with the payload unless somebody exchanged one of them.
    pub operation: Operation,
    /// What the client calls the item; required in a batch of more than one.
    #[ttlv(tag = UNIQUE_BATCH_ITEM_ID)]
    pub unique_batch_item_id: Option<Bytes>,
    /// What the operation is asked for.
    #[ttlv(tag = REQUEST_PAYLOAD, select = operation)]
    pub payload: RequestPayload,
    /// A vendor's addition.
    pub message_extension: Option<MessageExtension>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RequestBatchItem {
    /// An item from its payload: `RequestBatchItem::new(GetRequest::new("1"))`.
    pub fn new(payload: impl Into<RequestPayload>) -> Self {
        let payload = payload.into();
        Self {
            operation: payload.operation(),
            unique_batch_item_id: None,
            payload,
            message_extension: None,
            unknown: Vec::new(),
        }
    }

    /// The same item under an identifier.
    #[must_use]
    pub fn with_id(mut self, unique_batch_item_id: impl Into<Bytes>) -> Self {
        self.unique_batch_item_id = Some(unique_batch_item_id.into());
        self
    }
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = BATCH_ITEM)]
#[non_exhaustive]
pub struct ResponseBatchItem {
    /// The operation; absent where the request could not be read so far.
    pub operation: Option<Operation>,
    /// What the client calls the item.
    #[ttlv(tag = UNIQUE_BATCH_ITEM_ID)]
    pub unique_batch_item_id: Option<Bytes>,
    /// How it went.
    pub result_status: ResultStatus,
    /// Why it failed, for programs; required with a failure.
    pub result_reason: Option<ResultReason>,
    /// Why it failed, for people.
    #[ttlv(tag = RESULT_MESSAGE)]
    pub result_message: Option<Text>,
    /// What to poll with, when the answer comes later.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Option<Bytes>,
    /// The answer; absent with a failure.
    #[ttlv(tag = RESPONSE_PAYLOAD, select = operation)]
    pub payload: Option<ResponsePayload>,
    /// A vendor's addition.
    pub message_extension: Option<MessageExtension>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ResponseBatchItem {
    const fn empty(
        operation: Option<Operation>,
        unique_batch_item_id: Option<Bytes>,
        result_status: ResultStatus,
    ) -> Self {
        Self {
            operation,
            unique_batch_item_id,
            result_status,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: None,
            payload: None,
            message_extension: None,
            unknown: Vec::new(),
        }
    }

    /// A success; `unique_batch_item_id` is the request item's.
    pub fn succeeded(
        payload: impl Into<ResponsePayload>,
        unique_batch_item_id: Option<Bytes>,
    ) -> Self {
        let payload = payload.into();
        let operation = Some(payload.operation());
        let item = Self::empty(operation, unique_batch_item_id, ResultStatus::SUCCESS);
        Self { payload: Some(payload), ..item }
    }

    /// A failure; operation and `unique_batch_item_id` are the request item's, as far as it had
    /// them.
    pub fn failed(
        operation: Option<Operation>,
        unique_batch_item_id: Option<Bytes>,
        failure: Failure,
    ) -> Self {
        Self {
            result_reason: Some(failure.reason),
            result_message: failure.message,
            ..Self::empty(operation, unique_batch_item_id, ResultStatus::OPERATION_FAILED)
        }
    }

    /// An operation that had succeeded and was undone because a later one of the batch failed.
    pub const fn undone(operation: Operation, unique_batch_item_id: Option<Bytes>) -> Self {
        Self::empty(Some(operation), unique_batch_item_id, ResultStatus::OPERATION_UNDONE)
    }

    /// Why the item failed; `None` for one that did not. A failure that gives no reason, which the
    /// specification forbids, counts as General Failure.
    pub fn failure(&self) -> Option<Failure> {
        (self.result_status == ResultStatus::OPERATION_FAILED).then(|| Failure {
            reason: self.result_reason.unwrap_or(ResultReason::GENERAL_FAILURE),
            message: self.result_message.clone(),
        })
    }
}

/// Message Extension (section 6.16).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = MESSAGE_EXTENSION)]
#[non_exhaustive]
pub struct MessageExtension {
    /// The vendor.
    #[ttlv(tag = VENDOR_IDENTIFICATION)]
    pub vendor_identification: Text,
    /// Whether who does not understand the extension must refuse the item.
    #[ttlv(tag = CRITICALITY_INDICATOR)]
    pub criticality_indicator: bool,
    /// The vendor's structure.
    #[ttlv(tag = VENDOR_EXTENSION)]
    pub vendor_extension: RawValue,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl MessageExtension {
    /// An extension of a vendor's.
    pub fn new(
        vendor_identification: impl Into<Text>,
        criticality_indicator: bool,
        vendor_extension: RawValue,
    ) -> Self {
        Self {
            vendor_identification: vendor_identification.into(),
            criticality_indicator,
            vendor_extension,
            unknown: Vec::new(),
        }
    }
}
