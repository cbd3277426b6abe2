//! What an operator may take out of a policy.

use bindery_core::{CipherSuite, TlsVersion};

use super::{ClientAuth, Group};
use crate::{TlsError, pem::configuration, registry};

/// An operator's narrowing of a policy. A list that is not given narrows nothing; a list that is
/// given leaves what it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restriction {
    /// Versions that may stay.
    pub versions: Option<Vec<TlsVersion>>,
    /// Suites that may stay.
    pub suites: Option<Vec<CipherSuite>>,
    /// Groups that may stay.
    pub groups: Option<Vec<Group>>,
    /// The least that is asked of clients. A demand that is weaker than the policy's own is an
    /// error when the policy is resolved.
    pub client_auth: Option<ClientAuth>,
}

impl Restriction {
    /// A restriction that narrows nothing yet.
    pub const fn new() -> Self {
        Self { versions: None, suites: None, groups: None, client_auth: None }
    }

    /// Leaves these versions only.
    #[must_use]
    pub fn with_versions(mut self, versions: impl Into<Vec<TlsVersion>>) -> Self {
        self.versions = Some(versions.into());
        self
    }

    /// Leaves these suites only.
    #[must_use]
    pub fn with_suites(mut self, suites: impl Into<Vec<CipherSuite>>) -> Self {
        self.suites = Some(suites.into());
        self
    }

    /// Leaves the suites of these IANA names only.
    ///
    /// # Errors
    /// A name that the registry does not have; the message names it.
    pub fn with_suites_named<'a>(
        self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TlsError> {
        let suites = names.into_iter().map(|name| {
            let row = registry::suite_named(name).ok_or_else(|| {
                let hint = "use IANA's names, such as TLS_AES_256_GCM_SHA384";
                configuration(format!("no cipher suite is called {name:?}"), hint)
            })?;
            Ok(row.suite)
        });
        let suites = suites.collect::<Result<Vec<_>, TlsError>>()?;
        Ok(self.with_suites(suites))
    }

    /// Leaves these groups only.
    #[must_use]
    pub fn with_groups(mut self, groups: impl Into<Vec<Group>>) -> Self {
        self.groups = Some(groups.into());
        self
    }

    /// Leaves the groups of these IANA names only.
    ///
    /// # Errors
    /// A name that the registry does not have; the message names it.
    pub fn with_groups_named<'a>(
        self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TlsError> {
        let groups = names.into_iter().map(|name| {
            registry::group_named(name).ok_or_else(|| {
                let hint = "use IANA's names, such as x25519 or secp256r1";
                configuration(format!("no key exchange group is called {name:?}"), hint)
            })
        });
        let groups = groups.collect::<Result<Vec<_>, TlsError>>()?;
        Ok(self.with_groups(groups))
    }

    /// Asks at least this of clients.
    #[must_use]
    pub const fn with_client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = Some(client_auth);
        self
    }
}
