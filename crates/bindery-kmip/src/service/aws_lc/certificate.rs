//! What a certificate says of itself, as the Certificate Attributes of KMIP 2.x (section 4.6).

use x509_parser::{
    oid_registry::{
        OID_DOMAIN_COMPONENT, OID_PKCS9_EMAIL_ADDRESS, OID_USERID, OID_X509_COMMON_NAME,
        OID_X509_COUNTRY_NAME, OID_X509_DN_QUALIFIER, OID_X509_LOCALITY_NAME,
        OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT, OID_X509_SERIALNUMBER,
        OID_X509_STATE_OR_PROVINCE_NAME, OID_X509_TITLE, Oid,
    },
    parse_x509_certificate,
    x509::X509Name,
};

use crate::service::{CertificateFacts, CryptoError};

/// The most names that are taken over of one certificate.
const NAMES: usize = 64;

pub(super) fn facts(der: &[u8]) -> Result<CertificateFacts, CryptoError> {
    let (_, certificate) = parse_x509_certificate(der)
        .map_err(|_| CryptoError::refused("certificate", "it is no X.509 certificate"))?;
    let mut facts = CertificateFacts::default();
    names("Certificate Subject", certificate.subject(), &mut facts);
    names("Certificate Issuer", certificate.issuer(), &mut facts);
    Ok(facts)
}

fn names(of: &str, name: &X509Name<'_>, facts: &mut CertificateFacts) {
    for attribute in name.iter_attributes().take(NAMES) {
        if let (Some(kind), Ok(text)) = (kind(attribute.attr_type()), attribute.as_str()) {
            facts.names.push((format!("{of} {kind}"), text.to_owned()));
        }
    }
}

fn kind(oid: &Oid<'_>) -> Option<&'static str> {
    let kinds = [
        (OID_X509_COMMON_NAME, "CN"),
        (OID_X509_ORGANIZATION_NAME, "O"),
        (OID_X509_ORGANIZATIONAL_UNIT, "OU"),
        (OID_PKCS9_EMAIL_ADDRESS, "Email"),
        (OID_X509_COUNTRY_NAME, "C"),
        (OID_X509_STATE_OR_PROVINCE_NAME, "ST"),
        (OID_X509_LOCALITY_NAME, "L"),
        (OID_USERID, "UID"),
        (OID_X509_SERIALNUMBER, "Serial Number"),
        (OID_X509_TITLE, "Title"),
        (OID_DOMAIN_COMPONENT, "DC"),
        (OID_X509_DN_QUALIFIER, "DN Qualifier"),
    ];
    kinds.into_iter().find(|(known, _)| known == oid).map(|(_, kind)| kind)
}
