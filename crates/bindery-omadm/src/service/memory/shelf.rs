//! Everything of one device, and what a change does to it.

use std::{cmp::Reverse, collections::BTreeMap, num::NonZeroU32};

use bindery_core::Timestamp;
use bytes::{Bytes, BytesMut};

use crate::service::store::{
    Ask, Command, CommandFilter, CommitError, Device, Loaded, NewCommand, Progress, ResultEntry,
    ResultFilter, Session, Versioned,
};

#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) device: Versioned<Device>,
    sessions: BTreeMap<String, Versioned<Session>>,
    /// The pieces of the large object of a session.
    objects: BTreeMap<String, Vec<Bytes>>,
    /// By position, with the data beside the body.
    commands: BTreeMap<u64, (Versioned<Command>, Bytes)>,
    /// The position of each command.
    positions: BTreeMap<String, u64>,
    next_command: u64,
    results: BTreeMap<u64, ResultEntry>,
}

impl Shelf {
    pub(super) const fn new(device: Device, version: u64) -> Self {
        Self {
            device: Versioned::new(device, version),
            sessions: BTreeMap::new(),
            objects: BTreeMap::new(),
            commands: BTreeMap::new(),
            positions: BTreeMap::new(),
            next_command: 1,
            results: BTreeMap::new(),
        }
    }

    pub(super) fn load(&self, ask: &Ask) -> Loaded {
        let mut loaded = Loaded { device: Some(self.device.clone()), ..Loaded::default() };
        if let Some(session_id) = &ask.session_id {
            loaded.session = self.sessions.get(session_id).cloned();
            loaded.object_len = self.object_len(session_id);
        }
        loaded.commands = self.open().take(ask.commands).cloned().collect();
        loaded
    }

    pub(super) fn check_device(&self, expected: u64) -> Result<(), CommitError> {
        let same = self.device.version == expected;
        same.then_some(()).ok_or_else(|| conflict_device(&self.device.entry.id))
    }

    pub(super) fn replace_device(
        &mut self,
        device: Device,
        expected: u64,
        version: u64,
    ) -> Result<(), CommitError> {
        self.check_device(expected)?;
        self.device = Versioned::new(device, version);
        Ok(())
    }

    pub(super) fn put_session(
        &mut self,
        session: Session,
        expected: Option<u64>,
        version: u64,
    ) -> Result<(), CommitError> {
        self.check_session(&session.session_id, expected)?;
        self.sessions.insert(session.session_id.clone(), Versioned::new(session, version));
        Ok(())
    }

    pub(super) fn delete_session(
        &mut self,
        session_id: &str,
        expected: u64,
    ) -> Result<(), CommitError> {
        self.check_session(session_id, Some(expected))?;
        self.forget_session(session_id);
        Ok(())
    }

    fn check_session(&self, session_id: &str, expected: Option<u64>) -> Result<(), CommitError> {
        let found = self.sessions.get(session_id).map(|session| session.version);
        (found == expected).then_some(()).ok_or_else(|| self.conflict_session(session_id))
    }

    fn forget_session(&mut self, session_id: &str) {
        self.sessions.remove(session_id);
        self.objects.remove(session_id);
    }

    pub(super) fn keep_sessions(&mut self, authenticated: bool, newest: u32) {
        let mut sessions: Vec<_> = self
            .sessions
            .values()
            .map(|session| &session.entry)
            .filter(|session| session.authenticated == authenticated)
            .map(|session| (Reverse(session.touched), session.session_id.clone()))
            .collect();
        sessions.sort();
        for (_, session_id) in sessions.iter().skip(newest as usize) {
            self.forget_session(session_id);
        }
    }

    fn object_len(&self, session_id: &str) -> u64 {
        let pieces = self.objects.get(session_id).into_iter().flatten();
        pieces.map(|piece| piece.len() as u64).sum()
    }

    pub(super) fn append_object(
        &mut self,
        session_id: &str,
        octets: Bytes,
        at_most: u64,
    ) -> Result<(), CommitError> {
        if !self.sessions.contains_key(session_id) {
            return Err(self.conflict_session(session_id));
        }
        if self.object_len(session_id).saturating_add(octets.len() as u64) > at_most {
            return Err(self.full("the octets of the large object", at_most));
        }
        self.objects.entry(session_id.to_owned()).or_default().push(octets);
        Ok(())
    }

    pub(super) fn clear_object(&mut self, session_id: &str) {
        self.objects.remove(session_id);
    }

    pub(super) fn object(&self, session_id: &str) -> Bytes {
        let mut whole = BytesMut::new();
        for piece in self.objects.get(session_id).into_iter().flatten() {
            whole.extend_from_slice(piece);
        }
        whole.freeze()
    }

    /// The queue.
    fn open(&self) -> impl Iterator<Item = &Versioned<Command>> {
        let commands = self.commands.values().map(|(command, _)| command);
        commands.filter(|command| command.entry.progress.state.is_open())
    }

