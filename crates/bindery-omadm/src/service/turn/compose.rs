//! The answer: statuses, alerts and commands within what the device takes.

use std::collections::VecDeque;

use bindery_syncml::{
    Alert, AlertCode, Anchor, Chal, Command, Content, Cred, EncodeError, Form, Item, Meta, Source,
    Status, StatusCode, SyncHdr, SyncMl, Target, Text, Version, WriteOptions,
};

use super::{Abort, Decision, Scene, Turn, Wanted, take};
use crate::{
    Hmac, Outgoing,
    service::{
        ResultKind,
        access::TOKEN,
        config::Scheme,
        state::{Owed, Phase, Proof, State},
    },
};

/// The least that a message may have, whatever the device says: below it not even the header and a
/// status have room.
const FLOOR: usize = 1_024;

/// The most octets that a switch of the code page adds to a command, beside what it has alone.
const SWITCH: usize = 4;

/// How many octets an answer may have.
pub(super) fn budget(scene: &Scene<'_>, state: &State) -> usize {
    let said = scene.hdr().meta.as_ref().and_then(|meta| meta.max_msg_size);
    let most = said.or(state.max_msg_size).unwrap_or_else(|| scene.config.peer_max_msg_size.into());
    usize::try_from(most).unwrap_or(usize::MAX).clamp(FLOOR, 4 << 20)
}

/// Where the device is to go on, if the session is bound to an address.
pub(super) fn address(scene: &Scene<'_>, state: &State) -> Option<String> {
    let token = state.token.as_ref().filter(|_| state.proof == Proof::Address)?;
    let theirs = &scene.hdr().target.loc_uri;
    let absolute = theirs.starts_with("https://") || theirs.starts_with("http://");
    let base = match &scene.config.url {
        Some(url) => url.clone(),
        None if absolute => theirs.to_string(),
        None => scene.incoming.url.as_ref()?.to_string(),
    };
    let base = base.split(['?', '#']).next().unwrap_or_default();
    Some(format!("{base}?{TOKEN}={token}"))
}

/// An answer in the making.
pub(super) struct Draft {
    message: SyncMl,
    probe: SyncMl,
    options: WriteOptions,
    budget: usize,
    used: usize,
    /// What a message without commands has.
    empty: usize,
    next: u32,
    commands: usize,
}

/// Why a command is not in the answer.
pub(super) enum Unfit {
    /// There is no room.
    TooLarge,
    /// The encoding cannot carry it.
    Encoding(EncodeError),
}

impl Draft {
    fn new(scene: &Scene<'_>, hdr: SyncHdr, budget: usize) -> Self {
        let options = WriteOptions::new(scene.incoming.answer);
        let probe = SyncMl {
            hdr: SyncHdr { ver_dtd: hdr.ver_dtd.clone(), ..SyncHdr::default() },
            ..SyncMl::default()
        };
        let empty = probe.encoded_len(&options);
        let mut message = SyncMl { hdr, ..SyncMl::default() };
        message.body.is_final = true;
        let used = message.encoded_len(&options);
        Self { message, probe, options, budget, used, empty, next: 1, commands: 0 }
    }

    pub(super) const fn form(&self) -> Form {
        self.options.form
    }

    /// How many octets are left.
    pub(super) const fn room(&self) -> usize {
        self.budget.saturating_sub(self.used)
    }

    /// How many octets there would be without a command.
    pub(super) const fn roomiest(&self) -> usize {
        self.budget.saturating_sub(self.empty)
    }

    /// Whether a command of the queue is in it.
    pub(super) const fn has_commands(&self) -> bool {
        self.commands > 0
    }

    /// What a command takes of the room, and the command back.
    pub(super) fn measure(&mut self, mut command: Command) -> (Command, Result<usize, Unfit>) {
        command.set_cmd_id(self.next);
        self.probe.body.commands.push(command);
        let mut octets = Vec::new();
        let written = self.probe.encode(&mut octets, &self.options);
        let command = self.probe.body.commands.pop().unwrap_or(Command::Alert(Alert::default()));
        let cost = octets.len().saturating_sub(self.empty) + SWITCH;
        (command, written.map(|()| cost).map_err(Unfit::Encoding))
    }

