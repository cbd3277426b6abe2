//! Looking a verified chain up in revocation lists (RFC 5280, section 6.3), with the settings that
//! the other backend has.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bindery_core::Timestamp;
use bindery_tls::{Crl, Crls, Found, Roots, TlsError, TlsErrorKind};
use openssl::{
    asn1::{Asn1OctetStringRef, Asn1Time},
    error::ErrorStack,
    stack::StackRef,
    x509::{CrlStatus, X509, X509Crl, X509Ref},
};

/// How many verdicts on signatures are kept. Only authorities of verified chains come to one.
const KEPT: usize = 1024;

/// Whether a list, by its index, is signed by a key.
type Verdicts = BTreeMap<(usize, Box<[u8]>), bool>;

/// Revocation lists, read.
pub(crate) struct Lists {
    crls: Crls,
    /// The same lists in the same order.
    read: Vec<X509Crl>,
    /// OpenSSL would hash a long list for everybody who is looked up in it.
    signed: Mutex<Verdicts>,
}

impl Lists {
    pub(crate) fn new(crls: &Crls) -> Result<Self, TlsError> {
        // What such a list leaves out would be taken for what its authority has not taken back.
        if let Some((origin, extension)) = crls.limited() {
            let message = format!(
                "{origin}: it is not of everything that its authority took back (critical extension \
                 {extension}), and the backend on OpenSSL cannot look up by parts"
            );
            let hint = "fetch the authority's complete list";
            return Err(TlsError::new(TlsErrorKind::Configuration, message, hint));
        }
        let mut read = Vec::new();
        for list in crls.lists() {
            read.push(X509Crl::from_der(&list.der).map_err(|error| {
                let message = format!("{}: OpenSSL cannot read it: {error}", list.origin);
                let hint = "ask the authority for a new one";
                TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
            })?);
        }
        Ok(Self { crls: crls.clone(), read, signed: Mutex::default() })
    }

    /// Whether each list of a trusted authority is signed by it, as in the other backend.
    pub(crate) fn check_signatures(&self, roots: &Roots) -> Result<(), TlsError> {
        let roots = roots.certificates().iter().map(|der| X509::from_der(der));
        let roots = roots.collect::<Result<Vec<_>, _>>();
        let roots = roots.map_err(|error| unusable(&error))?;
        for (index, list) in self.crls.lists().enumerate() {
            let mut named = false;
            let mut good = false;
            for root in &roots {
                if root.subject_name().to_der().map_err(|e| unusable(&e))? != list.issuer_der() {
                    continue;
                }
                named = true;
                good |= list.is_of_another_key(key_id(root).as_deref())
                    || self.is_signed_by(index, root).map_err(|error| unusable(&error))?;
            }
            if named && !good {
                let message = format!(
                    "{}: its signature (signatureValue) is not by the key of the trusted authority {}: \
                     it was damaged, or an authority of the same name signed it",
                    list.origin, list.issuer
                );
                let hint = "fetch the list anew from the trusted authority (openssl crl -in FILE \
                            -CAfile AUTHORITY -noout checks it)";
                return Err(TlsError::new(TlsErrorKind::Configuration, message, hint));
            }
        }
        Ok(())
    }

    /// Looks up each certificate of a chain, leaf first, by its issuer's list; the root has none.
    pub(crate) fn check(&self, chain: &StackRef<X509>, peer: &str) -> Result<(), TlsError> {
        if self.read.is_empty() {
            return Ok(());
        }
        let depth = if self.crls.leaf_only { 1 } else { usize::MAX };
        let pairs = chain.iter().zip(chain.iter().skip(1));
        for (certificate, issuer) in pairs.take(depth) {
            let found = self.find(certificate, issuer).map_err(|error| {
                let message = format!("the {peer}'s certificate could not be looked up: {error}");
                TlsError::new(TlsErrorKind::RevocationUnknown, message, "report this as a defect")
            })?;
            self.crls.judge(found, peer)?;
        }
        Ok(())
    }

    /// What the newest list of the issuer's key says. One that names the certificate counts also beyond
    /// its time.
    fn find(&self, certificate: &X509Ref, issuer: &X509Ref) -> Result<Found<'_>, ErrorStack> {
        let (name, key_id) = (certificate.issuer_name().to_der()?, key_id(issuer));
        for (index, (list, read)) in self.crls.lists().zip(&self.read).enumerate() {
            if list.issuer_der() != name || list.is_of_another_key(key_id.as_deref()) {
                continue;
            }
            if !self.is_signed_by(index, issuer)? {
                return Ok(Found::Unsigned(list));
            }
            let found = read.get_by_serial(certificate.serial_number());
            // Only a delta takes something out again, and deltas are refused.
            if matches!(found, CrlStatus::Revoked(_) | CrlStatus::RemoveFromCrl(_)) {
                return Ok(Found::Revoked);
            }
            return Ok(if has_run_out(list)? { Found::Expired(list) } else { Found::Good });
        }
        Ok(Found::Unknown)
    }

    fn is_signed_by(&self, index: usize, issuer: &X509Ref) -> Result<bool, ErrorStack> {
        let key = issuer.public_key()?;
        let place = (index, key.public_key_to_der()?.into());
        let known = self.signed.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let Some(list) = self.read.get(index) else { return Ok(false) };
        // A key of another kind than the signature's is an error there.
        let signed = list.verify(&key).unwrap_or(false);
        let mut kept = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.insert(place, signed);
        }
        Ok(signed)
    }
}

fn unusable(error: &ErrorStack) -> TlsError {
    let message = format!("OpenSSL cannot read the authorities: {error}");
    TlsError::new(TlsErrorKind::Configuration, message, "name PEM files of certificates")
}

/// The Subject Key Identifier, in lower-case hexadecimal digits.
fn key_id(certificate: &X509Ref) -> Option<String> {
    let octets = certificate.subject_key_id().map(Asn1OctetStringRef::as_slice)?;
    Some(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn has_run_out(list: &Crl) -> Result<bool, ErrorStack> {
    Ok(list.has_run_out(now()?))
}

/// The time, by OpenSSL's clock.
pub(crate) fn now() -> Result<Timestamp, ErrorStack> {
    let now = Asn1Time::days_from_now(0)?;
    let since = Asn1Time::from_unix(0)?.diff(&now)?;
    Ok(Timestamp::from_unix_seconds(i64::from(since.days) * 86_400 + i64::from(since.secs)))
}
