//! Subscriptions.

use aws_lc_rs::digest::{SHA256, digest};
use bindery_core::Principal;
use bindery_taxii::service::{CommitError, Subject, Subscription};
use bindery_taxii_xml::{ResponseType, SubscriptionStatus};

use crate::sqlite::taxii::{
    bounded, pack,
    step::{Stop, Tx},
};

/// The state of what has ended.
const ENDED: i64 = 2;

/// A subscription as its row has it.
pub(super) struct Row {
    one: Subscription,
    status: i64,
    terms: Vec<u8>,
    bindings: Vec<u8>,
    query: Option<Vec<u8>>,
    push: Option<Vec<u8>>,
}

impl Row {
    pub(super) fn of(one: Subscription) -> Result<Self, CommitError> {
        Ok(Self {
            status: match one.status {
                SubscriptionStatus::Active => 0,
                SubscriptionStatus::Paused => 1,
                SubscriptionStatus::Unsubscribed => ENDED,
                _ => return Err(CommitError::Misuse("a state that this store does not know")),
            },
            terms: digest(&SHA256, &one.terms()).as_ref().to_vec(),
            bindings: pack::bindings(&one.content_bindings),
            query: one.query.as_ref().map(pack::query),
            push: one.push.as_ref().map(pack::push),
            one,
        })
    }

    fn subject(&self) -> Subject {
        Subject::Subscription(self.one.id.clone())
    }
}

macro_rules! row {
    ($query:expr, $row:expr, $feed:expr) => {{
        let one = &$row.one;
        $query
            .bind(one.id.as_str())
            .bind($feed)
            .bind(one.owner.as_ref().map(Principal::as_str))
            .bind(one.created.unix_micros())
            .bind($row.status)
            .bind(one.response_type == ResponseType::CountOnly)
            .bind(one.is_pushing())
            .bind($row.terms.as_slice())
            .bind($row.bindings.as_slice())
            .bind($row.query.as_deref())
            .bind($row.push.as_deref())
    }};
}

impl Tx<'_> {
    /// What comes from now on is for the new subscriber.
    pub(super) async fn insert_subscription(&mut self, row: &Row, most: usize) -> Result<(), Stop> {
        let (feed, mark) = self.feed(&row.one.collection).await?;
        self.make_room(row, feed, most).await?;
        let sql = "INSERT INTO feed_subscription \
                   (id, feed, owner, created, status, counts, pushing, terms, bindings, query, push, delivered, \
                   version, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, \
                   iif(?5 = 2, ?4, NULL)) ON CONFLICT DO NOTHING";
        self.execute_one(row!(sqlx::query(sql), row, feed).bind(mark), || row.subject()).await
    }

    /// Finds that the owner may have one more, and forgets the first of those that ended where they are too many.
    async fn make_room(&mut self, row: &Row, feed: i64, most: usize) -> Result<(), Stop> {
        let owner = row.one.owner.as_ref().map(Principal::as_str);
        if row.status != ENDED {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM feed_subscription WHERE feed = ?1 \
                       AND ifnull(owner, x'') = ifnull(?2, x'') AND status <> 2 LIMIT ?3)";
            let going: i64 = sqlx::query_scalar(sql)
                .bind(feed)
                .bind(owner)
                .bind(bounded(most))
                .fetch_one(&mut *self.connection)
                .await
                .map_err(|error| self.failed(error))?;
            if going >= bounded(most) {
                return Err(Stop::Limit("subscriptions of this owner to the collection", most));
            }
        }
        let sql = "DELETE FROM feed_subscription WHERE id IN (SELECT id FROM feed_subscription WHERE feed = ?1 \
                   AND ifnull(owner, x'') = ifnull(?2, x'') AND status = 2 ORDER BY ended DESC LIMIT -1 OFFSET ?3)";
        let query = sqlx::query(sql).bind(feed).bind(owner).bind(bounded(most));
        self.execute(query).await.map(|_| ())
    }

    pub(super) async fn replace_subscription(
        &mut self,
        row: &Row,
        expected: i64,
        restart: Option<i64>,
        now: i64,
    ) -> Result<(), Stop> {
        let (feed, _) = self.feed(&row.one.collection).await?;
        // OR IGNORE: other terms may be those of another subscription.
        let sql = "UPDATE OR IGNORE feed_subscription SET owner = ?3, created = ?4, status = ?5, counts = ?6, \
                   pushing = ?7, terms = ?8, bindings = ?9, query = ?10, push = ?11, version = version + 1, \
                   delivered = ifnull(?12, delivered), ended = iif(?5 = 2, ifnull(ended, ?14), NULL) \
                   WHERE id = ?1 AND feed = ?2 AND version = ?13";
        let query = row!(sqlx::query(sql), row, feed).bind(restart).bind(expected).bind(now);
        self.execute_one(query, || row.subject()).await?;
        let id = row.one.id.as_str();
        if restart.is_some() || !row.one.is_pushing() {
            // Whoever is working on it is to leave it.
            let sql = "DELETE FROM feed_outbox WHERE kind = 0 AND target = ? AND given_up IS NULL";
            self.execute(sqlx::query(sql).bind(id)).await?;
        }
        let sql = "INSERT INTO feed_outbox (kind, target, progress, due, lease, attempts, since) \
                   SELECT 0, s.id, 0, ?1, 0, 0, ?1 FROM feed_subscription AS s WHERE s.id = ?2 AND s.pushing = 1 \
                   AND EXISTS (SELECT 1 FROM feed_block AS b WHERE b.feed = s.feed AND b.label > s.delivered) \
                   ON CONFLICT DO NOTHING";
        self.execute(sqlx::query(sql).bind(now).bind(id)).await.map(|_| ())
    }
}
