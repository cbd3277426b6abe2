//! Where content may be pushed to.

use std::collections::BTreeSet;

use bindery_taxii_xml::{Dialect, PushParameters, StatusType};
use http::Uri;

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
    /// These names and addresses, in small letters, without ports.
    Only(BTreeSet<String>),
    /// Whatever a subscriber names, also what only this server can reach.
    DangerousAny,
}

impl PushRules {
    /// Pushes over TLS to these hosts.
    pub fn to<H: Into<String>>(hosts: impl IntoIterator<Item = H>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_ascii_lowercase()).collect();
        Self { hosts: Hosts::Only(hosts), clear: false }
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
        let host = authority.host().to_ascii_lowercase();
        let known = match &self.hosts {
            Hosts::Only(hosts) => hosts.contains(host.trim_matches(['[', ']'])),
            Hosts::DangerousAny => true,
        };
        if known { Ok(to) } else { refused("content is not pushed to this host") }
    }
}
