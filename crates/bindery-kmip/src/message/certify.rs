//! Certify: operation 0x06 (KMIP 1.4, section 4.7; 2.1, section 6.1.6).

use bindery_ttlv::{RawItem, Ttlv, registry::CertificateRequestType};
use bytes::Bytes;

use super::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute, UniqueIdentifier};

/// A certificate that is to be issued for a public key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct CertifyRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The form of the request.
    pub certificate_request_type: Option<CertificateRequestType>,
    /// The request, encoded (1.x).
    #[ttlv(tag = CERTIFICATE_REQUEST)]
    pub certificate_request: Option<Bytes>,
    /// The request, encoded (2.x).
    #[ttlv(tag = CERTIFICATE_REQUEST_VALUE)]
    pub certificate_request_value: Option<Bytes>,
    /// The attributes of the new object.
    #[ttlv(choice)]
    pub attributes: Option<ObjectAttributes>,
    /// How it may be stored (2.0).
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CertifyRequest {
    /// A request for an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

/// The certificate.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct CertifyResponse {
    /// What the new object is called.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// Attributes that the server set without being asked (1.x).
    pub template_attribute: Option<TemplateAttribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl CertifyResponse {
    /// A response with the fields that it must have.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            template_attribute: None,
            unknown: Vec::new(),
        }
    }
}
