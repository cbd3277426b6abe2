//! Looking a verified chain up in revocation lists (RFC 5280, section 6.3), with the settings that
//! the other backend has.

use bindery_tls::{Crls, TlsError, TlsErrorKind};
use openssl::{
    asn1::Asn1Time,
    error::ErrorStack,
    stack::StackRef,
    x509::{CrlStatus, X509, X509Crl, X509CrlRef, X509Ref},
};

/// Revocation lists, read.
pub(crate) struct Lists {
    lists: Vec<X509Crl>,
    leaf_only: bool,
    unknown_taken: bool,
    expired_taken: bool,
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
        let mut lists = Vec::new();
        for (der, origin) in crls.lists() {
            lists.push(X509Crl::from_der(der).map_err(|error| {
                let message = format!("{origin}: OpenSSL cannot read it: {error}");
                let hint = "ask the authority for a new one";
                TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
            })?);
        }
        let (leaf_only, unknown_taken) = (crls.leaf_only, crls.unknown_taken);
        Ok(Self { lists, leaf_only, unknown_taken, expired_taken: crls.expired_taken })
    }

    /// Looks up each certificate of a chain, leaf first, by its issuer's list; the root has none.
    pub(crate) fn check(&self, chain: &StackRef<X509>, peer: &str) -> Result<(), TlsError> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let pairs = chain.iter().zip(chain.iter().skip(1));
        for (certificate, issuer) in pairs.take(if self.leaf_only { 1 } else { usize::MAX }) {
            let status = self.status(certificate, issuer).map_err(|error| {
                let message = format!("the {peer}'s certificate could not be looked up: {error}");
                TlsError::new(TlsErrorKind::CertificateRevoked, message, "report this as a defect")
            })?;
            self.judge(status, peer)?;
        }
        Ok(())
    }

    fn judge(&self, status: Status, peer: &str) -> Result<(), TlsError> {
        let (message, hint) = match status {
            Status::Good => return Ok(()),
            Status::Unknown if self.unknown_taken => return Ok(()),
            Status::Revoked => (
                format!("the {peer}'s certificate is revoked"),
                "its authority took it back: give the other side a new one",
            ),
            Status::Unknown => (
                format!("no revocation list speaks of the {peer}'s certificate"),
                "add the list of each authority between it and the root, or take certificates of \
                 unknown status, or look up the other side's own only",
            ),
            Status::Expired => (
                format!("the revocation list for the {peer}'s certificate is out of date"),
                "fetch the authority's new list and reload",
            ),
        };
        Err(TlsError::new(TlsErrorKind::CertificateRevoked, message, hint).by_peer())
    }

    /// What the issuer's lists say; one that revokes counts before one that does not.
    fn status(&self, certificate: &X509Ref, issuer: &X509Ref) -> Result<Status, ErrorStack> {
        let key = issuer.public_key()?;
        let mut status = Status::Unknown;
        for list in &self.lists {
            let named = list.issuer_name().try_cmp(certificate.issuer_name())?;
            if named.is_ne() || !list.verify(&key)? {
                continue;
            }
            // Only a delta takes something out again, and deltas are refused.
            let found = list.get_by_serial(certificate.serial_number());
            if matches!(found, CrlStatus::Revoked(_) | CrlStatus::RemoveFromCrl(_)) {
                return Ok(Status::Revoked);
            }
            let current = self.expired_taken || is_current(list)?;
            status = match (status, current) {
                (Status::Good, _) | (_, true) => Status::Good,
                (_, false) => Status::Expired,
            };
        }
        Ok(status)
    }
}

/// Whether the time at which the next list is promised has not come; a list that promises none is
/// never current, as RFC 5280 demands the promise.
fn is_current(list: &X509CrlRef) -> Result<bool, ErrorStack> {
    let now = Asn1Time::days_from_now(0)?;
    list.next_update().map_or(Ok(false), |next| Ok(next.compare(&now)?.is_ge()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Good,
    Unknown,
    Expired,
    Revoked,
}
