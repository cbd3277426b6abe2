#![doc = include_str!("../README.md")]

#[cfg(feature = "system")]
mod backend;
#[cfg(feature = "system")]
mod client;
#[cfg(feature = "system")]
mod failure;
#[cfg(feature = "system")]
mod names;
#[cfg(feature = "system")]
mod psk;
#[cfg(feature = "system")]
mod revocation;
#[cfg(feature = "system")]
mod server;
#[cfg(feature = "system")]
mod setup;
#[cfg(feature = "system")]
mod stream;
#[cfg(feature = "system")]
mod strength;
#[cfg(feature = "system")]
mod verdict;

#[cfg(feature = "system")]
pub use backend::{LegacyBackend, Risk};
