//! Locate: going through what the store finds.

use bindery_ttlv::ProtocolVersion;

use super::{Batch, Fault};
use crate::{
    message::{LocateRequest, LocateResponse},
    service::{
        object::Object,
        operation::{Scene, locate::Wanted},
    },
};

/// How many records one question to the store asks for.
const PAGE: usize = 256;

impl Batch<'_> {
    /// The objects that are asked for, in the order in which they were made, with what this batch
    /// has made and changed laid over what the store has.
    pub(super) async fn locate(
        &mut self,
        request: &LocateRequest,
    ) -> Result<LocateResponse, Fault> {
        let wanted = Wanted::read(&self.scene, request)?;
        let mut found = Found::new(&wanted, self.scene.version);
        if let Some(uid) = &wanted.uid {
            self.load(uid).await?;
            if let Some(entry) = self.set.get(uid) {
                found.offer(&wanted, &self.scene, &entry.object);
            }
        } else if !wanted.nothing {
            self.scan(&wanted, &mut found).await?;
        }
        self.left.answer(found.octets)?;
        Ok(found.response())
    }

    async fn scan(&mut self, wanted: &Wanted, found: &mut Found) -> Result<(), Fault> {
        let scene = &self.scene;
        let mut changed = self.set.changed().peekable();
        let mut filter = wanted.filter(scene.principal, PAGE);
        while !found.is_done() {
            self.need_store()?;
            let page = self.store.find(&filter).await?;
            let last = page.len() < PAGE;
            filter.after = page.last().map(|versioned| versioned.record.uid.clone());
            for versioned in page {
                let record = &versioned.record;
                while let Some(entry) = changed.next_if(|entry| entry.object.uid < record.uid) {
                    found.offer(wanted, scene, &entry.object);
                }
                if found.is_done() {
                    return Ok(());
                }
                let own = changed.next_if(|entry| entry.object.uid == record.uid);
                let object = Object::from_record(record)?;
                let object = own.map_or(&object, |entry| &entry.object);
                let cost = wanted.cost(record.attributes.len(), object.attributes.len());
                match self.left.look(cost) {
                    Ok(()) => found.offer(wanted, scene, object),
                    // What was asked for is there; only how many there are in all is not known.
                    Err(_) if found.is_full() => return found.uncounted(),
                    Err(failure) => return Err(failure.into()),
                }
            }
            if last {
                changed.for_each(|entry| found.offer(wanted, scene, &entry.object));
                break;
            }
        }
        Ok(())
    }
}

/// The identifiers that a Locate has found so far.
struct Found {
    skip: usize,
    most: usize,
    uids: Vec<String>,
    /// About how many octets they have in the answer.
    octets: usize,
    /// How many objects fit in all, where that is asked for.
    total: Option<usize>,
}

impl Found {
    /// Offset Items (1.3) asks for a page of a listing, and the answer says how long the listing
    /// is; without it Located Items may be left out (section 4.9).
    fn new(wanted: &Wanted, version: ProtocolVersion) -> Self {
        let counted = wanted.offset.is_some() && version >= ProtocolVersion::V1_3;
        Self {
            skip: wanted.offset.unwrap_or(0),
            most: wanted.most,
            uids: Vec::new(),
            octets: 0,
            total: counted.then_some(0),
        }
    }

    const fn is_full(&self) -> bool {
        self.uids.len() >= self.most
    }

    const fn is_done(&self) -> bool {
        self.is_full() && self.total.is_none()
    }

    fn uncounted(&mut self) -> Result<(), Fault> {
        self.total = None;
        Ok(())
    }

    fn offer(&mut self, wanted: &Wanted, scene: &Scene<'_>, object: &Object) {
        if self.is_done() || !wanted.fits(scene, object) {
            return;
        }
        if let Some(total) = &mut self.total {
            *total += 1;
        }
        match self.skip.checked_sub(1) {
            Some(left) => self.skip = left,
            None if self.is_full() => {}
            None => {
                // A text's header and padding.
                self.octets += object.uid.len() + 16;
                self.uids.push(object.uid.clone());
            }
        }
    }

    fn response(self) -> LocateResponse {
        let mut response = LocateResponse::new(self.uids.into_iter().map(Into::into).collect());
        response.located_items = self.total.and_then(|total| i32::try_from(total).ok());
        response
    }
}
