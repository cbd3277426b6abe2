//! A device store in memory: what it holds goes with the process.

mod shelf;

use std::{
    collections::BTreeMap,
    fmt,
    future::ready,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bindery_core::Timestamp;
use bytes::Bytes;

use super::store::{
    Ask, Change, Command, CommandFilter, CommitError, Device, DeviceFilter, DeviceStore, Loaded,
    NewCommand, ResultEntry, ResultFilter, StoreError, StoreFuture, Swept, Versioned,
};
use shelf::Shelf;

/// A [`DeviceStore`] in memory, for tests and for services that need nothing to last. It keeps
/// all promises but that of durability.
///
/// A commit costs time in proportion to what its devices have, and nothing is written anywhere:
/// it serves thousands of devices, not millions.
#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

/// How many devices there are.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let devices = self.inner().shelves.len();
        f.debug_struct("MemoryStore").field("devices", &devices).finish_non_exhaustive()
    }
}

/// Everything; a commit works on copies of the shelves it touches and puts them back whole.
#[derive(Default)]
struct Inner {
    shelves: BTreeMap<String, Arc<Shelf>>,
    /// Whose each command is.
    commands: BTreeMap<String, String>,
    /// The number of the last commit: versions are these.
    commits: u64,
}

/// A commit in the making: the shelves that it has touched, `None` for what is gone.
struct Draft<'a> {
    inner: &'a Inner,
    version: u64,
    touched: BTreeMap<String, Option<Shelf>>,
    /// Identifiers of commands that it has queued.
    queued: BTreeMap<String, String>,
}

impl MemoryStore {
    /// A store without devices.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A commit puts its shelves back whole, so a panic elsewhere leaves nothing half-made.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceStore for MemoryStore {
    fn load<'a>(&'a self, ask: &'a Ask) -> StoreFuture<'a, Result<Loaded, StoreError>> {
        let inner = self.inner();
        let shelf = inner.shelves.get(&ask.device);
        Box::pin(ready(Ok(shelf.map_or_else(Loaded::default, |shelf| shelf.load(ask)))))
    }

    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>> {
        // Nothing happens to what is never polled.
        Box::pin(async move { self.inner().commit(changes) })
    }

    fn devices<'a>(
        &'a self,
        filter: &'a DeviceFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Device>>, StoreError>> {
        let inner = self.inner();
        let devices = inner.shelves.values().map(|shelf| &shelf.device).filter(|device| {
            let id = &device.entry.id;
            filter.owner.as_ref().is_none_or(|owner| *owner == device.entry.owner)
                && filter.after.as_ref().is_none_or(|after| id > after)
        });
        Box::pin(ready(Ok(devices.take(filter.limit).cloned().collect())))
    }

    fn command<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Result<Option<Versioned<Command>>, StoreError>> {
        let inner = self.inner();
        let found = inner.shelf_of(id).and_then(|shelf| shelf.command(id)).cloned();
        Box::pin(ready(Ok(found)))
    }

    fn commands<'a>(
        &'a self,
        filter: &'a CommandFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Command>>, StoreError>> {
        let inner = self.inner();
        let shelf = inner.shelves.get(&filter.device);
        Box::pin(ready(Ok(shelf.map(|shelf| shelf.list_commands(filter)).unwrap_or_default())))
    }

    fn read_data<'a>(
        &'a self,
        command: &'a str,
        range: Range<u64>,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        let inner = self.inner();
        let data = inner.shelf_of(command).and_then(|shelf| shelf.data(command)).cloned();
        let data = data.unwrap_or_default();
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(data.len());
        let (start, end) = (within(range.start), within(range.end));
        let piece = if start < end { data.slice(start..end) } else { Bytes::new() };
        Box::pin(ready(Ok(piece)))
    }

    fn read_object<'a>(
        &'a self,
        device: &'a str,
        session_id: &'a str,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        let inner = self.inner();
        let shelf = inner.shelves.get(device);
        let object = shelf.map(|shelf| shelf.object(session_id)).unwrap_or_default();
        Box::pin(ready(Ok(object)))
    }

    fn results<'a>(
        &'a self,
        filter: &'a ResultFilter,
    ) -> StoreFuture<'a, Result<Vec<ResultEntry>, StoreError>> {
        let inner = self.inner();
        let shelf = inner.shelves.get(&filter.device);
        Box::pin(ready(Ok(shelf.map(|shelf| shelf.list_results(filter)).unwrap_or_default())))
    }

    fn sweep(
        &self,
        now: Timestamp,
        finished_before: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Swept, CommitError>> {
        Box::pin(async move { Ok(self.inner().sweep(now, finished_before, limit)) })
    }
}

