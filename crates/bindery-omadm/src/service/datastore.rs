//! Data stores for clients of data synchronization: the little of it that a device management
//! server answers, so that a SyncML client can prove itself and refresh something.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bindery_core::Principal;
use bindery_syncml::StatusCode;
use bytes::Bytes;

use super::Device;

/// What clients of data synchronization (`SyncML/1.x`) may refresh, and what holds it.
///
/// Without one ([`DmServerConfig::datastores`](super::DmServerConfig::datastores)) such clients
/// prove themselves and are told 406. With one they may do what [`SyncKind`] names. Kinds that rest
/// on an earlier synchronization (200, 202, 204) get 406: nothing is kept of one. Items come and go
/// whole within a message.
///
/// The methods are called while a message is decided, but for [`begin`](Self::begin), and must not
/// wait. What they do lasts before the answer goes out, and the same call may come again, because a
/// decision is made anew when somebody else was faster: it has to come to the same.
pub trait Datastores: fmt::Debug + Send + Sync {
    /// The stores.
    fn stores(&self) -> Vec<Datastore>;

    /// Whether one may begin: its status. Nothing is changed. By default it may.
    fn may_begin(&self, whose: &Whose<'_>, kind: SyncKind) -> StatusCode {
        let _ = (whose, kind);
        StatusCode::OK
    }

    /// One begins: the answer that says so is stored, and goes out now. In a refresh from the client
    /// what is there goes; in the others the device's identifiers do. Where the process ends just
    /// before this, what was there stays beside what comes.
    fn begin(&self, whose: &Whose<'_>, kind: SyncKind);

    /// Keeps an item under the client's identifier (LUID). Its status: 201 for a new one, 200 for
    /// one in the place of another, or that is there already, 420 where there is no room.
    fn put(&self, whose: &Whose<'_>, luid: &str, item: SyncItem) -> StatusCode;

    /// Takes an item away. Its status: 200, or 211 where there is none.
    fn delete(&self, whose: &Whose<'_>, luid: &str) -> StatusCode;

    /// Items that the device has no identifier for, with the server's identifiers (GUID), in the
    /// order of these, behind `after`; at most so many.
    fn items(
        &self,
        whose: &Whose<'_>,
        after: Option<&str>,
        at_most: usize,
    ) -> Vec<(String, SyncItem)>;

    /// The client's identifier of an item that it got. Its status.
    fn map(&self, whose: &Whose<'_>, luid: &str, guid: &str) -> StatusCode;
}

/// The kinds of synchronization that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncKind {
    /// 201: the client sends all it has, and gets all else that there is. What is the same, octet
    /// by octet, is there once.
    Slow,
    /// 203, refresh from the client: it sends all it has, which stands in the place of what was
    /// there.
    FromClient,
    /// 205, refresh from the server: the client gets all there is.
    FromServer,
}

/// A store that clients may refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datastore {
    /// Its address, without `./`: `addressbook`.
    pub address: String,
    /// The media type of its items: `text/vcard`.
    pub media_type: String,
    /// The version of that: `3.0`.
    pub version: String,
}

impl Datastore {
    /// A store of items of one type.
    pub fn new(
        address: impl Into<String>,
        media_type: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        Self { address: address.into(), media_type: media_type.into(), version: version.into() }
    }
}

/// Whose items, and of which store.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Whose<'a> {
    /// The device, which has proved itself.
    pub device: &'a Device,
    /// The store's address.
    pub store: &'a str,
}

impl<'a> Whose<'a> {
    /// The items of a device's store.
    pub const fn new(device: &'a Device, store: &'a str) -> Self {
        Self { device, store }
    }
}

/// An item.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncItem {
    /// Its media type, where the client said it.
    pub media_type: Option<String>,
    /// What it is.
    pub data: Bytes,
}

impl SyncItem {
    /// An item.
    pub fn new(media_type: Option<String>, data: impl Into<Bytes>) -> Self {
        Self { media_type, data: data.into() }
    }
}

/// Of the data how long it is.
impl fmt::Debug for SyncItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SyncItem");
        shown.field("media_type", &self.media_type).field("data", &self.data.len()).finish()
    }
}

