//! The outbox: leasing is a time before which a row is not due, and a number that voids earlier leases.

use bindery_core::Timestamp;
use bindery_taxii::service::{
    CommitError, Delivery, Lease, Loaded, Outcome, Outgoing, Subject, Undelivered,
};
use futures_util::future::BoxFuture;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    bounded,
    row::{Unread, damaged},
    step::{Step, Stop, Tx},
};
use crate::sqlite::SqliteStore;

const PUSH: i64 = 0;
const RESULT: i64 = 1;
const POLL: i64 = 2;

impl SqliteStore {
    pub(super) async fn first_due(&self) -> Loaded<Option<Timestamp>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let sql = "SELECT min(due) FROM feed_outbox WHERE given_up IS NULL";
        let due: Option<i64> =
            sqlx::query_scalar(sql).fetch_one(&mut *connection).await.map_err(failed)?;
        Ok(due.map(Timestamp::from_unix_micros))
    }

    pub(super) async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, CommitError> {
        // Looking costs no commit.
        if limit == 0 || self.first_due().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let (now, until) = (now.unix_micros(), until.unix_micros());
        self.make(Take { now, until, limit: bounded(limit) }).await
    }

    pub(super) async fn given_up(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Loaded<Vec<Undelivered>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let sql = "SELECT id, kind, target, progress, up_to, attempts, error, given_up FROM feed_outbox \
                   WHERE given_up IS NOT NULL AND id > ? ORDER BY id LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(after.map_or(i64::MIN, bounded))
            .bind(bounded(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| undelivered(row).map_err(|reason| of(row, &reason))).collect()
    }
}

fn of(row: &SqliteRow, reason: &Unread) -> bindery_taxii::service::FeedStoreError {
    let id = row.try_get::<i64, usize>(0).unwrap_or_default();
    damaged(Subject::Delivery(id.cast_unsigned()), reason)
}

fn undelivered(row: &SqliteRow) -> Result<Undelivered, Unread> {
    let at = |time: i64| Timestamp::from_unix_micros(time);
    let up_to: Option<i64> = row.try_get(4)?;
    let outgoing = outgoing(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, up_to)?;
    let attempts = u32::try_from(row.try_get::<i64, usize>(5)?)?;
    let id = u64::try_from(row.try_get::<i64, usize>(0)?)?;
    let error: Option<String> = row.try_get(6)?;
    let error = error.unwrap_or_default();
    Ok(Undelivered::new(id, outgoing, up_to.map(at), attempts, error, at(row.try_get(7)?)))
}

fn outgoing(
    kind: i64,
    target: String,
    progress: i64,
    up_to: Option<i64>,
) -> Result<Outgoing, Unread> {
    Ok(match kind {
        PUSH => Outgoing::Push {
            subscription: target,
            delivered: Timestamp::from_unix_micros(progress),
            up_to: Timestamp::from_unix_micros(up_to.unwrap_or(progress)),
        },
        RESULT => Outgoing::Result { result: target, delivered: u64::try_from(progress)? },
        POLL => Outgoing::Poll { result: target },
        _ => return Err("its kind is unknown".into()),
    })
}

/// Leases what is due.
struct Take {
    now: i64,
    until: i64,
    limit: i64,
}

