//! Hash: operation 0x27 (KMIP 1.4, section 4.37; 2.1, section 6.1.24).

use bindery_ttlv::{RawItem, Ttlv};
use bytes::Bytes;

use super::CryptographicParameters;
use crate::Secret;

/// Data of which a digest is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct HashRequest {
    /// The hashing algorithm.
    pub cryptographic_parameters: Box<CryptographicParameters>,
    /// The data.
    #[ttlv(tag = DATA)]
    pub data: Option<Secret>,
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

impl HashRequest {
    /// A request with the fields that it must have.
    pub fn new(cryptographic_parameters: CryptographicParameters) -> Self {
        Self {
            cryptographic_parameters: Box::new(cryptographic_parameters),
            data: None,
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
            unknown: Vec::new(),
        }
    }
}

/// The digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct HashResponse {
    /// The digest.
    #[ttlv(tag = DATA)]
    pub data: Option<Bytes>,
    /// Which stream the next part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
