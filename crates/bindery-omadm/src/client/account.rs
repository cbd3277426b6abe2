//! A DM account: which server manages the device, and how the two prove themselves.

use std::fmt;

use bindery_syncml::StatusCode;
use bytes::Bytes;
use http::Uri;
use zeroize::Zeroizing;

use super::tree::{Access, Acl, Leaf, Node, NodePath, Tree};
use crate::CredentialDigest;

/// How a side proves itself inside its messages (`AAuthType` of a DM account).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthType {
    /// `BASIC`: `syncml:auth-basic`, the password itself.
    Basic,
    /// `DIGEST`: `syncml:auth-md5`, a digest over a nonce.
    Digest,
    /// `HMAC`: `syncml:auth-MAC`, a digest over each message and a nonce.
    Hmac,
}

impl AuthType {
    const NAMED: [(Self, &'static str, &'static str); 3] = [
        (Self::Basic, "BASIC", "syncml:auth-basic"),
        (Self::Digest, "DIGEST", "syncml:auth-md5"),
        (Self::Hmac, "HMAC", "syncml:auth-MAC"),
    ];

    /// The type of a name in a DM account: `BASIC`, `DIGEST`, `HMAC`.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::NAMED.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(kind, ..)| *kind)
    }

    /// The name in a DM account.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Digest => "DIGEST",
            Self::Hmac => "HMAC",
        }
    }

    /// The name in Cred and Chal.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Digest => "syncml:auth-md5",
            Self::Hmac => "syncml:auth-MAC",
        }
    }

    pub(super) fn from_scheme(scheme: &str) -> Option<Self> {
        let named = Self::NAMED.iter().find(|(.., known)| known.eq_ignore_ascii_case(scheme));
        named.map(|(kind, ..)| *kind)
    }
}

/// A name and secret, one direction of authentication (`AppAuth` of a DM account).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// How it is proved.
    pub auth: AuthType,
    /// The name (`AAuthName`).
    pub name: String,
    /// The password (`AAuthSecret`); wiped when dropped.
    pub secret: Zeroizing<String>,
    /// The nonce of the next proof, raw (`AAuthData`).
    pub nonce: Bytes,
    /// Of a server: whether a message was proved by this nonce already, and no answer could tell
    /// the server another one, because the session was over. It then proves no message any more,
    /// only notifications.
    pub spent: bool,
}

impl Credential {
    /// A name and password, without a nonce yet.
    pub fn new(auth: AuthType, name: impl Into<String>, secret: impl Into<String>) -> Self {
        let secret = Zeroizing::new(secret.into());
        Self { auth, name: name.into(), secret, nonce: Bytes::new(), spent: false }
    }

    pub(super) fn digest(&self) -> CredentialDigest {
        CredentialDigest::new(&self.name, &self.secret)
    }
}

/// Without secret and nonce.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Credential");
        shown.field("auth", &self.auth).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The account of a server (`./DMAcc/NAME`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The server's identifier (`ServerID`): whom access control lists speak of.
    pub server_id: String,
    /// Its name for people (`Name`).
    pub name: String,
    /// Its URL (`AppAddr/../Addr`).
    pub address: Uri,
    /// How the device proves itself (`CLCRED`); `None` where the channel does.
    pub client: Option<Credential>,
    /// How the server has to prove itself (`SRVCRED`); `None` where the channel's proof is enough.
    pub server: Option<Credential>,
}

impl Account {
    /// An account without credentials.
    pub fn new(server_id: impl Into<String>, address: Uri) -> Self {
        let server_id = server_id.into();
        Self { name: server_id.clone(), server_id, address, client: None, server: None }
    }

