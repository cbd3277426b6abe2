//! A message becomes visible.

use bindery_core::Timestamp;
use bindery_taxii::service::{Inbox, Receipt, Received, Subject};
use futures_util::future::BoxFuture;
use sqlx::{QueryBuilder, Sqlite};

use super::{
    Placed, Staged,
    stage::{ROWS, Row, remove_staged},
};
use crate::sqlite::taxii::{
    bounded, pack,
    step::{Step, Stop, Tx},
};

/// The commit of a message.
pub(super) struct Commit {
    pub(super) inbox: Inbox,
    /// What it is known by when it is sent again.
    pub(super) digest: Option<Vec<u8>>,
    pub(super) staged: Option<Staged>,
    pub(super) held: Vec<Placed>,
    pub(super) octets: usize,
    pub(super) now: i64,
}

impl Step for Commit {
    type Output = Receipt;

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<Receipt, Stop>> {
        Box::pin(async move {
            if let Some(receipt) = self.earlier(tx).await? {
                if let Some(staged) = self.staged {
                    let removed = remove_staged(tx.connection, staged.id, tx.path).await;
                    removed.map_err(|error| Stop::Store(error.into()))?;
                }
                return Ok(Receipt::new(receipt, true));
            }
            self.check_staged(tx).await?;
            let mut feeds = Vec::with_capacity(self.inbox.collections.len());
            for name in &self.inbox.collections {
                feeds.push(tx.feed(name).await?);
            }
            let rows = match self.held.is_empty() {
                true => Vec::new(),
                false => tx.add_contents(&self.held).await?,
            };
            let mut received = Vec::with_capacity(feeds.len());
            for (place, (feed, mark)) in feeds.into_iter().enumerate() {
                received.push(self.place(tx, place, feed, mark, &rows).await?);
            }
            self.finish(tx, &received).await?;
            Ok(Receipt::new(received, false))
        })
    }

    fn bytes(&self) -> usize {
        self.octets
    }
}

impl Commit {
    /// What was stored of this message when it came before.
    async fn earlier(&self, tx: &mut Tx<'_>) -> Result<Option<Vec<Received>>, Stop> {
        let Some(digest) = &self.digest else { return Ok(None) };
        let sql = "SELECT receipt FROM feed_message WHERE digest = ? AND until > ?";
        let packed: Option<Vec<u8>> = sqlx::query_scalar(sql)
            .bind(digest.as_slice())
            .bind(self.now)
            .fetch_optional(&mut *tx.connection)
            .await
            .map_err(|error| tx.failed(error))?;
        let Some(packed) = packed else { return Ok(None) };
        let damaged = || Stop::Damaged(Subject::Insertion, "its earlier receipt cannot be read");
        pack::unpack_receipt(&packed).ok_or_else(damaged).map(Some)
    }

    async fn check_staged(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Some(staged) = self.staged else { return Ok(()) };
        let there: Option<i64> = sqlx::query_scalar("SELECT 1 FROM feed_insertion WHERE id = ?")
            .bind(staged.id)
            .fetch_optional(&mut *tx.connection)
            .await
            .map_err(|error| tx.failed(error))?;
        there.map(|_| ()).ok_or(Stop::Conflict(Subject::Insertion))
    }

    /// Gives a collection its blocks: each label later than the one before, none before now.
    async fn place(
        &self,
        tx: &mut Tx<'_>,
        place: usize,
        feed: i64,
        mark: i64,
        rows: &[Row<'_>],
    ) -> Result<Received, Stop> {
        let first = mark.saturating_add(1).max(self.now);
        let received = self.inbox.received.unix_micros();
        let mut label = first;
        if let Some(staged) = self.staged {
            let sql = "INSERT INTO feed_block (feed, label, binding, octets, content, received) \
                       SELECT ?, ? + row_number() OVER (ORDER BY position) - 1, binding, octets, content, ? \
                       FROM feed_staged WHERE insertion = ? AND destination = ? ORDER BY position";
            let done = sqlx::query(sql)
                .bind(feed)
                .bind(first)
                .bind(received)
                .bind(staged.id)
                .bind(bounded(place))
                .execute(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            label = label.saturating_add(bounded(done.rows_affected()));
        }
        let mine: Vec<&Row<'_>> = rows.iter().filter(|row| row.to.contains(&place)).collect();
        if label.checked_add(bounded(mine.len())).is_none() {
            return Err(tx.other("the collection has no labels left"));
        }
        for chunk in mine.chunks(ROWS) {
            let sql = "INSERT INTO feed_block (feed, label, binding, octets, content, received) ";
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(feed).push_bind(label).push_bind(row.binding);
                values.push_bind(row.octets).push_bind(row.content).push_bind(received);
                label += 1;
            });
            let done = query.build().execute(&mut *tx.connection).await;
            done.map_err(|error| tx.failed(error))?;
        }
        let blocks = label - first;
        if blocks == 0 {
            return Ok(Received::default());
        }
        tx.advance(feed, label - 1, blocks, self.now).await?;
        let at = Timestamp::from_unix_micros;
        Ok(Received::new(
            u64::try_from(blocks).unwrap_or_default(),
            Some((at(first), at(label - 1))),
        ))
    }

    async fn finish(&self, tx: &mut Tx<'_>, received: &[Received]) -> Result<(), Stop> {
        if let Some(staged) = self.staged {
            for sql in [
                "DELETE FROM feed_staged WHERE insertion = ?",
                "DELETE FROM feed_insertion WHERE id = ?",
            ] {
                let done = sqlx::query(sql).bind(staged.id).execute(&mut *tx.connection).await;
                done.map_err(|error| tx.failed(error))?;
            }
        }
        if let (Some(digest), Some(key)) = (&self.digest, &self.inbox.repeat) {
            let sql =
                "INSERT OR REPLACE INTO feed_message (digest, until, receipt) VALUES (?, ?, ?)";
            sqlx::query(sql)
                .bind(digest.as_slice())
                .bind(key.until.unix_micros())
                .bind(pack::receipt(received))
                .execute(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// A collection's number and mark.
    pub(in crate::sqlite::taxii) async fn feed(&mut self, name: &str) -> Result<(i64, i64), Stop> {
        let found: Option<(i64, i64)> = sqlx::query_as("SELECT id, mark FROM feed WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        found.ok_or_else(|| Stop::Conflict(Subject::Collection(name.to_owned())))
    }

    /// Notes new blocks of a collection, also for those whom they are pushed to.
    async fn advance(&mut self, feed: i64, mark: i64, blocks: i64, now: i64) -> Result<(), Stop> {
        sqlx::query("UPDATE feed SET mark = ?, blocks = blocks + ? WHERE id = ?")
            .bind(mark)
            .bind(blocks)
            .bind(feed)
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        let sql = "INSERT INTO feed_outbox (kind, target, progress, due, lease, attempts, since) \
                   SELECT 0, id, 0, ?1, 0, 0, ?1 FROM feed_subscription WHERE feed = ?2 AND pushing = 1 \
                   ON CONFLICT DO NOTHING";
        let done = sqlx::query(sql).bind(now).bind(feed).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed(error))
    }
}
