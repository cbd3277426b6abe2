//! The one write connection and its task: group commit.
//!
//! Every durable transaction waits for the disk once, however much is in it. So the writer takes
//! all commits that wait, makes each under its own savepoint in one transaction, and answers them
//! when that is on disk. A commit that is rejected takes nothing else with it.
//!
//! Commits are made by this task alone: a caller that goes away changes nothing of what happens to
//! a commit that it has handed over.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{SqliteError, execute, schema};
use crate::keys::Keys;

/// The most octets in one transaction, unless a single commit has more.
const GROUP_BYTES: usize = 8 << 20;

/// One commit of some service.
pub(super) trait Work: Send + Sync {
    /// Makes the changes, inside a transaction and savepoint that the writer keeps.
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a std::path::Path,
    ) -> BoxFuture<'a, Result<(), Rejection>>;

    /// How many octets it holds.
    fn bytes(&self) -> usize;
}

/// Why a commit was not made.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(all(feature = "kmip", feature = "omadm")),
    expect(dead_code, reason = "each service has its own")
)]
pub(super) enum Rejection {
    /// What it rests on has changed.
    Conflict { uid: String },
    /// It was sealed under a data key that is no longer the current one.
    StaleKey,
    /// It would break a rule that it names itself.
    Declined(Declined),
    /// What it rests on cannot be read.
    Damaged { uid: String, reason: String },
    /// The store failed, and nothing was made.
    Failed(SqliteError),
    /// The store failed, and all of it may have been made.
    Unknown(SqliteError),
}

/// A rule that a commit would break.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "omadm"), expect(dead_code, reason = "a rule of the device service"))]
pub(super) enum Declined {
    /// Something open with the same meaning is there.
    Duplicate { id: String },
    /// There would be too much.
    Full { owner: String, what: &'static str, limit: u64 },
}

impl From<SqliteError> for Rejection {
    fn from(error: SqliteError) -> Self {
        Self::Failed(error)
    }
}

/// A commit on its way, with the room it takes in the queue.
pub(super) struct Job {
    pub(super) work: Box<dyn Work>,
    pub(super) answer: oneshot::Sender<Result<(), Rejection>>,
    pub(super) room: OwnedSemaphorePermit,
}

/// What the writer is told.
pub(super) enum Command {
    Commit(Job),
    /// Commit what is queued, close, and say when that is done.
    Close(oneshot::Sender<Result<(), SqliteError>>),
}

/// How often things happened since the store was opened, by this handle and its clones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Transactions written.
    pub transactions: u64,
    /// Commits made. More than `transactions` when commits came together.
    pub commits: u64,
    /// Commits refused because of a conflict, or of a rule that they named.
    pub conflicts: u64,
    /// Commits that failed.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    transactions: AtomicU64,
    commits: AtomicU64,
    conflicts: AtomicU64,
    failures: AtomicU64,
}

impl Counts {
    pub(super) fn now(&self) -> Counters {
        Counters {
            transactions: self.transactions.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}

/// Why a transaction gave no outcomes.
#[derive(Clone, Debug)]
enum Failure {
    /// Nothing of it was made.
    NotMade(SqliteError),
    /// All of it may have been made.
    Unknown(SqliteError),
}

impl Failure {
    /// Whether its jobs need not be tried one by one.
    const fn is_for_all(&self) -> bool {
        match self {
            Self::NotMade(error) => error.is_temporary(),
            Self::Unknown(_) => true,
        }
    }
}

impl From<SqliteError> for Failure {
    fn from(error: SqliteError) -> Self {
        Self::NotMade(error)
    }
}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotMade(error) => Self::Failed(error),
            Failure::Unknown(error) => Self::Unknown(error),
        }
    }
}

pub(super) struct Writer {
    /// `None` after a failure that left the connection in doubt.
    pub(super) connection: Option<SqliteConnection>,
    pub(super) connect: SqliteConnectOptions,
    pub(super) path: Arc<PathBuf>,
    pub(super) keys: Arc<Keys>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) group: usize,
    pub(super) counts: Arc<Counts>,
    /// Who waits for the end.
    pub(super) closing: Vec<oneshot::Sender<Result<(), SqliteError>>>,
}

