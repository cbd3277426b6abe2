//! The beginning of a turn: which session it is, who speaks, what has to be read for it.

use std::collections::{BTreeMap, VecDeque};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bindery_syncml::{AlertCode, Command, Item, StatusCode, SyncMl, Version};
use bytes::Bytes;

use super::{
    Abort, Decision, Fetched, Scene, Turn, Wanted, compose, objects::Object, queue_of, take,
};
use crate::{
    Outgoing,
    service::{
        Change, Device, Loaded, ResultKind, Session, Versioned,
        access::{Access, Asking},
        state::{Phase, Proof, State, fingerprint, read_reply, write_reply},
    },
};

/// How a message stands to the session that is stored under its number.
enum Standing {
    /// It begins one.
    New,
    /// It is the next one.
    Next(State),
    /// It is the last one again.
    Again(State),
    /// It goes on with a session that is over or was never there.
    Over(Option<State>),
    /// It is older than the last one.
    Old(State),
}

/// The items of a command that may carry a large object from the device.
pub(super) fn items_of(command: &Command) -> Option<&[Item]> {
    match command {
        Command::Results(results) => Some(&results.items),
        Command::Replace(replace) => Some(&replace.items),
        Command::Alert(alert) => Some(&alert.items),
        _ => None,
    }
}

/// Makes the turn. `managed` tells that the application was asked for more already.
pub(in crate::service) fn begin(
    scene: Scene<'_>,
    loaded: Loaded,
    fetched: Fetched,
    managed: bool,
) -> Decision {
    let Some(msg_id) = well_formed(&scene) else {
        return compose::refuse(&scene, StatusCode::BAD_REQUEST, None);
    };
    if Version::from_dtd(&scene.hdr().ver_dtd).is_none() {
        return compose::refuse(&scene, StatusCode::DTD_VERSION_NOT_SUPPORTED, None);
    }
    if !take::speaks(&scene.hdr().ver_proto) {
        return compose::refuse(&scene, StatusCode::PROTOCOL_VERSION_NOT_SUPPORTED, None);
    }
    let standing = standing(&scene, &loaded);
    let device = loaded.device.as_ref().map(|device| &device.entry);
    let state = match &standing {
        Standing::Next(state) | Standing::Again(state) | Standing::Old(state) => Some(state),
        Standing::Over(state) => state.as_ref(),
        Standing::New => None,
    };
    let newcomer = newcomer(&scene, device);
    let asking = Asking {
        config: scene.config,
        cx: scene.cx,
        incoming: scene.incoming,
        state,
        nonce: scene.nonce,
        decoy: scene.decoy,
    };
    if let (Standing::Again(state), Some(session)) = (&standing, &loaded.session)
        && may_repeat(&asking, device, state)
        && let Some(reply) = read_reply(&session.entry.reply)
    {
        return compose::repeat(reply, state.phase != Phase::Open);
    }
    let access = asking.answer(newcomer.as_ref().or(device));
    let state = match standing {
        _ if !access.granted => return without_session(&scene, loaded, access, false),
        Standing::Over(_) => return without_session(&scene, loaded, access, true),
        Standing::Again(_) | Standing::Old(_) => {
            let access = Access { code: StatusCode::BAD_REQUEST, ..access };
            return without_session(&scene, loaded, access, false);
        }
        Standing::New => State::default(),
        Standing::Next(state) => state,
    };
    match Turn::new(scene, msg_id, loaded, newcomer, state, access, fetched) {
        Some(turn) => turn.run(managed),
        None => compose::refuse(&scene, StatusCode::SERVER_FAILURE, None),
    }
}

/// The most octets of a MsgID, which is a number of 32 bits.
const MSG_ID: usize = 10;
/// The most octets of a SessionID; the protocol has four.
const SESSION_ID: usize = 64;

/// The message's number, if its header says what a header has to say.
fn well_formed(scene: &Scene<'_>) -> Option<u32> {
    let hdr = scene.hdr();
    let complete = !hdr.session_id.is_empty() && !hdr.source.loc_uri.is_empty();
    // Both stand in every status and every record of the message: leading zeros and long names would be
    // multiplied by its commands.
    let short = hdr.msg_id.len() <= MSG_ID && hdr.session_id.len() <= SESSION_ID;
    scene.msg_id().filter(|_| complete && short)
}

