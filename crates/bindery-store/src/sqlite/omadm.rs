//! The device management server's store.

mod change;
mod list;
mod queue;
mod row;
mod sweep;

use std::{ops::Range, sync::Arc};

use bindery_core::Timestamp;
use bindery_omadm::service::{
    Ask, Change, Command, CommandFilter, CommitError, Device, DeviceFilter, DeviceStore, Loaded,
    ResultEntry, ResultFilter, StoreError, StoreFuture, Swept, Versioned,
};
use bytes::Bytes;
use sqlx::SqliteConnection;

use super::{
    CheckReport, SqliteError, SqliteStore,
    reseal::Sealed,
    sealing,
    writer::{Declined, Rejection},
};
use crate::seal::Identity;
use change::Commit;
use sweep::Sweep;

/// The column of the devices' credentials.
pub(super) const DIGESTS: Sealed = Sealed {
    what: "device",
    kind: KIND,
    list: "SELECT id, owner, digests FROM dm_device \
           WHERE id > ? AND digests IS NOT NULL ORDER BY id",
    update: "UPDATE dm_device SET digests = ? WHERE id = ? AND digests = ?",
};

const KIND: &str = "dm device digests";

/// How many octets of a command's data stand in one row.
const PIECE: usize = 64 << 10;

impl DeviceStore for SqliteStore {
    fn load<'a>(&'a self, ask: &'a Ask) -> StoreFuture<'a, Result<Loaded, StoreError>> {
        Box::pin(self.load_message(ask))
    }

    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            if changes.is_empty() {
                return Ok(());
            }
            let ring = self.inner.keys.ring();
            let commit = Commit::prepare(changes.into(), &ring, &self.inner.path)?;
            let again = |commit: &Commit, _: &_, now: &_| {
                let changes = Arc::clone(&commit.changes);
                Commit::prepare(changes, now, &self.inner.path).map_err(CommitError::from)
            };
            self.submit_sealed(ring, commit, again).await
        })
    }

    fn devices<'a>(
        &'a self,
        filter: &'a DeviceFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Device>>, StoreError>> {
        Box::pin(self.list_devices(filter))
    }

    fn command<'a>(
        &'a self,
        id: &'a str,
    ) -> StoreFuture<'a, Result<Option<Versioned<Command>>, StoreError>> {
        Box::pin(self.one_command(id))
    }

    fn commands<'a>(
        &'a self,
        filter: &'a CommandFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Command>>, StoreError>> {
        Box::pin(self.list_commands(filter))
    }

    fn read_data<'a>(
        &'a self,
        command: &'a str,
        range: Range<u64>,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        Box::pin(self.data_of(command, range))
    }

    fn read_object<'a>(
        &'a self,
        device: &'a str,
        session_id: &'a str,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        Box::pin(self.object_of(device, session_id))
    }

    fn results<'a>(
        &'a self,
        filter: &'a ResultFilter,
    ) -> StoreFuture<'a, Result<Vec<ResultEntry>, StoreError>> {
        Box::pin(self.list_results(filter))
    }

    fn sweep(
        &self,
        now: Timestamp,
        finished_before: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Result<Swept, CommitError>> {
        Box::pin(async move {
            let work = Arc::new(Sweep::new(now, finished_before, limit));
            self.submit(Box::new(Arc::clone(&work))).await?;
            Ok(work.swept())
        })
    }
}

impl SqliteStore {
    /// Reads every device with its credentials and compares pieces with what they should add up
    /// to.
    pub(super) async fn check_devices(
        &self,
        connection: &mut SqliteConnection,
        report: &mut CheckReport,
    ) -> Result<(), SqliteError> {
        let mut filter = DeviceFilter::all(64);
        loop {
            let rows = list::devices(&filter);
            let rows = rows.fetch(connection).await.map_err(|error| self.failed(error))?;
            let Some(last) = rows.last() else { break };
            filter.after = sqlx::Row::try_get(last, 0).ok();
            for row in &rows {
                report.records += 1;
                if let Err(error) = self.device(row, connection).await {
                    report.problem(error.to_string());
                }
            }
            if filter.after.is_none() {
                report.problem("the devices cannot be listed further".to_owned());
                break;
            }
        }
        for (what, sql) in list::BROKEN {
            let found: Vec<String> = sqlx::query_scalar(*sql)
                .fetch_all(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
            for name in found {
                report.problem(format!("{what} {name} is not as long as its pieces"));
            }
        }
        Ok(())
    }

    fn unavailable(&self, error: sqlx::Error) -> StoreError {
        self.failed(error).into()
    }
}

/// What sealed credentials belong to: the device and its owner.
const fn identity<'a>(parts: &'a [&'a str]) -> Identity<'a> {
    Identity { kind: KIND, parts }
}

fn damaged(entry: String, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { entry, reason: reason.to_string() }
}

/// A number of SQLite's where ours are larger; what is beyond finds nothing.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn limit(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn conflict_device(id: &str) -> Rejection {
    Rejection::Conflict { uid: format!("the device {id}") }
}

fn conflict_session(device: &str, session_id: &str) -> Rejection {
    Rejection::Conflict { uid: format!("the session {session_id} of the device {device}") }
}

fn conflict_command(id: &str) -> Rejection {
    Rejection::Conflict { uid: format!("the command {id}") }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        match error.is_temporary() {
            true => Self::Unavailable(error.to_string()),
            false => Self::Failed(error.into()),
        }
    }
}

impl From<Rejection> for CommitError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Conflict { uid } => Self::Conflict { entry: uid },
            Rejection::Declined(Declined::Duplicate { id }) => Self::Duplicate { id },
            Rejection::Declined(Declined::Full { owner, what, limit }) => {
                Self::Full { device: owner, what, limit }
            }
            Rejection::StaleKey => StoreError::Unavailable(sealing::outrun()).into(),
            Rejection::Damaged { uid, reason } => StoreError::Damaged { entry: uid, reason }.into(),
            Rejection::Failed(error) => StoreError::from(error).into(),
            Rejection::Unknown(error) => Self::Unknown(StoreError::from(error)),
        }
    }
}
