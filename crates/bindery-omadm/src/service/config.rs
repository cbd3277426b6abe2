//! What the operator decides about the device management server, and who is asked and told.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use bindery_core::{RateLimit, Timestamp};
use bindery_syncml::StatusCode;
use thiserror::Error;

use super::{Datastores, Device, NewCommand, Progress, ResultEntry, StoreError};

/// How a device proves itself inside its messages (OMA DM 1.2 Security, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `syncml:auth-basic`: the password itself, in Base64.
    Basic,
    /// `syncml:auth-md5`: a digest over a nonce that counts once.
    Md5,
    /// `syncml:auth-MAC`: a digest over each message and a nonce that counts once
    /// (`x-syncml-hmac`).
    Mac,
}

impl Scheme {
    /// The name in `Cred` and `Chal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
            Self::Mac => "syncml:auth-MAC",
        }
    }

    /// The scheme of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Basic, Self::Md5, Self::Mac]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }
}

/// The device management server's settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DmServerConfig {
    /// The URL that devices know the server by: Source of its messages, and where `RespURI` leads.
    /// By default what the device calls it.
    pub url: Option<String>,
    /// The longest message that devices are told to send, in octets (`MaxMsgSize`); 128 KiB. It has
    /// to be below [`DmProfile::request_body_limit`](crate::DmProfile).
    pub max_msg_size: u32,
    /// The largest object that devices are told to send, in octets (`MaxObjSize`); 16 MiB.
    pub max_obj_size: u64,
    /// The longest message for a device that names no limit, in octets; 16 KiB.
    pub peer_max_msg_size: u32,
    /// How devices may prove themselves; the first is asked for. MD5, MAC, Basic.
    pub schemes: Vec<Scheme>,
    /// Takes Basic over clear channels too: whoever listens has the password.
    pub dangerous_basic_in_clear: bool,
    /// Whether credentials that were taken for a session hold only for whoever goes on at the
    /// address that the answer named (`RespURI`, with 128 random bits in its query). On by default:
    /// without it, who knows the identifiers of a device and its session can go on in its place
    /// where no TLS certificate stands for the device. Off for devices that do not follow
    /// `RespURI`.
    pub bind_to_address: bool,
    /// Registers a device that nobody knows, if the channel says who it is: its principal is then
    /// the owner. Off by default.
    pub register: bool,
    /// How long a session may be silent; 30 min.
    pub session_timeout: Duration,
    /// How long the last answer of a session that is over can be asked for again; 10 min.
    pub linger: Duration,
    /// The most messages of a session; 10,000.
    pub messages: u32,
    /// The most sessions of a device that are kept; 4.
    pub sessions: u32,
    /// The most commands of the queue in one message; 64.
    pub commands: u32,
    /// How often a command is sent without an answer before it is given up; 3. One that was not
    /// answered once is then sent alone, so that it takes no others with it.
    pub attempts: u32,
    /// The most commands of a device's message; the rest is refused. 2,000.
    pub client_commands: usize,
    /// The most values of `./DevInfo` that are kept, and the longest of them, in octets; 256 and
    /// 4 KiB.
    pub dev_info: usize,
    /// See [`dev_info`](Self::dev_info).
    pub dev_info_octets: usize,
    /// How many results of a device are kept; 10,000.
    pub results: NonZeroU32,
    /// How often a decision is made again because somebody else changed the same device meanwhile;
    /// 16.
    pub conflicts: u32,
    /// Counts failures of authentication, by device; without one they are not counted.
    pub rate_limit: Option<Arc<dyn RateLimit>>,
    /// What clients of data synchronization may refresh; without it they are told 406.
    pub datastores: Option<Arc<dyn Datastores>>,
    /// Who decides what is sent beyond the queue, and is told what happens. By default nobody.
    pub management: Arc<dyn Management>,
}

impl Default for DmServerConfig {
    fn default() -> Self {
        Self {
            url: None,
            max_msg_size: 128 << 10,
            max_obj_size: 16 << 20,
            peer_max_msg_size: 16 << 10,
            schemes: vec![Scheme::Md5, Scheme::Mac, Scheme::Basic],
            dangerous_basic_in_clear: false,
            bind_to_address: true,
            register: false,
            session_timeout: Duration::from_secs(30 * 60),
            linger: Duration::from_secs(10 * 60),
            messages: 10_000,
            sessions: 4,
            commands: 64,
            attempts: 3,
            client_commands: 2_000,
            dev_info: 256,
            dev_info_octets: 4 << 10,
            results: NonZeroU32::MIN.saturating_add(9_999),
            conflicts: 16,
            rate_limit: None,
            datastores: None,
            management: Arc::new(QueueOnly),
        }
    }
}

/// Where random octets come from: nonces and addresses of sessions.
pub trait Random: fmt::Debug + Send + Sync {
    /// Fills a buffer with octets that nobody can foresee.
    ///
    /// # Errors
    /// The generator failed; nothing may be made from what the buffer then holds.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// The random generator failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there are no random numbers: {reason}")]
#[non_exhaustive]
pub struct RandomError {
    /// Why.
    pub reason: String,
}

impl RandomError {
    /// An error from its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// The application's side: decides what devices are to do, and is told what they answered.
pub trait Management: fmt::Debug + Send + Sync {
    /// What to send to a device whose queue is empty, before its session ends. The commands are
    /// queued and then sent like others, so they last. It is asked at each end of a package of the
    /// device, and again where somebody else was faster: the same question has to get commands with
    /// the same [key](NewCommand::key), or they are queued twice.
    fn decide(&self, _moment: &Moment<'_>) -> Vec<NewCommand> {
        Vec::new()
    }

    /// What a message came to, after it is durable and before the answer goes out. It must not
    /// wait.
    fn happened(&self, _happened: &Happened<'_>) {}

    /// The store failed; the device is told that the service is not available.
    fn store_failed(&self, _error: &StoreError) {}

    /// The random generator failed; the same.
    fn random_failed(&self, _error: &RandomError) {}
}

/// The management of a server that has nothing but its queues.
#[derive(Debug)]
struct QueueOnly;

impl Management for QueueOnly {}

/// The moment at which [`Management::decide`] is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// The device, with what it told of itself.
    pub device: &'a Device,
    /// The session.
    pub session_id: &'a str,
    /// The device's message.
    pub msg_id: u32,
    /// What came back in this message.
    pub results: &'a [ResultEntry],
    /// The time.
    pub now: Timestamp,
}

/// What a message came to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Happened<'a> {
    /// The device: as it says, where it has not proved itself.
    pub device: &'a str,
    /// The session.
    pub session_id: &'a str,
    /// The device's message.
    pub msg_id: u32,
    /// The status of the message itself (of `SyncHdr`).
    pub status: StatusCode,
    /// What the device calls its software (`User-Agent`).
    pub user_agent: Option<&'a str>,
    /// What came back.
    pub results: &'a [ResultEntry],
    /// How far commands have come: their identifiers and states.
    pub commands: &'a [(String, Progress)],
    /// Whether the session is over with this answer.
    pub over: bool,
}
