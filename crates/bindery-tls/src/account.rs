//! From a client's certificate to an account.

use bindery_core::{IdentityError, IdentityMap, Peer, Principal};

use crate::certificate::{common_name, fingerprint, parse, rfc4514};

/// Maps the certificate that a peer showed to the account of the same name.
///
/// The name is taken from the certificate as it stands, octet by octet; the authorities that the
/// server trusts therefore decide who is who.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateIdentity(Field);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Subject,
    CommonName,
    Fingerprint,
}

impl CertificateIdentity {
    /// By the whole subject, as RFC 4514 writes it: `CN=alice,O=Example`. The default.
    pub const fn subject() -> Self {
        Self(Field::Subject)
    }

    /// By the subject's Common Name: `alice`. The certificate must have exactly one.
    ///
    /// Authorities that give the same Common Name to different clients make them one account.
    pub const fn common_name() -> Self {
        Self(Field::CommonName)
    }

    /// By the SHA-256 of the certificate: `sha256:` and 64 lower-case hexadecimal digits. A renewed
    /// certificate is another account.
    pub const fn fingerprint() -> Self {
        Self(Field::Fingerprint)
    }
}

impl IdentityMap for CertificateIdentity {
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
        let Some(der) = peer.certificate() else { return Ok(None) };
        if self.0 == Field::Fingerprint {
            return Ok(Some(Principal::new(format!("sha256:{}", fingerprint(der)))));
        }
        let unreadable = |reason: String| {
            IdentityError::new(
                format!("the client's certificate: {reason}"),
                "show a certificate whose subject the server can read",
            )
        };
        let certificate = parse(der).map_err(unreadable)?;
        let name = match self.0 {
            Field::CommonName => common_name(certificate.subject()),
            Field::Subject | Field::Fingerprint => rfc4514(certificate.subject()),
        }
        .map_err(unreadable)?;
        if name.is_empty() {
            return Err(unreadable("its subject is empty".into()));
        }
        Ok(Some(Principal::new(name)))
    }
}

#[cfg(test)]
mod tests;
