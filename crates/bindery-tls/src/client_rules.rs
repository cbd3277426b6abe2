//! How strict a server is with the certificates of its clients, beyond the chain.

use crate::{Certificate, TlsError, TlsErrorKind};

/// How strict a server is with what a client's certificate says of itself.
///
/// The default is what RFC 5280 asks for: Extended Key Usage counts where it is there, and a client
/// needs no subjectAltName.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientRules {
    /// What Extended Key Usage must say.
    pub usage: Usage,
    /// Whether there must be a subjectAltName. Products whose own client certificates have none
    /// (HashiCorp Vault's KMIP secrets engine is one) are refused with it.
    pub names_required: bool,
}

/// What the Extended Key Usage of a client's certificate must say (RFC 5280, 4.2.1.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Usage {
    /// clientAuth must be there, as PyKMIP's server has it. Certificates without the extension are
    /// refused.
    Stated,
    /// Where the extension is there, it must have clientAuth. The default.
    #[default]
    WherePresent,
    /// serverAuth does as well as clientAuth: for appliances (VMware ESXi is one) that show their
    /// server's certificate as clients. Whoever has a server's certificate of a client authority
    /// is then a client.
    DangerousServersToo,
}

impl ClientRules {
    /// Checks what these rules ask for beyond the chain and the usages that the chain check knows;
    /// for backends.
    ///
    /// # Errors
    /// [`TlsErrorKind::BadCertificate`], the peer's fault: what the certificate lacks.
    pub fn check(self, leaf: &Certificate) -> Result<(), TlsError> {
        let subject = &leaf.subject;
        if self.usage == Usage::Stated && !leaf.usage_stated {
            let message = format!(
                "the client's certificate ({subject}) has no Extended Key Usage, and this server \
                 asks for clientAuth in it"
            );
            let hint = "issue one with extendedKeyUsage = clientAuth, or relax the server's rule \
                        (client_usage = \"where-present\")";
            return Err(broken(message, hint));
        }
        if self.names_required && !leaf.has_names {
            let message = format!(
                "the client's certificate ({subject}) has no subjectAltName, and this server asks \
                 for one"
            );
            let hint = "issue one with a subjectAltName, or relax the server's rule \
                        (client_names = \"optional\")";
            return Err(broken(message, hint));
        }
        Ok(())
    }
}

fn broken(message: String, hint: &'static str) -> TlsError {
    TlsError::new(TlsErrorKind::BadCertificate, message, hint).by_peer()
}
