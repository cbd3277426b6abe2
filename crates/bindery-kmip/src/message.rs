//! Typed messages: one set of types for KMIP 1.0 to 2.1.
//!
//! A message that is decoded and encoded again comes out octet by octet as it was: fields that no
//! type names, attributes and operations that have no type here, and numbers that no table has are
//! kept where they stood. Text and octets are slices of the message's one [`Bytes`]; only key
//! material, secret data, opaque data and passwords are copied, into memory that is wiped.
//!
//! What 2.x writes otherwise has a field or a variant of its own beside the form of 1.x, and the same
//! model: an [`Attribute`] is one whether it stood in a Template-Attribute, on its own or in
//! [`Attributes`], and a [`UniqueIdentifier`] may be a text, an enumeration or a number.
//!
//! Which fields, tags and values each version has is data (`registry/` of bindery-ttlv). Reading strictly
//! refuses what the message's version does not have, in a request only the item at fault; the tolerance
//! `other_versions` lets it pass. Beyond that the types do not judge: a payload for the wrong object, a
//! batch count that lies are for the service to find.

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod attribute;
mod batch;
mod cancel;
mod certify;
mod check;
mod create;
mod create_key_pair;
mod create_split_key;
mod credential;
mod decrypt;
mod delegated_login;
mod delete_attribute;
mod derive_key;
mod destroy;
mod discover_versions;
mod encrypt;
mod export;
mod failure;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_constraints;
mod get_usage_allocation;
mod hash;
mod header;
mod import;
mod interop;
mod join_split_key;
mod locate;
mod log;
mod login;
mod logout;
mod mac;
mod mac_verify;
mod modify_attribute;
mod notify;
mod object;
mod obtain_lease;
mod parameters;
mod payload;
mod ping;
mod pkcs_11;
mod poll;
mod process;
mod put;
mod query;
mod query_asynchronous_requests;
mod re_provision;
mod recertify;
mod recover;
mod register;
mod rekey;
mod rekey_key_pair;
mod revoke;
mod rng_retrieve;
mod rng_seed;
mod set_attribute;
mod set_constraints;
mod set_defaults;
mod set_endpoint_role;
mod sign;
mod signature_verify;
mod unique_identifier;
mod validate;
pub(crate) mod versions;

