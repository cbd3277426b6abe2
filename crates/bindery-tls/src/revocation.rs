//! Certificate revocation lists (RFC 5280, section 5).

use std::{cmp::Reverse, collections::BTreeMap, fmt, path::Path, sync::Arc};

use bindery_core::Timestamp;
use rustls_pki_types::{
    CertificateRevocationListDer,
    pem::{self as rfc7468, PemObject as _},
};
use x509_parser::{
    extensions::ParsedExtension, prelude::FromDer as _, revocation_list::CertificateRevocationList,
};

use crate::{
    TlsError,
    certificate::{hex, rfc4514},
    pem,
    pem::configuration,
    roots::{Root, Vouches},
};

/// Revocation lists, and how strictly they are taken.
///
/// Without a list nothing is checked. With one, every certificate of a chain must be covered by a
/// list that is in date, unless told otherwise. Of several lists of one authority the newest counts
/// (RFC 5280, 5.2.3), in whatever order they were given.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Crls {
    lists: Vec<List>,
    /// Whether only the other side's own certificate is looked up, and not those of the
    /// authorities between it and the root.
    pub leaf_only: bool,
    /// Whether a certificate is taken that no list speaks of.
    pub unknown_taken: bool,
    /// Whether a list counts beyond the time at which the next one was promised.
    pub expired_taken: bool,
}

#[derive(Clone)]
struct List {
    der: CertificateRevocationListDer<'static>,
    origin: Arc<str>,
    issuer: String,
    /// The Authority Key Identifier, in hexadecimal digits.
    key_id: Option<String>,
    this_update: Timestamp,
    /// The CRL number, big endian and without leading zeros; empty without one.
    number: Vec<u8>,
    next_update: Option<Timestamp>,
    /// The identifier of a critical extension, which says that the list is not of everything that its
    /// authority took back (RFC 5280, section 5.2): changes only, others' certificates, a part.
    limited: Option<String>,
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
        let age = |list: &List| (list.this_update, list.number.len(), list.number.clone());
        self.lists.sort_by_key(|list| Reverse(age(list)));
    }

    /// Until when all authorities whose lists are here are covered by one in date; `None` where
    /// dates do not matter or are not given.
    pub(crate) fn in_date_until(&self) -> Option<Timestamp> {
        if self.expired_taken {
            return None;
        }
        let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for list in &self.lists {
            let Some(next) = list.next_update else { continue };
            let known = last.entry(&list.issuer).or_insert(next);
            *known = next.max(*known);
        }
        last.into_values().min()
    }

    /// Whether the lists are of the trusted authorities; and what is allowed and should be known.
    ///
    /// A list of nobody that is trusted may be of an authority between a root and the other side's
    /// certificate, which the other side shows: as long as another list covers a root, or roots need
    /// no list, it is only told.
    ///
    /// # Errors
    /// A list by another key than that of the authority of its name; or lists that cover none of the
    /// authorities, where each must be covered: nobody could be accepted. The message names the
    /// files and the authorities.
    pub(crate) fn check(&self, roots: &[Root]) -> Result<Vec<String>, TlsError> {
        let mut remarks = Vec::new();
        let mut foreign = Vec::new();
        for list in &self.lists {
            let (origin, issuer) = (&list.origin, &list.issuer);
            let named: Vec<&Root> = roots.iter().filter(|r| r.subject == *issuer).collect();
            if named.is_empty() {
                foreign.push(format!("{origin} is of {issuer}"));
                remarks.push(format!(
                    "{origin}: it is of {issuer}, which is none of the trusted authorities: it counts \
                     only if that is an authority below one of them"
                ));
            } else if named.iter().all(|root| differ(root.key_id.as_ref(), list.key_id.as_ref())) {
                let places: Vec<&str> = named.iter().map(|root| root.place.as_str()).collect();
                let message = format!(
                    "{origin}: it is of {issuer}, but by another key than {} has (its Authority Key \
                     Identifier differs)",
                    places.join(" and ")
                );
                let hint = "fetch the list that the trusted authority of this name signed, or trust \
                            the authority's present certificate";
                return Err(configuration(message, hint));
            }
        }
        let strict = !self.lists.is_empty() && !self.leaf_only && !self.unknown_taken;
        let bare = |root: &&Root| !self.lists.iter().any(|list| list.issuer == root.subject);
        let bare: Vec<&Root> = roots.iter().filter(bare).collect();
        if !strict || bare.is_empty() {
            return Ok(remarks);
        }
        if bare.len() == roots.len() {
            let subjects: Vec<&str> = roots.iter().map(|root| root.subject.as_str()).collect();
            let message = format!(
                "no revocation list is of a trusted authority ({}): {}",
                subjects.join(", "),
                foreign.join(", ")
            );
            let hint = "name the lists of the authorities, or look up less (crl_check)";
            return Err(configuration(message, hint));
        }
        remarks.extend(bare.iter().map(|root| {
            let whose = match root.vouches {
                Vouches::Itself => "it is",
                _ => "whoever it vouches for is",
            };
            format!(
                "{}: there is no revocation list of {}, so that {whose} refused: name its list, or \
                 look up less (crl_check)",
                root.place, root.subject
            )
        }));
        Ok(remarks)
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

    /// The lists, newest first, each with where it came from, such as `revocation list file
    /// ca.crl`; for backends.
    pub fn lists(&self) -> impl Iterator<Item = (&CertificateRevocationListDer<'static>, &str)> {
        self.lists.iter().map(|list| (&list.der, &*list.origin))
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
            self.lists.push(List::read(octets.to_vec().into(), origin)?);
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
            self.lists.push(List::read(der, origin)?);
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

/// Whether two key identifiers are there and not the same.
fn differ(one: Option<&String>, other: Option<&String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

impl List {
    fn read(der: CertificateRevocationListDer<'static>, origin: &str) -> Result<Self, TlsError> {
        let unreadable = |reason: String| {
            let message = format!("{origin}: not a revocation list that can be read: {reason}");
            configuration(message, "ask the authority for a new one")
        };
        let (rest, list) =
            CertificateRevocationList::from_der(&der).map_err(|e| unreadable(e.to_string()))?;
        if !rest.is_empty() {
            return Err(unreadable(format!("{} octets after its end", rest.len())));
        }
        let issuer = rfc4514(list.issuer()).map_err(unreadable)?;
        let key_id = list.extensions().iter().find_map(|one| match one.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                id.key_identifier.as_ref().map(|id| hex(id.0))
            }
            _ => None,
        });
        let limited = list.extensions().iter().find(|one| one.critical);
        let limited = limited.map(|one| one.oid.to_id_string());
        let this_update = Timestamp::from_unix_seconds(list.last_update().timestamp());
        let number = list.crl_number().map(|number| number.to_bytes_be()).unwrap_or_default();
        let next_update = list.next_update();
        let next_update = next_update.map(|t| Timestamp::from_unix_seconds(t.timestamp()));
        let origin = origin.into();
        drop(list);
        Ok(Self { der, origin, issuer, key_id, this_update, number, next_update, limited })
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