    /// Puts a command into the answer, with CmdIDs for it and for those in it: its own, and how many
    /// follow.
    pub(super) fn push(&mut self, mut command: Command) -> Result<(u32, u32), Unfit> {
        let inner = u32::try_from(command.commands().len()).unwrap_or(u32::MAX);
        let first = self.next;
        let mut next = first;
        let commands = match &mut command {
            Command::Atomic(atomic) => Some(&mut atomic.commands),
            Command::Sequence(sequence) => Some(&mut sequence.commands),
            Command::Sync(sync) => Some(&mut sync.commands),
            _ => None,
        };
        for one in commands.into_iter().flatten() {
            next += 1;
            one.set_cmd_id(next);
        }
        let (command, cost) = self.measure(command);
        let cost = cost?;
        if cost > self.room() {
            return Err(Unfit::TooLarge);
        }
        self.put(command, cost);
        self.next = next + 1;
        self.commands += 1;
        Ok((first, inner))
    }

    /// Puts a status or an alert into the answer; false if there is no room. The first one has
    /// room whatever it takes, so that a session goes on.
    pub(super) fn say(&mut self, command: Command) -> bool {
        let (command, Ok(cost)) = self.measure(command) else { return true };
        if cost > self.room() && self.next > 2 {
            return false;
        }
        self.put(command, cost);
        self.next += 1;
        true
    }

    fn put(&mut self, command: Command, cost: usize) {
        self.used += cost;
        self.message.body.commands.push(command);
    }

    fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.used);
        if self.message.encode(&mut octets, &self.options).is_ok() {
            return octets;
        }
        // Something that the device said of itself and that the other encoding cannot carry: it is
        // told at least that its message came.
        let hdr = &self.message.hdr;
        let mut plain = SyncMl { hdr: plain_header(hdr), ..SyncMl::default() };
        plain.body.is_final = true;
        octets.clear();
        drop(plain.encode(&mut octets, &self.options));
        octets
    }
}

/// A header without what may not be written.
fn plain_header(hdr: &SyncHdr) -> SyncHdr {
    SyncHdr { ver_dtd: hdr.ver_dtd.clone(), ver_proto: hdr.ver_proto.clone(), ..SyncHdr::default() }
}

/// The header of an answer.
fn header(scene: &Scene<'_>, state: Option<&State>) -> SyncHdr {
    let hdr = scene.hdr();
    let version = Version::from_dtd(&hdr.ver_dtd).unwrap_or_default();
    let spoken = take::speaks(&hdr.ver_proto);
    let url = scene.config.url.as_deref().unwrap_or(&hdr.target.loc_uri);
    let meta = Meta {
        max_msg_size: Some(scene.config.max_msg_size.into()),
        max_obj_size: (version != Version::V1_0).then_some(scene.config.max_obj_size),
        ..Meta::default()
    };
    SyncHdr {
        ver_dtd: version.dtd().into(),
        ver_proto: if spoken { hdr.ver_proto.clone() } else { "DM/1.2".into() },
        session_id: hdr.session_id.clone(),
        // One answer for each message: the numbers of both sides are the same.
        msg_id: hdr.msg_id.clone(),
        target: Target {
            loc_uri: hdr.source.loc_uri.clone(),
            loc_name: hdr.source.loc_name.clone(),
            ..Target::default()
        },
        source: Source { loc_uri: url.into(), ..Source::default() },
        resp_uri: state.and_then(|state| address(scene, state)).map(Text::from),
        meta: Some(Box::new(meta)),
        ..SyncHdr::default()
    }
}

/// The status of a message's header.
fn header_status(scene: &Scene<'_>, code: StatusCode, chal: Option<Chal>) -> Command {
    let hdr = scene.hdr();
    let mut status = Status::of("", hdr.msg_id.clone(), 0_u32, "SyncHdr", code);
    status.target_refs.push(hdr.target.loc_uri.clone());
    status.source_refs.push(hdr.source.loc_uri.clone());
    status.chal = chal.map(Box::new);
    status.into()
}

