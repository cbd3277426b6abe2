//! Subscriptions.

use bindery_core::{Principal, Timestamp};
use bindery_taxii_xml::{ContentBinding, ResponseType, SubscriptionStatus};

use super::Part;

/// A subscription to a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// Its id, an URI; chosen by the engine, never used again.
    pub id: String,
    /// The collection's name.
    pub collection: String,
    /// The account that it belongs to; `None`: that of peers without an account.
    pub owner: Option<Principal>,
    /// Active, paused or ended.
    pub status: SubscriptionStatus,
    /// Blocks, or their number only.
    pub response_type: ResponseType,
    /// What is wanted; none: everything.
    pub content_bindings: Vec<ContentBinding>,
    /// The query that blocks must meet.
    pub query: Option<QueryText>,
    /// Where content is pushed to; `None`: it is polled.
    pub push: Option<PushTo>,
    /// When it was made.
    pub created: Timestamp,
}

impl Subscription {
    /// An active subscription to everything in a collection, polled.
    pub fn new(
        id: impl Into<String>,
        collection: impl Into<String>,
        owner: Option<Principal>,
        created: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            collection: collection.into(),
            owner,
            status: SubscriptionStatus::Active,
            response_type: ResponseType::Full,
            content_bindings: Vec::new(),
            query: None,
            push: None,
            created,
        }
    }

    /// What was subscribed to, as octets that are the same for two subscriptions exactly when SUBSCRIBE has to answer
    /// with the existing one (Services 1.1, section 4.4.6): everything but id, owner, state and time. The order of
    /// content bindings and of their subtypes does not count.
    pub fn terms(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, &self.collection);
        out.push(u8::from(self.response_type == ResponseType::CountOnly));
        let mut bindings = self.content_bindings.clone();
        for binding in &mut bindings {
            binding.subtypes.sort();
            binding.subtypes.dedup();
        }
        bindings.sort();
        bindings.dedup();
        for binding in &bindings {
            out.push(b'b');
            put(&mut out, &binding.id);
            for subtype in &binding.subtypes {
                out.push(b's');
                put(&mut out, subtype);
            }
        }
        if let Some(query) = &self.query {
            out.push(b'q');
            put(&mut out, &query.format_id);
            put(&mut out, &query.content.raw);
            for (prefix, name) in &query.content.namespaces {
                put(&mut out, prefix);
                put(&mut out, name);
            }
        }
        if let Some(push) = &self.push {
            out.push(b'p');
            for part in [&push.protocol_binding, &push.address, &push.message_binding] {
                put(&mut out, part);
            }
        }
        out
    }

    /// Whether content is to be pushed now.
    pub fn is_pushing(&self) -> bool {
        self.status == SubscriptionStatus::Active && self.push.is_some()
    }
}

/// A text with its length before it, so that no two lists of texts look alike.
fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A query as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryText {
    /// The id of its format.
    pub format_id: String,
    /// What stood in the `Query` element.
    pub content: Part,
}

impl QueryText {
    /// A query from its parts.
    pub fn new(format_id: impl Into<String>, content: Part) -> Self {
        Self { format_id: format_id.into(), content }
    }
}

/// An inbox that content is pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushTo {
    /// The protocol binding's id.
    pub protocol_binding: String,
    /// The inbox's address.
    pub address: String,
    /// The message binding's id, which tells the dialect.
    pub message_binding: String,
}

impl PushTo {
    /// An inbox by binding ids and address.
    pub fn new(
        protocol_binding: impl Into<String>,
        address: impl Into<String>,
        message_binding: impl Into<String>,
    ) -> Self {
        Self {
            protocol_binding: protocol_binding.into(),
            address: address.into(),
            message_binding: message_binding.into(),
        }
    }
}

/// Which subscriptions to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionFilter {
    /// To this collection; `None`: to any.
    pub collection: Option<String>,
    /// Of this account, or, inside, of peers without one; `None`: of anybody.
    pub owner: Option<Option<Principal>>,
    /// Whether those that have ended are listed too.
    pub ended: bool,
    /// Only those whose ids stand after this one (octets).
    pub after: Option<String>,
    /// The most to return.
    pub limit: usize,
}

impl SubscriptionFilter {
    /// All subscriptions that have not ended.
    pub const fn all(limit: usize) -> Self {
        Self { collection: None, owner: None, ended: false, after: None, limit }
    }

    /// Those of one account to one collection that have not ended.
    pub fn of(owner: Option<Principal>, collection: impl Into<String>, limit: usize) -> Self {
        Self { collection: Some(collection.into()), owner: Some(owner), ..Self::all(limit) }
    }
}
