//! The file of accounts: who may prove with a password over HTTP who they are.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use bindery_auth::Accounts;
use bindery_core::{Account, DigestAlgorithm, DigestSecret, Principal};
use serde::{Deserialize, Serialize};

use super::{Loaded, Problems};

/// `[accounts]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountSettings {
    /// The file; nobody has a password without it.
    pub(crate) file: Option<PathBuf>,
    /// The realm that clients are told, and that goes into Digest's secrets.
    pub(crate) realm: String,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { file: None, realm: REALM.to_owned() }
    }
}

/// The realm where the configuration names none.
pub(crate) const REALM: &str = "bindery";

/// The file of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountFile {
    /// The accounts by user name.
    pub(crate) account: BTreeMap<String, AccountEntry>,
}

/// One account.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountEntry {
    /// The account that services know [the user name].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    /// The password for Basic: a PHC string of Argon2id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    /// What Digest is computed from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) digest: Vec<DigestEntry>,
}

impl fmt::Debug for AccountEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountEntry").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// What Digest is computed from.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DigestEntry {
    /// The algorithm.
    pub(crate) algorithm: DigestName,
    /// The realm that went into it.
    pub(crate) realm: String,
    /// H(user ":" realm ":" password) in lower-case hexadecimal digits: as good as the password.
    pub(crate) secret: String,
}

impl fmt::Display for DigestEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest {} in {}", self.algorithm.algorithm().name(), self.realm)
    }
}

/// An algorithm of Digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) enum DigestName {
    /// MD5.
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
}

impl DigestName {
    /// The algorithm.
    pub(crate) const fn algorithm(self) -> DigestAlgorithm {
        match self {
            Self::Md5 => DigestAlgorithm::Md5,
            Self::Sha256 => DigestAlgorithm::Sha256,
        }
    }

    /// The hexadecimal digits of its secret.
    const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
        }
    }
}

impl AccountEntry {
    /// Takes over what an entry of before has besides and the password proves too. Gives the names of
    /// what it does not: that was another password's, which is not to hold any longer.
    pub(crate) fn keep(&mut self, before: &Self, user: &str, password: &str) -> Vec<String> {
        let mut gone = Vec::new();
        if let (None, Some(phc)) = (&self.password, &before.password) {
            match bindery_auth::is_hash_of(phc, password) {
                true => self.password = Some(phc.clone()),
                false => gone.push("Basic".to_owned()),
            }
        }
        for digest in &before.digest {
            let same =
                |one: &&DigestEntry| one.algorithm == digest.algorithm && one.realm == digest.realm;
            if self.digest.iter().any(|one| same(&one)) {
                continue;
            }
            let algorithm = digest.algorithm.algorithm();
            let made = bindery_auth::secret(algorithm, user, &digest.realm, password);
            match made.secret == digest.secret {
                true => self.digest.push(digest.clone()),
                false => gone.push(digest.to_string()),
            }
        }
        gone
    }

    /// How its password can be proved.
    pub(crate) fn schemes(&self) -> Vec<String> {
        let basic = self.password.iter().map(|_| "Basic".to_owned());
        basic.chain(self.digest.iter().map(ToString::to_string)).collect()
    }

