//! Messages to HTTP and back, in three dialects.
//!
//! A request's dialect is told by its fields before its body is read: `X-TAXII-Protocol`, or what else is there of TAXII's
//! fields. GET is the draft's. The message's own namespace has to agree.

mod client;
mod fields;
mod refusal;
mod server;

use std::sync::Arc;

use bindery_core::{Channel, Place, Profile};
use bindery_taxii_xml::{Dialect, Error, Options, Tolerances};

use crate::{
    Ids,
    names::{Carrier, Service},
    profile::{Dialects, HttpProfile},
};
pub use client::{Answer, Call, Expect, Origin};
#[cfg(feature = "service")]
pub(crate) use refusal::{detail, printable};
pub use refusal::{of_alert, of_status};

/// One address of a server, or a client: TAXII messages over HTTP.
#[derive(Clone, Debug)]
pub struct TaxiiHttp {
    card: Profile,
    service: Service,
    dialects: Dialects,
    tls_in_front: bool,
    block_octets: u64,
    options: Options,
    ids: Arc<Ids>,
}

/// What a request fixes for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The dialect.
    pub dialect: Dialect,
    /// The channel.
    pub carrier: Carrier,
    /// The request's message id, if it was read.
    pub in_response_to: Option<String>,
}

impl TaxiiHttp {
    /// The binding of an address. `ids` makes the ids of messages that refuse.
    pub fn new(profile: &HttpProfile, ids: Arc<Ids>) -> Self {
        let mut options = Options::STRICT;
        let longest = profile.request_body_limit.max(profile.response_body_limit);
        options.xml.limits.document_length = longest;
        options.xml.limits.text_length = usize::try_from(longest).unwrap_or(usize::MAX);
        Self {
            card: profile.card(),
            service: profile.service,
            dialects: profile.dialects,
            tls_in_front: profile.tls_in_front,
            block_octets: profile.block_octets,
            options,
            ids,
        }
    }

    /// The same, reading messages so.
    #[must_use]
    pub const fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The same, letting these faults of the other side pass.
    #[must_use]
    pub const fn with_tolerances(mut self, tolerances: Tolerances) -> Self {
        self.options.tolerances = tolerances;
        self
    }

    /// The channel as the client knows it.
    const fn carrier(&self, channel: &Channel) -> Carrier {
        if self.tls_in_front { Carrier::Https } else { Carrier::of(channel) }
    }

    /// The service at the address.
    pub const fn service(&self) -> Service {
        self.service
    }
}

/// Where a message is at fault, and how.
pub(crate) fn place(error: &Error) -> Place {
    let position = error.position();
    Place::new("TAXII XML", Some(position.offset), error.to_string())
}
