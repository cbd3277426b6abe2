//! A store that notes what it is asked.

use std::sync::{Arc, Mutex};

use bindery_core::Timestamp;
use bindery_taxii::service::{
    Change, CollectionState, CommitError, Delivery, FeedStore, Inbox, Insertion, Lease, Loaded,
    Maintained, Outcome, Page, PageLimits, ResultPart, ResultSet, StoreFuture, Subscription,
    SubscriptionFilter, Undelivered, Versioned, Window,
};

/// What was asked: each call that reads, and how much it gave.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Vec<String>>>);

impl Watch {
    /// What was asked since this was called last.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

/// A store whose reads are noted.
#[derive(Debug)]
pub struct Watched {
    store: Arc<dyn FeedStore>,
    watch: Watch,
}

impl Watched {
    /// The same store, watched.
    #[must_use]
    pub const fn new(store: Arc<dyn FeedStore>, watch: Watch) -> Self {
        Self { store, watch }
    }
}

impl FeedStore for Watched {
    fn load_collections<'a>(
        &'a self,
        names: &'a [String],
    ) -> StoreFuture<'a, Loaded<Vec<Option<CollectionState>>>> {
        self.watch.note(format!("load_collections {}", names.len()));
        self.store.load_collections(names)
    }

    fn list_collections<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<CollectionState>>> {
        self.watch.note(format!("list_collections {limit}"));
        self.store.list_collections(after, limit)
    }

    fn page<'a>(
        &'a self,
        window: &'a Window,
        after: Option<Timestamp>,
        limits: PageLimits,
    ) -> StoreFuture<'a, Loaded<Page>> {
        Box::pin(async move {
            let page = self.store.page(window, after, limits).await?;
            self.watch.note(format!("page {}", page.blocks.len()));
            Ok(page)
        })
    }

    fn count<'a>(&'a self, window: &'a Window, most: u64) -> StoreFuture<'a, Loaded<u64>> {
        self.watch.note("count".to_owned());
        self.store.count(window, most)
    }

    fn divide<'a>(
        &'a self,
        window: &'a Window,
        limits: PageLimits,
        most: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>> {
        self.watch.note("divide".to_owned());
        self.store.divide(window, limits, most)
    }

    fn insert(&self, inbox: Inbox) -> StoreFuture<'_, Result<Box<dyn Insertion>, CommitError>> {
        self.store.insert(inbox)
    }

    fn load_subscription<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<Subscription>>>> {
        self.watch.note("load_subscription".to_owned());
        self.store.load_subscription(id)
    }

    fn list_subscriptions<'a>(
        &'a self,
        filter: &'a SubscriptionFilter,
    ) -> StoreFuture<'a, Loaded<Vec<Versioned<Subscription>>>> {
        self.watch.note("list_subscriptions".to_owned());
        self.store.list_subscriptions(filter)
    }

    fn load_result<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<ResultSet>>>> {
        self.watch.note("load_result".to_owned());
        self.store.load_result(id)
    }

    fn load_parts<'a>(
        &'a self,
        result: &'a str,
        from: u64,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>> {
        self.watch.note(format!("load_parts {limit}"));
        self.store.load_parts(result, from, limit)
    }

    fn commit(
        &self,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>> {
        self.store.commit(changes, now)
    }

    fn lease(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Vec<Delivery>, CommitError>> {
        self.store.lease(now, until, limit)
    }

    fn settle(
        &self,
        lease: Lease,
        outcome: Outcome,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>> {
        self.store.settle(lease, outcome, now)
    }

    fn next_due(&self) -> StoreFuture<'_, Loaded<Option<Timestamp>>> {
        self.store.next_due()
    }

    fn undelivered(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<'_, Loaded<Vec<Undelivered>>> {
        self.store.undelivered(after, limit)
    }

    fn maintain(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Maintained, CommitError>> {
        self.store.maintain(now, limit)
    }
}
