//! What a session remembers from one message to the next, as a store keeps it.

use std::{collections::VecDeque, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_syncml::Form;
use bytes::{BufMut as _, Bytes};
use serde::{Deserialize, Serialize};

use crate::{Hmac, binding::Outgoing};

/// A session's state. What is in it is bounded by the limits of messages: what the last message of
/// this side asked for by those of one, and the statuses that answers could not hold by those of
/// two; a session that would owe more is broken off (`Turn::owes_too_much`).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// How far the session is.
    pub(super) phase: Phase,
    /// By what the device goes on proving itself.
    pub(super) proof: Proof,
    /// What `RespURI` carries, where the proof is that.
    pub(super) token: Option<String>,
    /// MD5 of the last message: the same one again is answered with the same answer.
    pub(super) request: String,
    /// How many messages there were.
    pub(super) messages: u32,
    /// `MaxMsgSize` of the device.
    pub(super) max_msg_size: Option<u64>,
    /// `MaxObjSize` of the device.
    pub(super) max_obj_size: Option<u64>,
    /// How this side proves itself.
    pub(super) server: ServerProof,
    /// What was asked for and is not answered.
    pub(super) asked: Vec<Asked>,
    /// Whether the device's package is over: what follows belongs to this side's.
    pub(super) their_end: bool,
    /// Statuses that the last answer could not hold.
    pub(super) owed: VecDeque<Owed>,
    /// The large object that is being sent.
    pub(super) sending: Option<Sending>,
    /// The large object that is being received.
    pub(super) receiving: Option<Receiving>,
    /// The data stores that are being refreshed, and who asks what this side is.
    pub(super) syncing: Vec<Syncing>,
    pub(super) devinf: Vec<Asking>,
    /// What was to be synchronized did not all fit the last answer, or none of it did.
    #[serde(default)]
    pub(super) waiting: bool,
    /// Command and node of the large object that was given up before its last piece came.
    pub(super) dropped: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    #[default]
    Open,
    /// The last package of this side had nothing but Final.
    Ended,
    /// One side broke it off.
    Aborted,
}

/// By what a device proves itself in messages after the one with its credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Proof {
    /// Each message has to have its own (status 200).
    #[default]
    Message,
    /// The address that the answer named (status 212).
    Address,
    /// Credentials hold for the session, whoever goes on with it (status 212).
    Session,
    /// `x-syncml-hmac` in each message.
    Mac,
    /// The channel, each time.
    Channel,
}

/// How this side proves itself to the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ServerProof {
    /// The scheme that the device asked for.
    pub(super) scheme: Option<String>,
    /// The device has taken the credentials for the whole session (212).
    pub(super) done: bool,
    /// How often it refused them.
    pub(super) refused: u8,
}

/// A command that was sent and is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The message it was sent in.
    pub(super) msg: u32,
    /// Its CmdID.
    pub(super) cmd: u32,
    /// How many commands it holds: they have the CmdIDs that follow.
    pub(super) inner: u32,
    /// The command in the queue.
    pub(super) id: String,
    /// For a piece of a large object that is not the last: where the next one begins.
    pub(super) piece_end: Option<u64>,
    /// The status of the command itself.
    pub(super) status: Option<u16>,
    /// The worst status of the command, of its items and of the commands in it.
    pub(super) worst: Option<u16>,
}

/// A status that this side owes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owed {
    pub(super) msg: String,
    pub(super) cmd: String,
    pub(super) name: String,
    pub(super) target: Option<String>,
    pub(super) source: Option<String>,
    pub(super) code: u16,
    /// The anchor that comes back with the status of an Alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) anchor: Option<String>,
}

/// A data store that is being refreshed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Syncing {
    /// Its address here, and at the client.
    pub(super) store: String,
    pub(super) theirs: String,
    /// The alert that asks for it.
    pub(super) code: u16,
    /// Whether this side has agreed, has begun to send, and has sent all.
    pub(super) told: bool,
    pub(super) begun: bool,
    pub(super) done: bool,
    /// The last item that was sent.
    pub(super) after: Option<String>,
}

