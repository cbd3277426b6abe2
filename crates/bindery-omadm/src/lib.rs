#![doc = include_str!("../README.md")]

mod credential;
mod notification;

pub use crate::credential::CredentialDigest;
pub use crate::notification::{Initiator, Notification, NotificationError, UiMode};
