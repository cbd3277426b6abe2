//! What the end-to-end and conformance tests share.
//!
//! - [`feeds`]: TAXII services in this process, in clear and over TLS, with the store that they have in production.
//! - [`paths`]: where the checked-in data of the tests stands.
//! - [`requirements`]: the requirement rows, `requirements/*.toml`.
//! - [`pki`]: an authority with a server's and clients' certificates, and what TLS makes of them.
//! - [`site`]: a key server over mutual TLS in this process, with the store that it has in production.
//! - [`raw`]: a client that sends what it is told, octet by octet.
//! - [`script`]: a server that answers what it is told, and keeps every request as it came.
//! - [`wire`]: TTLV written and read by a few lines of its own, so that the codec is not its own judge.
//! - [`logs`]: everything that this process logs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do its helpers"
)]

pub mod feeds;
pub mod logs;
pub mod paths;
pub mod pki;
pub mod raw;
pub mod requirements;
pub mod script;
pub mod site;
pub mod wire;