/// [`Datastores`] in memory: what devices of the same owner send into a store, all of them get.
pub struct MemoryDatastores {
    stores: Vec<Datastore>,
    most: usize,
    octets: usize,
    inner: Mutex<BTreeMap<(Principal, String), Shelf>>,
}

/// The items of a store of one owner.
#[derive(Default)]
struct Shelf {
    items: BTreeMap<String, SyncItem>,
    /// Which items are the same.
    same: BTreeMap<Bytes, BTreeSet<String>>,
    /// Of a device and what is the same: the items that it has no name for, where that was asked.
    unnamed: BTreeMap<String, BTreeMap<Bytes, BTreeSet<String>>>,
    /// What devices call an item; and the item that a device calls so.
    luids: BTreeMap<String, BTreeMap<String, String>>,
    guids: BTreeMap<(String, String), String>,
    last: u64,
    octets: usize,
}

impl Shelf {
    /// The item that a device calls so.
    fn named(&self, device: &str, luid: &str) -> Option<&String> {
        self.guids.get(&(device.to_owned(), luid.to_owned()))
    }

    fn is_known(&self, device: &str, guid: &str) -> bool {
        self.luids.get(guid).is_some_and(|luids| luids.contains_key(device))
    }

    /// An item of these octets that a device has no name for. They are gone through once, however
    /// many are the same.
    fn same_as(&mut self, device: &str, data: &Bytes) -> Option<&String> {
        let same = self.same.get(data)?;
        let luids = &self.luids;
        let is_known = |guid: &String| luids.get(guid).is_some_and(|it| it.contains_key(device));
        let of_device = self.unnamed.entry(device.to_owned()).or_default();
        // The octets that are held already, and not those of the message.
        let (data, _) = self.same.get_key_value(data)?;
        let unnamed = of_device
            .entry(data.clone())
            .or_insert_with(|| same.iter().filter(|guid| !is_known(guid)).cloned().collect());
        unnamed.first()
    }

    fn name(&mut self, device: &str, luid: &str, guid: &str) {
        let luids = self.luids.entry(guid.to_owned()).or_default();
        if let Some(before) = luids.insert(device.to_owned(), luid.to_owned()) {
            self.guids.remove(&(device.to_owned(), before));
        }
        self.guids.insert((device.to_owned(), luid.to_owned()), guid.to_owned());
        let data = self.items.get(guid).map(|item| &item.data);
        if let (Some(unnamed), Some(data)) = (self.unnamed.get_mut(device), data)
            && let Some(unnamed) = unnamed.get_mut(data)
        {
            unnamed.remove(guid);
        }
    }

    fn insert(&mut self, guid: &str, item: SyncItem) {
        self.take_out(guid);
        self.octets += item.data.len();
        self.same.entry(item.data.clone()).or_default().insert(guid.to_owned());
        for (device, unnamed) in &mut self.unnamed {
            let named = self.luids.get(guid).is_some_and(|luids| luids.contains_key(device));
            if let Some(unnamed) = unnamed.get_mut(&item.data).filter(|_| !named) {
                unnamed.insert(guid.to_owned());
            }
        }
        self.items.insert(guid.to_owned(), item);
    }

    fn take_out(&mut self, guid: &str) {
        let Some(item) = self.items.remove(guid) else { return };
        self.octets -= item.data.len();
        let Some(same) = self.same.get_mut(&item.data) else { return };
        same.remove(guid);
        let none = same.is_empty();
        for unnamed in self.unnamed.values_mut() {
            match none {
                true => drop(unnamed.remove(&item.data)),
                false => drop(unnamed.get_mut(&item.data).map(|unnamed| unnamed.remove(guid))),
            }
        }
        if none {
            self.same.remove(&item.data);
        }
    }

    fn remove(&mut self, guid: &str) {
        self.take_out(guid);
        for (device, luid) in self.luids.remove(guid).into_iter().flatten() {
            self.guids.remove(&(device, luid));
        }
    }

    /// Forgets what a device calls the items.
    fn forget(&mut self, device: &str) {
        self.luids.retain(|_, luids| {
            luids.remove(device);
            !luids.is_empty()
        });
        self.guids.retain(|(of, _), _| of != device);
        self.unnamed.remove(device);
    }
}

