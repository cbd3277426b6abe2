#![doc = include_str!("../README.md")]

pub mod message;
mod registry;
mod secret;
pub mod service;

pub use registry::{AttributeRow, Change, SetBy};
pub use secret::Secret;
