//! Handshakes over in-memory streams, and everything that has to be in place before one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod handshake;
mod hello;
mod loading;
mod mutation;
mod names;
mod pieces;
mod pinned;
mod readme;
mod recheck;
mod refusals;
mod reload;
mod resumption;
mod revocation;
mod scan;
mod support;
mod toml;
mod trust;
