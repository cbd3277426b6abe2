//! `bindery db rekey`.

use bindery_store::{Kek, KekError, SqliteStore};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{failure, store_failure};
use crate::{
    args::db::RekeyArgs,
    error::{Failure, Result},
    output::{self, Document},
};

/// Changes the key-encryption key, seals again, or both.
///
/// # Errors
/// There is no new key, or the store failed.
pub(super) async fn run(store: &SqliteStore, args: &RekeyArgs) -> Result<Document> {
    let kek = new_kek(args)?;
    let mut told = Vec::new();
    let (mut new, mut resealed) = (None, None);
    if kek.is_none() && !args.reseal {
        return Err(Failure::usage("there is nothing to do")
            .hint("name the new key with --new-kek-file or --new-kek-env, or add --reseal"));
    }
    if let Some(kek) = kek {
        let id = kek.id().to_string();
        store.change_kek(kek).await.map_err(|error| failure(&error))?;
        told.push(format!("{}: now under the key {id}", store.path().display()));
        new = Some(id);
        told.push(match (&args.new_kek_file, &args.new_kek_env) {
            (Some(file), _) => format!("  set store.kek_file = {file:?} before the next start"),
            (_, Some(name)) => format!("  set store.kek_env = {name:?} before the next start"),
            (None, None) => String::new(),
        });
        told.push("  keep the old key as long as backups from before are kept".to_owned());
    }
    if args.reseal {
        let total = store.stats().await.map_err(|error| failure(&error))?;
        let bar = progress(total.rows.get("object").copied().unwrap_or_default());
        let sealed = store.reseal(|done| bar.set_position(done)).await;
        bar.finish_and_clear();
        let sealed = sealed.map_err(|error| failure(&error))?;
        resealed = Some(sealed);
        told.push(format!("{sealed} objects sealed again under a new data key"));
    }
    let json = json!({ "store": store.path(), "kek": new, "resealed": resealed });
    Ok(Document::new(json, told.join("\n")))
}

fn new_kek(args: &RekeyArgs) -> Result<Option<Kek>> {
    let kek = match (&args.new_kek_file, &args.new_kek_env) {
        (Some(file), _) if args.generate => Kek::generate_file(file).map(|kek| (kek, None)),
        (Some(file), _) => Kek::from_file(file),
        (None, Some(name)) => Kek::from_env(name).map(|kek| (kek, None)),
        (None, None) => return Ok(None),
    };
    let (kek, warning) = kek.map_err(|error: KekError| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        store_failure(format!("{error}{cause}")).hint("nothing was changed")
    })?;
    if let Some(warning) = warning {
        output::warn(&warning.to_string());
    }
    Ok(Some(kek))
}

/// A bar on standard error, where that is a terminal.
fn progress(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    // The template is ours; were it wrong, the default one would do.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} objects {eta}") {
        bar.set_style(style);
    }
    bar
}