impl MemoryDatastores {
    /// Empty stores, with room for 10,000 items and 64 MiB for each owner and store.
    #[must_use]
    pub const fn new(stores: Vec<Datastore>) -> Self {
        Self { stores, most: 10_000, octets: 64 << 20, inner: Mutex::new(BTreeMap::new()) }
    }

    /// The same, with room for so many items and octets in each.
    #[must_use]
    pub const fn with_room(mut self, items: usize, octets: usize) -> Self {
        (self.most, self.octets) = (items, octets);
        self
    }

    fn with<T>(&self, whose: &Whose<'_>, change: impl FnOnce(&mut Shelf) -> T) -> T {
        // A change is made whole or not at all, so a panic elsewhere leaves nothing half-made.
        let mut inner: MutexGuard<'_, _> =
            self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(inner.entry((whose.device.owner.clone(), whose.store.to_owned())).or_default())
    }
}

/// How many shelves there are.
impl fmt::Debug for MemoryDatastores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDatastores").field("stores", &self.stores).finish_non_exhaustive()
    }
}

impl Datastores for MemoryDatastores {
    fn stores(&self) -> Vec<Datastore> {
        self.stores.clone()
    }

    fn begin(&self, whose: &Whose<'_>, kind: SyncKind) {
        self.with(whose, |shelf| match kind {
            // Identifiers are not given twice.
            SyncKind::FromClient => *shelf = Shelf { last: shelf.last, ..Shelf::default() },
            SyncKind::Slow | SyncKind::FromServer => shelf.forget(&whose.device.id),
        });
    }

    fn put(&self, whose: &Whose<'_>, luid: &str, item: SyncItem) -> StatusCode {
        let (most, octets, device) = (self.most, self.octets, whose.device.id.as_str());
        self.with(whose, |shelf| {
            let named = shelf.named(device, luid).cloned();
            let known = named.or_else(|| shelf.same_as(device, &item.data).cloned());
            let before = known.as_ref().and_then(|guid| shelf.items.get(guid));
            let before = before.map_or(0, |item| item.data.len());
            let full = known.is_none() && shelf.items.len() >= most;
            if full || shelf.octets - before + item.data.len() > octets {
                return StatusCode::DEVICE_FULL;
            }
            let (guid, code) = match known {
                Some(guid) => (guid, StatusCode::OK),
                None => {
                    shelf.last += 1;
                    // As long as any, so that the order of texts is that of numbers.
                    (format!("{:016x}", shelf.last), StatusCode::ITEM_ADDED)
                }
            };
            // A copy: a slice would keep the whole message in memory.
            let data = Bytes::copy_from_slice(&item.data);
            shelf.insert(&guid, SyncItem { data, ..item });
            shelf.name(device, luid, &guid);
            code
        })
    }

    fn delete(&self, whose: &Whose<'_>, luid: &str) -> StatusCode {
        self.with(whose, |shelf| {
            let Some(guid) = shelf.named(&whose.device.id, luid).cloned() else {
                return StatusCode::ITEM_NOT_DELETED;
            };
            shelf.remove(&guid);
            StatusCode::OK
        })
    }

    fn items(
        &self,
        whose: &Whose<'_>,
        after: Option<&str>,
        at_most: usize,
    ) -> Vec<(String, SyncItem)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.with(whose, |shelf| {
            let behind = after.map_or(Unbounded, Excluded);
            let items = shelf.items.range::<str, _>((behind, Unbounded));
            let unknown = items.filter(|(guid, _)| !shelf.is_known(&whose.device.id, guid));
            unknown.take(at_most).map(|(guid, item)| (guid.clone(), item.clone())).collect()
        })
    }

    fn map(&self, whose: &Whose<'_>, luid: &str, guid: &str) -> StatusCode {
        self.with(whose, |shelf| {
            if !shelf.items.contains_key(guid) {
                return StatusCode::NOT_FOUND;
            }
            shelf.name(&whose.device.id, luid, guid);
            StatusCode::OK
        })
    }
}
