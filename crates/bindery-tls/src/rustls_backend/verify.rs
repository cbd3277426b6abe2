//! What checks the other side's certificate: rustls' own checks, within what the plan and the
//! server's rules say.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::KeyUsage;

use super::{chains::Chains, client, handshake, trust::Trusted};
use crate::{Certificate, ClientRules, Plan};

/// The schemes of a plan, as rustls has them.
pub(super) fn schemes(plan: &Plan) -> Vec<SignatureScheme> {
    plan.signatures.iter().map(|scheme| scheme.id.into()).collect()
}

fn check_scheme(schemes: &[SignatureScheme], signed: &DigitallySignedStruct) -> Result<(), Error> {
    if schemes.contains(&signed.scheme) {
        Ok(())
    } else {
        Err(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }
}

/// The check of servers: rustls' own, with the plan's signature schemes.
#[derive(Debug)]
pub(super) struct ServerCheck {
    pub(super) trusted: Trusted<Arc<dyn ServerCertVerifier>>,
    pub(super) schemes: Vec<SignatureScheme>,
}

impl ServerCheck {
    fn any(&self) -> Result<&Arc<dyn ServerCertVerifier>, Error> {
        self.trusted.any().ok_or_else(|| CertificateError::UnknownIssuer.into())
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let check = self.trusted.of(server).ok_or(CertificateError::UnknownIssuer)?;
        check.verify_server_cert(server, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        client::note_parameters(message);
        check_scheme(&self.schemes, signature)?;
        self.any()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_scheme(&self.schemes, signature)?;
        self.any()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let has = self.trusted.any().map(|any| any.supported_verify_schemes()).unwrap_or_default();
        self.schemes.iter().copied().filter(|scheme| has.contains(scheme)).collect()
    }
}

/// The check of client certificates by one set of authorities.
pub(super) struct ByAuthority {
    /// rustls' own, without revocation lists.
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) chains: Chains,
    /// Whether a server's certificate does as well.
    pub(super) servers_too: bool,
}

impl ByAuthority {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chains = |usage| self.chains.check(leaf, intermediates, now, usage, "client");
        let error = if self.chains.lists.is_none() {
            match self.inner.verify_client_cert(leaf, intermediates, now) {
                Ok(checked) => return Ok(checked),
                Err(error) => error,
            }
        } else {
            match chains(KeyUsage::client_auth()) {
                Ok(()) => return Ok(ClientCertVerified::assertion()),
                Err(Some(error)) => return Err(error),
                Err(None) => {
                    let own = self.inner.verify_client_cert(leaf, intermediates, now);
                    own.err().unwrap_or_else(|| CertificateError::UnknownIssuer.into())
                }
            }
        };
        if !self.servers_too || !is_purpose(&error) {
            return Err(error);
        }
        let checked = chains(KeyUsage::server_auth());
        checked.map(|()| ClientCertVerified::assertion()).map_err(|found| found.unwrap_or(error))
    }
}

/// The check of clients: rustls' own, with the plan's signature schemes and the server's rules. What
/// it refuses is noted, for the log.
pub(super) struct ClientCheck {
    trusted: Trusted<ByAuthority>,
    schemes: Vec<SignatureScheme>,
    rules: ClientRules,
    /// The names of all trusted certificates, which clients are told.
    hints: Vec<DistinguishedName>,
    mandatory: bool,
}

impl ClientCheck {
    pub(super) fn new(
        trusted: Trusted<ByAuthority>,
        schemes: Vec<SignatureScheme>,
        rules: ClientRules,
        mandatory: bool,
    ) -> Self {
        let hints = trusted.all().flat_map(|one| one.inner.root_hint_subjects()).cloned().collect();
        Self { trusted, schemes, rules, hints, mandatory }
    }

    /// Whether this certificate is taken.
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let check = self.trusted.of(leaf).ok_or(CertificateError::UnknownIssuer)?;
        let checked = check.check(leaf, intermediates, now)?;
        self.check_rules(leaf)?;
        Ok(checked)
    }

    /// What the server's rules say of a certificate whose chain is good.
    fn check_rules(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if self.rules == ClientRules::default() {
            return Ok(());
        }
        let read = Certificate::from_der(leaf);
        read.and_then(|certificate| self.rules.check(&certificate)).map_err(|error| {
            let error = OtherError(Arc::new(error));
            Error::InvalidCertificate(CertificateError::Other(error))
        })
    }

    fn any(&self) -> Result<&Arc<dyn ClientCertVerifier>, Error> {
        let any = self.trusted.any().map(|one| &one.inner);
        any.ok_or_else(|| CertificateError::UnknownIssuer.into())
    }
}

impl ClientCertVerifier for ClientCheck {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, intermediates, now).inspect_err(|_| handshake::note_refused(leaf))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_scheme(&self.schemes, signature)
            .and_then(|()| self.any()?.verify_tls12_signature(message, certificate, signature))
            .inspect_err(|_| handshake::note_refused(certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_scheme(&self.schemes, signature)
            .and_then(|()| self.any()?.verify_tls13_signature(message, certificate, signature))
            .inspect_err(|_| handshake::note_refused(certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let any = self.trusted.any();
        let has = any.map(|any| any.inner.supported_verify_schemes()).unwrap_or_default();
        self.schemes.iter().copied().filter(|scheme| has.contains(scheme)).collect()
    }
}

impl fmt::Debug for ClientCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCheck").field("rules", &self.rules).finish_non_exhaustive()
    }
}

fn is_purpose(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }
        )
    )
}
