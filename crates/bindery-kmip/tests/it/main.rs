//! Tests of the public interface, by topic.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod attribute;
mod client;
mod client_binding;
mod messages;
mod operations;
mod server_binding;
mod service;
mod support;
mod tls_binding;
mod versions;
mod wire;
