//! The card that RFC 3205 and RFC 9205 ask every protocol on HTTP to fill in, as a value.

mod check;
mod status;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use http::{HeaderName, HeaderValue, Method, StatusCode, Version};

use crate::{Fault, MediaType};

/// How a protocol uses HTTP, as data: the one place that server, client, documentation and
/// command line read it from.
///
/// The same card is enforced on both sides: [`Profile::check_request`] and
/// [`Profile::finish_response`] by the server, [`Profile::prepare_request`] and
/// [`Profile::check_response`] by the client. Adding a protocol starts with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The name on the command line and in configuration, such as `kmip`.
    pub name: Cow<'static, str>,
    /// What it is, for people.
    pub title: Cow<'static, str>,
    /// The documents that the card was taken from.
    pub references: Vec<Cow<'static, str>>,
    /// The URL schemes that the protocol may use.
    pub schemes: Vec<Scheme>,
    /// The default ports; each can be configured.
    pub ports: Vec<Port>,
    /// The path of a target that has none; it can be configured.
    pub default_path: Cow<'static, str>,
    /// The versions of HTTP.
    pub versions: Vec<Version>,
    /// The methods that requests use.
    pub methods: Vec<Method>,
    /// The media types that a request's content may have; the first is what a client sends.
    pub request_media_types: Vec<MediaType>,
    /// What happens to a request's content that no `Content-Type` describes; it is refused by default.
    pub untyped_content: Severity,
    /// The media types that an answer's content may have; the first is what a server sends.
    pub response_media_types: Vec<MediaType>,
    /// The statuses whose content is a message of the protocol.
    pub message_statuses: Vec<StatusCode>,
    /// Rules for header fields of requests.
    pub request_header_rules: Vec<HeaderRule>,
    /// Fields that the client puts into every request.
    pub request_headers: Vec<(HeaderName, HeaderValue)>,
    /// Fields that the server puts into every response, refusals included.
    pub response_headers: Vec<(HeaderName, HeaderValue)>,
    /// The content codings that requests may have; `identity` is always taken.
    pub request_codings: Vec<ContentCoding>,
    /// The content codings that responses may have where the client accepts them.
    pub response_codings: Vec<ContentCoding>,
    /// HTTP authentication schemes.
    pub auth_schemes: Vec<AuthScheme>,
    /// Whether the peer identifies itself by certificate.
    pub certificate: CertificateRule,
    /// Whether bodies are collected before they are decoded.
    pub body_mode: BodyMode,
    /// The longest request body, in octets, after content coding was undone.
    pub request_body_limit: u64,
    /// The longest response body that a client takes, in octets, likewise.
    pub response_body_limit: u64,
    /// The TLS policy's name (`bindery tls policy`).
    pub tls_policy: Option<Cow<'static, str>>,
    /// Where a fault gets another status than the default table gives.
    pub status_overrides: Vec<(Fault, StatusCode)>,
    /// How a refusal is explained to the peer.
    pub refusal_form: RefusalForm,
    /// Whether a side that breaks off (what comes is not HTTP, a time limit passed, it is stopped by force) resets the TCP
    /// connection, and does not close it in order. No by default.
    pub resets: bool,
    /// Where faults of a body are told: in a message under one of
    /// [`message_statuses`](Self::message_statuses), or by a status of HTTP, and which document says
    /// so (RFC 3205, section 8). The status itself is [`Profile::status`]'s.
    pub body_faults: Cow<'static, str>,
    /// What its users need, and why the mechanisms above meet it.
    pub security: SecurityNeeds,
}

/// What the users of a protocol need of its security, and why what the card names meets it: neither TLS nor
/// Digest alone settles it (RFC 3205, section 9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityNeeds {
    /// Who has to know whom, and by what.
    pub authentication: Cow<'static, str>,
    /// What has to stay secret, from whom, and by what.
    pub privacy: Cow<'static, str>,
}

impl SecurityNeeds {
    /// The two needs.
    pub const fn new(authentication: &'static str, privacy: &'static str) -> Self {
        Self { authentication: Cow::Borrowed(authentication), privacy: Cow::Borrowed(privacy) }
    }
}

/// A URL scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `http`: clear, or upgraded to TLS.
    Http,
    /// `https`.
    Https,
}

/// A default port and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Port {
    /// The number.
    pub number: u16,
    /// What listens there.
    pub purpose: &'static str,
    /// For a port of the web (80, 443): which document lets the protocol share it. RFC 3205, section 3,
    /// asks new services for a port of their own; RFC 9205, section 4.4, allows sharing.
    pub shared_by: Option<&'static str>,
}

