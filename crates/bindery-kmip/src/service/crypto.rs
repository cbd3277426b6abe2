//! Cryptography and randomness, passed in.

use std::fmt;

use bindery_ttlv::registry::{
    BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, KeyFormatType, RecommendedCurve,
};
use thiserror::Error;

use crate::Secret;

/// What the key server needs of cryptography. The program passes an implementation on aws-lc-rs;
/// tests pass a deterministic one.
///
/// Everything is stateless but [`Running`]. What an implementation does not offer answers
/// [`CryptoError::unsupported`], which is what every method but the first two does by itself; what
/// the peer brought and does not fit (a key of another length, a broken tag) answers
/// [`CryptoError::refused`].
///
/// Private keys are PKCS#8 `PrivateKeyInfo`, public ones X.509 `SubjectPublicKeyInfo`, both DER.
///
/// Calls may take long (an RSA key): the driver runs the engine where that is allowed.
pub trait Crypto: fmt::Debug + Send + Sync {
    /// Fills a buffer with random octets fit for keys.
    ///
    /// # Errors
    /// The generator failed; nothing may be made from what the buffer then holds.
    fn fill_random(&self, buffer: &mut [u8]) -> Result<(), CryptoError>;

    /// The SHA-256 hash (FIPS 180-4) of octets, for the attribute Digest.
    fn sha256(&self, octets: &[u8]) -> [u8; 32];

    /// A random symmetric key.
    ///
    /// # Errors
    /// The generator failed.
    fn random_secret(&self, octets: usize) -> Result<Secret, CryptoError> {
        let mut buffer = zeroize::Zeroizing::new(vec![0; octets]);
        self.fill_random(&mut buffer)?;
        Ok(Secret::new(std::mem::take(&mut *buffer)))
    }

    /// Takes a client's entropy in (RNG Seed): how many octets of it were used. A generator that
    /// seeds itself uses none.
    fn seed(&self, _entropy: &[u8]) -> usize {
        0
    }

    /// A hash to be fed.
    ///
    /// # Errors
    /// The function is not offered.
    fn hash(&self, function: HashingAlgorithm) -> Result<Box<dyn Running>, CryptoError> {
        Err(CryptoError::unsupported("hash", format!("{function:?}")))
    }

    /// An HMAC (RFC 2104) to be fed.
    ///
    /// # Errors
    /// The function is not offered.
    fn hmac(
        &self,
        function: HashingAlgorithm,
        _key: &[u8],
    ) -> Result<Box<dyn Running>, CryptoError> {
        Err(CryptoError::unsupported("HMAC", format!("{function:?}")))
    }

    /// Runs a cipher over whole blocks (any length for CTR, CFB, OFB and ChaCha20), in place and
    /// without padding.
    ///
    /// # Errors
    /// The cipher or mode is not offered; key, IV or data do not have the right length.
    fn cipher(&self, cipher: Cipher, _run: CipherRun<'_>) -> Result<(), CryptoError> {
        Err(CryptoError::unsupported("cipher", format!("{cipher:?}")))
    }

    /// Encrypts in place with authentication; gives the whole tag.
    ///
    /// # Errors
    /// The cipher is not offered; key or nonce do not have the right length.
    fn seal(&self, aead: Aead<'_>, _data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("authenticated encryption", format!("{:?}", aead.algorithm)))
    }

    /// A new key pair: private and public key.
    ///
    /// # Errors
    /// The kind is not offered, or the generator failed.
    fn generate_key_pair(&self, kind: KeyPairKind) -> Result<(Secret, Vec<u8>), CryptoError> {
        Err(CryptoError::unsupported("key pair", format!("{kind:?}")))
    }

    /// A private key of another form (PKCS#1, `ECPrivateKey`, PKCS#8) as PKCS#8.
    ///
    /// # Errors
    /// It is not of this form, or not offered.
    fn private_key(&self, form: KeyFormatType, _octets: &[u8]) -> Result<Secret, CryptoError> {
        Err(CryptoError::unsupported("private key", format!("{form:?}")))
    }

