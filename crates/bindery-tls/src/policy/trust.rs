//! Whom a policy trusts, as files and identities.

use std::path::{Path, PathBuf};

use super::Policy;
use crate::{
    ClientConfig, Crls, Psk, PskIdentities, Roots, ServerConfig, Setting, TlsError, TlsErrorKind,
};

/// Whom a policy trusts. Empty in every built-in policy: these are an operator's own.
///
/// The files are read whenever a side is made of the policy, so that a reload finds new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trust {
    /// PEM files with the authorities that vouch for the other side, where the configuration of
    /// this side names none.
    pub anchors: Vec<PathBuf>,
    /// Files with revocation lists, PEM or DER, in which the other side's certificate is looked up
    /// besides those of this side's configuration.
    pub crls: Vec<PathBuf>,
    /// The identities of the pre-shared keys that may be configured (RFC 4279, section 5.1);
    /// `None` permits any.
    pub psk_identities: Option<Vec<Vec<u8>>>,
}

impl Policy {
    /// The same policy, whose files with relative paths are in this folder.
    #[must_use]
    pub fn with_files_in(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        for file in self.trust.anchors.iter_mut().chain(&mut self.trust.crls) {
            *file = folder.join(&*file);
        }
        self
    }
}

impl Trust {
    fn roots(&self) -> Result<Option<Roots>, TlsError> {
        if self.anchors.is_empty() {
            Ok(None)
        } else {
            let roots = Roots::from_pem_files(&self.anchors);
            roots.map(Some).map_err(|error| error.about(Setting::Authorities))
        }
    }

    /// What is configured, and the policy's lists that are not there yet.
    fn complete(&self, crls: &mut Crls) -> Result<(), TlsError> {
        let read = Crls::from_files(&self.crls);
        crls.add_missing(read.map_err(|error| error.about(Setting::RevocationLists))?);
        Ok(())
    }

    fn permits(&self, policy: &str, configured: &PskIdentities) -> Result<(), TlsError> {
        let Some(permitted) = &self.psk_identities else { return Ok(()) };
        let other = |psk: &&Psk| !permitted.iter().any(|one| one == psk.identity());
        let Some(psk) = configured.keys.iter().find(other) else { return Ok(()) };
        let message = format!(
            "the policy {policy} does not permit the PSK identity {}, and a key of it is configured",
            psk.identity().escape_ascii()
        );
        let hint = "take the key out, or name its identity in the policy's psk_identities";
        let error = TlsError::new(TlsErrorKind::PolicyNotMet, message, hint);
        Err(error.about(Setting::PresharedKeys))
    }
}

impl ServerConfig {
    /// The same server with what the policy trusts ([`Policy::trust`]): its authorities where none
    /// are configured, and its revocation lists. Backends do this by themselves; it is for who
    /// wants to look at the whole before, such as at [`ServerConfig::expiries`].
    ///
    /// # Errors
    /// A file of the policy cannot be read, or a pre-shared key is configured that the policy does
    /// not permit.
    pub fn with_trust_of(mut self, policy: &Policy) -> Result<Self, TlsError> {
        let trust = &policy.trust;
        if self.client_roots.is_none() {
            self.client_roots = trust.roots()?;
        }
        trust.complete(&mut self.crls)?;
        trust.permits(&policy.name, &self.psk)?;
        Ok(self)
    }
}

impl ClientConfig {
    /// A client that trusts whom the policy trusts ([`Policy::trust`]).
    ///
    /// # Errors
    /// The policy names no authority, or a file of it cannot be read.
    pub fn of_policy(policy: &Policy) -> Result<Self, TlsError> {
        let Some(roots) = policy.trust.roots()? else {
            let message = format!("the policy {} names no trust anchors", policy.name);
            let hint = "name the authorities' files in its trust_anchors, or configure them";
            return Err(TlsError::new(TlsErrorKind::Configuration, message, hint));
        };
        Self::new(roots).with_trust_of(policy)
    }

    /// The same client with the policy's revocation lists ([`Policy::trust`]); the authorities are
    /// its own. Backends do this by themselves.
    ///
    /// # Errors
    /// As [`ServerConfig::with_trust_of`].
    pub fn with_trust_of(mut self, policy: &Policy) -> Result<Self, TlsError> {
        policy.trust.complete(&mut self.crls)?;
        policy.trust.permits(&policy.name, &self.psk)?;
        Ok(self)
    }
}
