#![doc = include_str!("../README.md")]

mod credential;
mod notification;
#[cfg(feature = "service")]
pub mod service;

pub use crate::credential::CredentialDigest;
pub use crate::notification::{Initiator, Notification, NotificationError, UiMode};
