//! The key-encryption key: where it comes from, and how it is kept in memory.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::{hkdf, rand};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{files, seal::SealingKey};

/// The longest key file that is read, in octets. All valid forms are far shorter.
const LONGEST_FILE: u16 = 1024;

/// Says what the identity is derived for, so that no other use can give the same octets.
const ID_LABEL: &[u8] = b"bindery-store kek id v1";

/// The key-encryption key (KEK): 256 bits under which everything secret is encrypted at rest.
///
/// Its octets are wiped when the last clone is dropped, and `Debug` shows only the [`KekId`].
/// Whoever has this key and the store's file has every managed object; whoever loses it has lost
/// them all. Keep a copy apart from the store's backups.
#[derive(Clone)]
pub struct Kek {
    octets: Arc<Zeroizing<Vec<u8>>>,
    id: KekId,
}

impl Kek {
    /// The key's length in octets.
    pub const LEN: usize = 32;

    /// A key from its octets, for programs that have it from elsewhere. They must be random: a
    /// passphrase is not a key.
    ///
    /// # Errors
    /// [`KekError::Weak`] if all octets are the same.
    pub fn new(octets: &[u8; Self::LEN]) -> Result<Self, KekError> {
        Self::from_slice(octets, || "the given key".into())
    }

    /// A new random key that is kept nowhere: what is stored under it ends with the program.
    ///
    /// # Errors
    /// [`KekError::Random`].
    pub fn generate() -> Result<Self, KekError> {
        let mut octets = Zeroizing::new([0; Self::LEN]);
        rand::fill(&mut *octets).map_err(|_| KekError::Random)?;
        Self::new(&octets)
    }

