//! The cryptography that TLS is made with, as a value that is passed in.

use std::{fmt, sync::Arc};

use rustls::{crypto::CryptoProvider, server::ProducesTickets};

/// Makes the keys that a server seals its tickets with.
type NewTicketer = fn() -> Result<Arc<dyn ProducesTickets>, rustls::Error>;

/// A library of cryptographic functions for the rustls backend.
///
/// Each feature of this crate adds a constructor and nothing else. No process-wide provider is
/// installed, relied on, or in the way of one that a program installs for other purposes.
#[derive(Clone)]
pub struct Provider {
    name: &'static str,
    crypto: Arc<CryptoProvider>,
    ticketer: NewTicketer,
}

impl Provider {
    /// AWS-LC, by the crate aws-lc-rs.
    #[cfg(feature = "aws-lc-rs")]
    pub fn aws_lc_rs() -> Self {
        use rustls::crypto::aws_lc_rs;
        let crypto = CryptoProvider {
            cipher_suites: aws_lc_rs::ALL_CIPHER_SUITES.to_vec(),
            kx_groups: aws_lc_rs::ALL_KX_GROUPS.to_vec(),
            ..aws_lc_rs::default_provider()
        };
        let ticketer = aws_lc_rs::Ticketer::new;
        Self { name: "rustls with aws-lc-rs", crypto: Arc::new(crypto), ticketer }
    }

    /// The crate ring.
    #[cfg(feature = "ring")]
    pub fn ring() -> Self {
        use rustls::crypto::ring;
        let crypto = CryptoProvider {
            cipher_suites: ring::ALL_CIPHER_SUITES.to_vec(),
            kx_groups: ring::ALL_KX_GROUPS.to_vec(),
            ..ring::default_provider()
        };
        Self { name: "rustls with ring", crypto: Arc::new(crypto), ticketer: ring::Ticketer::new }
    }

    /// The name, for messages and logs.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn crypto(&self) -> &Arc<CryptoProvider> {
        &self.crypto
    }

    pub(crate) fn new_ticketer(&self) -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
        (self.ticketer)()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}
