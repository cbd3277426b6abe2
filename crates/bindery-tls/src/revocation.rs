//! Certificate revocation lists (RFC 5280, section 5).

mod found;
mod list;

use std::{cmp::Reverse, collections::BTreeMap, fmt, path::Path, sync::Arc};

use bindery_core::Timestamp;
use rustls_pki_types::{
    CertificateRevocationListDer,
    pem::{self as rfc7468, PemObject as _},
};

use crate::{
    TlsError, pem,
    pem::configuration,
    roots::{Root, Vouches},
};

pub use found::Found;
pub use list::Crl;
pub(crate) use list::{Part, Signed, public_key, uris};

/// Revocation lists, and how strictly they are taken.
///
/// Without a list nothing is checked. With one, every certificate of a chain must be covered by a
/// list that is in date, unless told otherwise. Of several lists of one authority the newest counts
/// (RFC 5280, 5.2.3), in whatever order they were given.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Crls {
    lists: Vec<Arc<Crl>>,
    /// Whether only the other side's own certificate is looked up, and not those of the
    /// authorities between it and the root.
    pub leaf_only: bool,
    /// Whether a certificate is taken that no list speaks of.
    pub unknown_taken: bool,
    /// Whether a list counts beyond the time at which the next one was promised.
    pub expired_taken: bool,
}

impl Crls {
    /// Reads lists from files, each in PEM or DER.
    ///
    /// # Errors
    /// A file cannot be read, or holds no list; the message names the file.
    pub fn from_files<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, TlsError> {
        let mut crls = Self::default();
        for path in paths {
            let path = path.as_ref();
            let octets = pem::read_up_to(pem::CRL_LIMIT, path, "revocation list")?;
            crls.add(&octets, &format!("revocation list file {}", path.display()))?;
        }
        Ok(crls)
    }

    /// Reads lists from PEM text, or one from DER.
    ///
    /// # Errors
    /// There is none, or one that cannot be read.
    pub fn from_octets(octets: &[u8]) -> Result<Self, TlsError> {
        let mut crls = Self::default();
        crls.add(octets, "revocation list text")?;
        Ok(crls)
    }

    /// Takes the other's lists that are not here yet.
    pub(crate) fn add_missing(&mut self, other: Self) {
        for list in other.lists {
            if !self.lists.iter().any(|one| one.der == list.der) {
                self.lists.push(list);
            }
        }
        self.newest_first();
    }

    /// Backends take the first list that speaks of a certificate, and a later list takes the place
    /// of an earlier one: whoever was revoked in between must not slip through.
    fn newest_first(&mut self) {
        let age = |list: &Arc<Crl>| (list.this_update, list.number.len(), list.number.clone());
        self.lists.sort_by_key(|list| Reverse(age(list)));
    }

    /// The last second at which all authorities whose lists are here are covered by one in date; `None`
    /// where dates do not matter or are not given.
    pub(crate) fn in_date_until(&self) -> Option<Timestamp> {
        if self.expired_taken {
            return None;
        }
        let mut last: BTreeMap<&[u8], Timestamp> = BTreeMap::new();
        for list in &self.lists {
            let Some(next) = list.next_update else { continue };
            let known = last.entry(&*list.issuer_der).or_insert(next);
            *known = next.max(*known);
        }
        let next = last.into_values().min()?;
        Some(Timestamp::from_unix_seconds(next.unix_seconds().saturating_sub(1)))
    }

