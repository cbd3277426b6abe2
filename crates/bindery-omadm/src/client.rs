//! The client's side of device management, without IO, clock or runtime.
//!
//! A [`Client`] is a device: its management [`Tree`], the [`Account`] of the server that manages
//! it, and what it wants to say. [`Client::begin`] begins a session: a
//! [`Conversation`], which takes and gives messages, and is driven over HTTP as a [`Session`], an
//! [`Exchange`](bindery_core::Exchange).

mod account;
mod bootstrap;
mod device;
#[cfg(feature = "client")]
mod drive;
mod exchange;
mod session;
mod tree;
mod wake;

use std::time::Duration;

use bindery_syncml::{Form, Item, Meta};

pub use account::{Account, AuthType, Credential};
pub use bootstrap::BootstrapError;
pub use device::{DevDetail, DevInfo};
#[cfg(feature = "client")]
pub use drive::manage;
pub use exchange::Session;
pub use session::{Begin, Conversation, Ended, SessionError, Summary};
pub use tree::{
    Access, Acl, Address, Entry, Found, Leaf, List, Node, NodePath, ParseAclError, Property, Query,
    SubTree, Tree, TreeError, TreeLimits, Value,
};
pub use wake::WakeError;

/// A device that is managed by a server.
#[derive(Debug)]
#[non_exhaustive]
pub struct Client {
    /// Its management tree; `./DevInfo` has to be in it.
    pub tree: Tree,
    /// The account of the server.
    pub account: Account,
    /// How it speaks.
    pub config: ClientConfig,
    /// What it tells the server at the beginning of the next session: Generic Alerts (1226) and
    /// client events (1224), without numbers. They go once the server has taken them.
    pub alerts: Vec<bindery_syncml::Alert>,
}

/// How a client speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The form of its messages; WBXML by default.
    pub form: Form,
    /// The longest message that it takes, told to the server (`MaxMsgSize`); 64 KiB by default.
    pub max_msg_size: u32,
    /// The largest object that it takes (`MaxObjSize`); 16 MiB by default.
    pub max_obj_size: u32,
    /// The most commands of one message of the server, those in Atomic and Sequence counted too;
    /// 2,000 by default. The rest is answered 413 and not done. A server that leaves no room in
    /// its `MaxMsgSize` for the answers to two such messages, and goes on asking, is told 1223.
    pub max_commands: usize,
    /// The most nodes that one message may have looked at, copied or taken away, those that were
    /// found before and have not been sent yet counted too; 20,000 by default. Beyond that a
    /// command gets 413.
    pub max_nodes: usize,
    /// The same of the octets of what is found; 32 MiB by default.
    pub max_found: usize,
    /// The most messages of a session; 2,000 by default. A server that never ends is left.
    pub max_messages: u32,
    /// How long an answer may take; 60 s by default. Then the message is sent again over a new
    /// connection.
    pub timeout: Duration,
    /// How often a message is sent at the most; 4 by default.
    pub attempts: u32,
    /// How long to wait before a message is sent again, twice as long each time; 1 s by default.
    pub pause: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            form: Form::Wbxml,
            max_msg_size: 64 << 10,
            max_obj_size: 16 << 20,
            max_commands: 2_000,
            max_nodes: 20_000,
            max_found: 32 << 20,
            max_messages: 2_000,
            timeout: Duration::from_secs(60),
            attempts: 4,
            pause: Duration::from_secs(1),
        }
    }
}

impl Client {
    /// A device, managed by the server of an account.
    pub fn new(tree: Tree, account: Account) -> Self {
        Self { tree, account, config: ClientConfig::default(), alerts: Vec::new() }
    }

    /// The device's identifier: `./DevInfo/DevId`; empty where there is none.
    pub fn device_id(&self) -> &str {
        self.tree.text(&device::dev_info("DevId")).unwrap_or_default()
    }

    /// Begins a session.
    pub fn begin(&mut self, begin: Begin) -> Conversation<'_> {
        Conversation::new(self, begin)
    }

    /// A Generic Alert (1226) for the next session: something of this type happened at a node.
    pub fn tell(&mut self, uri: &str, kind: &str, mark: &str, data: &str) {
        let meta = Meta {
            format: Some("chr".into()),
            kind: Some(kind.into()),
            mark: Some(mark.into()),
            ..Meta::default()
        };
        let item = Item {
            source: Some(uri.into()),
            meta: Some(Box::new(meta)),
            data: Some(data.into()),
            ..Item::default()
        };
        let mut alert = bindery_syncml::Alert::new(0_u32, bindery_syncml::AlertCode::GENERIC_ALERT);
        alert.items = vec![item];
        self.alerts.push(alert);
    }
}
