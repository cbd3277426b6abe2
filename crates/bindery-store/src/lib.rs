#![doc = include_str!("../README.md")]

mod files;
mod kek;
#[cfg_attr(
    not(all(feature = "kmip", feature = "sqlite")),
    expect(dead_code, reason = "only a service on an engine has something to seal")
)]
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod suite;

pub use kek::{Kek, KekError, KekId, KekWarning};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    CheckReport, Counters, SqliteError, SqliteOptions, SqliteStore, Stats, Synchronous,
};