    /// Whether the lists are of the trusted authorities and in date; and what is allowed and should be
    /// known.
    ///
    /// A list of nobody that is trusted may be of an authority between a root and the other side's
    /// certificate, which the other side shows: as long as another list covers a root, or roots need
    /// no list, it is only told. So is a list of a key that an authority has had before, beside one of
    /// its present key; and a list that has run out, as long as others have not.
    ///
    /// # Errors
    /// A list by another key than that of the authority of its name, which has no other; lists that
    /// have all run out; or lists that cover none of the authorities, where each must be covered:
    /// nobody could be accepted. The message names the files, the fields and the authorities.
    pub(crate) fn check(&self, roots: &[Root], now: Timestamp) -> Result<Vec<String>, TlsError> {
        let mut remarks = Vec::new();
        let mut foreign = Vec::new();
        for list in &self.lists {
            let (origin, issuer) = (&list.origin, &list.issuer);
            let named: Vec<&Root> = roots.iter().filter(|root| list.names(root)).collect();
            if named.is_empty() {
                foreign.push(format!("{origin} is of {issuer}{}", list.alike(roots)));
                remarks.push(format!(
                    "{origin}: it is of {issuer}, which is none of the trusted authorities: it counts \
                     only if that is an authority below one of them"
                ));
            } else if !named.iter().any(|root| list.speaks_for(root)) {
                remarks.push(self.of_former_key(list, &named)?);
            }
        }
        remarks.extend(self.check_dates(now)?);
        remarks.extend(self.check_cover(roots, now, &foreign)?);
        Ok(remarks)
    }

    /// What to tell of a list that no present key of its authority signed.
    ///
    /// # Errors
    /// There is no other list of that authority.
    fn of_former_key(&self, list: &Crl, named: &[&Root]) -> Result<String, TlsError> {
        let places: Vec<&str> = named.iter().map(|root| root.place.as_str()).collect();
        let message = format!(
            "{}: it is of {}, but by another key than {} has (its Authority Key Identifier differs)",
            list.origin,
            list.issuer,
            places.join(" and ")
        );
        let covered = named.iter().all(|root| self.lists.iter().any(|one| one.speaks_for(root)));
        if covered {
            return Ok(format!("{message}: nothing is looked up in it; take it out"));
        }
        let hint = "fetch the list that the trusted authority of this name signed, or trust the \
                    authority's present certificate";
        Err(configuration(message, hint))
    }

    /// What to tell of lists that have run out.
    ///
    /// # Errors
    /// All have, and that counts: nobody could be accepted.
    fn check_dates(&self, now: Timestamp) -> Result<Vec<String>, TlsError> {
        let replaced = |list: &Crl| {
            let newer = |one: &&Arc<Crl>| {
                one.issuer_der == list.issuer_der
                    && one.part == list.part
                    && one.key_id == list.key_id
                    && !one.has_run_out(now)
            };
            self.lists.iter().any(|one| newer(&one))
        };
        let counts = |list: &&Arc<Crl>| list.has_run_out(now) && !replaced(list);
        let out: Vec<&Arc<Crl>> = self.lists.iter().filter(counts).collect();
        let told =
            |list: &Crl| format!("{}: the list of {} {}", list.origin, list.issuer, list.next());
        if self.expired_taken {
            return Ok(out
                .iter()
                .map(|list| format!("{}; it counts all the same", told(list)))
                .collect());
        }
        let counted = self.lists.iter().filter(|list| !list.has_run_out(now)).count();
        if let (0, false, Some(first)) = (counted, self.unknown_taken, out.first()) {
            let message = format!(
                "{}, and there is no other in date: everybody would be refused",
                told(first)
            );
            return Err(configuration(message, RENEW));
        }
        let refused = |list: &&Arc<Crl>| {
            format!(
                "{}: whoever it speaks of is refused until a new one is here; {RENEW}",
                told(list)
            )
        };
        Ok(out.iter().map(refused).collect())
    }

