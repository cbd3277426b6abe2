//! One session: messages in, messages out (OMA DM Protocol 1.2).

mod apply;
mod auth;
mod compose;
mod object;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, fmt};

use bindery_syncml::{Alert, AlertCode, Command, Status, StatusCode};
use bytes::Bytes;
use http::Uri;
use thiserror::Error;

use super::{Client, tree::Allowance};
use crate::{Incoming, Outgoing};
use auth::Proofs;
use compose::Owed;
use object::Object;

/// How many answers may be owed, for each command that one message may have: a status and Results
/// for each of two messages.
const OWED: usize = 4;

/// The most texts of a session that are kept to be shown.
const DISPLAYED: usize = 64;

/// How a session begins.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begin {
    /// Its `SessionID`: of the notification, or of the device's own choice.
    pub session_id: String,
    /// Whether a notification asked for it (Alert 1200), or the device begins it (1201).
    pub by_server: bool,
    /// Random octets, new for each session: nonces for the server are made of them.
    pub random: [u8; 16],
}

/// Without the random octets: who knows them knows the nonces.
impl fmt::Debug for Begin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Begin");
        shown.field("session_id", &self.session_id).field("by_server", &self.by_server);
        shown.finish_non_exhaustive()
    }
}

impl Begin {
    /// A session of the device's own.
    pub fn new(session_id: impl Into<String>, random: [u8; 16]) -> Self {
        Self { session_id: session_id.into(), by_server: false, random }
    }
}

/// What a session was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How it ended.
    pub ended: Ended,
    /// How many messages the device sent, those that were sent again not counted.
    pub messages: u32,
    /// How often a message had to be sent again.
    pub resent: u32,
    /// How many commands of the server were carried out.
    pub done: u32,
    /// How many were not.
    pub failed: u32,
    /// Whether the server proved itself in its messages.
    pub server_proved: bool,
    /// What the server wanted to be shown (Alert 1100): the first 64 texts.
    pub displayed: Vec<String>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The server had nothing more.
    #[default]
    Finished,
    /// The server broke it off (Alert 1223).
    Aborted,
}

/// Why a session came to no proper end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The server does not take the device's credentials.
    #[error("the server does not take the device's credentials ({0}): check name and password")]
    Refused(StatusCode),
    /// The server did not prove itself, although the account asks for it.
    #[error(
        "the server did not prove itself by the account's credential: nothing it asked was done"
    )]
    ServerUnproved,
    /// The server did not do as the protocol says.
    #[error("the server's message {0}")]
    Server(String),
    /// The answer is no message of device management.
    #[error("the server's answer: {0}")]
    Answer(#[from] bindery_core::Unexpected),
    /// There was no answer, however often the message was sent.
    #[error("no answer came, although the message was sent {0} times")]
    NoAnswer(u32),
    /// The server asks for more than it takes the answers of.
    #[error(
        "the server asks for more and more and leaves no room for the answers (MaxMsgSize): the \
         session was broken off"
    )]
    Overloaded,
    /// The session has too many messages.
    #[error("the session did not end within {0} messages")]
    TooLong(u32),
    /// A message cannot be written: a value of ours that the form does not take.
    #[error("a message cannot be written: {0}")]
    Encode(String),
}

/// The most octets of a server's MsgID, which is a number.
const MSG_ID: usize = 32;

/// A session as messages; what carries them is somebody else's.
///
/// [`message`](Self::message) gives the next message to send; its answer goes to
/// [`receive`](Self::receive), until there is an [`outcome`](Self::outcome). What the server
/// wants is done at once, in the client's tree, as long as the conversation borrows it.
pub struct Conversation<'c> {
    client: &'c mut Client,
    begin: Begin,
    proofs: Proofs,
    /// Where the next message goes.
    target: Uri,
    /// `MsgID` of our last message.
    msg_id: u32,
    /// `MsgID` of the server's last message.
    server_msg_id: String,
    /// Statuses that were not sent yet.
    statuses: VecDeque<Owed>,
    /// What else is to be sent and was not yet: Results, alerts.
    owed: VecDeque<Owed>,
    /// Whether package 1 has to be sent (again).
    opening: bool,
    /// How many of the client's alerts went with package 1.
    told: usize,
    /// Whether the server's package is complete: it said Final.
    complete: bool,
    /// The large object that the server is sending.
    object: Option<Object>,
    /// What the server takes.
    max_msg_size: Option<u64>,
    max_obj_size: Option<u64>,
    /// Whether a message is due.
    due: bool,
    summary: Summary,
    outcome: Option<Result<Summary, SessionError>>,
    /// Whether there is an outcome, or was.
    over: bool,
    /// How many commands of the message at hand may still be done, and what they may cost.
    commands_left: usize,
    left: Allowance,
    /// Why the next message is the last one and says so (1223).
    giving_up: Option<SessionError>,
}

