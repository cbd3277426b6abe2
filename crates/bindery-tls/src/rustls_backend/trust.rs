//! Trusted certificates as rustls takes them: authorities together, and each that is trusted for
//! itself alone apart. To rustls every root is an authority: whoever has the key of one could sign
//! certificates in any name.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::{
    Roots, TlsError,
    pem::configuration,
    roots::{Root, Vouches},
};

/// What checks certificates by authorities, and by each certificate that is trusted for itself
/// alone.
#[derive(Debug)]
pub(super) struct Trusted<V> {
    /// By the authorities, if there are any.
    authorities: Option<V>,
    pinned: Vec<(CertificateDer<'static>, V)>,
}

impl<V> Trusted<V> {
    /// Makes a check for the authorities and one for each certificate that stands alone.
    pub(super) fn new(
        roots: &Roots,
        make: impl Fn(Arc<RootCertStore>) -> Result<V, TlsError>,
    ) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        let mut pinned = Vec::new();
        for root in roots.read()? {
            if root.vouches == Vouches::Itself {
                let mut alone = RootCertStore::empty();
                add(&mut alone, &root)?;
                pinned.push((root.der, make(Arc::new(alone))?));
            } else {
                add(&mut store, &root)?;
            }
        }
        // Without any certificate the check's maker says what is missing.
        let authorities = match store.is_empty() && !pinned.is_empty() {
            true => None,
            false => Some(make(Arc::new(store))?),
        };
        Ok(Self { authorities, pinned })
    }

    /// One check for all certificates.
    pub(super) const fn only(check: V) -> Self {
        Self { authorities: Some(check), pinned: Vec::new() }
    }

    /// What checks this certificate; none where only others are trusted.
    pub(super) fn of(&self, leaf: &CertificateDer<'_>) -> Option<&V> {
        let own = self.pinned.iter().find(|(der, _)| der == leaf).map(|(_, check)| check);
        own.or(self.authorities.as_ref())
    }

    /// Any of the checks, for what is the same for all.
    pub(super) fn any(&self) -> Option<&V> {
        self.authorities.as_ref().or_else(|| self.pinned.first().map(|(_, check)| check))
    }

    /// All checks.
    pub(super) fn all(&self) -> impl Iterator<Item = &V> {
        self.authorities.iter().chain(self.pinned.iter().map(|(_, check)| check))
    }
}

fn add(store: &mut RootCertStore, root: &Root) -> Result<(), TlsError> {
    store.add(root.der.clone()).map_err(|error| {
        let message = format!("{}: it cannot be used as an authority: {error}", root.place);
        configuration(message, "take it out of the file, or replace it").with_source(error)
    })
}