    /// Reads the key from a file: 32 raw octets, or as text 64 hexadecimal digits or base64
    /// (standard or URL-safe alphabet, padding optional), white space around the text ignored.
    ///
    /// The warning, if there is one, says that others can read the file. It does not stop the
    /// program, because containers and secret stores often mount files that way.
    ///
    /// # Errors
    /// The file is missing or cannot be read, or does not hold a key in one of these forms.
    pub fn from_file(path: impl AsRef<Path>) -> Result<(Self, Option<KekWarning>), KekError> {
        let path = path.as_ref();
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => KekError::Missing { path: path.to_owned() },
            _ => KekError::Read { path: path.to_owned(), source },
        };
        let file = File::open(path).map_err(failed)?;
        let warning = exposure(path, &file).map_err(failed)?;
        // Room for all that is read: growing would leave copies of the key behind.
        let mut content = Zeroizing::new(Vec::with_capacity(usize::from(LONGEST_FILE) + 1));
        file.take(LONGEST_FILE.into()).read_to_end(&mut content).map_err(failed)?;
        let place = || format!("the key file {}", path.display());
        if content.len() == Self::LEN {
            if content.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ') {
                let reason = "32 octets that are all text: a passphrase or a 128-bit key in \
                              hexadecimal, not 32 random octets";
                return Err(KekError::Form { place: place(), reason: reason.into() });
            }
            return Ok((Self::from_slice(&content, place)?, warning));
        }
        Ok((Self::from_text(&content, place)?, warning))
    }

    /// Reads the key from an environment variable: 64 hexadecimal digits or base64, as in
    /// [`from_file`](Self::from_file).
    ///
    /// An environment is easier to spy on than a file: `/proc`, crash reports and child processes
    /// show it.
    ///
    /// # Errors
    /// The variable is not set or does not hold a key in one of these forms.
    pub fn from_env(variable: &str) -> Result<Self, KekError> {
        let value = std::env::var_os(variable)
            .ok_or_else(|| KekError::Unset { variable: variable.to_owned() })?;
        let value = Zeroizing::new(value.into_encoded_bytes());
        Self::from_text(&value, || format!("the environment variable {variable}"))
    }

    /// Makes a new random key and keeps it in a new file that only its owner may read (mode 0600):
    /// 64 hexadecimal digits and a line feed. The file is on disk when this returns.
    ///
    /// # Errors
    /// The file exists already (it is left alone) or cannot be written.
    pub fn generate_file(path: impl AsRef<Path>) -> Result<Self, KekError> {
        let path = path.as_ref();
        let kek = Self::generate()?;
        let mut text = Zeroizing::new(String::with_capacity(2 * Self::LEN + 1));
        for octet in kek.octets.iter() {
            for digit in [octet >> 4, octet & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        write_new(path, text.as_bytes())
            .map_err(|source| KekError::Write { path: path.to_owned(), source })?;
        Ok(kek)
    }

    /// What names the key without giving it away. Stored beside everything encrypted under it.
    pub fn id(&self) -> KekId {
        self.id
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn from_slice(octets: &[u8], place: impl Fn() -> String) -> Result<Self, KekError> {
        if octets.iter().all(|octet| octets.first() == Some(octet)) {
            return Err(KekError::Weak { place: place() });
        }
        let id = derive_id(octets).ok_or(KekError::Random)?;
        Ok(Self { octets: Arc::new(Zeroizing::new(octets.to_vec())), id: KekId(id) })
    }

    fn from_text(text: &[u8], place: impl Fn() -> String) -> Result<Self, KekError> {
        let text = text.trim_ascii();
        let mut octets = Zeroizing::new([0; Self::LEN]);
        let read = match text.len() {
            64 => decode_hex(text, &mut octets),
            43 | 44 => decode_base64(text, &mut octets),
            _ => None,
        };
        if read.is_none() {
            let reason = format!("{} octets of something else", text.len());
            return Err(KekError::Form { place: place(), reason });
        }
        Self::from_slice(&*octets, place)
    }
}

impl SealingKey for Kek {
    fn id(&self) -> [u8; 8] {
        self.id.0
    }

    fn derive(&self, salt: &[u8], label: &[u8], output: &mut [u8]) -> Option<()> {
        derive(&self.octets, salt, label, output)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", self.id)
    }
}

/// The name of a [`Kek`]: derived from it, so that the same key has the same name everywhere.
/// Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(pub(crate) [u8; 8]);

impl KekId {
    /// The octets of the name.
    pub const fn octets(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no key-encryption key. Never shows any of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KekError {
    /// The key file does not exist.
    #[error("the key file {path} does not exist: restore it, or make one for a new store")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The key file cannot be read.
    #[error("the key file {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The new key file cannot be written.
    #[error("the new key file {path} cannot be written; a file that exists is never replaced")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The environment variable is not set.
    #[error("the environment variable {variable} is not set: it should hold the key")]
    Unset {
        /// The variable.
        variable: String,
    },
    /// What was read is not a key.
    #[error(
        "{place} holds no key but {reason}: write 64 hexadecimal digits or base64 of 32 random octets, as `openssl rand -hex 32` makes them"
    )]
    Form {
        /// Where it was read.
        place: String,
        /// What is there.
        reason: String,
    },
    /// The key's octets are all the same.
    #[error("{place} holds one octet 32 times: take a random key")]
    Weak {
        /// Where it was read.
        place: String,
    },
    /// The random number generator failed.
    #[error("the random number generator failed")]
    Random,
}

/// The key file can be read by others than its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KekWarning {
    /// The file.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

impl fmt::Display for KekWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "the key file {path} has mode {:04o}, so that others can read the ", self.mode)?;
        write!(f, "key: chmod 600 {path}")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// What names a key.
pub(crate) fn derive_id(key: &[u8]) -> Option<[u8; 8]> {
    let mut id = [0; 8];
    derive(key, &[], ID_LABEL, &mut id).map(|()| id)
}

pub(crate) fn derive(key: &[u8], salt: &[u8], label: &[u8], output: &mut [u8]) -> Option<()> {
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key);
    let info = [label];
    let expanded = pseudorandom.expand(&info, Length(output.len())).ok()?;
    expanded.fill(output).ok()
}

fn decode_hex(text: &[u8], octets: &mut [u8; Kek::LEN]) -> Option<()> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != octets.len() || !rest.is_empty() {
        return None;
    }
    for ([high, low], octet) in pairs.iter().zip(octets) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(())
}

fn decode_base64(text: &[u8], octets: &mut [u8; Kek::LEN]) -> Option<()> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let url_safe = text.iter().any(|octet| matches!(octet, b'-' | b'_'));
    let alphabet = if url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    // The decoder asks for a whole group of room at the end.
    let mut decoded = Zeroizing::new([0; Kek::LEN + 1]);
    let length = GeneralPurpose::new(alphabet, config).decode_slice(text, &mut *decoded).ok()?;
    octets.copy_from_slice(decoded.get(..length)?.first_chunk::<{ Kek::LEN }>()?);
    (length == Kek::LEN).then_some(())
}

#[cfg(unix)]
fn exposure(path: &Path, file: &File) -> io::Result<Option<KekWarning>> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.metadata()?.permissions().mode() & 0o7777;
    Ok((mode & 0o077 != 0).then(|| KekWarning { path: path.to_owned(), mode }))
}

#[cfg(not(unix))]
fn exposure(_: &Path, _: &File) -> io::Result<Option<KekWarning>> {
    Ok(None)
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = files::create_own(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    files::sync_directory_of(path)
}

#[cfg(test)]
mod tests;
