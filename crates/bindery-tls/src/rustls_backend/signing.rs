//! Keys that sign with the schemes of a plan only.

use std::sync::Arc;

use rustls::{
    SignatureAlgorithm,
    sign::{Signer, SigningKey},
};
use rustls_pki_types::SubjectPublicKeyInfoDer;

use crate::{SignatureScheme, TlsError, TlsErrorKind};

/// The same key, held to these schemes.
///
/// # Errors
/// It can sign with none of them.
pub(super) fn limited(
    key: Arc<dyn SigningKey>,
    schemes: &[SignatureScheme],
    origin: &str,
) -> Result<Arc<dyn SigningKey>, TlsError> {
    let schemes: Vec<_> =
        schemes.iter().map(|scheme| rustls::SignatureScheme::from(scheme.id)).collect();
    if key.choose_scheme(&schemes).is_none() {
        let message = format!(
            "{origin}: a key of {:?}, which signs with no scheme of the policy",
            key.algorithm()
        );
        let hint = "use a key for one of its schemes (bindery tls policy NAME shows them), or \
                    another policy";
        return Err(TlsError::new(TlsErrorKind::PolicyNotMet, message, hint));
    }
    Ok(Arc::new(Limited { key, schemes }))
}

#[derive(Debug)]
struct Limited {
    key: Arc<dyn SigningKey>,
    schemes: Vec<rustls::SignatureScheme>,
}

impl SigningKey for Limited {
    fn choose_scheme(&self, offered: &[rustls::SignatureScheme]) -> Option<Box<dyn Signer>> {
        let both: Vec<_> = offered.iter().copied().filter(|s| self.schemes.contains(s)).collect();
        self.key.choose_scheme(&both)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
