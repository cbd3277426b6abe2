//! The check of the other side's certificate: OpenSSL's own, and what this side asks beyond it.

use std::sync::{Arc, Mutex, PoisonError};

use bindery_tls::{Certificate, ClientRules, Crls, Roots, TlsError, TlsErrorKind, Usage};
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{Ssl, SslContextBuilder, SslRef, SslVerifyMode},
    x509::{
        X509, X509PurposeId, X509StoreContext, X509StoreContextRef, X509VerifyResult,
        store::{X509Store, X509StoreBuilder},
        verify::X509VerifyFlags,
    },
};
use rustls_pki_types::CertificateDer;

use crate::revocation::Lists;

/// Why a certificate was refused, where OpenSSL's code does not say it; one for each connection.
pub(crate) type Verdict = Arc<Mutex<Option<TlsError>>>;

/// What is asked of the other side's certificate.
pub(crate) struct Check {
    pub(crate) peer: &'static str,
    pub(crate) rules: ClientRules,
    pub(crate) lists: Lists,
    place: Index<Ssl, Verdict>,
    stack: Index<X509StoreContext, SslRef>,
}

impl Check {
    pub(crate) fn new(
        peer: &'static str,
        rules: ClientRules,
        crls: &Crls,
    ) -> Result<Self, TlsError> {
        let failed = |error: ErrorStack| {
            let message = format!("OpenSSL cannot be set up: {error}");
            TlsError::new(TlsErrorKind::Configuration, message, "report this as a defect")
        };
        let place = Ssl::new_ex_index().map_err(failed)?;
        let stack = X509StoreContext::ssl_idx().map_err(failed)?;
        Ok(Self { peer, rules, lists: Lists::new(crls)?, place, stack })
    }

    /// Where this check's connections keep their verdict.
    pub(crate) const fn place(&self) -> Index<Ssl, Verdict> {
        self.place
    }

    /// Has each certificate of the other side checked.
    pub(crate) fn ask(
        self,
        context: &mut SslContextBuilder,
        mode: SslVerifyMode,
        roots: &Roots,
    ) -> Result<(), TlsError> {
        let store = store(roots, self.rules.usage == Usage::DangerousServersToo)?;
        context.set_cert_store(store);
        context.set_verify_callback(mode, move |good, certificates| {
            if !good {
                return false;
            }
            // The last call is for the leaf, when the chain stands.
            if certificates.error_depth() != 0 {
                return true;
            }
            match self.judge(certificates) {
                Ok(()) => true,
                Err(error) => {
                    certificates.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
                    self.note(certificates, error);
                    false
                }
            }
        });
        Ok(())
    }

    fn judge(&self, certificates: &X509StoreContextRef) -> Result<(), TlsError> {
        let (Some(leaf), Some(chain)) = (certificates.current_cert(), certificates.chain()) else {
            let message = format!("OpenSSL took the {} without a chain", self.peer);
            return Err(TlsError::new(
                TlsErrorKind::BadCertificate,
                message,
                "report this as a defect",
            ));
        };
        self.lists.check(chain, self.peer)?;
        if self.rules == ClientRules::default() {
            return Ok(());
        }
        let der = leaf.to_der().map(CertificateDer::from).map_err(|error| {
            let message = format!("the {}'s certificate cannot be written: {error}", self.peer);
            TlsError::new(TlsErrorKind::BadCertificate, message, "issue it anew").by_peer()
        })?;
        let leaf = Certificate::from_der(&der)?;
        if !(leaf.for_clients || leaf.for_servers) {
            // OpenSSL was told to leave the usage to us: see `store`.
            let message = format!(
                "the {}'s certificate ({}) is neither a client's nor a server's",
                self.peer, leaf.subject
            );
            let hint = "issue one whose Extended Key Usage has clientAuth";
            return Err(TlsError::new(TlsErrorKind::BadCertificate, message, hint).by_peer());
        }
        self.rules.check(&leaf)
    }

    fn note(&self, certificates: &X509StoreContextRef, error: TlsError) {
        let verdict = certificates.ex_data(self.stack).and_then(|ssl| ssl.ex_data(self.place));
        if let Some(verdict) = verdict {
            *verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

/// The authorities. Each of them is trusted by itself, whether or not its own issuer is there, as
/// in the other backend.
fn store(roots: &Roots, servers_too: bool) -> Result<X509Store, TlsError> {
    let fill = || -> Result<X509Store, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        if servers_too {
            store.set_purpose(X509PurposeId::ANY)?;
        }
        for root in roots.certificates() {
            store.add_cert(X509::from_der(root)?)?;
        }
        Ok(store.build())
    };
    fill().map_err(|error| {
        let message = format!("{}: OpenSSL cannot use it as an authority: {error}", roots.origin());
        let hint = "take the certificate out of the file, or replace it";
        TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
    })
}

/// The certificates that the other side showed, leaf first.
pub(crate) fn chain(ssl: &SslRef) -> Result<Arc<[CertificateDer<'static>]>, TlsError> {
    let Some(leaf) = ssl.peer_certificate() else { return Ok(Arc::from([])) };
    let unreadable = |error: ErrorStack| {
        let message = format!("the other side's certificate cannot be written: {error}");
        TlsError::new(TlsErrorKind::BadCertificate, message, "issue it anew").by_peer()
    };
    let leaf = leaf.to_der().map_err(unreadable)?;
    let mut chain = vec![CertificateDer::from(leaf)];
    // On a client's side the stack begins with the leaf, on a server's side it does not.
    for certificate in ssl.peer_cert_chain().into_iter().flatten() {
        let der = CertificateDer::from(certificate.to_der().map_err(unreadable)?);
        if !chain.contains(&der) {
            chain.push(der);
        }
    }
    Ok(chain.into())
}
