//! Header fields and version ids (draft: sections 1.3, 3 and 4; final: TAXII 1.0 HTTP binding, section 4).

use bindery_core::Channel;
use bindery_taxii_xml::{Dialect, ServiceType};
use http::HeaderName;

/// `X-TAXII-Accept`.
pub const X_TAXII_ACCEPT: HeaderName = HeaderName::from_static("x-taxii-accept");
/// `X-TAXII-Content-Type`.
pub const X_TAXII_CONTENT_TYPE: HeaderName = HeaderName::from_static("x-taxii-content-type");
/// `X-TAXII-Protocol`.
pub const X_TAXII_PROTOCOL: HeaderName = HeaderName::from_static("x-taxii-protocol");
/// `X-TAXII-Services`; the draft does not have it.
pub const X_TAXII_SERVICES: HeaderName = HeaderName::from_static("x-taxii-services");

/// Whether messages go over TLS: what the protocol version id tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Carrier {
    /// HTTP in clear.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Carrier {
    /// What a channel is.
    pub const fn of(channel: &Channel) -> Self {
        if channel.is_tls() { Self::Https } else { Self::Http }
    }

    /// What a URL asks for.
    pub fn of_url(url: &http::Uri) -> Self {
        if url.scheme_str() == Some("http") { Self::Http } else { Self::Https }
    }

    /// The scheme of URLs.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The version ids that a dialect has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    services: &'static str,
    message: &'static str,
    http: &'static str,
    https: &'static str,
}

impl Names {
    /// Those of a dialect.
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V1_1 => Self {
                services: "urn:taxii.mitre.org:services:1.1",
                message: "urn:taxii.mitre.org:message:xml:1.1",
                ..Self::FINAL
            },
            Dialect::V1_0 => Self::FINAL,
            // Newer dialects would be a change here; the draft is what is left.
            _ => Self {
                services: "TAXII_1.0",
                message: "TAXII_XML_BINDING_1.0",
                http: "TAXII_HTTP_BINDING_1.0",
                https: "TAXII_HTTPS_BINDING_1.0",
            },
        }
    }

    const FINAL: Self = Self {
        services: "urn:taxii.mitre.org:services:1.0",
        message: "urn:taxii.mitre.org:message:xml:1.0",
        http: "urn:taxii.mitre.org:protocol:http:1.0",
        https: "urn:taxii.mitre.org:protocol:https:1.0",
    };

    /// The Services Version ID.
    pub const fn services(&self) -> &'static str {
        self.services
    }

    /// The Message Binding Version ID.
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// The Protocol Binding Version ID, which tells the truth about the channel.
    pub const fn protocol(&self, carrier: Carrier) -> &'static str {
        match carrier {
            Carrier::Http => self.http,
            Carrier::Https => self.https,
        }
    }
}

/// The draft's message binding id as the HTTP draft's own example writes it, where the XML draft says
/// `TAXII_XML_BINDING_1.0`. Both are taken.
pub(crate) const DRAFT_MESSAGE: [&str; 2] = ["TAXII_XML_1.0", "TAXII_XML_BINDING_1.0"];

/// The TAXII media type (section 3) that is sent, as the draft writes it.
pub(crate) const DRAFT_TYPE: &str = "TAXII_1.0/TAXII_XML_1.0";

/// The carrier that a protocol version id of the draft names. Section 4.1.5 writes `TAXII_HTTP_1.0`: taken, never sent.
pub(crate) fn draft_carrier(id: &str) -> Option<Carrier> {
    match id {
        "TAXII_HTTP_BINDING_1.0" | "TAXII_HTTP_1.0" => Some(Carrier::Http),
        "TAXII_HTTPS_BINDING_1.0" | "TAXII_HTTPS_1.0" => Some(Carrier::Https),
        _ => None,
    }
}

/// The same of 1.0 and 1.1.
pub(crate) fn final_carrier(id: &str) -> Option<Carrier> {
    match id {
        "urn:taxii.mitre.org:protocol:http:1.0" => Some(Carrier::Http),
        "urn:taxii.mitre.org:protocol:https:1.0" => Some(Carrier::Https),
        _ => None,
    }
}

/// The final dialect of a message binding id.
pub(crate) fn final_dialect(message: &str) -> Option<Dialect> {
    [Dialect::V1_1, Dialect::V1_0].into_iter().find(|one| Names::of(*one).message() == message)
}

/// The dialect of a message binding id, of any dialect.
#[cfg(feature = "service")]
pub(crate) fn dialect_of_binding(message: &str) -> Option<Dialect> {
    let draft = DRAFT_MESSAGE.contains(&message).then_some(Dialect::Draft);
    final_dialect(message).or(draft)
}

/// What stands at one address. A draft's feed management and 1.1's collection management take subscriptions too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Says which services there are.
    Discovery,
    /// Collection (feed) information and subscriptions.
    CollectionManagement,
    /// Gives content.
    Poll,
    /// Takes content.
    Inbox,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Discovery, Self::CollectionManagement, Self::Poll, Self::Inbox];

    /// What discovery calls it.
    pub const fn service_type(self) -> ServiceType {
        match self {
            Self::Discovery => ServiceType::Discovery,
            Self::CollectionManagement => ServiceType::CollectionManagement,
            Self::Poll => ServiceType::Poll,
            Self::Inbox => ServiceType::Inbox,
        }
    }

    /// The name for people and in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::CollectionManagement => "collection-management",
            Self::Poll => "poll",
            Self::Inbox => "inbox",
        }
    }
}
