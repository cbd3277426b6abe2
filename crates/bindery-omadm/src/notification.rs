//! The notification that asks a device to begin a session: package 0 (OMA DM 1.2 Notification, 6).

use subtle::ConstantTimeEq as _;

use crate::credential::CredentialDigest;

const DIGEST: usize = 16;
const HEADER: usize = 8;

/// What the device asks its user before the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UiMode {
    /// 0: the device decides.
    NotSpecified,
    /// 1: the user is not told.
    Background,
    /// 2: the user is told.
    Informative,
    /// 3: the user is asked.
    UserInteraction,
}

/// Who wanted the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Initiator {
    /// 0: the user.
    Client,
    /// 1: the server.
    Server,
}

/// A notification's content, without its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Ten bits; [`VERSION_1_2`](Self::VERSION_1_2) for OMA DM 1.2.
    pub version: u16,
    /// What the user is asked.
    pub ui_mode: UiMode,
    /// Who wanted the session.
    pub initiator: Initiator,
    /// 27 bits kept for later; 0 today, and kept as read.
    pub future: u32,
    /// The session that the device is to begin.
    pub session_id: u16,
    /// The server's identifier, at most 255 octets.
    pub server_id: String,
    /// What follows by the vendor.
    pub vendor: Vec<u8>,
}

/// Why octets are no notification, or a value cannot be written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// It ends before what it must hold.
    #[error("notification ends at octet {0}, before all that it must hold")]
    Truncated(usize),
    /// The server's identifier is not UTF-8.
    #[error("notification: the server's identifier at octet 24 is not UTF-8")]
    ServerId,
    /// A value needs more bits than its field has.
    #[error("notification: {0} needs more bits than its field has")]
    TooLarge(&'static str),
}

impl Notification {
    /// Version 1.2 of the protocol, as the field has it.
    pub const VERSION_1_2: u16 = 0b00_0000_1011;

    /// Reads a notification: its digest, unverified, and its content.
    ///
    /// # Errors
    /// Octets that end too early, or a server's identifier that is not UTF-8.
    pub fn read(octets: &[u8]) -> Result<([u8; 16], Self), NotificationError> {
        let short = NotificationError::Truncated(octets.len());
        let (digest, rest) = octets.split_first_chunk::<DIGEST>().ok_or(short)?;
        let (&[a, b, c, d, e, f, g, length], rest) =
            rest.split_first_chunk::<HEADER>().ok_or(short)?;
        let (id, vendor) = rest.split_at_checked(usize::from(length)).ok_or(short)?;
        let server_id = core::str::from_utf8(id).map_err(|_| NotificationError::ServerId)?;
        let content = Self {
            version: u16::from_be_bytes([a, b]) >> 6,
            ui_mode: match (b >> 4) & 3 {
                0 => UiMode::NotSpecified,
                1 => UiMode::Background,
                2 => UiMode::Informative,
                _ => UiMode::UserInteraction,
            },
            initiator: if b & 8 == 0 { Initiator::Client } else { Initiator::Server },
            future: u32::from_be_bytes([b & 7, c, d, e]),
            session_id: u16::from_be_bytes([f, g]),
            server_id: server_id.to_owned(),
            vendor: vendor.to_vec(),
        };
        Ok((*digest, content))
    }

    /// The notification's octets, signed under the server's credential and the device's nonce.
    ///
    /// # Errors
    /// A version beyond 10 bits, a future field beyond 27, an identifier beyond 255 octets.
    pub fn sign(
        &self,
        server: &CredentialDigest,
        nonce: &[u8],
    ) -> Result<Vec<u8>, NotificationError> {
        let trigger = self.trigger()?;
        let mut octets = server.over(nonce, Some(&trigger)).to_vec();
        octets.extend_from_slice(&trigger);
        Ok(octets)
    }

    /// Reads a notification and checks its digest; `None` if the digest is another one.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn verify(
        octets: &[u8],
        server: &CredentialDigest,
        nonce: &[u8],
    ) -> Result<Option<Self>, NotificationError> {
        let (digest, content) = Self::read(octets)?;
        let trigger = octets.get(DIGEST..).unwrap_or_default();
        let good: bool = server.over(nonce, Some(trigger)).ct_eq(&digest).into();
        Ok(good.then_some(content))
    }

    fn trigger(&self) -> Result<Vec<u8>, NotificationError> {
        let length = u8::try_from(self.server_id.len())
            .map_err(|_| NotificationError::TooLarge("the server's identifier"))?;
        if self.version >= 1 << 10 {
            return Err(NotificationError::TooLarge("the version"));
        }
        if self.future >= 1 << 27 {
            return Err(NotificationError::TooLarge("the future field"));
        }
        let ui_mode = match self.ui_mode {
            UiMode::NotSpecified => 0_u64,
            UiMode::Background => 1,
            UiMode::Informative => 2,
            UiMode::UserInteraction => 3,
        };
        let bits = u64::from(self.version) << 54
            | ui_mode << 52
            | u64::from(self.initiator == Initiator::Server) << 51
            | u64::from(self.future) << 24
            | u64::from(self.session_id) << 8
            | u64::from(length);
        Ok([&bits.to_be_bytes(), self.server_id.as_bytes(), &self.vendor].concat())
    }
}
