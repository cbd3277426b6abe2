//! Typed messages: one set of types for KMIP 1.0 to 1.4.
//!
//! A message that is decoded and encoded again comes out octet by octet as it was: fields that no
//! type names, attributes and operations that have no type here, and numbers that no table has are
//! kept where they stood. Text and octets are slices of the message's one [`Bytes`]; only key
//! material, secret data, opaque data and passwords are copied, into memory that is wiped.
//!
//! The types do not judge: a field that is younger than the message's version, a payload for the
//! wrong object, a batch count that lies are for the service to find.

mod activate;
mod attribute;
mod batch;
mod create;
mod credential;
mod destroy;
mod discover_versions;
mod failure;
mod get;
mod get_attribute_list;
mod get_attributes;
mod header;
mod locate;
mod object;
mod payload;
mod query;
mod register;
mod revoke;

use bindery_ttlv::{
    DateTime, EncodeError, Error, Options, ProtocolVersion, RawItem, Ttlv, decode, encode_within,
};
use bytes::Bytes;

pub use activate::{ActivateRequest, ActivateResponse};
pub use attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeValue,
    CryptographicDomainParameters, CryptographicParameters, Digest, KeyValueLocation, Link, Name,
    RevocationReason, TemplateAttribute, UsageLimits,
};
pub use batch::{MessageExtension, RequestBatchItem, ResponseBatchItem};
pub use create::{CreateRequest, CreateResponse};
pub use credential::{
    Authentication, Credential, CredentialValue, Device, Password, UsernameAndPassword,
};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use failure::Failure;
pub use get::{GetRequest, GetResponse};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use header::{Nonce, RequestHeader, ResponseHeader};
pub use locate::{LocateRequest, LocateResponse};
pub use object::{
    Certificate, EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
    KeyWrappingSpecification, MacSignatureKeyInformation, ManagedObject, OpaqueDataType,
    OpaqueObject, PgpKey, PlainKeyValue, PrivateKey, PublicKey, SecretData, SplitKey, SymmetricKey,
    Template, TransparentField, TransparentKey, TransparentValue,
};
pub use payload::{FaultyPayload, Request, RequestPayload, ResponsePayload, UnknownPayload};
pub use query::{ExtensionInformation, QueryRequest, QueryResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};

/// A Request Message (KMIP 1.4, section 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_MESSAGE)]
#[non_exhaustive]
pub struct RequestMessage {
    /// What holds for the whole message.
    pub header: RequestHeader,
    /// The operations; the header says how many there should be.
    pub batch_items: Vec<RequestBatchItem>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RequestMessage {
    /// A message of these operations. In a batch of several, items without an identifier get one:
    /// their place in it, from 1 on, in decimal.
    pub fn new(version: ProtocolVersion, mut batch_items: Vec<RequestBatchItem>) -> Self {
        if batch_items.len() > 1 {
            for (place, item) in (1..).zip(&mut batch_items) {
                item.unique_batch_item_id
                    .get_or_insert_with(|| Bytes::from(i32::to_string(&place)));
            }
        }
        let header = RequestHeader::new(version, count(&batch_items));
        Self { header, batch_items, unknown: Vec::new() }
    }

    /// Reads a message; it is all that `octets` hold.
    ///
    /// # Errors
    /// They are malformed, pass a limit, or are no Request Message. A payload that only its own
    /// operation does not like is no error here: see [`RequestPayload::Faulty`].
    pub fn decode(octets: &Bytes, options: &Options) -> Result<Self, Error> {
        let mut message: Self = decode(octets, options)?;
        for item in &mut message.batch_items {
            if let RequestPayload::Faulty(faulty) = &mut item.payload {
                faulty.error = faulty.error.clone().locate(octets);
            }
        }
        Ok(message)
    }

    /// Writes the message.
    ///
    /// # Errors
    /// It is longer than TTLV can say, 4 GiB.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        bindery_ttlv::to_bytes(self)
    }
}

/// A Response Message (KMIP 1.4, section 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_MESSAGE)]
#[non_exhaustive]
pub struct ResponseMessage {
    /// What holds for the whole message.
    pub header: ResponseHeader,
    /// The answers; the header says how many there should be.
    pub batch_items: Vec<ResponseBatchItem>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ResponseMessage {
    /// A message of these answers.
    pub fn new(
        version: ProtocolVersion,
        time_stamp: DateTime,
        batch_items: Vec<ResponseBatchItem>,
    ) -> Self {
        let header = ResponseHeader::new(version, time_stamp, count(&batch_items));
        Self { header, batch_items, unknown: Vec::new() }
    }

    /// The answer to a message that cannot be served at all: one item without an Operation (KMIP
    /// 1.4, section 11.1).
    pub fn failed(version: ProtocolVersion, time_stamp: DateTime, failure: Failure) -> Self {
        Self::new(version, time_stamp, vec![ResponseBatchItem::failed(None, None, failure)])
    }

    /// Reads a message; it is all that `octets` hold.
    ///
    /// # Errors
    /// They are malformed, pass a limit, or are no Response Message.
    pub fn decode(octets: &Bytes, options: &Options) -> Result<Self, Error> {
        decode(octets, options)
    }

    /// Writes the message.
    ///
    /// # Errors
    /// It is longer than TTLV can say, 4 GiB.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        bindery_ttlv::to_bytes(self)
    }

    /// Writes the message if it has at most `maximum` octets (Maximum Response Size).
    ///
    /// # Errors
    /// It is longer.
    pub fn encode_within(&self, maximum: u32) -> Result<Bytes, EncodeError> {
        let mut buffer = Vec::with_capacity(512);
        encode_within(self, &mut buffer, maximum)?;
        Ok(Bytes::from(buffer))
    }
}

/// A Batch Count; no message that TTLV can carry has more items than it can say.
fn count<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}