fn written(owed: &Owed) -> Command {
    let (msg, cmd) = (owed.msg.as_str(), owed.cmd.as_str());
    let mut status = Status::of("", msg, cmd, &owed.name, StatusCode(owed.code));
    status.target_refs.extend(owed.target.as_deref().map(Text::from));
    status.source_refs.extend(owed.source.as_deref().map(Text::from));
    if let Some(next) = &owed.anchor {
        let anchor = Anchor { next: next.as_str().into(), ..Anchor::default() };
        let meta = Meta { anchor: Some(Box::new(anchor)), ..Meta::default() };
        let data = Content::Meta(Box::new(meta)).into();
        status.items.push(Item { data: Some(data), ..Item::default() });
    }
    status.into()
}

/// Statuses of one code for the message and all of its commands, as far as there is room; nothing
/// is stored.
pub(in crate::service) fn refuse(
    scene: &Scene<'_>,
    code: StatusCode,
    chal: Option<Chal>,
) -> Decision {
    without_session(scene, code, code, chal, None)
}

/// The answer to a message of a session that is not there.
pub(super) fn lost(scene: &Scene<'_>, code: StatusCode, chal: Option<Chal>) -> Decision {
    without_session(scene, code, StatusCode::NOT_EXECUTED, chal, Some(AlertCode::SESSION_ABORT))
}

fn without_session(
    scene: &Scene<'_>,
    code: StatusCode,
    others: StatusCode,
    chal: Option<Chal>,
    alert: Option<AlertCode>,
) -> Decision {
    let mut draft = Draft::new(scene, header(scene, None), budget(scene, &State::default()));
    if !scene.hdr().no_resp {
        draft.say(header_status(scene, code, chal));
    }
    if let Some(alert) = alert {
        draft.say(Alert::new("", alert).into());
    }
    let commands = &scene.incoming.message.body.commands;
    let most = scene.config.client_commands;
    for command in commands.iter().take(most).filter(|_| !scene.hdr().no_resp) {
        let (Some(tag), Some(cmd_id)) = (command.tag(), command.cmd_id()) else { continue };
        if matches!(command, Command::Status(_) | Command::Results(_)) {
            continue;
        }
        let msg = scene.hdr().msg_id.clone();
        if !draft.say(Status::of("", msg, cmd_id.clone(), tag.name(), others).into()) {
            break;
        }
    }
    let reply = Outgoing::new(draft.encode(), draft.form());
    Decision::of(reply, code)
}

/// The answer that was given before.
pub(super) fn repeat(reply: Outgoing, over: bool) -> Decision {
    Decision { over, ..Decision::of(reply, StatusCode::OK) }
}

impl Decision {
    fn of(reply: Outgoing, status: StatusCode) -> Self {
        Self {
            reply,
            changes: Vec::new(),
            status,
            results: Vec::new(),
            commands: Vec::new(),
            begun: Vec::new(),
            device: None,
            over: true,
            idle: false,
            tried: None,
            wanted: Wanted::default(),
        }
    }
}

