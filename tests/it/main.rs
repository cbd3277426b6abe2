//! Tests that belong to no crate alone: end to end over real sockets, and the replay of the fuzz corpora.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy knows only test functions, not their helpers"
)]

mod corpus;
mod feeds;
mod hostile;
mod life;
mod many;
mod principals;
mod secrecy;
mod stopping;
mod without_http;
