//! The file's schema: recognised before anything is changed, then brought up to date.
//!
//! Each part (the base, and a part per service) has its own list of migrations and its own version
//! in `meta`, so that programs with different services may share a file. Migrations go forward
//! only; a file from the future is refused.

use std::path::Path;

use sqlx::{AssertSqlSafe, SqliteConnection, sqlite::SqliteRow};

use super::{PartVersion, SqliteError, data_keys, execute};
use crate::{
    Kek, KekId,
    keys::DataKeyId,
    seal::{self, SealError},
};

/// Marks the file as bindery's: "BNDY" in SQLite's `application_id`.
const APPLICATION_ID: i64 = 0x424e_4459;

/// A part of the schema.
#[derive(Debug)]
pub(super) struct Part {
    /// Its name; its version stands in `meta` under `schema.NAME`.
    pub(super) name: &'static str,
    /// Its migrations: number n leads from version n to version n + 1.
    pub(super) migrations: &'static [&'static str],
    /// Its tables, for counting.
    pub(super) tables: &'static [&'static str],
}

impl Part {
    fn newest(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }
}

const BASE: Part = Part {
    name: "base",
    migrations: &[
        include_str!("../../migrations/sqlite/base/0001_meta.sql"),
        include_str!("../../migrations/sqlite/base/0002_data_keys.sql"),
    ],
    tables: &["data_key"],
};

/// The version of the base from which on a store has data keys.
const WITH_DATA_KEYS: i64 = 2;

/// All parts that this program knows, the base first.
pub(super) const PARTS: &[Part] = &[
    BASE,
    #[cfg(feature = "kmip")]
    Part {
        name: "kmip",
        migrations: &[
            include_str!("../../migrations/sqlite/kmip/0001_objects.sql"),
            include_str!("../../migrations/sqlite/kmip/0002_current_key.sql"),
        ],
        tables: &["object", "object_index", "object_retired"],
    },
    #[cfg(feature = "omadm")]
    Part {
        name: "omadm",
        migrations: &[include_str!("../../migrations/sqlite/omadm/0001_devices.sql")],
        tables: &["dm_device", "dm_session", "dm_command", "dm_result"],
    },
    #[cfg(feature = "taxii")]
    Part {
        name: "taxii",
        migrations: &[
            include_str!("../../migrations/sqlite/taxii/0001_feeds.sql"),
            include_str!("../../migrations/sqlite/taxii/0002_limits.sql"),
            include_str!("../../migrations/sqlite/taxii/0003_bounds.sql"),
        ],
        tables: &[
            "feed",
            "feed_binding",
            "feed_block",
            "feed_content",
            "feed_insertion",
            "feed_message",
            "feed_outbox",
            "feed_part",
            "feed_result",
            "feed_staged",
            "feed_subscription",
        ],
    },
];

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A database without any content.
    Empty,
    /// A store under the given key; for each of [`PARTS`] its version, 0 when it is not there.
    Store(Vec<i64>),
}

impl State {
    fn is_current(&self) -> bool {
        match self {
            Self::Empty => false,
            Self::Store(versions) => {
                PARTS.iter().zip(versions).all(|(part, &version)| version == part.newest())
            }
        }
    }
}

/// The version of each part in a file, and the one that it is brought to.
pub(super) fn versions(state: State) -> Vec<PartVersion> {
    let found = match state {
        State::Empty => vec![0; PARTS.len()],
        State::Store(versions) => versions,
    };
    let parts = PARTS.iter().zip(found);
    parts
        .map(|(part, found)| PartVersion { name: part.name, found, newest: part.newest() })
        .collect()
}

