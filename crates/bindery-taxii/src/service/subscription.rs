//! Subscription Management, its checks in the order of the specification (Services 1.1, section 4.4.6).

use bindery_core::Context;
use bindery_taxii_xml::{
    Action, Body, ContentBinding, Dialect, PushParameters, Query, ResponseType, StatusType,
    Subscription as Shown, SubscriptionParameters, SubscriptionRequest, SubscriptionResponse,
    SubscriptionStatus,
};

use super::{
    Change, Collection, CommitError, PushTo, QueryText, Subscription, SubscriptionFilter,
    Versioned,
    engine::{Answering, Done, FeedServer, Wants},
    fault::Fault,
    poll::check_bindings,
};
use crate::{Names, TaxiiRequest};

/// How often a change is tried again because somebody else made one meanwhile.
const TRIES: usize = 8;

/// The draft's delivery method of who polls.
const POLL: &str = "POLL";

/// What a request wants to subscribe to.
struct Terms {
    response_type: ResponseType,
    bindings: Vec<ContentBinding>,
    query: Option<QueryText>,
    push: Option<PushTo>,
}

impl Terms {
    fn put_into(self, subscription: &mut Subscription) {
        subscription.response_type = self.response_type;
        subscription.content_bindings = self.bindings;
        subscription.query = self.query;
        subscription.push = self.push;
    }
}

/// The inbox that a request names.
fn push_to(request: &SubscriptionRequest) -> Option<PushTo> {
    if let Some(push) = &request.push {
        return Some(PushTo::new(&push.protocol_binding, &push.address, &push.message_binding));
    }
    let draft = request.terms.as_ref().filter(|terms| terms.delivery_method != POLL)?;
    Some(PushTo::new(&draft.delivery_method, &draft.send_to, &draft.message_binding))
}

impl FeedServer {
    /// What is asked for, checked in the order of the specification: protocol, message, query, content.
    fn terms(
        &self,
        dialect: Dialect,
        collection: &Collection,
        request: &SubscriptionRequest,
    ) -> Done<Terms> {
        let rules = self.config.push.as_ref().filter(|_| collection.offers.push);
        let push = match (push_to(request), rules) {
            (Some(to), Some(rules)) => Some(rules.check(to, dialect)?),
            (Some(_), None) => {
                let reason =
                    "the collection is not pushed; subscribe without push parameters, and poll";
                return Err(Fault::new(StatusType::UnsupportedProtocol, reason));
            }
            (None, _) if !collection.offers.poll => {
                let reason = "the collection cannot be polled; name an inbox to push to";
                return Err(Fault::new(StatusType::PollingUnsupported, reason));
            }
            (None, _) => None,
        };
        let response_type = ResponseType::Full;
        let mut terms = Terms { response_type, bindings: Vec::new(), query: None, push };
        if let Some(push) = &request.push {
            // 1.0 has them there.
            terms.bindings.clone_from(&push.content_bindings);
        }
        if let Some(parameters) = &request.parameters {
            if let Some(query) = &parameters.query {
                terms.query = Some(self.check_query(query)?);
            }
            if let Some(asked) = &parameters.response_type {
                terms.response_type = *asked;
            }
            terms.bindings.clone_from(&parameters.content_bindings);
        }
        if let Some(draft) = &request.terms {
            if draft.protect == Some(true) {
                let reason = "messages are not protected beyond their channel";
                return Err(Fault::new(StatusType::ProtectionUnsupported, reason));
            }
            terms.bindings.push(ContentBinding::new(draft.content_binding.clone()));
        }
        check_bindings(collection, &terms.bindings)?;
        Ok(terms)
    }

