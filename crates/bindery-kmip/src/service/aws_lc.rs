//! The cryptography of the program: aws-lc-rs, and RustCrypto for what it lacks.

mod asymmetric;
mod certificate;
mod hashes;
mod keys;
mod symmetric;

use aws_lc_rs::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use bindery_ttlv::registry::{HashingAlgorithm, KeyFormatType};

use super::{
    Aead, CertificateFacts, Cipher, CipherRun, Crypto, CryptoError, Derivation, KeyPairKind,
    Message, RsaScheme, Running, SignatureScheme,
};
use crate::Secret;

/// [`Crypto`] on AWS-LC.
///
/// By RustCrypto instead: RSA-OAEP whose two hash functions differ, RSASSA-PSS on SHA-1 and
/// SHA-224, triple DES, ChaCha20 without Poly1305, and the DER forms of RSA keys.
#[derive(Debug, Default)]
pub struct AwsLcCrypto {
    random: SystemRandom,
}

impl AwsLcCrypto {
    /// The library's own generator and functions; nothing to configure.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Crypto for AwsLcCrypto {
    fn fill_random(&self, buffer: &mut [u8]) -> Result<(), CryptoError> {
        self.random
            .fill(buffer)
            .map_err(|_| CryptoError::new("random octets", "the generator gave none"))
    }

    fn sha256(&self, octets: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        // The digest's length is the algorithm's: 32 octets.
        hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
        hash
    }

    fn hash(&self, function: HashingAlgorithm) -> Result<Box<dyn Running>, CryptoError> {
        hashes::hash(function)
    }

    fn hmac(
        &self,
        function: HashingAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn Running>, CryptoError> {
        hashes::hmac(function, key)
    }

    fn cipher(&self, cipher: Cipher, run: CipherRun<'_>) -> Result<(), CryptoError> {
        symmetric::cipher(cipher, run)
    }

    fn seal(&self, aead: Aead<'_>, data: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
        symmetric::seal(aead, data)
    }

    fn generate_key_pair(&self, kind: KeyPairKind) -> Result<(Secret, Vec<u8>), CryptoError> {
        keys::generate(kind)
    }

    fn private_key(&self, form: KeyFormatType, octets: &[u8]) -> Result<Secret, CryptoError> {
        keys::private_key(form, octets)
    }

    fn public_key(&self, form: KeyFormatType, octets: &[u8]) -> Result<Vec<u8>, CryptoError> {
        keys::public_key(form, octets)
    }

    fn private_key_as(&self, form: KeyFormatType, pkcs8: &[u8]) -> Result<Secret, CryptoError> {
        keys::private_key_as(form, pkcs8)
    }

    fn public_key_as(&self, form: KeyFormatType, spki: &[u8]) -> Result<Vec<u8>, CryptoError> {
        keys::public_key_as(form, spki)
    }

    fn sign(
        &self,
        scheme: &SignatureScheme,
        pkcs8: &[u8],
        message: Message<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        asymmetric::sign(scheme, pkcs8, message, &self.random)
    }

    fn verify(
        &self,
        scheme: &SignatureScheme,
        spki: &[u8],
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<bool, CryptoError> {
        asymmetric::verify(scheme, spki, message, signature)
    }

    fn rsa_encrypt(
        &self,
        scheme: &RsaScheme<'_>,
        spki: &[u8],
        data: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        asymmetric::encrypt(scheme, spki, data)
    }

    fn rsa_decrypt(
        &self,
        scheme: &RsaScheme<'_>,
        pkcs8: &[u8],
        data: &[u8],
    ) -> Result<Secret, CryptoError> {
        asymmetric::decrypt(scheme, pkcs8, data)
    }

    fn wrap(&self, padding: bool, kek: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        symmetric::wrap(padding, kek, data)
    }

    fn unwrap(&self, padding: bool, kek: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        symmetric::unwrap(padding, kek, data)
    }

    fn derive(
        &self,
        derivation: &Derivation<'_>,
        secret: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        hashes::derive(derivation, secret, out)
    }

    fn certificate(&self, der: &[u8]) -> Result<CertificateFacts, CryptoError> {
        certificate::facts(der)
    }
}