impl Inner {
    fn shelf_of(&self, command: &str) -> Option<&Shelf> {
        self.commands.get(command).and_then(|device| self.shelves.get(device)).map(|it| &**it)
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut draft = Draft {
            inner: self,
            version: self.commits + 1,
            touched: BTreeMap::new(),
            queued: BTreeMap::new(),
        };
        for change in changes {
            draft.apply(change)?;
        }
        let Draft { version, touched, queued, .. } = draft;
        self.commits = version;
        for (id, shelf) in touched {
            match shelf {
                Some(shelf) => {
                    self.shelves.insert(id, Arc::new(shelf));
                }
                None => {
                    if self.shelves.remove(&id).is_some() {
                        self.commands.retain(|_, device| *device != id);
                    }
                }
            }
        }
        // Of a device that went again in the same commit nothing is kept.
        let kept = queued.into_iter().filter(|(_, device)| self.shelves.contains_key(device));
        self.commands.extend(kept);
        Ok(())
    }

    fn sweep(&mut self, now: Timestamp, finished_before: Timestamp, limit: usize) -> Swept {
        let mut swept = Swept::default();
        let mut room = (limit, limit);
        for shelf in self.shelves.values_mut() {
            if room == (0, 0) {
                break;
            }
            if !shelf.has_old(now, finished_before) {
                continue;
            }
            let shelf = Arc::make_mut(shelf);
            let sessions = shelf.sweep_sessions(now, room.0);
            let commands = shelf.sweep_commands(finished_before, room.1);
            room = (room.0 - sessions, room.1 - commands.len());
            swept.sessions += sessions as u64;
            swept.commands += commands.len() as u64;
            for id in commands {
                self.commands.remove(&id);
            }
        }
        swept
    }
}

impl Draft<'_> {
    fn apply(&mut self, change: Change) -> Result<(), CommitError> {
        let version = self.version;
        match change {
            Change::InsertDevice(device) => {
                if self.shelf(&device.id).is_some() {
                    return Err(shelf::conflict_device(&device.id));
                }
                let id = device.id.clone();
                self.touched.insert(id, Some(Shelf::new(device, version)));
                Ok(())
            }
            Change::ReplaceDevice { device, expected } => {
                let shelf = self.existing(&device.id)?;
                shelf.replace_device(device, expected, version)
            }
            Change::DeleteDevice { id, expected } => {
                self.existing(&id)?.check_device(expected)?;
                self.touched.insert(id, None);
                Ok(())
            }
            Change::PutSession { session, expected } => {
                self.existing(&session.device)?.put_session(session, expected, version)
            }
            Change::DeleteSession { device, session_id, expected } => {
                self.existing(&device)?.delete_session(&session_id, expected)
            }
            Change::KeepSessions { device, authenticated, newest } => {
                if let Some(shelf) = self.shelf(&device) {
                    shelf.keep_sessions(authenticated, newest);
                }
                Ok(())
            }
            Change::AppendObject { device, session_id, octets, at_most } => {
                self.existing(&device)?.append_object(&session_id, octets, at_most)
            }
            Change::ClearObject { device, session_id } => {
                if let Some(shelf) = self.shelf(&device) {
                    shelf.clear_object(&session_id);
                }
                Ok(())
            }
            Change::Enqueue { command, at_most } => self.enqueue(command, at_most),
            Change::Progress { id, expected, progress } => {
                let queued = self.queued.get(&id).or_else(|| self.inner.commands.get(&id));
                let device = queued.cloned().ok_or_else(|| shelf::conflict_command(&id))?;
                self.existing(&device)?.progress(&id, expected, progress, version)
            }
            Change::Record { result, keep } => {
                self.existing(&result.device)?.record(result, keep);
                Ok(())
            }
        }
    }

    fn enqueue(&mut self, command: NewCommand, at_most: u32) -> Result<(), CommitError> {
        let version = self.version;
        let (id, device) = (command.id.clone(), command.device.clone());
        let taken = self.inner.commands.contains_key(&id) || self.queued.contains_key(&id);
        let shelf = self.existing(&device)?;
        shelf.check_queue(&command, at_most)?;
        if taken {
            return Err(shelf::conflict_command(&id));
        }
        shelf.enqueue(command, version);
        self.queued.insert(id, device);
        Ok(())
    }

    /// The shelf as the commit has it by now.
    fn shelf(&mut self, device: &str) -> Option<&mut Shelf> {
        let stored = || self.inner.shelves.get(device).map(|shelf| Shelf::clone(shelf));
        self.touched.entry(device.to_owned()).or_insert_with(stored).as_mut()
    }

    fn existing(&mut self, device: &str) -> Result<&mut Shelf, CommitError> {
        self.shelf(device).ok_or_else(|| shelf::conflict_device(device))
    }
}