    /// A public key of another form (PKCS#1, X.509) as `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// It is not of this form, or not offered.
    fn public_key(&self, form: KeyFormatType, _octets: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("public key", format!("{form:?}")))
    }

    /// A PKCS#8 private key in another form.
    ///
    /// # Errors
    /// The form is not offered for this key.
    fn private_key_as(&self, form: KeyFormatType, _pkcs8: &[u8]) -> Result<Secret, CryptoError> {
        Err(CryptoError::unsupported("private key", format!("{form:?}")))
    }

    /// A public key in another form.
    ///
    /// # Errors
    /// The form is not offered for this key.
    fn public_key_as(&self, form: KeyFormatType, _spki: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("public key", format!("{form:?}")))
    }

    /// Signs data, or what was hashed from it.
    ///
    /// # Errors
    /// The scheme is not offered, or the key is not one for it.
    fn sign(
        &self,
        scheme: &SignatureScheme,
        _pkcs8: &[u8],
        _message: Message<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("signature", format!("{scheme:?}")))
    }

    /// Whether a signature is good.
    ///
    /// # Errors
    /// The scheme is not offered, or the key is not one for it.
    fn verify(
        &self,
        scheme: &SignatureScheme,
        _spki: &[u8],
        _message: Message<'_>,
        _signature: &[u8],
    ) -> Result<bool, CryptoError> {
        Err(CryptoError::unsupported("signature", format!("{scheme:?}")))
    }

    /// Encrypts with a public RSA key.
    ///
    /// # Errors
    /// The scheme is not offered, the key is not one for it, or the data is too long.
    fn rsa_encrypt(
        &self,
        scheme: &RsaScheme<'_>,
        _spki: &[u8],
        _data: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("RSA encryption", format!("{scheme:?}")))
    }

    /// Decrypts with a private RSA key.
    ///
    /// # Errors
    /// The scheme is not offered, the key is not one for it, or the data was not encrypted so.
    fn rsa_decrypt(
        &self,
        scheme: &RsaScheme<'_>,
        _pkcs8: &[u8],
        _data: &[u8],
    ) -> Result<Secret, CryptoError> {
        Err(CryptoError::unsupported("RSA encryption", format!("{scheme:?}")))
    }

    /// Wraps octets under an AES key: RFC 3394, or with padding RFC 5649.
    ///
    /// # Errors
    /// Key or data do not have a length that can be.
    fn wrap(&self, _padding: bool, _kek: &[u8], _data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::unsupported("key wrapping", "AES key wrap"))
    }

    /// Undoes [`Crypto::wrap`].
    ///
    /// # Errors
    /// The octets were not wrapped under this key.
    fn unwrap(&self, _padding: bool, _kek: &[u8], _data: &[u8]) -> Result<Secret, CryptoError> {
        Err(CryptoError::unsupported("key wrapping", "AES key wrap"))
    }

    /// Derives octets: the whole of `out`.
    ///
    /// # Errors
    /// The function is not offered, or cannot give so much.
    fn derive(
        &self,
        derivation: &Derivation<'_>,
        _secret: &[u8],
        _out: &mut [u8],
    ) -> Result<(), CryptoError> {
        Err(CryptoError::unsupported("derivation", format!("{derivation:?}")))
    }

    /// What an X.509 certificate says of its subject and issuer.
    ///
    /// # Errors
    /// It is none.
    fn certificate(&self, _der: &[u8]) -> Result<CertificateFacts, CryptoError> {
        Err(CryptoError::unsupported("certificate", "X.509"))
    }
}

/// A hash or MAC that is being fed. It can be copied, so that a decision that has to be made again
/// starts where it started.
pub trait Running: fmt::Debug + Send + Sync {
    /// Takes in more.
    fn update(&mut self, octets: &[u8]);

    /// The value over all that was taken in.
    fn finish(self: Box<Self>) -> Vec<u8>;

    /// The same, from here on on its own.
    fn copied(&self) -> Box<dyn Running>;
}

/// A cipher without authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cipher {
    /// The cipher.
    pub algorithm: CryptographicAlgorithm,
    /// Its mode; ECB for a stream cipher that has none.
    pub mode: BlockCipherMode,
    /// Decrypting, not encrypting.
    pub decrypt: bool,
}

impl Cipher {
    /// A cipher in a mode, in one direction.
    pub const fn new(
        algorithm: CryptographicAlgorithm,
        mode: BlockCipherMode,
        decrypt: bool,
    ) -> Self {
        Self { algorithm, mode, decrypt }
    }
}

/// One run of a [`Cipher`].
pub struct CipherRun<'a> {
    /// The key.
    pub key: &'a [u8],
    /// IV, counter or nonce; empty for ECB.
    pub iv: &'a [u8],
    /// What becomes the result.
    pub data: &'a mut [u8],
}