/// Without what the two sides prove themselves with, and without values.
impl fmt::Debug for Conversation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Conversation");
        shown.field("begin", &self.begin).field("msg_id", &self.msg_id);
        shown.field("statuses", &self.statuses.len()).field("owed", &self.owed.len());
        shown.field("summary", &self.summary).field("over", &self.over).finish_non_exhaustive()
    }
}

impl<'c> Conversation<'c> {
    pub(super) fn new(client: &'c mut Client, begin: Begin) -> Self {
        let target = client.account.address.clone();
        let proofs = Proofs::new(&client.account, begin.random);
        Self {
            client,
            begin,
            proofs,
            target,
            msg_id: 0,
            server_msg_id: String::new(),
            statuses: VecDeque::new(),
            owed: VecDeque::new(),
            opening: true,
            told: 0,
            complete: true,
            object: None,
            max_msg_size: None,
            max_obj_size: None,
            due: true,
            summary: Summary::default(),
            outcome: None,
            over: false,
            commands_left: 0,
            left: Allowance { nodes: 0, octets: 0 },
            giving_up: None,
        }
    }

    /// Where the next message goes.
    pub const fn target(&self) -> &Uri {
        &self.target
    }

    /// The next message, if one is due.
    pub fn message(&mut self) -> Option<Outgoing> {
        if !self.due || self.over {
            return None;
        }
        self.due = false;
        if self.msg_id >= self.client.config.max_messages {
            return self.fail(SessionError::TooLong(self.client.config.max_messages));
        }
        match self.compose() {
            Ok(message) => Some(message),
            Err(error) => self.fail(error),
        }
    }

    /// Takes the server's answer.
    pub fn receive(&mut self, incoming: &Incoming) {
        if self.over {
            return;
        }
        if let Some(error) = self.giving_up.take() {
            self.fail(error);
            return;
        }
        match self.take(incoming) {
            Ok(()) if !self.over => self.bound(),
            Ok(()) => {}
            Err(error) => {
                self.fail(error);
            }
        }
    }

    /// Breaks the session off, if the server leaves no room for the answers to what it asks.
    fn bound(&mut self) {
        let most = self.client.config.max_commands.saturating_mul(OWED);
        if self.statuses.len().saturating_add(self.owed.len()) > most {
            // The first is that of the message's header, which every message answers: it stays.
            self.statuses.truncate(1);
            self.owed.clear();
            (self.object, self.complete) = (None, true);
            self.giving_up = Some(SessionError::Overloaded);
        }
    }

    /// Gives the session up.
    pub(super) fn fail(&mut self, error: SessionError) -> Option<Outgoing> {
        self.end(Err(error));
        None
    }

    fn end(&mut self, outcome: Result<Summary, SessionError>) {
        self.over = true;
        self.outcome = Some(outcome);
    }

    /// Counts a message that is sent again.
    pub(super) const fn resent(&mut self) {
        self.summary.resent += 1;
    }

    pub(super) const fn client(&self) -> &Client {
        self.client
    }

    /// What the session came to, once.
    pub fn outcome(&mut self) -> Option<Result<Summary, SessionError>> {
        self.outcome.take()
    }

