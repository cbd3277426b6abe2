//! `bindery db`: what operators do with the store.

mod rekey;

use std::path::Path;

use bindery_store::{CheckReport, PartVersion, SqliteError, SqliteOptions, SqliteStore, Stats};
use serde_json::{Value, json};

use crate::{
    args::db::{DbArgs, DbVerb, PlaceArgs},
    config::{Config, Loaded},
    dev,
    error::{Exit, Failure, Layer, Result},
    lock::Lock,
    output::{self, Document, Output},
    server::plan,
};

/// Does what the command line asks for.
///
/// # Errors
/// The store cannot be opened, or what was asked for failed or found something wrong.
pub(crate) async fn run(args: &DbArgs, output: &Output) -> Result<()> {
    let options = options(&args.place)?;
    match &args.verb {
        DbVerb::Migrate { dry_run: true } => {
            versions(&SqliteStore::inspect(&options).await.map_err(|error| failure(&error))?)
                .print(output)
        }
        DbVerb::Migrate { dry_run: false } => {
            let _alone = alone(&options)?;
            migrate(options).await?.print(output)
        }
        DbVerb::Restore { file } => {
            let _alone = alone(&options)?;
            restore(file, options).await?.print(output)
        }
        DbVerb::Check => with(options, async |store| checked(store).await).await?.print(output),
        DbVerb::Stats => with(options, async |store| counted(store).await).await?.print(output),
        DbVerb::Backup { file } => {
            with(options, async |store| backup(store, file).await).await?.print(output)
        }
        DbVerb::Rekey(args) => {
            with(options, async |store| rekey::run(store, args).await).await?.print(output)
        }
    }
}

/// The hold on a store, for what is done while no server runs.
///
/// # Errors
/// One runs on it.
fn alone(options: &SqliteOptions) -> Result<Option<Lock>> {
    let lock = options.path().map(Lock::of_store).transpose();
    lock.map_err(|mut failure| {
        failure.exit = Exit::Usage;
        failure
    })
}

/// The store that the command line names.
pub(crate) fn options(place: &PlaceArgs) -> Result<SqliteOptions> {
    let loaded = match &place.data {
        Some(data) => Loaded::made(data.join("bindery.toml"), dev::store_configuration()),
        None => Loaded::<Config>::from_file(&place.config)
            .map_err(|problems| problems.into_failure(Exit::Usage))?,
    };
    let (options, warnings) =
        plan::store(&loaded).map_err(|problems| problems.into_failure(Exit::Usage))?;
    for warning in warnings {
        output::warn(&warning);
    }
    Ok(options)
}

/// Does something with a store that is there and up to date, and closes it.
pub(crate) async fn with(
    options: SqliteOptions,
    work: impl AsyncFnOnce(&SqliteStore) -> Result<Document>,
) -> Result<Document> {
    let parts = SqliteStore::inspect(&options).await.map_err(|error| failure(&error))?;
    if parts.iter().all(|part| part.found == 0) {
        return Err(store_failure("there is no store yet")
            .hint("check store.file in the configuration; bindery db migrate makes a store"));
    }
    if parts.iter().any(|part| part.found < part.newest) {
        return Err(store_failure("the store's schema is older than this program")
            .hint("make a backup with the program that wrote it, then bindery db migrate"));
    }
    let store = SqliteStore::open(options).await.map_err(|error| failure(&error))?;
    let done = work(&store).await;
    let closed = store.close().await.map_err(|error| failure(&error));
    let document = done?;
    closed.map(|()| document)
}

async fn migrate(options: SqliteOptions) -> Result<Document> {
    let before = SqliteStore::inspect(&options).await.map_err(|error| failure(&error))?;
    let store = SqliteStore::open(options).await.map_err(|error| failure(&error))?;
    store.close().await.map_err(|error| failure(&error))?;
    Ok(versions(&before))
}

/// The schema before and after.
fn versions(parts: &[PartVersion]) -> Document {
    let rows = parts.iter().map(|part| {
        let step = match part.found {
            found if found == part.newest => "up to date".to_owned(),
            0 => "to be made".to_owned(),
            found => format!("{} to apply", part.newest - found),
        };
        [part.name.to_owned(), part.found.to_string(), part.newest.to_string(), step]
    });
    let text = output::table(&["part", "found", "newest", "step"], rows);
    let json: Vec<Value> = parts
        .iter()
        .map(|part| json!({ "part": part.name, "found": part.found, "newest": part.newest }))
        .collect();
    Document::new(json!({ "schema": json }), text)
}

async fn restore(file: &Path, options: SqliteOptions) -> Result<Document> {
    let store = SqliteStore::restore(file, options).await.map_err(|error| failure(&error))?;
    let path = store.path().to_owned();
    store.close().await.map_err(|error| failure(&error))?;
    let text = format!("{}: checked, and restored to {}", file.display(), path.display());
    Ok(Document::new(json!({ "backup": file, "store": path }), text))
}

async fn backup(store: &SqliteStore, file: &Path) -> Result<Document> {
    store.backup(file).await.map_err(|error| failure(&error))?;
    let octets = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let text = format!(
        "{}: {octets} octets; keep the key-encryption key too, in another place",
        file.display()
    );
    Ok(Document::new(json!({ "backup": file, "octets": octets }), text))
}

async fn checked(store: &SqliteStore) -> Result<Document> {
    let report = store.check().await.map_err(|error| failure(&error))?;
    let CheckReport { records, problems, more, .. } = &report;
    let path = store.path();
    if report.is_sound() {
        let text = format!("{}: sound; {records} records decrypted", path.display());
        let json = json!({ "store": path, "records": records, "problems": [], "more": 0 });
        return Ok(Document::new(json, text));
    }
    let mut message = format!("{}: not sound", path.display());
    for problem in problems {
        message.push_str("\n  ");
        message.push_str(problem);
    }
    if *more > 0 {
        message.push_str(&format!("\n  and {more} more"));
    }
    Err(Failure::new(Exit::Protocol, Layer::Store, message)
        .hint("stop the server, keep a copy of the file and its -wal, and restore a backup")
        .detail("problems", problems.clone())
        .detail("more", *more))
}

async fn counted(store: &SqliteStore) -> Result<Document> {
    let stats = store.stats().await.map_err(|error| failure(&error))?;
    let Stats { rows, file_bytes, free_bytes, log_bytes, .. } = &stats;
    let counts = rows.iter().map(|(table, rows)| (format!("rows of {table}"), rows.to_string()));
    let sizes = [("octets", file_bytes), ("octets free", free_bytes), ("octets in log", log_bytes)];
    let sizes = sizes.iter().map(|(name, octets)| ((*name).to_owned(), octets.to_string()));
    let text = output::pairs(counts.chain(sizes));
    let json = json!({
        "store": store.path(),
        "rows": rows,
        "file_bytes": file_bytes,
        "free_bytes": free_bytes,
        "log_bytes": log_bytes,
    });
    Ok(Document::new(json, text))
}

fn store_failure(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, Layer::Store, message)
}

/// The store's error, which says itself what to do.
fn failure(error: &SqliteError) -> Failure {
    store_failure(error.to_string())
}
