//! Whether an upgrade and implicit TLS are kept apart.

use bindery_tls::{Acceptor, Certificate};

use super::Upgrade;
use crate::{ErrorKind, Layer, TransportError};

/// Refuses an upgrade whose certificate, or a name in it, is also a listener's of implicit TLS.
///
/// # Errors
/// [`ErrorKind::Bind`]: they have something in common, or cannot be told apart.
pub(in crate::server) fn check<'a>(
    upgrades: impl IntoIterator<Item = &'a Upgrade>,
    implicit: &[&dyn Acceptor],
) -> Result<(), TransportError> {
    for upgrade in upgrades {
        if upgrade.beside_implicit_tls {
            continue;
        }
        let common = implicit.iter().find_map(|other| common(&*upgrade.acceptor, *other));
        if let Some(common) = common {
            let message = format!(
                "a listener that upgrades to TLS and one of implicit TLS have {common} in common: whoever is between \
                 could answer requests of https clients by requests of their own (CVE-2025-49812)"
            );
            return Err(TransportError::new(ErrorKind::Bind, Layer::Tls, message).with_hint(
                "give the upgrade a certificate of its own, for a name that no https URL has",
            ));
        }
    }
    Ok(())
}

/// What two sides have in common.
fn common(one: &dyn Acceptor, other: &dyn Acceptor) -> Option<String> {
    let unknown = || Some("a certificate, for all that is known here,".to_owned());
    let (Some(one), Some(other)) = (one.shown(), other.shown()) else { return unknown() };
    if one.certificate == other.certificate {
        return Some("their certificate".to_owned());
    }
    let read = (Certificate::from_der(&one.certificate), Certificate::from_der(&other.certificate));
    let (Ok(one), Ok(other)) = read else { return unknown() };
    if !(one.has_names && other.has_names) {
        // Clients of old times look at the Common Name then, which may be anything.
        return Some("a certificate without subjectAltName, whose names are whatever a client takes them for,".to_owned());
    }
    let address = one.ip_addresses.iter().find(|address| other.ip_addresses.contains(address));
    if let Some(address) = address {
        return Some(format!("the address {address}"));
    }
    let named = |name: &&String| other.dns_names.iter().any(|theirs| may_be_same(name, theirs));
    one.dns_names.iter().find(named).map(|name| format!("the name {name}"))
}

/// Whether there is a host that both names are for.
fn may_be_same(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let rest = |name: &str| name.split_once('.').map(|(_, rest)| rest.to_ascii_lowercase());
    (one.starts_with("*.") || other.starts_with("*.")) && rest(one) == rest(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(may_be_same("a.example", "A.Example"));
        assert!(may_be_same("*.example", "a.example") && may_be_same("a.example", "*.example"));
        assert!(may_be_same("*.example", "*.example"));
        assert!(!may_be_same("*.example", "a.b.example"));
        assert!(!may_be_same("a.example", "b.example") && !may_be_same("*.a", "a"));
    }
}
