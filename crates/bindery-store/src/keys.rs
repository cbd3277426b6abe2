//! The data keys of a store, and the key-encryption key that they are wrapped under.
//!
//! Envelope encryption: what is secret is sealed under a data key, and a data key stands in the store wrapped under
//! the key-encryption key (KEK). So another KEK costs a few rows, and processes that have the store open go on with
//! the data keys that they hold.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::{
    Kek,
    kek::derive_id,
    seal::{self, Identity, SealError, SealingKey},
};

/// What a wrapped data key is sealed as.
const KIND: &str = "data key";

/// What names a data key: derived from it as a [`KekId`](crate::KekId) is from a KEK.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DataKeyId(pub(crate) [u8; 8]);

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key under which records are sealed; wiped when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct DataKey {
    octets: Arc<Zeroizing<Vec<u8>>>,
    id: DataKeyId,
}

impl DataKey {
    /// A new random key.
    pub(crate) fn generate() -> Result<Self, SealError> {
        let mut octets = Zeroizing::new(vec![0; Kek::LEN]);
        rand::fill(&mut octets).map_err(|_| SealError::Library)?;
        Self::new(octets)
    }

    /// The KEK in the part of a data key: what stores that had no data keys sealed their records under.
    pub(crate) fn of_kek(kek: &Kek) -> Result<Self, SealError> {
        Self::new(Zeroizing::new(kek.octets().to_vec()))
    }

    fn new(octets: Zeroizing<Vec<u8>>) -> Result<Self, SealError> {
        let id = DataKeyId(derive_id(&octets).ok_or(SealError::Library)?);
        Ok(Self { octets: Arc::new(octets), id })
    }

    pub(crate) const fn id(&self) -> DataKeyId {
        self.id
    }

    /// The key as it stands in the store.
    pub(crate) fn wrap(&self, kek: &Kek) -> Result<Vec<u8>, SealError> {
        let name = self.id.to_string();
        seal::seal(kek, Identity { kind: KIND, parts: &[&name] }, &self.octets)
    }

    /// Opens what [`wrap`](Self::wrap) gave for the key of this name.
    pub(crate) fn unwrap(kek: &Kek, id: DataKeyId, wrapped: &[u8]) -> Result<Self, SealError> {
        let name = id.to_string();
        let octets = seal::open(kek, Identity { kind: KIND, parts: &[&name] }, wrapped)?;
        let key = Self::new(octets)?;
        if key.id == id { Ok(key) } else { Err(SealError::Forged) }
    }
}

impl SealingKey for DataKey {
    fn id(&self) -> [u8; 8] {
        self.id.0
    }

    fn derive(&self, salt: &[u8], label: &[u8], output: &mut [u8]) -> Option<()> {
        crate::kek::derive(&self.octets, salt, label, output)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

/// The data keys of a store: what it seals with now, and what earlier records are sealed under.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    current: DataKey,
    earlier: BTreeMap<DataKeyId, DataKey>,
}

impl Ring {
    pub(crate) const fn new(current: DataKey) -> Self {
        Self { current, earlier: BTreeMap::new() }
    }

    /// The key that new records are sealed under.
    pub(crate) const fn current(&self) -> &DataKey {
        &self.current
    }

    /// Adds a key that some records are sealed under.
    pub(crate) fn add(&mut self, key: DataKey) {
        self.earlier.insert(key.id, key);
    }

    /// All keys, the current one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &DataKey> {
        std::iter::once(&self.current).chain(self.earlier.values())
    }

    /// Opens a sealed record under whichever key it names.
    pub(crate) fn open(
        &self,
        identity: Identity<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let id = seal::key_of(sealed)?;
        let key = self.iter().find(|key| key.id.0 == id).ok_or(SealError::OtherKey(id))?;
        seal::open(key, identity, sealed)
    }
}

/// The keys that the handles of one open store share.
#[derive(Debug)]
pub(crate) struct Keys {
    held: RwLock<(Kek, Arc<Ring>)>,
}

impl Keys {
    pub(crate) fn new(kek: Kek, ring: Ring) -> Self {
        Self { held: RwLock::new((kek, Arc::new(ring))) }
    }

    pub(crate) fn kek(&self) -> Kek {
        self.held.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    pub(crate) fn set_kek(&self, kek: Kek) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).0 = kek;
    }

    pub(crate) fn set_ring(&self, ring: Ring) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).1 = Arc::new(ring);
    }
}

#[cfg(test)]
mod tests;
