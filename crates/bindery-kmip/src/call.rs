//! The client's side without IO: requests from payloads, outcomes from responses.

use std::fmt;

use bindery_ttlv::{
    ProtocolVersion,
    registry::{BatchErrorContinuationOption, Operation, ResultReason, ResultStatus},
};
use bytes::Bytes;

use crate::message::{
    Authentication, Failure, Request, RequestBatchItem, RequestMessage, RequestPayload,
    ResponseBatchItem, ResponsePayload, UniqueIdentifier,
};

/// What all requests of a client have in common: the fields of their headers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// The version that requests are written in.
    pub version: ProtocolVersion,
    /// The longest response, in octets of binary TTLV.
    pub maximum_response_size: Option<i32>,
    /// Who the client is, beside what the channel shows.
    pub authentication: Option<Authentication>,
}

impl Envelope {
    /// Requests in a version, with nothing optional in their headers.
    pub const fn new(version: ProtocolVersion) -> Self {
        Self { version, maximum_response_size: None, authentication: None }
    }

    /// A message of one operation. A payload in the form of 1.x is written in that of 2.x where the
    /// version is ([`RequestPayload::in_form_of`]).
    pub fn request(&self, payload: impl Into<RequestPayload>) -> RequestMessage {
        self.seal(vec![RequestBatchItem::new(payload)])
    }

    /// A message of several operations, done in their order.
    pub fn batch(
        &self,
        payloads: impl IntoIterator<Item = RequestPayload>,
        continuation: BatchErrorContinuationOption,
    ) -> RequestMessage {
        let mut message = self.seal(payloads.into_iter().map(RequestBatchItem::new).collect());
        if message.batch_items.len() > 1 {
            message.header.batch_order_option = Some(true);
            // Stop is what its absence means, and every server supports it.
            message.header.batch_error_continuation_option =
                (continuation != BatchErrorContinuationOption::STOP).then_some(continuation);
        }
        message
    }

    fn seal(&self, mut items: Vec<RequestBatchItem>) -> RequestMessage {
        for item in &mut items {
            item.payload.in_form_of(self.version);
        }
        let mut message = RequestMessage::new(self.version, items);
        message.header.maximum_response_size = self.maximum_response_size;
        message.header.authentication.clone_from(&self.authentication);
        message
    }
}

/// An operation that was not done: the server answered, and said no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationFailed {
    /// The operation; `None` if the server could not read the request so far.
    pub operation: Option<Operation>,
    /// The object that the request named.
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Failed, pending, undone, or a number that no table has.
    pub status: ResultStatus,
    /// Why.
    pub failure: Failure,
    /// What to poll with, if the operation is pending.
    pub asynchronous_correlation_value: Option<Bytes>,
}

impl OperationFailed {
    /// Whether the object does not exist, as far as this client may know.
    pub fn is_not_found(&self) -> bool {
        self.failure.reason == ResultReason::ITEM_NOT_FOUND
    }

    /// Whether the client may not do this, or is not who it has to be.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.failure.reason,
            ResultReason::PERMISSION_DENIED | ResultReason::AUTHENTICATION_NOT_SUCCESSFUL
        )
    }
}

impl fmt::Display for OperationFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Some(operation) => {
                f.write_str(operation.row().map_or("an unnamed operation", |row| row.title()))?;
            }
            None => f.write_str("the request as a whole")?,
        }
        if let Some(uid) = &self.unique_identifier {
            write!(f, " of object {uid}")?;
        }
        match self.status {
            ResultStatus::OPERATION_FAILED => write!(f, " failed: {}", self.failure),
            ResultStatus::OPERATION_PENDING => f.write_str(" is pending, which was not asked for"),
            ResultStatus::OPERATION_UNDONE => f.write_str(" was undone: a later one failed"),
            status => write!(f, " has the unknown result status {status}"),
        }
    }
}

impl std::error::Error for OperationFailed {}

/// What came of one item: its payload, or why there is none. A success without a payload is
/// `Ok(None)`.
///
/// # Errors
/// The item is no success.
pub fn outcome(
    item: ResponseBatchItem,
    unique_identifier: Option<UniqueIdentifier>,
) -> Result<Option<ResponsePayload>, OperationFailed> {
    if item.result_status == ResultStatus::SUCCESS {
        return Ok(item.payload);
    }
    let reason = item.result_reason.unwrap_or(ResultReason::GENERAL_FAILURE);
    Err(OperationFailed {
        operation: item.operation,
        unique_identifier,
        status: item.result_status,
        failure: Failure { reason, message: item.result_message },
        asynchronous_correlation_value: item.asynchronous_correlation_value,
    })
}