    pub(super) fn check_queue(&self, new: &NewCommand, at_most: u32) -> Result<(), CommitError> {
        if let Some(key) = &new.key
            && let Some(same) = self.open().find(|open| open.entry.key.as_ref() == Some(key))
        {
            return Err(CommitError::Duplicate { id: same.entry.id.clone() });
        }
        if self.open().count() >= at_most as usize {
            return Err(self.full("the open commands", at_most.into()));
        }
        Ok(())
    }

    pub(super) fn enqueue(&mut self, new: NewCommand, version: u64) {
        let position = self.next_command;
        self.next_command += 1;
        let command = Versioned::new(Command::queued(&new, position), version);
        self.positions.insert(new.id, position);
        self.commands.insert(position, (command, new.data));
    }

    pub(super) fn progress(
        &mut self,
        id: &str,
        expected: u64,
        progress: Progress,
        version: u64,
    ) -> Result<(), CommitError> {
        let position = self.positions.get(id);
        let command = position.and_then(|position| self.commands.get_mut(position));
        let command = command.map(|(command, _)| command).filter(|command| {
            let finished = !command.entry.progress.state.is_open();
            command.version == expected && !(finished && progress.state.is_open())
        });
        let command = command.ok_or_else(|| conflict_command(id))?;
        command.entry.progress = progress;
        command.version = version;
        Ok(())
    }

    pub(super) fn command(&self, id: &str) -> Option<&Versioned<Command>> {
        self.stored(id).map(|(command, _)| command)
    }

    pub(super) fn data(&self, id: &str) -> Option<&Bytes> {
        self.stored(id).map(|(_, data)| data)
    }

    fn stored(&self, id: &str) -> Option<&(Versioned<Command>, Bytes)> {
        self.positions.get(id).and_then(|position| self.commands.get(position))
    }

    pub(super) fn list_commands(&self, filter: &CommandFilter) -> Vec<Versioned<Command>> {
        let commands = self.commands.range(filter.after.saturating_add(1)..);
        let commands = commands.map(|(_, (command, _))| command);
        let wanted = commands.filter(|command| {
            filter.state.is_none_or(|state| command.entry.progress.state == state)
        });
        wanted.take(filter.limit).cloned().collect()
    }

    pub(super) fn record(&mut self, mut result: ResultEntry, keep: NonZeroU32) {
        let last = self.results.last_key_value().map_or(0, |(position, _)| *position);
        result.position = last + 1;
        // A copy: a slice would keep the whole message in memory.
        result.data = Bytes::copy_from_slice(&result.data);
        self.results.insert(result.position, result);
        let first = (last + 2).saturating_sub(keep.get().into());
        self.results = self.results.split_off(&first);
    }

    pub(super) fn list_results(&self, filter: &ResultFilter) -> Vec<ResultEntry> {
        let results = self.results.range(filter.after.saturating_add(1)..).map(|(_, it)| it);
        let wanted = results.filter(|result| {
            filter.command.is_none() || result.command.as_ref() == filter.command.as_ref()
        });
        wanted.take(filter.limit).cloned().collect()
    }

    pub(super) fn has_old(&self, now: Timestamp, finished_before: Timestamp) -> bool {
        self.sessions.values().any(|session| session.entry.expires < now)
            || self.commands.values().any(|(command, _)| is_old(&command.entry, finished_before))
    }

    pub(super) fn sweep_sessions(&mut self, now: Timestamp, limit: usize) -> usize {
        let sessions = self.sessions.values().map(|session| &session.entry);
        let over = sessions.filter(|session| session.expires < now).take(limit);
        let over: Vec<_> = over.map(|session| session.session_id.clone()).collect();
        for session_id in &over {
            self.forget_session(session_id);
        }
        over.len()
    }

    pub(super) fn sweep_commands(&mut self, before: Timestamp, limit: usize) -> Vec<String> {
        let commands = self.commands.values().map(|(command, _)| &command.entry);
        let old = commands.filter(|command| is_old(command, before)).take(limit);
        let old: Vec<_> = old.map(|command| (command.id.clone(), command.position)).collect();
        for (id, position) in &old {
            self.positions.remove(id);
            self.commands.remove(position);
        }
        old.into_iter().map(|(id, _)| id).collect()
    }

    fn conflict_session(&self, session_id: &str) -> CommitError {
        let device = &self.device.entry.id;
        let entry = format!("the session {session_id} of the device {device}");
        CommitError::Conflict { entry }
    }

    fn full(&self, what: &'static str, limit: u64) -> CommitError {
        CommitError::Full { device: self.device.entry.id.clone(), what, limit }
    }
}

fn is_old(command: &Command, before: Timestamp) -> bool {
    !command.progress.state.is_open() && command.progress.changed < before
}

pub(super) fn conflict_device(id: &str) -> CommitError {
    CommitError::Conflict { entry: format!("the device {id}") }
}

pub(super) fn conflict_command(id: &str) -> CommitError {
    CommitError::Conflict { entry: format!("the command {id}") }
}
