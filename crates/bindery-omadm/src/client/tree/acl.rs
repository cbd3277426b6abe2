//! Access control lists: `Add=*&Get=www.a.example+www.b.example`.

use std::{collections::BTreeMap, fmt, str::FromStr};

use thiserror::Error;

use super::Access;

/// Which servers may do what; by their identifiers, or everybody (`*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl(BTreeMap<Access, Vec<String>>);

/// A text that is no access control list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not of the form Get=*&Replace=SERVER+SERVER")]
#[non_exhaustive]
pub struct ParseAclError;

/// The most servers that a list names for one command.
const SERVERS: usize = 64;

impl Acl {
    /// Everybody may do these.
    #[must_use]
    pub fn everybody(access: Access) -> Self {
        Self::default().and(access, "*")
    }

    /// The same list, where a server may do these too.
    #[must_use]
    pub fn and(mut self, access: Access, server: &str) -> Self {
        for (command, _) in Access::NAMED {
            if access.contains(command) {
                let servers = self.0.entry(command).or_default();
                if !servers.iter().any(|it| it == server || it == "*") {
                    servers.push(server.to_owned());
                }
            }
        }
        self
    }

    /// Whether a server may do all of these.
    pub fn allows(&self, access: Access, server: &str) -> bool {
        Access::NAMED.iter().filter(|(command, _)| access.contains(*command)).all(|(command, _)| {
            let servers = self.0.get(command).into_iter().flatten();
            servers.into_iter().any(|it| it == "*" || it == server)
        })
    }

    /// The octets of its text, at most.
    pub(super) fn octets(&self) -> usize {
        let list = |servers: &Vec<String>| servers.iter().map(|one| 1 + one.len()).sum::<usize>();
        self.0.values().map(|servers| "Replace=&".len() + list(servers)).sum()
    }

    /// Whether it says nothing: what holds above then holds.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Acl {
    type Err = ParseAclError;

    fn from_str(text: &str) -> Result<Self, ParseAclError> {
        let mut acl = Self::default();
        for part in text.split('&').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, servers) = part.split_once('=').ok_or(ParseAclError)?;
            let named = Access::NAMED.iter().find(|(_, known)| *known == name);
            let (command, _) = named.ok_or(ParseAclError)?;
            let servers: Vec<_> = servers.split('+').map(str::to_owned).collect();
            if servers.len() > SERVERS || servers.iter().any(String::is_empty) {
                return Err(ParseAclError);
            }
            acl.0.insert(*command, servers);
        }
        Ok(acl)
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (command, name) in Access::NAMED {
            if let Some(servers) = self.0.get(&command) {
                write!(f, "{separator}{name}={}", servers.join("+"))?;
                separator = "&";
            }
        }
        Ok(())
    }
}
