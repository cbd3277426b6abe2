//! Encrypt: operation 0x1F (KMIP 1.4, section 4.29; 2.1, section 6.1.17).

use bindery_ttlv::{RawItem, Ttlv};
use bytes::Bytes;

use super::{CryptographicParameters, UniqueIdentifier};
use crate::Secret;

/// Data that is to be encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct EncryptRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How; the object's own parameters when absent.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The data.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
    /// The initialisation vector, counter or nonce.
    #[ttlv(tag = IV_COUNTER_NONCE)]
    pub iv_counter_nonce: Option<Bytes>,
    /// Which stream the part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Whether this is the first part of a stream (1.3).
    #[ttlv(tag = INIT_INDICATOR)]
    pub init_indicator: Option<bool>,
    /// Whether this is the last part of a stream (1.3).
    #[ttlv(tag = FINAL_INDICATOR)]
    pub final_indicator: Option<bool>,
    /// What is authenticated beside the data (1.4).
    #[ttlv(tag = AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA)]
    pub authenticated_encryption_additional_data: Option<Bytes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl EncryptRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The encrypted data.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct EncryptResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The encrypted data.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
    /// The vector, counter or nonce that the server chose.
    #[ttlv(tag = IV_COUNTER_NONCE)]
    pub iv_counter_nonce: Option<Bytes>,
    /// Which stream the next part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// The tag of authenticated encryption (1.4).
    #[ttlv(tag = AUTHENTICATED_ENCRYPTION_TAG)]
    pub authenticated_encryption_tag: Option<Bytes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl EncryptResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            data: None,
            iv_counter_nonce: None,
            correlation_value: None,
            authenticated_encryption_tag: None,
            unknown: Vec::new(),
        }
    }
}
