#![doc = include_str!("../README.md")]

mod binding;
pub mod message;
pub mod profile;
mod registry;
mod secret;
pub mod service;

pub use binding::{Expect, KmipHttps, Reply, VERSIONS, answer_version};
pub use profile::HttpsProfile;
pub use registry::{AttributeRow, Change, SetBy};
pub use secret::Secret;
