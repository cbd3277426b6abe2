//! Whom this side trusts: the certificates of authorities.

use std::{fmt, path::Path, sync::Arc};

use rustls_pki_types::CertificateDer;

use crate::{
    TlsError,
    pem::{self, Section, Wanted, configuration},
};

/// The certificates of the authorities that are trusted to vouch for the other side.
#[derive(Clone)]
pub struct Roots {
    certificates: Arc<[CertificateDer<'static>]>,
    origin: Arc<str>,
}

impl Roots {
    /// Reads the authorities from a PEM file.
    ///
    /// # Errors
    /// As [`Roots::from_pem`], or the file cannot be read; the message names the file.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        let text = pem::read_file(path, "authority")?;
        Self::from_named_pem(&text, format!("authority file {}", path.display()))
    }

    /// Reads the authorities from several PEM files.
    ///
    /// # Errors
    /// As [`Roots::from_pem_file`].
    pub fn from_pem_files<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, TlsError> {
        let (mut certificates, mut origins) = (Vec::new(), Vec::new());
        for path in paths {
            let roots = Self::from_pem_file(path)?;
            certificates.extend_from_slice(&roots.certificates);
            origins.push(roots.origin);
        }
        if certificates.is_empty() {
            let message = "no authority file is named";
            return Err(configuration(message, "name the file with the authority's certificate"));
        }
        Ok(Self { certificates: certificates.into(), origin: origins.join(", ").into() })
    }

    /// Reads the authorities from PEM text.
    ///
    /// # Errors
    /// No certificate, a private key among the certificates, or text that is not PEM.
    pub fn from_pem(text: &[u8]) -> Result<Self, TlsError> {
        Self::from_named_pem(text, "authority text".into())
    }

    /// Nobody is trusted.
    pub(crate) fn none() -> Self {
        Self { certificates: Arc::from([]), origin: "no authority".into() }
    }

    fn from_named_pem(text: &[u8], origin: String) -> Result<Self, TlsError> {
        let mut certificates = Vec::new();
        for section in pem::sections(text, &origin, Wanted::Certificates)? {
            match section {
                Section::Certificate(certificate) => certificates.push(certificate),
                Section::Key(_) | Section::EncryptedKey(_) => {
                    let message = format!("{origin}: a private key among the authorities");
                    let hint = "name a file with the authorities' certificates only";
                    return Err(configuration(message, hint));
                }
                Section::Other => {}
            }
        }
        if certificates.is_empty() {
            let message = format!("{origin}: PEM sections, but no CERTIFICATE among them");
            return Err(configuration(message, "name the file with the authority's certificate"));
        }
        Ok(Self { certificates: certificates.into(), origin: origin.into() })
    }

    /// The authorities' certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Where they came from, for messages: `authority file ca.pem`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("origin", &self.origin)
            .field("certificates", &self.certificates.len())
            .finish()
    }
}
