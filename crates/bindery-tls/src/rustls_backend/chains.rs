//! The check of chains by a set of authorities, with a lookup in revocation lists.

use std::{cell::Cell, fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::WebPkiSupportedAlgorithms,
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::lists::Lists;
use crate::{TlsError, TlsErrorKind};

/// What checks chains, and looks them up where there are lists.
#[derive(Clone)]
pub(super) struct Chains {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) lists: Option<Arc<Lists>>,
}

impl Chains {
    /// Checks a chain for a usage. `peer` says whose it is.
    ///
    /// # Errors
    /// Why it is refused; absent where rustls' own check says it better.
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: KeyUsage,
        peer: &str,
    ) -> Result<(), Option<Error>> {
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| None)?;
        // Of several paths the last one's refusal is told.
        let told = Cell::new(None);
        let look_up = |path: &VerifiedPath<'_>| {
            let Some(lists) = &self.lists else { return Ok(()) };
            lists.check(path, now, peer).map_err(|refused| {
                let kind = refused.kind();
                told.set(Some(refused));
                match kind {
                    TlsErrorKind::CertificateRevoked => webpki::Error::CertRevoked,
                    _ => webpki::Error::UnknownRevocationStatus,
                }
            })
        };
        let checked = leaf.verify_for_usage(
            self.algorithms.all,
            &self.roots.roots,
            intermediates,
            now,
            usage,
            None,
            Some(&look_up),
        );
        let Err(error) = checked else { return Ok(()) };
        Err(match error {
            webpki::Error::CertRevoked | webpki::Error::UnknownRevocationStatus => {
                told.take().map(of_lookup)
            }
            webpki::Error::UnknownIssuer => Some(CertificateError::UnknownIssuer.into()),
            _ => None,
        })
    }
}

/// A refusal of the lookup as rustls has it: its alert says "revoked" of what is revoked, and of what
/// cannot be looked up "certificate_unknown" (RFC 8446, section 6.2).
fn of_lookup(refused: TlsError) -> Error {
    Error::InvalidCertificate(match refused.kind() {
        TlsErrorKind::CertificateRevoked => CertificateError::Revoked,
        _ => CertificateError::Other(OtherError(Arc::new(refused))),
    })
}

/// rustls' check of servers, with a lookup in revocation lists.
#[derive(Debug)]
pub(super) struct LookedUp {
    pub(super) inner: Arc<WebPkiServerVerifier>,
    pub(super) chains: Chains,
}

impl ServerCertVerifier for LookedUp {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.chains.check(server, intermediates, now, KeyUsage::server_auth(), "server") {
            Ok(()) => {
                verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Err(Some(error)) => Err(error),
            Err(None) => {
                let own = self.inner.verify_server_cert(server, intermediates, name, ocsp, now);
                Err(own.err().unwrap_or_else(|| CertificateError::UnknownIssuer.into()))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

impl fmt::Debug for Chains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chains").field("lists", &self.lists).finish_non_exhaustive()
    }
}
