//! Signature Verify: operation 0x22 (KMIP 1.4, section 4.32; 2.1, section 6.1.56).

use bindery_ttlv::{RawItem, Ttlv, registry::ValidityIndicator};
use bytes::Bytes;

use super::{CryptographicParameters, UniqueIdentifier};
use crate::Secret;

/// A signature that is to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct SignatureVerifyRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How; the object's own parameters when absent.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The data.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
    /// Its digest, in place of the data (1.4).
    #[ttlv(tag = DIGESTED_DATA)]
    pub digested_data: Option<Bytes>,
    /// The signature.
    #[ttlv(tag = SIGNATURE_DATA)]
    pub signature_data: Option<Bytes>,
    /// Which stream the part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Whether this is the first part of a stream (1.3).
    #[ttlv(tag = INIT_INDICATOR)]
    pub init_indicator: Option<bool>,
    /// Whether this is the last part of a stream (1.3).
    #[ttlv(tag = FINAL_INDICATOR)]
    pub final_indicator: Option<bool>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SignatureVerifyRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// Whether it is right.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct SignatureVerifyResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// What came of it.
    pub validity_indicator: Option<ValidityIndicator>,
    /// The data, where the signature holds it.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
    /// Which stream the next part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SignatureVerifyResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            validity_indicator: None,
            data: None,
            correlation_value: None,
            unknown: Vec::new(),
        }
    }
}