/// Says what the file is, by reading only.
///
/// # Errors
/// It is not bindery's, is from the future, or was made with another key.
pub(super) async fn recognise(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<State, SqliteError> {
    // One view for all that is looked at: another process may just be making the store.
    execute(connection, "BEGIN", path).await?;
    let state = recognise_inside(connection, kek, path).await;
    let ended = execute(connection, "ROLLBACK", path).await;
    state.and_then(|state| ended.map(|()| state))
}

async fn recognise_inside(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<State, SqliteError> {
    let failed = |error| SqliteError::from_sqlx(path, error);
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if application != APPLICATION_ID {
        let things: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        return match (application, things) {
            (0, 0) => Ok(State::Empty),
            _ => Err(SqliteError::NotAStore { path: path.to_owned() }),
        };
    }
    // The base first: it says how everything else is to be understood.
    let mut versions = vec![version(connection, &BASE, path).await?];
    let stored: Vec<u8> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kek'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?
        .unwrap_or_default();
    match seal::check(kek, &stored) {
        Ok(()) => {}
        Err(SealError::OtherKey(stored)) => {
            let stored = KekId(stored);
            return Err(SqliteError::WrongKek { path: path.to_owned(), stored, given: kek.id() });
        }
        Err(error) => {
            let detail = format!("the key's check value: {error}");
            return Err(SqliteError::Corrupted { path: path.to_owned(), detail });
        }
    }
    for part in PARTS.iter().skip(1) {
        versions.push(version(connection, part, path).await?);
    }
    Ok(State::Store(versions))
}

/// Brings an empty file or an older store up to date, all in one transaction.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<(), SqliteError> {
    if recognise(connection, kek, path).await?.is_current() {
        return Ok(());
    }
    execute(connection, "BEGIN IMMEDIATE", path).await?;
    let result = migrate_inside(connection, kek, path).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = execute(connection, end, path).await;
    result.and(ended)
}

async fn migrate_inside(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<(), SqliteError> {
    // Again, now that nobody else can write: another process may just have done it.
    let (versions, empty) = match recognise_inside(connection, kek, path).await? {
        State::Empty => (vec![0; PARTS.len()], true),
        State::Store(versions) => (versions, false),
    };
    let had_keys = versions.first().is_some_and(|&base| base >= WITH_DATA_KEYS);
    for (part, from) in PARTS.iter().zip(versions) {
        let done = usize::try_from(from).unwrap_or_default();
        let pending = part.migrations.get(done..).unwrap_or_default();
        for &migration in pending {
            sqlx::raw_sql(migration)
                .execute(&mut *connection)
                .await
                .map_err(|error| SqliteError::from_sqlx(path, error))?;
        }
        if !pending.is_empty() {
            set(connection, path, &format!("schema.{}", part.name), part.newest()).await?;
        }
    }
    if !had_keys {
        data_keys::begin(connection, kek, path, !empty).await?;
    }
    if empty {
        set_kek(connection, kek, path).await?;
        let mark = AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}"));
        sqlx::raw_sql(mark)
            .execute(&mut *connection)
            .await
            .map_err(|error| SqliteError::from_sqlx(path, error))?;
    }
    Ok(())
}

/// Writes down which key the store is under.
pub(super) async fn set_kek(
    connection: &mut SqliteConnection,
    kek: &Kek,
    path: &Path,
) -> Result<(), SqliteError> {
    let value = seal::check_value(kek).map_err(|error| data_keys::library(path, error))?;
    set(connection, path, "kek", value).await
}

/// Says whether the file is still the store that it was, although its key-encryption key may have been changed: it has
/// this data key, or is under this KEK.
pub(super) async fn recognise_again(
    connection: &mut SqliteConnection,
    kek: &Kek,
    data_key: DataKeyId,
    path: &Path,
) -> Result<(), SqliteError> {
    match recognise(connection, kek, path).await {
        Err(error @ SqliteError::WrongKek { .. }) => {
            match data_keys::has(connection, data_key, path).await? {
                true => Ok(()),
                false => Err(error),
            }
        }
        other => other.map(|_| ()),
    }
}

async fn set<'q, T>(
    connection: &mut SqliteConnection,
    path: &Path,
    key: &str,
    value: T,
) -> Result<(), SqliteError>
where
    T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + 'q,
{
    sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
        .bind(key.to_owned())
        .bind(value)
        .execute(connection)
        .await
        .map_err(|error| SqliteError::from_sqlx(path, error))?;
    Ok(())
}

/// A part's version in a store; 0 when the part is not there.
async fn version(
    connection: &mut SqliteConnection,
    part: &Part,
    path: &Path,
) -> Result<i64, SqliteError> {
    let row: Option<SqliteRow> = sqlx::query("SELECT value FROM meta WHERE key = ?")
        .bind(format!("schema.{}", part.name))
        .fetch_optional(connection)
        .await
        .map_err(|error| SqliteError::from_sqlx(path, error))?;
    let Some(row) = row else { return Ok(0) };
    let found: i64 = sqlx::Row::try_get(&row, 0).map_err(|error| SqliteError::Corrupted {
        path: path.to_owned(),
        detail: format!("the version of the {} schema: {error}", part.name),
    })?;
    let known = part.newest();
    match found {
        0.. if found <= known => Ok(found),
        0.. => Err(SqliteError::NewerSchema {
            path: path.to_owned(),
            part: part.name.to_owned(),
            found,
            known,
        }),
        _ => Err(SqliteError::Corrupted {
            path: path.to_owned(),
            detail: format!("the {} schema has version {found}", part.name),
        }),
    }
}
