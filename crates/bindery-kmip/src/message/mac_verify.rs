//! MAC Verify: operation 0x24 (KMIP 1.4, section 4.34; 2.1, section 6.1.33).

use bindery_ttlv::{RawItem, Ttlv, registry::ValidityIndicator};
use bytes::Bytes;

use super::{CryptographicParameters, UniqueIdentifier};
use crate::Secret;

/// A message authentication code that is to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct MacVerifyRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// How; the object's own parameters when absent.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The data.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
    /// The code.
    #[ttlv(tag = MAC_DATA)]
    pub mac_data: Option<Bytes>,
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

impl MacVerifyRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// Whether it is right.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct MacVerifyResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// What came of it.
    pub validity_indicator: Option<ValidityIndicator>,
    /// Which stream the next part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl MacVerifyResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            validity_indicator: None,
            correlation_value: None,
            unknown: Vec::new(),
        }
    }
}
