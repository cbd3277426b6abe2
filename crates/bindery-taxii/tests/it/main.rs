//! Tests of the public API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy knows only test functions, not their helpers"
)]

mod answers;
mod client;
mod draft;
mod polls;
mod pushes;
mod recorded;
mod released;
mod support;
mod upgraded;
