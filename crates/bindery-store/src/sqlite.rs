//! The store on SQLite: one file, one writer with group commit, several readers.

mod backup;
mod data_keys;
mod error;
#[cfg(feature = "kmip")]
mod kmip;
#[cfg(feature = "omadm")]
mod omadm;
mod options;
#[cfg(any(feature = "kmip", feature = "omadm"))]
mod pairs;
mod report;
mod reseal;
mod schema;
#[cfg_attr(
    not(any(feature = "kmip", feature = "omadm")),
    expect(dead_code, reason = "only some services seal")
)]
mod sealing;
#[cfg(feature = "taxii")]
mod taxii;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use backup::PartVersion;
pub use error::SqliteError;
pub use options::{SqliteOptions, Synchronous};
pub use report::{CheckReport, Stats};
pub use writer::Counters;

use crate::{Kek, files, keys::Keys};
use options::Place;
use writer::{Command, Counts, Job, Rejection, Work, Writer};

/// The unit in which room in the queue is counted, in octets.
const ROOM_UNIT: usize = 1024;

/// How long to wait between attempts at what SQLite's own waiting does not cover.
const RETRY: Duration = Duration::from_millis(20);

/// A store in one SQLite file. Clones share it.
///
/// Reading and writing do not block each other (write-ahead log). Commits that wait at the same
/// time share one transaction. Several processes may open the same file on a local disk; they take
/// turns in writing. A network file system is no place for it.
///
/// A store belongs to the tokio runtime that it was opened in (time has to be enabled). End it
/// with [`close`](Self::close), or drop all clones: what was queued is committed either way while
/// the runtime lives.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: Arc<PathBuf>,
    keys: Arc<Keys>,
    /// For further connections of the same kind.
    connect: SqliteConnectOptions,
    readers: SqlitePool,
    commands: mpsc::Sender<Command>,
    /// Room in the queue, in units of [`ROOM_UNIT`].
    room: Arc<Semaphore>,
    room_total: usize,
    counts: Arc<Counts>,
    /// Goes after the connections.
    _directory: Option<Arc<TempDir>>,
}

