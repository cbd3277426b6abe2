//! Revoke: operation 0x13 (KMIP 1.4, section 4.20).

use bindery_ttlv::{DateTime, RawItem, Ttlv};

use super::{RevocationReason, UniqueIdentifier};

/// Which object is revoked, and why.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct RevokeRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The reason.
    pub revocation_reason: RevocationReason,
    /// Since when the object is compromised; only with a reason that says it is.
    #[ttlv(tag = COMPROMISE_OCCURRENCE_DATE)]
    pub compromise_occurrence_date: Option<DateTime>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RevokeRequest {
    /// A request from the object and the reason.
    pub fn new(
        unique_identifier: impl Into<UniqueIdentifier>,
        revocation_reason: RevocationReason,
    ) -> Self {
        Self {
            unique_identifier: Some(unique_identifier.into()),
            revocation_reason,
            compromise_occurrence_date: None,
            unknown: Vec::new(),
        }
    }
}

/// The object that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct RevokeResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RevokeResponse {
    /// A response for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: unique_identifier.into(), unknown: Vec::new() }
    }
}
