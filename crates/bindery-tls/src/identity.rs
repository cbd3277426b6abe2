//! What this side shows: a certificate chain and its private key.

use std::{fmt, path::Path, sync::Arc};

use bindery_core::Timestamp;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    Certificate, Role, Setting, TlsError,
    pem::{self, Section, Wanted, configuration},
};

/// A certificate chain and the private key of its leaf.
///
/// Copies share the key; it is never shown by `Debug`.
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    chain: Arc<[CertificateDer<'static>]>,
    chain_origin: String,
    key: PrivateKeyDer<'static>,
    key_origin: String,
    /// Whether a passphrase was given for a key that is not encrypted.
    needless: bool,
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Identity {
    /// Reads chain and key from PEM files; both may be one file.
    ///
    /// # Errors
    /// As [`Identity::from_pem`], or a file cannot be read; the message names the file.
    pub fn from_pem_files(
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        Self::from_files(chain.as_ref(), key.as_ref(), None)
    }

    /// As [`Identity::from_pem_files`], for a key that is encrypted (PKCS#8, PBES2) under the
    /// passphrase in the first line of a third file. A key that is not encrypted is read as well.
    ///
    /// # Errors
    /// As [`Identity::from_pem_files`], or the passphrase does not open the key.
    pub fn from_pem_files_with_passphrase(
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
        passphrase: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        Self::from_files(chain.as_ref(), key.as_ref(), Some(passphrase.as_ref()))
    }

    fn from_files(chain: &Path, key: &Path, passphrase: Option<&Path>) -> Result<Self, TlsError> {
        let about = |setting| move |error: TlsError| error.about(setting);
        let passphrase = passphrase.map(pem::passphrase).transpose();
        let passphrase = passphrase.map_err(about(Setting::Passphrase))?;
        let chain_text = pem::read_file(chain, "certificate");
        let chain_text = chain_text.map_err(about(Setting::Certificate))?;
        let key_text = pem::read_file(key, "key").map_err(about(Setting::Key))?;
        let key_text = Zeroizing::new(key_text);
        let chain_origin = format!("certificate file {}", chain.display());
        let key_origin = format!("key file {}", key.display());
        let passphrase = passphrase.as_ref().map(|octets| octets.as_slice());
        Self::from_named_pem((&chain_text, chain_origin), (&key_text, key_origin), passphrase)
    }

    /// Reads chain and key from PEM text. The leaf stands first, then each certificate's issuer;
    /// the root may be left out. The key is PKCS#8, SEC1 (`EC PRIVATE KEY`) or PKCS#1
    /// (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// No certificate, no key or more than one, text that is not PEM, an encrypted key. Whether
    /// the key belongs to the certificate is checked by the backend that uses them.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::from_named_pem((chain, "certificate text".into()), (key, "key text".into()), None)
    }

    /// As [`Identity::from_pem`], for a key that is encrypted (PKCS#8, PBES2).
    ///
    /// # Errors
    /// As [`Identity::from_pem`], or the passphrase does not open the key.
    pub fn from_pem_with_passphrase(
        chain: &[u8],
        key: &[u8],
        passphrase: &[u8],
    ) -> Result<Self, TlsError> {
        let (chain, key) = ((chain, "certificate text".into()), (key, "key text".into()));
        Self::from_named_pem(chain, key, Some(passphrase))
    }

    fn from_named_pem(
        (chain_text, chain_origin): (&[u8], String),
        (key_text, key_origin): (&[u8], String),
        passphrase: Option<&[u8]>,
    ) -> Result<Self, TlsError> {
        let chain = certificates(chain_text, &chain_origin);
        let chain = chain.map_err(|error| error.about(Setting::Certificate))?;
        let (key, encrypted) = only_key(key_text, &key_origin, passphrase)
            .map_err(|error| error.about(Setting::Key))?;
        let needless = passphrase.is_some() && !encrypted;
        Ok(Self(Arc::new(Parts { chain: chain.into(), chain_origin, key, key_origin, needless })))
    }

    /// That a passphrase was given for a key that is not encrypted: whoever has the file has the key,
    /// which the passphrase's owner may not know.
    pub fn needless_passphrase(&self) -> Option<String> {
        let origin = &self.0.key_origin;
        self.0.needless.then(|| {
            format!(
                "{origin}: the key is not encrypted, and the passphrase that is given for it is not used: \
                 encrypt it (openssl pkcs8 -topk8 -v2 aes-256-cbc), or leave the passphrase out"
            )
        })
    }

    /// Whether this side can show the certificate: not marked as an authority, for this role, and
    /// valid at this time. The backend checks the first two as well; only the caller has the time.
    ///
    /// # Errors
    /// What is wrong, with the file, the field and the dates.
    pub fn check(&self, role: Role, now: Timestamp) -> Result<(), TlsError> {
        let leaf = self.certificate()?;
        leaf.check_role(role, self.chain_origin())?;
        leaf.check_dates(now, self.chain_origin())
    }

    /// What the leaf certificate says.
    ///
    /// # Errors
    /// The certificate cannot be read; the message names the file.
    pub fn certificate(&self) -> Result<Certificate, TlsError> {
        let leaf = self.0.chain.first().ok_or_else(|| {
            let message = format!("{}: no certificate", self.0.chain_origin);
            configuration(message, "name the file with the certificate chain")
        })?;
        Certificate::read(leaf, self.chain_origin())
    }

    /// The certificate chain, leaf first.
    pub fn chain(&self) -> &Arc<[CertificateDer<'static>]> {
        &self.0.chain
    }

    /// The private key; for backends.
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.0.key
    }

    /// Where the chain came from, for messages: `certificate file server.pem`.
    pub fn chain_origin(&self) -> &str {
        &self.0.chain_origin
    }

    /// Where the key came from, for messages: `key file server.key`.
    pub fn key_origin(&self) -> &str {
        &self.0.key_origin
    }
}