fn standing(scene: &Scene<'_>, loaded: &Loaded) -> Standing {
    let msg_id = scene.msg_id().unwrap_or(0);
    let starts = starts(&scene.incoming.message);
    let begins = msg_id == 1 || starts;
    let without = || if begins { Standing::New } else { Standing::Over(None) };
    let Some(Versioned { entry: session, .. }) = &loaded.session else { return without() };
    // Written by another version of this program: nothing can go on from it.
    let Some(state) = State::read(&session.state) else { return without() };
    if session.msg_id == msg_id && state.request == fingerprint_of(scene) {
        return Standing::Again(state);
    }
    let over = state.phase != Phase::Open || session.expires < scene.now();
    if msg_id == 1 || (over && starts) {
        Standing::New
    } else if over {
        Standing::Over(Some(state))
    } else if msg_id <= session.msg_id {
        Standing::Old(state)
    } else {
        Standing::Next(state)
    }
}

/// What tells a message from others: its octets, and the MAC beside them.
fn fingerprint_of(scene: &Scene<'_>) -> String {
    let mac = scene.incoming.hmac.as_ref().map_or("", |hmac| &hmac.mac);
    format!("{}{mac}", fingerprint(&scene.incoming.octets))
}

/// Whether a message says that it begins a session.
fn starts(message: &SyncMl) -> bool {
    message.body.commands.iter().any(|command| {
        matches!(command, Command::Alert(alert) if matches!(
            alert.code(),
            Some(AlertCode::SERVER_INITIATED_MANAGEMENT | AlertCode::CLIENT_INITIATED_MANAGEMENT)
        ))
    })
}

/// Whether who sends the last message again may have its answer again. The octets of a message
/// with credentials or a MAC are a proof themselves; others have to come as the first one did.
fn may_repeat(asking: &Asking<'_>, device: Option<&Device>, state: &State) -> bool {
    let incoming = asking.incoming;
    if incoming.message.hdr.cred.is_some() || incoming.hmac.is_some() {
        return true;
    }
    match state.proof {
        Proof::Channel => asking.answer(device).granted,
        _ => asking.goes_on(state),
    }
}

/// The record of a device that nobody knew and that the channel stands for.
fn newcomer(scene: &Scene<'_>, device: Option<&Device>) -> Option<Device> {
    if device.is_some() || !scene.config.register {
        return None;
    }
    let owner = scene.cx.principal.clone()?;
    Some(Device::new(scene.hdr().source.loc_uri.as_str(), owner, scene.now()))
}

/// An answer to who is not known, or whose session is not: nothing is stored but the nonce that
/// counts next.
fn without_session(scene: &Scene<'_>, loaded: Loaded, access: Access, lost: bool) -> Decision {
    let mut decision = if lost {
        compose::lost(scene, access.code, access.chal)
    } else {
        compose::refuse(scene, access.code, access.chal)
    };
    decision.tried = access.tried.then_some(access.granted);
    if let (Some(nonce), Some(device)) = (access.nonce, loaded.device)
        && let Versioned { entry: mut device, version } = device
        && let Some(client) = &mut device.client
    {
        client.nonce = nonce;
        decision.changes.push(Change::ReplaceDevice { device, expected: version });
    }
    decision
}

impl<'a> Turn<'a> {
    /// A turn of somebody who is known; `None` where there is no device to speak of.
    fn new(
        scene: Scene<'a>,
        msg_id: u32,
        loaded: Loaded,
        newcomer: Option<Device>,
        mut state: State,
        access: Access,
        fetched: Fetched,
    ) -> Option<Self> {
        let queue = queue_of(&loaded).cloned().collect();
        let (device, device_version) = match (loaded.device, newcomer) {
            (Some(device), _) => (device.entry, Some(device.version)),
            (None, Some(device)) => (device, None),
            (None, None) => return None,
        };
        let is_new = state.messages == 0;
        let session = loaded.session;
        let started = session.as_ref().map(|session| session.entry.started);
        state.messages = state.messages.saturating_add(1);
        state.request = fingerprint_of(&scene);
        let mut object = Object::new(loaded.object_len);
        if is_new {
            object.clear();
        }
        let mut turn = Self {
            scene,
            msg_id,
            device,
            device_version,
            device_changed: false,
            session_version: session.map(|session| session.version),
            session_started: started.filter(|_| !is_new).unwrap_or_else(|| scene.now()),
            state,
            status: access.code,
            chal: access.chal,
            silent: scene.hdr().no_resp,
            ends_package: scene.incoming.message.body.is_final || scene.incoming.fault.is_some(),
            asks_next: false,
            refused: false,
            abort: None,
            sync_goes_on: false,
            begun: Vec::new(),
            owed: VecDeque::new(),
            alerts: Vec::new(),
            queue,
            progress: BTreeMap::new(),
            results: Vec::new(),
            object,
            fetched,
            wanted: Wanted::default(),
            tried: access.tried,
        };
        turn.adopt(is_new, access.proof, access.nonce);
        Some(turn)
    }

