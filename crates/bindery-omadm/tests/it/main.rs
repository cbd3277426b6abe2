//! The crate from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod binding;
mod captured;
mod client;
mod credentials;
mod hostile;
mod objects;
mod queue;
mod session;
mod support;
mod sync;
mod trust;