    /// Writes the account into a tree, in the place of an earlier one, as `./DMAcc/NAME`. The
    /// secrets can be replaced by the server, but not read.
    ///
    /// # Errors
    /// The name is none, or the tree is full.
    pub fn put(&self, tree: &mut Tree, name: &str) -> Result<(), StatusCode> {
        let base = NodePath::parse(&format!("./DMAcc/{name}"))?;
        tree.remove(&base);
        let leaf = |tree: &mut Tree, path: &str, text: &str| {
            tree.put_text(&NodePath::parse(&format!("{base}/{path}"))?, text)
        };
        for (path, text) in [
            ("AppID", "w7"),
            ("ServerID", &self.server_id),
            ("Name", &self.name),
            ("AppAddr/1/Addr", &self.address.to_string()),
            ("AppAddr/1/AddrType", "URI"),
        ] {
            leaf(tree, path, text)?;
        }
        if let Some(port) = self.address.port_u16() {
            leaf(tree, "AppAddr/1/Port/1/PortNbr", &port.to_string())?;
        }
        if let Some(client) = &self.client {
            leaf(tree, "AAuthPref", client.auth.name())?;
        }
        if self.server.as_ref().is_some_and(|server| server.spent) {
            leaf(tree, SPENT, "true")?;
        }
        for (number, (level, credential)) in
            (1..).zip([("CLCRED", &self.client), ("SRVCRED", &self.server)])
        {
            let Some(credential) = credential else { continue };
            for (name, text) in [
                ("AAuthLevel", level),
                ("AAuthType", credential.auth.name()),
                ("AAuthName", &credential.name),
            ] {
                leaf(tree, &format!("AppAuth/{number}/{name}"), text)?;
            }
            let hidden = Access::REPLACE;
            let secret = Node::leaf(Leaf::text(credential.secret.as_str())).with_access(hidden);
            let nonce = Node::leaf(Leaf::new("bin", credential.nonce.clone())).with_access(hidden);
            for (name, node) in [("AAuthSecret", secret), ("AAuthData", nonce)] {
                let path = NodePath::parse(&format!("{base}/AppAuth/{number}/{name}"))?;
                tree.put(&path, node)?;
            }
        }
        Ok(())
    }

    /// Reads an account of a tree; `None` if there is none of that name, or it lacks the server's
    /// identifier or address.
    pub fn from_tree(tree: &Tree, name: &str) -> Option<Self> {
        let base = NodePath::parse(&format!("./DMAcc/{name}")).ok()?;
        let text = |path: &str| tree.text(&NodePath::parse(&format!("{base}/{path}")).ok()?);
        let address = names(tree, &base.join("AppAddr"))
            .find_map(|name| text(&format!("AppAddr/{name}/Addr"))?.parse().ok())?;
        let mut account = Self::new(text("ServerID")?, address);
        if let Some(name) = text("Name") {
            name.clone_into(&mut account.name);
        }
        for name in names(tree, &base.join("AppAuth")) {
            let of = |field: &str| text(&format!("AppAuth/{name}/{field}"));
            let Some(auth) = of("AAuthType").and_then(AuthType::from_name) else { continue };
            let secret = of("AAuthSecret").unwrap_or_default();
            let mut credential = Credential::new(auth, of("AAuthName").unwrap_or_default(), secret);
            let data = NodePath::parse(&format!("{base}/AppAuth/{name}/AAuthData")).ok()?;
            if let Some(super::Value::Leaf(nonce)) = tree.node(&data).map(|node| &node.value) {
                credential.nonce = nonce.clone();
            }
            match of("AAuthLevel") {
                Some("CLCRED") => account.client = Some(credential),
                Some("SRVCRED") => {
                    credential.spent = text(SPENT) == Some("true");
                    account.server = Some(credential);
                }
                _ => {}
            }
        }
        Some(account)
    }

    /// Lets the account's server manage the whole tree, beside what everybody may do.
    pub fn grant(&self, tree: &mut Tree) {
        let everybody = Acl::everybody(Access::ADD | Access::GET);
        tree.change_root_acl(|acl| acl.unwrap_or(everybody).and(Access::ALL, &self.server_id));
    }
}

/// Where [`Credential::spent`] of the server stands.
const SPENT: &str = "Ext/NonceSpent";

/// The names in an interior node.
fn names<'t>(tree: &'t Tree, path: &NodePath) -> impl Iterator<Item = &'t str> {
    let children = match tree.node(path).map(|node| &node.value) {
        Some(super::Value::Interior(children)) => Some(children.keys()),
        _ => None,
    };
    children.into_iter().flatten().map(String::as_str)
}
