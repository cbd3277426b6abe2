//! What a store tells of itself.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Counters, SqliteError, SqliteStore, schema};

/// The most problems that a [`CheckReport`] tells one by one.
const PROBLEMS: usize = 100;

/// How much is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// The main file's size in octets.
    pub file_bytes: u64,
    /// How much of it is free for new rows.
    pub free_bytes: u64,
    /// The write-ahead log's size in octets.
    pub log_bytes: u64,
    /// What happened since the store was opened.
    pub counters: Counters,
}

/// What [`SqliteStore::check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many records were decrypted and compared with what they are found by.
    pub records: u64,
    /// What is wrong: the first 100 problems.
    pub problems: Vec<String>,
    /// How many more there are.
    pub more: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }
}

impl SqliteStore {
    /// Counts what is stored. Takes time in proportion to it.
    ///
    /// # Errors
    /// See [`SqliteError`].
    pub async fn stats(&self) -> Result<Stats, SqliteError> {
        let failed = |error| self.failed(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut stats = Stats { counters: self.counters(), ..Stats::default() };
        for table in schema::PARTS.iter().flat_map(|part| part.tables) {
            let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let rows = number(&mut connection, sql).await.map_err(failed)?;
            stats.rows.insert(table, rows);
        }
        let page = number(&mut connection, "PRAGMA page_size").await.map_err(failed)?;
        let pages = number(&mut connection, "PRAGMA page_count").await.map_err(failed)?;
        let free = number(&mut connection, "PRAGMA freelist_count").await.map_err(failed)?;
        stats.file_bytes = pages.saturating_mul(page);
        stats.free_bytes = free.saturating_mul(page);
        let mut log = self.path().as_os_str().to_owned();
        log.push("-wal");
        stats.log_bytes = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
        Ok(stats)
    }

    /// Checks everything: the file's structure, that every record can be decrypted, and that the
    /// index has exactly what the records say. Takes long on a large store; others may go on
    /// reading and writing meanwhile.
    ///
    /// # Errors
    /// The check could not be made; damage that it found is in the report.
    pub async fn check(&self) -> Result<CheckReport, SqliteError> {
        let failed = |error| self.failed(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        // One view of everything, although others go on writing.
        let mut view = connection.begin().await.map_err(failed)?;
        let mut report = CheckReport::default();
        let sql = "PRAGMA integrity_check(100)";
        match sqlx::query_scalar::<_, String>(sql).fetch_all(&mut *view).await.map_err(failed) {
            Ok(lines) => {
                for line in lines.into_iter().filter(|line| line != "ok") {
                    report.problem(format!("{}: {line}", self.path().display()));
                }
            }
            Err(error @ SqliteError::Corrupted { .. }) => report.problem(error.to_string()),
            Err(error) => return Err(error),
        }
        if report.is_sound() {
            #[cfg(feature = "kmip")]
            self.check_objects(&mut view, &mut report).await?;
            #[cfg(feature = "omadm")]
            self.check_devices(&mut view, &mut report).await?;
            #[cfg(feature = "taxii")]
            self.check_feeds(&mut view, &mut report).await?;
        }
        view.rollback().await.map_err(failed)?;
        Ok(report)
    }
}

pub(super) async fn number(
    connection: &mut SqliteConnection,
    sql: impl sqlx::SqlSafeStr + Send,
) -> Result<u64, sqlx::Error> {
    let number: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(u64::try_from(number).unwrap_or_default())
}
