//! Where content may be pushed to.

use std::{collections::BTreeSet, str::FromStr};

use bindery_taxii_xml::{Dialect, PushParameters, StatusType};
use http::{Uri, uri::Authority};
use thiserror::Error;

use crate::{
    Names,
    names::{Carrier, dialect_of_binding, draft_carrier, final_carrier},
    service::{PushTo, fault::Fault},
};

/// Where subscribers may have content pushed. A server that pushes makes requests to addresses that others name, from
/// where it stands: whatever it can reach can be reached through it, so the hosts are named one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushRules {
    /// The hosts.
    pub hosts: Hosts,
    /// Whether inboxes in clear are taken. Off by default.
    pub clear: bool,
}

/// Hosts that are pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hosts {
    /// These.
    Only(BTreeSet<PushHost>),
    /// Whatever a subscriber names, also what only this server can reach.
    DangerousAny,
}

/// A host that is pushed to, and at which ports.
///
/// As text `inbox.example` at the scheme's own port (443, in clear 80), `inbox.example:8443` at that one, and
/// `inbox.example:*` at any; an address of version 6 stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct PushHost {
    /// The name or address, in small letters, without brackets.
    pub host: String,
    /// The ports.
    pub ports: PushPorts,
}

/// Ports that are pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PushPorts {
    /// The one that the address's scheme has of itself.
    OfScheme,
    /// This one.
    Only(u16),
    /// Any, also those of whatever else runs on that host.
    Any,
}

/// A text that is no [`PushHost`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no host that can be pushed to; write inbox.example, inbox.example:8443 or inbox.example:*"
)]
#[non_exhaustive]
pub struct ParseHostError {
    /// The text.
    pub text: String,
}

impl FromStr for PushHost {
    type Err = ParseHostError;

    fn from_str(text: &str) -> Result<Self, ParseHostError> {
        let wrong = || ParseHostError { text: text.to_owned() };
        let (text, any) = match text.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (text, false),
        };
        let authority: Authority = text.parse().map_err(|_| wrong())?;
        let named = authority.as_str().len() > authority.host().len();
        let ports = match (authority.port_u16(), any) {
            (None, true) if !named => PushPorts::Any,
            (Some(port), false) => PushPorts::Only(port),
            (None, false) if !named => PushPorts::OfScheme,
            // A port that is none, or two.
            _ => return Err(wrong()),
        };
        if authority.host().is_empty() || authority.as_str().contains(['@', '*']) {
            return Err(wrong());
        }
        Ok(Self { host: plain(authority.host()), ports })
    }
}

/// A host in small letters, without brackets.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).to_ascii_lowercase()
}

impl PushHost {
    fn is_at(&self, host: &str, port: Option<u16>, carrier: Carrier) -> bool {
        let of_scheme = match carrier {
            Carrier::Https => 443,
            Carrier::Http => 80,
        };
        let port = port.unwrap_or(of_scheme);
        let taken = match self.ports {
            PushPorts::OfScheme => port == of_scheme,
            PushPorts::Only(only) => port == only,
            PushPorts::Any => true,
        };
        taken && self.host == host
    }
}

impl PushRules {
    /// Pushes over TLS to these hosts.
    pub fn to(hosts: impl IntoIterator<Item = PushHost>) -> Self {
        Self { hosts: Hosts::Only(hosts.into_iter().collect()), clear: false }
    }