    /// Takes over what authentication settled.
    fn adopt(&mut self, is_new: bool, proof: Proof, nonce: Option<Bytes>) {
        self.state.proof = proof;
        if let (Some(nonce), Some(client)) = (nonce, &mut self.device.client) {
            client.nonce = nonce;
            self.device_changed = true;
        }
        if proof == Proof::Address && self.state.token.is_none() {
            self.state.token = Some(URL_SAFE_NO_PAD.encode(self.scene.token));
            if compose::address(&self.scene, &self.state).is_none() {
                // There is nowhere to send the device to: it has to prove itself each time.
                self.state.token = None;
                self.state.proof = Proof::Message;
                self.status = StatusCode::OK;
            }
        }
        if is_new {
            self.device.last_seen = Some(self.now());
            self.device_changed = true;
            let agent = self.scene.incoming.user_agent().unwrap_or_default();
            let with = if agent.is_empty() { "" } else { ", by " };
            let text = format!("the session began{with}{agent}");
            self.record(ResultKind::Session, |entry| entry.data = text.into());
        }
    }

    fn run(mut self, managed: bool) -> Decision {
        let limits = self.scene.hdr().meta.as_ref();
        if let Some(size) = limits.and_then(|meta| meta.max_msg_size) {
            self.state.max_msg_size = Some(size);
        }
        if let Some(size) = limits.and_then(|meta| meta.max_obj_size) {
            self.state.max_obj_size = Some(size);
        }
        if self.state.messages > self.scene.config.messages {
            self.break_off(Abort::TooMany);
        }
        // Taken before the message: what was left over from the last answer.
        let amid = self.state.is_amid();
        self.take();
        if self.abort.is_none() && self.owes_too_much() {
            self.break_off(Abort::Overloaded);
        }
        if amid && self.asks_next {
            self.piece_passed();
            self.ends_package = self.state.their_end;
        }
        self.state.their_end = self.ends_package;
        if self.ends_package && self.abort.is_none() {
            self.settle();
        }
        self.finish(managed)
    }

    /// The changes that make the turn last.
    pub(super) fn changes(&mut self, reply: &Outgoing, over: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        let device = self.device.id.clone();
        match self.device_version {
            None => changes.push(Change::InsertDevice(self.device.clone())),
            Some(expected) if self.device_changed => {
                changes.push(Change::ReplaceDevice { device: self.device.clone(), expected });
            }
            Some(_) => {}
        }
        let session = self.session(reply, over);
        let session_id = session.session_id.clone();
        changes.push(Change::PutSession { session, expected: self.session_version });
        let at_most = self.scene.config.max_obj_size.div_ceil(3).saturating_mul(4);
        self.object.changes(&device, &session_id, at_most, &mut changes);
        let progress = self.progress.iter().map(|(id, (expected, progress))| Change::Progress {
            id: id.clone(),
            expected: *expected,
            progress: progress.clone(),
        });
        changes.extend(progress);
        let keep = self.scene.config.results;
        let results = self.results.iter().cloned();
        changes.extend(results.map(|result| Change::Record { result, keep }));
        if self.state.messages == 1 {
            let newest = self.scene.config.sessions.max(1);
            changes.push(Change::KeepSessions { device, authenticated: true, newest });
        }
        changes
    }

    fn session(&self, reply: &Outgoing, over: bool) -> Session {
        let config = self.scene.config;
        let stays = if over { config.linger } else { config.session_timeout };
        let now = self.now();
        let expires = now.saturating_add(stays);
        let mut session =
            Session::new(self.device.id.as_str(), self.session_id(), self.session_started, expires);
        session.authenticated = true;
        session.msg_id = self.msg_id;
        session.touched = now;
        session.reply = write_reply(reply);
        session.state = self.state.write();
        session
    }
}