use bindery_ttlv::{
    DateTime, EncodeError, Error, Options, ProtocolVersion, RawItem, Ttlv, decode, encode_within,
};
use bytes::Bytes;

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use adjust_attribute::{AdjustAttributeRequest, AdjustAttributeResponse};
pub use archive::{ArchiveRequest, ArchiveResponse};
pub use attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeReference, AttributeValue,
    Attributes, CommonAttributes, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, ObjectAttributes, PrivateKeyAttributes, PublicKeyAttributes,
    RevocationReason, TemplateAttribute, UsageLimits, VendorAttribute, VendorAttributeReference,
};
pub use batch::{MessageExtension, RequestBatchItem, ResponseBatchItem};
pub use cancel::{CancelRequest, CancelResponse};
pub use certify::{CertifyRequest, CertifyResponse};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use create_key_pair::{CreateKeyPairRequest, CreateKeyPairResponse};
pub use create_split_key::{CreateSplitKeyRequest, CreateSplitKeyResponse};
pub use credential::{
    Authentication, Credential, CredentialValue, Device, Password, UsernameAndPassword,
};
pub use decrypt::{DecryptRequest, DecryptResponse};
pub use delegated_login::{DelegatedLoginRequest, DelegatedLoginResponse};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use derive_key::{DeriveKeyRequest, DeriveKeyResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use encrypt::{EncryptRequest, EncryptResponse};
pub use export::{ExportRequest, ExportResponse};
pub use failure::Failure;
pub use get::{GetRequest, GetResponse};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use get_constraints::{GetConstraintsRequest, GetConstraintsResponse};
pub use get_usage_allocation::{GetUsageAllocationRequest, GetUsageAllocationResponse};
pub use hash::{HashRequest, HashResponse};
pub use header::{AsynchronousMode, Nonce, RequestHeader, ResponseHeader};
pub use import::{ImportRequest, ImportResponse};
pub use interop::{InteropRequest, InteropResponse};
pub use join_split_key::{JoinSplitKeyRequest, JoinSplitKeyResponse};
pub use locate::{LocateRequest, LocateResponse};
pub use log::{LogRequest, LogResponse};
pub use login::{LoginRequest, LoginResponse};
pub use logout::{LogoutRequest, LogoutResponse};
pub use mac::{MacRequest, MacResponse};
pub use mac_verify::{MacVerifyRequest, MacVerifyResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use notify::{NotifyRequest, NotifyResponse};
pub use object::{
    Certificate, EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
    KeyWrappingSpecification, MacSignatureKeyInformation, ManagedObject, OpaqueDataType,
    OpaqueObject, PgpKey, PlainKeyValue, PrivateKey, PublicKey, SecretData, SplitKey, SymmetricKey,
    Template, TransparentField, TransparentKey, TransparentValue,
};
pub use obtain_lease::{ObtainLeaseRequest, ObtainLeaseResponse};
pub use parameters::{
    AsynchronousCorrelationValues, AsynchronousRequest, Constraints, DefaultsInformation,
    DerivationParameters, Operations, ProtectionStorageMasks, Rights, Ticket,
};
pub use payload::{FaultyPayload, Request, RequestPayload, ResponsePayload, UnknownPayload};
pub use ping::{PingRequest, PingResponse};
pub use pkcs_11::{Pkcs11Request, Pkcs11Response};
pub use poll::{PollRequest, PollResponse};
pub use process::{ProcessRequest, ProcessResponse};
pub use put::{PutRequest, PutResponse};
pub use query::{ExtensionInformation, QueryRequest, QueryResponse};
pub use query_asynchronous_requests::{
    QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse,
};
pub use re_provision::{ReProvisionRequest, ReProvisionResponse};
pub use recertify::{ReCertifyRequest, ReCertifyResponse};
pub use recover::{RecoverRequest, RecoverResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use rekey::{ReKeyRequest, ReKeyResponse};
pub use rekey_key_pair::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
pub use revoke::{RevokeRequest, RevokeResponse};
pub use rng_retrieve::{RngRetrieveRequest, RngRetrieveResponse};
pub use rng_seed::{RngSeedRequest, RngSeedResponse};
pub use set_attribute::{SetAttributeRequest, SetAttributeResponse};
pub use set_constraints::{SetConstraintsRequest, SetConstraintsResponse};
pub use set_defaults::{SetDefaultsRequest, SetDefaultsResponse};
pub use set_endpoint_role::{SetEndpointRoleRequest, SetEndpointRoleResponse};
pub use sign::{SignRequest, SignResponse};
pub use signature_verify::{SignatureVerifyRequest, SignatureVerifyResponse};
pub use unique_identifier::UniqueIdentifier;
pub use validate::{ValidateRequest, ValidateResponse};

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
    /// They are malformed, pass a limit, or are no Request Message; or the header has what the
    /// message's version does not (unless the tolerance `other_versions` is on). A payload that only
    /// its own operation or the version does not like is no error here: see
    /// [`RequestPayload::Faulty`].
    pub fn decode(octets: &Bytes, options: &Options) -> Result<Self, Error> {
        let mut message: Self = decode(octets, options)?;
        if !options.tolerance.other_versions {
            versions::mark(&mut message, octets, options)?;
        }
        let payloads = message.batch_items.iter_mut().map(|item| &mut item.payload);
        let faulty = payloads.filter_map(|payload| match payload {
            RequestPayload::Faulty(faulty) => Some(faulty),
            _ => None,
        });
        for faulty in faulty.take(versions::LOCATED) {
            faulty.error = faulty.error.clone().locate(octets);
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
    /// They are malformed, pass a limit, or are no Response Message; or they have what the
    /// message's version does not (unless the tolerance `other_versions` is on).
    pub fn decode(octets: &Bytes, options: &Options) -> Result<Self, Error> {
        let message: Self = decode(octets, options)?;
        if !options.tolerance.other_versions {
            versions::check_response(octets, message.header.protocol_version, options)?;
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
