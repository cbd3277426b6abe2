//! What a store keeps: devices, sessions, commands, results.

use std::collections::BTreeMap;

use bindery_core::{Principal, Timestamp};
use bindery_syncml::StatusCode;
use bytes::Bytes;

use crate::CredentialDigest;

/// An entry as it was loaded: with the version that a change of it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// The entry.
    pub entry: T,
    /// Its version: grows with every change.
    pub version: u64,
}

impl<T> Versioned<T> {
    /// An entry and its version.
    pub const fn new(entry: T, version: u64) -> Self {
        Self { entry, version }
    }
}

/// A managed device in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Its identifier: `LocURI` of Source in its messages, and `DevId` of its `DevInfo`.
    pub id: String,
    /// The account that manages it.
    pub owner: Principal,
    /// When it was registered.
    pub registered: Timestamp,
    /// How it proves itself to the server (`CLCRED` of its DM account); `None` where the channel
    /// does that, by a certificate.
    pub client: Option<AppAuth>,
    /// How the server proves itself to it (`SRVCRED` of its DM account).
    pub server: Option<AppAuth>,
    /// What it told of itself at the beginning of a session: values by their path below
    /// `./DevInfo`, such as `Man`, `Mod`, `DmV`, `Lang`.
    pub dev_info: BTreeMap<String, String>,
    /// When it was last heard of with good credentials.
    pub last_seen: Option<Timestamp>,
    /// Whether it may have sessions: `false` for one that was locked out.
    pub enabled: bool,
}

impl Device {
    /// An enabled device that has not been heard of.
    pub fn new(id: impl Into<String>, owner: Principal, registered: Timestamp) -> Self {
        Self {
            id: id.into(),
            owner,
            registered,
            client: None,
            server: None,
            dev_info: BTreeMap::new(),
            last_seen: None,
            enabled: true,
        }
    }
}

/// A name with its secret, one direction of authentication (`AppAuth` of a DM account).
///
/// The digest is as good as the password: a store encrypts it where it lasts. Names are no
/// secrets; who knows a nonce can make nothing of it without the digest, and it is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppAuth {
    /// The name (`AAuthName`).
    pub name: String,
    /// MD5 of name and password.
    pub digest: CredentialDigest,
    /// The nonce that the next message in this direction is to be proved with, raw
    /// (`AAuthData`); empty before there was one.
    pub nonce: Bytes,
}

impl AppAuth {
    /// A name and its secret, without a nonce.
    pub fn new(name: impl Into<String>, digest: CredentialDigest) -> Self {
        Self { name: name.into(), digest, nonce: Bytes::new() }
    }
}

/// A session as stored state.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// Whose it is.
    pub device: String,
    /// Its `SessionID`, as the device writes it.
    pub session_id: String,
    /// Whether the device has proved itself in it.
    pub authenticated: bool,
    /// `MsgID` of the last message that was answered; 0 before there was one.
    pub msg_id: u32,
    /// The answer to that message, as the engine encodes it: sent again when the message comes
    /// again.
    pub reply: Bytes,
    /// The rest of the session's state, as the engine encodes it: package, limits of the peer,
    /// which command of which message is whose, and so on.
    pub state: Bytes,
    /// When it began.
    pub started: Timestamp,
    /// When it was last used.
    pub touched: Timestamp,
    /// When it is over unless it is used again.
    pub expires: Timestamp,
}

impl Session {
    /// A session in which nothing was answered yet.
    pub fn new(
        device: impl Into<String>,
        session_id: impl Into<String>,
        started: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            device: device.into(),
            session_id: session_id.into(),
            authenticated: false,
            msg_id: 0,
            reply: Bytes::new(),
            state: Bytes::new(),
            started,
            touched: started,
            expires,
        }
    }
}

/// A command to put into a device's queue.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCommand {
    /// Its identifier: unique over all devices, never used again; chosen by whoever queues it.
    pub id: String,
    /// The device that is to do it.
    pub device: String,
    /// What tells it from others that mean the same: while a command with this key is open
    /// (queued or sent) in the device's queue, no other with it is taken.
    pub key: Option<String>,
    /// The command, as the engine encodes it; without `data`.
    pub body: Bytes,
    /// The command's large data, read in pieces by
    /// [`read_data`](super::DeviceStore::read_data); empty where the body has everything.
    pub data: Bytes,
    /// When it is queued.
    pub queued: Timestamp,
}

