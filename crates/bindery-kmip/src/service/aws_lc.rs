//! The cryptography of the program: aws-lc-rs.

use aws_lc_rs::{
    digest,
    rand::{SecureRandom, SystemRandom},
};

use super::{Crypto, CryptoError};

/// [`Crypto`] on AWS-LC.
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
}