    /// What to tell of authorities that no list in date covers, where each needs one.
    ///
    /// # Errors
    /// None of them has one.
    fn check_cover(
        &self,
        roots: &[Root],
        now: Timestamp,
        foreign: &[String],
    ) -> Result<Vec<String>, TlsError> {
        if self.lists.is_empty() || self.leaf_only || self.unknown_taken {
            return Ok(Vec::new());
        }
        let covers = |list: &Crl, root: &Root| {
            list.speaks_for(root) && (self.expired_taken || !list.has_run_out(now))
        };
        if !roots.is_empty() && !roots.iter().any(|root| self.lists.iter().any(|l| covers(l, root)))
        {
            let subjects: Vec<&str> = roots.iter().map(|root| root.subject.as_str()).collect();
            let out = self.lists.iter().filter(|l| roots.iter().any(|root| l.names(root)));
            let out = out.map(|list| format!("{} has run out", list.origin));
            let found: Vec<String> = foreign.iter().cloned().chain(out).collect();
            let message = format!(
                "no revocation list is of a trusted authority ({}) and in date: {}",
                subjects.join(", "),
                found.join(", ")
            );
            let hint = "name the lists of the authorities, or look up less (crl_check)";
            return Err(configuration(message, hint));
        }
        let bare = roots.iter().filter(|root| !self.lists.iter().any(|list| list.names(root)));
        let told = bare.map(|root| {
            let whose = match root.vouches {
                Vouches::Itself => "it is",
                _ => "whoever it vouches for is",
            };
            format!(
                "{}: there is no revocation list of {}, so that {whose} refused: name its list, or \
                 look up less (crl_check)",
                root.place, root.subject
            )
        });
        Ok(told.collect())
    }

    /// The first list that is not of everything that its authority took back, with the identifier of
    /// the critical extension that says so: a delta, an indirect list, a part. For backends that
    /// take every list for a whole one.
    pub fn limited(&self) -> Option<(&str, &str)> {
        self.lists.iter().find_map(|list| Some((&*list.origin, list.limited.as_deref()?)))
    }

    /// Whether there is no list.
    pub const fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The lists, newest first; for backends.
    pub fn lists(&self) -> impl Iterator<Item = &Crl> {
        self.lists.iter().map(|list| &**list)
    }

    /// Origin, issuer, and the time at which the next list is promised.
    pub(crate) fn next_updates(&self) -> Vec<(String, String, Timestamp)> {
        let lists = self.lists.iter();
        lists
            .filter_map(|list| {
                Some((list.origin.to_string(), list.issuer.clone(), list.next_update?))
            })
            .collect()
    }

    fn add(&mut self, octets: &[u8], origin: &str) -> Result<(), TlsError> {
        // A DER SEQUENCE begins with 0x30, which is the digit 0: no PEM text begins with it.
        if octets.first() == Some(&0x30) {
            self.lists.push(Arc::new(Crl::read(octets.to_vec().into(), origin)?));
            self.newest_first();
            return Ok(());
        }
        let before = self.lists.len();
        for der in CertificateRevocationListDer::pem_slice_iter(octets) {
            let der = der.map_err(|error| {
                let why = match &error {
                    rfc7468::Error::MissingSectionEnd { .. } => {
                        "its END line is missing".to_owned()
                    }
                    _ => error.to_string(),
                };
                let message = format!("{origin}: not PEM: {why}");
                configuration(message, "write it whole, between its BEGIN and END lines")
            })?;
            self.lists.push(Arc::new(Crl::read(der, origin)?));
        }
        if self.lists.len() == before {
            let message = format!("{origin}: no X509 CRL in it");
            let hint = "name a file with the authority's revocation list, in PEM or DER";
            return Err(configuration(message, hint));
        }
        self.newest_first();
        Ok(())
    }
}

/// What to do with a list that has run out.
const RENEW: &str = "fetch the authority's new list, or let lists count beyond their time (crl_check = \
                     \"chain-where-known\")";

impl Crl {
    /// Whether the list is of an authority of this name.
    fn names(&self, root: &Root) -> bool {
        *self.issuer_der == *root.subject_der
    }

    /// Whether the list may be of this authority, and of its key.
    fn speaks_for(&self, root: &Root) -> bool {
        self.names(root) && !self.is_of_another_key(root.key_id.as_deref())
    }

    /// What to add of a list whose authority's name is written as a trusted one's, and is another.
    fn alike(&self, roots: &[Root]) -> &'static str {
        match roots.iter().any(|root| root.subject == self.issuer) {
            true => {
                ", a name that is the same in writing and encoded in another way (compare: openssl asn1parse)"
            }
            false => "",
        }
    }
}

impl fmt::Debug for Crls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crls")
            .field("lists", &self.lists.len())
            .field("leaf_only", &self.leaf_only)
            .field("unknown_taken", &self.unknown_taken)
            .field("expired_taken", &self.expired_taken)
            .finish()
    }
}
