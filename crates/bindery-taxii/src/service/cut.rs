//! Windows cut into the parts of a result.

use std::sync::Arc;

use bindery_taxii_xml::{CollectionType, StatusType};

use super::{
    Collection, FeedStore, FeedStoreError, PageLimits, ResultPart, Threads, Window, fault::Fault,
    query::Compiled,
};

/// What parts are cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutLimits {
    /// The most of one part.
    pub part: PageLimits,
    /// The most parts.
    pub parts: usize,
    /// What is read at once where content is looked at.
    pub page: PageLimits,
    /// How much content is looked at.
    pub examined: PageLimits,
    /// How much work that may be, in steps ([`Queries::work`](super::Queries::work)).
    pub work: u64,
}

impl CutLimits {
    /// Whether so many blocks, octets and steps are as much as is looked at.
    pub(super) const fn are_used_up(&self, (blocks, octets, work): (usize, usize, u64)) -> bool {
        let examined = self.examined;
        blocks >= examined.blocks || octets >= examined.octets || work >= self.work
    }
}

/// Why nothing was cut.
pub(super) enum Uncut {
    Store(FeedStoreError),
    Fault(Fault),
}

impl From<FeedStoreError> for Uncut {
    fn from(error: FeedStoreError) -> Self {
        Self::Store(error)
    }
}

/// Cuts what was asked for into parts. Where it is more than there may be, or than may be looked at, the window ends with
/// the last part.
pub(super) async fn cut(
    store: &dyn FeedStore,
    collection: &Collection,
    window: &mut Window,
    query: Option<&Arc<Compiled>>,
    limits: CutLimits,
    threads: &dyn Threads,
) -> Result<Vec<ResultPart>, Uncut> {
    let mut parts = match query {
        None => store.divide(window, limits.part, limits.parts).await?,
        Some(query) => examine(store, window, query, limits, threads).await?,
    };
    if let Some(last) = parts.last_mut().filter(|last| last.more) {
        if collection.kind == CollectionType::DataSet {
            // A set's answer has no bounds that could tell where it ends.
            let reason = "the set has more than one answer can give; narrow what is wanted";
            return Err(Uncut::Fault(Fault::new(StatusType::Failure, reason)));
        }
        last.more = false;
        window.end = last.end;
    }
    Ok(parts)
}

/// The same by looking at each block: parts count those that meet the query, and their ranges hold others too.
async fn examine(
    store: &dyn FeedStore,
    window: &Window,
    query: &Arc<Compiled>,
    limits: CutLimits,
    threads: &dyn Threads,
) -> Result<Vec<ResultPart>, Uncut> {
    let mut parts: Vec<ResultPart> = Vec::new();
    let mut part = ResultPart::new(1, window.begin, window.end, 0, false);
    let (mut octets, mut used) = (0, (0, 0, 0));
    let mut after = None;
    loop {
        let page = store.page(window, after, limits.page).await?;
        let Some(looked) = query.look_at(page.blocks, threads).await else {
            let reason = "the server is ending; ask again";
            return Err(Uncut::Fault(Fault::new(StatusType::Failure, reason)));
        };
        for (stored, looked) in &looked {
            let size = stored.block.octets();
            used = (used.0 + 1, used.1 + size, looked.work.saturating_add(used.2));
            if !looked.met {
                continue;
            }
            let full = part.blocks >= limits.part.blocks.max(1) as u64
                || part.blocks > 0 && octets + size > limits.part.octets;
            if full {
                // It ends right before this one, which begins the next.
                let before = stored.label.unix_micros().saturating_sub(1);
                part.end = bindery_core::Timestamp::from_unix_micros(before);
                part.more = true;
                let (number, begin) = (part.number.saturating_add(1), Some(part.end));
                parts.push(part);
                if parts.len() >= limits.parts.max(1) {
                    return Ok(parts);
                }
                part = ResultPart::new(number, begin, window.end, 0, false);
                octets = 0;
            }
            part.blocks += 1;
            octets += size;
        }
        match page.next {
            None => break,
            Some(next) if limits.are_used_up(used) => {
                (part.end, part.more) = (next, true);
                break;
            }
            next => after = next,
        }
    }
    parts.push(part);
    Ok(parts)
}
