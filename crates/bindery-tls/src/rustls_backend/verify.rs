//! What checks the other side's certificate: rustls' own checks, within what the plan and the
//! server's rules say.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::WebPkiSupportedAlgorithms,
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::{handshake, trust::Trusted};
use crate::{Certificate, ClientRules, Crls, Plan, TlsError, Usage, pem::configuration};

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
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) servers_too: Option<ServersToo>,
}

impl ByAuthority {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let checked = self.inner.verify_client_cert(leaf, intermediates, now);
        match (checked, &self.servers_too) {
            (Err(error), Some(servers)) if is_purpose(&error) => {
                servers.check(leaf, intermediates, now).map_err(|found| found.unwrap_or(error))
            }
            (checked, _) => checked,
        }
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

/// The lists as the chain check reads them, which takes fewer kinds than there are.
///
/// # Errors
/// A list that it does not take; the message names it.
pub(super) fn readable(crls: &Crls) -> Result<Vec<CertRevocationList<'static>>, TlsError> {
    let lists = crls.lists().map(|(der, origin)| {
        OwnedCertRevocationList::from_der(der).map(Into::into).map_err(|error| {
            let message =
                format!("{origin}: a revocation list of a kind that is not read: {error}");
            let hint = "ask the authority for a complete list of version 2 with its next update \
                        (RFC 5280, 5.1), no delta";
            configuration(message, hint).with_source(error)
        })
    });
    lists.collect()
}

fn is_purpose(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }
        )
    )
}

/// The check of [`Usage::DangerousServersToo`]: the same chain check with the other usage.
pub(super) struct ServersToo {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    lists: Vec<CertRevocationList<'static>>,
    settings: Crls,
}

impl ServersToo {
    /// The check, if the rules ask for it.
    pub(super) fn new(
        rules: ClientRules,
        roots: &Arc<RootCertStore>,
        algorithms: WebPkiSupportedAlgorithms,
        crls: &Crls,
    ) -> Result<Option<Self>, TlsError> {
        if rules.usage != Usage::DangerousServersToo {
            return Ok(None);
        }
        let lists = readable(crls)?;
        let roots = Arc::clone(roots);
        Ok(Some(Self { roots, algorithms, lists, settings: crls.clone() }))
    }

    /// The error is absent where the first check's own says it better.
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Option<Error>> {
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| None)?;
        let lists: Vec<_> = self.lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let options = options.with_depth(match self.settings.leaf_only {
                true => RevocationCheckDepth::EndEntity,
                false => RevocationCheckDepth::Chain,
            });
            let options = options.with_status_policy(match self.settings.unknown_taken {
                true => UnknownStatusPolicy::Allow,
                false => UnknownStatusPolicy::Deny,
            });
            options
                .with_expiration_policy(match self.settings.expired_taken {
                    true => ExpirationPolicy::Ignore,
                    false => ExpirationPolicy::Enforce,
                })
                .build()
        });
        leaf.verify_for_usage(
            self.algorithms.all,
            &self.roots.roots,
            intermediates,
            now,
            KeyUsage::server_auth(),
            revocation,
            None,
        )
        .map(|_| ClientCertVerified::assertion())
        .map_err(|error| match error {
            webpki::Error::UnknownIssuer => Some(CertificateError::UnknownIssuer.into()),
            webpki::Error::CertRevoked => Some(CertificateError::Revoked.into()),
            webpki::Error::UnknownRevocationStatus => {
                Some(CertificateError::UnknownRevocationStatus.into())
            }
            webpki::Error::CrlExpired { .. } => {
                Some(CertificateError::ExpiredRevocationList.into())
            }
            _ => None,
        })
    }
}
