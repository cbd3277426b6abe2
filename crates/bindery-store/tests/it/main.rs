//! The store from outside: the suite that every engine runs, and what is SQLite's own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says by a panic that it failed, in helpers too"
)]

mod backup;
mod behaviour;
mod damage;
mod devices;
mod feeds;
mod files;
mod keys;
mod kill;
mod opening;
mod secrets;
mod support;
mod writing;
