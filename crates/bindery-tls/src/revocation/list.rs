//! One revocation list, read.

use std::sync::Arc;

use bindery_core::Timestamp;
use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::{
    asn1_rs::Any,
    extensions::{DistributionPointName, GeneralName, ParsedExtension},
    prelude::FromDer as _,
    revocation_list::CertificateRevocationList,
};

use crate::{
    TlsError,
    certificate::{hex, rfc3339, rfc4514},
    pem::configuration,
};

/// A revocation list: what it says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Crl {
    /// The list in DER.
    pub der: CertificateRevocationListDer<'static>,
    /// Where it came from, for messages: `revocation list file ca.crl`.
    pub origin: Arc<str>,
    /// The issuer, as RFC 4514 writes it: for people. Names are compared in DER.
    pub issuer: String,
    /// The Authority Key Identifier, in hexadecimal digits.
    pub key_id: Option<String>,
    /// When the next list is promised (Next Update).
    pub next_update: Option<Timestamp>,
    pub(super) this_update: Timestamp,
    /// The issuer in DER, its tag and length included.
    pub(super) issuer_der: Box<[u8]>,
    /// The CRL number, big endian and without leading zeros; empty without one.
    pub(super) number: Vec<u8>,
    /// The identifier of a critical extension, which says that the list is not of everything that its
    /// authority took back (RFC 5280, section 5.2): changes only, others' certificates, a part.
    pub(super) limited: Option<String>,
    /// Of which part of its authority's certificates it is, where it says so.
    pub(crate) part: Option<Part>,
}

/// A part of an authority's certificates (Issuing Distribution Point; RFC 5280, section 5.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) users_only: bool,
    pub(crate) authorities_only: bool,
    pub(crate) uris: Vec<String>,
}

impl Crl {
    pub(super) fn read(
        der: CertificateRevocationListDer<'static>,
        origin: &str,
    ) -> Result<Self, TlsError> {
        let unreadable = |reason: String| {
            let message = format!("{origin}: not a revocation list that can be read: {reason}");
            configuration(message, "ask the authority for a new one")
        };
        let (rest, list) =
            CertificateRevocationList::from_der(&der).map_err(|e| unreadable(e.to_string()))?;
        if !rest.is_empty() {
            return Err(unreadable(format!("{} octets after its end", rest.len())));
        }
        let issuer = rfc4514(list.issuer()).map_err(unreadable)?;
        let issuer_der = list.issuer().as_raw().into();
        let (mut key_id, mut part) = (None, None);
        for extension in list.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    key_id = id.key_identifier.as_ref().map(|id| hex(id.0));
                }
                ParsedExtension::IssuingDistributionPoint(point) => {
                    part = Some(Part {
                        users_only: point.only_contains_user_certs,
                        authorities_only: point.only_contains_ca_certs,
                        uris: uris(point.distribution_point.as_ref()),
                    });
                }
                _ => {}
            }
        }
        let limited = list.extensions().iter().find(|one| one.critical);
        let limited = limited.map(|one| one.oid.to_id_string());
        let this_update = Timestamp::from_unix_seconds(list.last_update().timestamp());
        let number = list.crl_number().map(|number| number.to_bytes_be()).unwrap_or_default();
        let next_update = list.next_update();
        let next_update = next_update.map(|t| Timestamp::from_unix_seconds(t.timestamp()));
        let origin = origin.into();
        drop(list);
        Ok(Self {
            der,
            origin,
            issuer,
            key_id,
            next_update,
            this_update,
            issuer_der,
            number,
            limited,
            part,
        })
    }

    /// The issuer in DER, its tag and length included.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// Whether the list says that another key than this one signed it. Where one of the two says
    /// nothing, it may be.
    pub fn is_of_another_key(&self, key_id: Option<&str>) -> bool {
        matches!((self.key_id.as_deref(), key_id), (Some(one), Some(other)) if one != other)
    }

    /// Whether the next list was promised for this moment or before. One that promises none is never
    /// in date: RFC 5280, section 5.1.2.5, demands the promise.
    pub fn has_run_out(&self, now: Timestamp) -> bool {
        self.next_update.is_none_or(|next| now >= next)
    }

    /// When it ran out, for messages.
    pub(super) fn next(&self) -> String {
        match self.next_update {
            Some(next) => format!("ran out at {} (Next Update)", rfc3339(next)),
            None => "promises no next list (Next Update is missing)".to_owned(),
        }
    }
}

/// The URIs of a distribution point.
pub(crate) fn uris(name: Option<&DistributionPointName<'_>>) -> Vec<String> {
    let Some(DistributionPointName::FullName(names)) = name else { return Vec::new() };
    let uris = names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    uris.collect()
}

/// The pieces of something signed (RFC 5280, sections 4.1.1 and 5.1.1).
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    /// What is signed.
    pub(crate) octets: &'a [u8],
    /// By which algorithm: the content of its AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let (_, whole) = Any::from_der(der).ok()?;
        let (rest, _) = Any::from_der(whole.data).ok()?;
        let octets = whole.data.get(..whole.data.len().checked_sub(rest.len())?)?;
        let (rest, algorithm) = Any::from_der(rest).ok()?;
        let (_, signature) = Any::from_der(rest).ok()?;
        Some(Self { octets, algorithm: algorithm.data, signature: whole_octets(signature.data)? })
    }
}

/// The pieces of a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7): the content of its algorithm,
/// and the key.
pub(crate) fn public_key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, whole) = Any::from_der(spki).ok()?;
    let (rest, algorithm) = Any::from_der(whole.data).ok()?;
    let (_, key) = Any::from_der(rest).ok()?;
    Some((algorithm.data, whole_octets(key.data)?))
}

/// The content of a BIT STRING of whole octets.
fn whole_octets(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, octets @ ..] => Some(octets),
        _ => None,
    }
}
