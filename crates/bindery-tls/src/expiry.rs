//! When what a side shows or trusts runs out.

use bindery_core::Timestamp;

use crate::{Certificate, ClientConfig, Crls, Identity, Roots, ServerConfig, certificate::rfc3339};

/// Something that runs out: a certificate, an authority, a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// Where it came from: `certificate file server.pem`.
    pub origin: String,
    /// The subject of a certificate, the issuer of a revocation list (RFC 4514).
    pub name: String,
    /// The last moment at which it counts.
    pub not_after: Timestamp,
    /// Whether it is a revocation list. Of several of one name the one that ends last counts.
    pub is_list: bool,
}

impl Expiry {
    /// A warning, if it has run out or does so within so many seconds from `now`.
    pub fn warning(&self, now: Timestamp, within_seconds: u64) -> Option<String> {
        let left = self.not_after.unix_seconds().saturating_sub(now.unix_seconds());
        let within = i64::try_from(within_seconds).unwrap_or(i64::MAX);
        let (origin, name, at) = (&self.origin, &self.name, rfc3339(self.not_after));
        match left {
            ..0 => Some(format!("{origin}: {name} ran out at {at}: renew it")),
            _ if left <= within => {
                let days = left / 86_400;
                Some(format!("{origin}: {name} runs out at {at}, in {days} days: renew it"))
            }
            _ => None,
        }
    }
}

impl ServerConfig {
    /// When what this server shows and trusts runs out. What cannot be read is left out: the
    /// backend refuses it.
    pub fn expiries(&self) -> Vec<Expiry> {
        let roots = self.client_roots.iter().flat_map(of_roots);
        of_identity(&self.identity).chain(roots).chain(of_crls(&self.crls)).collect()
    }
}

impl ClientConfig {
    /// When what this client shows and trusts runs out.
    pub fn expiries(&self) -> Vec<Expiry> {
        let identity = self.identity.iter().flat_map(of_identity);
        identity.chain(of_roots(&self.roots)).chain(of_crls(&self.crls)).collect()
    }
}

fn of_identity(identity: &Identity) -> impl Iterator<Item = Expiry> {
    let origin = identity.chain_origin();
    let read = identity.chain().iter().filter_map(|der| Certificate::from_der(der).ok());
    read.map(|certificate| of_certificate(origin, certificate))
}

fn of_roots(roots: &Roots) -> impl Iterator<Item = Expiry> {
    let read = roots.certificates().iter().filter_map(|der| Certificate::from_der(der).ok());
    read.map(|certificate| of_certificate(roots.origin(), certificate))
}

fn of_certificate(origin: &str, certificate: Certificate) -> Expiry {
    let Certificate { subject, not_after, .. } = certificate;
    Expiry { origin: origin.to_owned(), name: subject, not_after, is_list: false }
}

fn of_crls(crls: &Crls) -> impl Iterator<Item = Expiry> {
    crls.next_updates().into_iter().map(|(origin, name, not_after)| Expiry {
        origin,
        name: format!("the revocation list of {name}"),
        not_after,
        is_list: true,
    })
}
