//! PEM sections (RFC 7468) with errors that name the file and the remedy.

use std::{fs, path::Path};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{PemObject, SectionKind},
};

use crate::{TlsError, TlsErrorKind};

/// The largest PEM file that is read, in octets: hundreds of authorities fit.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// What PEM text is read for, and what its file should hold.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    Certificates,
    Key,
}

/// What a section of a PEM file turned out to be.
pub(crate) enum Section {
    Certificate(CertificateDer<'static>),
    Key(PrivateKeyDer<'static>),
    Other,
}

/// Reads a file of PEM text.
pub(crate) fn read_file(path: &Path, holds: &str) -> Result<Vec<u8>, TlsError> {
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path in the configuration",
            std::io::ErrorKind::PermissionDenied => {
                "let the user that runs this program read the file"
            }
            _ => "check the file and its file system",
        };
        let message = format!("{holds} file {}: {error}", path.display());
        TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_LIMIT {
        let message = format!(
            "{holds} file {}: {length} octets, at most {FILE_LIMIT} are read",
            path.display()
        );
        return Err(configuration(message, "name a PEM file of certificates or keys only"));
    }
    fs::read(path).map_err(failed)
}

/// The sections of PEM text. `origin` names the text in errors, such as `key file server.key`.
pub(crate) fn sections(
    text: &[u8],
    origin: &str,
    wanted: Wanted,
) -> Result<Vec<Section>, TlsError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(configuration(format!("{origin}: empty"), "put PEM text into it"));
    }
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = section.map_err(|error| {
            let message = format!("{origin}: section {} is not PEM: {error}", found.len() + 1);
            configuration(message, "write each section between its BEGIN and END lines, in Base64")
        })?;
        found.push(match kind {
            SectionKind::Certificate => Section::Certificate(der.into()),
            SectionKind::PrivateKey => Section::Key(PrivateKeyDer::Pkcs8(der.into())),
            SectionKind::EcPrivateKey => Section::Key(PrivateKeyDer::Sec1(der.into())),
            SectionKind::RsaPrivateKey => Section::Key(PrivateKeyDer::Pkcs1(der.into())),
            _ => Section::Other,
        });
    }
    if found.is_empty() {
        return Err(configuration(
            format!("{origin}: no PEM section"),
            no_section_hint(text, wanted),
        ));
    }
    Ok(found)
}

fn no_section_hint(text: &[u8], wanted: Wanted) -> &'static str {
    let says = |label: &[u8]| text.windows(label.len()).any(|window| window == label);
    if says(b"BEGIN ENCRYPTED PRIVATE KEY") {
        "the key is encrypted; decrypt it first: openssl pkey -in FILE -out NEW"
    } else if text.first() == Some(&0x30) {
        "the text looks like DER; convert it to PEM: openssl x509 (or pkey) -inform DER"
    } else {
        match wanted {
            Wanted::Certificates => "expected a line such as -----BEGIN CERTIFICATE-----",
            Wanted::Key => "expected a private key: a line such as -----BEGIN PRIVATE KEY-----",
        }
    }
}

pub(crate) fn configuration(
    message: impl Into<String>,
    hint: impl Into<std::borrow::Cow<'static, str>>,
) -> TlsError {
    TlsError::new(TlsErrorKind::Configuration, message, hint)
}
