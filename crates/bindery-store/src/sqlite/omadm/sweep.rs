//! Taking away what is of no more use.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bindery_core::Timestamp;
use bindery_omadm::service::Swept;
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;

use super::limit;
use crate::sqlite::{
    SqliteError,
    writer::{Rejection, Work},
};

/// One sweep, and what it took away.
pub(super) struct Sweep {
    now: Timestamp,
    finished_before: Timestamp,
    limit: usize,
    sessions: AtomicU64,
    commands: AtomicU64,
}

impl Sweep {
    pub(super) fn new(now: Timestamp, finished_before: Timestamp, limit: usize) -> Self {
        let (sessions, commands) = <(AtomicU64, AtomicU64)>::default();
        Self { now, finished_before, limit, sessions, commands }
    }

    pub(super) fn swept(&self) -> Swept {
        Swept::new(self.sessions.load(Ordering::Relaxed), self.commands.load(Ordering::Relaxed))
    }
}

/// Shared with the caller, who reads the numbers once it is done.
impl Work for Arc<Sweep> {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            let sessions = "DELETE FROM dm_session WHERE number IN \
                            (SELECT number FROM dm_session WHERE expires < ? LIMIT ?)";
            let commands = "DELETE FROM dm_command WHERE position IN \
                            (SELECT position FROM dm_command \
                             WHERE state >= 2 AND changed < ? LIMIT ?)";
            for (sql, before, count) in [
                (sessions, self.now, &self.sessions),
                (commands, self.finished_before, &self.commands),
            ] {
                let done = sqlx::query(sql)
                    .bind(before.unix_micros())
                    .bind(limit(self.limit))
                    .execute(&mut *connection)
                    .await
                    .map_err(|error| SqliteError::from_sqlx(path, error))?;
                // Set, not added to: where a group fails, its members are made once more.
                count.store(done.rows_affected(), Ordering::Relaxed);
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        0
    }
}
