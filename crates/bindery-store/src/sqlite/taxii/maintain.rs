//! What has to be done from time to time, a piece at a time.

use bindery_taxii::service::Maintained;
use futures_util::future::BoxFuture;

use super::{
    bounded,
    change::Which,
    step::{Step, Stop, Tx},
};

/// How long the blocks of a message may come in, in microseconds: an hour. What is older is of a process that is gone.
const STAGED: i64 = 3_600_000_000;

/// How long a subscription that has ended is remembered, in microseconds: a day.
const ENDED: i64 = 86_400_000_000;

/// How long what was given up is told of, in microseconds: 30 days.
const GIVEN_UP: i64 = 30 * 86_400_000_000;

/// One piece of maintenance.
pub(super) struct Maintain {
    pub(super) now: i64,
    pub(super) limit: i64,
}

impl Step for Maintain {
    type Output = Maintained;

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<Maintained, Stop>> {
        Box::pin(async move {
            let mut done = Maintained::default();
            // Each step has the room that those before it left.
            done.others += self.expired(tx, self.left(&done)).await?;
            done.others += self.repeats(tx, self.left(&done)).await?;
            done.others += self.ended(tx, self.left(&done)).await?;
            done.others += self.given_up(tx, self.left(&done)).await?;
            done.others += self.staged(tx, self.left(&done)).await?;
            done.blocks += self.removed(tx, self.left(&done)).await?;
            done.blocks += self.retention(tx, self.left(&done)).await?;
            done.others += self.unused(tx, self.left(&done)).await?;
            done.more = self.left(&done) == 0;
            Ok(done)
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Maintain {
    fn left(&self, done: &Maintained) -> i64 {
        self.limit.max(1).saturating_sub(bounded(done.blocks + done.others)).max(0)
    }

    /// Result sets whose time is over, their parts first: one may have very many. Those stay that are in the outbox.
    async fn expired(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_part WHERE (result, number) IN \
                   (SELECT p.result, p.number FROM feed_result AS r CROSS JOIN feed_part AS p ON p.result = r.id \
                    WHERE r.expires <= ?1 AND NOT EXISTS (SELECT 1 FROM feed_outbox AS o \
                    WHERE o.kind IN (1, 2) AND o.target = r.id AND o.given_up IS NULL) LIMIT ?2)";
        let parts = tx.execute(sqlx::query(sql).bind(self.now).bind(room)).await?;
        let sql = "DELETE FROM feed_result WHERE id IN (SELECT id FROM feed_result AS r WHERE r.expires <= ?1 \
                   AND NOT EXISTS (SELECT 1 FROM feed_part AS p WHERE p.result = r.id) \
                   AND NOT EXISTS (SELECT 1 FROM feed_outbox AS o WHERE o.kind IN (1, 2) AND o.target = r.id \
                   AND o.given_up IS NULL) LIMIT ?2)";
        let room = room.saturating_sub(bounded(parts));
        Ok(parts + tx.execute(sqlx::query(sql).bind(self.now).bind(room)).await?)
    }

    /// What was given up long ago.
    async fn given_up(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_outbox WHERE id IN \
                   (SELECT id FROM feed_outbox WHERE given_up <= ? ORDER BY given_up LIMIT ?)";
        let until = self.now.saturating_sub(GIVEN_UP);
        tx.execute(sqlx::query(sql).bind(until).bind(room)).await
    }

    /// Messages that need not be known again.
    async fn repeats(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_message WHERE digest IN \
                   (SELECT digest FROM feed_message WHERE until <= ? ORDER BY until LIMIT ?)";
        tx.execute(sqlx::query(sql).bind(self.now).bind(room)).await
    }

    /// Subscriptions that ended long ago.
    async fn ended(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_subscription WHERE id IN (SELECT id FROM feed_subscription \
                   WHERE status = 2 AND ended <= ? ORDER BY ended LIMIT ?)";
        let until = self.now.saturating_sub(ENDED);
        tx.execute(sqlx::query(sql).bind(until).bind(room)).await
    }

    /// Content bindings that no block has.
    async fn unused(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_binding WHERE id IN \
                   (SELECT id FROM feed_binding WHERE uses = 0 ORDER BY id LIMIT ?)";
        tx.execute(sqlx::query(sql).bind(room)).await
    }

    /// Messages that were begun long ago. Once its row of `feed_insertion` is gone, a message cannot be committed.
    async fn staged(&self, tx: &mut Tx<'_>, room: i64) -> Result<u64, Stop> {
        let sql = "DELETE FROM feed_insertion WHERE id IN (SELECT id FROM feed_insertion WHERE received <= ? LIMIT ?)";
        let until = self.now.saturating_sub(STAGED);
        let mut rows = tx.execute(sqlx::query(sql).bind(until).bind(room)).await?;
        let mut after = i64::MIN;
        loop {
            let sql = "SELECT insertion, EXISTS (SELECT 1 FROM feed_insertion WHERE id = insertion) \
                       FROM feed_staged WHERE insertion > ? ORDER BY insertion LIMIT 1";
            let next: Option<(i64, bool)> = sqlx::query_as(sql)
                .bind(after)
                .fetch_optional(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            let Some((insertion, there)) = next else { return Ok(rows) };
            after = insertion;
            if there {
                continue;
            }
            rows += self.unstage(tx, insertion, room.saturating_sub(bounded(rows))).await?;
            if bounded(rows) >= room {
                return Ok(rows);
            }
        }
    }

    async fn unstage(&self, tx: &mut Tx<'_>, insertion: i64, room: i64) -> Result<u64, Stop> {
        // Whole contents at a time: one that goes to several collections is several rows.
        const FIRST: &str = "(SELECT DISTINCT content FROM feed_staged WHERE insertion = ?1 ORDER BY content LIMIT ?2)";
        let mut rows = 0;
        for (what, close) in [
            ("DELETE FROM feed_content WHERE id IN ", ""),
            (
                "UPDATE feed_binding AS n SET uses = n.uses - gone.blocks FROM (SELECT binding, count(*) AS blocks \
                 FROM feed_staged WHERE insertion = ?1 AND content IN ",
                " GROUP BY binding) AS gone WHERE n.id = gone.binding",
            ),
            ("DELETE FROM feed_staged WHERE insertion = ?1 AND content IN ", ""),
        ] {
            let sql = sqlx::AssertSqlSafe(format!("{what}{FIRST}{close}"));
            rows = tx.execute(sqlx::query(sql).bind(insertion).bind(room)).await?;
        }
        Ok(rows)
    }

    /// What is left of collections that were removed.
    async fn removed(&self, tx: &mut Tx<'_>, mut room: i64) -> Result<u64, Stop> {
        let mut blocks = 0;
        while room > 0 {
            let sql = "SELECT id FROM feed WHERE removed IS NOT NULL AND blocks > 0 LIMIT 1";
            let feed: Option<i64> = sqlx::query_scalar(sql)
                .fetch_optional(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            let Some(feed) = feed else { break };
            let gone = tx.forget(feed, &Which::First(room)).await?;
            blocks += gone;
            room = room.saturating_sub(bounded(gone.max(1)));
        }
        Ok(blocks)
    }

    /// What collections need not keep.
    async fn retention(&self, tx: &mut Tx<'_>, mut room: i64) -> Result<u64, Stop> {
        let sql = "SELECT id, keep_micros, keep_blocks, blocks FROM feed \
                   WHERE name IS NOT NULL AND (keep_micros IS NOT NULL OR keep_blocks IS NOT NULL) ORDER BY id";
        let feeds: Vec<(i64, Option<i64>, Option<i64>, i64)> = sqlx::query_as(sql)
            .fetch_all(&mut *tx.connection)
            .await
            .map_err(|error| tx.failed(error))?;
        let mut removed = 0;
        for (feed, age, most, mut has) in feeds {
            if let (Some(age), true) = (age, room > 0) {
                let until = self.now.saturating_sub(age);
                let gone = tx.forget(feed, &Which::Received(room, until)).await?;
                has = has.saturating_sub(bounded(gone));
                (removed, room) = (removed + gone, room.saturating_sub(bounded(gone)));
            }
            let over = most.map_or(0, |most| has.saturating_sub(most)).min(room);
            if over > 0 {
                let gone = tx.forget(feed, &Which::First(over)).await?;
                (removed, room) = (removed + gone, room.saturating_sub(bounded(gone)));
            }
        }
        Ok(removed)
    }
}
