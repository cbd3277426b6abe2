#![doc = include_str!("../README.md")]

mod binding;
mod call;
#[cfg(feature = "client")]
mod client;
mod form;
pub mod message;
mod profile;
mod registry;
mod secret;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "service")]
pub mod service;

pub use binding::{
    Encoding, Expect, KmipHttps, KmipTls, Reply, SERVER_VERSIONS, VERSIONS, answer_version,
};
pub use call::{Envelope, OperationFailed, outcome, typed};
#[cfg(feature = "client")]
pub use client::{BatchOutcome, Client, ClientBuilder, ClientError};
pub use profile::{HttpsProfile, PATH, PUSH_PORT, REQUEST_PORT, profile};
pub use registry::{AttributeRow, Change, SetBy};
pub use secret::Secret;
#[cfg(feature = "server")]
pub use server::mount;
