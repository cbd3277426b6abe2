//! PEM sections (RFC 7468) with errors that name the file and the remedy.

use std::{fs::File, io::Read as _, path::Path};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject, SectionKind},
};

use zeroize::Zeroizing;

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
    /// An encrypted key: EncryptedPrivateKeyInfo (RFC 5958), DER.
    EncryptedKey(Vec<u8>),
    Other,
}

/// The largest file of revocation lists that is read, in octets: over a million entries.
pub(crate) const CRL_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads a file of PEM text.
pub(crate) fn read_file(path: &Path, holds: &str) -> Result<Vec<u8>, TlsError> {
    read_up_to(FILE_LIMIT, path, holds)
}

/// Reads a file of no more octets than this.
pub(crate) fn read_up_to(limit: u64, path: &Path, holds: &str) -> Result<Vec<u8>, TlsError> {
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
    // The length is counted in reading: a pipe or a device says nothing of it before.
    let (mut octets, file) = (Vec::new(), File::open(path).map_err(failed)?);
    file.take(limit + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > limit {
        let message =
            format!("{holds} file {}: too long, at most {limit} octets are read", path.display());
        return Err(configuration(message, format!("name a file that holds the {holds} only")));
    }
    Ok(octets)
}

/// The label of an encrypted key, which the reader of the other sections passes over.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

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
            let why = match &error {
                pem::Error::MissingSectionEnd { .. } => "its END line is missing".to_owned(),
                _ => error.to_string(),
            };
            let message = format!("{origin}: section {} is not PEM: {why}", found.len() + 1);
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
    if matches!(wanted, Wanted::Key) {
        found.extend(encrypted(text, origin)?);
    }
    if found.is_empty() {
        return Err(configuration(
            format!("{origin}: no PEM section"),
            no_section_hint(text, wanted),
        ));
    }
    Ok(found)
}

/// The encrypted keys of PEM text: those of PKCS#8. Those that OpenSSL made before version 1.0
/// (`Proc-Type: 4,ENCRYPTED`) derive their key by one round of MD5 and are refused.
fn encrypted(text: &[u8], origin: &str) -> Result<Vec<Section>, TlsError> {
    let text = String::from_utf8_lossy(text);
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        let message = format!("{origin}: encrypted in OpenSSL's old form, which is weak");
        let hint = "write it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW";
        return Err(configuration(message, hint));
    }
    let (begin, end) =
        (format!("-----BEGIN {ENCRYPTED}-----"), format!("-----END {ENCRYPTED}-----"));
    let mut keys = Vec::new();
    for section in text.split(&begin).skip(1) {
        let broken = |why: &str| {
            let message = format!("{origin}: the encrypted key is not PEM: {why}");
            configuration(message, "write it between its BEGIN and END lines, in Base64")
        };
        let (body, _) =
            section.split_once(&end).ok_or_else(|| broken("its END line is missing"))?;
        // The library reads Base64 of this label only; the octets are the same.
        let relabelled = format!("-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----\n");
        let relabelled = Zeroizing::new(relabelled);
        let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(relabelled.as_bytes())
            .map_err(|error| broken(&error.to_string()))?;
        keys.push(Section::EncryptedKey(der));
    }
    Ok(keys)
}

/// Opens an encrypted key.
pub(crate) fn decrypt(
    der: &[u8],
    passphrase: &[u8],
    origin: &str,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |error: pkcs8::Error| {
        let message = format!("{origin}: the encrypted key cannot be opened: {error}");
        let hint = "check the passphrase; ciphers are those of PBES2 with AES: openssl pkcs8 \
                    -topk8 -v2 aes-256-cbc -in FILE -out NEW";
        configuration(message, hint)
    };
    let encrypted = pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).map_err(failed)?;
    let opened = encrypted.decrypt(passphrase).map_err(failed)?;
    Ok(PrivateKeyDer::Pkcs8(opened.as_bytes().to_vec().into()))
}

/// Reads a passphrase: the first line of a file.
pub(crate) fn passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let text = Zeroizing::new(read_file(path, "passphrase")?);
    let line = text.split(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
    if line.is_empty() {
        let message = format!("passphrase file {}: its first line is empty", path.display());
        return Err(configuration(message, "write the passphrase into its first line"));
    }
    Ok(Zeroizing::new(line.to_vec()))
}

fn no_section_hint(text: &[u8], wanted: Wanted) -> &'static str {
    if text.first() == Some(&0x30) {
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