    pub(super) async fn subscription(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
    ) -> Done<Answering> {
        let Body::SubscriptionRequest(asked) = &request.message.body else {
            return Err(Fault::new(StatusType::BadMessage, "this is no subscription request"));
        };
        // Who it is, and whether there is such a collection, come first.
        let found =
            self.collection(cx, request.dialect, &asked.collection, Wants::Subscribe).await?;
        let collection = found.collection;
        let shown = match &asked.action {
            Action::Subscribe => {
                vec![self.subscribe(cx, request.dialect, &collection, asked).await?]
            }
            Action::Unsubscribe => {
                let id = required(asked)?;
                let ended = SubscriptionStatus::Unsubscribed;
                let gone = self.change(cx, &collection, id, ended).await?;
                // An unknown one is as good as ended.
                vec![gone.unwrap_or_else(|| {
                    let mut none = Subscription::new(id, &collection.name, None, cx.now);
                    none.status = ended;
                    none
                })]
            }
            Action::Pause => {
                vec![self.switch(cx, &collection, asked, SubscriptionStatus::Paused).await?]
            }
            Action::Resume => {
                vec![self.switch(cx, &collection, asked, SubscriptionStatus::Active).await?]
            }
            Action::Status => {
                self.status(cx, &collection, asked.subscription_id.as_deref()).await?
            }
            Action::Modify => vec![self.modify(cx, &collection, asked).await?],
            _ => {
                let reason = "this action is not known";
                return Err(Fault::new(StatusType::UnrecognizedValue, reason));
            }
        };
        let answer = SubscriptionResponse {
            collection: collection.name,
            message: None,
            subscriptions: shown.into_iter().map(|one| self.shown(request, one)).collect(),
        };
        Ok(Answering::of(answer))
    }

