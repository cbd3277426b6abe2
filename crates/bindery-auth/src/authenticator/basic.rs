//! Passwords, checked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bindery_core::{Account, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Authenticator, Failed, Proof};
use crate::{digest, password};

/// How long a password that was right need not be hashed again.
const MEMORY: Duration = Duration::from_secs(5 * 60);
/// How many of them are remembered.
const REMEMBERED: usize = 4096;

/// Passwords that were right a moment ago, as MACs under a key of this process: Argon2 takes tens
/// of milliseconds, and a client sends its password with every request. A password that is changed
/// is noticed at once, since what it is hashed to goes into the MAC.
pub(super) struct Remembered {
    key: Zeroizing<[u8; 32]>,
    right: Mutex<BTreeMap<[u8; 32], Timestamp>>,
}

impl Remembered {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key), right: Mutex::new(BTreeMap::new()) }
    }

    fn mark(&self, phc: &str, password: &str) -> [u8; 32] {
        let mut mark = [0; 32];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.key) {
            mac.update(b"remembered password");
            mac.update(&(phc.len() as u64).to_be_bytes());
            mac.update(phc.as_bytes());
            mac.update(password.as_bytes());
            mark = mac.finalize().into_bytes().into();
        }
        mark
    }

    fn has(&self, mark: &[u8; 32], now: Timestamp) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(mark).is_some_and(|until| now <= *until)
    }

    fn keep(&self, mark: [u8; 32], now: Timestamp) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.retain(|_, until| now <= *until);
        }
        if right.len() < REMEMBERED {
            right.insert(mark, now.saturating_add(MEMORY));
        }
    }
}

impl Authenticator {
    /// Checks a password; what it takes does not depend on whether there is such a user.
    pub(super) async fn check_basic(&self, token: &str, now: Timestamp) -> Result<Proof, Failed> {
        const WRONG: Failed = Failed::Wrong("user name or password is wrong");
        let decoded = crate::basic::decode(token);
        let (user, given) = decoded.map_err(|error| Failed::Malformed(error.0.into()))?;
        let account = self.accounts.account(&user).await?;
        if let Some(account) = &account
            && account.password.is_none()
            && !account.digests.is_empty()
        {
            let right = self.is_of_digest(account, &user, &given);
            return if right { Ok(Proof::of(account)) } else { Err(WRONG) };
        }
        let known = account.as_ref().and_then(|account| account.password.clone());
        let phc = known.unwrap_or_else(|| self.decoy.clone());
        let mark = self.remembered.mark(&phc, &given);
        if !self.remembered.has(&mark, now) {
            let right =
                self.blocking.run(Box::new(move || password::is_hash_of(&phc, &given))).await;
            if !right {
                return Err(WRONG);
            }
            self.remembered.keep(mark, now);
        }
        match account {
            Some(account) if account.password.is_some() => Ok(Proof::of(&account)),
            // The decoy's own password is nobody's.
            _ => Err(WRONG),
        }
    }

    /// An account that has Digest's secrets only proves itself by these with Basic too.
    fn is_of_digest(&self, account: &Account, user: &str, given: &str) -> bool {
        let mut digests = account.digests.iter().filter(|known| known.realm == self.realm);
        digests.any(|known| {
            let made = digest::secret(known.algorithm, user, &self.realm, given);
            bool::from(made.secret.as_bytes().ct_eq(known.secret.as_bytes()))
        })
    }
}

impl Proof {
    pub(super) fn of(account: &Account) -> Self {
        Self { principal: account.principal.clone(), answering: None }
    }
}
