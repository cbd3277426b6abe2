//! What an operator may take out of a policy.

use bindery_core::{CipherSuite, TlsVersion};

use super::{Characteristics, ClientAuth, Group, PlanItem, SignatureScheme};
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
    /// Signature schemes that may stay.
    pub signatures: Option<Vec<SignatureScheme>>,
    /// What suites that stay are like.
    pub characteristics: Option<Characteristics>,
    /// Whether sessions are not resumed, whatever the policy says.
    pub no_resumption: bool,
    /// The least that is asked of clients. A demand that is weaker than the policy's own is an
    /// error when the policy is resolved.
    pub client_auth: Option<ClientAuth>,
}

impl Restriction {
    /// A restriction that narrows nothing yet.
    pub const fn new() -> Self {
        Self {
            versions: None,
            suites: None,
            groups: None,
            signatures: None,
            characteristics: None,
            no_resumption: false,
            client_auth: None,
        }
    }

    /// Leaves these versions only.
    #[must_use]
    pub fn with_versions(mut self, versions: impl Into<Vec<TlsVersion>>) -> Self {
        self.versions = Some(versions.into());
        self
    }

    /// Leaves the versions of these names only, such as `TLS 1.3`.
    ///
    /// # Errors
    /// A name that no version has; the message names it.
    pub fn with_versions_named<'a>(
        self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TlsError> {
        let versions = names.into_iter().map(version_named).collect::<Result<Vec<_>, _>>()?;
        Ok(self.with_versions(versions))
    }

    /// Whether one of its lists has this.
    pub(super) fn names(&self, what: PlanItem) -> bool {
        fn has<T: PartialEq>(list: Option<&Vec<T>>, what: &T) -> bool {
            list.is_some_and(|list| list.contains(what))
        }
        match what {
            PlanItem::Version(one) => has(self.versions.as_ref(), &one),
            PlanItem::Suite(one) => has(self.suites.as_ref(), &one),
            PlanItem::Group(one) => has(self.groups.as_ref(), &one),
            PlanItem::Signature(one) => has(self.signatures.as_ref(), &one),
        }
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
        let suites = names.into_iter().map(suite_named).collect::<Result<Vec<_>, _>>()?;
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
        let groups = names.into_iter().map(group_named).collect::<Result<Vec<_>, _>>()?;
        Ok(self.with_groups(groups))
    }

    /// Leaves these signature schemes only.
    #[must_use]
    pub fn with_signatures(mut self, signatures: impl Into<Vec<SignatureScheme>>) -> Self {
        self.signatures = Some(signatures.into());
        self
    }

    /// Leaves suites only that are like this.
    #[must_use]
    pub fn with_characteristics(mut self, characteristics: Characteristics) -> Self {
        self.characteristics = Some(characteristics);
        self
    }

    /// Resumes no session.
    #[must_use]
    pub const fn without_resumption(mut self) -> Self {
        self.no_resumption = true;
        self
    }

    /// Asks at least this of clients.
    #[must_use]
    pub const fn with_client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = Some(client_auth);
        self
    }
}

/// The version of a name such as `TLS 1.2`.
pub(super) fn version_named(name: &str) -> Result<TlsVersion, TlsError> {
    let known = [
        TlsVersion::SSL_3_0,
        TlsVersion::TLS_1_0,
        TlsVersion::TLS_1_1,
        TlsVersion::TLS_1_2,
        TlsVersion::TLS_1_3,
    ];
    known.into_iter().find(|version| version.name() == Some(name)).ok_or_else(|| {
        let hint = "write SSL 3.0, TLS 1.0, TLS 1.1, TLS 1.2 or TLS 1.3";
        configuration(format!("no protocol version is called {name:?}"), hint)
    })
}

/// The cipher suite of an IANA name.
pub(super) fn suite_named(name: &str) -> Result<CipherSuite, TlsError> {
    registry::suite_named(name).map(|row| row.suite).ok_or_else(|| {
        let hint = registry::suite_of_openssl(name).map_or_else(
            || "use IANA's names, such as TLS_AES_256_GCM_SHA384".to_owned(),
            |row| format!("that is OpenSSL's name; IANA's is {}", row.suite.name),
        );
        configuration(format!("no cipher suite is called {name:?}"), hint)
    })
}

/// The group of an IANA name.
pub(super) fn group_named(name: &str) -> Result<Group, TlsError> {
    registry::group_named(name).ok_or_else(|| {
        let hint = "use IANA's names, such as x25519 or secp256r1";
        configuration(format!("no key exchange group is called {name:?}"), hint)
    })
}