impl SqliteStore {
    /// Opens a store, making its file or bringing its schema up to date where needed.
    ///
    /// The file is first looked at without writing: with a wrong key, from a newer program, or not
    /// a store at all, it is left as it is. A new file may be read and written by its owner only.
    ///
    /// # Errors
    /// See [`SqliteError`].
    pub async fn open(options: SqliteOptions) -> Result<Self, SqliteError> {
        let (path, directory) = place(&options.place)?;
        let path = Arc::new(path);
        let connect = connect_options(&options, &path, directory.is_some());
        probe(&connect, &options.kek, &path).await?;
        let mut connection = prepare_file(&connect, &path).await?;
        use_log(&mut connection, &path, options.busy_timeout).await?;
        schema::migrate(&mut connection, &options.kek, &path).await?;
        // A file that can only be read shows here, not at the first commit. It takes a statement
        // that would write: for such a file SQLite begins a reading transaction instead.
        execute(&mut connection, "UPDATE meta SET value = value WHERE key = ''", &path).await?;

        let ring = data_keys::load(&mut connection, &options.kek, &path).await?;
        let keys = Arc::new(Keys::new(options.kek, ring));

        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .acquire_timeout(options.busy_timeout.max(Duration::from_millis(1)))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // Not opened as read-only: recovering the log after a crash needs writing.
            .connect_lazy_with(connect.clone().pragma("query_only", "ON"));
        let (commands, receiver) = mpsc::channel(options.queue);
        let counts = Arc::new(Counts::default());
        let writer = Writer {
            connection: Some(connection),
            connect: connect.clone(),
            path: Arc::clone(&path),
            keys: Arc::clone(&keys),
            commands: receiver,
            group: options.group,
            counts: Arc::clone(&counts),
            closing: Vec::new(),
        };
        let directory = directory.map(Arc::new);
        let kept = directory.clone();
        tokio::spawn(async move {
            writer.run().await;
            drop(kept);
        });
        let room_total = options.queue_bytes / ROOM_UNIT;
        let inner = Inner {
            path,
            keys,
            connect,
            readers,
            commands,
            room: Arc::new(Semaphore::new(room_total)),
            room_total,
            counts,
            _directory: directory,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// How often things happened since the store was opened.
    pub fn counters(&self) -> Counters {
        self.inner.counts.now()
    }

    /// Commits what is queued, closes the file and waits for that. Later calls answer that the
    /// store is closed. Closing again does no harm.
    ///
    /// # Errors
    /// SQLite could not close the file; what was committed is safe even so.
    pub async fn close(&self) -> Result<(), SqliteError> {
        // Readers first, so that the writer's connection is the last one and empties the log.
        self.inner.readers.close().await;
        let (done, closed) = oneshot::channel();
        if self.inner.commands.send(Command::Close(done)).await.is_err() {
            return Ok(());
        }
        closed.await.unwrap_or(Ok(()))
    }

    /// Hands a commit to the writer and waits for its outcome.
    async fn submit(&self, work: Box<dyn Work>) -> Result<(), Rejection> {
        let ended = || SqliteError::Closed { path: self.path().to_owned() };
        let closed = || Rejection::Failed(ended());
        let units = (work.bytes() / ROOM_UNIT + 1).min(self.inner.room_total);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.inner.room);
        let room = room.acquire_many_owned(units).await.map_err(|_| closed())?;
        let (answer, outcome) = oneshot::channel();
        let job = Command::Commit(Job { work, answer, room });
        self.inner.commands.send(job).await.map_err(|_| closed())?;
        // The writer went away with the commit in its hands.
        outcome.await.unwrap_or_else(|_| Err(Rejection::Unknown(ended())))
    }

    /// Hands a small commit to the writer if there is room in the queue, and does not wait for it.
    #[cfg(feature = "taxii")]
    fn submit_unheard(&self, work: Box<dyn Work>) {
        let Ok(room) = Arc::clone(&self.inner.room).try_acquire_many_owned(1) else { return };
        let (answer, _) = oneshot::channel();
        // Where the queue is full or the store is closed, whoever submits so has another way.
        let _ = self.inner.commands.try_send(Command::Commit(Job { work, answer, room }));
    }

    fn failed(&self, error: sqlx::Error) -> SqliteError {
        SqliteError::from_sqlx(&self.inner.path, error)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .field("kek", &self.inner.keys.kek())
            .finish_non_exhaustive()
    }
}

fn place(place: &Place) -> Result<(PathBuf, Option<TempDir>), SqliteError> {
    let cannot_open = |path: &Path, error: std::io::Error| SqliteError::CannotOpen {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    match place {
        // Absolute, because SQLite gives names such as ":memory:" and "file:..." a meaning.
        Place::File(path) => match std::path::absolute(path) {
            Ok(absolute) => Ok((absolute, None)),
            Err(error) => Err(cannot_open(path, error)),
        },
        Place::Temporary => {
            let directory = tempfile::Builder::new()
                .prefix("bindery-store-")
                .tempdir()
                .map_err(|error| cannot_open(&std::env::temp_dir(), error))?;
            Ok((directory.path().join("store.db"), Some(directory)))
        }
    }
}

fn connect_options(options: &SqliteOptions, path: &Path, temporary: bool) -> SqliteConnectOptions {
    let synchronous = match options.synchronous {
        _ if temporary => "OFF",
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    let mut connect = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.busy_timeout)
        .thread_name(|number| format!("bindery-store-{number}"))
        .pragma("synchronous", synchronous)
        // Where fsync does not reach the disk (macOS), the call that does.
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
        // What was deleted is overwritten: a destroyed key must not stay in free pages.
        .pragma("secure_delete", "ON")
        // The log is cut back to this after a burst, in octets.
        .pragma("journal_size_limit", "67108864")
        // In KiB when negative.
        .pragma("cache_size", "-16384")
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging();
    if let Some(octets) = options.max_bytes {
        connect = connect.pragma("max_page_count", octets.div_ceil(4096).max(1).to_string());
    }
    connect
}

/// Looks at a file that exists, through a connection that cannot write.
async fn probe(
    connect: &SqliteConnectOptions,
    kek: &Kek,
    path: &Path,
) -> Result<schema::State, SqliteError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
            return Ok(schema::State::Empty);
        }
        // SQLite takes whatever is shorter than the shortest page for an empty file.
        Ok(metadata) if metadata.is_file() && metadata.len() < 512 => {
            return Err(SqliteError::NotADatabase { path: path.to_owned() });
        }
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            let detail = "it is not a file".to_owned();
            return Err(SqliteError::CannotOpen { path: path.to_owned(), detail });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(schema::State::Empty);
        }
        Err(error) => {
            let detail = error.to_string();
            return Err(SqliteError::CannotOpen { path: path.to_owned(), detail });
        }
    }
    let failed = |error| SqliteError::from_sqlx(path, error);
    let mut connection = connect.clone().read_only(true).connect().await.map_err(failed)?;
    let recognised = schema::recognise(&mut connection, kek, path).await;
    connection.close().await.map_err(failed)?;
    recognised
}

/// Opens the write connection; a new file gets mode 0600 before anything is in it, and SQLite
/// gives the files beside it the same.
///
/// The file is never opened by other means than SQLite: closing it would drop the locks that
/// SQLite holds for this process.
async fn prepare_file(
    connect: &SqliteConnectOptions,
    path: &Path,
) -> Result<SqliteConnection, SqliteError> {
    let failed = |error| SqliteError::from_sqlx(path, error);
    let new = matches!(std::fs::metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound);
    let connection = connect.clone().create_if_missing(true).connect().await.map_err(failed)?;
    if new {
        own_alone(path).and_then(|()| files::sync_directory_of(path)).map_err(|error| {
            SqliteError::CannotOpen { path: path.to_owned(), detail: error.to_string() }
        })?;
    }
    Ok(connection)
}

#[cfg(unix)]
fn own_alone(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn own_alone(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Switches the file to the write-ahead log, where it is not. SQLite does not wait for others at
/// that, so this does.
async fn use_log(
    connection: &mut SqliteConnection,
    path: &Path,
    timeout: Duration,
) -> Result<(), SqliteError> {
    let mut attempts = timeout.as_millis() / RETRY.as_millis();
    loop {
        let mode: Result<String, _> =
            sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await;
        match mode.map_err(|error| SqliteError::from_sqlx(path, error)) {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                let detail = format!(
                    "SQLite keeps journal mode {mode} instead of WAL: is it on a network file system?"
                );
                return Err(SqliteError::Other { path: path.to_owned(), detail });
            }
            Err(SqliteError::Locked { .. }) if attempts > 0 => {
                attempts -= 1;
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Runs a statement that gives nothing back.
async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    path: &Path,
) -> Result<(), SqliteError> {
    sqlx::query(sql)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| SqliteError::from_sqlx(path, error))
}

#[cfg(test)]
mod tests;
