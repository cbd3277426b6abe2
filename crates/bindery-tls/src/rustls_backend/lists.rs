//! Looking a verified chain up in revocation lists (RFC 5280, section 6.3.3).
//!
//! The chain check of rustls has a lookup of its own, which this is in place of: it verifies the
//! signature over the whole list for every certificate that it looks up, and takes the first list of
//! an issuer's name, whichever key signed it. Here a list's signature is checked once for each key.

use std::{
    collections::BTreeMap,
    fmt, iter,
    sync::{Mutex, PoisonError},
};

use bindery_core::Timestamp;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::UnixTime;
use webpki::{Cert, CertRevocationList, OwnedCertRevocationList, VerifiedPath, spki_for_anchor};
use x509_parser::{
    certificate::X509Certificate, extensions::ParsedExtension, prelude::FromDer as _,
};

use crate::{
    Crl, Crls, Found, Roots, TlsError,
    certificate::hex,
    pem::configuration,
    revocation::{Part, Signed, public_key, uris},
    roots::Root,
};

/// How many verdicts on signatures are kept. Only authorities of verified chains come to one.
const KEPT: usize = 1024;

/// Whether a list, by its index, is signed by a key.
type Verdicts = BTreeMap<(usize, Box<[u8]>), bool>;

/// Revocation lists, ready to be looked up.
pub(super) struct Lists {
    crls: Crls,
    /// The same lists in the same order, as the chain check reads them.
    read: Vec<CertRevocationList<'static>>,
    roots: Vec<Root>,
    algorithms: WebPkiSupportedAlgorithms,
    signed: Mutex<Verdicts>,
}

/// The issuer of a certificate in a chain.
struct Issuer<'a> {
    spki: Box<[u8]>,
    /// The Subject Key Identifier.
    key_id: Option<String>,
    /// Its certificate; none of a trust anchor.
    certificate: Option<X509Certificate<'a>>,
}

impl Lists {
    /// Reads the lists; `None` where there is none.
    ///
    /// # Errors
    /// A list of a kind that the chain check does not take, or one that is of a trusted authority's
    /// name and key, and not signed by it. The message names the file.
    pub(super) fn new(
        crls: &Crls,
        roots: &Roots,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Option<Self>, TlsError> {
        let read = readable(crls)?;
        if read.is_empty() {
            return Ok(None);
        }
        let (crls, roots, signed) = (crls.clone(), roots.read()?, Mutex::default());
        let lists = Self { crls, read, roots, algorithms, signed };
        lists.check_signatures()?;
        Ok(Some(lists))
    }

    /// Whether each list of a trusted authority is signed by it. Those of authorities below, which
    /// the other side shows, are checked when one is there.
    fn check_signatures(&self) -> Result<(), TlsError> {
        for (index, list) in self.crls.lists().enumerate() {
            let same = |root: &&Root| *list.issuer_der() == *root.subject_der;
            let mut named = self.roots.iter().filter(same).peekable();
            let other = |root: &Root| list.is_of_another_key(root.key_id.as_deref());
            if named.peek().is_none()
                || named.any(|root| other(root) || self.is_signed_by(index, list, &root.spki))
            {
                continue;
            }
            let message = format!(
                "{}: its signature (signatureValue) is not by the key of the trusted authority {}: it \
                 was damaged, or an authority of the same name signed it",
                list.origin, list.issuer
            );
            let hint = "fetch the list anew from the trusted authority (openssl crl -in FILE -CAfile \
                        AUTHORITY -noout checks it)";
            return Err(configuration(message, hint));
        }
        Ok(())
    }

    /// Looks up each certificate of a chain that stands.
    ///
    /// # Errors
    /// One is revoked, or cannot be looked up where that is asked for.
    pub(super) fn check(
        &self,
        path: &VerifiedPath<'_>,
        now: UnixTime,
        peer: &str,
    ) -> Result<(), TlsError> {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let now = Timestamp::from_unix_seconds(seconds);
        let leaf: &Cert<'_> = path.end_entity();
        let chain = iter::once(leaf).chain(path.intermediate_certificates());
        let issuers = path.intermediate_certificates().map(Some).chain([None]);
        let depth = if self.crls.leaf_only { 1 } else { usize::MAX };
        for (index, (certificate, issuer)) in chain.zip(issuers).take(depth).enumerate() {
            let der = issuer.map(Cert::der);
            let issuer = match &der {
                Some(der) => Issuer::read(der),
                None => Some(self.anchor(&spki_for_anchor(path.anchor()))),
            };
            let found = issuer
                .map_or(Found::Unknown, |issuer| self.find(certificate, index > 0, &issuer, now));
            self.crls.judge(found, peer)?;
        }
        Ok(())
    }

    fn anchor<'a>(&self, spki: &[u8]) -> Issuer<'a> {
        let root = self.roots.iter().find(|root| *root.spki == *spki);
        let key_id = root.and_then(|root| root.key_id.clone());
        Issuer { spki: spki.into(), key_id, certificate: None }
    }

    /// What the newest list of an issuer's key says. One that names the certificate counts also
    /// beyond its time.
    fn find(
        &self,
        certificate: &Cert<'_>,
        is_authority: bool,
        issuer: &Issuer<'_>,
        now: Timestamp,
    ) -> Found<'_> {
        let lists = self.crls.lists().zip(&self.read).enumerate();
        for (index, (list, read)) in lists {
            if read.issuer() != certificate.issuer()
                || list.is_of_another_key(issuer.key_id.as_deref())
                || !list.part.as_ref().is_none_or(|part| part.has(certificate, is_authority))
            {
                continue;
            }
            if !issuer.may_sign_lists() || !self.is_signed_by(index, list, &issuer.spki) {
                return Found::Unsigned(list);
            }
            return match read.find_serial(certificate.serial()) {
                Ok(None) if list.has_run_out(now) => Found::Expired(list),
                Ok(None) => Found::Good,
                // What cannot be read of a list may be what names the certificate.
                Ok(Some(_)) | Err(_) => Found::Revoked,
            };
        }
        Found::Unknown
    }

