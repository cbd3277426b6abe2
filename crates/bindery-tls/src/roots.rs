//! Whom this side trusts: the certificates of authorities.

use std::{fmt, path::Path, sync::Arc};

use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::ParsedExtension,
    prelude::{FromDer as _, X509Version},
};

use crate::{
    TlsError,
    certificate::{hex, rfc4514},
    pem::{self, Section, Wanted, configuration},
};

/// The certificates of the authorities that are trusted to vouch for the other side.
///
/// A certificate that is no authority and signed itself may stand among them: it is trusted for
/// itself alone. One that is no authority and that somebody else signed may not.
#[derive(Clone)]
pub struct Roots {
    certificates: Arc<[CertificateDer<'static>]>,
    /// Where each stands, such as `authority file ca.pem, certificate 2`.
    places: Arc<[String]>,
    origin: Arc<str>,
}

/// What a trusted certificate vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vouches {
    /// The certificates that it signs.
    Others,
    /// The certificates that it signs, although it is too old a form to say so (version 1).
    OthersUnsaid,
    /// Itself alone.
    Itself,
}

/// A trusted certificate, read.
pub(crate) struct Root {
    pub(crate) der: CertificateDer<'static>,
    /// Where it stands, for messages.
    pub(crate) place: String,
    pub(crate) vouches: Vouches,
    /// RFC 4514: for people. Names are compared in DER.
    pub(crate) subject: String,
    pub(crate) subject_der: Box<[u8]>,
    /// The SubjectPublicKeyInfo in DER.
    pub(crate) spki: Box<[u8]>,
    /// The Subject Key Identifier, in hexadecimal digits.
    pub(crate) key_id: Option<String>,
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
        let (mut certificates, mut places, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            let roots = Self::from_pem_file(path)?;
            certificates.extend_from_slice(&roots.certificates);
            places.extend_from_slice(&roots.places);
            origins.push(roots.origin);
        }
        if certificates.is_empty() {
            let message = "no authority file is named";
            return Err(configuration(message, "name the file with the authority's certificate"));
        }
        let origin = origins.join(", ").into();
        Ok(Self { certificates: certificates.into(), places: places.into(), origin })
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
        let (certificates, places) = (Arc::from([]), Arc::from([]));
        Self { certificates, places, origin: "no authority".into() }
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
        let places = (1..=certificates.len()).map(|n| format!("{origin}, certificate {n}"));
        let places = places.collect::<Vec<_>>().into();
        Ok(Self { certificates: certificates.into(), places, origin: origin.into() })
    }

    /// Each of them, read.
    ///
    /// # Errors
    /// One that cannot be read, or that can vouch for nobody: no authority and signed by another,
    /// or an authority that must not sign certificates. The message names the file, the certificate
    /// and the field.
    pub(crate) fn read(&self) -> Result<Vec<Root>, TlsError> {
        let both = self.certificates.iter().zip(self.places.iter());
        both.map(|(der, place)| Root::read(der, place)).collect()
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

impl Root {
    fn read(der: &CertificateDer<'static>, place: &str) -> Result<Self, TlsError> {
        let unreadable = |reason: String| {
            let message = format!("{place}: it cannot be read: {reason}");
            configuration(message, "take it out of the file, or replace it")
        };
        let (_, parsed) = X509Certificate::from_der(der).map_err(|e| unreadable(e.to_string()))?;
        let subject = rfc4514(parsed.subject()).map_err(unreadable)?;
        let issuer = rfc4514(parsed.issuer()).map_err(unreadable)?;
        let by_itself = parsed.subject().as_raw() == parsed.issuer().as_raw();
        let vouches = if parsed.is_ca() {
            let usage = parsed.key_usage().ok().flatten();
            if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
                let message = format!(
                    "{place}: {subject} is an authority whose Key Usage does not let it sign \
                     certificates (no keyCertSign)"
                );
                let hint = "name the authority that signs the other side's certificates";
                return Err(configuration(message, hint));
            }
            Vouches::Others
        } else if parsed.version() != X509Version::V3 {
            Vouches::OthersUnsaid
        } else if !by_itself {
            let message = format!(
                "{place}: {subject} is no authority (no Basic Constraints CA:TRUE), and {issuer} \
                 signed it: no certificate could be accepted by it"
            );
            let hint = format!("name the certificate of {issuer} in its place");
            return Err(configuration(message, hint));
        } else {
            Vouches::Itself
        };
        let key_id = parsed.iter_extensions().find_map(|one| match one.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(hex(id.0)),
            _ => None,
        });
        Ok(Self {
            der: der.clone(),
            place: place.to_owned(),
            vouches,
            subject,
            subject_der: parsed.subject().as_raw().into(),
            spki: parsed.public_key().raw.into(),
            key_id,
        })
    }

    /// What should be known of it, if anything.
    pub(crate) fn remark(&self) -> Option<String> {
        let Self { place, subject, .. } = self;
        match self.vouches {
            Vouches::Others => None,
            Vouches::OthersUnsaid => Some(format!(
                "{place}: {subject} is of X.509 version 1, which cannot say whether it is an \
                 authority: it is taken for one"
            )),
            Vouches::Itself => Some(format!(
                "{place}: {subject} is no authority and signed itself: it is trusted for itself \
                 alone, and its successor has to be named here, too"
            )),
        }
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
