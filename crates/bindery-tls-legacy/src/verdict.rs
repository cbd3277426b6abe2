//! The check of the other side's certificate: OpenSSL's own, and what this side asks beyond it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bindery_tls::{
    Certificate, ClientRules, Crls, Roots, ShownCertificate, TlsError, TlsErrorKind, Usage,
};
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{Ssl, SslContextBuilder, SslRef, SslVerifyMode},
    stack::{Stack, StackRef},
    x509::{
        X509, X509PurposeId, X509Ref, X509StoreContext, X509StoreContextRef, X509VerifyResult,
        store::{X509Store, X509StoreBuilder},
        verify::X509VerifyFlags,
    },
};
use rustls_pki_types::CertificateDer;

use crate::{
    failure::{Side, of_code},
    revocation::Lists,
};

/// What is noted while a handshake runs, for its error; one for each connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict(Arc<Mutex<Noted>>);

/// What OpenSSL's code does not say of a handshake that failed.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Why a certificate was refused.
    pub(crate) error: Option<TlsError>,
    /// The certificate that was refused.
    pub(crate) shown: Option<ShownCertificate>,
    /// The PSK identity that a client named, and whether it is known here.
    pub(crate) identity: Option<(String, bool)>,
}

impl Verdict {
    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked of the other side's certificate.
pub(crate) struct Check {
    pub(crate) peer: &'static str,
    pub(crate) rules: ClientRules,
    pub(crate) lists: Lists,
    place: Index<Ssl, Verdict>,
    stack: Index<X509StoreContext, SslRef>,
}

/// The check of certificates outside a handshake.
pub(crate) struct Recheck {
    check: Arc<Check>,
    store: X509Store,
}

impl Recheck {
    pub(crate) fn new(check: Arc<Check>, roots: &Roots) -> Result<Self, TlsError> {
        // Within a handshake OpenSSL knows by itself that it is a client's.
        let purpose = match check.rules.usage {
            Usage::DangerousServersToo => X509PurposeId::ANY,
            _ => X509PurposeId::SSL_CLIENT,
        };
        let store = store(roots, Some(purpose))?;
        Ok(Self { check, store })
    }

    /// Whether a chain that a client showed would be taken now; nothing is said of none.
    pub(crate) fn check(&self, chain: &[CertificateDer<'_>]) -> Result<(), TlsError> {
        let Some((first, rest)) = chain.split_first() else { return Ok(()) };
        self.verified(first, rest)
            .unwrap_or_else(|error| {
                let message = format!("the client's certificate cannot be checked: {error}");
                Err(TlsError::new(TlsErrorKind::BadCertificate, message, "report this as a defect"))
            })
            .map_err(|error| error.with_certificate(ShownCertificate::of(first)))
    }

    fn verified(
        &self,
        first: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
    ) -> Result<Result<(), TlsError>, ErrorStack> {
        let leaf = X509::from_der(first)?;
        let mut others = Stack::new()?;
        for der in rest {
            others.push(X509::from_der(der)?)?;
        }
        let mut context = X509StoreContext::new()?;
        context.init(&self.store, &leaf, &others, |certificates| {
            if !certificates.verify_cert()? {
                return Ok(Err(of_code(certificates.error(), Side::Server)));
            }
            let Some(chain) = certificates.chain() else { return Ok(Ok(())) };
            Ok(self.check.judge(&leaf, chain))
        })
    }
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
        self: Arc<Self>,
        context: &mut SslContextBuilder,
        mode: SslVerifyMode,
        roots: &Roots,
    ) -> Result<(), TlsError> {
        self.lists.check_signatures(roots)?;
        let any = self.rules.usage == Usage::DangerousServersToo;
        let store = store(roots, any.then_some(X509PurposeId::ANY))?;
        context.set_cert_store(store);
        context.set_verify_callback(mode, move |good, certificates| {
            if !good {
                self.note(certificates, None);
                return false;
            }
            // The last call is for the leaf, when the chain stands.
            if certificates.error_depth() != 0 {
                return true;
            }
            match self.judge_current(certificates) {
                Ok(()) => true,
                Err(error) => {
                    certificates.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
                    self.note(certificates, Some(error));
                    false
                }
            }
        });
        Ok(())
    }

    fn judge_current(&self, certificates: &X509StoreContextRef) -> Result<(), TlsError> {
        let (Some(leaf), Some(chain)) = (certificates.current_cert(), certificates.chain()) else {
            let message = format!("OpenSSL took the {} without a chain", self.peer);
            return Err(TlsError::new(
                TlsErrorKind::BadCertificate,
                message,
                "report this as a defect",
            ));
        };
        self.judge(leaf, chain)
    }

    /// OpenSSL lets a certificate without Basic Constraints vouch for others where its Key Usage has keyCertSign. It is
    /// trusted for itself alone, as in the other backend; those of X.509 version 1 cannot say what they are.
    fn vouches(&self, chain: &StackRef<X509>) -> Result<(), TlsError> {
        let unreadable = |error: ErrorStack| {
            let message =
                format!("a certificate of the {}'s chain cannot be written: {error}", self.peer);
            TlsError::new(TlsErrorKind::BadCertificate, message, "issue it anew").by_peer()
        };
        for authority in chain.iter().skip(1).filter(|one| one.version() == VERSION_3) {
            let der = authority.to_der().map(CertificateDer::from).map_err(unreadable)?;
            let authority = Certificate::from_der(&der)?;
            if !authority.is_authority {
                let message = format!(
                    "the {}'s certificate is signed by {}, which is no authority (no Basic Constraints CA:TRUE)",
                    self.peer, authority.subject
                );
                let hint = "trust the authority that signs for others, or this certificate itself";
                return Err(TlsError::new(TlsErrorKind::UnknownAuthority, message, hint).by_peer());
            }
        }
        Ok(())
    }

    /// What is asked beyond OpenSSL's own check, of a chain that it takes.
    fn judge(&self, leaf: &X509Ref, chain: &StackRef<X509>) -> Result<(), TlsError> {
        self.vouches(chain)?;
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

    fn note(&self, certificates: &X509StoreContextRef, error: Option<TlsError>) {
        let verdict = certificates.ex_data(self.stack).and_then(|ssl| ssl.ex_data(self.place));
        let Some(verdict) = verdict else { return };
        let leaf = certificates.chain().and_then(|chain| chain.get(0));
        let leaf = leaf.or_else(|| certificates.current_cert());
        let der = leaf.and_then(|leaf| leaf.to_der().ok()).map(CertificateDer::from);
        let mut noted = verdict.noted();
        noted.shown = der.as_ref().map(ShownCertificate::of);
        noted.error = error;
    }
}

/// What a certificate of X.509 version 3 has in its field.
const VERSION_3: i32 = 2;

/// The authorities. Each of them is trusted by itself, whether or not its own issuer is there, as
/// in the other backend.
fn store(roots: &Roots, purpose: Option<X509PurposeId>) -> Result<X509Store, TlsError> {
    let fill = || -> Result<X509Store, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        if let Some(purpose) = purpose {
            store.set_purpose(purpose)?;
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