    fn take(&mut self, incoming: &Incoming) -> Result<(), SessionError> {
        let (hdr, body) = (&incoming.message.hdr, &incoming.message.body);
        if let Some(fault) = &incoming.fault {
            return Err(SessionError::Server(format!("cannot be read: {fault}")));
        }
        if *hdr.session_id != *self.begin.session_id {
            let found = &hdr.session_id;
            return Err(SessionError::Server(format!("is of the session {found}, not of ours")));
        }
        // It stands in every status of the answer.
        if hdr.msg_id.len() > MSG_ID {
            let octets = hdr.msg_id.len();
            return Err(SessionError::Server(format!("has a MsgID of {octets} octets")));
        }
        self.server_msg_id = hdr.msg_id.to_string();
        self.follow(hdr.resp_uri.as_deref());
        if let Some(meta) = &hdr.meta {
            self.max_msg_size = meta.max_msg_size.or(self.max_msg_size);
            self.max_obj_size = meta.max_obj_size.or(self.max_obj_size);
        }
        self.due = true;
        let proof = self.proofs.check(incoming, &self.client.account);
        self.summary.server_proved |= proof.proved;
        // Its own statuses come first, so that their place among the commands does not matter.
        let again = self.read_statuses(&body.commands, proof.trusted)?;
        if again {
            // Package 1 once more, now with credentials; nothing else of the message counts.
            self.statuses.clear();
            self.owed.clear();
            self.opening = true;
            self.complete = true;
            return Ok(());
        }
        let pending = !self.statuses.is_empty() || !self.owed.is_empty();
        let mut earlier = std::mem::take(&mut self.statuses);
        self.statuses.push_back(Owed::hdr(&self.server_msg_id, proof.code, proof.chal));
        // Who asks for our next message has said all of its own before.
        self.complete = body.is_final || self.complete && asks_for_more(&body.commands);
        if !proof.trusted {
            if body.is_final && !asks_anything(&body.commands) && !pending {
                // Whoever it was wants nothing, so there is nothing to refuse.
                let summary = std::mem::take(&mut self.summary);
                self.end(Ok(summary));
                return Ok(());
            }
            if !self.proofs.ask_again() {
                return Err(SessionError::ServerUnproved);
            }
            self.refuse(&body.commands, proof.code);
            self.statuses.append(&mut earlier);
            return Ok(());
        }
        self.allow();
        let wanted = self.commands(&body.commands);
        self.statuses.append(&mut earlier);
        if !self.over && body.is_final && !wanted && !pending {
            let summary = std::mem::take(&mut self.summary);
            self.end(Ok(summary));
        }
        self.proofs.settle(&mut self.client.account, !self.over);
        Ok(())
    }

    /// The next message goes to `RespURI`, as long as that is the same server: the connection, and
    /// the proof that its certificate was, are that server's.
    fn follow(&mut self, resp_uri: Option<&str>) {
        let Some(uri) = resp_uri.and_then(|uri| uri.parse::<Uri>().ok()) else { return };
        let same =
            |of: fn(&Uri) -> Option<&str>| of(&uri).is_none() || of(&uri) == of(&self.target);
        let authority: fn(&Uri) -> Option<&str> = |uri| uri.authority().map(|it| it.as_str());
        if same(Uri::scheme_str) && same(authority) {
            let mut parts = self.target.clone().into_parts();
            parts.path_and_query = uri.path_and_query().cloned();
            if let Ok(target) = Uri::from_parts(parts) {
                self.target = target;
            }
        }
    }

    /// Reads what the server says of our commands. Whether package 1 has to be sent again.
    fn read_statuses(&mut self, commands: &[Command], trusted: bool) -> Result<bool, SessionError> {
        let mut again = false;
        for command in commands {
            let Command::Status(status) = command else { continue };
            let ours = status.msg_ref.number() == Some(u64::from(self.msg_id));
            if ours && status.cmd_ref.number() == Some(0) {
                again |= self.hdr_status(status)?;
            } else if ours && trusted && status.cmd.as_str() == "Alert" && self.told > 0 {
                self.taken(status);
            }
        }
        if !again && self.msg_id > 0 && self.proofs.accepted() && !self.opening {
            self.told = 0;
        }
        Ok(again)
    }

    /// An alert of ours that the server has taken goes.
    fn taken(&mut self, status: &Status) {
        // Alerts follow the one that begins the session, whose number is 1.
        let Some(number) = status.cmd_ref.number().and_then(|it| it.checked_sub(2)) else { return };
        let last = number + 1 == self.told as u64;
        if last {
            self.client.alerts.drain(..self.told.min(self.client.alerts.len()));
            self.told = 0;
        }
    }

    /// What the server says of our message as a whole. Whether it wants (other) credentials.
    fn hdr_status(&mut self, status: &Status) -> Result<bool, SessionError> {
        let code = status.code().unwrap_or(StatusCode::COMMAND_FAILED);
        let account = &mut self.client.account;
        match code {
            StatusCode::INVALID_CREDENTIALS
            | StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS => {
                match self.proofs.challenged(account, status.chal.as_deref()) {
                    true => Ok(true),
                    false => Err(SessionError::Refused(code)),
                }
            }
            code if code.is_success() => {
                let lasting = code == StatusCode::AUTHENTICATION_ACCEPTED;
                self.proofs.taken(account, status.chal.as_deref(), lasting);
                Ok(false)
            }
            code => Err(SessionError::Server(format!("refuses ours: {code}"))),
        }
    }