    async fn subscribe(
        &self,
        cx: &Context,
        dialect: Dialect,
        collection: &Collection,
        asked: &SubscriptionRequest,
    ) -> Done<Subscription> {
        let terms = self.terms(dialect, collection, asked)?;
        let id = self.ids.uri();
        let mut made = Subscription::new(id, &collection.name, cx.principal.clone(), cx.now);
        terms.put_into(&mut made);
        for _ in 0..TRIES {
            let mine = self.mine(cx, collection).await?;
            // Asking for what is there already gives what is there.
            let wanted = made.terms();
            let there = mine.iter().find(|one| one.record.terms() == wanted);
            if let Some(there) = there {
                return Ok(there.record.clone());
            }
            let most = self.config.subscriptions;
            let insert = Change::InsertSubscription { subscription: made.clone(), most };
            match self.store.commit(vec![insert], cx.now).await {
                Ok(()) => return Ok(made),
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Limit { limit, .. }) => {
                    let reason = format!("{limit} subscriptions are the most; end one first");
                    return Err(Fault::new(StatusType::Denied, reason));
                }
                Err(error) => return self.committed(Err(error)),
            }
        }
        Err(busy())
    }

    /// The account's subscriptions that have not ended.
    async fn mine(
        &self,
        cx: &Context,
        collection: &Collection,
    ) -> Done<Vec<Versioned<Subscription>>> {
        let limit = self.config.subscriptions.saturating_add(1);
        let filter = SubscriptionFilter::of(cx.principal.clone(), &collection.name, limit);
        self.loaded(self.store.list_subscriptions(&filter).await)
    }

    async fn own(
        &self,
        cx: &Context,
        collection: &Collection,
        id: &str,
    ) -> Done<Option<Versioned<Subscription>>> {
        let found = self.loaded(self.store.load_subscription(id).await)?;
        // Somebody else's is as good as none.
        Ok(found.filter(|found| {
            found.record.owner == cx.principal && found.record.collection == collection.name
        }))
    }

    /// Commits one change; not where somebody else was first.
    async fn try_commit(&self, cx: &Context, change: Change) -> Done<bool> {
        match self.store.commit(vec![change], cx.now).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(error) => self.committed(Err(error)),
        }
    }

    /// Gives a subscription another state; nothing where there is none.
    async fn change(
        &self,
        cx: &Context,
        collection: &Collection,
        id: &str,
        status: SubscriptionStatus,
    ) -> Done<Option<Subscription>> {
        for _ in 0..TRIES {
            let Some(found) = self.own(cx, collection, id).await? else { return Ok(None) };
            let (mut subscription, expected) = (found.record, found.version);
            let over = subscription.status == SubscriptionStatus::Unsubscribed;
            if over && status != SubscriptionStatus::Unsubscribed {
                return Ok(None);
            }
            if subscription.status == status {
                return Ok(Some(subscription));
            }
            subscription.status = status;
            let change = replace(subscription.clone(), expected);
            if self.try_commit(cx, change).await? {
                return Ok(Some(subscription));
            }
        }
        Err(busy())
    }

    async fn switch(
        &self,
        cx: &Context,
        collection: &Collection,
        asked: &SubscriptionRequest,
        status: SubscriptionStatus,
    ) -> Done<Subscription> {
        let id = required(asked)?;
        let changed = self.change(cx, collection, id, status).await?;
        changed.ok_or_else(|| Fault::not_found("subscription", id))
    }

    async fn status(
        &self,
        cx: &Context,
        collection: &Collection,
        id: Option<&str>,
    ) -> Done<Vec<Subscription>> {
        let found = match id {
            Some(id) => match self.own(cx, collection, id).await? {
                Some(one) => vec![one],
                None => return Err(Fault::not_found("subscription", id)),
            },
            None => self.mine(cx, collection).await?,
        };
        Ok(found.into_iter().map(|one| one.record).collect())
    }

    /// The draft's: other terms for a subscription that is there.
    async fn modify(
        &self,
        cx: &Context,
        collection: &Collection,
        asked: &SubscriptionRequest,
    ) -> Done<Subscription> {
        let id = required(asked)?;
        for _ in 0..TRIES {
            let found = self.own(cx, collection, id).await?;
            let going = found.filter(|one| one.record.status != SubscriptionStatus::Unsubscribed);
            let found = going.ok_or_else(|| Fault::not_found("subscription", id))?;
            let wanted = self.terms(Dialect::Draft, collection, asked)?;
            let mut subscription = found.record;
            wanted.put_into(&mut subscription);
            let change = replace(subscription.clone(), found.version);
            if self.try_commit(cx, change).await? {
                return Ok(subscription);
            }
        }
        Err(busy())
    }

    /// A subscription in a dialect's words.
    fn shown(&self, request: &TaxiiRequest, one: Subscription) -> Shown {
        let dialect = request.dialect;
        let going = one.status != SubscriptionStatus::Unsubscribed;
        let mut shown = Shown {
            id: one.id,
            status: None,
            parameters: None,
            push: None,
            poll_instances: Vec::new(),
            terms: None,
        };
        let push = one.push;
        if dialect == Dialect::Draft {
            shown.terms = Some(bindery_taxii_xml::Terms {
                protect: Some(false),
                delivery_method: push
                    .as_ref()
                    .map_or_else(|| POLL.to_owned(), |push| push.protocol_binding.clone()),
                message_binding: push.as_ref().map_or_else(
                    || Names::of(dialect).message().to_owned(),
                    |push| push.message_binding.clone(),
                ),
                content_binding: one
                    .content_bindings
                    .first()
                    .map(|one| one.id.clone())
                    .unwrap_or_default(),
                send_to: push.map(|push| push.address).unwrap_or_default(),
            });
            return shown;
        }
        let polled = push.is_none();
        shown.push = push.map(|push| PushParameters {
            protocol_binding: push.protocol_binding,
            address: push.address,
            message_binding: push.message_binding,
            // 1.0 says here what is wanted, 1.1 in its parameters.
            content_bindings: match dialect {
                Dialect::V1_0 => one.content_bindings.clone(),
                _ => Vec::new(),
            },
        });
        if going && polled {
            shown.poll_instances = self.poll_instances(request);
        }
        if dialect == Dialect::V1_1 {
            shown.status = Some(one.status);
            shown.parameters = Some(SubscriptionParameters {
                response_type: Some(one.response_type),
                content_bindings: one.content_bindings,
                query: one.query.map(|query| Query {
                    format_id: query.format_id,
                    inside: query.content.into_inside(),
                }),
            });
        }
        shown
    }
}

fn replace(subscription: Subscription, expected: u64) -> Change {
    Change::ReplaceSubscription { subscription, expected, restart: None }
}

fn required(asked: &SubscriptionRequest) -> Done<&str> {
    asked.subscription_id.as_deref().ok_or_else(|| {
        Fault::new(StatusType::BadMessage, "the action needs the id of a subscription")
    })
}

fn busy() -> Fault {
    Fault::new(StatusType::Failure, "others change the subscription at the same time; try again")
}
