#![doc = include_str!("../README.md")]

mod secret;
pub mod service;

pub use secret::Secret;
