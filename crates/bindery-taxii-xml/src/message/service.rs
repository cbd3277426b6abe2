//! Discovery.

use bindery_xml::Inside;

use super::ContentBinding;
use crate::node::record;
use crate::registry::ServiceType;

record! {
    /// Discovery Response.
    DiscoveryResponse {
        /// The services.
        services: Vec<ServiceInstance> = many(ServiceInstance),
    }
}

record! {
    /// A service that is offered.
    ServiceInstance {
        /// What it is.
        service_type: ServiceType = one(ServiceType),
        /// Whether the one who asks may use it.
        available: Option<bool> = opt(Available),
        /// The services version's id.
        service_version: String = one(ServiceVersion),
        /// The protocol binding's id.
        protocol_binding: String = one(ProtocolBinding),
        /// The address.
        address: String = one(Address),
        /// The message bindings' ids, at least one.
        message_bindings: Vec<String> = many(MessageBinding),
        /// The queries that it takes (1.1).
        supported_queries: Vec<Query> = many(SupportedQuery),
        /// What an inbox takes; none: everything. Only inboxes have them.
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
        /// A message for people.
        message: Option<String> = opt(Message),
    }
}

record! {
    /// A query, or what is said of queries that are taken: a format and what stands inside (1.1). For Default Query see
    /// [`DefaultQuery`](crate::DefaultQuery) and [`DefaultQueryInfo`](crate::DefaultQueryInfo).
    Query {
        /// The format's id.
        format_id: String = one(FormatId),
        /// What stands inside, untouched.
        inside: Inside<'static> = one(Inside),
    }
}