impl Step for Take {
    type Output = Vec<Delivery>;

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<Self::Output, Stop>> {
        Box::pin(async move {
            let sql = "SELECT o.id, o.lease, o.kind, o.target, \
                       ifnull((SELECT delivered FROM feed_subscription WHERE o.kind = 0 AND id = o.target), o.progress), \
                       o.attempts, o.since, o.error, iif(o.kind = 0, ifnull(o.up_to, (SELECT f.mark \
                       FROM feed_subscription AS s JOIN feed AS f ON f.id = s.feed WHERE s.id = o.target)), NULL) \
                       FROM feed_outbox AS o WHERE o.given_up IS NULL AND o.due <= ? ORDER BY o.due, o.id LIMIT ?";
            let rows = sqlx::query(sql)
                .bind(self.now)
                .bind(self.limit)
                .fetch_all(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            let mut taken = Vec::with_capacity(rows.len());
            for row in &rows {
                let delivery = delivery(row).map_err(|_| {
                    let id = row.try_get::<i64, usize>(0).unwrap_or_default();
                    Stop::Damaged(Subject::Delivery(id.cast_unsigned()), "it cannot be read")
                })?;
                // Whoever has it next sends the same, whatever comes meanwhile.
                let up_to = match &delivery.outgoing {
                    Outgoing::Push { up_to, .. } => Some(up_to.unix_micros()),
                    _ => None,
                };
                let sql =
                    "UPDATE feed_outbox SET lease = lease + 1, due = ?, up_to = ? WHERE id = ?";
                let query = sqlx::query(sql).bind(self.until).bind(up_to);
                let query = query.bind(bounded(delivery.lease.id));
                tx.execute(query).await?;
                taken.push(delivery);
            }
            Ok(taken)
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn delivery(row: &SqliteRow) -> Result<Delivery, Unread> {
    let number = |place: usize| -> Result<u64, Unread> {
        Ok(u64::try_from(row.try_get::<i64, usize>(place)?)?)
    };
    let outgoing = outgoing(row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(8)?)?;
    let since = Timestamp::from_unix_micros(row.try_get(6)?);
    let lease = Lease::new(number(0)?, number(1)?.saturating_add(1));
    let mut one = Delivery::new(lease, outgoing, since);
    one.attempts = u32::try_from(number(5)?)?;
    one.last_error = row.try_get(7)?;
    Ok(one)
}

/// Notes how a delivery went.
pub(super) struct Settle {
    pub(super) lease: Lease,
    pub(super) outcome: Outcome,
    pub(super) now: i64,
}

impl Step for Settle {
    type Output = ();

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            let sql = "SELECT kind, target FROM feed_outbox WHERE id = ? AND lease = ? AND given_up IS NULL";
            let found: Option<(i64, String)> = sqlx::query_as(sql)
                .bind(self.id())
                .bind(bounded(self.lease.number))
                .fetch_optional(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            let subject = Subject::Delivery(self.lease.id);
            let (kind, target) = found.ok_or(Stop::Conflict(subject))?;
            match (&self.outcome, kind) {
                (Outcome::Delivered { up_to }, PUSH) => {
                    self.delivered(tx, &target, up_to.unix_micros()).await
                }
                (Outcome::Part { number }, RESULT) => {
                    let sql = "UPDATE feed_outbox SET progress = max(progress, ?), due = ?, since = ?, attempts = 0, \
                               error = NULL, lease = lease + 1 WHERE id = ?";
                    let query = sqlx::query(sql).bind(bounded(*number)).bind(self.now);
                    tx.execute(query.bind(self.now).bind(self.id())).await.map(|_| ())
                }
                (Outcome::Finished, RESULT | POLL) => self.remove(tx).await,
                (Outcome::Retry { due, error, up_to }, _) => {
                    let sql = "UPDATE feed_outbox SET due = ?, error = ?, attempts = attempts + 1, lease = lease + 1, \
                               up_to = iif(kind = 0, ifnull(?, up_to), NULL) WHERE id = ?";
                    let query = sqlx::query(sql).bind(due.unix_micros()).bind(error.as_str());
                    let query = query.bind(up_to.map(Timestamp::unix_micros));
                    tx.execute(query.bind(self.id())).await.map(|_| ())
                }
                (Outcome::GiveUp { error }, _) => self.give_up(tx, kind, &target, error).await,
                (Outcome::Extend { until }, _) => {
                    let sql = "UPDATE feed_outbox SET due = ? WHERE id = ?";
                    let query = sqlx::query(sql).bind(until.unix_micros()).bind(self.id());
                    tx.execute(query).await.map(|_| ())
                }
                _ => Err(Stop::Misuse("this outcome is none of such a delivery")),
            }
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Settle {
    fn id(&self) -> i64 {
        bounded(self.lease.id)
    }

    async fn remove(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let sql = "DELETE FROM feed_outbox WHERE id = ?";
        tx.execute(sqlx::query(sql).bind(self.id())).await.map(|_| ())
    }

    async fn delivered(&self, tx: &mut Tx<'_>, target: &str, up_to: i64) -> Result<(), Stop> {
        self.move_on(tx, target, Some(up_to)).await?;
        let sql = "UPDATE feed_outbox SET due = ?1, since = ?1, attempts = 0, error = NULL, up_to = NULL, \
                   lease = lease + 1 WHERE id = ?2 AND EXISTS (SELECT 1 FROM feed_subscription AS s JOIN feed_block AS b \
                   ON b.feed = s.feed AND b.label > s.delivered WHERE s.id = ?3)";
        let query = sqlx::query(sql).bind(self.now).bind(self.id()).bind(target);
        match tx.execute(query).await? {
            0 => self.remove(tx).await,
            _ => Ok(()),
        }
    }

    /// What is pushed next lies behind this label, or behind the collection's mark.
    async fn move_on(&self, tx: &mut Tx<'_>, target: &str, up_to: Option<i64>) -> Result<(), Stop> {
        let sql = "UPDATE feed_subscription SET delivered = max(delivered, \
                   ifnull(?1, (SELECT mark FROM feed WHERE id = feed_subscription.feed))) WHERE id = ?2";
        let subject = || Subject::Delivery(self.lease.id);
        tx.execute_one(sqlx::query(sql).bind(up_to).bind(target), subject).await
    }

    async fn give_up(
        &self,
        tx: &mut Tx<'_>,
        kind: i64,
        target: &str,
        error: &str,
    ) -> Result<(), Stop> {
        let sql = "UPDATE feed_outbox SET given_up = ?1, error = ?2, attempts = attempts + 1, \
                   progress = ifnull((SELECT delivered FROM feed_subscription WHERE ?4 = 0 AND id = target), progress), \
                   up_to = (SELECT f.mark FROM feed_subscription AS s JOIN feed AS f ON f.id = s.feed \
                            WHERE ?4 = 0 AND s.id = target) WHERE id = ?3";
        let query = sqlx::query(sql).bind(self.now).bind(error).bind(self.id()).bind(kind);
        tx.execute(query).await?;
        match kind {
            PUSH => self.move_on(tx, target, None).await,
            _ => Ok(()),
        }
    }
}
