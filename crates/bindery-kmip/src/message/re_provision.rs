//! Re-Provision: operation 0x35 (KMIP 2.1, section 6.1.48).

use bindery_ttlv::{RawItem, Ttlv};
use bytes::Bytes;

use super::{Certificate, UniqueIdentifier};

/// New credentials for the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct ReProvisionRequest {
    /// The request for a certificate.
    #[ttlv(tag = CERTIFICATE_REQUEST)]
    pub certificate_request: Option<Bytes>,
    /// The certificate that takes the place of the one that it has.
    pub certificate: Option<Certificate>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// The credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct ReProvisionResponse {
    /// The certificate or private key.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
