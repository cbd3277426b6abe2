//! What revocation lists say of a certificate.

use super::{Crl, Crls};
use crate::{TlsError, TlsErrorKind};

/// What revocation lists say of one certificate; for backends.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Found<'a> {
    /// A list in date speaks of it and does not name it.
    Good,
    /// A list names it.
    Revoked,
    /// No list speaks of it.
    Unknown,
    /// The list that speaks of it has run out.
    Expired(&'a Crl),
    /// The list of its issuer is not signed by its issuer's key, or that key may not sign lists.
    Unsigned(&'a Crl),
}

impl Crls {
    /// What comes of it under these lists' settings. `peer` says whose certificate it is, such as
    /// `client`.
    ///
    /// # Errors
    /// [`TlsErrorKind::CertificateRevoked`], the peer's fault, where a list names it;
    /// [`TlsErrorKind::RevocationUnknown`], this side's, where it cannot be looked up.
    pub fn judge(&self, found: Found<'_>, peer: &str) -> Result<(), TlsError> {
        let (message, hint) = match found {
            Found::Good => return Ok(()),
            Found::Unknown if self.unknown_taken => return Ok(()),
            Found::Expired(_) if self.expired_taken => return Ok(()),
            Found::Revoked => {
                let message = format!("the {peer}'s certificate is revoked");
                let hint = "its authority took it back: give the other side a new one";
                let error = TlsError::new(TlsErrorKind::CertificateRevoked, message, hint);
                return Err(error.by_peer());
            }
            Found::Unknown => (
                format!("no revocation list speaks of the {peer}'s certificate"),
                "add the list of each authority between it and the root, or take certificates of \
                 unknown status, or look up the other side's own only",
            ),
            Found::Expired(list) => (
                format!(
                    "the {peer}'s certificate cannot be looked up: {} is out of date: it {}",
                    list.origin,
                    list.next()
                ),
                "fetch the authority's new list and reload",
            ),
            Found::Unsigned(list) => (
                format!(
                    "the {peer}'s certificate cannot be looked up: {} is not signed by a key of {} \
                     that may sign lists",
                    list.origin, list.issuer
                ),
                "fetch the list that the trusted authority of this name signed, and reload",
            ),
        };
        Err(TlsError::new(TlsErrorKind::RevocationUnknown, message, hint))
    }
}
