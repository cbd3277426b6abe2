//! One message and its answer, as a pure function of stored state.
//!
//! A turn is made once for each message: it takes what the device says ([`take`]), writes down what
//! that means for the commands that were sent ([`answers`]) and for large objects ([`objects`]), and
//! composes the answer ([`compose`]). Nothing is stored while it is made; the engine commits its
//! [`Decision`] and sends the answer afterwards.

mod answers;
mod compose;
mod objects;
mod open;
mod sending;
mod sync;
mod take;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    ops::Range,
};

use bindery_core::{Context, Timestamp};
use bindery_syncml::{Alert, AlertCode, Chal, Item, StatusCode, SyncHdr};
use bytes::Bytes;

use super::{
    Change, Command, CommandState, Device, DmServerConfig, Loaded, Progress, ResultEntry,
    ResultKind, SyncKind, Versioned,
    state::{Owed, Phase, State},
};
use crate::{Incoming, Outgoing};

pub(super) use compose::refuse;
pub(super) use open::begin;

/// How many messages' statuses may be owed at once.
const OWED: usize = 2;

/// What a turn is made from, beside what is stored.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) config: &'a DmServerConfig,
    pub(super) cx: &'a Context,
    pub(super) incoming: &'a Incoming,
    /// Random octets for a nonce and for a session's address.
    pub(super) nonce: [u8; 16],
    pub(super) token: [u8; 16],
    /// What nonces for unknown devices are made of.
    pub(super) decoy: &'a [u8; 16],
}

/// Without the random octets, of which nonces and a session's address are made.
impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}

impl Scene<'_> {
    const fn hdr(&self) -> &SyncHdr {
        &self.incoming.message.hdr
    }

    const fn now(&self) -> Timestamp {
        self.cx.now
    }

    /// The message's number; `None` if it has none that counts.
    pub(super) fn msg_id(&self) -> Option<u32> {
        let number = u32::try_from(self.hdr().msg_id.number()?).ok()?;
        (number > 0).then_some(number)
    }
}

/// What a turn has to know beside what was loaded: it is read, and the turn made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// All that was received of a large object.
    pub(super) object: bool,
    /// A piece of a command's data.
    pub(super) piece: Option<(String, Range<u64>)>,
}

/// What was read for a turn beside what was loaded.
#[derive(Clone, Default)]
pub(super) struct Fetched {
    /// The large object that was received so far, if the message may complete it.
    pub(super) object: Option<Bytes>,
    /// A piece of a command's data: the command, where it begins, the octets.
    pub(super) piece: Option<(String, u64, Bytes)>,
}

/// What a message comes to.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) reply: Outgoing,
    pub(super) changes: Vec<Change>,
    /// The status of the message itself.
    pub(super) status: StatusCode,
    pub(super) results: Vec<ResultEntry>,
    pub(super) commands: Vec<(String, Progress)>,
    /// The refreshes of data stores that begin once the decision lasts, and whose they are.
    pub(super) begun: Vec<(String, SyncKind)>,
    pub(super) device: Option<Device>,
    pub(super) over: bool,
    /// Nothing was left to send: more may be asked for before the session ends.
    pub(super) idle: bool,
    /// Whether credentials were looked at, and whether they were good.
    pub(super) tried: Option<bool>,
    /// What has to be read before the decision counts.
    pub(super) wanted: Wanted,
}

/// Why this side breaks off a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Abort {
    /// The device's, which is only answered.
    Theirs,
    TooMany,
    /// The device does not take this side's credentials.
    Refused,
    /// The device asks for more than it takes the statuses of.
    Overloaded,
}

impl Abort {
    const fn reason(self) -> &'static str {
        match self {
            Self::Theirs => "the device broke the session off (1223)",
            Self::TooMany => "the session had more messages than the limit allows",
            Self::Refused => "the device does not take the server's credentials",
            Self::Overloaded => {
                "the device sends more and more commands, and its MaxMsgSize leaves no room for \
                 their statuses"
            }
        }
    }
}