/// The typed answer out of a payload; `None` if it is missing or another operation's.
pub fn typed<R: Request>(payload: Option<ResponsePayload>) -> Option<R::Response> {
    R::response(payload?).ok()
}

impl RequestPayload {
    /// The object that the request names.
    #[expect(clippy::too_many_lines, reason = "a table of the operations")]
    pub fn unique_identifier(&self) -> Option<&UniqueIdentifier> {
        match self {
            Self::Get(request) => request.unique_identifier.as_ref(),
            Self::GetAttributes(request) => request.unique_identifier.as_ref(),
            Self::GetAttributeList(request) => request.unique_identifier.as_ref(),
            Self::Activate(request) => request.unique_identifier.as_ref(),
            Self::Revoke(request) => request.unique_identifier.as_ref(),
            Self::Destroy(request) => request.unique_identifier.as_ref(),
            Self::ReKey(request) => request.unique_identifier.as_ref(),
            Self::Certify(request) => request.unique_identifier.as_ref(),
            Self::ReCertify(request) => request.unique_identifier.as_ref(),
            Self::Check(request) => request.unique_identifier.as_ref(),
            Self::AddAttribute(request) => request.unique_identifier.as_ref(),
            Self::ModifyAttribute(request) => request.unique_identifier.as_ref(),
            Self::DeleteAttribute(request) => request.unique_identifier.as_ref(),
            Self::ObtainLease(request) => request.unique_identifier.as_ref(),
            Self::GetUsageAllocation(request) => request.unique_identifier.as_ref(),
            Self::Archive(request) => request.unique_identifier.as_ref(),
            Self::Recover(request) => request.unique_identifier.as_ref(),
            Self::Encrypt(request) => request.unique_identifier.as_ref(),
            Self::Decrypt(request) => request.unique_identifier.as_ref(),
            Self::Sign(request) => request.unique_identifier.as_ref(),
            Self::SignatureVerify(request) => request.unique_identifier.as_ref(),
            Self::Mac(request) => request.unique_identifier.as_ref(),
            Self::MacVerify(request) => request.unique_identifier.as_ref(),
            Self::CreateSplitKey(request) => request.unique_identifier.as_ref(),
            Self::Export(request) => request.unique_identifier.as_ref(),
            Self::AdjustAttribute(request) => request.unique_identifier.as_ref(),
            Self::SetAttribute(request) => request.unique_identifier.as_ref(),
            Self::Notify(request) => Some(&request.unique_identifier),
            Self::Put(request) => Some(&request.unique_identifier),
            Self::Import(request) => Some(&request.unique_identifier),
            Self::Create(_)
            | Self::Register(_)
            | Self::Locate(_)
            | Self::Query(_)
            | Self::DiscoverVersions(_)
            | Self::CreateKeyPair(_)
            | Self::ReKeyKeyPair(_)
            | Self::DeriveKey(_)
            | Self::Validate(_)
            | Self::Cancel(_)
            | Self::Poll(_)
            | Self::RngRetrieve(_)
            | Self::RngSeed(_)
            | Self::Hash(_)
            | Self::JoinSplitKey(_)
            | Self::Log(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::SetEndpointRole(_)
            | Self::Pkcs11(_)
            | Self::Interop(_)
            | Self::Ping(_)
            | Self::DelegatedLogin(_)
            | Self::ReProvision(_)
            | Self::SetDefaults(_)
            | Self::SetConstraints(_)
            | Self::GetConstraints(_)
            | Self::QueryAsynchronousRequests(_)
            | Self::Process(_)
            | Self::Unknown(_)
            | Self::Faulty(_) => None,
        }
    }

    /// Whether doing the operation twice is the same as doing it once, because it only reads.
    pub const fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Get(_)
                | Self::GetAttributes(_)
                | Self::GetAttributeList(_)
                | Self::Locate(_)
                | Self::Query(_)
                | Self::DiscoverVersions(_)
                | Self::Check(_)
                | Self::Export(_)
                | Self::GetConstraints(_)
                | Self::Ping(_)
                | Self::QueryAsynchronousRequests(_)
                | Self::Validate(_)
        )
    }
}