    /// What is wrong with the entry, if anything, and what to do about it.
    fn fault(&self, user: &str, realm: &str) -> Option<(String, &'static str)> {
        const AGAIN: &str = "write it with: bindery account set USER --password-file FILE";
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return Some((
                format!("{user:?} is no user name"),
                "leave out colons and control characters",
            ));
        }
        if self.principal.as_ref().is_some_and(String::is_empty) {
            return Some(("principal is empty".to_owned(), "leave it out, or name the account"));
        }
        if self.password.is_none() && self.digest.is_empty() {
            return Some(("it has neither password nor digest".to_owned(), AGAIN));
        }
        if self.password.as_ref().is_some_and(|phc| !bindery_auth::is_hash(phc)) {
            return Some(("password is no hash of Argon2id".to_owned(), AGAIN));
        }
        let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        for digest in &self.digest {
            if digest.secret.len() != digest.algorithm.digits()
                || !digest.secret.bytes().all(hexadecimal)
            {
                let name = digest.algorithm.algorithm().name();
                return Some((
                    format!("the secret of {name} has not {} digits", digest.algorithm.digits()),
                    AGAIN,
                ));
            }
        }
        if self.password.is_none() && self.digest.iter().all(|digest| digest.realm != realm) {
            let reason = format!("no digest is for the realm {realm:?} of the configuration");
            let remedy = "write it with: bindery account set USER --password-file FILE --scheme \
                          digest-sha256 --realm REALM";
            return Some((reason, remedy));
        }
        None
    }

    fn account(&self, user: &str) -> Account {
        let principal = self.principal.as_deref().unwrap_or(user);
        let mut account = Account::new(Principal::new(principal));
        account.password.clone_from(&self.password);
        account.digests = self
            .digest
            .iter()
            .map(|digest| {
                DigestSecret::new(digest.algorithm.algorithm(), &*digest.realm, &*digest.secret)
            })
            .collect();
        account
    }
}

impl AccountFile {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there, or no file of accounts.
    pub(crate) fn load(file: &Path) -> Result<Self, Problems> {
        let loaded: Result<Loaded<Self>, Problems> = Loaded::from_file(file);
        let remedy = "`bindery account set USER --password-file FILE` writes such a file";
        loaded.map(|loaded| loaded.value).map_err(|problems| problems.with_remedy(remedy))
    }

    /// The users that cannot prove themselves by Digest in a realm.
    pub(crate) fn without_digest(&self, realm: &str) -> Vec<&str> {
        let has = |entry: &AccountEntry| entry.digest.iter().any(|digest| digest.realm == realm);
        let without = self.account.iter().filter(|(_, entry)| !has(entry));
        without.map(|(user, _)| user.as_str()).collect()
    }

    /// The accounts, or what is wrong with each: key, reason, remedy.
    ///
    /// # Errors
    /// Entries that could never be used.
    pub(crate) fn accounts(
        &self,
        realm: &str,
    ) -> Result<Accounts, Vec<(String, String, &'static str)>> {
        let mut faults = Vec::new();
        let mut accounts = Accounts::new();
        for (user, entry) in &self.account {
            match entry.fault(user, realm) {
                Some((reason, remedy)) => faults.push((format!("account.{user}"), reason, remedy)),
                None => accounts = accounts.with(user, entry.account(user)),
            }
        }
        if faults.is_empty() { Ok(accounts) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(password: Option<&str>, digest: Option<(DigestName, &str, &str)>) -> AccountEntry {
        AccountEntry {
            principal: None,
            password: password.map(str::to_owned),
            digest: digest
                .map(|(algorithm, realm, secret)| DigestEntry {
                    algorithm,
                    realm: realm.to_owned(),
                    secret: secret.to_owned(),
                })
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn what_can_never_be_used_is_named() {
        let hash = bindery_auth::hash("secret", &[1; 16]).unwrap();
        let md5 = "0123456789abcdef0123456789abcdef";
        let good = entry(Some(&hash), Some((DigestName::Md5, "bindery", md5)));
        assert_eq!(good.fault("alice", "bindery"), None);
        for (user, entry, reason) in [
            ("a:b", good.clone(), "no user name"),
            ("", good, "no user name"),
            ("a", AccountEntry::default(), "neither"),
            ("a", entry(Some("secret"), None), "no hash"),
            ("a", entry(None, Some((DigestName::Md5, "bindery", "00"))), "32 digits"),
            ("a", entry(None, Some((DigestName::Sha256, "bindery", md5))), "64 digits"),
            ("a", entry(None, Some((DigestName::Md5, "else", md5))), "no digest is for the realm"),
        ] {
            let (told, _) = entry.fault(user, "bindery").unwrap();
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", entry(Some("phc"), Some((DigestName::Md5, "r", "ab"))));
        assert!(!shown.contains("phc") && !shown.contains("ab\""), "{shown}");
    }
}