/// A message that is being answered.
struct Turn<'a> {
    scene: Scene<'a>,
    msg_id: u32,
    device: Device,
    /// Its version; `None` for one that nobody knew.
    device_version: Option<u64>,
    device_changed: bool,
    /// The session's version; `None` for a new one.
    session_version: Option<u64>,
    session_started: Timestamp,
    state: State,
    /// The status of the message itself, and what goes with it.
    status: StatusCode,
    chal: Option<Chal>,
    /// Whether anything in the message may be answered (`NoResp` of `SyncHdr`).
    silent: bool,
    /// Whether the message ends the device's package.
    ends_package: bool,
    /// Whether the device asked for the next message of this side's package.
    asks_next: bool,
    /// Whether the device refused this side's credentials in this message.
    refused: bool,
    abort: Option<Abort>,
    /// Whether a refresh of a data store goes on: something of it was said in this answer.
    sync_goes_on: bool,
    /// The refreshes of data stores that begin with this message.
    begun: Vec<(String, SyncKind)>,
    owed: VecDeque<Owed>,
    alerts: Vec<Alert>,
    /// The open commands, by their place in the queue.
    queue: Vec<Versioned<Command>>,
    progress: BTreeMap<String, (u64, Progress)>,
    results: Vec<ResultEntry>,
    /// Pieces of a large object that came: octets received before this message, in it, and what
    /// has to be done to the stored ones.
    object: objects::Object,
    fetched: Fetched,
    wanted: Wanted,
    tried: bool,
}

impl Turn<'_> {
    fn now(&self) -> Timestamp {
        self.scene.now()
    }

    fn session_id(&self) -> &str {
        &self.scene.hdr().session_id
    }

    /// Writes into the device's history.
    fn record(&mut self, kind: ResultKind, fill: impl FnOnce(&mut ResultEntry)) {
        let (device, session) = (self.device.id.clone(), self.session_id().to_owned());
        let mut entry = ResultEntry::new(device, self.now(), session, self.msg_id, kind);
        fill(&mut entry);
        self.results.push(entry);
    }

    /// Whether more statuses are owed than a device that keeps to the protocol can let come
    /// together: it waits for those of one message before it sends the next.
    fn owes_too_much(&self) -> bool {
        let owed = || self.state.owed.iter().chain(&self.owed);
        let octets: usize = owed().map(Owed::octets).sum();
        let config = self.scene.config;
        owed().count() > config.client_commands.saturating_mul(OWED)
            || octets > (config.max_msg_size as usize).saturating_mul(OWED)
    }

    /// Owes a status for a command of the message.
    fn owe(
        &mut self,
        cmd: &str,
        name: &str,
        code: StatusCode,
        target: Option<String>,
        source: Option<String>,
    ) {
        if self.silent {
            return;
        }
        let msg = self.scene.hdr().msg_id.as_str().to_owned();
        let (cmd, name) = (cmd.to_owned(), name.to_owned());
        let code = code.0;
        self.owed.push_back(Owed { msg, cmd, name, target, source, code, anchor: None });
    }

    /// Says something of its own in the answer.
    fn alert(&mut self, code: AlertCode, items: Vec<Item>) {
        self.alerts.push(Alert { items, ..Alert::new("", code) });
    }

    /// How far a command of the queue has come by now.
    fn progress_of(&self, id: &str) -> Option<Progress> {
        let changed = self.progress.get(id).map(|(_, progress)| progress.clone());
        changed.or_else(|| Some(self.queued(id)?.entry.progress.clone()))
    }

    fn queued(&self, id: &str) -> Option<&Versioned<Command>> {
        self.queue.iter().find(|command| command.entry.id == id)
    }

    /// Changes how far a command has come. Nothing happens to one that is not open any more.
    fn advance(&mut self, id: &str, change: impl FnOnce(&mut Progress)) {
        let Some(version) = self.queued(id).map(|command| command.version) else { return };
        let Some(mut progress) = self.progress_of(id) else { return };
        progress.changed = self.now();
        change(&mut progress);
        self.progress.insert(id.to_owned(), (version, progress));
    }

    /// Gives a command up.
    fn fail(&mut self, id: &str, status: Option<StatusCode>, why: String) {
        self.record(ResultKind::Status, |entry| {
            entry.command = Some(id.to_owned());
            entry.status = status;
            entry.data = why.clone().into();
        });
        self.advance(id, |progress| {
            progress.state = CommandState::Failed;
            progress.status = status.or(progress.status);
            progress.explanation = Some(why);
        });
    }

    /// Ends the session: what was asked for and not answered goes back into the queue.
    fn break_off(&mut self, why: Abort) {
        if self.abort.is_some() {
            return;
        }
        self.abort = Some(why);
        self.state.phase = Phase::Aborted;
        self.state.sending = None;
        self.object.clear();
        self.state.receiving = None;
        self.settle();
        self.record(ResultKind::Session, |entry| entry.data = why.reason().into());
    }
}

/// What a loaded device brings into a turn.
pub(super) fn queue_of(loaded: &Loaded) -> impl Iterator<Item = &Versioned<Command>> {
    loaded.commands.iter().filter(|command| command.entry.progress.state.is_open())
}
