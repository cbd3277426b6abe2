//! A notification (package 0) that becomes a session.

use thiserror::Error;

use super::{Begin, Client};
use crate::{Notification, NotificationError, UiMode};

/// Why a notification begins no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WakeError {
    /// It cannot be read.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// The account has no credential of the server: nothing can be proved by it.
    #[error("the account has no credential of the server (SRVCRED); notifications are not taken")]
    NoCredential,
    /// Its digest is not the server's, or under another nonce: it is not the server's, or old.
    #[error("the notification is not proved by the server's credential and nonce")]
    Unproved,
    /// It names another server than the account's.
    #[error("the notification is of another server than the account's")]
    OtherServer,
}

impl Client {
    /// Takes a notification: verified by the server's credential, it says how to begin the
    /// session it asks for, and what to ask of the user before.
    ///
    /// `random` as in [`Begin`]. The nonce counts once: the session's first answer brings another.
    ///
    /// # Errors
    /// It cannot be read, or is not the server's.
    pub fn wake(&self, octets: &[u8], random: [u8; 16]) -> Result<(Begin, UiMode), WakeError> {
        let server = self.account.server.as_ref().ok_or(WakeError::NoCredential)?;
        let notification = Notification::verify(octets, &server.digest(), &server.nonce)?
            .ok_or(WakeError::Unproved)?;
        if notification.server_id != self.account.server_id {
            return Err(WakeError::OtherServer);
        }
        let mut begin = Begin::new(notification.session_id.to_string(), random);
        // 1200 says that a notification began the session, whoever wanted it.
        begin.by_server = true;
        Ok((begin, notification.ui_mode))
    }
}