impl fmt::Debug for CipherRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CipherRun").field("octets", &self.data.len()).finish_non_exhaustive()
    }
}

/// A cipher with authentication: AES-GCM or ChaCha20-Poly1305.
#[derive(Clone, Copy)]
pub struct Aead<'a> {
    /// The cipher.
    pub algorithm: CryptographicAlgorithm,
    /// The key.
    pub key: &'a [u8],
    /// The nonce, 12 octets.
    pub nonce: &'a [u8],
    /// What is authenticated beside the data.
    pub additional: &'a [u8],
}

impl fmt::Debug for Aead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aead").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// What key pair is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPairKind {
    /// RSA with a modulus of so many bits.
    Rsa(i32),
    /// An elliptic curve.
    Curve(RecommendedCurve),
    /// Ed25519.
    Ed25519,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017).
    Pkcs1(HashingAlgorithm),
    /// RSASSA-PSS (RFC 8017), MGF1 on the same hash; the salt as long as the hash unless said.
    Pss(HashingAlgorithm, Option<u16>),
    /// ECDSA, the signature in DER.
    Ecdsa(HashingAlgorithm),
    /// Ed25519.
    Ed25519,
}

impl SignatureScheme {
    /// The hash that the data goes through; `None` where the scheme hashes by itself.
    pub const fn hash(&self) -> Option<HashingAlgorithm> {
        match self {
            Self::Pkcs1(hash) | Self::Pss(hash, _) | Self::Ecdsa(hash) => Some(*hash),
            Self::Ed25519 => None,
        }
    }
}

/// What is signed.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Message<'a> {
    /// The data.
    Data(&'a [u8]),
    /// The hash of it, by the scheme's function.
    Digest(&'a [u8]),
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")
    }
}

/// How RSA encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaScheme<'a> {
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP: the hash, the hash of MGF1, and the label (`PSource`).
    Oaep(HashingAlgorithm, HashingAlgorithm, Option<&'a [u8]>),
}

/// A key derivation function.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Derivation<'a> {
    /// PBKDF2 with HMAC (RFC 8018): hash, salt, iterations.
    Pbkdf2(HashingAlgorithm, &'a [u8], u32),
    /// HKDF (RFC 5869): hash, salt, info.
    Hkdf(HashingAlgorithm, &'a [u8], &'a [u8]),
    /// Counter mode of NIST SP 800-108 with HMAC: hash, fixed input.
    Counter(HashingAlgorithm, &'a [u8]),
}

impl fmt::Debug for Derivation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pbkdf2(hash, ..) => write!(f, "PBKDF2 with {hash:?}"),
            Self::Hkdf(hash, ..) => write!(f, "HKDF with {hash:?}"),
            Self::Counter(hash, _) => write!(f, "NIST 800-108 counter mode with {hash:?}"),
        }
    }
}

/// What a certificate says of itself: names of KMIP 2.x attributes and their values, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// `Certificate Subject CN` and the like.
    pub names: Vec<(String, String)>,
}

/// A failed cryptographic operation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{operation} failed: {reason}")]
#[non_exhaustive]
pub struct CryptoError {
    /// What was tried.
    pub operation: &'static str,
    /// Why it failed, without any secret.
    pub reason: String,
    /// Whose fault it is.
    pub kind: CryptoErrorKind,
}

/// Whose fault a [`CryptoError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoErrorKind {
    /// The library's or the machine's: the operator is told.
    Failed,
    /// Nobody's: it is not offered. The peer is told.
    Unsupported,
    /// The peer's: what it brought does not fit. The peer is told.
    Refused,
}

impl CryptoError {
    /// An error from what was tried and why it failed.
    pub fn new(operation: &'static str, reason: impl Into<String>) -> Self {
        Self { operation, reason: reason.into(), kind: CryptoErrorKind::Failed }
    }

    /// What is not offered.
    pub fn unsupported(operation: &'static str, what: impl fmt::Display) -> Self {
        let reason = format!("{what} is not offered");
        Self { kind: CryptoErrorKind::Unsupported, ..Self::new(operation, reason) }
    }

    /// What the peer brought does not fit.
    pub fn refused(operation: &'static str, reason: impl Into<String>) -> Self {
        Self { kind: CryptoErrorKind::Refused, ..Self::new(operation, reason) }
    }
}