impl Writer {
    /// Runs until the store is closed or its last handle is dropped; what was queued by then is
    /// committed.
    pub(super) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Close(done) => self.close_queue(done),
                Command::Commit(first) => {
                    let jobs = self.gather(first).await;
                    self.commit(jobs).await;
                }
            }
        }
        let mut result = Ok(());
        if let Some(connection) = self.connection.take() {
            // SQLite moves the log into the file when the last connection closes.
            result = connection.close().await;
        }
        for done in self.closing {
            let result = match &result {
                Ok(()) => Ok(()),
                Err(error) => {
                    let detail = error.to_string();
                    Err(SqliteError::Other { path: self.path.to_path_buf(), detail })
                }
            };
            // Nobody need wait for the answer.
            let _ = done.send(result);
        }
    }

    fn close_queue(&mut self, done: oneshot::Sender<Result<(), SqliteError>>) {
        self.commands.close();
        self.closing.push(done);
    }

    /// Takes what else waits, within the limits of a group.
    async fn gather(&mut self, first: Job) -> Vec<Job> {
        // Those who were answered just now get the chance to queue their next commit.
        tokio::task::yield_now().await;
        let mut bytes = first.work.bytes();
        let mut jobs = vec![first];
        while jobs.len() < self.group && bytes < GROUP_BYTES {
            match self.commands.try_recv() {
                Ok(Command::Commit(job)) => {
                    bytes = bytes.saturating_add(job.work.bytes());
                    jobs.push(job);
                }
                Ok(Command::Close(done)) => self.close_queue(done),
                Err(_) => break,
            }
        }
        jobs
    }

    /// Commits a group, or where that fails as a whole, its members one by one.
    async fn commit(&mut self, jobs: Vec<Job>) {
        match self.transact(&jobs).await {
            Ok(outcomes) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    self.answer(job, outcome);
                }
            }
            Err(failure) if jobs.len() == 1 || failure.is_for_all() => {
                for job in jobs {
                    self.answer(job, Err(failure.clone().into()));
                }
            }
            Err(_) => {
                for job in jobs {
                    let outcome = self.transact(std::slice::from_ref(&job)).await;
                    let outcome = outcome.map_err(Rejection::from).and_then(|outcomes| {
                        let mut outcomes = outcomes.into_iter();
                        outcomes.next().unwrap_or_else(|| Err(Rejection::Failed(self.stopped())))
                    });
                    self.answer(job, outcome);
                }
            }
        }
    }

    fn answer(&self, job: Job, outcome: Result<(), Rejection>) {
        let count = match outcome {
            Ok(()) => &self.counts.commits,
            Err(Rejection::Conflict { .. } | Rejection::StaleKey | Rejection::Declined(_)) => {
                &self.counts.conflicts
            }
            Err(Rejection::Damaged { .. } | Rejection::Failed(_) | Rejection::Unknown(_)) => {
                &self.counts.failures
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        drop(job.room);
        // The caller may have gone away.
        let _ = job.answer.send(outcome);
    }

    /// One transaction.
    async fn transact(&mut self, jobs: &[Job]) -> Result<Vec<Result<(), Rejection>>, Failure> {
        let path = Arc::clone(&self.path);
        let connection = self.connected().await?;
        execute(connection, "BEGIN IMMEDIATE", &path).await?;
        let (error, committing) = match apply_all(connection, jobs, &path).await {
            Ok(outcomes) => match execute(connection, "COMMIT", &path).await {
                Ok(()) => {
                    self.counts.transactions.fetch_add(1, Ordering::Relaxed);
                    return Ok(outcomes);
                }
                Err(error) => (error, true),
            },
            Err(error) => (error, false),
        };
        if execute(connection, "ROLLBACK", &path).await.is_ok() {
            return Err(Failure::NotMade(error));
        }
        // There was nothing to roll back: SQLite has ended the transaction by itself. The
        // connection's state is in doubt, so a new one takes its place; and where COMMIT had been
        // said, the log may hold the whole transaction although its sync failed.
        self.connection = None;
        Err(if committing { Failure::Unknown(error) } else { Failure::NotMade(error) })
    }

    async fn connected(&mut self) -> Result<&mut SqliteConnection, SqliteError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let failed = |error| SqliteError::from_sqlx(&self.path, error);
                let mut connection = self.connect.connect().await.map_err(failed)?;
                // It might be another file by now.
                let (kek, key) = (self.keys.kek(), self.keys.ring().current().id());
                schema::recognise_again(&mut connection, &kek, key, &self.path).await?;
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }

    fn stopped(&self) -> SqliteError {
        SqliteError::Closed { path: self.path.to_path_buf() }
    }
}

async fn apply_all(
    connection: &mut SqliteConnection,
    jobs: &[Job],
    path: &std::path::Path,
) -> Result<Vec<Result<(), Rejection>>, SqliteError> {
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        // One statement where two would do: each is a trip to SQLite's thread and back. COMMIT
        // releases the last savepoint.
        let mark = if outcomes.is_empty() { "SAVEPOINT job" } else { "RELEASE job; SAVEPOINT job" };
        execute(connection, mark, path).await?;
        let outcome = job.work.apply(connection, path).await;
        if let Err(rejection) = &outcome {
            let cause = match rejection {
                // Nothing more can be expected of this transaction.
                Rejection::Failed(
                    error @ (SqliteError::Io { .. }
                    | SqliteError::Corrupted { .. }
                    | SqliteError::Closed { .. }),
                ) => return Err(error.clone()),
                Rejection::Failed(error) | Rejection::Unknown(error) => Some(error.clone()),
                Rejection::Conflict { .. }
                | Rejection::StaleKey
                | Rejection::Declined(_)
                | Rejection::Damaged { .. } => None,
            };
            // After some errors SQLite has rolled back the whole transaction by itself; then this
            // fails, and the first error is the one to tell.
            execute(connection, "ROLLBACK TO job", path)
                .await
                .map_err(|undo| cause.unwrap_or(undo))?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