impl Port {
    /// A port of the protocol's own and what it is for.
    pub const fn new(number: u16, purpose: &'static str) -> Self {
        Self { number, purpose, shared_by: None }
    }

    /// A port that the protocol shares with the web, as a document says.
    pub const fn shared(number: u16, purpose: &'static str, source: &'static str) -> Self {
        Self { number, purpose, shared_by: Some(source) }
    }
}

/// A rule for one header field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderRule {
    /// The field.
    pub name: HeaderName,
    /// What is asked of it.
    pub presence: HeaderPresence,
    /// What the server does when the rule is broken. A client of ours never breaks it.
    pub severity: Severity,
}

impl HeaderRule {
    /// The field has to be there.
    pub const fn required(name: HeaderName, severity: Severity) -> Self {
        Self { name, presence: HeaderPresence::Required, severity }
    }

    /// The field must not be there.
    pub const fn forbidden(name: HeaderName, severity: Severity) -> Self {
        Self { name, presence: HeaderPresence::Forbidden, severity }
    }
}

/// What a [`HeaderRule`] asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderPresence {
    /// The field has to be there.
    Required,
    /// The field must not be there.
    Forbidden,
}

/// What happens when a peer breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// The request is refused.
    Refuse,
    /// The request is served as if the field were as it should be, and the log says so.
    Report,
}

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentCoding {
    /// `gzip` (RFC 1952).
    Gzip,
    /// `deflate`: the zlib format (RFC 1950).
    Deflate,
}

impl ContentCoding {
    /// The name in header fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// The coding of a name, without regard to case; `x-gzip` is `gzip` (RFC 9110, 8.4.1.3).
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            Some(Self::Gzip)
        } else if name.eq_ignore_ascii_case("deflate") {
            Some(Self::Deflate)
        } else {
            None
        }
    }
}

/// An HTTP authentication scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// Basic (RFC 7617).
    Basic,
    /// Digest (RFC 7616, RFC 2617).
    Digest,
}

/// Whether the peer identifies itself by a certificate in the TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateRule {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It is not asked to.
    None,
}

/// Whether a binding sees whole bodies or streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyMode {
    /// The body is collected under the limit before it is decoded.
    Whole,
    /// The binding reads and writes pieces; the limit holds for their sum.
    Streamed,
    /// A body of up to so many octets is collected; of a longer one its beginning, at least so many octets, is at hand
    /// ([`Body::begun`](crate::Body::begun)), and the rest comes in pieces. The limit holds for their sum.
    Begun(usize),
}

/// How a refusal is explained to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalForm {
    /// A short text in the body.
    Text,
    /// No body; the explanation stands in the field `Bindery-Refusal`. For protocols that allow
    /// no other content than their own.
    Field,
}

/// A deviation that the card tells to report and tolerate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A required field was missing.
    MissingHeader(HeaderName),
    /// A forbidden field was there and was not looked at.
    ForbiddenHeader(HeaderName),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader(name) => write!(f, "the field {name} is missing"),
            Self::ForbiddenHeader(name) => {
                write!(f, "the field {name} is forbidden by the profile and was ignored")
            }
        }
    }
}

