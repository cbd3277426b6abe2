//! The accounts of the running server: what the file said when it was last read.

use std::sync::{Arc, PoisonError, RwLock};

use bindery_auth::Accounts;
use bindery_core::{Account, AccountFuture, CredentialStore};

/// Accounts that can be replaced while the server runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveAccounts(Arc<RwLock<Arc<Accounts>>>);

impl LiveAccounts {
    /// These, until others take their place.
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(accounts))))
    }

    fn now(&self) -> Arc<Accounts> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets the accounts of another take the place of these, for all who share them.
    pub(crate) fn replace_by(&self, other: &Self) {
        let fresh = other.now();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

impl CredentialStore for LiveAccounts {
    fn account<'a>(&'a self, user: &'a str) -> AccountFuture<'a, Option<Account>> {
        Box::pin(async move { self.now().account(user).await })
    }
}
