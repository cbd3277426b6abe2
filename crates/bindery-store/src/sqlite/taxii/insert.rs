//! Messages on their way in: a small one is held in memory until its commit, a large one is staged in the file, where
//! nobody sees it. Labels are given inside the transaction that makes its blocks visible.

mod commit;
mod stage;

use std::{collections::BTreeSet, fmt};

use aws_lc_rs::{
    digest::{Context, SHA256},
    rand,
};
use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{
    Block, CommitError, FeedStoreError, Inbox, Insertion, Receipt, StoreFuture,
};

use self::{
    commit::Commit,
    stage::{Abandon, Stage},
};
use super::pack::Pack;
use crate::sqlite::{SqliteError, SqliteStore};

/// How many octets, or blocks, are held in memory before they are staged.
const HELD: (usize, usize) = (1 << 20, 4096);

/// The most octets of one block. SQLite's own limit for a row is 1 GB.
const LARGEST_BLOCK: usize = 256 << 20;

/// What a block costs beside its content, in octets.
const OVERHEAD: usize = 128;

/// A block with the collections that it goes to, by their places.
struct Placed {
    block: Block,
    to: BTreeSet<usize>,
}

/// A message's blocks on their way in.
struct Arriving {
    store: SqliteStore,
    inbox: Inbox,
    held: Vec<Placed>,
    octets: usize,
    /// Blocks that were staged, under this number in the file.
    staged: Option<Staged>,
    digest: Option<Context>,
}

#[derive(Clone, Copy)]
struct Staged {
    id: i64,
    blocks: i64,
}

pub(super) fn begin(store: SqliteStore, inbox: Inbox) -> Result<impl Insertion, CommitError> {
    let distinct: BTreeSet<&String> = inbox.collections.iter().collect();
    if distinct.len() != inbox.collections.len() {
        return Err(CommitError::Misuse("a collection is named twice"));
    }
    let digest = inbox.repeat.as_ref().map(|key| {
        let mut digest = Context::new(&SHA256);
        let mut pack = Pack::default();
        pack.maybe(key.sender.as_ref().map(Principal::as_str));
        pack.text(&key.message_id);
        for name in &inbox.collections {
            pack.text(name);
        }
        digest.update(&pack.0);
        digest
    });
    Ok(Arriving { store, inbox, held: Vec::new(), octets: 0, staged: None, digest })
}

impl Insertion for Arriving {
    fn add<'a>(
        &'a mut self,
        block: Block,
        to: &'a [usize],
    ) -> StoreFuture<'a, Result<(), CommitError>> {
        Box::pin(self.take(block, to))
    }

    fn commit(
        mut self: Box<Self>,
        now: Timestamp,
    ) -> StoreFuture<'static, Result<Receipt, CommitError>> {
        Box::pin(async move {
            let step = Commit {
                inbox: self.inbox.clone(),
                digest: self.digest.take().map(|digest| digest.finish().as_ref().to_vec()),
                staged: self.staged,
                octets: self.octets,
                held: std::mem::take(&mut self.held),
                now: now.unix_micros(),
            };
            let receipt = self.store.make(step).await?;
            // The commit has taken it away.
            self.staged = None;
            Ok(receipt)
        })
    }
}

impl Arriving {
    async fn take(&mut self, block: Block, to: &[usize]) -> Result<(), CommitError> {
        let to: BTreeSet<usize> = to.iter().copied().collect();
        if to.last().is_some_and(|last| *last >= self.inbox.collections.len()) {
            return Err(CommitError::Misuse("a block goes to a collection that was not named"));
        }
        if to.is_empty() {
            return Ok(());
        }
        let octets = block.octets();
        if octets > LARGEST_BLOCK {
            let path = self.store.path().to_owned();
            let detail = format!("a block has {octets} octets, more than {LARGEST_BLOCK}");
            return Err(FeedStoreError::from(SqliteError::Other { path, detail }).into());
        }
        if let Some(digest) = &mut self.digest {
            let mut pack = Pack::default();
            pack.block(&block);
            for place in &to {
                pack.text(&place.to_string());
            }
            digest.update(&pack.0);
        }
        self.octets += octets + OVERHEAD;
        self.held.push(Placed { block, to });
        if self.octets >= HELD.0 || self.held.len() >= HELD.1 {
            self.stage().await?;
        }
        Ok(())
    }

    async fn stage(&mut self) -> Result<(), CommitError> {
        let staged = match self.staged {
            Some(staged) => staged,
            None => Staged { id: random()?, blocks: 0 },
        };
        let held = std::mem::take(&mut self.held);
        let added = i64::try_from(held.len()).unwrap_or(i64::MAX);
        let (first, octets) = (self.staged.is_none(), std::mem::take(&mut self.octets));
        // Before the writer has it: from now on there may be something to take away.
        self.staged = Some(Staged { blocks: staged.blocks.saturating_add(added), ..staged });
        let received = self.inbox.received.unix_micros();
        self.store.make(Stage { staged, first, received, octets, held }).await
    }
}

/// A number that no other message has.
fn random() -> Result<i64, CommitError> {
    let mut octets = [0; 8];
    match rand::fill(&mut octets) {
        Ok(()) => Ok(i64::from_be_bytes(octets) & i64::MAX),
        Err(error) => Err(FeedStoreError::Failed(error.to_string().into()).into()),
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // Where there is no room for this in the queue, `maintain` clears it away later.
        if let Some(staged) = self.staged {
            self.store.submit_unheard(Box::new(Abandon { insertion: staged.id }));
        }
    }
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arriving").field("inbox", &self.inbox).finish_non_exhaustive()
    }
}
