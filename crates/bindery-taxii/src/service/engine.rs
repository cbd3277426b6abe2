//! The engine: from a request to its answer.

use std::{fmt, sync::Arc};

use bindery_core::{Context, Handler};
use bindery_taxii_xml::{Body, Dialect, Message, MessageKind, StatusType};

use super::{
    Collection, CollectionState, CommitError, FeedServerConfig, FeedStore, FeedStoreError, Rights,
    fault::Fault,
};
use crate::{Ids, Service, TaxiiRequest, TaxiiResponse};

/// The feed services: discovery, collection management, poll and inbox over a store.
pub struct FeedServer {
    pub(super) store: Arc<dyn FeedStore>,
    pub(super) config: FeedServerConfig,
    pub(super) ids: Arc<Ids>,
}

/// What a service comes to.
pub(super) type Done<T> = Result<T, Fault>;

impl FeedServer {
    /// The services over a store.
    pub fn new(store: Arc<dyn FeedStore>, config: FeedServerConfig, ids: Arc<Ids>) -> Self {
        Self { store, config, ids }
    }

    /// Answers one request.
    pub async fn respond(&self, cx: &Context, request: TaxiiRequest) -> TaxiiResponse {
        let dialect = request.dialect;
        let id = request.message.id.clone();
        if let Some(access) = self.config.access.get(&request.service)
            && !access.permits(cx.principal.as_ref())
        {
            return TaxiiResponse::Refused(access.refusal());
        }
        match self.dispatch(cx, request).await {
            Ok(Answering::Body(body)) => self.message(dialect, &id, *body).into(),
            Ok(Answering::Response(response)) => response,
            Err(fault) => self.message(dialect, &id, fault.into_status(dialect).into()).into(),
        }
    }

    /// An answer.
    pub(super) fn message(&self, dialect: Dialect, asked: &str, body: Body) -> Message<'static> {
        // The draft's ids in messages are GUIDs; those in its URLs need not be.
        let guid = asked.len() == 32 && asked.bytes().all(|octet| octet.is_ascii_hexdigit());
        let asked = (dialect != Dialect::Draft || guid).then_some(asked);
        Message::new(self.ids.message(dialect), asked, body)
    }

    async fn dispatch(&self, cx: &Context, request: TaxiiRequest) -> Done<Answering> {
        let kind = request.message.body.kind();
        let serves = match request.service {
            Service::Discovery => kind == MessageKind::DiscoveryRequest,
            Service::CollectionManagement => matches!(
                kind,
                MessageKind::CollectionInformationRequest | MessageKind::SubscriptionRequest
            ),
            Service::Poll => {
                matches!(kind, MessageKind::PollRequest | MessageKind::PollFulfillment)
            }
            Service::Inbox => kind == MessageKind::Inbox,
        };
        if !serves {
            let status = match request.dialect {
                Dialect::Draft => StatusType::UnsupportedService,
                _ => StatusType::Failure,
            };
            let reason =
                format!("a {kind:?} is no message for the service {}", request.service.name());
            return Err(Fault::new(status, reason));
        }
        match &request.message.body {
            Body::DiscoveryRequest => Ok(Answering::of(self.discovery(cx, &request))),
            Body::CollectionInformationRequest => {
                Ok(Answering::of(self.information(cx, &request).await?))
            }
            Body::SubscriptionRequest(_) => self.subscription(cx, &request).await,
            Body::PollRequest(poll) => self.poll(cx, &request, poll).await,
            Body::PollFulfillment(asked) => self.fulfil(cx, &request, asked).await,
            Body::Inbox(_) => self.inbox(cx, request).await,
            // What is not served was answered above.
            _ => Err(Fault::new(StatusType::Failure, "not a message for a server")),
        }
    }

    /// A collection, for somebody who wants to use it so.
    pub(super) async fn collection(
        &self,
        cx: &Context,
        dialect: Dialect,
        name: &str,
        wants: Wants,
    ) -> Done<CollectionState> {
        let names = [name.to_owned()];
        let found = self.loaded(self.store.load_collections(&names).await)?;
        let found = found.into_iter().next().flatten();
        let who = cx.principal.as_ref();
        let visible = found.filter(|one| seen(&one.collection, dialect));
        let Some(found) = visible else { return Err(Fault::not_found("collection", name)) };
        let (rights, offers) = (found.collection.rights(who), found.collection.offers);
        if !found.collection.enabled {
            return Err(match rights == Rights::NONE {
                true => Fault::not_found("collection", name),
                false => Fault::new(StatusType::Denied, "the collection is not in use at present"),
            });
        }
        let (permitted, offered) = match wants {
            Wants::Poll => (rights.poll, offers.poll),
            Wants::Subscribe => (rights.subscribe, offers.subscription),
            Wants::Send => (rights.inbox, offers.inbox),
        };
        if permitted && !offered {
            return Err(match wants {
                Wants::Poll => {
                    Fault::new(StatusType::PollingUnsupported, "the collection cannot be polled")
                }
                _ => Fault::new(StatusType::Denied, "the collection has no such service"),
            });
        }
        if permitted {
            return Ok(found);
        }
        // To whom not even this is given, for them it does not exist.
        if !rights.list {
            return Err(match who {
                None => unauthorized(),
                Some(_) => Fault::not_found("collection", name),
            });
        }
        Err(match who {
            None => unauthorized(),
            Some(_) => Fault::new(StatusType::Denied, "this account may not use the collection so"),
        })
    }

    /// What the store gave, or the failure that the peer is told.
    pub(super) fn loaded<T>(&self, result: Result<T, FeedStoreError>) -> Done<T> {
        result.map_err(|error| {
            self.config.observer.store_failed(&error);
            Fault::from(&error)
        })
    }

    /// The same of a commit.
    pub(super) fn committed<T>(&self, result: Result<T, CommitError>) -> Done<T> {
        result.map_err(|error| {
            if let CommitError::Store(error) | CommitError::Unknown(error) = &error {
                self.config.observer.store_failed(error);
            }
            Fault::from(&error)
        })
    }
}

fn unauthorized() -> Fault {
    Fault::new(StatusType::Unauthorized, "say who you are to use this collection")
}

/// Whether a dialect knows collections of its kind.
pub(super) fn seen(collection: &Collection, dialect: Dialect) -> bool {
    let set = collection.kind == bindery_taxii_xml::CollectionType::DataSet;
    dialect == Dialect::V1_1 || !set
}

/// What somebody wants with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Poll,
    Subscribe,
    Send,
}

/// What a request came to.
pub(super) enum Answering {
    Body(Box<Body>),
    Response(TaxiiResponse),
}

impl Answering {
    pub(super) fn of(body: impl Into<Body>) -> Self {
        Self::Body(Box::new(body.into()))
    }
}

impl Handler<TaxiiRequest> for FeedServer {
    type Response = TaxiiResponse;

    async fn handle(&self, cx: &Context, request: TaxiiRequest) -> TaxiiResponse {
        self.respond(cx, request).await
    }
}

impl fmt::Debug for FeedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedServer").field("store", &self.store).finish_non_exhaustive()
    }
}
