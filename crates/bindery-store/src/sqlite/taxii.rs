//! The feed services' store.
//!
//! What a poll looks through is small and in the order of labels (`feed_block`); content lies apart and is read for the
//! blocks of a page only. Labels are given by the writer, inside the transaction that makes the blocks visible, and
//! there is one writer at a time: so a reader who sees a label sees every earlier one.

mod change;
mod divide;
mod insert;
mod load;
mod maintain;
mod outbox;
mod pack;
mod page;
mod row;
mod step;

use bindery_core::Timestamp;
use bindery_taxii::service::{
    Change, CollectionState, CommitError, Delivery, FeedStore, Inbox, Insertion, Lease, Loaded,
    Maintained, Outcome, Page, PageLimits, ResultPart, ResultSet, StoreFuture, Subscription,
    SubscriptionFilter, Undelivered, Versioned, Window,
};
use sqlx::SqliteConnection;

use super::{CheckReport, SqliteError, SqliteStore, report::number};

impl FeedStore for SqliteStore {
    fn load_collections<'a>(
        &'a self,
        names: &'a [String],
    ) -> StoreFuture<'a, Loaded<Vec<Option<CollectionState>>>> {
        Box::pin(self.collections(names))
    }

    fn list_collections<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<CollectionState>>> {
        Box::pin(self.all_collections(after, limit))
    }

    fn page<'a>(
        &'a self,
        window: &'a Window,
        after: Option<Timestamp>,
        limits: PageLimits,
    ) -> StoreFuture<'a, Loaded<Page>> {
        Box::pin(self.page_of(window, after, limits))
    }

    fn count<'a>(&'a self, window: &'a Window, most: u64) -> StoreFuture<'a, Loaded<u64>> {
        Box::pin(self.count_of(window, most))
    }

    fn divide<'a>(
        &'a self,
        window: &'a Window,
        limits: PageLimits,
        most: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>> {
        Box::pin(self.divided(window, limits, most))
    }

    fn insert(&self, inbox: Inbox) -> StoreFuture<'_, Result<Box<dyn Insertion>, CommitError>> {
        let begun = insert::begin(self.clone(), inbox);
        Box::pin(async move { Ok(Box::new(begun?) as Box<dyn Insertion>) })
    }

    fn load_subscription<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<Subscription>>>> {
        Box::pin(self.subscription(id))
    }

    fn list_subscriptions<'a>(
        &'a self,
        filter: &'a SubscriptionFilter,
    ) -> StoreFuture<'a, Loaded<Vec<Versioned<Subscription>>>> {
        Box::pin(self.subscriptions(filter))
    }

    fn load_result<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Loaded<Option<Versioned<ResultSet>>>> {
        Box::pin(self.result(id))
    }

    fn load_parts<'a>(
        &'a self,
        result: &'a str,
        from: u64,
        limit: usize,
    ) -> StoreFuture<'a, Loaded<Vec<ResultPart>>> {
        Box::pin(self.parts(result, from, limit))
    }

    fn commit(
        &self,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            if changes.is_empty() {
                return Ok(());
            }
            self.make(change::Changes::prepare(changes, now)?).await
        })
    }

    fn lease(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Vec<Delivery>, CommitError>> {
        Box::pin(self.take_due(now, until, limit))
    }

    fn settle(
        &self,
        lease: Lease,
        outcome: Outcome,
        now: Timestamp,
    ) -> StoreFuture<'_, Result<(), CommitError>> {
        Box::pin(self.make(outbox::Settle { lease, outcome, now: now.unix_micros() }))
    }

    fn next_due(&self) -> StoreFuture<'_, Loaded<Option<Timestamp>>> {
        Box::pin(self.first_due())
    }

    fn undelivered(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<'_, Loaded<Vec<Undelivered>>> {
        Box::pin(self.given_up(after, limit))
    }

    fn maintain(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Maintained, CommitError>> {
        Box::pin(self.make(maintain::Maintain { now: now.unix_micros(), limit: bounded(limit) }))
    }
}

/// What must hold, and what it means where it does not.
const WRONG: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM feed AS f \
         WHERE blocks <> (SELECT count(*) FROM feed_block AS b WHERE b.feed = f.id)",
        "feeds say another number of blocks than they have",
    ),
    (
        "SELECT count(*) FROM feed AS f \
         WHERE mark < (SELECT max(label) FROM feed_block AS b WHERE b.feed = f.id)",
        "feeds have blocks behind their mark",
    ),
    (
        "SELECT count(*) FROM feed_block AS b \
         LEFT JOIN feed_content AS c ON c.id = b.content LEFT JOIN feed_binding AS n ON n.id = b.binding \
         LEFT JOIN feed AS f ON f.id = b.feed \
         WHERE c.id IS NULL OR n.id IS NULL OR f.id IS NULL OR b.octets < octet_length(c.raw)",
        "blocks have no feed, binding or content, or content that is longer than they say",
    ),
    (
        "SELECT count(*) FROM feed_content AS c LEFT JOIN (SELECT content, count(*) AS uses FROM \
         (SELECT content FROM feed_block UNION ALL SELECT content FROM feed_staged) GROUP BY content) AS b \
         ON b.content = c.id WHERE c.uses IS NOT b.uses",
        "contents are used by another number of blocks than they say",
    ),
    (
        "SELECT count(*) FROM feed_binding AS n LEFT JOIN (SELECT binding, count(*) AS uses FROM \
         (SELECT binding FROM feed_block UNION ALL SELECT binding FROM feed_staged) GROUP BY binding) AS b \
         ON b.binding = n.id WHERE n.uses <> ifnull(b.uses, 0)",
        "content bindings are used by another number of blocks than they say",
    ),
    (
        "SELECT count(*) FROM feed_subscription AS s JOIN feed AS f ON f.id = s.feed WHERE s.pushing = 1 \
         AND EXISTS (SELECT 1 FROM feed_block AS b WHERE b.feed = s.feed AND b.label > s.delivered) \
         AND NOT EXISTS (SELECT 1 FROM feed_outbox AS o \
                         WHERE o.kind = 0 AND o.target = s.id AND o.given_up IS NULL)",
        "subscribers have something to be pushed that is not in the outbox",
    ),
];

impl SqliteStore {
    fn unread(&self, error: sqlx::Error) -> bindery_taxii::service::FeedStoreError {
        self.failed(error).into()
    }

    /// Compares what feeds say of their blocks with the blocks that are there.
    pub(super) async fn check_feeds(
        &self,
        connection: &mut SqliteConnection,
        report: &mut CheckReport,
    ) -> Result<(), SqliteError> {
        let failed = |error| self.failed(error);
        let blocks = number(connection, "SELECT count(*) FROM feed_block").await;
        report.records += blocks.map_err(failed)?;
        for (sql, problem) in WRONG {
            let found = number(connection, *sql).await.map_err(failed)?;
            if found > 0 {
                report.problem(format!("{found} {problem}"));
            }
        }
        Ok(())
    }
}

/// A number as SQLite counts.
fn bounded<T: TryInto<i64>>(number: T) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