impl NewCommand {
    /// A command without a key and without data beside its body.
    pub fn new(
        id: impl Into<String>,
        device: impl Into<String>,
        body: impl Into<Bytes>,
        queued: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            device: device.into(),
            key: None,
            body: body.into(),
            data: Bytes::new(),
            queued,
        }
    }
}

/// A command in a device's queue or, once finished, in its history.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// Its identifier.
    pub id: String,
    /// The device that is to do it.
    pub device: String,
    /// Its place in the device's queue: grows in the order of queueing, starting above 0.
    pub position: u64,
    /// What tells it from others that mean the same.
    pub key: Option<String>,
    /// The command, as the engine encodes it.
    pub body: Bytes,
    /// How many octets of data there are beside the body.
    pub data_len: u64,
    /// When it was queued.
    pub queued: Timestamp,
    /// How far it has come.
    pub progress: Progress,
}

impl Command {
    /// A command as it stands in the queue when it was just taken.
    pub fn queued(new: &NewCommand, position: u64) -> Self {
        Self {
            id: new.id.clone(),
            device: new.device.clone(),
            position,
            key: new.key.clone(),
            body: new.body.clone(),
            data_len: u64::try_from(new.data.len()).unwrap_or(u64::MAX),
            queued: new.queued,
            progress: Progress::new(CommandState::Queued, new.queued),
        }
    }
}

/// How far a command has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Its state.
    pub state: CommandState,
    /// When it came to this.
    pub changed: Timestamp,
    /// How often it was sent: a command that is sent again and again without an answer is given
    /// up.
    pub attempts: u32,
    /// In which message it was sent last.
    pub sent: Option<Sent>,
    /// The status that the device answered with.
    pub status: Option<StatusCode>,
    /// What an operator is to know of a failure.
    pub explanation: Option<String>,
}

impl Progress {
    /// A state that was come to at some time, without anything more to say.
    pub const fn new(state: CommandState, changed: Timestamp) -> Self {
        Self { state, changed, attempts: 0, sent: None, status: None, explanation: None }
    }
}

/// The states of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CommandState {
    /// It waits for the device.
    Queued,
    /// It was sent; no answer has come.
    Sent,
    /// The device has done it.
    Acknowledged,
    /// It was not done: the device refused it, it was given up, or somebody took it back.
    Failed,
}

impl CommandState {
    /// Whether it still stands in the queue.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sent)
    }
}

/// The message that a command was sent in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The session.
    pub session_id: String,
    /// `MsgID` of the server's message.
    pub msg_id: u32,
    /// `CmdID` in that message.
    pub cmd_id: u32,
}

impl Sent {
    /// A place in a session.
    pub fn new(session_id: impl Into<String>, msg_id: u32, cmd_id: u32) -> Self {
        Self { session_id: session_id.into(), msg_id, cmd_id }
    }
}

/// Something that came back from a device.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultEntry {
    /// Whose.
    pub device: String,
    /// Its place in the device's history, given by the store: without gaps, starting at 1. 0
    /// until it is stored.
    pub position: u64,
    /// When it came.
    pub at: Timestamp,
    /// In which session.
    pub session_id: String,
    /// `MsgID` of the device's message.
    pub msg_id: u32,
    /// What it is.
    pub kind: ResultKind,
    /// The command that it answers, if it answers one.
    pub command: Option<String>,
    /// The node it speaks of: `LocURI`; empty where there is none.
    pub uri: String,
    /// The status that the device gave.
    pub status: Option<StatusCode>,
    /// The content: data of a Results, an alert's data, an explanation.
    pub data: Bytes,
}

impl ResultEntry {
    /// Something that came in a message, without more to say of it.
    pub fn new(
        device: impl Into<String>,
        at: Timestamp,
        session_id: impl Into<String>,
        msg_id: u32,
        kind: ResultKind,
    ) -> Self {
        Self {
            device: device.into(),
            position: 0,
            at,
            session_id: session_id.into(),
            msg_id,
            kind,
            command: None,
            uri: String::new(),
            status: None,
            data: Bytes::new(),
        }
    }
}

/// What a [`ResultEntry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResultKind {
    /// A Status for a command.
    Status,
    /// Data of a Results for a Get.
    Results,
    /// An Alert of the device's own.
    Alert,
    /// A value that the device told by a Replace: of its `DevInfo`, mostly.
    Replace,
    /// Something of the session itself: it began, ended, was aborted, ran out of time.
    Session,
}
