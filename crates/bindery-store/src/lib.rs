#![doc = include_str!("../README.md")]

mod files;
mod kek;
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only an engine has keys"))]
mod keys;
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only an engine seals"))]
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod suite;

pub use kek::{Kek, KekError, KekId, KekWarning};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    CheckReport, Counters, PartVersion, SqliteError, SqliteOptions, SqliteStore, Stats, Synchronous,
};