    /// Whether a key signed a list.
    fn is_signed_by(&self, index: usize, list: &Crl, spki: &[u8]) -> bool {
        let place = (index, Box::from(spki));
        let known = self.signed.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
        if let Some(known) = known {
            return known;
        }
        let signed = self.verify(list, spki).unwrap_or(false);
        let mut kept = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.insert(place, signed);
        }
        signed
    }

    fn verify(&self, list: &Crl, spki: &[u8]) -> Option<bool> {
        let signed = Signed::read(&list.der)?;
        let (key_algorithm, key) = public_key(spki)?;
        let mut fitting = self.algorithms.all.iter().filter(|one| {
            one.signature_alg_id().as_ref() == signed.algorithm
                && one.public_key_alg_id().as_ref() == key_algorithm
        });
        Some(fitting.any(|one| one.verify_signature(key, signed.octets, signed.signature).is_ok()))
    }
}

impl<'a> Issuer<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let key_id = certificate.iter_extensions().find_map(|one| match one.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(hex(id.0)),
            _ => None,
        });
        let spki = certificate.public_key().raw.into();
        Some(Self { spki, key_id, certificate: Some(certificate) })
    }

    /// Whether its Key Usage, where there is one, has cRLSign (RFC 5280, section 6.3.3, f).
    fn may_sign_lists(&self) -> bool {
        let Some(certificate) = &self.certificate else { return true };
        match certificate.key_usage() {
            Ok(usage) => usage.is_none_or(|usage| usage.value.crl_sign()),
            Err(_) => false,
        }
    }
}

impl Part {
    /// Whether a certificate of its authority is in this part (RFC 5280, section 6.3.3, b): by what it
    /// is, and where it says in which list to look, by that list's URI.
    fn has(&self, certificate: &Cert<'_>, is_authority: bool) -> bool {
        if self.authorities_only && !is_authority || self.users_only && is_authority {
            return false;
        }
        let der = certificate.der();
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else { return false };
        let points = certificate.iter_extensions().find_map(|one| match one.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(points) => Some(points),
            _ => None,
        });
        let Some(points) = points else { return true };
        let whole = points.iter().filter(|p| p.crl_issuer.is_none() && p.reasons.is_none());
        let mut named = whole.flat_map(|point| uris(point.distribution_point.as_ref()));
        named.any(|uri| self.uris.contains(&uri))
    }
}

/// The lists as the chain check reads them, which takes fewer kinds than there are.
///
/// # Errors
/// A list that it does not take; the message names it.
pub(super) fn readable(crls: &Crls) -> Result<Vec<CertRevocationList<'static>>, TlsError> {
    let lists = crls.lists().map(|list| {
        OwnedCertRevocationList::from_der(&list.der).map(Into::into).map_err(|error| {
            let message =
                format!("{}: a revocation list of a kind that is not read: {error}", list.origin);
            let hint = "ask the authority for a complete list of version 2 with its next update \
                        (RFC 5280, 5.1), no delta";
            configuration(message, hint).with_source(error)
        })
    });
    lists.collect()
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lists").field("crls", &self.crls).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "aws-lc-rs", feature = "pki"))]
mod tests;
