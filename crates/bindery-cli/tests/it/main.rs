//! The built program, as a user or a script meets it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod account;
mod configuration;
mod db;
mod devices;
mod durability;
mod fleet;
mod markup;
mod messages;
mod offline;
mod server;
mod settings;
#[cfg(unix)]
mod supervisor;
mod support;
mod taxii;
mod tls;
mod tls_keys;
mod tls_lists;
mod tls_operation;
mod tls_probe;
mod upgrade;
