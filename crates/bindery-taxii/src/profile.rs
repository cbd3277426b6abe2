//! The cards.
//!
//! One address may be spoken to in the draft's way and in that of 1.0 and 1.1: the card of an address is what both leave
//! open, and the binding enforces the rest by the dialect that a request's fields tell.

use std::borrow::Cow;

use bindery_core::{
    AuthScheme, BodyMode, CertificateRule, ContentCoding, MediaType, Port, Profile, RefusalForm,
    Scheme, SecurityNeeds, Severity,
};
use http::Method;

use crate::names::Service;

/// The longest Inbox Message that is held whole, in octets; of a longer one at most so much comes before its blocks.
pub(crate) const WHOLE: usize = 256 << 10;

/// The media type of XML messages.
pub const XML: &str = "application/xml";

/// Which dialects an address speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialects {
    /// The draft of November 2012.
    pub draft: bool,
    /// TAXII 1.0 and 1.1.
    pub released: bool,
}

impl Dialects {
    /// All of them.
    pub const ALL: Self = Self { draft: true, released: true };
    /// The draft alone: this project's source, which no other software speaks.
    pub const DRAFT: Self = Self { draft: true, released: false };
    /// What other software speaks.
    pub const RELEASED: Self = Self { draft: false, released: true };
}

/// What a deployment may choose in the card of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpProfile {
    /// What stands there.
    pub service: Service,
    /// The path.
    pub path: Cow<'static, str>,
    /// The dialects.
    pub dialects: Dialects,
    /// Whether clear HTTP is taken. Off by default: then TAXII goes over TLS only (section 9).
    pub clear: bool,
    /// Whether what comes in clear has come over TLS, which a proxy in front ends: protocol version ids then say HTTPS, as
    /// the client knows it. Off by default; it goes with [`clear`](Self::clear).
    pub tls_in_front: bool,
    /// The longest request, in octets: 64 MiB by default.
    pub request_body_limit: u64,
    /// The longest block of a long Inbox Message, which is read as it comes, in octets: 64 MiB by default.
    pub block_octets: u64,
    /// The longest answer that a client takes whole, in octets: 1 GiB by default.
    pub response_body_limit: u64,
}

impl HttpProfile {
    /// A service at its usual path: `/taxii/NAME`; discovery stands where TAXII 1.0 recommends it.
    pub const fn new(service: Service) -> Self {
        let path = match service {
            Service::Discovery => "/taxii-discovery-service/",
            Service::CollectionManagement => "/taxii/collection-management",
            Service::Poll => "/taxii/poll",
            Service::Inbox => "/taxii/inbox",
        };
        Self {
            service,
            path: Cow::Borrowed(path),
            dialects: Dialects::ALL,
            clear: false,
            tls_in_front: false,
            request_body_limit: 64 << 20,
            block_octets: 64 << 20,
            response_body_limit: 1 << 30,
        }
    }

    /// The card.
    pub fn card(&self) -> Profile {
        let xml = MediaType::from_static(XML);
        let mut card = Profile::new("taxii");
        card.title = "TAXII over HTTP and HTTPS, XML messages".into();
        card.references = vec![
            "TAXII HTTP Protocol Binding Specification 1.0 (draft, 16 November 2012)".into(),
            "TAXII HTTP Protocol Binding Specification 1.0 (30 April 2013)".into(),
            "TAXII Services and XML Message Binding Specifications 1.0 (2013) and 1.1 (2014)"
                .into(),
        ];
        if self.clear {
            card.schemes = vec![Scheme::Http, Scheme::Https];
        }
        let binding = "TAXII HTTP Binding 1.0 (draft), section 8";
        card.ports =
            vec![Port::shared(80, "HTTP", binding), Port::shared(443, "HTTP over TLS", binding)];
        card.default_path = self.path.clone();
        card.methods = self.methods();
        card.request_media_types = vec![xml.clone()];
        if self.dialects.draft {
            // Section 5.2 only recommends it. Where 1.0 and 1.1 are spoken the binding asks for it.
            card.untyped_content = Severity::Report;
        }
        card.response_media_types = vec![xml];
        card.request_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        // cabby asks for deflate and cannot undo it.
        card.response_codings = vec![ContentCoding::Gzip];
        card.auth_schemes = vec![AuthScheme::Basic];
        card.certificate = CertificateRule::Optional;
        if self.service == Service::Inbox {
            card.body_mode = BodyMode::Begun(WHOLE);
        }
        card.request_body_limit = self.request_body_limit;
        card.response_body_limit = self.response_body_limit;
        card.tls_policy = Some("taxii".into());
        // Section 6.2: no content but messages.
        card.refusal_form = RefusalForm::Field;
        card.body_faults = "the draft: 400, a malformed message included (its section 7, an exception to RFC 3205 that \
                            RFC 9205, section 4.6, allows); 1.0 and 1.1: a Status Message under 200"
            .into();
        card.security = SecurityNeeds::new(
            "a collection may be for some consumers only, and a producer answers for what it sends: a client certificate \
             in TLS or HTTP Basic (draft, section 9), mapped to accounts with rights for each collection",
            "what is shared may be for a community only, and a poll tells what a consumer looks for: TLS with the suites \
             of the policy; passwords go over TLS only; clear HTTP where the operator opens a service to everybody",
        );
        card
    }

    /// Section 5.1: GET for discovery and feed information, POST for the rest; released: POST for all.
    fn methods(&self) -> Vec<Method> {
        let Dialects { draft, released } = self.dialects;
        let get =
            draft && matches!(self.service, Service::Discovery | Service::CollectionManagement);
        let post = released || self.service != Service::Discovery;
        let methods = [(get, Method::GET), (post, Method::POST)];
        methods.into_iter().filter_map(|(taken, method)| taken.then_some(method)).collect()
    }
}

/// The card with nothing chosen: that of the address which takes everything.
pub fn profile() -> Profile {
    HttpProfile { clear: true, ..HttpProfile::new(Service::CollectionManagement) }.card()
}