/// A Get that is to be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Asking {
    pub(super) msg: String,
    pub(super) cmd: String,
}

/// A large object on its way to the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sending {
    /// The command in the queue.
    pub(super) id: String,
    /// Where the next piece begins, in octets of the data as it is stored.
    pub(super) offset: u64,
    /// How many octets there are.
    pub(super) total: u64,
}

/// A large object on its way from the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Receiving {
    /// The command that carries it: `Results`, `Replace` and so on.
    pub(super) name: String,
    /// The node.
    pub(super) uri: String,
    /// For Results: the message and the command that asked.
    pub(super) msg_ref: String,
    pub(super) cmd_ref: String,
    /// What the first piece said of its length and format.
    pub(super) size: u64,
    pub(super) format: Option<String>,
    /// Octets came as such, which are then not decoded.
    pub(super) opaque: bool,
}

/// Without the session's address and the last message's fingerprint.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("State");
        shown.field("phase", &self.phase).field("proof", &self.proof);
        shown.field("messages", &self.messages).field("asked", &self.asked.len());
        shown.field("owed", &self.owed.len()).finish_non_exhaustive()
    }
}

impl Owed {
    /// The octets of its texts.
    pub(super) fn octets(&self) -> usize {
        let texts = [&self.msg, &self.cmd, &self.name].into_iter();
        texts.chain(&self.target).chain(&self.source).chain(&self.anchor).map(String::len).sum()
    }
}

impl State {
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        if octets.is_empty() {
            return Some(Self::default());
        }
        serde_json::from_slice(octets).ok()
    }

    pub(super) fn write(&self) -> Bytes {
        // Maps with keys that are no text are all that JSON cannot say; there are none.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Whether this side's package goes on in the next message.
    pub(super) fn is_amid(&self) -> bool {
        let syncing = |one: &Syncing| !one.told || !one.done && one.after.is_some();
        let syncs = self.waiting || !self.devinf.is_empty() || self.syncing.iter().any(syncing);
        !self.owed.is_empty() || self.sending.is_some() || syncs
    }
}

/// The MD5 of a message, as the state keeps it.
pub(super) fn fingerprint(octets: &[u8]) -> String {
    use md5::{Digest as _, Md5};
    STANDARD.encode(Md5::digest(octets))
}

/// An answer as a session keeps it: its form, the MAC's two texts, the octets.
pub(super) fn write_reply(reply: &Outgoing) -> Bytes {
    let (name, mac) =
        reply.hmac.as_ref().map_or(("", ""), |hmac| (hmac.username.as_str(), hmac.mac.as_str()));
    let mut octets = Vec::with_capacity(reply.octets.len() + name.len() + mac.len() + 5);
    octets.push(u8::from(reply.form == Form::Wbxml));
    for text in [name, mac] {
        octets.put_u16(u16::try_from(text.len()).unwrap_or(0));
        octets.extend_from_slice(text.as_bytes());
    }
    octets.extend_from_slice(&reply.octets);
    octets.into()
}

/// An answer that a session kept; `None` if it is none.
pub(super) fn read_reply(kept: &Bytes) -> Option<Outgoing> {
    let form = if *kept.first()? == 1 { Form::Wbxml } else { Form::Xml };
    let mut at = 1;
    let mut texts = [String::new(), String::new()];
    for text in &mut texts {
        let length = usize::from(u16::from_be_bytes(*kept.get(at..)?.first_chunk::<2>()?));
        at += 2;
        std::str::from_utf8(kept.get(at..at + length)?).ok()?.clone_into(text);
        at += length;
    }
    let [username, mac] = texts;
    let mut reply = Outgoing::new(kept.slice(at..), form);
    if !mac.is_empty() {
        reply.hmac = Some(Hmac { algorithm: "MD5".to_owned(), username, mac });
    }
    Some(reply)
}
