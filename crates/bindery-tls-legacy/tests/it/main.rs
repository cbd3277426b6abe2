//! The backend against itself, over in-memory streams; against software by others it is
//! `cargo xtask interop tls-legacy`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capabilities;
mod certificates;
mod hello;
mod matrix;
mod psk;
mod recheck;
mod sessions;
mod streams;
mod support;