impl Turn<'_> {
    /// Composes the answer and what lasts of it.
    pub(super) fn finish(mut self, managed: bool) -> Decision {
        let budget = budget(&self.scene, &self.state);
        let hdr = self.own_header();
        let mut draft = Draft::new(&self.scene, hdr, budget);
        self.say_statuses(&mut draft);
        let was_open = self.state.phase == Phase::Open;
        let package_over = self.say_more(&mut draft);
        draft.message.body.is_final = package_over;
        let quiet = !draft.has_commands() && self.alerts.is_empty();
        let syncs = self.synchronizes().is_some();
        let ends = was_open && self.abort.is_none() && package_over && quiet;
        let ends = ends && (!syncs || self.sync_is_over());
        if ends {
            self.state.phase = Phase::Ended;
            self.record(ResultKind::Session, |entry| entry.data = "the session ended".into());
        }
        let over = self.state.phase != Phase::Open;
        let mut reply = Outgoing::new(draft.encode(), draft.form());
        reply.hmac = self.hmac(&reply);
        let changes = self.changes(&reply, over);
        let commands =
            self.progress.iter().map(|(id, (_, progress))| (id.clone(), progress.clone()));
        Decision {
            status: self.status,
            commands: commands.collect(),
            idle: ends && !managed && !syncs,
            tried: self.tried.then_some(true),
            wanted: std::mem::take(&mut self.wanted),
            begun: self.begun,
            device: Some(self.device),
            results: self.results,
            reply,
            changes,
            over,
        }
    }

    /// The statuses that are owed, as far as there is room; the rest waits for the next message.
    fn say_statuses(&mut self, draft: &mut Draft) {
        if !self.silent {
            draft.say(header_status(&self.scene, self.status, self.chal.take()));
        }
        if self.abort.is_some_and(|why| why != Abort::Theirs) {
            // Before the statuses, which may fill the message.
            draft.say(Alert::new("", AlertCode::SESSION_ABORT).into());
        }
        let mut owed: VecDeque<Owed> = std::mem::take(&mut self.state.owed);
        owed.append(&mut self.owed);
        while let Some(next) = owed.front() {
            if !draft.say(written(next)) {
                break;
            }
            owed.pop_front();
        }
        self.state.owed = owed;
    }

    /// Alerts and commands; whether this side's package is over.
    fn say_more(&mut self, draft: &mut Draft) -> bool {
        if self.abort.is_some() {
            self.state.owed.clear();
            return true;
        }
        if !self.state.owed.is_empty() {
            // The device asks for the rest.
            return false;
        }
        if !self.ends_package {
            // Nothing else but the statuses stands beside a request for the next message.
            self.alerts.retain(|alert| alert.code() == Some(AlertCode::NO_END_OF_DATA));
            self.say_alerts(draft);
            // Data synchronization has a code of its own for it.
            let next = match self.synchronizes() {
                Some(_) => AlertCode::DS_NEXT_MESSAGE,
                None => AlertCode::NEXT_MESSAGE,
            };
            draft.say(Alert::new("", next).into());
            return false;
        }
        self.say_alerts(draft);
        match self.synchronizes() {
            Some(stores) => {
                let all = self.synchronize(&*stores, draft);
                self.state.waiting = !all;
                all
            }
            None => self.send(draft),
        }
    }

    fn say_alerts(&mut self, draft: &mut Draft) {
        for alert in self.alerts.clone() {
            draft.say(alert.into());
        }
    }

    /// The header, with this side's credentials where the device has not taken them yet.
    fn own_header(&self) -> SyncHdr {
        let mut hdr = header(&self.scene, Some(&self.state));
        let Some(server) = &self.device.server else { return hdr };
        if self.uses_mac() {
            hdr.source.loc_name = Some(server.name.as_str().into());
        } else if !self.state.server.done {
            // Only the digest of the password is kept, so Basic cannot be had.
            let meta = Meta {
                format: Some("b64".into()),
                kind: Some(Scheme::Md5.name().into()),
                ..Meta::default()
            };
            let data = Content::from(server.digest.md5(&server.nonce)).into();
            let cred = Cred { meta: Some(Box::new(meta)), data, ..Cred::default() };
            hdr.cred = Some(Box::new(cred));
        }
        hdr
    }

    fn uses_mac(&self) -> bool {
        let scheme = self.state.server.scheme.as_deref().and_then(Scheme::from_name);
        scheme == Some(Scheme::Mac)
    }

    /// This side's MAC, where the device asks for one.
    fn hmac(&self, reply: &Outgoing) -> Option<Hmac> {
        let server = self.device.server.as_ref().filter(|_| self.uses_mac())?;
        Some(Hmac::sign(&server.name, &server.digest, &server.nonce, &reply.octets))
    }
}