    /// Nothing of a server that has not proved itself is done; each command is told so, and counts
    /// when it comes again.
    fn refuse(&mut self, commands: &[Command], code: StatusCode) {
        for command in commands {
            if !matches!(command, Command::Status(_) | Command::Results(_)) {
                self.owe_status(command, code);
            }
        }
    }

    /// What a message may cost: less by what was found before and is not sent yet.
    fn allow(&mut self) {
        let config = &self.client.config;
        let held = self.owed.iter().map(Owed::held);
        let (nodes, octets) =
            held.fold((0_usize, 0_usize), |sum, (nodes, octets)| (sum.0 + nodes, sum.1 + octets));
        self.commands_left = config.max_commands;
        self.left = Allowance {
            nodes: config.max_nodes.saturating_sub(nodes),
            octets: config.max_found.saturating_sub(octets),
        };
    }

    /// Does what the server wants. Whether there was anything.
    fn commands(&mut self, commands: &[Command]) -> bool {
        let mut wanted = false;
        for command in commands {
            match command {
                Command::Status(_) | Command::Results(_) => {}
                // It ends the session wherever it stands, and costs nothing.
                Command::Alert(alert) if alert.code() == Some(AlertCode::SESSION_ABORT) => {
                    wanted = true;
                    self.alert(command, alert);
                }
                Command::Alert(_) if self.commands_left == 0 => {
                    wanted = true;
                    self.owe_status(command, StatusCode::REQUEST_ENTITY_TOO_LARGE);
                }
                Command::Alert(alert) => {
                    self.commands_left -= 1;
                    wanted |= alert.code() != Some(AlertCode::NEXT_MESSAGE);
                    self.alert(command, alert);
                }
                command => {
                    wanted = true;
                    self.command(command);
                }
            }
        }
        wanted
    }

    fn alert(&mut self, command: &Command, alert: &Alert) {
        let code = match alert.code() {
            Some(AlertCode::NEXT_MESSAGE) => StatusCode::OK,
            Some(AlertCode::SESSION_ABORT) => {
                let mut summary = std::mem::take(&mut self.summary);
                summary.ended = Ended::Aborted;
                self.end(Ok(summary));
                return;
            }
            Some(AlertCode::DISPLAY) if self.summary.displayed.len() >= DISPLAYED => {
                StatusCode::DEVICE_FULL
            }
            Some(AlertCode::DISPLAY) => {
                // The first item holds options, the second the text.
                let text = alert.items.last().and_then(|item| item.data.as_ref());
                let text = text.and_then(|data| data.as_str()).unwrap_or_default();
                self.summary.displayed.push(text.to_owned());
                StatusCode::OK
            }
            // There is nobody to be asked.
            _ => StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED,
        };
        self.owe_status(command, code);
    }

    fn owe_status(&mut self, command: &Command, code: StatusCode) {
        self.statuses.push_back(Owed::status(&self.server_msg_id, command, code));
    }
}

/// Whether there is a command among them.
fn asks_anything(commands: &[Command]) -> bool {
    commands.iter().any(|command| !matches!(command, Command::Status(_) | Command::Results(_)))
}

/// Whether the server waits for our next message (Alert 1222).
fn asks_for_more(commands: &[Command]) -> bool {
    commands.iter().any(|command| {
        matches!(command, Command::Alert(alert) if alert.code() == Some(AlertCode::NEXT_MESSAGE))
    })
}

/// The octets of an item's data, and its format, as the item or the command as a whole says.
fn data_of(
    item: &bindery_syncml::Item,
    outer: Option<&bindery_syncml::Meta>,
) -> Result<(Bytes, String, Option<String>), StatusCode> {
    let meta = item.meta.as_deref();
    let said = |of: fn(&bindery_syncml::Meta) -> Option<&bindery_syncml::Text>| {
        meta.and_then(of).or_else(|| outer.and_then(of)).map(ToString::to_string)
    };
    let format = said(|meta| meta.format.as_ref());
    let content = item.data.as_ref().map(|data| &data.content);
    let octets = match content {
        None => Some(Bytes::new()),
        Some(content) => content.octets(format.as_deref()),
    };
    let octets = octets.ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT)?;
    let format = match format.as_deref() {
        None => "chr".to_owned(),
        // How the octets came, not what they are.
        Some("b64") => "bin".to_owned(),
        Some(format) => format.to_owned(),
    };
    Ok((octets, format, said(|meta| meta.kind.as_ref())))
}