/// The certificates of PEM text, at least one.
fn certificates(text: &[u8], origin: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let sections = pem::sections(text, origin, Wanted::Certificates)?;
    let chain: Vec<_> = sections
        .into_iter()
        .filter_map(|section| match section {
            Section::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if chain.is_empty() {
        let message = format!("{origin}: PEM sections, but no CERTIFICATE among them");
        return Err(configuration(message, "name the file with the certificate chain"));
    }
    Ok(chain)
}

/// The one private key of PEM text, and whether it is encrypted there.
fn only_key(
    text: &[u8],
    origin: &str,
    passphrase: Option<&[u8]>,
) -> Result<(PrivateKeyDer<'static>, bool), TlsError> {
    let mut keys = Vec::new();
    for section in pem::sections(text, origin, Wanted::Key)? {
        match (section, passphrase) {
            (Section::Key(key), _) => keys.push((key, false)),
            (Section::EncryptedKey(der), Some(passphrase)) => {
                keys.push((pem::decrypt(&der, passphrase, origin)?, true));
            }
            (Section::EncryptedKey(_), None) => {
                let message = format!("{origin}: the key is encrypted, and no passphrase is given");
                let hint = "name the file with its passphrase, or decrypt the key: openssl pkey \
                            -in FILE -out NEW";
                return Err(configuration(message, hint));
            }
            (Section::Certificate(_) | Section::Other, _) => {}
        }
    }
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        (Some(_), more) => {
            let message = format!("{origin}: {} private keys, expected one", more + 1);
            Err(configuration(message, "leave only the key of the certificate"))
        }
        (None, _) => {
            let message = format!("{origin}: PEM sections, but no private key among them");
            let hint = "expected PRIVATE KEY, ENCRYPTED PRIVATE KEY, EC PRIVATE KEY or RSA \
                        PRIVATE KEY";
            Err(configuration(message, hint))
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("chain", &self.0.chain_origin)
            .field("certificates", &self.0.chain.len())
            .field("key", &self.0.key_origin)
            .finish_non_exhaustive()
    }
}
