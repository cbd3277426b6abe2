//! Accounts and used nonces of one process, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Mutex, PoisonError},
};

use bindery_core::{Account, AccountFuture, CredentialStore, ReplayGuard, Timestamp};

/// Accounts that a configuration gave.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    /// Nobody.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The same with an account by its user name; an earlier one of the name is replaced.
    #[must_use]
    pub fn with(mut self, user: impl Into<String>, account: Account) -> Self {
        self.0.insert(user.into(), account);
        self
    }
}

impl CredentialStore for Accounts {
    fn account<'a>(&'a self, user: &'a str) -> AccountFuture<'a, Option<Account>> {
        Box::pin(ready(Ok(self.0.get(user).cloned())))
    }
}

/// The nonces that were used in this process, with their counts, until they count no more.
///
/// At most so many uses are kept; when they are that many, those that end first are forgotten, and
/// nonces that end no later than these are taken for used: nothing is ever taken twice.
#[derive(Debug)]
pub struct SeenNonces {
    limit: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By end, so that what is over is found first.
    uses: BTreeSet<(Timestamp, String, u32)>,
    /// What ends up to here may have been forgotten.
    forgotten: Option<Timestamp>,
}

impl SeenNonces {
    /// Keeps at most so many uses.
    pub const fn new(limit: usize) -> Self {
        let seen = Seen { uses: BTreeSet::new(), forgotten: None };
        Self { limit, seen: Mutex::new(seen) }
    }

    fn note(&self, nonce: &str, count: u32, now: Timestamp, until: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.uses.first().is_some_and(|(end, ..)| *end < now) {
            seen.uses.pop_first();
        }
        if seen.forgotten.is_some_and(|bound| until <= bound) {
            return false;
        }
        let first = seen.uses.insert((until, nonce.to_owned(), count));
        while seen.uses.len() > self.limit {
            let oldest = seen.uses.pop_first();
            seen.forgotten = oldest.map(|(end, ..)| end).max(seen.forgotten);
        }
        first
    }
}

impl Default for SeenNonces {
    /// Keeps 65,536 uses, some ten megabytes.
    fn default() -> Self {
        Self::new(1 << 16)
    }
}

impl ReplayGuard for SeenNonces {
    fn is_first<'a>(
        &'a self,
        nonce: &'a str,
        count: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> AccountFuture<'a, bool> {
        Box::pin(ready(Ok(self.note(nonce, count, now, until))))
    }
}
