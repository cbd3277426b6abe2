//! The HTTP binding's card (OMA Device Management HTTP Binding 1.3, sections 5.1 to 5.4).

use std::borrow::Cow;

use bindery_core::{
    AuthScheme, CertificateRule, ContentCoding, Fault, HeaderRule, MediaType, Port, Profile,
    RefusalForm, Scheme, SecurityNeeds, Severity,
};
use bindery_syncml::Form;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// The path at which a server stands unless told otherwise. The binding leaves it to provisioning;
/// this is this project's own choice.
pub const PATH: &str = "/omadm";

/// `Content-Transfer-Encoding`, which HTTP does not have (section 5.2.1).
pub(crate) const CONTENT_TRANSFER_ENCODING: HeaderName =
    HeaderName::from_static("content-transfer-encoding");

/// Both kinds of DM message, the one that a client of ours prefers first.
const FORMS: [Form; 2] = [Form::Wbxml, Form::Xml];

/// The card with nothing chosen.
pub fn profile() -> Profile {
    DmProfile::default().card()
}

/// What a deployment may choose in the card. `DmProfile::default().card()` is the card with
/// nothing chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice")]
pub struct DmProfile {
    /// The request path; [`PATH`] by default.
    pub path: Cow<'static, str>,
    /// Whether `POST *` is for this server too (section 5.2); on by default. Only one protocol of a
    /// listener can have it.
    pub any_target: bool,
    /// The longest request body, in octets; 1 MiB by default. It is the bound for peers that do not
    /// keep to `MaxMsgSize`, so it has to be above what the server announces.
    pub request_body_limit: u64,
    /// The longest response body that a client takes, in octets; 1 MiB by default.
    pub response_body_limit: u64,
    /// Whether requests and responses may be coded with gzip and deflate (sections 5.3.2 and
    /// 5.3.3); on by default, for narrow links.
    pub codings: bool,
    /// Whether a client's missing `Accept`, `Accept-Charset`, `Cache-Control` or `User-Agent` is
    /// refused, and a message that is not in the DTD's order. Off by default: no real client sends
    /// all of them, and libdmclient and SyncEvolution would be locked out. For conformance tests.
    pub strict: bool,
    /// Whether sessions run over connections without TLS: section 5.4 demands a protected session,
    /// so this is off unless an operator turns it on. Whoever listens then sees everything.
    pub dangerous_clear: bool,
}

impl Default for DmProfile {
    fn default() -> Self {
        Self {
            path: Cow::Borrowed(PATH),
            any_target: true,
            request_body_limit: 1 << 20,
            response_body_limit: 1 << 20,
            codings: true,
            strict: false,
            dangerous_clear: false,
        }
    }
}

impl DmProfile {
    /// The card.
    pub fn card(&self) -> Profile {
        let mut card = Profile::new("omadm");
        card.title = "OMA Device Management over HTTP".into();
        card.references = vec![
            "OMA Device Management HTTP Binding 1.3 (candidate, 6 March 2012)".into(),
            "OMA Device Management Protocol 1.2".into(),
            "OMA Device Management Security 1.2 (x-syncml-hmac)".into(),
        ];
        card.schemes = if self.dangerous_clear {
            vec![Scheme::Https, Scheme::Http]
        } else {
            vec![Scheme::Https]
        };
        let binding = "OMA DM HTTP Binding 1.3, sections 4 and 5.1.1";
        card.ports = vec![
            Port::shared(443, "sessions over TLS", binding),
            Port::shared(80, "sessions in clear", binding),
        ];
        card.default_path = self.path.clone();
        card.request_media_types = media_types();
        card.response_media_types = media_types();
        let severity = if self.strict { Severity::Refuse } else { Severity::Report };
        card.request_header_rules =
            [header::ACCEPT, header::ACCEPT_CHARSET, header::CACHE_CONTROL, header::USER_AGENT]
                .map(|name| HeaderRule::required(name, severity))
                .into();
        card.request_header_rules
            .push(HeaderRule::forbidden(CONTENT_TRANSFER_ENCODING, Severity::Report));
        card.request_headers = vec![
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::ACCEPT_CHARSET, HeaderValue::from_static("UTF-8")),
            (
                header::USER_AGENT,
                HeaderValue::from_static(concat!("bindery/", env!("CARGO_PKG_VERSION"))),
            ),
        ];
        card.response_headers =
            vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"))];
        if self.codings {
            card.request_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
            card.response_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        }
        card.auth_schemes = vec![AuthScheme::Digest, AuthScheme::Basic];
        card.certificate = CertificateRule::Optional;
        card.request_body_limit = self.request_body_limit;
        card.response_body_limit = self.response_body_limit;
        card.tls_policy = Some("omadm".into());
        // RFC 1945, section 7.2.2: HTTP/1.0 has no 411.
        card.status_overrides = vec![(Fault::LengthRequired, StatusCode::BAD_REQUEST)];
        // Section 5.2: a body is a DM message. What is none has no place in one.
        card.refusal_form = RefusalForm::Field;
        // Section 5.1.4.
        card.resets = true;
        card.body_faults = "in the message, as Status commands under 200, wherever it could be read as SyncML; else by \
                            400 (RFC 9205, section 4.6)"
            .into();
        card.security = SecurityNeeds::new(
            "server and device have to know each other before anything is managed: by TLS or PSK (section 5.5), by HTTP \
             Basic or Digest, and always by the credentials in the messages (basic, MD5 with nonces, HMAC), which also \
             hold where a proxy ends TLS",
            "settings and credentials of a device: TLS with the suites of the policy; no-store, private for caches; \
             in clear only where the operator says so in so many words, and then Digest or HMAC, not Basic",
        );
        card
    }
}

/// The family of a media type: device management's own, or the one of data synchronization, which
/// clients such as libdmclient use for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// `application/vnd.syncml.dm+..`
    #[default]
    Dm,
    /// `application/vnd.syncml+..`
    Ds,
}

impl Family {
    /// The media type of a message, without parameters.
    pub const fn media_type(self, form: Form) -> &'static str {
        match (self, form) {
            (Self::Dm, Form::Wbxml) => "application/vnd.syncml.dm+wbxml",
            (Self::Dm, _) => "application/vnd.syncml.dm+xml",
            (Self::Ds, Form::Wbxml) => "application/vnd.syncml+wbxml",
            (Self::Ds, _) => "application/vnd.syncml+xml",
        }
    }

    /// The family and form that a media type names, whatever its parameters.
    pub fn of(media_type: &MediaType) -> Option<(Self, Form)> {
        [Self::Dm, Self::Ds]
            .into_iter()
            .flat_map(|family| FORMS.map(|form| (family, form)))
            .find(|(family, form)| family.media_type(*form) == media_type.essence())
    }
}

fn media_types() -> Vec<MediaType> {
    [Family::Dm, Family::Ds]
        .into_iter()
        .flat_map(|family| FORMS.map(|form| MediaType::from_static(family.media_type(form))))
        .collect()
}