    /// The channels that are used, as protocol binding ids of a dialect.
    pub(in crate::service) fn protocols(&self, dialect: Dialect) -> Vec<&'static str> {
        let names = Names::of(dialect);
        let clear = self.clear.then(|| names.protocol(Carrier::Http));
        std::iter::once(names.protocol(Carrier::Https)).chain(clear).collect()
    }

    /// The message bindings that are written.
    pub(in crate::service) fn messages(dialect: Dialect) -> Vec<&'static str> {
        match dialect {
            Dialect::Draft => vec![Names::of(Dialect::Draft).message()],
            _ => [Dialect::V1_1, Dialect::V1_0].map(|one| Names::of(one).message()).to_vec(),
        }
    }

    /// The same for where a result is pushed: only 1.1 has results.
    pub(in crate::service) fn check_result(&self, to: &PushParameters) -> Result<PushTo, Fault> {
        let to = PushTo::new(&to.protocol_binding, &to.address, &to.message_binding);
        let to = self.check(to, Dialect::V1_1)?;
        if dialect_of_binding(&to.message_binding) != Some(Dialect::V1_1) {
            let reason = "results are pushed in messages of 1.1 only";
            let fault = Fault::new(StatusType::UnsupportedMessage, reason);
            return Err(fault.with("SUPPORTED_BINDING", Names::of(Dialect::V1_1).message()));
        }
        Ok(to)
    }

    /// What a subscriber asks for, checked in the order of the specification: protocol, message, and then the address.
    pub(in crate::service) fn check(&self, to: PushTo, dialect: Dialect) -> Result<PushTo, Fault> {
        let carrier = final_carrier(&to.protocol_binding)
            .or_else(|| draft_carrier(&to.protocol_binding))
            .filter(|carrier| self.clear || *carrier == Carrier::Https);
        let Some(carrier) = carrier else {
            let reason = format!("nothing is pushed over {:?}", to.protocol_binding);
            let fault = Fault::new(StatusType::UnsupportedProtocol, reason);
            let ids = self.protocols(dialect).into_iter();
            return Err(ids.fold(fault, |fault, id| fault.with("SUPPORTED_PROTOCOL", id)));
        };
        if dialect_of_binding(&to.message_binding).is_none() {
            let reason = format!("no messages are written in {:?}", to.message_binding);
            let fault = Fault::new(StatusType::UnsupportedMessage, reason);
            let ids = Self::messages(dialect).into_iter();
            return Err(ids.fold(fault, |fault, id| fault.with("SUPPORTED_BINDING", id)));
        }
        let refused = |reason: &str| {
            Err(Fault::new(StatusType::Denied, format!("{reason}: {:?}", to.address)))
        };
        let Ok(url) = to.address.parse::<Uri>() else { return refused("the address is no URL") };
        if url.scheme_str() != Some(carrier.scheme()) {
            return refused("the address has another scheme than the protocol binding names");
        }
        let Some(authority) = url.authority().filter(|one| !one.as_str().contains('@')) else {
            return refused("the address has no host, or user information");
        };
        let (host, port) = (plain(authority.host()), authority.port_u16());
        let known = match &self.hosts {
            Hosts::Only(hosts) => hosts.iter().any(|one| one.is_at(&host, port, carrier)),
            Hosts::DangerousAny => true,
        };
        if known { Ok(to) } else { refused("content is not pushed to this host and port") }
    }
}

/// The host and port of an inbox, which share what may be sent at a time.
pub(super) fn inbox_of(to: &PushTo) -> String {
    let url = to.address.parse::<Uri>().ok();
    let authority = url.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, |authority| authority.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_their_ports() {
        let rules = |text: &str| {
            let mut rules = PushRules::to([text.parse().unwrap()]);
            rules.clear = true;
            rules
        };
        let taken = |rules: &PushRules, address: &str| {
            let secure = address.starts_with("https");
            let carrier = if secure { Carrier::Https } else { Carrier::Http };
            let names = Names::of(Dialect::V1_1);
            let to = PushTo::new(names.protocol(carrier), address, names.message());
            rules.check(to, Dialect::V1_1).is_ok()
        };
        for (rule, address, expected) in [
            ("a.example", "https://a.example/x", true),
            ("A.Example", "https://a.EXAMPLE:443/", true),
            ("a.example", "http://a.example/", true),
            ("a.example", "http://a.example:443/", false),
            ("a.example", "https://a.example:80/", false),
            ("a.example", "https://a.example:22/", false),
            ("a.example:8443", "https://a.example:8443/", true),
            ("a.example:8443", "https://a.example/", false),
            ("a.example:*", "https://a.example:1/", true),
            ("a.example:*", "https://b.example:1/", false),
            ("[::1]:*", "http://[::1]:9/", true),
            ("[::1]", "https://[::1]/", true),
            ("[::1]", "https://[::1]:9/", false),
        ] {
            assert_eq!(taken(&rules(rule), address), expected, "{rule} {address}");
        }
        for wrong in ["", ":80", "a b", "me@a.example", "a:b", "a:70000", "a:1:*", "*", "a/b", "a:"]
        {
            assert!(wrong.parse::<PushHost>().is_err(), "{wrong}");
        }
    }
}