impl Profile {
    /// A card with what is common: https only, HTTP/1.0 and 1.1, POST, whole bodies of at most
    /// 1 MiB, status 200 for messages, nothing cached, refusals as text.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            name,
            references: Vec::new(),
            schemes: vec![Scheme::Https],
            ports: Vec::new(),
            default_path: Cow::Borrowed("/"),
            versions: vec![Version::HTTP_10, Version::HTTP_11],
            methods: vec![Method::POST],
            request_media_types: Vec::new(),
            untyped_content: Severity::Refuse,
            response_media_types: Vec::new(),
            message_statuses: vec![StatusCode::OK],
            request_header_rules: Vec::new(),
            request_headers: Vec::new(),
            response_headers: vec![(
                http::header::CACHE_CONTROL,
                HeaderValue::from_static("no-store"),
            )],
            request_codings: Vec::new(),
            response_codings: Vec::new(),
            auth_schemes: Vec::new(),
            certificate: CertificateRule::None,
            body_mode: BodyMode::Whole,
            request_body_limit: 1 << 20,
            response_body_limit: 1 << 20,
            tls_policy: None,
            status_overrides: Vec::new(),
            refusal_form: RefusalForm::Text,
            resets: false,
            body_faults: Cow::Borrowed("by a status of HTTP"),
            security: SecurityNeeds::default(),
        }
    }

    /// How client and server deal with proxies (RFC 3205, section 7), which the schemes decide: what goes over TLS is a
    /// proxy's tunnel, and only what goes in clear is seen by one.
    pub fn proxies(&self) -> &'static str {
        if self.schemes.contains(&Scheme::Http) {
            "https by CONNECT, end to end; http by a request in absolute form, which a proxy can read and \
             change: Via is accepted, and an answer that is not the protocol's is told as an intermediary's"
        } else {
            "by CONNECT only, TLS end to end; an answer that is not the protocol's is told as an intermediary's"
        }
    }

    /// How connections are used, which the versions decide: no message depends on the connection that it comes by.
    pub fn connections(&self) -> &'static str {
        if self.versions.contains(&Version::HTTP_11) {
            "kept for further requests unless a side says close (HTTP/1.1), or where Keep-Alive is asked for \
             (HTTP/1.0); pipelined requests are answered in their order"
        } else {
            "kept for further requests where Keep-Alive is asked for (HTTP/1.0)"
        }
    }

    /// By what the protocol's traffic can be told apart from the rest of the web (RFC 3205, section
    /// 3): the ports that it shares with nobody, the path, the media types that are its own.
    pub fn distinctions(&self) -> Vec<String> {
        let own = self.ports.iter().filter(|port| port.shared_by.is_none());
        let mut all: Vec<_> = own.map(|port| format!("port {}", port.number)).collect();
        if self.default_path != "/" {
            all.push(format!("path {}", self.default_path));
        }
        let types = self.request_media_types.iter().filter(|t| !is_generic(t));
        all.extend(types.map(|own| format!("media type {own}")));
        all
    }

    /// The card as rows of a name and a value, in a fixed order, for printing.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let header = |(name, value): &(HeaderName, HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap_or("(not text)"))
        };
        let rule = |rule: &HeaderRule| {
            let presence = match rule.presence {
                HeaderPresence::Required => "required",
                HeaderPresence::Forbidden => "forbidden",
            };
            let severity = match rule.severity {
                Severity::Refuse => "refused otherwise",
                Severity::Report => "reported otherwise",
            };
            format!("{} {presence} ({severity})", rule.name)
        };
        let port = |port: &Port| match port.shared_by {
            None => format!("{} ({})", port.number, port.purpose),
            Some(source) => format!("{} ({}; shared: {source})", port.number, port.purpose),
        };
        let over = |(fault, status): &(Fault, StatusCode)| format!("{fault:?}: {status}");
        let untyped = match self.untyped_content {
            Severity::Refuse => "refused",
            Severity::Report => "taken, and reported",
        };
        vec![
            ("name", self.name.to_string()),
            ("title", self.title.to_string()),
            ("references", join(&self.references, ToString::to_string)),
            ("schemes", join(&self.schemes, |s| format!("{s:?}").to_lowercase())),
            ("ports", join(&self.ports, port)),
            ("default path", self.default_path.to_string()),
            ("HTTP versions", join(&self.versions, |v| format!("{v:?}"))),
            ("methods", join(&self.methods, ToString::to_string)),
            ("request content", join(&self.request_media_types, ToString::to_string)),
            ("request content without a type", untyped.to_owned()),
            ("response content", join(&self.response_media_types, ToString::to_string)),
            ("statuses with a message", join(&self.message_statuses, ToString::to_string)),
            ("request field rules", join(&self.request_header_rules, rule)),
            ("request fields", join(&self.request_headers, header)),
            ("response fields", join(&self.response_headers, header)),
            ("request codings", join(&self.request_codings, |c| c.name().to_owned())),
            ("response codings", join(&self.response_codings, |c| c.name().to_owned())),
            ("HTTP authentication", join(&self.auth_schemes, |s| format!("{s:?}"))),
            ("client certificate", format!("{:?}", self.certificate).to_lowercase()),
            ("bodies", format!("{:?}", self.body_mode).to_lowercase()),
            ("largest request body", format!("{} octets", self.request_body_limit)),
            ("largest response body", format!("{} octets", self.response_body_limit)),
            ("TLS policy", self.tls_policy.as_deref().unwrap_or("none").to_owned()),
            ("status overrides", join(&self.status_overrides, over)),
            ("refusals", format!("{:?}", self.refusal_form).to_lowercase()),
            ("faults of bodies", self.body_faults.to_string()),
            ("authentication need", or_none(&self.security.authentication)),
            ("privacy need", or_none(&self.security.privacy)),
            ("proxies", self.proxies().to_owned()),
            ("connections", self.connections().to_owned()),
            ("told apart by", join(&self.distinctions(), Clone::clone)),
        ]
    }
}

/// Whether a media type says no more than how octets are to be read: other protocols use it, too.
fn is_generic(media_type: &MediaType) -> bool {
    matches!(
        media_type.essence(),
        "application/octet-stream"
            | "application/xml"
            | "application/json"
            | "text/xml"
            | "text/plain"
    )
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

fn join<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}
