//! By what a peer proved who it is, for asking again later.

use std::{fmt, sync::Arc};

use rustls_pki_types::CertificateDer;

use crate::Psk;

/// By what a peer proved in a handshake who it is: its certificates, a pre-shared key, or nothing.
///
/// [`Acceptor::recheck`](crate::Acceptor::recheck) tells whether that would still do.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Proof {
    /// The chain that it showed, leaf first; empty without one.
    pub certificates: Arc<[CertificateDer<'static>]>,
    /// The pre-shared key.
    pub psk: Option<Psk>,
}

impl Proof {
    /// A proof from its parts.
    pub const fn new(certificates: Arc<[CertificateDer<'static>]>, psk: Option<Psk>) -> Self {
        Self { certificates, psk }
    }

    /// Whether there is none: the peer said nothing of who it is.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.psk.is_none()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("certificates", &self.certificates.len())
            .field("psk", &self.psk)
            .finish()
    }
}
