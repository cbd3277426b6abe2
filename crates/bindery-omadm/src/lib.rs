#![doc = include_str!("../README.md")]

pub mod binding;
pub mod client;
mod credential;
mod notification;
mod plain;
mod profile;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "service")]
pub mod service;

pub use crate::binding::{DmHttp, Hmac, Incoming, Outgoing};
pub use crate::credential::CredentialDigest;
pub use crate::notification::{Initiator, Notification, NotificationError, UiMode};
pub use crate::profile::{DmProfile, Family, PATH, profile};
#[cfg(feature = "server")]
pub use crate::server::{SystemRandom, mount, mount_guarded};
