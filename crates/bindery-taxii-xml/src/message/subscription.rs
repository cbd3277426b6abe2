//! Subscriptions.

use super::{ContentBinding, Query, ServiceContact};
use crate::dialect::Dialect;
use crate::error::WriteFault;
use crate::node::{Node, Record, many, one, opt, record};
use crate::registry::{Action, Field, ResponseType, StatusType, SubscriptionStatus};
use crate::timestamp::Timestamp;

record! {
    /// Subscription Management Request.
    SubscriptionRequest {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// What is to be done.
        action: Action = one(Action),
        /// The subscription's id.
        subscription_id: Option<String> = opt(SubscriptionId),
        /// What is wanted (1.1).
        parameters: Option<SubscriptionParameters> = opt(SubscriptionParameters),
        /// Where content is pushed to (1.0, 1.1); none: it is polled.
        push: Option<PushParameters> = opt(PushParameters),
        /// The terms (draft).
        terms: Option<Terms> = opt(Terms),
    }
}

record! {
    /// What a subscription wants (1.1).
    SubscriptionParameters {
        /// Blocks, or their number only; none: blocks.
        response_type: Option<ResponseType> = opt(ResponseType),
        /// The content bindings that are wanted; none: all.
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
        /// The query that blocks must meet.
        query: Option<Query> = opt(Query),
    }
}

record! {
    /// Where content is pushed to (1.0, 1.1).
    PushParameters {
        /// The protocol binding's id.
        protocol_binding: String = one(ProtocolBinding),
        /// The inbox's address.
        address: String = one(Address),
        /// The message binding's id.
        message_binding: String = one(MessageBinding),
        /// The content bindings that are wanted (1.0); none: all.
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
    }
}

record! {
    /// The terms of a subscription (draft).
    Terms {
        /// Whether content is to be protected: only the draft's schema has it, and requires it.
        protect: Option<bool> = opt(Protect),
        /// A protocol binding's id, or `POLL`.
        delivery_method: String = one(DeliveryMethod),
        /// The message binding's id.
        message_binding: String = one(MessageBinding),
        /// The content binding's id.
        content_binding: String = one(ContentBinding),
        /// The inbox's address; it does not count when the delivery method is `POLL`.
        send_to: String = one(SendTo),
    }
}

record! {
    /// Subscription Management Response.
    SubscriptionResponse {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// A message for people.
        message: Option<String> = opt(Message),
        /// The subscriptions.
        subscriptions: Vec<Subscription> = many(Subscription),
    }
}

/// A subscription as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its state (1.1); none: active.
    pub status: Option<SubscriptionStatus>,
    /// What it wants (1.1).
    pub parameters: Option<SubscriptionParameters>,
    /// Where content is pushed to (1.0, 1.1).
    pub push: Option<PushParameters>,
    /// Where it can be polled (1.0, 1.1).
    pub poll_instances: Vec<ServiceContact>,
    /// Its terms, which the draft always has.
    pub terms: Option<Terms>,
}

impl Record for Subscription {
    fn read_node(node: &mut Node<'_>, d: Dialect) -> Option<Self> {
        Some(Self {
            id: one::take(node, Field::SubscriptionId, d)?,
            status: opt::take(node, Field::SubscriptionStatus, d)?,
            parameters: opt::take(node, Field::SubscriptionParameters, d)?,
            push: opt::take(node, Field::PushParameters, d)?,
            poll_instances: many::take(node, Field::PollInstance, d)?,
            // The draft has the terms in the subscription itself.
            terms: if d == Dialect::Draft { Some(Terms::read_node(node, d)?) } else { None },
        })
    }

    fn write_node(&self, d: Dialect) -> Result<Node<'_>, WriteFault> {
        let mut node = Node::default();
        one::put(&self.id, &mut node, Field::SubscriptionId, d)?;
        opt::put(&self.status, &mut node, Field::SubscriptionStatus, d)?;
        opt::put(&self.parameters, &mut node, Field::SubscriptionParameters, d)?;
        opt::put(&self.push, &mut node, Field::PushParameters, d)?;
        many::put(&self.poll_instances, &mut node, Field::PollInstance, d)?;
        if let Some(terms) = &self.terms {
            node.entries.extend(terms.write_node(d)?.entries);
        }
        Ok(node)
    }
}

record! {
    /// Subscription Alert: only the draft's schema has it.
    SubscriptionAlert {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// What is done with the subscription.
        action: AlertAction = one(AlertAction),
        /// The subscription's id.
        subscription_id: String = one(SubscriptionId),
        /// Its terms.
        terms: Option<Terms> = opt(Terms),
        /// A message for people.
        message: Option<String> = opt(Message),
    }
}

record! {
    /// What a subscription alert tells of.
    AlertAction {
        /// What is done.
        action: Action = one(Action),
        /// When.
        effective_time: Timestamp = one(EffectiveTime),
        /// Why; none: `SUCCESS`.
        status_type: Option<StatusType> = opt(StatusType),
    }
}
