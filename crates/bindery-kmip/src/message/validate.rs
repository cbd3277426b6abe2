//! Validate: operation 0x17 (KMIP 1.4, section 4.24; 2.1, section 6.1.57).

use bindery_ttlv::{DateTime, RawItem, Ttlv, registry::ValidityIndicator};

use super::{Certificate, UniqueIdentifier};

/// A certificate chain that is to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ValidateRequest {
    /// Certificates that the server does not have.
    #[ttlv(tag = CERTIFICATE)]
    pub certificates: Vec<Certificate>,
    /// Certificates that it has.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// When it has to be valid; now when absent.
    #[ttlv(tag = VALIDITY_DATE)]
    pub validity_date: Option<DateTime>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Whether the chain is valid.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ValidateResponse {
    /// What came of it.
    pub validity_indicator: ValidityIndicator,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ValidateResponse {
    /// A response with the fields that it must have.
    pub const fn new(validity_indicator: ValidityIndicator) -> Self {
        Self { validity_indicator, unknown: Vec::new() }
    }
}
