//! KMIP messages and what carries them: both halves of the HTTPS binding, and the server's half of
//! the TLS one.

mod client;
mod encoding;
mod server;
mod tls;

use bindery_core::{MediaType, Place, Profile};
use bindery_ttlv::{Error, Options, ProtocolVersion};

pub use client::Expect;
pub use encoding::Encoding;
pub use server::Reply;
pub use tls::KmipTls;

use crate::profile::HttpsProfile;

/// The versions of KMIP 1, newest first.
pub const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::V1_4,
    ProtocolVersion::V1_3,
    ProtocolVersion::V1_2,
    ProtocolVersion::V1_1,
    ProtocolVersion::V1_0,
];

/// The versions that the messages of this crate cover and that the key server and the client speak,
/// newest first: [`VERSIONS`] and those of 2.x.
pub const SERVER_VERSIONS: [ProtocolVersion; 7] = [
    ProtocolVersion::V2_1,
    ProtocolVersion::V2_0,
    ProtocolVersion::V1_4,
    ProtocolVersion::V1_3,
    ProtocolVersion::V1_2,
    ProtocolVersion::V1_1,
    ProtocolVersion::V1_0,
];

/// The version to answer a request of another version in: the request's own if it is spoken here;
/// else the newest of [`SERVER_VERSIONS`] of its major version, which such a peer can read around
/// its unknown fields (KMIP 1.4, section 6.1), and the newest of 1.x for one of no known version.
pub fn answer_version(requested: ProtocolVersion) -> ProtocolVersion {
    let [newest, ..] = SERVER_VERSIONS;
    let [newest_of_1, ..] = VERSIONS;
    match requested {
        spoken if SERVER_VERSIONS.contains(&spoken) => spoken,
        other if other.major == newest.major => newest,
        _ => newest_of_1,
    }
}

/// The HTTPS binding: one KMIP message in binary TTLV in the body of each HTTP message; where
/// [`HttpsProfile::text_encodings`] allows it, requests may also be in XML or JSON, and are answered
/// in the same. A client chooses by [`with_encoding`](Self::with_encoding).
///
/// As [`ServerBinding`](bindery_core::ServerBinding) it answers a body that is no TTLV request
/// message with 400 and the place of the fault; what frames one and is faulty inside gets status
/// 200 and a KMIP error, as section 11.1 of the specification asks for, if its header could be
/// read. A response longer than the request's Maximum Response Size becomes Response Too Large.
///
/// As [`ClientBinding`](bindery_core::ClientBinding) it writes nothing that the request's version
/// does not have (unless its tolerance `other_versions` is on), and checks that the answer fits the
/// request: version, number of items, operations and Unique Batch Item IDs.
#[derive(Clone, Debug)]
pub struct KmipHttps {
    profile: Profile,
    requests: Options,
    responses: Options,
    /// The encoding of the client's requests.
    encoding: Encoding,
}

impl KmipHttps {
    /// The binding with a deployment's choices, reading strictly.
    pub fn new(profile: HttpsProfile) -> Self {
        Self::with_options(profile, Options::STRICT)
    }

    /// The binding that reads messages with these limits and tolerances. The card's body limits
    /// replace the limits on a message's and an octet string's length.
    pub fn with_options(profile: HttpsProfile, options: Options) -> Self {
        let limited = |body: u64| {
            let octets = u32::try_from(body).unwrap_or(u32::MAX);
            let limits = options.limits.with_message_length(octets).with_bytes_length(octets);
            options.with_limits(limits)
        };
        let requests = limited(profile.request_body_limit);
        let responses = limited(profile.response_body_limit);
        let encoding = Encoding::default();
        Self { profile: profile.card(), requests, responses, encoding }
    }

    /// The same with another encoding of the requests that a client writes; binary TTLV by default.
    /// The card's media types then have it too, as if [`HttpsProfile::text_encodings`] were on.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        let media_type = MediaType::from_static(encoding.media_type());
        let card = &mut self.profile;
        for taken in [&mut card.request_media_types, &mut card.response_media_types] {
            if !taken.iter().any(|known| known.same_essence(&media_type)) {
                taken.push(media_type.clone());
            }
        }
        self.encoding = encoding;
        self
    }
}

impl Default for KmipHttps {
    fn default() -> Self {
        Self::new(HttpsProfile::default())
    }
}

/// The place of a fault, without what [`Place`] itself says: format and offset.
fn place(error: &Error) -> Place {
    let path: Vec<String> = error.path().iter().map(ToString::to_string).collect();
    let separator = if path.is_empty() { "" } else { ": " };
    let reason = format!("{}{separator}{}; {}", path.join("/"), error.kind(), error.remedy());
    Place::new("TTLV", Some(error.offset() as u64), reason)
}
