//! Commits of what is small: collections, subscriptions, results.

mod collection;
mod result;
mod subscription;

use bindery_core::Timestamp;
use bindery_taxii::service::{Change, CommitError, ResultLimits, Subject};
use futures_util::future::BoxFuture;
use sqlx::Sqlite;

pub(super) use self::collection::Which;
use self::{collection::Setting, result::Row as ResultRow, subscription::Row as SubscriptionRow};
use super::{
    bounded,
    step::{Step, Stop, Tx},
};

/// The changes of one commit, in their order, encoded.
pub(super) struct Changes {
    prepared: Vec<Prepared>,
    now: i64,
}

enum Prepared {
    InsertCollection(Setting),
    ReplaceCollection(Setting, i64),
    RemoveCollection(String, i64),
    RaiseMark(String, i64),
    RemoveBlocks(String, Vec<i64>),
    InsertSubscription(SubscriptionRow, usize),
    ReplaceSubscription(SubscriptionRow, i64, Option<i64>),
    InsertResult(ResultRow, ResultLimits),
    ReplaceResult(ResultRow, i64),
    RemoveResult(String),
    Forget(i64),
}

impl Changes {
    /// Encodes what is to be stored.
    ///
    /// # Errors
    /// Something that this store does not know.
    pub(super) fn prepare(changes: Vec<Change>, now: Timestamp) -> Result<Self, CommitError> {
        let prepared = changes.into_iter().map(|change| {
            Ok(match change {
                Change::InsertCollection(one) => Prepared::InsertCollection(Setting::of(one)?),
                Change::ReplaceCollection { collection, expected } => {
                    Prepared::ReplaceCollection(Setting::of(collection)?, bounded(expected))
                }
                Change::RemoveCollection { name, expected } => {
                    Prepared::RemoveCollection(name, bounded(expected))
                }
                Change::RaiseMark { collection, to } => {
                    Prepared::RaiseMark(collection, to.unix_micros())
                }
                Change::RemoveBlocks { collection, labels } => {
                    let labels = labels.into_iter().map(Timestamp::unix_micros).collect();
                    Prepared::RemoveBlocks(collection, labels)
                }
                Change::InsertSubscription { subscription, most } => {
                    Prepared::InsertSubscription(SubscriptionRow::of(subscription)?, most)
                }
                Change::ReplaceSubscription { subscription, expected, restart } => {
                    let row = SubscriptionRow::of(subscription)?;
                    let restart = restart.map(Timestamp::unix_micros);
                    Prepared::ReplaceSubscription(row, bounded(expected), restart)
                }
                Change::InsertResult { result, parts, limits } => {
                    Prepared::InsertResult(ResultRow::of(result, parts)?, limits)
                }
                Change::ReplaceResult { result, parts, expected } => {
                    Prepared::ReplaceResult(ResultRow::of(result, parts)?, bounded(expected))
                }
                Change::RemoveResult { id } => Prepared::RemoveResult(id),
                Change::ForgetUndelivered { id } => Prepared::Forget(bounded(id)),
                _ => return Err(CommitError::Misuse("a change that this store does not know")),
            })
        });
        Ok(Self { prepared: prepared.collect::<Result<_, _>>()?, now: now.unix_micros() })
    }
}

impl Step for Changes {
    type Output = ();

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            for one in &self.prepared {
                self.apply(one, tx).await?;
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        // They are small and few: what bounds them is the number of commits in the queue. Parts may be many.
        let parts = self.prepared.iter().map(|one| match one {
            Prepared::InsertResult(row, _) | Prepared::ReplaceResult(row, _) => row.parts(),
            _ => 0,
        });
        self.prepared.len() * 1024 + parts.sum::<usize>() * 64
    }
}

impl Changes {
    async fn apply(&self, change: &Prepared, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let now = self.now;
        match change {
            Prepared::InsertCollection(one) => tx.insert_collection(one, now).await,
            Prepared::ReplaceCollection(one, expected) => {
                tx.replace_collection(one, *expected).await
            }
            Prepared::RemoveCollection(name, expected) => {
                tx.remove_collection(name, *expected).await
            }
            Prepared::RaiseMark(name, to) => tx.raise_mark(name, *to).await,
            Prepared::RemoveBlocks(name, labels) => tx.remove_blocks(name, labels).await,
            Prepared::InsertSubscription(one, most) => tx.insert_subscription(one, *most).await,
            Prepared::ReplaceSubscription(one, expected, restart) => {
                tx.replace_subscription(one, *expected, *restart, now).await
            }
            Prepared::InsertResult(one, limits) => tx.insert_result(one, *limits, now).await,
            Prepared::ReplaceResult(one, expected) => tx.replace_result(one, *expected, now).await,
            Prepared::RemoveResult(id) => tx.remove_result(id).await,
            Prepared::Forget(id) => {
                let sql = "DELETE FROM feed_outbox WHERE id = ? AND given_up IS NOT NULL";
                tx.execute(sqlx::query(sql).bind(*id)).await.map(|_| ())
            }
        }
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

impl Tx<'_> {
    /// How many rows a statement changed.
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64, Stop> {
        let done = query.execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failed(error))
    }

    /// The same where no row is a conflict.
    pub(super) async fn execute_one(
        &mut self,
        query: Query<'_>,
        subject: impl FnOnce() -> Subject,
    ) -> Result<(), Stop> {
        match self.execute(query).await? {
            0 => Err(Stop::Conflict(subject())),
            _ => Ok(()),
        }
    }
}
