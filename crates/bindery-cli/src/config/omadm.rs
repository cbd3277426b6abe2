//! `[service.omadm]`.

use std::num::NonZeroU32;

use bindery_omadm::{DmProfile, service::DmServerConfig};
use serde::{Deserialize, Serialize};

use super::taxii::HttpAuth;
use crate::args::Span;

/// The device management service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice")]
pub(crate) struct OmadmService {
    /// The path of its resource.
    pub(crate) path: String,
    /// Whether `POST *` is for it too.
    pub(crate) any_target: bool,
    /// What devices know the server by.
    pub(crate) url: Option<String>,
    /// How devices may prove themselves in their messages, the first is asked for.
    pub(crate) schemes: Vec<SchemeName>,
    /// How clients prove a password over HTTP besides; none: they do not.
    pub(crate) http_auth: Vec<HttpAuth>,
    /// Takes the password itself over clear channels.
    pub(crate) dangerous_basic_in_clear: bool,
    /// Registers devices that nobody knows, where the channel says who they are.
    pub(crate) register: bool,
    /// Whether a session holds only for whoever goes on at the address that its answer named.
    pub(crate) bind_to_address: bool,
    /// The longest message that devices are told to send, in octets.
    pub(crate) max_msg_size: u32,
    /// The largest object that devices are told to send, in octets.
    pub(crate) max_obj_size: u64,
    /// The longest request, in octets.
    pub(crate) request_limit: u32,
    /// How long a session may be silent.
    pub(crate) session_timeout: Span,
    /// How many results of a device are kept.
    pub(crate) results: NonZeroU32,
    /// Whether what real clients omit is refused.
    pub(crate) strict: bool,
}

impl Default for OmadmService {
    fn default() -> Self {
        let (profile, engine) = (DmProfile::default(), DmServerConfig::default());
        Self {
            path: profile.path.clone().into_owned(),
            any_target: profile.any_target,
            url: None,
            schemes: vec![SchemeName::Md5, SchemeName::Mac, SchemeName::Basic],
            http_auth: Vec::new(),
            dangerous_basic_in_clear: engine.dangerous_basic_in_clear,
            register: engine.register,
            bind_to_address: engine.bind_to_address,
            max_msg_size: engine.max_msg_size,
            max_obj_size: engine.max_obj_size,
            request_limit: u32::try_from(profile.request_body_limit).unwrap_or(u32::MAX),
            session_timeout: Span::new(engine.session_timeout),
            results: engine.results,
            strict: profile.strict,
        }
    }
}

/// How a device proves itself in its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SchemeName {
    /// The password itself.
    Basic,
    /// A digest over a nonce.
    Md5,
    /// A digest over each message and a nonce.
    Mac,
}
