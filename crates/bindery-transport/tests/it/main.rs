//! The transport over real sockets on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy knows only test functions, not their helpers"
)]

mod brought;
mod client;
mod coding;
mod exchange;
mod framing;
mod https;
mod integrity;
mod limits;
mod login;
mod messages;
mod mounted;
mod mutation;
mod proxied;
mod stop;
mod streamed;
mod substrate;
mod support;
mod tls;
mod tunnel;
mod tunnel_chain;
mod tunnel_proxy;
mod upgrade;
mod upgrade_client;
mod upgrade_relay;
mod vectors;
mod wire;
mod withdrawn;
