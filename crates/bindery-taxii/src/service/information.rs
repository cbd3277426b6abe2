//! Discovery and Feed or Collection Information.

use bindery_core::Context;
use bindery_taxii_xml::{
    Collection, CollectionInformationResponse, ContentBinding, Dialect, DiscoveryResponse,
    InboxService, PushMethod, ServiceContact, ServiceInstance,
};

use super::{
    Collection as Stored, PushRules,
    engine::{Done, FeedServer, seen},
};
use crate::{Names, Service, TaxiiRequest};

/// How many collections are loaded at once.
const PAGE: usize = 256;

/// The bindings that are named where a dialect has no way to say "everything": those of STIX 1.x.
const STIX: [&str; 5] = [
    "urn:stix.mitre.org:xml:1.0",
    "urn:stix.mitre.org:xml:1.0.1",
    "urn:stix.mitre.org:xml:1.1",
    "urn:stix.mitre.org:xml:1.1.1",
    "urn:stix.mitre.org:xml:1.2",
];

impl FeedServer {
    /// The services that are there, at the addresses by which the client came.
    pub(super) fn discovery(&self, cx: &Context, request: &TaxiiRequest) -> DiscoveryResponse {
        let names = Names::of(request.dialect);
        let carrier = self.config.places.carrier(request);
        let services = Service::ALL.into_iter().filter_map(|service| {
            let access = self.config.access.get(&service);
            let may = access.is_none_or(|access| access.permits(cx.principal.as_ref()));
            if !may && access.is_some_and(|access| access.concealed) {
                return None;
            }
            let address = self.config.places.address(service, request)?;
            Some(ServiceInstance {
                service_type: service.service_type(),
                available: Some(may),
                service_version: names.services().to_owned(),
                protocol_binding: names.protocol(carrier).to_owned(),
                address,
                message_bindings: vec![names.message().to_owned()],
                supported_queries: match (service, request.dialect, &self.config.queries) {
                    (
                        Service::Poll | Service::CollectionManagement,
                        Dialect::V1_1,
                        Some(queries),
                    ) => queries.told(),
                    _ => Vec::new(),
                },
                // None: everything, or what each collection says.
                content_bindings: Vec::new(),
                message: None,
            })
        });
        DiscoveryResponse { services: services.collect() }
    }

    /// The collections that the dialect knows and the one who asks may see.
    pub(super) async fn information(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
    ) -> Done<CollectionInformationResponse> {
        let mut collections = Vec::new();
        let mut after: Option<String> = None;
        while collections.len() < self.config.listed {
            let page = self.store.list_collections(after.as_deref(), PAGE).await;
            let page = self.loaded(page)?;
            let Some(last) = page.last() else { break };
            after = Some(last.collection.name.clone());
            let shown = page
                .iter()
                .map(|one| &one.collection)
                .filter(|one| seen(one, request.dialect) && one.rights(cx.principal.as_ref()).list);
            collections.extend(shown.map(|one| self.told(cx, request, one)));
        }
        collections.truncate(self.config.listed);
        Ok(CollectionInformationResponse { collections })
    }

    fn told(&self, cx: &Context, request: &TaxiiRequest, one: &Stored) -> Collection {
        let dialect = request.dialect;
        let rights = one.rights(cx.principal.as_ref());
        let draft = dialect == Dialect::Draft;
        let names = Names::of(dialect);
        let message = names.message().to_owned();
        let polls = one.enabled && rights.poll && one.offers.poll;
        let subscribes = one.enabled && rights.subscribe && one.offers.subscription;
        let sends = one.enabled && rights.inbox && one.offers.inbox;
        let contact = |service, may: bool| {
            let address = may.then(|| self.config.places.address(service, request)).flatten();
            let contact = address.filter(|_| !draft).map(|address| ServiceContact {
                protocol_binding: names.protocol(self.config.places.carrier(request)).to_owned(),
                address,
                message_bindings: vec![message.clone()],
            });
            contact.into_iter().collect::<Vec<_>>()
        };
        let mut polling_services = contact(Service::Poll, polls);
        if dialect == Dialect::V1_0 && polling_services.is_empty() {
            // 1.0 wants a way to get at a feed in any case.
            polling_services = contact(Service::Poll, true);
        }
        let (delivery_methods, push_methods) = self.ways(one, dialect, subscribes);
        let inboxes = contact(Service::Inbox, sends && dialect == Dialect::V1_1);
        Collection {
            name: one.name.clone(),
            collection_type: (dialect == Dialect::V1_1).then_some(one.kind),
            available: Some(polls || subscribes || sends),
            description: one.description.clone(),
            volume: one.volume.filter(|_| dialect == Dialect::V1_1),
            content_bindings: bindings(one, dialect),
            push_methods,
            polling_services,
            subscription_services: contact(Service::CollectionManagement, subscribes),
            receiving_inbox_services: inboxes
                .into_iter()
                .map(|contact| InboxService {
                    protocol_binding: contact.protocol_binding,
                    address: contact.address,
                    message_bindings: contact.message_bindings,
                    content_bindings: bindings(one, dialect),
                })
                .collect(),
            delivery_methods,
            message_bindings: if draft { vec![message] } else { Vec::new() },
        }
    }

    /// How content is delivered: the draft's delivery methods, and the push methods of 1.0 and 1.1.
    fn ways(
        &self,
        one: &Stored,
        dialect: Dialect,
        subscribes: bool,
    ) -> (Vec<String>, Vec<PushMethod>) {
        let pushes = self.config.push.as_ref().filter(|_| subscribes && one.offers.push);
        let protocols = pushes.map(|rules| rules.protocols(dialect)).unwrap_or_default();
        if dialect == Dialect::Draft {
            let poll = one.offers.poll || protocols.is_empty();
            // It wants one in any case.
            let poll = poll.then(|| "POLL".to_owned());
            return (
                poll.into_iter().chain(protocols.into_iter().map(str::to_owned)).collect(),
                Vec::new(),
            );
        }
        let messages: Vec<String> =
            PushRules::messages(dialect).into_iter().map(str::to_owned).collect();
        let methods = protocols.into_iter().map(|protocol| PushMethod {
            protocol_binding: protocol.to_owned(),
            message_bindings: messages.clone(),
        });
        (Vec::new(), methods.collect())
    }
}

/// What a collection takes, in a dialect's words.
fn bindings(one: &Stored, dialect: Dialect) -> Vec<ContentBinding> {
    match dialect {
        Dialect::V1_1 => one.content_bindings.clone(),
        _ if one.content_bindings.is_empty() => STIX.into_iter().map(ContentBinding::new).collect(),
        _ => one.content_bindings.iter().map(|one| ContentBinding::new(one.id.clone())).collect(),
    }
}
