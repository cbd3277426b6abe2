//! The command line of `bindery db`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `db`.
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(subcommand)]
    pub(crate) verb: DbVerb,
}

/// Which store.
#[derive(Debug, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct PlaceArgs {
    /// The server's configuration file, whose table [store] names the store and its key.
    #[arg(
        long,
        global = true,
        env = "BINDERY_CONFIG",
        default_value = "bindery.toml",
        value_name = "FILE"
    )]
    pub(crate) config: PathBuf,
    /// The directory of `bindery dev`, in place of a configuration file.
    #[arg(long, global = true, env = "BINDERY_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub(crate) enum DbVerb {
    /// Bring the store's schema up to date, or make an empty store. The server does the same when it starts.
    ///
    /// Goes forward only: a backup made before is the way back.
    Migrate {
        /// Only say what would be done; nothing is changed.
        #[arg(long)]
        dry_run: bool,
    },
    /// Check everything: the file's structure, that each record can be decrypted, and that it can be found.
    ///
    /// Exits 1 if something is wrong. The server may go on meanwhile.
    Check,
    /// Count what is stored.
    Stats,
    /// Copy the store as it is now into a new file, while the server goes on.
    ///
    /// The copy is encrypted under the same key, which is not in it: keep both, apart from each other.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Put a backup in the place of a store that is not there.
    ///
    /// The copy is checked whole before it gets the store's name. Stop the server first, and move a damaged store away
    /// together with its -wal and -shm.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Put the store under another key-encryption key, or seal its contents again, while the server goes on.
    ///
    /// A new key costs one small transaction. A server that is running goes on and needs the new key when it starts
    /// again: change store.kek_file. Backups made before still open with the old key.
    Rekey(RekeyArgs),
}

/// Options of `rekey`.
#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    /// The file with the new key.
    #[arg(long, value_name = "FILE", conflicts_with = "new_kek_env")]
    pub(crate) new_kek_file: Option<PathBuf>,
    /// The environment variable with the new key.
    #[arg(long, value_name = "NAME")]
    pub(crate) new_kek_env: Option<String>,
    /// Make the file, with a new random key in it. A file that exists is never replaced.
    #[arg(long, requires = "new_kek_file")]
    pub(crate) generate: bool,
    /// Seal everything again under a new data key, so that the old key-encryption key and an old copy together open
    /// nothing that is written from now on.
    ///
    /// Servers that run with an earlier key-encryption key cannot go on after it: restart them first.
    #[arg(long)]
    pub(crate) reseal: bool,
}
