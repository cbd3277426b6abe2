//! The HTTPS profile's card.
//!
//! Two texts define it: the draft of the usage guide (0.98, 29 April 2009, section 3.2), which is
//! this project's source, and its final form in KMIP Additional Message Encodings 1.0 (section 2)
//! and KMIP Profiles 2.1 (sections 3.2 and 5.3). The card keeps both: what only one of them asks
//! for is sent, and not insisted on.

use std::borrow::Cow;

use bindery_core::{
    CertificateRule, ContentCoding, Fault, HeaderRule, MediaType, Port, Profile, RefusalForm,
    SecurityNeeds, Severity,
};
use http::{HeaderValue, StatusCode, header};

/// The port that KMIP has at IANA. The draft leaves it open (TBD1); Profiles 2.1, section 3.1.4,
/// says 5696.
pub const REQUEST_PORT: u16 = 5696;

/// Where a client listens for Put and Notify when nothing is configured. No document gives a
/// number (TBD2 of the draft was never assigned), so this is this project's own choice.
pub const PUSH_PORT: u16 = 5697;

/// The path that both texts recommend.
pub const PATH: &str = "/kmip";

/// The card with nothing chosen.
pub fn profile() -> Profile {
    HttpsProfile::default().card()
}

/// What a deployment may choose in the card. `HttpsProfile::default().card()` is the card with
/// nothing chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpsProfile {
    /// The request path; [`PATH`] by default.
    pub path: Cow<'static, str>,
    /// The longest request body, in octets. 1 MiB by default: what most peers take, and enough for
    /// a batch of some thousand operations or a certificate chain.
    pub request_body_limit: u64,
    /// The longest response body that a client takes, in octets. 64 MiB by default, the most that
    /// a known server sends.
    pub response_body_limit: u64,
    /// Whether responses may be compressed (gzip, deflate) for a client that accepts it. Off by
    /// default: responses carry keys, and the length of compressed text tells about its content
    /// when a peer can choose a part of it. Keys do not compress either.
    pub compress_responses: bool,
    /// Whether a server takes requests in XML (`text/xml`) and JSON (`application/json`) too, and
    /// answers them in the same (the profile's final form). Off by default: the draft has binary
    /// TTLV only. Maximum Response Size and the sizes of the specification always mean binary TTLV.
    pub text_encodings: bool,
}

impl Default for HttpsProfile {
    fn default() -> Self {
        Self {
            path: Cow::Borrowed(PATH),
            request_body_limit: 1 << 20,
            response_body_limit: 64 << 20,
            compress_responses: false,
            text_encodings: false,
        }
    }
}

impl HttpsProfile {
    /// The card.
    pub fn card(self) -> Profile {
        let octets = MediaType::from_static("application/octet-stream");
        let no_cache = HeaderValue::from_static("no-cache");
        let mut card = Profile::new("kmip");
        card.title = "KMIP over HTTPS, binary TTLV".into();
        card.references = vec![
            "KMIP Usage Guide 1.0 draft 0.98 (29 April 2009), section 3.2".into(),
            "KMIP Additional Message Encodings 1.0 (19 May 2015), section 2".into(),
            "KMIP Profiles 2.1 (14 December 2020), sections 3.1.4, 3.2, 5.3.1, 5.3.2".into(),
        ];
        card.ports = vec![
            Port::new(REQUEST_PORT, "requests"),
            Port::new(PUSH_PORT, "Put and Notify, at the client"),
        ];
        card.default_path = self.path;
        let mut media_types = vec![octets];
        if self.text_encodings {
            media_types.extend(["text/xml", "application/json"].map(MediaType::from_static));
        }
        card.request_media_types = media_types.clone();
        card.response_media_types = media_types;
        // The draft forbids it to the client; for the server to ignore it is the project's rule.
        card.request_header_rules =
            vec![HeaderRule::forbidden(header::AUTHORIZATION, Severity::Report)];
        // The final form asks the client for Cache-Control; its own sample sends Pragma beside it.
        card.request_headers =
            vec![(header::CACHE_CONTROL, no_cache.clone()), (header::PRAGMA, no_cache)];
        // no-cache alone lets a cache keep the key and ask before it is used again.
        card.response_headers =
            vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"))];
        if self.compress_responses {
            card.response_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        }
        card.certificate = CertificateRule::Required;
        card.request_body_limit = self.request_body_limit;
        card.response_body_limit = self.response_body_limit;
        card.tls_policy = Some("kmip".into());
        // RFC 1945, section 7.2.2: HTTP/1.0 has no 411.
        card.status_overrides = vec![(Fault::LengthRequired, StatusCode::BAD_REQUEST)];
        // The draft ties the media type to no status: content other than KMIP has no type there.
        card.refusal_form = RefusalForm::Field;
        card.body_faults = "in the message, as Result Status and Result Reason under 200 (3.2.1), wherever its header \
                            could be read; what is no KMIP request gets 400 (RFC 9205, section 4.6)"
            .into();
        card.security = SecurityNeeds::new(
            "the server has to know which client asks for a key, and the client that it talks to the key server: both \
             show certificates in the TLS handshake (3.2.1), which the server maps to accounts",
            "keys are in the messages: TLS with the suites of the policy, at no time in clear, no-store for caches, no \
             content coding (its length would tell of a secret)",
        );
        card
    }
}
